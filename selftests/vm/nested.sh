# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# A second machine inside this one, with the network card passed through and a VT-d of its own
# in caching mode: what the guest maps, QEMU maps through VFIO. Sourced after lib.sh.
#
# The guest runs this machine's kernel and /actions, a script; it says what the test waits for
# in lines that begin with 'nested:'. nested-init is its first program.
#
# Emulation inside emulation: a boot takes two minutes. What shortens it: the kernel unpacked by
# us (it begins by its PVH entry), no mitigations, no tests of its own at boot.

guest_bdf=0000:00:04.0	# the card, in the guest
guest_memory=384M
guest_vtd=	# more properties, each with a comma before it
guest_append=intel_iommu=on,sm_off
guest_fast='mitigations=off cryptomgr.notests apparmor=0 audit=0 lsm= nr_cpus=1 tsc=reliable'

need qemu-system-x86_64 busybox cpio xz zstd
kernel=$BUILD/kernels/$VM_KERNEL/vmlinuz
[ -e "$kernel" ] || kernel=$VM_KERNEL/vmlinuz
[ -e "$kernel" ] || skip "no kernel image of $VM_KERNEL"

# Where a bzImage holds its payload, by the header of the boot protocol: 'OFFSET LENGTH'.
payload_of() {
	setup=$(od -An -tu1 -j 497 -N 1 "$1")
	# shellcheck disable=SC2046 # words
	set -- $(od -An -tu4 -j 584 -N 8 "$1")
	echo $(((setup + 1) * 512 + $1)) "$2"
}

# unpack_kernel FILE: true if it could.
unpack_kernel() {
	# shellcheck disable=SC2046 # words
	set -- "$1" $(payload_of "$kernel")
	tail -c +$(($2 + 1)) "$kernel" | head -c $(($3 - 4)) >"$1.packed"
	zstd -qdc "$1.packed" >"$1" 2>/dev/null || xz -dc "$1.packed" >"$1" 2>/dev/null
	status=$?
	rm "$1.packed"
	return $status
}

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

# VFIO, and vfio_user with its libraries.
guest_vfio() {
	guest_module vfio_iommu_type1 allow_unsafe_interrupts=1
	guest_module vfio_pci
	cp "$tools/vfio_user" "$tree/bin"
	ldd "$tools/vfio_user" | sed -n 's/.*[[:blank:]]\(\/[^ ]*\) (.*/\1/p' | while read -r file; do
		mkdir -p "$tree/$(dirname "$file")"
		cp -L "$file" "$tree/$file"
	done
}

# start_guest: its actions are stdin; sets $guest.
start_guest() {
	cat >"$tree/actions"
	(cd "$tree" && find . | cpio --quiet -o -H newc) >"$tree.cpio"
	rm -rf "$tree"
	unpack_kernel "$tree.vmlinux" || cp "$kernel" "$tree.vmlinux"
	# shellcheck disable=SC2086 # words
	qemu-system-x86_64 -M q35,kernel-irqchip=off -accel tcg,thread=single -cpu qemu64,-cx16 \
		-m "$guest_memory" -nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$work/guest.log" -kernel "$tree.vmlinux" -initrd "$tree.cpio" \
		-append "console=ttyS0 quiet panic=-1 nowatchdog no_timer_check $guest_fast $guest_append" \
		-device "intel-iommu,intremap=off,caching-mode=on$guest_vtd" \
		-device "vfio-pci,host=$vfio_bdf,addr=${guest_bdf#0000:00:}" \
		-trace 'vtd_page_walk_skip_reserve' -trace 'vfio_iommu_map_notify' -D "$work/qemu.trace" \
		>"$work/qemu.log" 2>&1 &
	guest=$!
	loads="$loads $guest"
	: >>"$work/guest.log"
}

# Every second, not more often: the guest needs the processor.
wait_guest() {
	seconds=${GUEST_TIMEOUT:-600}
	while kill -0 "$guest" 2>/dev/null && ! grep -aq '^nested: end' "$work/guest.log"; do
		seconds=$((seconds - 1))
		[ "$seconds" -gt 0 ] || return 1
		sleep 1
	done
}

# run_guest: its actions are stdin. Until it says that it is at its end; then it is
# killed, so that what its QEMU had mapped is still there. Sets $guest_status.
run_guest() {
	start_guest
	wait_guest || say 'the guest comes to no end'
	kill -KILL "$guest" 2>/dev/null
	wait "$guest"
	guest_status=$?
	rm -f "$tree.cpio" "$tree.vmlinux"
	head -n 10 "$work/qemu.log"
	grep -a '^nested:' "$work/guest.log"
}

# qemu_said TIMES WORDS: at least that often; the console of QEMU, not the guest's.
qemu_said() {
	times=$(grep -c "$2" "$work/qemu.log")
	[ "$times" -ge "$1" ] || fail "QEMU said '$2' $times times: $(tail -n 5 "$work/qemu.log")"
}

# guest_said WORDS
guest_said() {
	grep -aq "^nested: $1" "$work/guest.log" ||
		fail "QEMU ended with $guest_status, the guest with: $(tail -n 15 "$work/guest.log")"
}
