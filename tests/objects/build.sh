#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Builds tests/objects/built/*.o from our own C (c/) and Rust (rust/, with aya-ebpf).
#
# The objects are committed: tests need neither clang nor a Rust that knows BPF. Run this after a change
# of a source and commit both. Needs clang 19 and, for the objects that are named so, clang 14; for Rust a
# toolchain with the component rust-src.
#
#   tests/objects/build.sh            everything
#   tests/objects/build.sh c          only C
#   tests/objects/build.sh rust       only Rust
set -eu
cd "$(dirname "$0")"
what=${1-all}
out=built
mkdir -p "$out"
include="-idirafter /usr/include/$(uname -m)-linux-gnu"

# compile CLANG SUFFIX SOURCE FLAGS...
compile() {
	clang=$1 suffix=$2 source=$3
	shift 3
	object="$out/$source$suffix.o"
	# shellcheck disable=SC2086 # two words
	"$clang" -target bpf -O2 -g -Wall -Wno-unused-function -Wno-compare-distinct-pointer-types \
		$include -ffile-prefix-map="$PWD=." -fdebug-prefix-map="$PWD=." -fdebug-compilation-dir=. \
		"$@" -c "c/$source.bpf.c" -o "$object"
	llvm-strip-19 -g "$object"
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

if [ "$what" != rust ]; then
	for source in sections maps legacy_maps globals strings kconfig kconfig_missing ksyms ksym_missing \
		functions callbacks tail_calls core dynptrs nat iterators atomics context parse; do
		compile clang-19 "" "$source" -mcpu=v3
	done
	for cpu in v1 v2 v3 v4; do
		compile clang-19 ".$cpu" arithmetic -mcpu="$cpu"
	done
	compile clang-19 "" signed_v4 -mcpu=v4
	# The oldest clang that Debian 12 has beside it.
	for source in maps legacy_maps globals functions nat parse context callbacks; do
		compile clang-14 ".clang14" "$source"
	done
fi

# rustc writes bitcode for this target and leaves the rest to bpf-linker, which needs LLVM's development files.
# Without it: optimise the whole program as one unit, have rustc write assembler text, and let clang assemble
# it. Panics cannot happen at the end, so the linker has nothing left to do.
if [ "$what" != c ]; then
	cd rust
	target=${CARGO_TARGET_DIR:-target}
	for program in count filter events prefixes; do
		RUSTC_BOOTSTRAP=1 RUSTFLAGS="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$(rustc --print sysroot)=rust" \
			cargo rustc -q --release --locked --target bpfel-unknown-none -Zbuild-std=core \
			--bin "$program" -- --emit=asm -C linker=true
		text=$(ls -t "$target"/bpfel-unknown-none/release/deps/"$program"-*.s | head -n 1)
		clang-19 -target bpf -c "$text" -o "../$out/$program.aya.o"
		llvm-strip-19 -g "../$out/$program.aya.o"
		(cd .. && check "$out/$program.aya.o")
	done
fi
