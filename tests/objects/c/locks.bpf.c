// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* BPF_F_LOCK: only where values have a lock, whose bytes stay as they are. */
struct locked {
	__u32 before;
	struct bpf_spin_lock lock;
	__u32 behind;
};
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct locked); } array SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1); __type(key, __u32); __type(value, struct locked); } table SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32[3]); } plain SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32[3]); } plain_table SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32[3]); } lru SEC(".maps");

SEC("classifier") int codes(struct __sk_buff *skb)
{
	__u32 key = 0, one = 1, value[3] = { 1, 2, 3 };
	struct locked *locked;

	bpf_printk("%d", bpf_map_update_elem(&plain, &key, value, BPF_F_LOCK));		/* -22 */
	bpf_printk("%d", bpf_map_update_elem(&plain, &one, value, BPF_F_LOCK));		/* -7: the index comes first */
	bpf_printk("%d", bpf_map_update_elem(&plain_table, &key, value, BPF_F_LOCK));	/* -22 */
	bpf_printk("%d", bpf_map_update_elem(&lru, &key, value, BPF_F_LOCK));		/* -22 */
	bpf_printk("%d", bpf_map_update_elem(&array, &key, value, BPF_F_LOCK));		/* 0 */
	bpf_printk("%d", bpf_map_update_elem(&array, &key, value, BPF_F_LOCK | BPF_NOEXIST));	/* -17 */
	bpf_printk("%d", bpf_map_update_elem(&table, &key, value, BPF_F_LOCK | BPF_EXIST));	/* -2 */
	bpf_printk("%d", bpf_map_update_elem(&table, &key, value, BPF_F_LOCK));		/* 0 */
	bpf_printk("%d", bpf_map_update_elem(&table, &key, value, BPF_F_LOCK | BPF_NOEXIST));	/* -17 */
	locked = bpf_map_lookup_elem(&array, &key);
	if (!locked)
		return -1;
	bpf_spin_lock(&locked->lock);
	one = locked->before * 10 + locked->behind;
	bpf_spin_unlock(&locked->lock);
	return one;	/* 13 */
}
char _license[] SEC("license") = "GPL";
