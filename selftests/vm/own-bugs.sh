# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For own-*.test, which run on the kernel own-bugs; sourced after lib.sh. Each plants one bug
# of scripts/own-bugs/edits: without it a load shows nothing, with it the bug's finding.

plant=/sys/module/own_bug/parameters/plant
[ -e "$plant" ] || skip 'needs the kernel own-bugs'

# planted BUG STATUS COMMAND...: recorded with the bug; its findings go to $work/found.
planted() {
	bug=$1 expect=$2
	shift 2
	echo "$bug" >$plant || fail "no bug $bug"
	record "$expect" -- "$@"
	echo none >$plant
	check "$expect"
	findings | sort >"$work/found"
}

# bug BUG "ID..." COMMAND...: the first id is the bug's, the others follow from it.
bug() {
	name=$1 ids=$2
	shift 2
	planted none 0 "$@"
	planted "$name" 1 "$@"
	say "$name:" "$(cut -d' ' -f1 "$work/found" | uniq -c | xargs)"
	head -n 5 "$work/found"
	grep -q "^${ids%% *} " "$work/found" || fail "no ${ids%% *}: $(cat "$work/found")"
	! grep -Ev "^($(echo "$ids" | tr ' ' '|')) " "$work/found" || fail 'something else was found'
}

trap 'echo none >$plant; clean_up' EXIT
