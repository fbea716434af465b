// SPDX-License-Identifier: MIT OR Apache-2.0
/* Functions, data sections, maps and context fields, for the tests of the engine.
 * clang-19 -target bpf -mcpu=v3 -g -O2 -c functions.bpf.c -o functions.bpf.o
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u64);
	__type(value, __u64);
} table SEC(".maps");

const volatile __u32 factor = 3;
__u32 start = 100;
__u64 runs;

static __noinline __u32 sum(const __u32 *values, __u32 count)
{
	__u32 total = 0, i;

	for (i = 0; i < count && i < 4; i++)
		total += values[i];
	return total;
}

__noinline __u32 scaled(__u32 n)
{
	__u32 values[4] = { n, n, n, n };

	return sum(values, 4) * factor;
}

/* 100 + 4 * 5 * 3 = 160 */
SEC("tc")
int functions(struct __sk_buff *ctx)
{
	__u32 key = 2, result = start + scaled(5), *v;

	runs++;
	v = bpf_map_lookup_elem(&numbers, &key);
	if (v)
		__sync_fetch_and_add(v, result);
	bpf_map_update_elem(&numbers, &(__u32){ 1 }, &result, BPF_ANY);
	return result;
}

SEC("tc")
int hash(struct __sk_buff *ctx)
{
	__u64 key = 7, value = 1, *v;
	long a, b, c, d;

	a = bpf_map_update_elem(&table, &key, &value, BPF_EXIST);
	b = bpf_map_update_elem(&table, &key, &value, BPF_NOEXIST);
	value = 2;
	c = bpf_map_update_elem(&table, &key, &value, BPF_NOEXIST);
	v = bpf_map_lookup_elem(&table, &key);
	bpf_printk("%ld %ld %ld", a, b, c);
	if (v)
		bpf_printk("value %llu", *v);
	d = bpf_map_delete_elem(&table, &key);
	v = bpf_map_lookup_elem(&table, &key);
	bpf_printk("%ld %d", d, v != 0);
	return 0;
}

SEC("classifier")
int fields(struct __sk_buff *ctx)
{
	bpf_printk("len %u mark %x proto %x", ctx->len, ctx->mark, ctx->protocol);
	bpf_printk("vlan %u tci %u", ctx->vlan_present, ctx->vlan_tci);
	bpf_printk("high byte %x", ((volatile __u8 *)&ctx->mark)[3]);
	bpf_printk("%s %5d|%-4u|%04x|%c %llx", "text", -3, 7, 0xab, 'z', -1LL);
	return 0;
}

SEC("lwt_xmit")
int elsewhere(struct __sk_buff *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
