// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The tracer of the recorder: one program for every traced function's entry,
 * one for its exit, one for the entry and exit of BPF programs, and two for the
 * tracepoints at which a packet is released. What it copies is put into
 * words on the host by to_recording.py.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "rec.h"

#define CORE __attribute__((preserve_access_index))
typedef struct { int counter; } CORE atomic_t;
typedef struct { atomic_t refs; } CORE refcount_t;
struct ns_common { unsigned int inum; } CORE;
struct net { struct ns_common ns; } CORE;
typedef struct { struct net *net; } CORE possible_net_t;
struct net_device { char name[16]; possible_net_t nd_net; int ifindex; } CORE;
struct sk_buff {
	struct net_device *dev;
	unsigned int len, data_len;
	__u16 mac_len;
	__u16 vlan_proto, vlan_tci;
	__u32 vlan_all;
	__u16 protocol, transport_header, network_header, mac_header;
	__u16 inner_transport_header, inner_network_header, inner_mac_header;
	unsigned int tail, end;
	unsigned char *head, *data;
	refcount_t users;
	__u8 cloned : 1;
	__u8 pkt_type : 3;
	__u8 ip_summed : 2;
	__u8 encapsulation : 1;
} CORE;
struct skb_shared_info {
	__u8 meta_len, nr_frags;
	unsigned short gso_size, gso_segs;
	unsigned int gso_type;
	atomic_t dataref;
} CORE;
struct skb_shared_info___v3 { __u16 meta_end; } CORE;
struct xdp_rxq_info { struct net_device *dev; } CORE;
struct xdp_buff {
	void *data, *data_end, *data_meta, *data_hard_start;
	struct xdp_rxq_info *rxq;
	__u32 frame_sz;
} CORE;

/* the context of a netfilter program */
struct bpf_nf_ctx { struct sk_buff *skb; } CORE;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} report SEC(".maps");

volatile __u32 enabled = 0;

static __always_inline void dev_of(struct rec *r, struct net_device *dev)
{
	struct net *net;

	bpf_probe_read_kernel_str(r->dev, sizeof(r->dev), BPF_CORE_READ(dev, name));
	net = BPF_CORE_READ(dev, nd_net.net);
	r->netns = BPF_CORE_READ(net, ns.inum);
	r->ifindex = BPF_CORE_READ(dev, ifindex);
}

static __always_inline void copy_skb(struct rec *r, struct sk_buff *skb)
{
	struct net_device *dev = BPF_CORE_READ(skb, dev);
	struct skb_shared_info *si;
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u32 n;

	r->skb = (__u64)(long)skb;
	r->kind = KIND_SKB;
	if (dev)
		dev_of(r, dev);
	r->head = (__u64)(long)head;
	r->data = (__u32)(BPF_CORE_READ(skb, data) - head);
	r->tail = BPF_CORE_READ(skb, tail);
	r->end = BPF_CORE_READ(skb, end);
	r->len = BPF_CORE_READ(skb, len);
	r->data_len = BPF_CORE_READ(skb, data_len);
	r->mac_header = BPF_CORE_READ(skb, mac_header);
	r->network_header = BPF_CORE_READ(skb, network_header);
	r->transport_header = BPF_CORE_READ(skb, transport_header);
	r->inner_mac_header = BPF_CORE_READ(skb, inner_mac_header);
	r->inner_network_header = BPF_CORE_READ(skb, inner_network_header);
	r->mac_len = BPF_CORE_READ(skb, mac_len);
	r->protocol = BPF_CORE_READ(skb, protocol);
	r->vlan_proto = BPF_CORE_READ(skb, vlan_proto);
	r->vlan_tci = BPF_CORE_READ(skb, vlan_tci);
	r->vlan_all = BPF_CORE_READ(skb, vlan_all);
	r->users = BPF_CORE_READ(skb, users.refs.counter);
	r->cloned = BPF_CORE_READ_BITFIELD_PROBED(skb, cloned);
	r->pkt_type = BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	r->ip_summed = BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed);
	r->encapsulation = BPF_CORE_READ_BITFIELD_PROBED(skb, encapsulation);
	si = (void *)(head + r->end);
	r->meta_len = BPF_CORE_READ(si, meta_len);
	r->nr_frags = BPF_CORE_READ(si, nr_frags);
	r->gso_size = BPF_CORE_READ(si, gso_size);
	r->dataref = BPF_CORE_READ(si, dataref.counter);
	if (bpf_core_field_exists(((struct skb_shared_info___v3 *)0)->meta_end))
		r->meta_end = BPF_CORE_READ((struct skb_shared_info___v3 *)si, meta_end);
	n = r->tail;
	if (n > BYTES)
		n = BYTES;
	r->nbytes = n;
	if (n)
		bpf_probe_read_kernel(r->bytes, n, head);
}

