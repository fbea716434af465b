// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The recorder's half inside the machine. `orc DIR LIST OUT`: DIR has
 * trace.bpf.o and progs/, LIST is the experiments, OUT gets the raw records.
 *
 * LIST: lines `@id` begin an experiment, other lines are its commands.
 * OUT: chunks {u32 type, u32 len, bytes}; the types are in orc.h.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/ethernet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "orc.h"

#define BPF_TCX_INGRESS 46
#define BPF_TCX_EGRESS 47
#define BPF_NETKIT_PRIMARY 54
#define BPF_NETKIT_PEER 55
#define ATTACH_NETFILTER 45
#define PROG_TYPE_NETFILTER 32

static const char *dir;
FILE *out;
static struct ring_buffer *ring;
static int report_fd, trace_pipe, kmsg;
struct bpf_object *tracer;
static int bss_fd;
static size_t bss_size;
static unsigned long records;

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char text[2048];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	say(C_LOG, "%s", text);
	return 0;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct rec *r = data;

	records++;
	if (r->rec == 1)
		chunk(C_REC, data, __builtin_offsetof(struct rec, bytes) + r->nbytes);
	else
		chunk(C_REPORT, data, size);
	return 0;
}

static void drain_fd(int fd, int type)
{
	char buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		chunk(type, buf, n);
}

static void enable(__u32 on)
{
	__u32 key = 0, value[64] = { on };

	if (bss_size <= sizeof(value))
		bpf_map_update_elem(bss_fd, &key, value, 0);
}

/* waits until the machine has been quiet for `ms` */
static void settle(int ms)
{
	unsigned long before;

	do {
		before = records;
		usleep(ms * 1000);
		ring_buffer__consume(ring);
	} while (records != before);
}

/* ---- one experiment ------------------------------------------------- */

static struct { char name[64]; int fd, links[2]; } progs[256];
static int prog_count;
static struct { int fd; char dev[32], netns[64]; } taps[16];
static int tap_count, own_netns, shared_cfg = -1, long_wait;

static int enter(const char *netns)
{
	char path[128];
	int fd, rc;

	if (!netns || !strcmp(netns, "-"))
		return setns(own_netns, CLONE_NEWNET);
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	rc = setns(fd, CLONE_NEWNET);
	close(fd);
	return rc;
}

/* programs that are no XDP and no TC program stay what their section says */
static int own_type(const char *section)
{
	return !strncmp(section, "cgroup_skb", 10) || !strncmp(section, "socket", 6);
}

/* all programs of an object, each traced; `stem` is the file's name without `.bpf.o` */
static int load_object(const char *stem)
{
	struct bpf_object *obj;
	struct bpf_program *p;
	struct bpf_map *m;
	char path[512];

	snprintf(path, sizeof(path), "%s/progs/%s.bpf.o", dir, stem);
	obj = bpf_object__open(path);
	if (!obj)
		return -1;
	bpf_object__for_each_program(p, obj) {
		if (!strncmp(bpf_program__section_name(p), "lwt", 3)) {
			/* `ip route` loads those itself */
			bpf_program__set_autoload(p, false);
			continue;
		}
		if (!strncmp(bpf_program__section_name(p), "netfilter", 9)) {
			/* older libbpf does not know the section, and a kernel without netfilter not the type */
			bpf_program__set_type(p, PROG_TYPE_NETFILTER);
			bpf_program__set_expected_attach_type(p, ATTACH_NETFILTER);
			bpf_program__set_autoload(p, !access("/proc/sys/net/netfilter", F_OK));
			continue;
		}
		if (own_type(bpf_program__section_name(p)))
			continue;
		if (strncmp(bpf_program__section_name(p), "xdp", 3))
			bpf_program__set_type(p, BPF_PROG_TYPE_SCHED_CLS);
		bpf_program__set_expected_attach_type(p, 0);
	}
	m = bpf_object__find_map_by_name(obj, "report");
	if (m)
		bpf_map__reuse_fd(m, report_fd);
	m = bpf_object__find_map_by_name(obj, "cfg");
	if (m && shared_cfg >= 0)
		bpf_map__reuse_fd(m, shared_cfg);
	if (bpf_object__load(obj))
		return -1;
	if (m && shared_cfg < 0)
		shared_cfg = bpf_map__fd(m);
	bpf_object__for_each_program(p, obj) {
		const char *name = bpf_program__name(p);
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);
		struct btf *btf;
		int i = prog_count;

		if (!bpf_program__autoload(p) || i == sizeof(progs) / sizeof(*progs))
			continue;
		progs[i].fd = bpf_program__fd(p);
		/* for `tc filter … bpf da pinned /sys/fs/bpf/NAME` */
		snprintf(path, sizeof(path), "/sys/fs/bpf/%s", name);
		bpf_obj_pin(progs[i].fd, path);
		snprintf(progs[i].name, sizeof(progs[i].name), "%s", name);
		prog_count++;
		if (bpf_obj_get_info_by_fd(progs[i].fd, &info, &len) || !info.btf_id)
			continue;
		btf = btf__load_from_kernel_by_id(info.btf_id);
		if (!btf)
			continue;
		if (trace_function(btf, 0, name, 1, progs[i].fd, progs[i].links))
			say(C_LOG, "program not traced: %s", name);
		btf__free(btf);
	}
	return 0;
}

