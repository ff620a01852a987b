# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# The initramfs of a kernel: busybox, lib/vm-initramfs, and the modules that lead to
# the host's files. Cached beside the kernel under a hash of its ingredients.

initramfs_wanted=(virtio_pci virtio_iommu virtio_console 9pnet_virtio 9p overlay)

# Module files in the order in which they must be loaded. Older kernels have fscache.
initramfs_modules() {
	local root=$1/root release=$2 module

	for module in "${initramfs_wanted[@]}"; do
		modprobe -d "$root" -S "$release" --show-depends "$module" 2>/dev/null || :
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# copy_module FILE DIR: prints the name of the uncompressed copy.
copy_module() {
	local name=${1##*/}

	name=${name%.ko*}.ko
	case $1 in
	*.xz) xz -dc "$1" >"$2/$name" ;;
	*.zst) zstd -qdc "$1" >"$2/$name" ;;
	*.gz) gzip -dc "$1" >"$2/$name" ;;
	*) cp "$1" "$2/$name" ;;
	esac
	echo "$name"
}

initramfs_build() {
	local kernel=$1 target=$2 release module tree

	release=$(<"$kernel/release")
	tree=$(mktemp -d)
	mkdir -p "$tree/bin" "$tree/modules" "$tree/dev"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	cp "$here/lib/vm-initramfs" "$tree/init"
	chmod +x "$tree/init"
	while read -r module; do
		copy_module "$module" "$tree/modules"
	done < <(initramfs_modules "$kernel" "$release") >"$tree/modules/order"
	(cd "$tree" && find . | cpio --quiet -o -H newc) >"$target.new"
	rm -rf "$tree"
	find "$kernel" -maxdepth 1 -name 'initramfs-*' -mmin +60 -delete
	mv "$target.new" "$target"
}

# initramfs_path KERNEL-DIR: makes it if it is not there.
initramfs_path() {
	local kernel=$1 hash target

	hash=$(cat "$here/lib/vm-initramfs" "$here/lib/initramfs.sh" "$kernel/packages" |
		sha256sum | cut -c 1-12)
	target=$kernel/initramfs-$hash
	if [ ! -e "$target" ]; then
		(
			lock_dir "$kernel"
			[ -e "$target" ] || initramfs_build "$kernel" "$target"
		)
	fi
	echo "$target"
}
