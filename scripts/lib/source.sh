# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# Debian's kernel source package: downloaded once, unpacked in pieces or whole.
#
# Below $build/kernels/source: linux-source-6.12.tar.xz, packages (what it was fetched as)
# and 6.12, the pieces at their places in the tree.

source_package=linux-source-6.12

# What the project takes from the kernel's tree and does not want a copy of.
source_pieces=(
	COPYING
	LICENSES/preferred
	# tests; these headers are raw: -D__user=
	include/uapi/linux/iommufd.h
	include/uapi/linux/vfio.h
	tools/include/uapi
	tools/testing/selftests/kselftest
	tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h
	tools/testing/selftests/kselftest_install.sh
	tools/testing/selftests/lib.mk
	tools/testing/selftests/run_kselftest.sh
	# style
	.clang-format
	Documentation/dev-tools/checkpatch.rst
	scripts/checkpatch.pl
	scripts/const_structs.checkpatch
	scripts/kernel-doc
	scripts/spelling.txt
)

# Sets source_tar.
get_source_tar() {
	local dir=$build/kernels/source

	source_tar=$dir/$source_package.tar.xz
	[ ! -e "$source_tar" ] || return 0
	need xz own
	apt_setup bookworm
	fetch "$dir" deb "$source_package"
	mv "$dir/packages.deb" "$dir/packages"
	mv "$dir/deb.new/usr/src/$source_package.tar.xz" "$source_tar"
	rm -rf "$dir/deb.new" "$dir/debs"
}

# unpack_source TAR DIR [PIECE]...: DIR appears when complete.
unpack_source() {
	local tar=$1 dir=$2

	shift 2
	rm -rf "$dir.new"
	mkdir "$dir.new"
	tar -C "$dir.new" --strip-components=1 -xJf "$tar" "${@/#/$source_package/}" ||
		die "cannot unpack $tar"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
}

# get_source_pieces: again, too, when the list of pieces has changed.
get_source_pieces() {
	local dir=$build/kernels/source

	lock_dir "$dir"
	[ "$(cat "$dir/6.12/.pieces" 2>/dev/null)" != "${source_pieces[*]}" ] || return 0
	get_source_tar
	note "unpacking pieces of $source_package"
	unpack_source "$source_tar" "$dir/6.12" "${source_pieces[@]}"
	echo "${source_pieces[*]}" >"$dir/6.12/.pieces"
}
