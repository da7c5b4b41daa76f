package launch

// System calls, from asm/unistd_64.h.
const (
	sysRead          = 0
	sysMmap          = 9
	sysMunmap        = 11
	sysRtSigaction   = 13
	sysRtSigprocmask = 14
	sysGetpid        = 39
	sysClone         = 56
	sysExecve        = 59
	sysFcntl         = 72
	sysChdir         = 80
	sysSetpgid       = 109
	sysGetppid       = 110
	sysSetsid        = 112
	sysPrctl         = 157
	sysExitGroup     = 231
	sysDup3          = 292
	sysPrlimit64     = 302
	sysCloseRange    = 436
)
