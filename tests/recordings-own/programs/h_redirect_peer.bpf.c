// SPDX-License-Identifier: GPL-2.0 OR MIT
/* TC: bpf_redirect_peer() to the device in cfg[0]. */
#include "report.h"

SEC("tcx/ingress")
int h_redirect_peer(struct __sk_buff *ctx)
{
	long ret;

	say_dynptr("h_redirect_peer", ctx);
	ret = bpf_redirect_peer(cfg_get(0), 0);
	say_ret("h_redirect_peer", "redirect", ctx->ifindex, ret);
	return ret;
}

char _license[] SEC("license") = "GPL";
