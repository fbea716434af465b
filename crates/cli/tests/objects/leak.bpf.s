# SPDX-License-Identifier: MIT OR Apache-2.0
# "weak r10 returned" of docs/verifier.md. clang -target bpf -c leak.bpf.s -o leak.bpf.o
	.section xdp,"ax",@progbits
	.globl leak
	.type leak,@function
leak:
	r0 = r10
	exit
	.size leak, .-leak
	.section license,"aw",@progbits
	.asciz "GPL"
