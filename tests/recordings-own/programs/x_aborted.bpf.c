// SPDX-License-Identifier: GPL-2.0 OR MIT
/* XDP: XDP_ABORTED. */
#include "report.h"

SEC("xdp")
int x_aborted(struct xdp_md *ctx)
{
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
