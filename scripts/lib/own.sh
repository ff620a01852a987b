# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# The debug kernel 'own': Debian's source, scripts/own.config, built by the machine's gcc.
#
# Beside what every kernel has: source/ (the tree, never written to), build/ (the objects;
# modules are built against it) and build.log. What is here is complete and current: a
# rebuild removes the finished parts first and takes up the objects where they are.

own_config=$here/own.config

# More for make; for kernels that are made of this one.
own_options=()

# What it was made of, in the shape of other kernels' packages.
own_ingredients() {
	cat "$build/kernels/source/packages"
	echo "own.config - $(stat -c %s "$own_config") $(sha256sum <"$own_config" | cut -d ' ' -f 1)"
	echo "gcc $(gcc -dumpfullversion) - -"
}

check_own_tools() {
	local lacking

	lacking=$("$here/deps" --dry-run own | xargs)
	[ -z "$lacking" ] || die "missing: $lacking; run 'scripts/deps own'"
}

# own_make ARGUMENT...: whoever called us may be a make with options of its own.
own_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u ARCH -u CROSS_COMPILE \
		make -s -C "$own/source" O="$own/build" "${own_options[@]}" "$@"
}

own_unpack() {
	cmp -s "$build/kernels/source/packages" "$own/packages.source" && [ -d "$own/source" ] && return
	note "unpacking all of $source_package"
	rm -rf "$own/build" "$own/packages.source"
	unpack_source "$source_tar" "$own/source"
	cp "$build/kernels/source/packages" "$own/packages.source"
}

# merge_config.sh only mentions options that did not become what they should.
own_configure() {
	mkdir -p "$own/build"
	(
		unset MAKEFLAGS MFLAGS MAKEOVERRIDES ARCH CROSS_COMPILE KCONFIG_CONFIG
		cd "$own/source"
		scripts/kconfig/merge_config.sh -n -O "$own/build" "$own_config"
	) >"$own/config.log" 2>&1 || die "configuring failed; see $own/config.log"
	! grep -A 2 '^Value requested' "$own/config.log" >&2 ||
		die "scripts/own.config does not take effect as it is written"
}

# own_log ARGUMENT...: own_make, told only when it fails.
own_log() {
	own_make "$@" >>"$own/build.log" 2>&1 && return
	tail -n 20 "$own/build.log" >&2
	die "building failed; see $own/build.log"
}

own_build() {
	local seconds=$SECONDS

	note "building; about ten minutes on two cores, later only what has changed"
	: >"$own/build.log"
	own_log "-j$(nproc)" bzImage modules
	note "built in $((SECONDS - seconds)) s"
}

# The layout of packaged kernels, so that nobody else needs to know the difference.
own_arrange() {
	local release

	release=$(own_make kernelrelease)
	rm -rf "$own/root.new"
	mkdir -p "$own/root.new/boot" "$own/headers.new/usr/src"
	cp "$own/build/$(own_make image_name)" "$own/root.new/boot/vmlinuz-$release"
	own_log INSTALL_MOD_PATH="$own/root.new/usr" INSTALL_MOD_STRIP=1 modules_install
	PATH=$PATH:/usr/sbin:/sbin arrange_image "$own" "$release"
	ln -s ../../../build "$own/headers.new/usr/src/linux-headers-$release"
}

# get_own DIR
get_own() {
	own=$1
	(
		lock_dir "$build/kernels/source"
		get_source_tar
	)
	source_tar=$build/kernels/source/$source_package.tar.xz
	! own_ingredients | cmp -s - "$own/packages" || [ ! -d "$own/root" ] || return 0
	check_own_tools
	rm -rf "$own/root" "$own/headers" "$own/headers.new" "$own/packages"
	own_unpack
	own_configure
	own_build
	own_arrange
	own_ingredients >"$own/packages"
	mv "$own/headers.new" "$own/headers"
	mv "$own/root.new" "$own/root"
}
