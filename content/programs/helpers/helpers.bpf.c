// SPDX-License-Identifier: GPL-2.0 OR MIT
/* TC programs that change the packet with one helper each and go on to the next
 * program. What a helper returns is printed when it is an error.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "../tcx.h"

#define CHANGE(name, call)                                              \
	SEC("tcx/ingress")                                              \
	int name(struct __sk_buff *skb __attribute__((unused)))         \
	{                                                               \
		long ret = call;                                        \
                                                                        \
		if (ret)                                                \
			bpf_printk(#name ": %ld\n", ret);               \
		return TCX_NEXT;                                        \
	}

CHANGE(nothing, 0)
CHANGE(grow_1, bpf_skb_adjust_room(skb, 1, BPF_ADJ_ROOM_MAC, 0))
CHANGE(grow_256, bpf_skb_adjust_room(skb, 256, BPF_ADJ_ROOM_MAC, 0))
CHANGE(grow_8_net, bpf_skb_adjust_room(skb, 8, BPF_ADJ_ROOM_NET, 0))
CHANGE(shrink_1, bpf_skb_adjust_room(skb, -1, BPF_ADJ_ROOM_MAC, 0))
CHANGE(head_1, bpf_skb_change_head(skb, 1, 0))
CHANGE(head_14, bpf_skb_change_head(skb, 14, 0))
CHANGE(head_200, bpf_skb_change_head(skb, 200, 0))
CHANGE(to_ipv6, bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0))
CHANGE(to_ipv4, bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0))
CHANGE(tail_4096, bpf_skb_change_tail(skb, skb->len + 4096, 0))
CHANGE(tail_less, bpf_skb_change_tail(skb, skb->len - 8, 0))
CHANGE(pull_all, bpf_skb_pull_data(skb, 0))
CHANGE(vlan_push_2, bpf_skb_vlan_push(skb, 0, 42) ?: bpf_skb_vlan_push(skb, 0, 207))
CHANGE(vlan_pop_1, bpf_skb_vlan_pop(skb))
CHANGE(vlan_pop_2, bpf_skb_vlan_pop(skb) ?: bpf_skb_vlan_pop(skb))
CHANGE(vlan_push_2_pop, bpf_skb_vlan_push(skb, 0, 42) ?: bpf_skb_vlan_push(skb, 0, 207) ?: bpf_skb_vlan_pop(skb))
/* Linux takes a program once on a hook. */
CHANGE(nothing_again, 0)

char _license[] SEC("license") = "GPL";
