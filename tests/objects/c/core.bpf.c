// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* CO-RE: our own, shorter forms of the kernel's types, in another order. */
#include <bpf/bpf_core_read.h>
#define CORE __attribute__((preserve_access_index))
struct sk_buff { __u32 mark; unsigned int len; unsigned char pkt_type : 3; unsigned char cb[48]; unsigned char *data; } CORE;
struct sk_buff___old { int no_such_field; } CORE;
struct xdp_buff { __u32 frame_sz; void *data_hard_start; } CORE;
struct skb_frag { __u32 len; } CORE;
struct skb_shared_info { __u8 meta_len; struct { __u64 hwtstamp; } hwtstamps; __u16 gso_size; struct skb_frag frags[17]; } CORE;
struct task_struct { int pid; } CORE;
#define SAY(x) bpf_printk("%d", (int)(x))
SEC("classifier") int core(struct __sk_buff *ctx)
{
	struct sk_buff *skb = (void *)0;
	struct xdp_buff *xdp = (void *)0;
	struct skb_shared_info *shinfo = (void *)0;
	SAY(bpf_core_field_offset(skb->mark));		/* 168 */
	SAY(bpf_core_field_offset(skb->len));		/* 112 */
	SAY(bpf_core_field_offset(skb->cb[5]));		/* 45 */
	SAY(bpf_core_field_size(skb->cb));		/* 48 */
	SAY(bpf_core_field_size(skb->data));		/* 8 */
	SAY(bpf_core_field_exists(skb->mark));		/* 1 */
	SAY(bpf_core_field_exists(((struct sk_buff___old *)0)->no_such_field));	/* 0 */
	SAY(bpf_core_type_exists(struct sk_buff));	/* 1 */
	SAY(bpf_core_type_exists(struct task_struct));	/* 0: not modelled */
	SAY(bpf_core_type_size(struct xdp_buff));	/* 56 */
	SAY(bpf_core_field_offset(xdp->data_hard_start));	/* 24 */
	SAY(bpf_core_field_offset(xdp->frame_sz));	/* 48 */
	SAY(bpf_core_field_offset(shinfo->meta_len));	/* 1 */
	SAY(bpf_core_field_offset(shinfo->hwtstamps.hwtstamp));	/* 16 */
	SAY(bpf_core_field_offset(shinfo->gso_size));	/* 4 */
	SAY(bpf_core_field_offset(shinfo->frags[2].len));	/* 48 + 2 * 16 + 8 = 88 */
	SAY(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_BYTE_OFFSET));	/* 128 */
	SAY(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_LSHIFT_U64));	/* 61 */
	SAY(__builtin_preserve_field_info(skb->pkt_type, BPF_FIELD_RSHIFT_U64));	/* 61 */
	SAY(__builtin_preserve_field_info(skb->len, BPF_FIELD_SIGNED));	/* 0 */
	return 0;
}
SEC("classifier") int poisoned(struct __sk_buff *ctx)
{
	struct task_struct *task = (void *)0;
	return bpf_core_field_exists(task->pid) ? 1 : bpf_core_field_offset(task->pid);
}
char _license[] SEC("license") = "GPL";