/* every program there is was loaded before the first experiment */
static int find_prog(const char *name)
{
	int i;

	for (i = 0; i < prog_count; i++)
		if (!strcmp(progs[i].name, name))
			return progs[i].fd;
	say(C_LOG, "no program: %s", name);
	return -1;
}

static void load_all(void)
{
	char path[256];
	DIR *d;
	struct dirent *e;

	snprintf(path, sizeof(path), "%s/progs", dir);
	for (d = opendir(path); d && (e = readdir(d));) {
		char *dot = strstr(e->d_name, ".bpf.o");

		if (!dot || !strncmp(e->d_name, "lwt", 3))
			continue;
		*dot = 0;
		if (load_object(e->d_name) < 0)
			say(C_LOG, "cannot load %s", e->d_name);
	}
}

/* tunnels and tun devices of IP have no link header */
static int has_ethernet(int s, const char *dev)
{
	struct ifreq ifr = {};

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", dev);
	return ioctl(s, SIOCGIFHWADDR, &ifr) || ifr.ifr_hwaddr.sa_family == 1;
}

static int send_frame(const char *dev, const char *hex, const char *netns)
{
	unsigned char frame[70000];
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int n = 0, s, rc;
	unsigned byte;

	while (n < (int)sizeof(frame) && sscanf(hex + 2 * n, "%2x", &byte) == 1)
		frame[n++] = byte;
	if (enter(netns))
		return 1;
	s = socket(AF_PACKET, SOCK_RAW, 0);
	to.sll_ifindex = if_nametoindex(dev);
	to.sll_halen = 6;
	to.sll_protocol = frame[0] == 0x45 ? htons(0x0800) : htons(frame[12] << 8 | frame[13]);
	if (frame[0] >> 4 == 6 && !has_ethernet(s, dev))
		to.sll_protocol = htons(0x86dd);
	rc = sendto(s, frame, n, 0, (void *)&to, sizeof(to));
	if (rc < 0)
		say(C_LOG, "send: %s", strerror(errno));
	close(s);
	enter(NULL);
	say(C_SENT, "%s %s %s", dev, netns ? netns : "-", hex);
	return rc < 0;
}

/* the process behind a tun or tap device; the file stays open until the experiment ends */
static int tun_write(const char *dev, const char *hex, const char *netns)
{
	static struct { char dev[IFNAMSIZ]; int fd; } open_tuns[8];
	static int tun_count;
	unsigned char packet[70000];
	struct ifreq ifr = {};
	int n = 0, i, fd = -1;
	unsigned byte;

	while (n < (int)sizeof(packet) && sscanf(hex + 2 * n, "%2x", &byte) == 1)
		packet[n++] = byte;
	for (i = 0; i < tun_count; i++)
		if (!strcmp(open_tuns[i].dev, dev))
			fd = open_tuns[i].fd;
	if (fd < 0) {
		if (tun_count == 8 || enter(netns))
			return 1;
		fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
		snprintf(ifr.ifr_name, IFNAMSIZ, "%s", dev);
		ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
		if (ioctl(fd, TUNSETIFF, &ifr)) {
			ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
			if (ioctl(fd, TUNSETIFF, &ifr))
				say(C_LOG, "tun: %s", strerror(errno));
		}
		enter(NULL);
		snprintf(open_tuns[tun_count].dev, IFNAMSIZ, "%s", dev);
		open_tuns[tun_count++].fd = fd;
		usleep(100 * 1000);	/* the carrier comes up */
	}
	enable(1);
	i = write(fd, packet, n) == n ? 0 : 1;
	if (i)
		say(C_LOG, "tun write: %s", strerror(errno));
	settle(long_wait ? 450 : 50);
	enable(0);
	say(C_SENT, "%s %s %s", dev, netns ? netns : "-", hex);
	return i;
}

