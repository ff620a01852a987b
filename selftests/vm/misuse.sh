# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # after lib.sh
# What the misuse-*.test share: several misuses of the DMA API in one recording, each in a
# function act_NAME of the driver, which the finding must name as the caller.

# misuse_story: the commands on stdin are recorded; then the driver lets go of the device.
misuse_story() {
	load_edu
	dmesg -C
	{
		cat
		echo "echo $EDU_BDF >$pci/drivers/edu_dma/unbind"
	} >"$work/story"
	record 1 --dma-debug -- sh "$work/story"
	dmesg | grep edu_dma
	dmesg >"$work/dmesg"
	"$scope" check "$work/trace"
	# What lazy flushing permits is no misuse.
	"$scope" check --json "$work/trace" | grep '"finding":' | grep -v '"grade":"exposure"' >"$work/left"
}

# renew BDF...: the device leaves the machine and comes back, with a new address space. What was
# unmapped without having been mapped is free twice in the old one, and would be given out twice.
renew() {
	for bdf; do
		echo 1 >"$pci/devices/$bdf/remove"
		echo 1 >"$pci/rescan"
	done
}

# misuse_act ACT...: commands for these acts.
misuse_act() {
	for act; do
		echo "echo $act >$pci/devices/$EDU_BDF/action"
	done
}

act_address() {
	sed -n "s/.*edu_dma.*: $1: [a-z_]* addr=\(0x[0-9a-f]*\).*/\1/p" "$work/dmesg" | head -n 1
}

# expect_misuse ACT GRADE WHAT [BDF]: found once at the driver's address, by that function, about
# the device (edu). Others of the same kind by it are not looked at: one act may do it twice.
# Compilers put what is seldom run into act_NAME.cold.
expect_misuse() {
	addr=$(act_address "$1")
	grep "\"caller\":\"act_$1\\(.cold\\)\\{0,1\\}+[^\"]*\[edu_dma\]\"" "$work/left" |
		grep "\"grade\":\"$2\".*\"device\":\"${4:-$EDU_BDF}\".*\"what\":\"$3\"" >"$work/match"
	times=$(grep '"finding":"dma-unmap-mismatch"' "$work/match" | grep -c "\"iova\":\"$addr\"")
	[ "$times" -eq 1 ] || fail "$1: \"$3\" was found $times times at $addr"
	echo "ok - $1: $3 at $addr"
	grep -vxFf "$work/match" "$work/left" >"$work/rest"
	mv "$work/rest" "$work/left"
}

# expect_consequence ID: of what the misuses did to memory.
expect_consequence() {
	grep -q "\"finding\":\"$1\".*\"device\":\"$EDU_BDF\"" "$work/left" || fail "no $1"
	sed -i "/\"finding\":\"$1\"/d" "$work/left"
}

# What is left is what nobody expected.
expect_no_more() {
	[ ! -s "$work/left" ] || fail "also found: $(cat "$work/left")"
}
