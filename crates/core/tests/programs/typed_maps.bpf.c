// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* A map whose key and value have many types, and two data sections; for the views of maps by their BTF. */
struct addr { __u16 port; union { __u32 v4; __u8 v6[16]; }; };
struct flow { __u32 netns; struct addr from; };
struct seen { __s32 delta; _Bool up; char dev[16]; unsigned short prio : 3, vid : 12; void *ctx; __u64 packets; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, struct flow); __type(value, struct seen); } flows SEC(".maps");

__u32 limit = 7;
__s16 drift = -2;
__u64 total;

SEC("xdp") int typed(struct xdp_md *ctx)
{
	struct flow key = {};
	struct seen *seen;
	key.netns = 1;
	key.from.port = 80;
	key.from.v4 = 0x0100007f;
	seen = bpf_map_lookup_elem(&flows, &key);
	if (seen) {
		seen->delta -= 3;
		seen->packets += 1;
	}
	total += limit + drift;
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
