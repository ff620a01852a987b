# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For the tests of the pages that a process has; sourced after lib.sh.

user=

# start_user LAST COMMAND...: in the background, as $user, until it said LAST.
start_user() {
	last=$1
	shift
	"$@" >"$work/user.log" 2>&1 &
	user=$!
	wait_for 30 grep -q "^$last" "$work/user.log" || fail "no $last: $(cat "$work/user.log")"
}

# A child may hold the container a little longer.
nobody() {
	! pgrep -x 'vfio_user|refiommu_user'
}

end_user() {
	[ -z "$user" ] || kill -KILL "$user" 2>/dev/null
	[ -z "$user" ] || wait "$user" 2>/dev/null
	user=
	wait_for 20 nobody || echo "# a user of VFIO does not end"
}

# verify STATUS OPTION...: what it says is in $work/verify.
verify() {
	status=$1
	shift
	"$scope" verify "$@" >"$work/verify"
	actual=$?
	cat "$work/verify"
	[ "$actual" -eq "$status" ] || fail "verify $*: status $actual, not $status"
}

# differs GRADE WHAT: one line for each such finding: first and last address.
differs() {
	grep "\"finding\":\"intent-differs\",\"grade\":\"$1\".*\"what\":\"$2\"" "$work/verify" |
		sed 's/.*"iova":"\([^"]*\)","last":"\([^"]*\)".*/\1 \2/'
}

trap 'end_user; clean_up' EXIT
