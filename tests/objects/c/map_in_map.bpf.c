// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Maps whose values are maps: arrays in a hash table, hash tables in an array. */
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} counters SEC(".maps"), others SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} by_key SEC(".maps") = { .values = { [1] = &counters, [3] = &others } };
struct table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, __u64);
} table SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__uint(key_size, sizeof(__u32));
	__array(values, struct table);
} by_index SEC(".maps") = { .values = { [2] = &table } };

static int count(__u32 key, __u32 at)
{
	void *inner = bpf_map_lookup_elem(&by_key, &key);
	__u32 *value;

	if (!inner)
		return -1;
	value = bpf_map_lookup_elem(inner, &at);
	if (!value)
		return -2;
	return *value += key;
}

SEC("classifier") int nested(struct __sk_buff *skb)
{
	__u32 index = 2, empty = 0, behind = 3;
	__u64 key = 7, value = 70, *found;
	void *table;

	bpf_printk("%d", count(1, 0));	/* 1 */
	bpf_printk("%d", count(1, 0));	/* 2: the same map again */
	bpf_printk("%d", count(3, 1));	/* 3: another map */
	bpf_printk("%d", count(2, 0));	/* -1: no map of that key */
	bpf_printk("%d", count(1, 2));	/* -2: behind the end of the inner map */
	bpf_printk("%d", bpf_map_lookup_elem(&by_index, &empty) != 0);	/* 0 */
	bpf_printk("%d", bpf_map_lookup_elem(&by_index, &behind) != 0);	/* 0 */
	table = bpf_map_lookup_elem(&by_index, &index);
	if (!table)
		return -1;
	bpf_printk("%d", bpf_map_update_elem(table, &key, &value, BPF_NOEXIST));	/* 0 */
	bpf_printk("%d", bpf_map_update_elem(table, &key, &value, BPF_NOEXIST));	/* -17 */
	found = bpf_map_lookup_elem(table, &key);
	bpf_printk("%d", found ? (int)*found : -1);	/* 70 */
	bpf_printk("%d", bpf_map_delete_elem(table, &key));	/* 0 */
	return 0;
}
char _license[] SEC("license") = "GPL";
