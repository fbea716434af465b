// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int twice(int x) { return x * 2; }
__attribute__((noinline)) int plus(int a, int b) { volatile int sum = a + b; return sum; }
static __attribute__((noinline)) int deep(int x) { return plus(twice(x), twice(x + 1)); }
SEC("xdp") int first(struct xdp_md *ctx) { return deep(3) == 14 ? XDP_PASS : XDP_DROP; }
SEC("xdp") int second(struct xdp_md *ctx) { return plus(deep(1), 1) == 7 ? XDP_TX : XDP_DROP; }
SEC("classifier") int third(struct __sk_buff *skb) { return twice(skb->len); }
char _license[] SEC("license") = "GPL";
