package launch

// System calls, from asm-generic/unistd.h.
const (
	sysDup3          = 24
	sysFcntl         = 25
	sysRtSigaction   = 134
	sysRtSigprocmask = 135
	sysSetpgid       = 154
	sysPrctl         = 167
	sysGetpid        = 172
	sysGetppid       = 173
	sysExecve        = 221
	sysPrlimit64     = 261
)
