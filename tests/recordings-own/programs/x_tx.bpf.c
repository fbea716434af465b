// SPDX-License-Identifier: GPL-2.0 OR MIT
/* XDP: put 42 in four bytes of metadata, exchange the MAC addresses, send back. */
#include "report.h"

SEC("xdp")
int x_tx(struct xdp_md *ctx)
{
	__u8 *data, *end, *meta;
	__u16 one, two;
	int i;

	if (bpf_xdp_adjust_meta(ctx, -4))
		return XDP_DROP;
	data = (__u8 *)(long)ctx->data;
	end = (__u8 *)(long)ctx->data_end;
	meta = (__u8 *)(long)ctx->data_meta;
	if (meta + 4 > data || data + 14 > end)
		return XDP_DROP;
	*(__u32 *)meta = 42;
	for (i = 0; i < 3; i++) {
		one = *(__u16 *)(data + 2 * i);
		two = *(__u16 *)(data + 6 + 2 * i);
		*(__u16 *)(data + 2 * i) = two;
		*(__u16 *)(data + 6 + 2 * i) = one;
	}
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
