// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_NOBODY_SETS_THIS __kconfig __weak;
SEC("tc") int kconfig(struct __sk_buff *skb)
{
	return CONFIG_NOBODY_SETS_THIS ? -1 : LINUX_KERNEL_VERSION;
}
char _license[] SEC("license") = "GPL";
