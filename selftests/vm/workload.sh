# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2154 # names of lib.sh
# For the tests of real work at full speed; sourced after lib.sh.
#
# Correct kernels and drivers do it, so nothing may be found. Rings may overflow: then each
# missing record is counted, three times the same: by the programs that could not write it,
# by the numbers missing in the streams, by check. The trace stays if something is wrong.

# shellcheck disable=SC2034 # for the tests
big_rings='--ring-size 33554432'

# Facts, and the summary, that clean() kept: reading a large trace takes a while here.
fact() {
	awk -v key="$* " '
		index($0, key) == 1 { print $NF; found = 1; exit }
		END { if (!found) print 0 }' "$work/facts"
}

summary() {
	sed -n "s/.*\"summary\":.*\"$1\":\\([0-9]*\\).*/\\1/p" "$work/check.json"
}

count_losses() {
	holes=$(sed -n 's/^gap: CPU [0-9]*, \([0-9]*\) records.*/\1/p' "$work/facts" |
		awk '{ n += $1 } END { print n + 0 }')
	say "lost: programs $(fact lost), numbers $holes, check $(summary lost);" \
		"skipped: programs $(fact missed exits), check $(summary skipped) and $(summary unseen)"
	[ "$holes" -eq "$(fact lost)" ] || fail 'the streams miss another number than was lost'
	[ "$holes" -eq "$(summary lost)" ] || fail 'check counts another loss'
	[ "$(fact missed exits)" -eq $(($(summary skipped) + $(summary unseen))) ] || fail 'check counts other skips'
	[ $((holes + $(fact missed exits) + $(fact missed entries))) -gt 0 ] ||
		fail 'status 3 without a loss'
}

# clean FLOOR: nothing is found in the trace that ended with $recorded, and FLOOR events are in it.
clean() {
	case $recorded in
	0 | 3) ;;
	*) fail "record ended with $recorded" ;;
	esac
	"$scope" check --json "$work/trace" >"$work/check.json"
	actual=$?
	"$tools/facts" "$work/trace" >"$work/facts"
	grep '"grade":' "$work/check.json"
	[ "$actual" -eq "$recorded" ] || fail "record ended with $recorded, check with $actual"
	[ "$(summary violations)" -eq 0 ] || fail 'something was found'
	[ "$recorded" -eq 0 ] || count_losses
	say "status $recorded, $(summary total) events, unknown $(summary unknown)," \
		"withheld $(summary withheld), retracted $(summary retracted)"
	[ "$(summary total)" -ge "$1" ] || fail "fewer than $1 events"
}

# whole FLOOR: clean, and nothing was lost.
whole() {
	clean "$1"
	[ "$recorded" -eq 0 ] || fail 'events were lost'
}

# record_work ARGUMENT...: sets $recorded.
record_work() {
	rm -rf "$work/trace"
	# shellcheck disable=SC2086 # words
	"$scope" record -o "$work/trace" "$@"
	recorded=$?
}

# Ends what start_record began; sets $recorded.
end_work() {
	kill -TERM "$recorder"
	wait "$recorder"
	recorded=$?
	recorder=
	cat "$work/record.log"
}

# record_counted ARGUMENT...: an independent listener counts as well.
record_counted() {
	rm -rf "$work/trace"
	"$tools/oracle" -o "$work/table" -- "$scope" record -o "$work/trace" "$@"
	recorded=$?
}

# Both heard the same, if both heard all.
same_counts() {
	if [ "$recorded" -eq 0 ] && grep -q '^lost.0x0$' "$work/table"; then
		run_and_expect 0 "$tools/compare" "$work/trace" "$work/table"
	else
		say 'not compared with the independent count: one of the two missed something'
	fi
}

# A clean trace is not kept, unless KEEP_TRACES is set.
forget() {
	[ -n "${KEEP_TRACES:-}" ] || rm -rf "$work/trace" "$work/table"
}

at_least() {
	least=$1
	shift
	[ "$(fact "$@")" -ge "$least" ] || fail "$*: $(fact "$@"), expected $least"
}

# both_worked FLOOR: each of the two devices has that many maps and unmaps.
both_worked() {
	at_least "$1" device "$NVME_BDF"
	at_least "$1" device "$E1000E_BDF"
}

# make_strict BDF, make_lazy BDF: with the driver that it has then.
make_strict() {
	[ "$(group_type "$1")" != DMA ] || return 0
	unbind "$1"
	set_group_type "$1" DMA || fail "the group of $1 does not become strict"
}

make_lazy() {
	[ "$(group_type "$1")" = DMA-FQ ] || set_group_type "$1" DMA-FQ ||
		skip "no lazy flushing with ${VM_IOMMU:-this IOMMU}"
	[ "$(group_type "$1")" = DMA-FQ ] || fail "the group of $1 is $(group_type "$1")"
}

# traffic SECONDS: a command line that keeps disk and network card busy, each from two sides.
traffic() {
	cat >"$work/traffic" <<-END
		for load in \
			'dd if=/dev/nvme0n1 of=/dev/null bs=256k iflag=direct' \
			'dd if=/dev/zero of=/dev/nvme0n1 bs=16k count=1000 oflag=direct conv=nocreat' \
			'ping -q -f -c 1000 -s 1400 10.0.2.2' \
			'ping -q -f -c 1000 -s 64 10.0.2.2'; do
			timeout $1 sh -c "while :; do \$load; done" >/dev/null 2>&1 &
		done
		wait
	END
	echo "sh $work/traffic"
}
