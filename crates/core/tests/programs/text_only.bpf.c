// SPDX-License-Identifier: MIT OR Apache-2.0
/* No program at all: two functions in .text. */
__attribute__((noinline)) int twice(int n)
{
	return n + n;
}

int four_times(int n)
{
	return twice(twice(n));
}
