// SPDX-License-Identifier: GPL-2.0 OR MIT
/* XDP and TC: to device 3, in every way there is. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int tag_redirect(struct xdp_md *ctx)
{
	__u8 *data, *meta;

	if (bpf_xdp_adjust_meta(ctx, -4))
		return XDP_DROP;
	data = (__u8 *)(long)ctx->data;
	meta = (__u8 *)(long)ctx->data_meta;
	if (meta + 4 > data)
		return XDP_DROP;
	*(__u32 *)meta = 42;
	return bpf_redirect(3, 0);
}

SEC("tc")
int to_peer(struct __sk_buff *skb)
{
	return bpf_redirect_peer(3, 0);
}

SEC("tc")
int to_neigh(struct __sk_buff *skb)
{
	return bpf_redirect_neigh(3, 0, 0, 0);
}

char _license[] SEC("license") = "GPL";