static __always_inline void copy_xdp(struct rec *r, struct xdp_buff *xdp)
{
	char *start = BPF_CORE_READ(xdp, data_hard_start);
	struct net_device *dev = BPF_CORE_READ(xdp, rxq, dev);
	__u32 n;

	r->kind = KIND_XDP;
	r->skb = (__u64)(long)xdp;
	if (dev)
		dev_of(r, dev);
	r->data = (char *)BPF_CORE_READ(xdp, data) - start;
	r->end = (char *)BPF_CORE_READ(xdp, data_end) - start;
	r->tail = (char *)BPF_CORE_READ(xdp, data_meta) - start;
	r->len = BPF_CORE_READ(xdp, frame_sz);
	n = r->end;
	if (n > BYTES)
		n = BYTES;
	r->nbytes = n;
	if (n)
		bpf_probe_read_kernel(r->bytes, n, start);
}

static __always_inline void event(__u64 cookie, __u64 arg, __u64 ret, int edge)
{
	int how = cookie >> 32;
	struct rec *r;

	if (!enabled)
		return;
	r = bpf_ringbuf_reserve(&report, sizeof(*r), 0);
	if (!r)
		return;
	__builtin_memset(r, 0, __builtin_offsetof(struct rec, bytes));
	r->rec = 1;
	r->fn = cookie & 0xffff;
	r->edge = edge;
	r->ret = ret;
	if (how == HOW_PSKB) {
		r->arg = arg;
		bpf_probe_read_kernel(&arg, sizeof(arg), (void *)arg);
	}
	if (how == HOW_NF)
		arg = (__u64)(long)BPF_CORE_READ((struct bpf_nf_ctx *)arg, skb);
	r->arg = arg;
	if (how == HOW_XDP)
		copy_xdp(r, (void *)arg);
	else if (arg)
		copy_skb(r, (void *)arg);
	bpf_ringbuf_submit(r, 0);
}

/* cookie: how << 32 | index of the argument << 16 | number of the function */
SEC("fentry/netif_receive_skb")
int entry(void *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), arg = 0;

	bpf_get_func_arg(ctx, (cookie >> 16) & 0xffff, &arg);
	event(cookie, arg, 0, 0);
	return 0;
}

SEC("fexit/netif_receive_skb")
int leave(void *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), arg = 0, ret = 0;

	bpf_get_func_arg(ctx, (cookie >> 16) & 0xffff, &arg);
	bpf_get_func_ret(ctx, &ret);
	event(cookie, arg, ret, 1);
	return 0;
}

SEC("raw_tracepoint/kfree_skb")
int tp_kfree(struct bpf_raw_tracepoint_args *ctx)
{
	event(FN_KFREE | (__u64)HOW_SKB << 32, ctx->args[0], ctx->args[2], 0);
	return 0;
}

SEC("raw_tracepoint/consume_skb")
int tp_consume(struct bpf_raw_tracepoint_args *ctx)
{
	event(FN_CONSUME | (__u64)HOW_SKB << 32, ctx->args[0], 0, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
