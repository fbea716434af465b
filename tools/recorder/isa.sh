#!/bin/sh
# Runs random programs on a kernel of your choice, once each. See README.md, "Instructions".
set -eu
if [ $# -ne 4 ]; then
    echo "usage: isa.sh VMLINUZ MODULES PROGRAMS RESULTS" >&2
    echo "  VMLINUZ   the kernel;  MODULES  its folder .../lib/modules/VERSION/kernel" >&2
    echo "  PROGRAMS  a program a line: memory as hex, a space, instructions as hex;  RESULTS  what is written" >&2
    exit 2
fi
vmlinuz=$1 modules=$2 programs=$3 results=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/bin" "$root/proc" "$root/dev" "$root/tmp" "$root/mods"

cc -O2 -static -o "$root/bin/isa_run" "$here/isa_run.c"
cp -L "$(command -v busybox)" "$root/bin/busybox"
module=$(find "$modules" -name 'virtio_blk.ko*' | head -n 1)
case $module in
    *.xz) xz -dc "$module" > "$root/mods/virtio_blk.ko" ;;
    *.ko) cp "$module" "$root/mods/virtio_blk.ko" ;;
esac
cp "$programs" "$root/programs"
cat > "$root/init" <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t devtmpfs none /dev
mount -t tmpfs -o size=2g none /tmp
[ -f /mods/virtio_blk.ko ] && insmod /mods/virtio_blk.ko
echo "jit: $(cat /proc/sys/net/core/bpf_jit_enable)"
isa_run /programs /tmp/out
size=$(stat -c %s /tmp/out)
(printf '%-16s' "$size"; cat /tmp/out) | dd of=/dev/vda bs=1M 2>/dev/null
sync
echo "results: $size bytes of $(uname -r)"
poweroff -f
I
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 > "$work/initrd.gz"
truncate -s 64M "$work/out.img"
qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 3G -nographic -nic none -no-reboot \
    -kernel "$vmlinuz" -initrd "$work/initrd.gz" \
    -append "console=ttyS0 quiet loglevel=4 mitigations=off panic=-1" \
    -drive "file=$work/out.img,format=raw,if=virtio" < /dev/null
size=$(head -c 16 "$work/out.img" | tr -d ' \000')
tail -c +17 "$work/out.img" | head -c "${size:-0}" > "$results"
