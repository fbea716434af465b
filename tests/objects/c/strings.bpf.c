// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("classifier") int strings(struct __sk_buff *skb)
{
	char text[16] = "0x2a rest", out[8];
	long value = 0;
	unsigned long positive = 0;
	bpf_printk("%ld", bpf_strtol(text, 4, 0, &value));
	bpf_printk("%ld", value);
	bpf_printk("%ld", bpf_strtoul("-1", 2, 10, &positive));
	bpf_printk("%ld", bpf_strncmp(text, 16, "0x2b"));
	bpf_printk("%d", BPF_SNPRINTF(out, sizeof(out), "%s %d", "abcd", 12345));
	bpf_printk("%s|", out);
	__u8 ip[4] = { 10, 0, 0, 1 };
	bpf_printk("%pI4 %pi4", ip, ip);
	bpf_printk("%d %d %d %d %d", 1, 2, 3, 4, 5);
	return 0;
}
char _license[] SEC("license") = "GPL";
