# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For the tests of readings of page tables; sourced after lib.sh.

# verify STATUS ARGUMENT...: what it found is in $work/verify.json.
verify() {
	status=$1
	shift
	"$scope" verify --json "$@" >"$work/verify.json" 2>"$work/verify.err"
	actual=$?
	[ "$actual" -eq "$status" ] && return
	head -n 20 "$work/verify.err" "$work/verify.json"
	fail "verify $*: status $actual, not $status"
}

# summed KEY: a number of verify's summary.
summed() {
	jq -r "select(.summary) | .summary.$1" "$work/verify.json"
}

# One line per violation: its id, device and first address, if it has one.
verified() {
	jq -r 'select(.finding and .grade == "violation") | "\(.finding) \(.device) \(.iova // "")"' \
		"$work/verify.json"
}

# detail ID KEY: of the first finding ID.
detail() {
	jq -r "select(.finding == \"$1\") | .details.$2 // empty" "$work/verify.json" | head -n 1
}

# hold COMMAND...: runs until let_go; mappings that stay. What it printed is in $work/held.
hold() {
	"$@" >"$work/held" 2>&1 &
	holder=$!
	loads="$loads $holder"
	wait_for 20 grep -q "^${held_when:-map}" "$work/held" || fail "nothing is held: $(cat "$work/held")"
	sleep 0.5
}

let_go() {
	kill "$holder" 2>/dev/null
	wait "$holder" 2>/dev/null
	holder=
}

need jq
