// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Attaches the tracer to kernel functions and to BPF programs. Which argument is
 * the packet, and what is returned, comes from BTF.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "orc.h"

#define MAX_FN 1024

int fn_count;

void chunk(int type, const void *data, __u32 len)
{
	__u32 h[2] = { type, len };

	fwrite(h, sizeof(h), 1, out);
	fwrite(data, 1, len, out);
}

void say(int type, const char *fmt, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	chunk(type, text, strlen(text));
}

static const struct btf_type *skip(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* is `id` a pointer to the struct? 1 yes, 2 a pointer to a pointer */
static int points_to(const struct btf *btf, __u32 id, const char *name)
{
	const struct btf_type *t = skip(btf, id);
	int deep = 0;

	while (t && btf_is_ptr(t)) {
		deep++;
		id = t->type;
		t = skip(btf, id);
	}
	return t && btf_is_struct(t) && !strcmp(btf__name_by_offset(btf, t->name_off), name) ? deep : 0;
}

/* what a function returns: v void, s an skb, p another pointer, iN / uN an integer of N bytes */
static void returns(const struct btf *btf, __u32 id, char *text)
{
	const struct btf_type *t = id ? skip(btf, id) : NULL;

	if (!t)
		strcpy(text, "v");
	else if (points_to(btf, id, "sk_buff") == 1)
		strcpy(text, "s");
	else if (btf_is_ptr(t))
		strcpy(text, "p");
	else
		sprintf(text, "%c%u", btf_is_int(t) && (btf_int_encoding(t) & BTF_INT_SIGNED) ? 'i' : 'u', t->size);
}

static int find_arg(const struct btf *btf, const struct btf_type *proto, int *how)
{
	const struct btf_param *p = btf_params(proto);
	int i, deep;

	for (i = 0; i < btf_vlen(proto); i++) {
		const char *name = btf__name_by_offset(btf, p[i].name_off);

		deep = points_to(btf, p[i].type, "sk_buff");
		if (deep || points_to(btf, p[i].type, "__sk_buff") == 1) {
			*how = deep == 2 ? HOW_PSKB : HOW_SKB;
			return i;
		}
		if (points_to(btf, p[i].type, "bpf_nf_ctx") == 1) {
			*how = HOW_NF;
			return i;
		}
		if (!strcmp(name, "skb") || !strcmp(name, "skb_")) {
			*how = HOW_SKB;
			return i;
		}
		if (!strcmp(name, "xdp") || points_to(btf, p[i].type, "xdp_buff") == 1 ||
		    points_to(btf, p[i].type, "xdp_md") == 1) {
			*how = HOW_XDP;
			return i;
		}
	}
	return -1;
}

static int attach_one(const char *prog_name, __u64 cookie, __u32 btf_id, int obj_fd, int target_prog_fd)
{
	struct bpf_program *p = bpf_object__find_program_by_name(tracer, prog_name);
	LIBBPF_OPTS(bpf_prog_load_opts, o);
	LIBBPF_OPTS(bpf_link_create_opts, l);
	char log[4096] = "";
	int fd, link;

	o.expected_attach_type = strcmp(prog_name, "entry") ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
	o.attach_btf_id = btf_id;
	if (target_prog_fd > 0)
		o.attach_prog_fd = target_prog_fd;
	else
		o.attach_btf_obj_fd = obj_fd;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", bpf_program__insns(p), bpf_program__insn_cnt(p), &o);
	if (fd < 0) {
		int err = errno;

		o.log_buf = log;
		o.log_size = sizeof(log);
		o.log_level = 1;
		bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", bpf_program__insns(p), bpf_program__insn_cnt(p), &o);
		say(C_LOG, "load %s of %u: %s: %s", prog_name, btf_id, strerror(err), log);
		return -err;
	}
	l.tracing.cookie = cookie;
	link = bpf_link_create(fd, 0, o.expected_attach_type, &l);
	if (link < 0) {
		say(C_LOG, "link %s of %u: %s", prog_name, btf_id, strerror(errno));
		close(fd);
		return -1;
	}
	close(fd);
	return link;
}

int trace_function(const struct btf *btf, int obj_fd, const char *name, int is_prog, int prog_fd, int *links)
{
	__s32 id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	const struct btf_type *proto;
	int how = 0, index, n = fn_count;
	char ret[16];
	__u64 cookie;

	if (id < 0 || n >= MAX_FN)
		return -1;
	proto = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	index = find_arg(btf, proto, &how);
	if (index < 0)
		return -1;
	returns(btf, proto->type, ret);
	cookie = (__u64)how << 32 | (__u64)index << 16 | n;
	links[0] = attach_one("entry", cookie, id, obj_fd, prog_fd);
	if (links[0] < 0)
		return -2;
	links[1] = attach_one("leave", cookie, id, obj_fd, prog_fd);
	fn_count++;
	say(C_FN, "%d %s %s %d", n, name, ret, is_prog);
	return 0;
}

void trace_kernel(const char *list)
{
	struct btf *vmlinux = btf__load_vmlinux_btf(), *mods[256];
	int mod_fds[256], mod_count = 0, links[2];
	char name[128];
	__u32 id = 0;
	FILE *f = fopen(list, "r");

	if (!vmlinux || !f) {
		fprintf(stderr, "no BTF or no list\n");
		exit(1);
	}
	while (!bpf_btf_get_next_id(id, &id)) {
		int fd = bpf_btf_get_fd_by_id(id);
		struct bpf_btf_info info = {};
		char bname[64] = "";
		__u32 len = sizeof(info);

		if (fd < 0)
			continue;
		info.name = (__u64)(long)bname;
		info.name_len = sizeof(bname);
		if (bpf_obj_get_info_by_fd(fd, &info, &len) || !info.kernel_btf || !strcmp(bname, "vmlinux") || mod_count == 256) {
			close(fd);
			continue;
		}
		mods[mod_count] = btf__load_from_kernel_by_id_split(id, vmlinux);
		mod_fds[mod_count] = fd;
		if (mods[mod_count])
			mod_count++;
	}
	while (fscanf(f, "%127s", name) == 1) {
		int i, rc = trace_function(vmlinux, 0, name, 0, 0, links);

		for (i = 0; rc == -1 && i < mod_count; i++)
			rc = trace_function(mods[i], mod_fds[i], name, 0, 0, links);
		if (rc)
			say(C_LOG, "not traced: %s (%d)", name, rc);
	}
	fclose(f);
}

