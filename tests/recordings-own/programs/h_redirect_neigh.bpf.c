// SPDX-License-Identifier: GPL-2.0 OR MIT
/* TC: bpf_redirect_neigh() to the device in cfg[0]. */
#include "report.h"

SEC("tcx/ingress")
int h_redirect_neigh(struct __sk_buff *ctx)
{
	long ret;

	say_dynptr("h_redirect_neigh", ctx);
	ret = bpf_redirect_neigh(cfg_get(0), NULL, 0, 0);
	say_ret("h_redirect_neigh", "redirect", ctx->ifindex, ret);
	return ret;
}

char _license[] SEC("license") = "GPL";
