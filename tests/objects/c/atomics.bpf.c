// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 counter = 5;
__u32 flags = 0xf0;
SEC("xdp") int atomics(struct xdp_md *ctx)
{
	__u64 old = __sync_fetch_and_add(&counter, 3);
	__u64 swapped = __sync_val_compare_and_swap(&counter, 8, 20);
	__u32 bits = __sync_fetch_and_or(&flags, 0x0f);
	__u64 last = __sync_lock_test_and_set(&counter, 1);
	return old * 1000 + swapped * 100 + (bits == 0xf0) * 10 + (last == 20);
}
char _license[] SEC("license") = "GPL";
