// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *p) __ksym __weak;
extern void bpf_no_such_function(void) __ksym __weak;
#define exists(sym) ({ const void *p = &sym; !!p; })
SEC("tc") int ksyms(struct __sk_buff *skb)
{
	int r = 0;
	if (exists(bpf_dynptr_from_skb))
		r |= 1;
	if (exists(bpf_no_such_function)) {
		bpf_no_such_function();
		r |= 2;
	}
	return r;
}
char _license[] SEC("license") = "GPL";
