// SPDX-License-Identifier: GPL-2.0 OR MIT
/* XDP: XDP_DROP. */
#include "report.h"

SEC("xdp")
int x_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
