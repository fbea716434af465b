// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* A map whose values are maps, and a program that looks into one of them. */
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} counters SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &counters } };

SEC("xdp") int nested(struct xdp_md *ctx)
{
	__u32 one = 1, zero = 0, *count;
	void *inner = bpf_map_lookup_elem(&outer, &one);

	if (!inner)
		return XDP_ABORTED;
	count = bpf_map_lookup_elem(inner, &zero);
	return count ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
