// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* A map of each type; the program counts in some of them. */
#define MAP(map_type, map_name, k, v, n, flags) \
	struct { __uint(type, map_type); __uint(max_entries, n); __uint(map_flags, flags); \
		__type(key, k); __type(value, v); } map_name SEC(".maps")
#define PLAIN(map_type, map_name, n) \
	struct { __uint(type, map_type); __uint(max_entries, n); } map_name SEC(".maps")
struct lpm { __u32 len; __u8 data[4]; };
MAP(BPF_MAP_TYPE_ARRAY, m_array, __u32, __u64, 4, 0);
MAP(BPF_MAP_TYPE_HASH, m_hash, __u32, __u64, 4, 0);
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, m_percpu_array, __u32, __u64, 4, 0);
MAP(BPF_MAP_TYPE_PERCPU_HASH, m_percpu_hash, __u32, __u64, 4, 0);
MAP(BPF_MAP_TYPE_LRU_HASH, m_lru, __u32, __u64, 2, 0);
MAP(BPF_MAP_TYPE_LRU_PERCPU_HASH, m_lru_percpu, __u32, __u64, 2, 0);
MAP(BPF_MAP_TYPE_LPM_TRIE, m_lpm, struct lpm, __u32, 8, BPF_F_NO_PREALLOC);
MAP(BPF_MAP_TYPE_PROG_ARRAY, m_progs, __u32, __u32, 4, 0);
MAP(BPF_MAP_TYPE_DEVMAP, m_devs, __u32, __u32, 4, 0);
MAP(BPF_MAP_TYPE_DEVMAP_HASH, m_devs_hash, __u32, __u32, 4, 0);
MAP(BPF_MAP_TYPE_CPUMAP, m_cpus, __u32, __u32, 4, 0);
MAP(BPF_MAP_TYPE_XSKMAP, m_xsks, __u32, __u32, 4, 0);
MAP(BPF_MAP_TYPE_PERF_EVENT_ARRAY, m_perf, __u32, __u32, 4, 0);
PLAIN(BPF_MAP_TYPE_RINGBUF, m_ring, 4096);
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 2); __type(value, __u32); } m_queue SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_STACK); __uint(max_entries, 2); __type(value, __u32); } m_stack SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_BLOOM_FILTER); __uint(max_entries, 8); __type(value, __u32); } m_bloom SEC(".maps");

#define SAY(x) bpf_printk("%d", (int)(x))

SEC("classifier") int hashes(struct __sk_buff *skb)
{
	__u32 k[3] = { 1, 2, 3 };
	__u64 v = 10, *p;
	SAY(bpf_map_update_elem(&m_hash, &k[0], &v, BPF_EXIST));	/* -ENOENT */
	SAY(bpf_map_update_elem(&m_hash, &k[0], &v, BPF_NOEXIST));	/* 0 */
	SAY(bpf_map_update_elem(&m_hash, &k[0], &v, BPF_NOEXIST));	/* -EEXIST */
	SAY(bpf_map_update_elem(&m_hash, &k[0], &v, 8));		/* -EINVAL */
	SAY(bpf_map_delete_elem(&m_hash, &k[1]));			/* -ENOENT */
	SAY(bpf_map_update_elem(&m_array, &k[0], &v, BPF_NOEXIST));	/* -EEXIST */
	SAY(bpf_map_delete_elem(&m_array, &k[0]));			/* -EINVAL */
	/* The least recently used of two goes: key 2, as key 1 was looked up. */
	bpf_map_update_elem(&m_lru, &k[0], &v, 0);
	bpf_map_update_elem(&m_lru, &k[1], &v, 0);
	bpf_map_lookup_elem(&m_lru, &k[0]);
	bpf_map_update_elem(&m_lru, &k[2], &v, 0);
	SAY(bpf_map_lookup_elem(&m_lru, &k[1]) ? 1 : 0);		/* 0 */
	SAY(bpf_map_lookup_elem(&m_lru, &k[0]) ? 1 : 0);		/* 1 */
	p = bpf_map_lookup_percpu_elem(&m_percpu_array, &k[0], 0);
	SAY(p ? 1 : 0);							/* 1 */
	p = bpf_map_lookup_percpu_elem(&m_percpu_array, &k[0], 1);
	SAY(p ? 1 : 0);							/* 0: there is one CPU */
	return 0;
}

