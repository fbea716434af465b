// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Packets in more than one piece: XDP programs that know fragments, and a TC
 * program that looks at the linear part, at the whole, and pulls.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include "../tcx.h"

#define PTR(field) ((void *)(unsigned long)(field))

extern int bpf_dynptr_from_skb_meta(struct __sk_buff *skb, __u64 flags,
				    struct bpf_dynptr *meta) __ksym;
extern int bpf_xdp_pull_data(struct xdp_md *xdp, __u32 len) __ksym;

static __always_inline void tag(struct xdp_md *xdp)
{
	__u32 *tag;

	if (bpf_xdp_adjust_meta(xdp, -4) < 0)
		return;
	tag = PTR(xdp->data_meta);
	if ((void *)(tag + 1) <= PTR(xdp->data))
		*tag = 42;
}

/* How far a pointer gets, of a few places. */
#define REACHES(n)                     \
	do {                           \
		if (data + (n) <= end) \
			far = n;       \
	} while (0)

static __always_inline __u32 reach(void *data, void *end)
{
	__u32 far = 0;

	REACHES(3000);
	REACHES(3400);
	REACHES(3500);
	REACHES(3520);
	REACHES(3600);
	return far;
}

static __always_inline void lengths(struct xdp_md *xdp)
{
	bpf_printk("xdp: %ld bytes, %u or more of them linear\n",
		   (long)bpf_xdp_get_buff_len(xdp),
		   reach(PTR(xdp->data), PTR(xdp->data_end)));
}

SEC("xdp.frags")
int frags_tag(struct xdp_md *xdp)
{
	tag(xdp);
	lengths(xdp);
	return XDP_PASS;
}

/* TCP gets a tag, anything else none. */
SEC("xdp.frags")
int tag_tcp(struct xdp_md *xdp)
{
	__u8 *eth = PTR(xdp->data);

	if ((void *)(eth + 24) > PTR(xdp->data_end) || eth[23] != IPPROTO_TCP)
		return XDP_PASS;
	tag(xdp);
	return XDP_PASS;
}

/* Reads and writes the last two bytes, wherever they are. */
SEC("xdp.frags")
int frags_bytes(struct xdp_md *xdp)
{
	__u32 last = bpf_xdp_get_buff_len(xdp) - 2;
	__u8 bytes[2];

	tag(xdp);
	if (bpf_xdp_load_bytes(xdp, last, bytes, sizeof(bytes)) < 0)
		return XDP_DROP;
	bpf_printk("xdp: last bytes %x %x\n", bytes[0], bytes[1]);
	bytes[0] = 0xaa;
	bytes[1] = 0xbb;
	bpf_xdp_store_bytes(xdp, last, bytes, sizeof(bytes));
	return XDP_PASS;
}

/* Cuts 100 bytes off, adds 4. */
SEC("xdp.frags")
int frags_tail(struct xdp_md *xdp)
{
	tag(xdp);
	bpf_printk("xdp: shrink %ld\n", bpf_xdp_adjust_tail(xdp, -100));
	lengths(xdp);
	bpf_printk("xdp: grow %ld\n", bpf_xdp_adjust_tail(xdp, 4));
	lengths(xdp);
	return XDP_PASS;
}

/* All of it linear, which may move tag and packet down. */
SEC("xdp.frags")
int frags_pull(struct xdp_md *xdp)
{
	tag(xdp);
	bpf_printk("xdp: pull %d\n",
		   bpf_xdp_pull_data(xdp, bpf_xdp_get_buff_len(xdp)));
	lengths(xdp);
	return XDP_PASS;
}

static __always_inline void linear(struct __sk_buff *skb)
{
	bpf_printk("tc: %u bytes, %u or more of them linear\n", skb->len,
		   reach(PTR(skb->data), PTR(skb->data_end)));
}

/* The last byte by load_bytes, then all of the packet linear. */
SEC("tcx/ingress")
int tc_pull(struct __sk_buff *skb)
{
	__u8 byte = 0;

	linear(skb);
	bpf_skb_load_bytes(skb, skb->len - 1, &byte, 1);
	bpf_printk("tc: last byte %x\n", byte);
	bpf_printk("tc: pull %ld\n", bpf_skb_pull_data(skb, skb->len));
	linear(skb);
	return TCX_NEXT;
}

/* A dynptr is made, the packet grows into another buffer, the dynptr is read. */
SEC("tcx/ingress")
int old_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	__u32 tag;

	if (bpf_dynptr_from_skb_meta(skb, 0, &meta) < 0)
		return TCX_NEXT;
	bpf_skb_change_tail(skb, skb->len + 4096, 0);
	if (bpf_dynptr_read(&tag, sizeof(tag), &meta, 0, 0) < 0)
		return TCX_NEXT;
	bpf_printk("old dynptr: %u\n", tag);
	return TCX_NEXT;
}

char _license[] SEC("license") = "GPL";
