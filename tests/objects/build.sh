#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Builds tests/objects/built/*.o from our own C (c/) and Rust (rust/, with aya-ebpf).
#
# The objects are committed: tests need neither clang nor a Rust that knows BPF. Run this after a change
# of a source and commit both. Needs clang 19, and the other versions for the objects that are named after
# them: commands clang-14, clang-15 and so on, each with its llvm-strip-N. A version that is not there is
# passed over and named. For Rust a toolchain with the component rust-src.
#
#   tests/objects/build.sh                 everything
#   tests/objects/build.sh c               only C
#   tests/objects/build.sh c "15 22"       only C, by clang 15 and clang 22
#   tests/objects/build.sh rust            only Rust
#   tests/objects/build.sh listings        only listings.txt, what llvm-objdump-19 says of the objects
set -eu
cd "$(dirname "$0")"
what=${1-all}
versions=${2-14 15 16 17 18 19 20 21 22}
out=built
mkdir -p "$out"
include="-idirafter /usr/include/$(uname -m)-linux-gnu"

# compile VERSION SUFFIX SOURCE FLAGS...
compile() {
	version=$1 suffix=$2 source=$3
	shift 3
	object="$out/$source$suffix.o"
	# shellcheck disable=SC2086 # two words
	"clang-$version" -target bpf -O2 -g -Wall -Wno-unused-function -Wno-compare-distinct-pointer-types \
		$include -ffile-prefix-map="$PWD=." -fdebug-prefix-map="$PWD=." -fdebug-compilation-dir=. \
		"$@" -c "c/$source.bpf.c" -o "$object"
	"llvm-strip-$version" -g "$object"
	check "$object"
}

# A committed file names no folder of the machine.
check() {
	if grep -aqF -e "$PWD" -e "${HOME:-/nonexistent}/" "$1"; then
		echo "build.sh: $1 names a folder of this machine" >&2
		exit 1
	fi
	echo "$1  $(wc -c <"$1") bytes"
}

# Our main compiler: every source, and each version of the instruction set.
with_19() {
	for source in sections maps legacy_maps globals strings kconfig kconfig_missing ksyms ksym_missing map_in_map \
		functions callbacks tail_calls core dynptrs nat iterators atomics context parse timers locks arena; do
		compile 19 "" "$source" -mcpu=v3
	done
	for cpu in v1 v2 v3 v4; do
		compile 19 ".$cpu" arithmetic -mcpu="$cpu"
	done
	for source in signed_v4 may_goto; do
		compile 19 "" "$source" -mcpu=v4
	done
}

# Another compiler: some sources with its default version of the instruction set, some with version 3, and those
# that want version 4 where it knows that.
with() {
	for source in maps legacy_maps globals functions nat parse context callbacks; do
		compile "$1" ".clang$1" "$source"
	done
	for source in sections strings kconfig ksyms tail_calls core dynptrs iterators atomics; do
		compile "$1" ".clang$1" "$source" -mcpu=v3
	done
	[ "$1" -ge 18 ] || return 0
	for source in signed_v4 arithmetic; do
		compile "$1" ".clang$1" "$source" -mcpu=v4
	done
}

# What another disassembler prints. Objects whose instructions the loader changes (CO-RE) or refuses are left out, and of other
# versions of clang all but four sources. Raw bytes and names behind jumps are cut off.
listings() {
	for object in "$out"/*.o; do
		case $(basename "$object" .o) in
		core* | kconfig_missing | ksym_missing | arena) continue ;;
		parse.clang* | nat.clang* | atomics.clang* | signed_v4.clang*) ;;
		*.clang*) continue ;;
		esac
		llvm-objdump-19 -d --no-show-raw-insn "$object" | sed -e '/^$/d' -e '/^[0-9a-f]* </!s/ <[^<> ]*>$//'
	done >listings.txt
}

if [ "$what" = listings ]; then
	listings
	exit
fi
if [ "$what" != rust ]; then
	for version in $versions; do
		if ! command -v "clang-$version" >/dev/null; then
			echo "build.sh: clang-$version is not there; its objects stay as they are" >&2
		elif [ "$version" = 19 ]; then
			with_19
		else
			with "$version"
		fi
	done
fi

# rustc writes bitcode for this target and leaves the rest to bpf-linker, which needs LLVM's development files.
# Without it: optimise the whole program as one unit, have rustc write assembler text, and let clang assemble
# it. Panics cannot happen at the end, so the linker has nothing left to do.
if [ "$what" != c ]; then
	cd rust
	target=${CARGO_TARGET_DIR:-target}
	# The name of a registry's folder holds its host; the last map that fits counts.
	registries=
	for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
		registries="$registries --remap-path-prefix=$registry=registry"
	done
	for program in count filter events prefixes; do
		RUSTC_BOOTSTRAP=1 RUSTFLAGS="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$(rustc --print sysroot)=rust$registries" \
			cargo rustc -q --release --locked --target bpfel-unknown-none -Zbuild-std=core \
			--bin "$program" -- --emit=asm -C linker=true
		text=$(ls -t "$target"/bpfel-unknown-none/release/deps/"$program"-*.s | head -n 1)
		clang-19 -target bpf -c "$text" -o "../$out/$program.aya.o"
		llvm-strip-19 -g "../$out/$program.aya.o"
		(cd .. && check "$out/$program.aya.o")
	done
fi
