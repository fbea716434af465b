// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
/* A parser as people write it: VLAN tags, IPv4 options, ports. */
struct { __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __uint(max_entries, 256); __type(key, __u16); __type(value, __u64); } ports SEC(".maps");
struct vlan { __be16 tci, proto; };
SEC("xdp") int parse(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	__be16 proto = eth->h_proto;
	void *at = eth + 1;
#pragma unroll
	for (int i = 0; i < 2; i++) {
		struct vlan *tag = at;
		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > end)
			return XDP_ABORTED;
		proto = tag->proto;
		at = tag + 1;
	}
	if (proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = at;
	if ((void *)(ip + 1) > end || ip->ihl < 5)
		return XDP_DROP;
	struct udphdr *udp = at + ip->ihl * 4;
	if (ip->protocol != 17 || (void *)(udp + 1) > end)
		return XDP_PASS;
	__u16 port = bpf_ntohs(udp->dest);
	__u64 one = 1, *count = bpf_map_lookup_elem(&ports, &port);
	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&ports, &port, &one, BPF_ANY);
	return XDP_PASS;
}
char _license[] SEC("license") = "Dual MIT/GPL";
