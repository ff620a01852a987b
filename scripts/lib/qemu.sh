# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154
# The emulated machine: devices at fixed places, an IOMMU, arguments for QEMU.
#
# Always one emulating thread: with several, patching a running kernel's code (static
# keys, tracepoints) now and then kills it.

nvme_bdf=0000:00:03.0
e1000e_bdf=0000:00:04.0
edu_bdf=0000:00:05.0
slot_bdf=0000:00:06.0

# Commas inside a QEMU option's value are doubled.
qemu_value() {
	printf '%s' "${1//,/,,}"
}

# Sets iommu_device and iommu_append from what the user asked for.
qemu_iommu() {
	local kind=${iommu%%,*}

	# AMD-Vi guests sometimes see no timer interrupt when the host is busy, and panic.
	iommu_append='iommu.passthrough=0 no_timer_check'
	case $kind in
	vtd) iommu_device=intel-iommu,intremap=off,caching-mode=off ;;
	vtd-cm) iommu_device=intel-iommu,intremap=off,caching-mode=on ;;
	vtd-scalable) iommu_device=intel-iommu,intremap=off,caching-mode=off,x-scalable-mode=on ;;
	amd) iommu_device=amd-iommu,intremap=off ;;
	virtio) iommu_device=virtio-iommu-pci,addr=0x02 ;;
	none) iommu_device= ;;
	*) usage_error "unknown IOMMU '$kind'" ;;
	esac
	case $kind in
	vtd | vtd-cm) iommu_append="$iommu_append intel_iommu=on,sm_off" ;;
	vtd-scalable) iommu_append="$iommu_append intel_iommu=on,sm_on" ;;
	esac
	[ -z "$iommu_device" ] || iommu_device=$iommu_device${iommu#"$kind"}
}

qemu_share() {
	arguments+=(-virtfs
		"local,path=$(qemu_value "$2"),mount_tag=$1,id=$1,security_model=none,multidevs=remap$3")
}

qemu_port() {
	arguments+=(-chardev "file,id=$1,path=$(qemu_value "$run/$1")"
		-device "virtserialport,chardev=$1,name=$1")
}

qemu_processors() {
	if [ "$icount" = yes ]; then
		arguments+=(-smp 1 -icount 'shift=0,sleep=off')
	else
		arguments+=(-smp "$smp")
	fi
}

# The devices under test. An IOMMU must come before what it translates.
qemu_devices() {
	local device

	[ -z "$iommu_device" ] || arguments+=(-device "$iommu_device")
	# shellcheck disable=SC2054 # QEMU's commas
	arguments+=(
		-drive "if=none,id=nvme,format=raw,file=$(qemu_value "$run/nvme.img")"
		-device 'nvme,drive=nvme,serial=scratch,addr=0x03'
		-netdev user,id=net -device 'e1000e,netdev=net,addr=0x04'
		-device 'edu,addr=0x05'
		-device 'virtio-serial-pci,max_ports=8,addr=0x10'
	)
	for device in "${devices[@]}"; do
		arguments+=(-device "$device")
	done
}

# The kernel's own driver serves the slot, not ACPI. QEMU talks to its own monitor through a
# socket: what the machine writes to the port, its monitor reads.
qemu_slot() {
	local socket

	socket=$(qemu_value "$run/monitor")
	# shellcheck disable=SC2054 # QEMU's commas
	arguments+=(
		-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
		-device 'pcie-root-port,id=bay,chassis=1,slot=1,addr=0x06'
		-blockdev 'driver=null-co,node-name=bay,size=67108864,read-zeroes=on'
		-chardev "socket,id=monitor,path=$socket,server=on,wait=off" -mon chardev=monitor
		-chardev "socket,id=monitor-port,path=$socket"
		-device 'virtserialport,chardev=monitor-port,name=monitor'
	)
}

# Fills the caller's array arguments.
qemu_arguments() {
	arguments=(
		-M 'q35,kernel-irqchip=off' -accel 'tcg,thread=single' -cpu max -m "$mem"
		-nodefaults -no-user-config -display none -no-reboot
		-chardev "file,id=console,path=$(qemu_value "$out/console.log")" -serial chardev:console
		-kernel "$kernel_dir/vmlinuz" -initrd "$initrd"
		-append "console=ttyS0 panic=-1 nowatchdog $iommu_append$append"
	)
	qemu_processors
	qemu_devices
	qemu_port stdout
	qemu_port stderr
	qemu_port control
	[ "$hotplug" = no ] || qemu_slot
	qemu_share root / ',readonly=on'
	qemu_share run "$run/share" ',readonly=on'
	qemu_share out "$out" ''
}
