// SPDX-License-Identifier: MIT OR Apache-2.0
/* One program that Linux refuses, and one whose section names no type that the simulator has. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int unchecked(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data;
}

SEC("kprobe/do_nothing")
int elsewhere(void *ctx)
{
	(void)ctx;
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
