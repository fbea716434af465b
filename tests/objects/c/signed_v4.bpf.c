// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

volatile __s64 big = -100;
volatile __s32 small = -7;
SEC("xdp") int signed_v4(struct xdp_md *ctx)
{
	return big / 7 + (big % 7) * 100 + small / 2 * 10000;	/* -14 - 200 - 30000 */
}
char _license[] SEC("license") = "GPL";
