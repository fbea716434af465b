// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("classifier") int context(volatile struct __sk_buff *skb)
{
	skb->mark = 0x1234;
	skb->priority = 5;
	skb->tc_index = 6;
	skb->queue_mapping = 2;
	skb->cb[0] = 70;
	skb->cb[4] = 74;
	skb->tc_classid = 9;
	return skb->mark + skb->priority + skb->tc_index + skb->queue_mapping + skb->cb[0] + skb->cb[4] + skb->tc_classid;
}
char _license[] SEC("license") = "GPL";
