// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/pkt_cls.h>
/* The destination becomes 192.0.2.7, with its checksum. */
#define TO 0x070200c0
SEC("tcx/egress") int nat(struct __sk_buff *skb)
{
	__u32 old, new = TO;
	int at = ETH_HLEN + offsetof(struct iphdr, daddr);
	if (bpf_skb_load_bytes(skb, at, &old, 4) < 0)
		return TC_ACT_SHOT;
	__s64 diff = bpf_csum_diff(&old, 4, &new, 4, 0);
	bpf_l3_csum_replace(skb, ETH_HLEN + offsetof(struct iphdr, check), 0, diff, 0);
	return bpf_skb_store_bytes(skb, at, &new, 4, 0) ? TC_ACT_SHOT : TC_ACT_OK;
}
char _license[] SEC("license") = "GPL";
