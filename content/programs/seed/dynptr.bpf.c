// SPDX-License-Identifier: GPL-2.0 OR MIT
/* get_tag again, through a dynptr: the kernel says where the metadata are and
 * copies them out, so the program holds no packet pointer at all and the
 * verifier has no reason to put a prologue in front of it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../tcx.h"

extern int bpf_dynptr_from_skb_meta(struct __sk_buff *skb, __u64 flags,
				    struct bpf_dynptr *meta) __ksym;

SEC("tcx/ingress")
int get_tag_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	__u32 tag;

	if (bpf_dynptr_from_skb_meta(skb, 0, &meta) < 0)
		return TCX_DROP;

	/* Fails with -E2BIG where there are fewer than four bytes. */
	if (bpf_dynptr_read(&tag, sizeof(tag), &meta, 0, 0) < 0)
		return TCX_DROP;

	bpf_printk("%u\n", tag);
	return TCX_PASS;
}

char _license[] SEC("license") = "GPL";
