// SPDX-License-Identifier: MIT OR Apache-2.0
/* Programs of light-weight tunnels that put headers in front of the packet. */
#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct gre4 {
	struct iphdr ip;
	__be16 flags;
	__be16 protocol;
} __attribute__((packed));

static __always_inline long push_gre4(struct __sk_buff *skb)
{
	struct gre4 header = {
		.ip = {
			.version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = 47,
			.saddr = bpf_htonl(0x0a00004d),
			.daddr = bpf_htonl(0xc0000309),
		},
		.protocol = bpf_htons(0x0800),
	};

	header.ip.tot_len = bpf_htons(skb->len + sizeof(header));
	return bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_IP, &header, sizeof(header));
}

SEC("lwt_in")
int encap_in(struct __sk_buff *skb)
{
	return push_gre4(skb) ? BPF_DROP : BPF_LWT_REROUTE;
}

SEC("lwt_xmit")
int encap_xmit(struct __sk_buff *skb)
{
	return push_gre4(skb) ? BPF_DROP : BPF_LWT_REROUTE;
}

/* IPv6 and UDP around what comes */
SEC("lwt_xmit")
int encap6_xmit(struct __sk_buff *skb)
{
	struct {
		struct ipv6hdr ip;
		struct udphdr udp;
	} __attribute__((packed)) header = {
		.ip = { .version = 6, .nexthdr = 17, .hop_limit = 64 },
		.udp = { .source = bpf_htons(7), .dest = bpf_htons(9) },
	};

	header.ip.payload_len = bpf_htons(skb->len + sizeof(header.udp));
	header.ip.saddr.in6_u.u6_addr8[0] = 0xfd;
	header.ip.saddr.in6_u.u6_addr8[15] = 2;
	header.ip.daddr.in6_u.u6_addr8[0] = 0xfd;
	header.ip.daddr.in6_u.u6_addr8[15] = 1;
	header.udp.len = header.ip.payload_len;
	return bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_IP, &header, sizeof(header)) ? BPF_DROP : BPF_LWT_REROUTE;
}

struct srh {
	__u8 nexthdr, hdrlen, type, segments_left, first_segment, flags;
	__be16 tag;
	__u8 segments[2][16];
};

static __always_inline long push_srh(struct __sk_buff *skb, __u32 mode)
{
	struct srh srh = { .nexthdr = 41, .hdrlen = 4, .type = 4, .segments_left = 1, .first_segment = 1 };

	/* the last one first: fd50::9, then fd00::1 */
	srh.segments[0][0] = 0xfd;
	srh.segments[0][1] = 0x50;
	srh.segments[0][15] = 9;
	srh.segments[1][0] = 0xfd;
	srh.segments[1][15] = 1;
	return bpf_lwt_push_encap(skb, mode, &srh, sizeof(srh));
}

SEC("lwt_in")
int seg6_in(struct __sk_buff *skb)
{
	return push_srh(skb, BPF_LWT_ENCAP_SEG6) ? BPF_DROP : BPF_OK;
}

SEC("lwt_in")
int seg6_inline_in(struct __sk_buff *skb)
{
	return push_srh(skb, BPF_LWT_ENCAP_SEG6_INLINE) ? BPF_DROP : BPF_OK;
}

/* what is refused */
SEC("lwt_in")
int refused_in(struct __sk_buff *skb)
{
	struct gre4 header = { .ip = { .version = 4, .ihl = 5, .protocol = 47 } };
	struct srh srh = { .hdrlen = 4, .type = 4, .segments_left = 1, .first_segment = 1 };
	long short_ip, mode, kind, inside;

	short_ip = bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_IP, &header, 19);
	mode = bpf_lwt_push_encap(skb, 3, &header, sizeof(header));
	bpf_printk("short %d mode %d", short_ip, mode);
	inside = bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_SEG6_INLINE, &srh, sizeof(srh));
	srh.type = 3;
	kind = bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_SEG6, &srh, sizeof(srh));
	bpf_printk("inline in IPv4 %d type %d", inside, kind);
	return BPF_OK;
}

SEC("lwt_xmit")
int refused_xmit(struct __sk_buff *skb)
{
	struct srh srh = { .hdrlen = 4, .type = 4, .segments_left = 1, .first_segment = 1 };

	bpf_printk("seg6 at xmit %d", bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_SEG6, &srh, sizeof(srh)));
	return BPF_OK;
}

char _license[] SEC("license") = "Dual MIT/GPL";
