# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For the tests of --verify-every; sourced after lib.sh.

need jq pkill
live=
trap 'kill -KILL "$live" 2>/dev/null; clean_up' EXIT

# start_live ARGUMENT...: in the background, as $live; what it says is in $work/live.json.
start_live() {
	mkdir -p "$work"
	"$scope" live --json --verify-every 1 "$@" >"$work/live.json" 2>"$work/live.err" &
	live=$!
	wait_for 60 grep -q listening "$work/live.err" ||
		fail "live does not start: $(cat "$work/live.err")"
}

# stop_live STATUS...: one of these.
stop_live() {
	kill -0 "$live" || fail "live has ended: $(cat "$work/live.err")"
	stopped=$(date +%s)
	kill -INT "$live"
	wait "$live"
	status=$?
	live=
	took=$(($(date +%s) - stopped))
	cat "$work/live.err"
	case " $* " in
	*" $status "*) ;;
	*) fail "live ended with $status, not $*: $(violations "$work/live.json")" ;;
	esac
	say "it took $took s to end"
}

# violations FILE: id, device and first address of each, one per line.
violations() {
	jq -r 'select(.finding and .grade == "violation") | "\(.finding) \(.device) \(.iova // "")"' "$1"
}

# sum_of FILE FIELD: of a field of the looks, over all domains.
sum_of() {
	jq -s "[.[] | select(.schema == \"iommuscope.verify/1\" and .domain) | .$2 // 0] | add" "$1"
}

# said TEXT: has live printed it?
said() {
	grep -q "$1" "$work/live.json"
}

# act_leak: the driver of the edu device maps a buffer, and keeps it. Sets addr.
act_leak() {
	dmesg -C
	echo leak >"$pci/devices/$EDU_BDF/action"
	addr=$(dmesg | sed -n "s/.*edu_dma.*: leak: [a-z_]* addr=\(0x[0-9a-f]*\).*/\1/p" | head -n 1)
	[ -n "$addr" ] || fail 'the driver did not act'
}

edit_module=$tools/table_edit/$(uname -r)/table_edit.ko

# edit BIT: of the entry of $addr in the edu device's table.
edit() {
	dmesg -C
	insmod "$edit_module" bdf="$EDU_BDF" iova="$addr" bit="$1" ||
		fail "table_edit: $(dmesg | tail -n 1)"
	dmesg | grep 'table_edit: entry'
}
