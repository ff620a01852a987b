# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For own-*.test, which run on the kernel own-bugs; sourced after lib.sh. A debug kernel takes a
# minute to load the programs, so one recording hears all bugs of an IOMMU, one after the other:
# each has its load without the bug, where nothing may be found, then with it.

plant=/sys/module/own_bug/parameters/plant
[ -e "$plant" ] || skip 'needs the kernel own-bugs'

# The clock of findings, in ms.
now_ms() {
	cut -d' ' -f1 /proc/uptime | tr -d . | sed 's/$/0/'
}

# A moment to itself, so that 10 ms more or less do not matter.
mark() {
	sleep 0.2
	now_ms
	sleep 0.2
}

# bug BUG "ID..." COMMAND...: the first id is the bug's, the others follow from it. A finding
# that the manual does not have does not exist yet.
bug() {
	name=$1 ids=$2
	shift 2
	if ! grep -Eq "^## (.*, )?${ids%% *}(,|\$)" "$REPO/docs/findings.md"; then
		say "$name: there is no ${ids%% *}"
		return
	fi
	before=$(mark)
	"$@" >>"$work/loads" 2>&1 || fail "without $name: $*"
	between=$(mark)
	echo "$name" >$plant || fail "no bug $name"
	"$@" >>"$work/loads" 2>&1 || say "with $name: $*: status $?"
	echo none >$plant
	echo "$name $before $between $(mark) $ids" >>"$work/planted"
}

# One line per violation: time in ms, id, first address if it has one.
timed_findings() {
	"$scope" check --json "$work/trace" | sed -n '/"finding":/{
		/"grade":"violation"/!d
		s/"evidence".*//
		s/.*"finding":"\([^"]*\)".*"time_ns":\([0-9]*\)[0-9]\{6\},\(.*\)/\2 \1 \3/
		s/ [^ ]*"iova":"\([^"]*\)".*/ \1/
		s/ "[^ ]*$//
		p
	}'
}

# between FROM TO: the findings of that time, without it.
between() {
	awk -v from="$1" -v to="$2" '$1 >= from && $1 < to { print $2, $3 }' "$work/timed"
}

judge() {
	between "$2" "$3" >"$work/off"
	between "$3" "$4" >"$work/on"
	say "$1: $(cut -d' ' -f1 "$work/on" | sort | uniq -c | xargs), first $(head -n 1 "$work/on")"
	[ ! -s "$work/off" ] || fail "found without $1: $(cat "$work/off")"
	grep -q "^$5 " "$work/on" || fail "$1 is not found as $5: $(cat "$work/on")"
	shift 4
	! grep -Ev "^($(echo "$*" | tr ' ' '|')) " "$work/on" || fail 'something else is found'
}

# After the last bug.
judge_all() {
	stop_record 1
	timed_findings >"$work/timed"
	while read -r line; do
		# shellcheck disable=SC2086 # words
		judge $line
	done <"$work/planted"
}

trap 'echo none >$plant; clean_up' EXIT
