// SPDX-License-Identifier: MIT OR Apache-2.0
// Runs programs of type BPF_PROG_TYPE_SYSCALL once each, by BPF_PROG_TEST_RUN, on the kernel it is started on.
//
// In:  one program a line: its memory as hex, a space, its instructions as hex.
// Out: one line each: "ok " and the memory afterwards as hex, or "refused ERRNO" and the verifier's last line.
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char line[1 << 20], verdict[1 << 16];
static uint8_t memory[4096], code[1 << 18];

static size_t from_hex(const char *text, size_t digits, uint8_t *into, size_t room)
{
	size_t n = 0;

	for (size_t at = 0; at + 1 < digits && n < room; at += 2) {
		char byte[3] = { text[at], text[at + 1], 0 };

		into[n++] = strtoul(byte, NULL, 16);
	}
	return n;
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(size_t length)
{
	union bpf_attr attr = { 0 };

	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = length / 8;
	attr.license = (uintptr_t)"GPL";
	return bpf(BPF_PROG_LOAD, &attr);
}

// The program once more, with the verifier's log: its last line but one says why.
static void refused(FILE *out, size_t length, int error)
{
	union bpf_attr attr = { 0 };
	char *end, *start;

	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = length / 8;
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)verdict;
	attr.log_size = sizeof(verdict);
	attr.log_level = 1;
	verdict[0] = 0;
	bpf(BPF_PROG_LOAD, &attr);
	end = strstr(verdict, "\nprocessed ");
	if (end)
		*end = 0;
	start = strrchr(verdict, '\n');
	fprintf(out, "refused %d %s\n", error, start ? start + 1 : verdict);
}

static void run(FILE *out, int program, size_t length)
{
	union bpf_attr attr = { 0 };

	attr.test.prog_fd = program;
	// for this type the kernel writes the memory back to where it came from
	attr.test.ctx_in = (uintptr_t)memory;
	attr.test.ctx_size_in = length;
	if (bpf(BPF_PROG_TEST_RUN, &attr)) {
		fprintf(out, "refused %d test run\n", errno);
		return;
	}
	fprintf(out, "ok ");
	for (size_t at = 0; at < length; at++)
		fprintf(out, "%02x", memory[at]);
	fprintf(out, "\n");
}

int main(int argc, char **argv)
{
	FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL;
	FILE *out = argc == 3 ? fopen(argv[2], "w") : NULL;

	if (!in || !out) {
		fprintf(stderr, "usage: isa_run PROGRAMS RESULTS\n");
		return 2;
	}
	while (fgets(line, sizeof(line), in)) {
		char *space = strchr(line, ' ');
		size_t length, bytes;
		int program;

		if (!space)
			continue;
		length = from_hex(line, space - line, memory, sizeof(memory));
		bytes = from_hex(space + 1, strcspn(space + 1, "\n"), code, sizeof(code));
		program = load(bytes);
		if (program < 0) {
			refused(out, bytes, errno);
			continue;
		}
		run(out, program, length);
		close(program);
	}
	return fclose(out) ? 1 : 0;
}
