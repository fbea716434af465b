// SPDX-License-Identifier: MIT OR Apache-2.0
/* Keys and values at the start of the headroom, and a buffer in an skb extension: what proposals have and Linux does not. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int bpf_xdp_trait_set(const struct xdp_md *xdp, __u64 key, const void *val, __u64 val__sz, __u64 flags) __ksym;
extern int bpf_skb_trait_get(const struct __sk_buff *skb, __u64 key, void *val, __u64 val__sz) __ksym;
extern int bpf_skb_trait_set(const struct __sk_buff *skb, __u64 key, const void *val, __u64 val__sz, __u64 flags) __ksym;
extern int bpf_skb_trait_del(const struct __sk_buff *skb, __u64 key) __ksym;
extern int bpf_dynptr_from_skb_ext(struct __sk_buff *skb, __u32 size, __u64 flags, struct bpf_dynptr *ptr) __ksym;

SEC("xdp")
int trait_set(struct xdp_md *ctx)
{
	__u64 eight = 0x1122334455667788;
	__u32 four = 42;

	bpf_xdp_trait_set(ctx, 9, &eight, sizeof(eight), 0);
	bpf_xdp_trait_set(ctx, 2, &four, sizeof(four), 0);
	return XDP_PASS;
}

SEC("tc")
int trait_get(struct __sk_buff *skb)
{
	__u64 eight = 0;
	__u32 four = 0;
	int ret;

	ret = bpf_skb_trait_get(skb, 2, &four, sizeof(four));
	bpf_printk("key 2: %d %d", ret, four);
	ret = bpf_skb_trait_get(skb, 9, &eight, sizeof(eight));
	bpf_printk("key 9: %d %llx", ret, eight);
	return -1;
}

SEC("tc")
int trait_change(struct __sk_buff *skb)
{
	__u32 four = 43;

	bpf_printk("del %d", bpf_skb_trait_del(skb, 9));
	bpf_printk("set %d", bpf_skb_trait_set(skb, 2, &four, sizeof(four), 0));
	return -1;
}

SEC("tc")
int ext_write(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	__u32 value = 42;
	int ret;

	ret = bpf_dynptr_from_skb_ext(skb, 0, 1, &meta);
	bpf_printk("create %d write %d", ret, bpf_dynptr_write(&meta, 4, &value, sizeof(value), 0));
	return -1;
}

SEC("tc")
int ext_read(struct __sk_buff *skb)
{
	struct bpf_dynptr meta;
	__u32 value = 0;
	int ret;

	ret = bpf_dynptr_from_skb_ext(skb, 0, 0, &meta);
	bpf_dynptr_read(&value, sizeof(value), &meta, 4, 0);
	bpf_printk("find %d value %d", ret, value);
	return -1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
