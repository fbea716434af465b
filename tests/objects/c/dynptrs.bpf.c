// SPDX-License-Identifier: MIT OR Apache-2.0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *p) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *p) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u64 offset, void *buffer, __u64 len) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u64 offset, void *buffer, __u64 len) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u64 start, __u64 end) __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *p) __ksym;
extern _Bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p) __ksym;
extern __u64 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone) __ksym;
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } words SEC(".maps");
#define SAY(x) bpf_printk("%d", (int)(x))
#define COMMON(p) do { \
	struct bpf_dynptr c; __u8 two[2] = { 0xaa, 0xbb }, in[2], *s; \
	SAY(bpf_dynptr_size(p)); 				/* 46 */ \
	SAY(bpf_dynptr_is_null(p)); SAY(bpf_dynptr_is_rdonly(p));	/* 0 0 */ \
	SAY(bpf_dynptr_read(in, 2, p, 12, 0)); SAY(in[0]);	/* 0 8 */ \
	SAY(bpf_dynptr_read(in, 2, p, 45, 0));			/* -E2BIG */ \
	SAY(bpf_dynptr_read(in, 2, p, 0, 1));			/* -EINVAL */ \
	SAY(bpf_dynptr_write(p, 0, two, 2, 0));			/* 0 */ \
	SAY(bpf_dynptr_clone(p, &c)); SAY(bpf_dynptr_adjust(&c, 14, 34));	/* 0 0 */ \
	SAY(bpf_dynptr_size(&c)); SAY(bpf_dynptr_size(p));	/* 20 46 */ \
	SAY(bpf_dynptr_adjust(&c, 0, 21));			/* -ERANGE */ \
	SAY(bpf_dynptr_adjust(&c, 2, 1));			/* -EINVAL */ \
	s = bpf_dynptr_slice(&c, 0, 0, 1); SAY(s ? *s : -1);	/* 69 */ \
	s = bpf_dynptr_slice_rdwr(&c, 8, 0, 1); if (s) *s = 33; \
	SAY(bpf_dynptr_data(p, 0, 1) ? 1 : 0);			/* 0 */ \
} while (0)
SEC("tc") int of_skb(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	SAY(bpf_dynptr_from_skb(skb, 1, &p));			/* -EINVAL */
	SAY(bpf_dynptr_is_null(&p));				/* 1 */
	SAY(bpf_dynptr_from_skb(skb, 0, &p));			/* 0 */
	COMMON(&p);
	return 0;
}
SEC("xdp") int of_xdp(struct xdp_md *xdp)
{
	struct bpf_dynptr p;
	SAY(bpf_dynptr_from_xdp(xdp, 1, &p));
	SAY(bpf_dynptr_is_null(&p));
	SAY(bpf_dynptr_from_xdp(xdp, 0, &p));
	COMMON(&p);
	return 0;
}
SEC("tc") int of_memory(struct __sk_buff *skb)
{
	struct bpf_dynptr p;
	__u32 zero = 0, v = 7, *data;
	__u64 *word = bpf_map_lookup_elem(&words, &zero);
	if (!word)
		return 1;
	SAY(bpf_dynptr_from_mem(word, 8, 0, &p));		/* 0 */
	SAY(bpf_dynptr_write(&p, 4, &v, 4, 0));			/* 0 */
	SAY(*word >> 32);					/* 7 */
	SAY(bpf_dynptr_write(&p, 4, &v, 4, 1));			/* -EINVAL */
	SAY(bpf_dynptr_write(&p, 5, &v, 4, 0));			/* -E2BIG */
	data = bpf_dynptr_data(&p, 0, 4);
	if (data)
		*data = 9;
	SAY(*word);						/* 9 */
	SAY(bpf_ringbuf_reserve_dynptr(&ring, 4, 0, &p));	/* 0 */
	bpf_dynptr_write(&p, 0, &v, 4, 0);
	bpf_ringbuf_submit_dynptr(&p, 0);
	SAY(bpf_ringbuf_reserve_dynptr(&ring, 8192, 0, &p));	/* -EINVAL */
	bpf_ringbuf_discard_dynptr(&p, 0);
	return 0;
}
char _license[] SEC("license") = "GPL";
