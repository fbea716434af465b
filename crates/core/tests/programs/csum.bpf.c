// SPDX-License-Identifier: MIT OR Apache-2.0
/* TC: the sum that CHECKSUM_COMPLETE promises, and what changes it. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int csum_show(struct __sk_buff *skb)
{
	__u8 two[2] = { 0xab, 0xcd };

	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	bpf_printk("plus 5 %lx", bpf_csum_update(skb, 5));
	bpf_skb_store_bytes(skb, 33, two, sizeof(two), BPF_F_RECOMPUTE_CSUM);
	bpf_printk("stored %lx", bpf_csum_update(skb, 0));
	return -1;
}

/* the second tag puts the first one into the packet */
SEC("tc")
int csum_vlan(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, bpf_htons(0x8100), 7);
	bpf_skb_vlan_push(skb, bpf_htons(0x8100), 8);
	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	bpf_skb_vlan_pop(skb);
	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	return -1;
}

/* flags of bpf_l4_csum_replace(): 0x10 the pseudo header, 0x80 IPv6; a size of 0 is a difference */
SEC("tc")
int csum_l4(struct __sk_buff *skb)
{
	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	bpf_l4_csum_replace(skb, 26, 1, 3, 4);
	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	bpf_l4_csum_replace(skb, 26, 1, 3, 0x10 | 4);
	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	bpf_l4_csum_replace(skb, 26, 0, 9, 0x10);
	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	bpf_l4_csum_replace(skb, 26, 0, 9, 0x90);
	bpf_printk("csum %lx", bpf_csum_update(skb, 0));
	return -1;
}

/* a hash that a store forgets */
SEC("tc")
int hash_forgotten(struct __sk_buff *skb)
{
	__u8 one = 0;

	bpf_set_hash(skb, 77);
	bpf_skb_store_bytes(skb, 0, &one, 1, 0);
	bpf_printk("kept %d", skb->hash);
	bpf_skb_store_bytes(skb, 0, &one, 1, BPF_F_INVALIDATE_HASH);
	bpf_printk("forgotten %d", skb->hash);
	return -1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
