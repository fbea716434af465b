// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_iter_num;
struct num { __u64 opaque; } __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct num *it) __ksym;
extern void bpf_iter_num_destroy(struct num *it) __ksym;
static __attribute__((noinline)) int sum(int from, int to)
{
	struct num it;
	int total = 0, *n;
	if (bpf_iter_num_new(&it, from, to) == 0)
		while ((n = bpf_iter_num_next(&it)))
			total += *n;
	bpf_iter_num_destroy(&it);
	return total;
}
SEC("tc") int iterators(struct __sk_buff *skb) { return sum(1, 5) * 100 + sum(3, 3) + sum(5, 1) + sum(-2, 1); }
char _license[] SEC("license") = "GPL";
