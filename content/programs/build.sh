#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Compiles every content/programs/*/*.bpf.c to the object beside it.
#
# The objects are committed: the site, the CLI and the tests need no clang. Run this after a change
# of the C, and commit both. With one version of clang the same C gives the same bytes on every
# machine: sources are named by their path inside content/programs, and no path of the machine
# gets into an object (the script fails if one does).
#
#   content/programs/build.sh            compile
#   content/programs/build.sh --check    compile into a temporary folder and compare
#   CLANG=clang-22 content/programs/build.sh
set -eu
cd "$(dirname "$0")"

check=no
case "${1-}" in
"") ;;
--check) check=yes ;;
*)
	echo "build.sh: unknown option $1 (there is only --check)" >&2
	exit 2
	;;
esac

major() { "$1" --version 2>/dev/null | sed -n 's/.*clang version \([0-9]*\).*/\1/p' | head -n 1; }

pick_clang() {
	for c in ${CLANG:-clang-19 clang clang-22 clang-21 clang-20}; do
		m=$(major "$c" || true)
		if [ -n "$m" ] && [ "$m" -ge 19 ]; then
			echo "$c"
			return
		fi
	done
}

apt_install() {
	echo "installing with apt-get: $*"
	if [ "$(id -u)" = 0 ]; then
		apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"
	else
		sudo apt-get update -qq && sudo apt-get install -y -qq --no-install-recommends "$@"
	fi
}

clang=$(pick_clang)
if [ -z "$clang" ]; then
	if [ -n "${CLANG-}" ] || ! command -v apt-get >/dev/null; then
		echo "build.sh: needs clang 19 or newer (it writes BTF line info and knows -mcpu=v3); set CLANG to one" >&2
		exit 2
	fi
	apt_install clang-19 llvm-19
	clang=$(pick_clang)
fi
if ! echo '#include <bpf/bpf_helpers.h>' | "$clang" -target bpf -include linux/bpf.h -I "/usr/include/$(uname -m)-linux-gnu" -E - >/dev/null 2>&1; then
	if ! command -v apt-get >/dev/null; then
		echo "build.sh: needs bpf/bpf_helpers.h (the headers of libbpf)" >&2
		exit 2
	fi
	apt_install libbpf-dev linux-libc-dev
fi

strip=$("$clang" -print-prog-name=llvm-strip)
if ! command -v "$strip" >/dev/null; then
	echo "build.sh: needs the llvm-strip that belongs to $clang (Debian: the package llvm-$(major "$clang"))" >&2
	exit 2
fi

"$clang" --version | head -n 1

out=.
if [ "$check" = yes ]; then
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
fi

bad=0
for src in */*.bpf.c; do
	obj="$out/${src%.c}.o"
	mkdir -p "$(dirname "$obj")"
	# asm/types.h sits under the multiarch folder; -idirafter keeps it last.
	"$clang" -target bpf -mcpu=v3 -O2 -g \
		-Wall -Wextra -Werror \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-ffile-prefix-map="$PWD=." -fdebug-prefix-map="$PWD=." -fdebug-compilation-dir=. \
		-c "$src" -o "$obj"
	# BTF and its line info stay; DWARF goes (a loader doesn't read it, and it names include folders).
	"$strip" -g "$obj"
	if grep -aqF -e "$PWD" -e "${HOME:-/nonexistent}/" -e /usr/ "$obj"; then
		echo "build.sh: $obj names a folder of this machine" >&2
		bad=1
	fi
	if [ "$check" = yes ] && ! cmp -s "$obj" "${src%.c}.o"; then
		echo "build.sh: ${src%.c}.o is not what $clang makes of $src" >&2
		bad=1
	fi
	echo "${src%.c}.o  $(wc -c <"$obj") bytes"
done
exit $bad
