// SPDX-License-Identifier: GPL-2.0 OR MIT
/* 192 bytes of metadata with a pattern in which no two words are alike, and two
 * readers that look at each byte: one through data_meta, one through a slice
 * of the dynptr. A reader says which word is the first wrong one.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../tcx.h"

#define WORDS 24
#define LEN (WORDS * 8)
/* The golden ratio as a 64-bit fraction: multiples of it differ in all bytes. */
#define WORD(i) (0x9e3779b97f4a7c15ULL * ((i) + 1))
#define PTR(field) ((void *)(unsigned long)(field))

extern int bpf_dynptr_from_skb_meta(struct __sk_buff *skb, __u64 flags,
				    struct bpf_dynptr *meta) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *from, __u32 offset,
			      void *buffer, __u32 len) __ksym;

SEC("xdp")
int fill_pattern(struct xdp_md *xdp)
{
	__u64 *word;

	if (bpf_xdp_adjust_meta(xdp, -LEN) < 0)
		return XDP_DROP;

	word = PTR(xdp->data_meta);
	if ((void *)(word + WORDS) > PTR(xdp->data))
		return XDP_DROP;

#pragma unroll
	for (int i = 0; i < WORDS; i++)
		word[i] = WORD(i);
	return XDP_PASS;
}

static __always_inline void compare(const char *who, const __u64 *word)
{
	int wrong = -1;

#pragma unroll
	for (int i = WORDS - 1; i >= 0; i--)
		if (word[i] != WORD(i))
			wrong = i;

	if (wrong < 0)
		bpf_printk("%s: all 192 bytes\n", who);
	else
		bpf_printk("%s: word %d is not the writer's\n", who, wrong);
}

static __always_inline int read_slice(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	const __u64 *word;

	if (bpf_dynptr_from_skb_meta(skb, 0, &meta) < 0)
		return TCX_NEXT;
	word = bpf_dynptr_slice(&meta, 0, NULL, LEN);
	if (!word) {
		bpf_printk("slice: fewer than 192 bytes\n");
		return TCX_NEXT;
	}
	compare("slice", word);
	return TCX_NEXT;
}

SEC("tcx/ingress")
int read_pattern(struct __sk_buff *skb)
{
	return read_slice(skb);
}

/* The same again, for set-ups that read before and after another program. */
SEC("tcx/ingress")
int read_again(struct __sk_buff *skb)
{
	return read_slice(skb);
}

SEC("tcx/egress")
int read_at_egress(struct __sk_buff *skb)
{
	return read_slice(skb);
}

SEC("tcx/ingress")
int read_by_pointer(struct __sk_buff *skb)
{
	const __u64 *word = PTR(skb->data_meta);

	if ((void *)(word + WORDS) > PTR(skb->data)) {
		bpf_printk("data_meta: fewer than 192 bytes\n");
		return TCX_NEXT;
	}
	compare("data_meta", word);
	return TCX_NEXT;
}

SEC("tcx/ingress")
int drop_all(struct __sk_buff *skb __attribute__((unused)))
{
	return TCX_DROP;
}

char _license[] SEC("license") = "GPL";
