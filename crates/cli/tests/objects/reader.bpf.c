// SPDX-License-Identifier: MIT OR Apache-2.0
// Prints what lies in a map. Built with the flags of content/programs/build.sh.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u16);
	__type(value, __u32);
	__uint(max_entries, 4);
} settings SEC(".maps");

SEC("xdp") int reader(struct xdp_md *ctx __attribute__((unused)))
{
	__u16 key = 0x0102;
	__u32 *value = bpf_map_lookup_elem(&settings, &key);

	if (value)
		bpf_printk("found %u", *value);
	else
		bpf_printk("nothing");
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
