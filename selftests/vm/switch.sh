# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For the tests that move devices from domain to domain; sourced after lib.sh.

# The changes of a device's domain that check could judge.
judged() {
	"$scope" check --stat --json "$work/trace" | sed -n 's/.*"switches":\([0-9]*\).*/\1/p'
}

# not_blind COUNT: at least so many were judged.
not_blind() {
	say "judged $(judged) of $(fact record attach) attaches"
	[ "$(judged)" -ge "$1" ] || fail "only $(judged) switches were judged, expected $1"
}
