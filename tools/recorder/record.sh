#!/bin/sh
# Records experiments on a kernel of your choice. See README.md.
set -eu
usage() {
    echo "usage: record.sh VMLINUZ MODULES TRACED PROGRAMS SETUPS.json DESIGN KERNEL OUTDIR" >&2
    echo "  VMLINUZ   the kernel" >&2
    echo "  MODULES   its folder .../lib/modules/VERSION/kernel, or - when all is built in" >&2
    echo "  TRACED    names of the functions to trace, one a line" >&2
    echo "  PROGRAMS  folder with the programs' objects, NAME.bpf.o" >&2
    echo "  SETUPS    [{\"id\", \"title\", \"setup\": [commands]}]" >&2
    echo "  DESIGN    mac_header or meta_end;  KERNEL  text for the recording" >&2
    exit 2
}
[ $# -eq 8 ] || usage
vmlinuz=$1 modules=$2 traced=$3 programs=$4 setups=$5 design=$6 kernel=$7 outdir=$8
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp" "$root/mods" "$root/rec/progs" "$root/nsys" "$outdir"

# the tracer and the tool
clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$here/trace.bpf.c" -o "$root/rec/trace.bpf.o"
cc -O2 -o "$root/bin/orc" "$here/orc.c" "$here/tracing.c" -lbpf -lelf -lz

# what the commands need, with its libraries
busybox=$(command -v busybox)
cp "$busybox" "$root/bin/busybox"
cp -L /bin/dash "$root/bin/sh"
for tool in ip tc ethtool bridge bpftool; do
    cp -L "$(PATH=$PATH:/usr/sbin:/sbin command -v $tool)" "$root/bin/$tool"
done
for binary in "$root"/bin/*; do
    { ldd "$binary" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -nL "$library" "$root$library"
    done
done

# modules, each after those it needs
order="llc stp garp mrp 8021q bridge tunnel4 tunnel6 ip_tunnel gre ip_gre ipip udp_tunnel ip6_udp_tunnel vxlan geneve veth \
mpls_router mpls_iptunnel sch_ingress cls_matchall cls_bpf act_mirred act_gact act_vlan act_mpls dummy ip6_tunnel ip6_gre sit macvlan tun l2tp_core l2tp_netlink l2tp_eth l2tp_ip virtio_blk"
echo "$order" > "$root/mods/order"
if [ "$modules" != - ]; then
    for module in $order; do
        found=$(find "$modules" -name "$module.ko*" | head -n 1)
        case $found in
            *.xz) xz -dc "$found" > "$root/mods/$module.ko" ;;
            *.ko) cp "$found" "$root/mods/$module.ko" ;;
        esac
    done
fi
cp "$traced" "$root/rec/traced.txt"
cp "$programs"/*.bpf.o "$root/rec/progs/"
ln -s rec/progs "$root/progs"
cp "$here/init" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 > "$work/initrd.gz"

# the list goes in on one disk, the records come out on another
python3 - "$setups" "$work/list" <<'P'
import json
import sys
with open(sys.argv[2], "w") as out:
    for setup in json.load(open(sys.argv[1])):
        out.write("@%s\n%s\n" % (setup["id"], "\n".join(setup["setup"])))
P
size=$(stat -c %s "$work/list")
(printf '%-16s' "$size"; cat "$work/list") > "$work/in.img"
truncate -s %1M "$work/in.img"
truncate -s 4G "$work/out.img"
# an end before the last experiment loses that one only: the records come out as they are made.
# -icount: the machine's clock counts its instructions, so that a busy host does not decide when a timer of GRO fires, and
# time in which nothing happens is skipped
timeout "${RECORD_SECONDS:-86400}" qemu-system-x86_64 -accel tcg,tb-size=1024 -icount shift=0,sleep=off -cpu max -smp 1 -m 4G -nographic -nic none -no-reboot \
    -kernel "$vmlinuz" -initrd "$work/initrd.gz" \
    -append "console=ttyS0 quiet loglevel=4 ipv6.disable_ipv6=1 mitigations=off panic=-1 no_timer_check" \
    -drive "file=$work/in.img,format=raw,if=virtio" -drive "file=$work/out.img,format=raw,if=virtio" < /dev/null || echo "the machine was ended" >&2

python3 "$here/to_recording.py" "$work/out.img" "$setups" "$design" "$kernel" "$outdir"
