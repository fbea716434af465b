// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern const void no_such_variable __ksym;
SEC("tc") int ksyms(struct __sk_buff *skb) { return (long)&no_such_variable & 1; }
char _license[] SEC("license") = "GPL";
