# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For the tests of the collector that use the module refiommu; sourced after lib.sh.

case $(uname -r) in
*own-bugs*) module=$BUILD/kernel/own-bugs/refiommu.ko ;;
*own* | *iommuscope*) module=$BUILD/kernel/own/refiommu.ko ;;
6.1.*) skip 'refiommu needs Linux 6.12' ;;
6.12.*) module=$BUILD/kernel/6.12/refiommu.ko ;;
*) module=$BUILD/kernel/7.2/refiommu.ko ;;
esac

load_refiommu() {
	[ -e "$module" ] || skip "no refiommu.ko for $(uname -r): make module KERNEL=..."
	MODULE=$module sh "$here/refiommu/load" || fail 'the module is not loaded'
}

# Whatever a test turned on is off, and the module is gone: the next test finds it so.
unload_refiommu() {
	for bug in /sys/kernel/debug/refiommu/bugs/*; do
		[ ! -w "$bug" ] || echo 0 >"$bug"
	done
	sh "$here/refiommu/load" unload || echo '# refiommu cannot be unloaded'
}

refiommu_user() {
	"$tools/refiommu_user" "$@"
}

# hook_is NAME STATE
hook_is() {
	"$tools/facts" "$work/trace" | grep '^hook' >"$work/hooks"
	grep -q " $1 .*$2" "$work/hooks" || fail "hook $1 is not $2: $(grep " $1 " "$work/hooks")"
}

# at_least COUNT FACT...
at_least() {
	least=$1
	shift
	[ "$(fact "$@")" -ge "$least" ] || fail "$*: $(fact "$@"), expected $least"
}

trap 'clean_up; unload_refiommu' EXIT
