# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # after lib.sh
# What the edu-*.test share: one misuse of the DMA API, and what is found.

# edu_act STATUS ACT: the driver acts once and lets go of the device, all recorded.
# Sets addr to the DMA address of its first mapping, as the driver logged it. record gets
# $record_options.
edu_act() {
	load_edu
	dmesg -C
	cat >"$work/story" <<-END
		echo $2 >$pci/devices/$EDU_BDF/action
		echo $EDU_BDF >$pci/drivers/edu_dma/unbind
	END
	# shellcheck disable=SC2086 # several words, or none
	record "$1" ${record_options:-} -- sh "$work/story"
	dmesg | grep edu_dma
	addr=$(dmesg | sed -n "s/.*edu_dma.*: $2: [a-z_]* addr=\(0x[0-9a-f]*\).*/\1/p" | head -n 1)
	[ -n "$addr" ] || fail 'the driver did not act'
}

# expect_finding ID: it is there once, for the edu device, at $addr.
expect_finding() {
	findings | tee "$work/findings"
	found=$(grep -c "^$1 $EDU_BDF " "$work/findings")
	[ "$found" -eq 1 ] || fail "$1 was found $found times"
	at=$(sed -n "s/^$1 $EDU_BDF //p" "$work/findings")
	[ $((at)) -eq $((addr)) ] || fail "$1 is at $at, not at $addr"
}

# expect_caller ID ACT: its evidence names the driver's function.
expect_caller() {
	"$scope" check --json "$work/trace" | grep "\"finding\":\"$1\"" |
		grep -q "\"caller\":\"act_$2\(.cold\)\{0,1\}+[^\"]*\[edu_dma\]\"" ||
		fail "$1 does not name act_$2"
}

# expect_nothing_but ID...
expect_nothing_but() {
	for id; do
		sed -i "/^$id /d" "$work/findings"
	done
	[ ! -s "$work/findings" ] || fail "also found: $(cat "$work/findings")"
}

# How else unmapping a part may show: the rest stays behind, or, where the IOMMU cannot
# split a mapping, it goes as well.
case $VM_IOMMU in
amd* | virtio*) of_a_part=unmap-wide ;;
*) of_a_part=leak-on-free ;;
esac
