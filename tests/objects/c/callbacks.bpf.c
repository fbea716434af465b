// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, __u32); __type(value, __u32); } pairs SEC(".maps");
struct sum { __u64 total; __u32 stop; };
static long add(__u32 i, struct sum *sum) { sum->total += i; return i == sum->stop; }
static long visit(void *map, __u32 *key, __u32 *value, struct sum *sum)
{
	sum->total += *key * 100 + *value;
	return 0;
}
SEC("classifier") int callbacks(struct __sk_buff *skb)
{
	struct sum sum = { 0, 4 };
	bpf_printk("%ld", bpf_loop(100, add, &sum, 0));		/* 5 */
	bpf_printk("%llu", sum.total);				/* 10 */
	/* a counter of its own: the verifier does not follow a key whose address a helper has */
	for (__u64 i = 1; i <= 3; i++) {
		__u32 k = i;
		bpf_map_update_elem(&pairs, &k, &k, 0);
	}
	sum.total = 0;
	bpf_printk("%ld", bpf_for_each_map_elem(&pairs, visit, &sum, 0));	/* 3 */
	bpf_printk("%llu", sum.total);				/* 606 */
	return 0;
}
char _license[] SEC("license") = "GPL";