/* bpf_program__attach_netfilter(), which older libbpf does not have */
static int attach_netfilter(int fd, int ipv6, const char *hook, int priority)
{
	static const char *hooks[] = { "prerouting", "input", "forward", "output", "postrouting" };
	struct { __u32 fd, target, type, flags, pf, hook; __s32 priority; __u32 nf_flags; } attr = {
		.fd = fd, .type = ATTACH_NETFILTER, .pf = ipv6 ? 10 : 2, .priority = priority
	};

	while (attr.hook < 5 && strcmp(hooks[attr.hook], hook))
		attr.hook++;
	return syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

/* the socket of a process, which nobody reads; it stays open until the experiment ends */
static int hold_socket(int udp, int number, int filter)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(number) };
	int s = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_RAW, udp ? 0 : number);

	if (s < 0 || udp && bind(s, (void *)&any, sizeof(any)))
		return 1;
	return filter >= 0 && setsockopt(s, SOL_SOCKET, 50 /* SO_ATTACH_BPF */, &filter, sizeof(filter));
}

/* `bpftool cgroup attach PATH TYPE pinned PROGRAM …`, by a link, which goes with the experiment */
static int attach_cgroup(char **w)
{
	const char *name = strrchr(w[6], '/');
	int group = open(w[3], O_RDONLY), fd = find_prog(name ? name + 1 : w[6]), rc;

	if (group < 0 || fd < 0)
		return 1;
	rc = bpf_link_create(fd, group, strcmp(w[4], "cgroup_inet_egress") ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS, NULL);
	if (rc < 0)
		say(C_LOG, "cgroup: %s", strerror(errno));
	return rc < 0;
}

static int orc(char **w, int n)
{
	int fd, index, mode, rc, i;

	if (!strcmp(w[1], "xdp") && n >= 5) {
		fd = find_prog(w[2]);
		mode = strcmp(w[4], "native") ? 2 : 4;	/* XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE */
		if (fd < 0 || enter(n > 5 ? w[5] : NULL))
			return 1;
		rc = bpf_xdp_attach(if_nametoindex(w[3]), fd, mode, NULL);
		enter(NULL);
		return !!rc;
	}
	if (!strcmp(w[1], "tcx") && n >= 5) {
		fd = find_prog(w[2]);
		if (fd < 0 || enter(n > 5 ? w[5] : NULL))
			return 1;
		index = if_nametoindex(w[3]);
		rc = bpf_link_create(fd, index, strcmp(w[4], "egress") ? BPF_TCX_INGRESS : BPF_TCX_EGRESS, NULL);
		if (rc < 0)
			say(C_LOG, "tcx: %s", strerror(errno));
		enter(NULL);
		return rc < 0;
	}
	if (!strcmp(w[1], "netkit") && n >= 5) {
		fd = find_prog(w[2]);
		if (fd < 0 || enter(n > 5 ? w[5] : NULL))
			return 1;
		index = if_nametoindex(w[3]);
		rc = bpf_link_create(fd, index, strcmp(w[4], "peer") ? BPF_NETKIT_PRIMARY : BPF_NETKIT_PEER, NULL);
		if (rc < 0)
			say(C_LOG, "netkit: %s", strerror(errno));
		enter(NULL);
		return rc < 0;
	}
	if (!strcmp(w[1], "nf") && n >= 5) {
		int numbered = n > 5 && strspn(w[5], "-0123456789") == strlen(w[5]);
		const char *netns = n > 5 + numbered ? w[5 + numbered] : NULL;

		fd = find_prog(w[2]);
		if (fd < 0 || enter(netns))
			return 1;
		rc = attach_netfilter(fd, !strcmp(w[3], "ip6"), w[4], numbered ? atoi(w[5]) : 0);
		if (rc < 0)
			say(C_LOG, "netfilter: %s", strerror(errno));
		enter(NULL);
		return rc < 0;
	}
	if (!strcmp(w[1], "sock") && n >= 4) {
		int filtered = n > 5 && !strcmp(w[4], "filter");
		const char *netns = n > 4 + 2 * filtered ? w[4 + 2 * filtered] : NULL;

		fd = filtered ? find_prog(w[5]) : -1;
		if (filtered && fd < 0 || enter(netns))
			return 1;
		rc = hold_socket(!strcmp(w[2], "udp"), atoi(w[3]), fd);
		if (rc)
			say(C_LOG, "sock: %s", strerror(errno));
		enter(NULL);
		return rc;
	}
	if (!strcmp(w[1], "cfg") && n >= 4) {
		__u32 key = atoi(w[2]), value = strtoul(w[3], NULL, 0);

		if (shared_cfg < 0)
			shared_cfg = bpf_map_create(BPF_MAP_TYPE_ARRAY, "cfg", 4, 4, 8, NULL);
		if (enter(n > 4 ? w[4] : NULL))
			return 1;
		if (if_nametoindex(w[3]))
			value = if_nametoindex(w[3]);
		enter(NULL);
		return !!bpf_map_update_elem(shared_cfg, &key, &value, 0);
	}
	if (!strcmp(w[1], "tap") && n >= 3) {
		struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

		if (enter(n > 3 ? w[3] : NULL))
			return 1;
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
		a.sll_ifindex = if_nametoindex(w[2]);
		rc = bind(fd, (void *)&a, sizeof(a));
		enter(NULL);
		taps[tap_count].fd = fd;
		snprintf(taps[tap_count].dev, 32, "%s", w[2]);
		snprintf(taps[tap_count++].netns, 64, "%s", n > 3 ? w[3] : "-");
		return !!rc;
	}
	if (!strcmp(w[1], "send") && n >= 4) {
		enable(1);
		rc = send_frame(w[2], w[3], n > 4 ? w[4] : NULL);
		settle(long_wait ? 450 : 50);
		enable(0);
		return rc;
	}
	if (!strcmp(w[1], "tun") && n >= 4)
		return tun_write(w[2], w[3], n > 4 ? w[4] : NULL);
	if (!strcmp(w[1], "burst") && n >= 5) {
		enable(1);
		for (rc = 0, i = 4; i < n; i++)
			rc |= send_frame(w[2], w[i], w[3]);
		settle(long_wait ? 450 : 50);
		enable(0);
		return rc;
	}
	return 1;
}

