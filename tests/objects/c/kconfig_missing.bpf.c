// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int CONFIG_HZ __kconfig;
SEC("tc") int kconfig(struct __sk_buff *skb) { return CONFIG_HZ; }
char _license[] SEC("license") = "GPL";
