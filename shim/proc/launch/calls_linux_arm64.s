#include "go_asm.h"
#include "textflag.h"

// func raw(number, a, b, c, d, e, f uintptr) uintptr
TEXT ·raw(SB), NOSPLIT, $0-64
	MOVD number+0(FP), R8
	MOVD a+8(FP), R0
	MOVD b+16(FP), R1
	MOVD c+24(FP), R2
	MOVD d+32(FP), R3
	MOVD e+40(FP), R4
	MOVD f+48(FP), R5
	SVC
	MOVD R0, ret+56(FP)
	RET

// func clone(c *shared) int
//
// The new process has no stack: it keeps to registers.
TEXT ·clone(SB), NOSPLIT, $0-16
	MOVD c+0(FP), R19
	MOVD $const_sysRtSigprocmask, R8
	MOVD $const_sigSetmask, R0
	ADD $shared_all, R19, R1
	ADD $shared_mask, R19, R2
	MOVD $const_setSize, R3
	SVC

	MOVD $const_sysClone, R8
	MOVD shared_flags(R19), R0
	MOVD $0, R1
	MOVD $0, R2
	MOVD $0, R3
	MOVD $0, R4
	SVC
	CBZ R0, child

	MOVD R0, R20
	MOVD $const_sysRtSigprocmask, R8
	MOVD $const_sigSetmask, R0
	ADD $shared_mask, R19, R1
	MOVD $0, R2
	MOVD $const_setSize, R3
	SVC
	MOVD R20, ret+8(FP)
	RET

child:
	ADD $shared_calls, R19, R20
next:
	MOVD call_number(R20), R8
	MOVD (call_args+0)(R20), R0
	MOVD (call_args+8)(R20), R1
	MOVD (call_args+16)(R20), R2
	MOVD (call_args+24)(R20), R3
	SVC
	MOVD call_want(R20), R21
	CMP $-1, R21
	BEQ done
	CMP R0, R21
	BNE failed
done:
	ADD $call__size, R20, R20
	B next
failed:
	MOVD R0, shared_failed(R19)
	MOVD $const_sysExitGroup, R8
	MOVD $127, R0
	SVC
	BRK
