// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define CLOCK_MONOTONIC 1

/* A timer in each value; what it did is counted beside it. */
struct entry {
	struct bpf_timer timer;
	__u32 fired, key;
};
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, struct entry); } array SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 2); __type(key, __u32); __type(value, struct entry); } table SEC(".maps");

static int fired(void *map, __u32 *key, struct entry *entry)
{
	entry->fired++;
	entry->key = *key;
	bpf_printk("%d", bpf_timer_cancel(&entry->timer));	/* -35: it runs */
	return 0;
}

SEC("classifier") int codes(struct __sk_buff *skb)
{
	__u32 one = 1;
	struct entry *entry = bpf_map_lookup_elem(&array, &one);

	if (!entry)
		return -1;
	bpf_printk("%d", bpf_timer_start(&entry->timer, 0, 0));		/* -22: not there yet */
	bpf_printk("%d", bpf_timer_cancel(&entry->timer));		/* -22 */
	bpf_printk("%d", bpf_timer_init(&entry->timer, &array, 5));	/* -22: CLOCK_REALTIME_COARSE */
	bpf_printk("%d", bpf_timer_init(&entry->timer, &array, 16));	/* -22: no clock */
	bpf_printk("%d", bpf_timer_init(&entry->timer, &array, CLOCK_MONOTONIC));	/* 0 */
	bpf_printk("%d", bpf_timer_init(&entry->timer, &array, CLOCK_MONOTONIC));	/* -16 */
	bpf_printk("%d", bpf_timer_start(&entry->timer, 0, 0));		/* -22: no callback */
	bpf_printk("%d", bpf_timer_set_callback(&entry->timer, fired));	/* 0 */
	bpf_printk("%d", bpf_timer_start(&entry->timer, 0, 4));		/* -22: flags */
	bpf_printk("%d", bpf_timer_start(&entry->timer, 1000000000, 0));	/* 0 */
	bpf_printk("%d", bpf_timer_cancel(&entry->timer));		/* 1: it was armed */
	bpf_printk("%d", bpf_timer_cancel(&entry->timer));		/* 0 */
	bpf_printk("%d", bpf_timer_start(&entry->timer, 0, 0));		/* -22: cancelling forgets the callback */
	return 0;
}

SEC("classifier") int arm(struct __sk_buff *skb)
{
	__u32 key = 5;
	struct entry zero = {}, *entry;

	entry = bpf_map_lookup_elem(&table, &key);
	if (entry)
		return entry->fired << 8 | entry->key;
	bpf_map_update_elem(&table, &key, &zero, 0);
	entry = bpf_map_lookup_elem(&table, &key);
	if (!entry)
		return -1;
	bpf_timer_init(&entry->timer, &table, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&entry->timer, fired);
	bpf_timer_start(&entry->timer, 0, 0);
	return 0;
}
char _license[] SEC("license") = "GPL";
