#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The module can be removed when no file is open, and loaded again; runs last.

here=$(dirname "$(readlink -f "$0")")

# shellcheck disable=SC2317 # called by test_that
# test_that WORDS COMMAND...
count=0
failed=0
test_that() {
	words=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count $words"
	else
		echo "not ok $count $words"
		failed=1
	fi
}

held() { ! rmmod refiommu 2>/dev/null; }
no_device() { [ ! -e /dev/refiommu ] && [ ! -d /sys/kernel/debug/refiommu ]; }
no_devices() { for it in /sys/bus/platform/devices/refiommu*; do [ ! -e "$it" ] || return 1; done; }

if [ ! -d /sys/module/refiommu ]; then
	echo '1..0 # SKIP refiommu is not loaded'
	exit 4
fi

echo 'TAP version 13'
echo '1..6'
exec 9<>/dev/refiommu
test_that 'an open file holds the module' held
exec 9>&-
test_that 'the module goes when nobody holds it' "$here/load" unload
test_that 'its device and its switches go with it' no_device
test_that 'its platform devices go with it' no_devices
test_that 'it can be loaded again' "$here/load"
test_that 'and goes again' "$here/load" unload
exit $failed
