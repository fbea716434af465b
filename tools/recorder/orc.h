/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the two halves of orc share: the stream of chunks, and the tracer. */
#ifndef ORC_H
#define ORC_H
#include <stdio.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "rec.h"

/* kinds of chunks */
enum { C_EXPERIMENT = 1, C_REC = 2, C_CMD = 3, C_PRINTK = 4, C_KMSG = 5, C_TAP = 6, C_FN = 7,
       C_NETNS = 8, C_SENT = 9, C_DONE = 10, C_REPORT = 11, C_DEV = 12, C_LOG = 13 };

extern FILE *out;
extern struct bpf_object *tracer;
extern int fn_count;

void chunk(int type, const void *data, __u32 len);
void say(int type, const char *fmt, ...);
int trace_function(const struct btf *btf, int obj_fd, const char *name, int is_prog, int prog_fd, int *links);
void trace_kernel(const char *list);
#endif
