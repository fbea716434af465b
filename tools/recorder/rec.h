/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the tracer hands over, and to_recording.py reads. */
#ifndef REC_H
#define REC_H
#define BYTES 2048
enum { KIND_NONE = 0, KIND_SKB = 1, KIND_XDP = 2 };
enum { HOW_SKB = 0, HOW_PSKB = 1, HOW_XDP = 2, HOW_NF = 3 };
enum { FN_KFREE = 0xfff0, FN_CONSUME = 0xfff1 };

struct rec {
	__u32 rec;		/* 1: an event; 2 is a report of a program */
	__u16 fn, edge;
	__u64 skb, head, arg, ret;
	__u32 kind, netns, ifindex;
	__u32 data, tail, end, len, data_len;
	__u32 users, dataref, vlan_all;
	__u16 mac_header, network_header, transport_header;
	__u16 inner_mac_header, inner_network_header;
	__u16 mac_len, protocol, vlan_proto, vlan_tci, gso_size, meta_end;
	__u8 cloned, pkt_type, ip_summed, encapsulation, meta_len, nr_frags;
	char dev[16];
	__u32 nbytes;
	__u8 bytes[BYTES];
};
#endif
