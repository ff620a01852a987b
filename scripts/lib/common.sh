# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
# Shared by the scripts: where things are, how they speak, how they take turns.
#
# Everything generated lives below $build; nothing on the machine is changed.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=${BUILD:-$repo/build}
prog=${0##*/}
status_usage=${status_usage:-2}

# What a kernel's log says when something went wrong; for grep -E.
# shellcheck disable=SC2034 # used by the scripts
kernel_complaint='(BUG|WARNING|KASAN|KFENCE|UBSAN): |: Oops|Oops: |Kernel panic|general protection'
kernel_complaint="$kernel_complaint|possible recursive|unreferenced object"

note() {
	printf '%s: %s\n' "$prog" "$*" >&2
}

# fail STATUS MESSAGE...
fail() {
	local status=$1

	shift
	note "$@"
	exit "$status"
}

die() {
	fail 1 "$@"
}

usage_error() {
	note "$@"
	printf "Try '%s --help'.\n" "$prog" >&2
	exit "$status_usage"
}

# The leading comment of the script, from its first '##' line on, is its manual.
show_help() {
	sed -n 's/^## \{0,1\}//p' "$0"
}

# The build folder as an absolute path; programs in a VM run elsewhere.
make_build_dir() {
	mkdir -p "$build"
	build=$(cd "$build" && pwd -P)
}

# need PROGRAM GROUP: GROUP is the group of scripts/deps that has it.
need() {
	local old=$PATH

	PATH=$PATH:/usr/sbin:/sbin
	command -v "$1" >/dev/null || die "$1 is missing; run 'scripts/deps $2'"
	PATH=$old
}

# lock_dir DIR: hold DIR's lock until the calling (sub)shell exits.
lock_dir() {
	local fd

	mkdir -p "$1"
	exec {fd}>"$1/.lock"
	flock -n "$fd" && return
	note "waiting for another run to finish with $1"
	flock "$fd"
}
