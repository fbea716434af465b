// SPDX-License-Identifier: GPL-2.0 OR MIT
/* TC: what a tunnel device in external mode is told, and what it tells. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* id 42, to 10.0.0.2, ttl 33, tos 0xb8, no checksum */
SEC("tc")
int set_key(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {
		.tunnel_id = 42,
		.remote_ipv4 = 0x0a000002,
		.tunnel_tos = 0xb8,
		.tunnel_ttl = 33,
	};

	return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX) ? 2 : -1;
}

/* the same, over IPv6 to 2001:db8::2 */
SEC("tc")
int set_key6(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = { .tunnel_id = 42, .tunnel_ttl = 33 };

	key.remote_ipv6[0] = __builtin_bswap32(0x20010db8);
	key.remote_ipv6[3] = __builtin_bswap32(2);
	return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX | BPF_F_TUNINFO_IPV6) ? 2 : -1;
}

/* with one GENEVE option of eight bytes */
SEC("tc")
int set_opt(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = { .tunnel_id = 42, .remote_ipv4 = 0x0a000002 };
	__u8 opt[8] = { 1, 2, 3, 1, 0xde, 0xad, 0xbe, 0xef };

	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0))
		return 2;
	return bpf_skb_set_tunnel_opt(skb, opt, sizeof(opt)) ? 2 : -1;
}

SEC("tc")
int get_key(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {};
	long ret = bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0);

	bpf_printk("get_key: ret %d id %d", ret, key.tunnel_id);
	bpf_printk("get_key: remote %x tos %x", key.remote_ipv4, key.tunnel_tos);
	bpf_printk("get_key: ttl %d", key.tunnel_ttl);
	return -1;
}

SEC("tc")
int get_opt(struct __sk_buff *skb)
{
	__u8 opt[8] = {};
	long ret = bpf_skb_get_tunnel_opt(skb, opt, sizeof(opt));

	bpf_printk("get_opt: ret %d first %x last %x", ret, opt[0], opt[7]);
	return -1;
}

char _license[] SEC("license") = "GPL";