static void name_netns(void)
{
	DIR *d = opendir("/run/netns");
	struct dirent *e;
	struct stat st;
	char path[300];

	if (!fstat(own_netns, &st))
		say(C_NETNS, "%lu -", (unsigned long)st.st_ino);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/run/netns/%s", e->d_name);
		if (e->d_name[0] != '.' && !stat(path, &st))
			say(C_NETNS, "%lu %s", (unsigned long)st.st_ino, e->d_name);
	}
	if (d)
		closedir(d);
}

/* one command: without a shell where none is needed */
static int command(const char *line)
{
	static char copy[400000];
	char *w[64];
	int n = 0, rc;
	pid_t pid;

	if (strpbrk(line, "><|&;$\"'*"))
		rc = system(line);
	else {
		snprintf(copy, sizeof(copy), "%s", line);
		for (char *p = strtok(copy, " "); p && n < 63; p = strtok(NULL, " "))
			w[n++] = p;
		w[n] = NULL;
		pid = vfork();
		if (!pid) {
			execvp(w[0], w);
			_exit(127);
		}
		waitpid(pid, &rc, 0);
	}
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : 255;
}

/* before the first packet: the namespaces' names, and nothing of what came before */
static void first_packet(void)
{
	name_netns();
	usleep(100 * 1000);
	ring_buffer__consume(ring);
}

/* a command that sends packets itself */
static int is_ping(const char *line)
{
	return !strncmp(line, "ping ", 5) || strstr(line, " ping ");
}

