// SPDX-License-Identifier: MIT OR Apache-2.0
/* One function without SEC(): libbpf takes it for a program, whose type its user says. */
int answer(void *ctx)
{
	(void)ctx;
	return 2;
}
