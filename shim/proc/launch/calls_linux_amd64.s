#include "go_asm.h"
#include "textflag.h"

// func raw(number, a, b, c, d, e, f uintptr) uintptr
TEXT ·raw(SB), NOSPLIT, $0-64
	MOVQ number+0(FP), AX
	MOVQ a+8(FP), DI
	MOVQ b+16(FP), SI
	MOVQ c+24(FP), DX
	MOVQ d+32(FP), R10
	MOVQ e+40(FP), R8
	MOVQ f+48(FP), R9
	SYSCALL
	MOVQ AX, ret+56(FP)
	RET

// func clone(c *shared) int
//
// The new process has no stack: it keeps to registers.
TEXT ·clone(SB), NOSPLIT, $0-16
	MOVQ c+0(FP), R12
	MOVL $const_sysRtSigprocmask, AX
	MOVL $const_sigSetmask, DI
	LEAQ shared_all(R12), SI
	LEAQ shared_mask(R12), DX
	MOVL $const_setSize, R10
	SYSCALL

	MOVL $const_sysClone, AX
	MOVQ shared_flags(R12), DI
	XORL SI, SI
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	SYSCALL
	TESTQ AX, AX
	JEQ child

	MOVQ AX, R13
	MOVL $const_sysRtSigprocmask, AX
	MOVL $const_sigSetmask, DI
	LEAQ shared_mask(R12), SI
	XORL DX, DX
	MOVL $const_setSize, R10
	SYSCALL
	MOVQ R13, ret+8(FP)
	RET

child:
	LEAQ shared_calls(R12), R13
next:
	MOVQ call_number(R13), AX
	MOVQ (call_args+0)(R13), DI
	MOVQ (call_args+8)(R13), SI
	MOVQ (call_args+16)(R13), DX
	MOVQ (call_args+24)(R13), R10
	SYSCALL
	CMPQ call_want(R13), $-1
	JEQ done
	CMPQ AX, call_want(R13)
	JNE failed
done:
	ADDQ $call__size, R13
	JMP next
failed:
	MOVQ AX, shared_failed(R12)
	MOVL $const_sysExitGroup, AX
	MOVL $127, DI
	SYSCALL
	INT $3
