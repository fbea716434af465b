// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Readers of metadata at hooks behind TC. Linux 7.2 refuses all of them: it
 * gives bpf_dynptr_from_skb_meta() to TC programs only (roadmap, row 4). They
 * load where a design gives it to more types, or where that is assumed.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct sk_buff {
	unsigned int len;
} __attribute__((preserve_access_index));

struct bpf_nf_ctx {
	const void *state;
	struct sk_buff *skb;
} __attribute__((preserve_access_index));

extern int bpf_dynptr_from_skb_meta(struct __sk_buff *skb, __u64 flags,
				    struct bpf_dynptr *meta) __ksym;

static __always_inline void read_meta(struct __sk_buff *skb, const char *where)
{
	struct bpf_dynptr meta;
	__u32 tag;

	if (bpf_dynptr_from_skb_meta(skb, 0, &meta) < 0 ||
	    bpf_dynptr_read(&tag, sizeof(tag), &meta, 0, 0) < 0) {
		bpf_printk("%s: no metadata", where);
		return;
	}
	bpf_printk("%s: %u", where, tag);
}

SEC("netfilter")
int meta_nf(struct bpf_nf_ctx *ctx)
{
	read_meta((struct __sk_buff *)ctx->skb, "netfilter");
	return 1;
}

SEC("cgroup_skb/ingress")
int meta_cgroup(struct __sk_buff *skb)
{
	read_meta(skb, "cgroup");
	return 1;
}

SEC("socket")
int meta_socket(struct __sk_buff *skb)
{
	read_meta(skb, "socket");
	return skb->len;
}

SEC("lwt_in")
int meta_lwt_in(struct __sk_buff *skb)
{
	read_meta(skb, "lwt in");
	return BPF_OK;
}

SEC("lwt_xmit")
int meta_lwt_xmit(struct __sk_buff *skb)
{
	read_meta(skb, "lwt xmit");
	return BPF_OK;
}

char _license[] SEC("license") = "GPL";
