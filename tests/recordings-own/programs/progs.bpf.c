// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The two programs of the seed experiment in one object.
 *
 * set_tag puts a number in front of a packet while it still is an xdp_buff;
 * get_tag looks for it once the packet is an sk_buff. What get_tag prints on
 * the device the packet came in on, and on the tunnel device behind it, is
 * the whole question.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../tcx.h"

#define TAG 42

/* The context holds addresses as 32-bit numbers; the verifier knows better. */
#define PTR(field) ((void *)(unsigned long)(field))

SEC("xdp")
int set_tag(struct xdp_md *xdp)
{
	__u32 *tag;

	/* Room for the tag, grown downwards from where the packet starts. */
	if (bpf_xdp_adjust_meta(xdp, -(int)sizeof(*tag)) < 0)
		return XDP_DROP;

	tag = PTR(xdp->data_meta);
	if ((void *)(tag + 1) > PTR(xdp->data))
		return XDP_DROP;

	*tag = TAG;
	return XDP_PASS;
}

SEC("tcx/ingress")
int get_tag(struct __sk_buff *skb)
{
	__u32 *tag = PTR(skb->data_meta);

	/* No room between data_meta and data: there are no metadata. */
	if ((void *)(tag + 1) > PTR(skb->data))
		return TCX_DROP;

	bpf_printk("%u\n", *tag);
	return TCX_PASS;
}

char _license[] SEC("license") = "GPL";