static void experiment(char **lines, int count)
{
	static char copy[400000];
	int i, rc, sent = 0;

	unshare(CLONE_NEWNET | CLONE_NEWNS);
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir("/run/netns", 0755);
	mount("tmpfs", "/run/netns", "tmpfs", 0, NULL);
	mkdir("/nsys", 0755);
	mount("sysfs", "/nsys", "sysfs", 0, NULL);
	for (__u32 key = 0, zero = 0; key < 8; key++)
		bpf_map_update_elem(shared_cfg, &key, &zero, 0);
	own_netns = open("/proc/self/ns/net", O_RDONLY);
	system("ip link set dev lo up");
	for (i = 0; i < count; i++) {
		char *w[64];
		int n = 0;

		if (strstr(lines[i], "gro_flush_timeout"))
			long_wait = 1;
		if (!strncmp(lines[i], "orc ", 4)) {
			snprintf(copy, sizeof(copy), "%s", lines[i]);
			for (char *p = strtok(copy, " "); p && n < 64; p = strtok(NULL, " "))
				w[n++] = p;
			if (!sent && (!strcmp(w[1], "send") || !strcmp(w[1], "burst") || !strcmp(w[1], "tun"))) {
				first_packet();
				sent = 1;
			}
			rc = orc(w, n);
		} else if (is_ping(lines[i])) {
			if (!sent)
				first_packet();
			sent = 1;
			enable(1);
			rc = command(lines[i]);
			settle(50);
			enable(0);
		} else if (!strncmp(lines[i], "bpftool cgroup attach ", 22)) {
			snprintf(copy, sizeof(copy), "%s", lines[i]);
			for (char *p = strtok(copy, " "); p && n < 64; p = strtok(NULL, " "))
				w[n++] = p;
			rc = n < 7 || attach_cgroup(w);
		} else {
			rc = command(lines[i]);
		}
		say(C_CMD, "%d %d", i, rc);
	}
	for (i = 0; i < tap_count; i++) {
		unsigned char frame[70000];
		ssize_t n;

		while ((n = recv(taps[i].fd, frame, sizeof(frame), 0)) > 0) {
			static char hex[2 * 70000 + 100];
			int at = sprintf(hex, "%s %s ", taps[i].dev, taps[i].netns);

			for (int b = 0; b < n; b++)
				at += sprintf(hex + at, "%02x", frame[b]);
			chunk(C_TAP, hex, at);
		}
	}
	drain_fd(trace_pipe, C_PRINTK);
	drain_fd(kmsg, C_KMSG);
	say(C_DONE, "done");
	fflush(out);
}

int main(int argc, char **argv)
{
	static char line[400000];
	static char *lines[4096];
	char path[256];
	int count = 0, done = 0;
	FILE *list;
	struct bpf_map *bss;
	struct bpf_program *p;
	time_t start = time(NULL);

	if (argc < 4)
		return 2;
	dir = argv[1];
	out = fopen(argv[3], "w");
	list = fopen(argv[2], "r");
	if (!out || !list)
		return 2;
	setvbuf(out, NULL, _IOFBF, 1 << 20);
	libbpf_set_print(quiet);
	snprintf(path, sizeof(path), "%s/trace.bpf.o", dir);
	tracer = bpf_object__open(path);
	if (!tracer || bpf_object__load(tracer)) {
		fprintf(stderr, "tracer: %s\n", strerror(errno));
		fflush(out);
		return 1;
	}
	report_fd = bpf_object__find_map_fd_by_name(tracer, "report");
	bss = bpf_object__find_map_by_name(tracer, ".bss");
	if (!bss)
		bpf_object__for_each_map(bss, tracer)
			if (strstr(bpf_map__name(bss), ".bss"))
				break;
	bss_fd = bpf_map__fd(bss);
	bss_size = bpf_map__value_size(bss);
	ring = ring_buffer__new(report_fd, on_record, NULL, NULL);
	trace_pipe = open("/sys/kernel/tracing/trace_pipe", O_RDONLY | O_NONBLOCK);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	snprintf(path, sizeof(path), "%s/traced.txt", dir);
	trace_kernel(path);
	bpf_object__for_each_program(p, tracer)
		if (!strncmp(bpf_program__section_name(p), "raw_", 4))
			bpf_program__attach(p);
	load_all();
	fprintf(stderr, "traced %d functions in %ld s\n", fn_count, (long)(time(NULL) - start));
	lseek(kmsg, 0, SEEK_END);
	for (;;) {
		char *got = fgets(line, sizeof(line), list);

		if (got)
			line[strcspn(line, "\n")] = 0;
		if (count && (!got || line[0] == '@')) {
			pid_t pid;
			int fd = open("/sys/kernel/debug/clear_warn_once", O_WRONLY);

			if (fd >= 0) {
				write(fd, "1", 1);
				close(fd);
			}
			lseek(kmsg, 0, SEEK_END);
			chunk(C_EXPERIMENT, lines[0], strlen(lines[0]));
			fflush(out);
			pid = fork();
			if (!pid) {
				experiment(lines + 1, count - 1);
				_exit(0);
			}
			waitpid(pid, NULL, 0);
			enable(0);
			ring_buffer__consume(ring);
			/* the child has written on; what is there is safe even if the machine is ended */
			fseek(out, lseek(fileno(out), 0, SEEK_CUR), SEEK_SET);
			fsync(fileno(out));
			if (++done % 25 == 0)
				fprintf(stderr, "%d experiments, %ld s\n", done, (long)(time(NULL) - start));
			while (count)
				free(lines[--count]);
		}
		if (!got)
			break;
		if (count < 4096)
			lines[count++] = strdup(line);
	}
	fflush(out);
	fprintf(stderr, "%d experiments in %ld s\n", done, (long)(time(NULL) - start));
	return 0;
}
