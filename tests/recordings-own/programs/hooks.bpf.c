// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Programs for the hooks behind TC: netfilter, cgroup, socket, LWT. All of
 * them are loaded by Linux 7.2; what they see is printed.
 */
#pragma clang diagnostic ignored "-Wunused-parameter"
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PTR(field) ((void *)(unsigned long)(field))
#define ICMP 1

/* What of the kernel's structures is looked at; CO-RE finds it. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct net_device {
	int ifindex;
};

struct nf_hook_state {
	__u8 hook;
	__u8 pf;
	struct net_device *in;
	struct net_device *out;
};

struct sk_buff {
	unsigned int len;
	__u32 mark;
};

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};
#pragma clang attribute pop

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset,
			      void *buffer, __u32 len) __ksym;

#define NF_DROP 0
#define NF_ACCEPT 1

SEC("netfilter")
int nf_show(struct bpf_nf_ctx *ctx)
{
	const struct nf_hook_state *state = ctx->state;
	int in = 0, out = 0;

	if (state->in)
		in = state->in->ifindex;
	if (state->out)
		out = state->out->ifindex;
	bpf_printk("nf: pf %d hook %d in %d", state->pf, state->hook, in);
	bpf_printk("nf: out %d len %u", out, ctx->skb->len);
	return NF_ACCEPT;
}

SEC("netfilter")
int nf_drop_icmp(struct bpf_nf_ctx *ctx)
{
	struct bpf_dynptr packet;
	__u8 buffer[20], *ip;

	if (bpf_dynptr_from_skb((struct __sk_buff *)ctx->skb, 0, &packet) < 0)
		return NF_ACCEPT;
	ip = bpf_dynptr_slice(&packet, 0, buffer, sizeof(buffer));
	if (ip && ip[0] >> 4 == 4 && ip[9] == ICMP)
		return NF_DROP;
	return NF_ACCEPT;
}

/* From the IP header on, whatever the socket is. */
static __always_inline void show(struct __sk_buff *skb, const char *where)
{
	__u8 *ip = PTR(skb->data);

	if ((void *)(ip + 20) > PTR(skb->data_end))
		return;
	bpf_printk("%s: version %d len %u", where, ip[0] >> 4, skb->len);
}

SEC("cgroup_skb/ingress")
int cg_in(struct __sk_buff *skb)
{
	show(skb, "cgroup ingress");
	return 1;
}

SEC("cgroup_skb/ingress")
int cg_in_refuse(struct __sk_buff *skb)
{
	return 0;
}

SEC("cgroup_skb/egress")
int cg_out(struct __sk_buff *skb)
{
	show(skb, "cgroup egress");
	return 1;
}

SEC("cgroup_skb/egress")
int cg_out_refuse(struct __sk_buff *skb)
{
	return 0;
}

/* Kept, and told that the way is congested (NET_XMIT_CN). */
SEC("cgroup_skb/egress")
int cg_out_congested(struct __sk_buff *skb)
{
	return 3;
}

/* The first bytes, from the transport header on for UDP. */
SEC("socket")
int sock_keep_12(struct __sk_buff *skb)
{
	__u8 first = 0;

	bpf_skb_load_bytes(skb, 0, &first, sizeof(first));
	bpf_printk("socket: len %u first %d", skb->len, first);
	return 12;
}

/* UDP keeps its header whatever the filter says (cap of sk_filter_trim_cap()). */
SEC("socket")
int sock_keep_1(struct __sk_buff *skb)
{
	return 1;
}

SEC("socket")
int sock_refuse(struct __sk_buff *skb)
{
	return 0;
}

SEC("lwt_in")
int lwt_in_show(struct __sk_buff *skb)
{
	show(skb, "lwt in");
	return BPF_OK;
}

SEC("lwt_in")
int lwt_in_drop(struct __sk_buff *skb)
{
	return BPF_DROP;
}

SEC("lwt_out")
int lwt_out_show(struct __sk_buff *skb)
{
	show(skb, "lwt out");
	return BPF_OK;
}

SEC("lwt_out")
int lwt_out_drop(struct __sk_buff *skb)
{
	return BPF_DROP;
}

char _license[] SEC("license") = "GPL";
