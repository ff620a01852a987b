# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# A second machine inside this one, with the network card passed through and a VT-d of its own
# in caching mode: what the guest maps, QEMU maps through VFIO. Sourced after lib.sh.
#
# The guest runs this machine's kernel and /actions, a script; it says what the test waits for
# in lines that begin with 'nested:'. nested-init is its first program.

guest_bdf=0000:00:04.0	# the card, in the guest
guest_memory=384M
guest_vtd=	# more properties, each with a comma before it
guest_append=intel_iommu=on,sm_off

need qemu-system-x86_64 busybox cpio xz
kernel=$BUILD/kernels/$VM_KERNEL/vmlinuz
[ -e "$kernel" ] || kernel=$VM_KERNEL/vmlinuz
[ -e "$kernel" ] || skip "no kernel image of $VM_KERNEL"

# What the guest finds: an empty folder that becomes its initramfs.
new_guest() {
	tree=$(mktemp -d)
	mkdir "$tree/bin" "$tree/modules"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	cp "$here/nested-init" "$tree/init"
	chmod +x "$tree/init"
}

# guest_module NAME [OPTION...]: uncompressed, with what it needs before it.
guest_module() {
	modprobe -S "$(uname -r)" --show-depends --ignore-install "$1" |
		awk '$1 == "insmod" { print $2 }' >"$work/modules"
	shift
	while read -r file; do
		name=$(basename "$file" .xz)
		case $file in
		*.xz) xz -dc "$file" >"$tree/modules/$name" ;;
		*) cp "$file" "$tree/modules/$name" ;;
		esac
		echo "$name"
	done <"$work/modules" | sed "\$s/\$/ $*/" >>"$tree/modules/order"
}

# guest_own_module NAME: one of ours, loaded by the actions.
guest_own_module() {
	own=$tools/$1/$(uname -r)/$1.ko
	[ -e "$own" ] || skip "no $1 module for $(uname -r): make -C selftests/vm $1 KERNEL=..."
	cp "$own" "$tree/modules"
}

# guest_vfio [OPTION...]: VFIO, and vfio_user with its libraries; options of vfio_iommu_type1.
guest_vfio() {
	guest_module vfio_iommu_type1 allow_unsafe_interrupts=1 "$@"
	guest_module vfio_pci
	cp "$tools/vfio_user" "$tree/bin"
	ldd "$tools/vfio_user" | sed -n 's/.*[[:blank:]]\(\/[^ ]*\) (.*/\1/p' | while read -r file; do
		mkdir -p "$tree/$(dirname "$file")"
		cp -L "$file" "$tree/$file"
	done
}

# run_guest: its actions are stdin. To the end of it; sets $guest_status.
run_guest() {
	cat >"$tree/actions"
	(cd "$tree" && find . | cpio --quiet -o -H newc) >"$work/initramfs"
	rm -rf "$tree"
	# shellcheck disable=SC2086 # words
	timeout "${GUEST_TIMEOUT:-200}" qemu-system-x86_64 \
		-M q35,kernel-irqchip=off -accel tcg,thread=single \
		-m "$guest_memory" -nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$work/guest.log" -kernel "$kernel" -initrd "$work/initramfs" \
		-append "console=ttyS0 quiet panic=-1 nowatchdog no_timer_check $guest_append" \
		-device "intel-iommu,intremap=off,caching-mode=on$guest_vtd" \
		-device "vfio-pci,host=$vfio_bdf,addr=${guest_bdf#0000:00:}" \
		${NESTED_TRACE:+-trace "vfio_*" -trace "vtd_*" -D "$work/qemu.trace"} \
		>"$work/qemu.log" 2>&1
	guest_status=$?
	rm -f "$work/initramfs"
	uniq -c "$work/qemu.log" | head -n 40
	grep -a '^nested:' "$work/guest.log"
}

# guest_said WORDS
guest_said() {
	grep -aq "^nested: $1" "$work/guest.log" ||
		fail "QEMU ended with $guest_status, the guest with: $(tail -n 15 "$work/guest.log")"
}
