// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* can_loop of the kernel's bpf_experimental.h: leaves the loop when the program ran for too long. */
#define can_loop \
	({ __label__ out, go_on; _Bool yes = 1; asm volatile goto("may_goto %l[out]" :::: out); goto go_on; out: yes = 0; go_on:; yes; })

SEC("classifier") int short_loop(struct __sk_buff *skb)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < skb->mark && can_loop; i++)
		sum += i;
	return sum;
}

SEC("classifier") int endless(struct __sk_buff *skb)
{
	__u32 n = 0;

	while (can_loop)
		n++;
	return n;
}
char _license[] SEC("license") = "GPL";
