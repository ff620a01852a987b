# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2119,SC2120 # names for the tests; optional arguments
# Shared by the tests in the VM. They run as root, one at a time, with the environment
# of scripts/vm. However a test ends, its loads end and its devices lose their drivers.
#
# A test ends with 0 (passed), 4 (skipped, after saying why) or anything else (failed).

set -u

here=$(cd "$(dirname "$0")" && pwd -P)
tools=${BUILD:=$here/../../build}/selftests/vm
scope=${SCOPE:-$BUILD/iommuscope}
name=$(basename "$0" .test)
work=$OUT/$name
vfio_bdf=$E1000E_BDF	# the device that tests give to VFIO

say() {
	echo "# $*"
}

fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	echo "SKIP: $*"
	exit 4
}

# run_and_expect STATUS COMMAND...
run_and_expect() {
	expected=$1
	shift
	"$@"
	actual=$?
	[ "$actual" -eq "$expected" ] || fail "status $actual, not $expected: $*"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

need() {
	for program; do
		command -v "$program" >/dev/null || skip "$program is not here"
	done
}

# Devices and their drivers

pci=/sys/bus/pci

driver_of() {
	[ ! -e "$pci/devices/$1/driver" ] || basename "$(readlink "$pci/devices/$1/driver")"
}

group_type() {
	cat "$pci/devices/$1/iommu_group/type"
}

# set_group_type BDF TYPE: false if the kernel refuses.
set_group_type() {
	echo "$2" >"$pci/devices/$1/iommu_group/type"
}

unbind() {
	[ ! -e "$pci/devices/$1/driver" ] || echo "$1" >"$pci/devices/$1/driver/unbind"
	echo >"$pci/devices/$1/driver_override"
}

# bind BDF DRIVER
bind() {
	unbind "$1"
	echo "$2" >"$pci/devices/$1/driver_override"
	echo "$1" >"$pci/drivers_probe"
	[ "$(driver_of "$1")" = "$2" ] || fail "$2 does not take $1"
}

# There is no interrupt remapping in the VM, hence unsafe.
load_vfio() {
	modprobe vfio_iommu_type1 allow_unsafe_interrupts=1 || skip 'no VFIO type1'
	modprobe vfio_pci || skip 'no vfio-pci'
}

bind_vfio() {
	load_vfio
	bind "$1" vfio-pci
}

# The disk appears before its partitions were looked for: let it come to rest.
load_nvme() {
	modprobe nvme || skip 'no nvme driver'
	[ "$(driver_of "$NVME_BDF")" = nvme ] || bind "$NVME_BDF" nvme
	wait_for 10 test -b /dev/nvme0n1 || fail 'no disk'
	sleep 1
}

read_nvme() {
	dd if=/dev/nvme0n1 of=/dev/null bs=64k count=64 iflag=direct 2>&1
}

net_device() {
	ls "$pci/devices/$E1000E_BDF/net" 2>/dev/null
}

up_e1000e() {
	modprobe e1000e || skip 'no e1000e driver'
	[ "$(driver_of "$E1000E_BDF")" = e1000e ] || bind "$E1000E_BDF" e1000e
	wait_for 10 net_device || fail 'no network device'
	ip link set "$(net_device)" up
	ip address replace 10.0.2.15/24 dev "$(net_device)"
	wait_for 10 ping -c 1 -W 1 10.0.2.2 || fail 'the gateway does not answer'
}

edu_module=$tools/edu_dma/$(uname -r)/edu_dma.ko

load_edu() {
	[ -e "$edu_module" ] || skip "no edu_dma module for $(uname -r):" \
		'make -C selftests/vm edu_dma KERNEL=...'
	[ -e /sys/module/edu_dma ] || insmod "$edu_module" || fail 'insmod'
	[ "$(driver_of "$EDU_BDF")" = edu_dma ] || bind "$EDU_BDF" edu_dma
}

# Recordings

# record STATUS ARGUMENT...: into a fresh $work/trace.
record() {
	status=$1
	shift
	rm -rf "$work/trace"
	mkdir -p "$work"
	run_and_expect "$status" "$scope" record -o "$work/trace" "$@"
}

# start_record ARGUMENT...: in the background, as $recorder; hears everything on return.
start_record() {
	rm -rf "$work/trace"
	mkdir -p "$work"
	"$scope" record -o "$work/trace" "$@" >"$work/record.log" 2>&1 &
	recorder=$!
	wait_for 30 recording || fail "the recorder does not start: $(cat "$work/record.log")"
}

recording() {
	"$tools/facts" "$work/trace" | grep -q '^mark state'
}

# stop_record STATUS
stop_record() {
	kill -TERM "$recorder"
	wait "$recorder"
	actual=$?
	recorder=
	cat "$work/record.log"
	[ "$actual" -eq "$1" ] || fail "the recorder's status is $actual, not $1"
}

check() {
	run_and_expect "$1" "$scope" check "$work/trace"
}

# fact WORD...: the number behind these words in what facts prints, 0 if there is none.
fact() {
	"$tools/facts" "$work/trace" | awk -v key="$* " '
		index($0, key) == 1 { print $NF; found = 1; exit }
		END { if (!found) print 0 }'
}

# One line per violation: its id, device and first address.
findings() {
	"$scope" check --json "$work/trace" | sed -n '/"finding":/{
		/"grade":"violation"/!d
		s/,"evidence".*//
		s/.*"finding":"\([^"]*\)".*"device":"\([^"]*\)".*"iova":"\([^"]*\)".*/\1 \2 \3/
		p
	}'
}

# figure ID KEY: a number of the details of the first finding ID; nothing if there is none.
figure() {
	"$scope" check --json "$work/trace" |
		sed -n "/\"finding\":\"$1\"/s/.*\"details\".*\"$2\":\([0-9]*\).*/\1/p" | head -n 1
}

# stack_has ID ROLE FUNCTION: all findings ID have this one in the call stack of that record.
stack_has() {
	"$scope" check --json "$work/trace" | grep "\"finding\":\"$1\"" >"$work/stacks" &&
		! grep -v "\"role\":\"$2\"[^]]*\"stack\":\[[^]]*$3+" "$work/stacks"
}

# The number of events that check counts.
stat_events() {
	"$scope" check --stat --json "$work/trace" |
		sed -n 's/.*"summary":.*"total":\([0-9]*\).*/\1/p'
}

# Loads, run in the background until end_load

loads=

# start_load COMMAND...: again and again.
start_load() {
	while :; do "$@" >/dev/null 2>&1 || sleep 0.1; done &
	loads="$loads $!"
}

end_load() {
	for load in $loads; do
		kill "$load" 2>/dev/null
		wait "$load" 2>/dev/null
	done
	loads=
}

vfio_user() {
	"$tools/vfio_user" "$vfio_bdf" "$@"
}

recorder=

clean_up() {
	end_load
	[ -z "$recorder" ] || kill -KILL "$recorder" 2>/dev/null
	for bdf in $NVME_BDF $E1000E_BDF $EDU_BDF; do
		unbind "$bdf"
	done
}

trap clean_up EXIT
trap 'exit 143' TERM
rm -rf "$work"
mkdir -p "$work"
