# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
# Newer kernels' headers need a newer libc (their helper programs) and a newer compiler
# (its options are in the kernel's configuration). Both are unpacked beside the headers
# and patched to find their own loader and libraries there: no chroot, nothing installed.

# gcc's sanitizers and threads are of no use to a kernel.
toolchain_packages() {
	apt_run apt-get -s -qq -o pkgCacheGen::Essential=none \
		install --no-install-recommends gcc-14 dwarves libssl3t64 |
		awk '$1 == "Inst" && $2 !~ /^lib(.*san[0-9]|gomp|itm|atomic|quadmath|cc1)/ { print $2 }'
}

# Trixie's packages rely on the links that join /lib with /usr/lib.
toolchain_merge() {
	local name

	for name in bin sbin lib lib64; do
		[ -e "$1/$name" ] || ln -s "usr/$name" "$1/$name"
	done
}

# patch_programs FOLDER TOOLCHAIN: every dynamic program in FOLDER uses TOOLCHAIN.
patch_programs() {
	local file

	while read -r -d '' file; do
		patchelf --print-interpreter "$file" >/dev/null 2>&1 || continue
		patchelf --set-interpreter "$2/usr/lib64/ld-linux-x86-64.so.2" \
			--force-rpath --set-rpath "$2/usr/lib/x86_64-linux-gnu" "$file"
	done < <(find "$1" -type f -perm /111 ! -name '*.so*' -print0)
}

# arrange_toolchain ROOT FINAL: ROOT will be called FINAL when it is complete.
arrange_toolchain() {
	toolchain_merge "$1"
	patch_programs "$1" "$2"
}

# use_toolchain HEADERS RELEASE TOOLCHAIN
use_toolchain() {
	patch_programs "$1/usr/lib" "$3"
	cat >>"$1/usr/src/linux-headers-$2/.kernelvariables" <<-END
		override CROSS_COMPILE = $3/usr/bin/x86_64-linux-gnu-
		override PAHOLE = $3/usr/bin/pahole
	END
}
