package launch

// System calls, from asm-generic/unistd.h.
const (
	sysMmap          = 222
	sysMunmap        = 215
	sysDup3          = 24
	sysFcntl         = 25
	sysExitGroup     = 94
	sysRtSigaction   = 134
	sysRtSigprocmask = 135
	sysSetpgid       = 154
	sysPrctl         = 167
	sysGetpid        = 172
	sysGetppid       = 173
	sysClone         = 220
	sysExecve        = 221
	sysPrlimit64     = 261
	sysRead          = 63
	sysChdir         = 49
	sysSetsid        = 157
	sysCloseRange    = 436
)
