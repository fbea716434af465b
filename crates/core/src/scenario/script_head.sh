
record=no
if [ "${1-}" = --record ]; then
	# --record RECORDER TRACED OUTDIR: a recording of this kernel, made with tools/recorder of Headroom
	if [ $# -ne 4 ]; then
		echo "usage: $0 [--record RECORDER TRACED OUTDIR]" >&2
		exit 2
	fi
	record=yes
	recorder=$(cd "$2" && pwd)
	traced=$(cd "$(dirname "$3")" && pwd)/$(basename "$3")
	mkdir -p "$4"
	outdir=$(cd "$4" && pwd)
	set -- --record "$recorder" "$traced" "$outdir"
elif [ $# -ne 0 ]; then
	echo "usage: $0 [--record RECORDER TRACED OUTDIR]" >&2
	exit 2
fi

net=$(readlink /proc/self/ns/net)
if [ -z "${HEADROOM_OUTSIDE-}" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "$0: needs root" >&2
		exit 2
	fi
	for tool in ip tc ethtool sysctl bpftool python3 unshare nsenter mount $needs; do
		if ! command -v "$tool" >/dev/null; then
			echo "$0: needs $tool" >&2
			exit 2
		fi
	done
	if ! bpftool net help 2>&1 | grep -q tcx_ingress; then
		echo "$0: needs a bpftool that attaches to tcx, 7.5 or newer; this is $(bpftool version | head -n 1)" >&2
		exit 2
	fi
	HEADROOM_OUTSIDE=$net exec unshare --net --mount --propagation private sh "$0" "$@"
fi
if [ "$net" = "$HEADROOM_OUTSIDE" ] || [ "$net" = "$(readlink /proc/1/ns/net)" ]; then
	echo "$0: this is not a network namespace of its own; nothing was done" >&2
	exit 2
fi
# in a namespace that was just made no device is up
if [ -n "$(ip -o link show up)" ]; then
	echo "$0: this network namespace is in use; nothing was done" >&2
	exit 2
fi

# a sysfs of this namespace, with a BPF file system and named namespaces of its own
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
work=$(mktemp -d)
cd "$work"
background=
made=
finish() {
	for pid in $background; do
		kill "$pid" 2>/dev/null || true
	done
	cd /
	rm -rf "$work"
	[ -z "$made" ] || rmdir "$made"
}
trap finish EXIT
for module in veth 8021q ip_gre ipip vxlan geneve mpls_router mpls_iptunnel sch_ingress cls_matchall act_mirred bridge; do
	modprobe -q "$module" 2>/dev/null || true
done

# unpack NAME: an object file from hex
unpack() {
	python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >"$1"
}

# inside NETNS COMMAND...: in a named namespace, or here for -
inside() {
	if [ "$1" = - ]; then
		shift
		"$@"
	else
		netns=$1
		shift
		nsenter "--net=/run/netns/$netns" "$@"
	fi
}

# frames NETNS DEV HEX...: sends frames as they are
frames() {
	netns=$1
	shift
	inside "$netns" python3 -c '
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
for frame in sys.argv[2:]:
    s.sendto(bytes.fromhex(frame), (sys.argv[1], 0))
' "$@"
}

# tap NETNS DEV: a packet socket that holds what it sees until the end
tap() {
	inside "$1" python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
open(sys.argv[2], "w").close()
time.sleep(3)
s.setblocking(False)
try:
    while True:
        print("tap", sys.argv[1], s.recv(65535).hex(), flush=True)
except BlockingIOError:
    pass
' "$2" "$work/tap.$2" >>"$work/taps" &
	background="$background $!"
	while [ ! -e "$work/tap.$2" ]; do
		sleep 0.1
	done
}

# listen: what bpf_printk() writes from now on
listen() {
	bpftool prog tracelog >"$work/log" &
	background="$background $!"
	sleep 1
}

# record: this scenario's recording of the running kernel, with the objects of its programs beside it
record() {
	mkdir -p rec/progs "$outdir/programs"
	clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$recorder/trace.bpf.c" -o rec/trace.bpf.o
	cc -O2 -o orc "$recorder/orc.c" "$recorder/tracing.c" -lbpf -lelf -lz
	cp "$traced" rec/traced.txt
	cp ./*.bpf.o rec/progs/
	cp ./*.bpf.o "$outdir/programs/"
	# the recorder mounts a sysfs here; the folder goes again
	if [ ! -d /nsys ]; then
		mkdir /nsys
		made=/nsys
	fi
	PATH=$PATH:$work orc rec list records
	# which object has a program: its name is a string in there
	python3 -c '
import glob, json, re, sys
lines = open("list").read().splitlines()
names = {m.group(1) for line in lines for m in [re.match(r"orc (?:xdp|tcx|netkit|nf) (\S+)", line)] if m}
objects = {}
for path in sorted(glob.glob("*.bpf.o")):
    data = open(path, "rb").read()
    for name in names:
        if b"\0" + name.encode() + b"\0" in data:
            objects.setdefault(name, path.split(".")[0])
setup = {"id": sys.argv[1], "title": sys.argv[1], "setup": lines[1:], "objects": objects}
json.dump([setup], open("setups.json", "w"))
' "$scenario"
	# where the kernel keeps the end of metadata says which design it has
	design=mac_header
	if bpftool btf dump file /sys/kernel/btf/vmlinux format raw | grep -q "'meta_end'"; then
		design=meta_end
	fi
	python3 "$recorder/to_recording.py" records setups.json "$design" "$(uname -r)" "$outdir"
}
