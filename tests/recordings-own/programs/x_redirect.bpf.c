// SPDX-License-Identifier: GPL-2.0 OR MIT
/* XDP: put 42 in four bytes of metadata, bpf_redirect() to the device in cfg[0]. */
#include "report.h"

SEC("xdp")
int x_redirect(struct xdp_md *ctx)
{
	__u8 *data, *meta;

	if (bpf_xdp_adjust_meta(ctx, -4))
		return XDP_DROP;
	data = (__u8 *)(long)ctx->data;
	meta = (__u8 *)(long)ctx->data_meta;
	if (meta + 4 > data)
		return XDP_DROP;
	*(__u32 *)meta = 42;
	return bpf_redirect(cfg_get(0), 0);
}

char _license[] SEC("license") = "GPL";
