// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

volatile const __u32 limit = 7;
__u32 calls;
__u64 sums[3] = { 100, 200, 300 };
static volatile __u16 hidden = 5;
__u32 own SEC(".data.own") = 11;
volatile const __u32 table[4] SEC(".rodata.table") = { 1, 2, 3, 4 };
SEC("classifier") int globals(struct __sk_buff *skb)
{
	calls++;
	sums[1] += limit;
	hidden += 1;
	own *= 2;
	return table[calls & 3] + hidden;
}
char _license[] SEC("license") = "GPL";
