# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For the tests of iommufd; sourced after verify.sh. There is no interrupt remapping in the VM, hence unsafe.

[ -e /sys/module/iommufd ] || skip 'no iommufd'
echo Y >/sys/module/iommufd/parameters/allow_unsafe_interrupts
modprobe vfio_pci || skip 'no vfio-pci'
bind "$vfio_bdf" vfio-pci
wait_for 10 test -e "$pci/devices/$vfio_bdf/vfio-dev" || skip 'no device files of VFIO'

iommufd_user() {
	exec "$tools/iommufd_user" "$vfio_bdf" "$@"
}

# compared BOOK: pages of the one domain that has this book.
compared() {
	jq -r "select(.books.$1 != null) | .books.$1" "$work/verify.json"
}

# all_compared PAGES: with iommufd's areas, and with the process's pages.
all_compared() {
	[ "$(compared iommufd)" -eq "$1" ] || fail "$(compared iommufd) pages compared, not $1"
	[ "$(compared process)" -eq "$1" ] || fail "$(compared process) of the process, not $1"
	[ "$(jq -r 'select(.process_unknown != null) | .process_unknown' "$work/verify.json")" -eq 0 ] ||
		fail 'pages of the process are not known'
}
