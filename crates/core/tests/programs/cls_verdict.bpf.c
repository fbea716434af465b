// SPDX-License-Identifier: GPL-2.0 OR MIT
/* TC: one program for each verdict, so that a test can put them in a row. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define VERDICT(name, value)                                   \
	SEC("tc") int name(struct __sk_buff *skb)              \
	{                                                      \
		bpf_printk(#name);                             \
		return value;                                  \
	}

VERDICT(says_next, -1)
VERDICT(says_ok, 0)
VERDICT(says_shot, 2)
VERDICT(says_pipe, 3)
VERDICT(says_stolen, 4)

char _license[] SEC("license") = "GPL";
