// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int second(struct xdp_md *ctx);
int third(struct xdp_md *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&second, [2] = (void *)&third } };
SEC("xdp") int first(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, 0);	/* empty: goes on */
	bpf_tail_call(ctx, &jumps, 1);
	return XDP_ABORTED;
}
SEC("xdp") int second(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, 2);
	return XDP_DROP;
}
SEC("xdp") int third(struct xdp_md *ctx) { return XDP_TX; }
char _license[] SEC("license") = "GPL";
