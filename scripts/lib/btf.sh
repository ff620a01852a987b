# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
# 6.1's headers lack what gives a module type information (BTF), without which fentry
# programs cannot attach to it: the kernel's own BTF, taken from its image, and
# resolve_btfids, which has work only in modules with BTF_ID lists.

# u32_at FILE OFFSET
u32_at() {
	od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '
}

# image_payload VMLINUZ: the compressed kernel (see Documentation/arch/x86/boot.rst).
image_payload() {
	local sectors offset length

	sectors=$(od -An -tu1 -j 497 -N 1 "$1" | tr -d ' ')
	offset=$(($(u32_at "$1" 584) + (sectors + 1) * 512))
	length=$(u32_at "$1" 588)
	tail -c "+$((offset + 1))" "$1" | head -c "$length"
}

# Its size is appended to the compressed data: not an error.
image_unpack() {
	local payload=$2.payload

	image_payload "$1" >"$payload"
	case $(od -An -tx1 -N 4 "$payload") in
	' fd 37 7a 58') xz -dc --single-stream <"$payload" >"$2" 2>/dev/null || : ;;
	' 28 b5 2f fd') zstd -qdc <"$payload" >"$2" 2>/dev/null || : ;;
	*) die "unknown compression in $1" ;;
	esac
	rm "$payload"
}

# add_btf VMLINUZ BUILD-FOLDER: BUILD-FOLDER is where modules are built against.
add_btf() {
	local image=$1 folder=$2 tool=$2/tools/bpf/resolve_btfids

	[ ! -e "$folder/vmlinux" ] || return 0
	image_unpack "$image" "$folder/vmlinux.all"
	# It warns about every segment that it empties.
	objcopy --only-section=.BTF "$folder/vmlinux.all" "$folder/vmlinux" 2>/dev/null ||
		die "no type information in $image"
	rm "$folder/vmlinux.all"
	[ ! -e "$tool/resolve_btfids" ] || return 0
	mkdir -p "$tool"
	cat >"$tool/resolve_btfids" <<-'END'
		#!/bin/sh
		# Stands in for the one that Debian's package lacks.
		for last; do :; done
		! objdump -h "$last" | grep -q '[.]BTF_ids' && exit 0
		echo "$last: BTF_ID lists need a real resolve_btfids" >&2
		exit 1
	END
	chmod +x "$tool/resolve_btfids"
}
