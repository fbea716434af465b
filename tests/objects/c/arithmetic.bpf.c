// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Built for each version of the instruction set. */
volatile __s32 a = -17, b = 5;
volatile __u16 half = 0x1234;
volatile __s8 byte = -3;
SEC("xdp") int arithmetic(struct xdp_md *ctx)
{
	__u32 r = (__u32)(a * b);			/* -85 */
	r ^= (__u32)byte << 3;				/* -85 ^ -24 = 67 */
	r += __builtin_bswap16(half);			/* + 0x3412 */
	if ((__u32)b < 6 && a < 0)
		r += (__u32)a / 1000;			/* + 4294967 */
	return r;
}
char _license[] SEC("license") = "GPL";
