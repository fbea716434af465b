// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* BPF_MAP_TYPE_ARENA, BPF_F_MMAPABLE: older headers have not got them. */
#define __arena __attribute__((address_space(1)))
struct { __uint(type, 33); __uint(map_flags, 1 << 10); __uint(max_entries, 4); } arena SEC(".maps");
void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 pages, int node, __u64 flags) __ksym;

SEC("classifier") int pages(struct __sk_buff *skb)
{
	__u32 __arena *page = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);

	if (!page)
		return -1;
	*page = 42;
	return *page;
}
char _license[] SEC("license") = "GPL";