SEC("classifier") int tries(struct __sk_buff *skb)
{
	struct lpm key = { 8, { 10, 1, 2, 3 } };
	__u32 v = 8, *p;
	SAY(bpf_map_update_elem(&m_lpm, &key, &v, 0));
	key.len = 24; v = 24;
	SAY(bpf_map_update_elem(&m_lpm, &key, &v, 0));
	key.len = 32; key.data[3] = 99;
	p = bpf_map_lookup_elem(&m_lpm, &key);
	SAY(p ? *p : 0);						/* 24 */
	key.data[2] = 9;
	p = bpf_map_lookup_elem(&m_lpm, &key);
	SAY(p ? *p : 0);						/* 8 */
	key.data[0] = 11;
	SAY(bpf_map_lookup_elem(&m_lpm, &key) ? 1 : 0);			/* 0 */
	key.len = 33;
	SAY(bpf_map_update_elem(&m_lpm, &key, &v, 0));			/* -EINVAL */
	key.len = 16;
	SAY(bpf_map_delete_elem(&m_lpm, &key));				/* -ENOENT */
	return 0;
}

SEC("classifier") int queues(struct __sk_buff *skb)
{
	__u32 v = 1, out = 7;
	SAY(bpf_map_pop_elem(&m_queue, &out));				/* -ENOENT, out becomes 0 */
	SAY(out);
	/* a counter of its own: the verifier does not follow a value whose address a helper has */
	for (__u64 i = 1; i <= 3; i++) {
		v = i;
		bpf_map_push_elem(&m_queue, &v, v == 3 ? BPF_EXIST : 0);
		SAY(bpf_map_push_elem(&m_stack, &v, 0));		/* 0 0 -E2BIG */
	}
	bpf_map_peek_elem(&m_queue, &out); SAY(out);			/* 2: 1 gave way */
	bpf_map_pop_elem(&m_queue, &out); SAY(out);			/* 2 */
	bpf_map_pop_elem(&m_queue, &out); SAY(out);			/* 3 */
	bpf_map_pop_elem(&m_stack, &out); SAY(out);			/* 2 */
	SAY(bpf_map_push_elem(&m_queue, &v, BPF_NOEXIST));		/* -EINVAL */
	v = 5;
	SAY(bpf_map_peek_elem(&m_bloom, &v));				/* -ENOENT */
	SAY(bpf_map_push_elem(&m_bloom, &v, 0));
	SAY(bpf_map_peek_elem(&m_bloom, &v));				/* 0 */
	return 0;
}

SEC("classifier") int rings(struct __sk_buff *skb)
{
	__u64 *record = bpf_ringbuf_reserve(&m_ring, 8, 0);
	if (!record)
		return 1;
	SAY(bpf_ringbuf_query(&m_ring, BPF_RB_AVAIL_DATA));		/* 16: with the header */
	*record = 42;
	bpf_ringbuf_submit(record, 0);
	record = bpf_ringbuf_reserve(&m_ring, 8, 0);
	if (!record)
		return 1;
	bpf_ringbuf_discard(record, 0);
	SAY(bpf_ringbuf_query(&m_ring, BPF_RB_RING_SIZE));		/* 4096 */
	SAY(bpf_ringbuf_query(&m_ring, BPF_RB_PROD_POS));		/* 32 */
	record = bpf_ringbuf_reserve(&m_ring, 4089, 0);
	SAY(record ? 1 : 0);						/* 0: 8 too many */
	if (record)
		bpf_ringbuf_discard(record, 0);
	__u32 v = 9;
	SAY(bpf_ringbuf_output(&m_ring, &v, sizeof(v), 4));		/* -EINVAL */
	SAY(bpf_ringbuf_output(&m_ring, &v, sizeof(v), 0));
	SAY(bpf_perf_event_output(skb, &m_perf, BPF_F_CURRENT_CPU | 2ULL << 32, &v, sizeof(v)));
	SAY(bpf_perf_event_output(skb, &m_perf, 1, &v, sizeof(v)));	/* -EOPNOTSUPP */
	SAY(bpf_perf_event_output(skb, &m_perf, 4, &v, sizeof(v)));	/* -E2BIG */
	SAY(bpf_perf_event_output(skb, &m_perf, 1ULL << 60, &v, sizeof(v)));	/* -EINVAL */
	SAY(bpf_perf_event_output(skb, &m_perf, 0xfffffULL << 32, &v, sizeof(v)));	/* -EFAULT */
	return 0;
}
char _license[] SEC("license") = "GPL";
