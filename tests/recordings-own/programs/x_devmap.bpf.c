// SPDX-License-Identifier: GPL-2.0 OR MIT
/* XDP: put 42 in four bytes of metadata, bpf_redirect_map() to entry 0 of a devmap. */
#include "report.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

SEC("xdp")
int x_devmap(struct xdp_md *ctx)
{
	__u8 *data, *meta;

	if (bpf_xdp_adjust_meta(ctx, -4))
		return XDP_DROP;
	data = (__u8 *)(long)ctx->data;
	meta = (__u8 *)(long)ctx->data_meta;
	if (meta + 4 > data)
		return XDP_DROP;
	*(__u32 *)meta = 42;
	return bpf_redirect_map(&ports, 0, XDP_PASS);
}

char _license[] SEC("license") = "GPL";
