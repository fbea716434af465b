// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Writers and readers of the tag 42 that go on to the next program, so that
 * several can stand on one hook; a writer of 32 bytes; writers in TC.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "../tcx.h"

#define PTR(field) ((void *)(unsigned long)(field))

extern int bpf_dynptr_from_skb_meta(struct __sk_buff *skb, __u64 flags,
				    struct bpf_dynptr *meta) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *from, __u32 offset,
				   void *buffer, __u32 len) __ksym;

static __always_inline int tag_words(struct xdp_md *xdp, int words)
{
	__u32 *tag;

	if (bpf_xdp_adjust_meta(xdp, -4 * words) < 0)
		return XDP_PASS;
	tag = PTR(xdp->data_meta);
	if ((void *)(tag + words) > PTR(xdp->data))
		return XDP_PASS;
#pragma unroll
	for (int i = 0; i < words; i++)
		tag[i] = 42 + i;
	return XDP_PASS;
}

SEC("xdp")
int tag_4(struct xdp_md *xdp)
{
	return tag_words(xdp, 1);
}

SEC("xdp")
int tag_32(struct xdp_md *xdp)
{
	return tag_words(xdp, 8);
}

SEC("xdp")
int tag_216(struct xdp_md *xdp)
{
	return tag_words(xdp, 54);
}

SEC("xdp")
int tag_220(struct xdp_md *xdp)
{
	return tag_words(xdp, 55);
}

/* The first packet gets 42, the next 43: packets of one flow differ. */
static __u32 count;

SEC("xdp")
int tag_counting(struct xdp_md *xdp)
{
	__u32 *tag;

	if (bpf_xdp_adjust_meta(xdp, -4) < 0)
		return XDP_PASS;
	tag = PTR(xdp->data_meta);
	if ((void *)(tag + 1) > PTR(xdp->data))
		return XDP_PASS;
	*tag = 42 + count++;
	return XDP_PASS;
}

/* The packet begins 8 bytes further down once the metadata are there. */
SEC("xdp")
int tag_then_head(struct xdp_md *xdp)
{
	tag_words(xdp, 1);
	bpf_xdp_adjust_head(xdp, -8);
	bpf_xdp_adjust_head(xdp, 8);
	return XDP_PASS;
}

static __always_inline int by_pointer(struct __sk_buff *skb)
{
	__u32 *tag = PTR(skb->data_meta);

	if ((void *)(tag + 1) > PTR(skb->data)) {
		bpf_printk("data_meta: no metadata\n");
		return TCX_NEXT;
	}
	bpf_printk("data_meta: %u\n", *tag);
	return TCX_NEXT;
}

static __always_inline int by_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	__u32 tag;

	if (bpf_dynptr_from_skb_meta(skb, 0, &meta) < 0 ||
	    bpf_dynptr_read(&tag, sizeof(tag), &meta, 0, 0) < 0) {
		bpf_printk("dynptr: no metadata\n");
		return TCX_NEXT;
	}
	bpf_printk("dynptr: %u\n", tag);
	return TCX_NEXT;
}

SEC("tcx/ingress")
int tag_by_pointer(struct __sk_buff *skb)
{
	return by_pointer(skb);
}

SEC("tcx/ingress")
int tag_by_dynptr(struct __sk_buff *skb)
{
	return by_dynptr(skb);
}

SEC("tcx/ingress")
int flags_are_refused(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	long ret = bpf_dynptr_from_skb_meta(skb, 1, &meta);

	bpf_printk("bpf_dynptr_from_skb_meta(1): %ld\n", ret);
	return TCX_NEXT;
}

SEC("tcx/ingress")
int write_by_pointer(struct __sk_buff *skb)
{
	__u32 *tag = PTR(skb->data_meta);

	if ((void *)(tag + 1) > PTR(skb->data))
		return TCX_NEXT;
	*tag = 43;
	return TCX_NEXT;
}

SEC("tcx/ingress")
int write_by_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	__u32 tag = 43;

	if (bpf_dynptr_from_skb_meta(skb, 0, &meta) < 0)
		return TCX_NEXT;
	bpf_dynptr_write(&meta, 0, &tag, sizeof(tag), 0);
	return TCX_NEXT;
}

SEC("tcx/ingress")
int write_by_slice(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	__u32 *tag;

	if (bpf_dynptr_from_skb_meta(skb, 0, &meta) < 0)
		return TCX_NEXT;
	tag = bpf_dynptr_slice_rdwr(&meta, 0, NULL, sizeof(*tag));
	if (tag)
		*tag = 43;
	return TCX_NEXT;
}

/* Writes a byte of the packet: the unclone prologue runs first. */
SEC("tcx/ingress")
int write_packet(struct __sk_buff *skb)
{
	__u8 *byte = PTR(skb->data);

	if ((void *)(byte + 1) > PTR(skb->data_end))
		return TCX_NEXT;
	*byte = 2;
	return TCX_NEXT;
}

SEC("lwt_xmit")
int push_ethernet(struct __sk_buff *skb)
{
	struct ethhdr mac = {
		.h_dest = { 2, 0, 0, 0, 0, 4 },
		.h_source = { 2, 0, 0, 0, 0, 3 },
		.h_proto = bpf_htons(ETH_P_IP),
	};

	if (bpf_skb_change_head(skb, sizeof(mac), 0) < 0)
		return BPF_DROP;
	bpf_skb_store_bytes(skb, 0, &mac, sizeof(mac), 0);
	return BPF_OK;
}

char _license[] SEC("license") = "GPL";
