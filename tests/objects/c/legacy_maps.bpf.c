// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The `maps` section that libbpf 0.x and aya write. */
struct bpf_map_def { unsigned int type, key_size, value_size, max_entries, map_flags; };
struct bpf_map_def SEC("maps") counts = { BPF_MAP_TYPE_ARRAY, 4, 8, 16, 0 };
struct bpf_map_def SEC("maps") seen = { BPF_MAP_TYPE_HASH, 4, 4, 8, BPF_F_NO_PREALLOC };
SEC("xdp") int count(struct xdp_md *ctx)
{
	__u32 key = 3;
	__u64 *n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		*n += 5;
	bpf_map_update_elem(&seen, &key, &key, 0);
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
