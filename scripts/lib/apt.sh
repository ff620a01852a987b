# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2154
# A private apt: suites the machine does not have, its mirrors, its keyring.
#
# Lists and caches live below $build/kernels/apt/SUITE, so root is not needed and the
# machine's apt state is only read. Signatures are checked as always.

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints the URI the machine itself uses for Debian's archive ("") or the security one.
apt_mirror() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' \
		'Created-By: Packages' |
		awk -v sec="$1" '
			$1 != "Debian" || $2 ~ /-(updates|backports)/ { next }
			($2 ~ /-security$/) == (sec == "security") { print $3; exit }'
}

# apt_source URI SUITE
apt_source() {
	printf 'deb [signed-by=%s] %s %s main\n' "$apt_keyring" "$1" "$2"
}

apt_sources() {
	local main security

	main=$(apt_mirror '')
	[ -n "$main" ] || die "no Debian archive among this machine's apt sources;" \
		"add one and run 'apt-get update'"
	apt_source "$main" "$1"
	[ "$1" = bookworm ] || return 0

	security=$(apt_mirror security)
	[ -n "$security" ] || die "no Debian security archive among this machine's apt" \
		"sources; add one and run 'apt-get update'"
	apt_source "$security" bookworm-security
}

# apt_setup SUITE: from here on apt_run talks to SUITE (bookworm: with security).
apt_setup() {
	local dir=$build/kernels/apt/$1

	[ -e "$apt_keyring" ] || die "$apt_keyring is missing; install debian-archive-keyring"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	apt_sources "$1" >"$dir/sources.list"
	apt_options=(
		-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache"
		-o Dir::State::Status=/dev/null -o APT::Architecture=amd64
		-o APT::Architectures=amd64 -o Acquire::Languages=none -o Acquire::Retries=3
		-o APT::Sandbox::User=root -o APT::Update::Post-Invoke::= )
	(
		lock_dir "$dir"
		apt_run apt-get -qq update
	) || die "could not fetch the package lists of $1"
}

# apt_run PROGRAM ARGUMENT...
apt_run() {
	local program=$1

	shift
	"$program" "${apt_options[@]}" "$@"
}

# apt_depends PACKAGE REGEX: the first dependency of PACKAGE that matches.
apt_depends() {
	apt_run apt-cache depends "$1" 2>/dev/null |
		awk -v re="^($2)\$" '/Depends:/ && $NF ~ re { print $NF; exit }'
}

apt_exists() {
	apt_run apt-cache show "$1" >/dev/null 2>&1
}

# apt_newest REGEX: the matching package name with the highest version in it.
apt_newest() {
	apt_run apt-cache pkgnames | grep -E "^($1)\$" | sort -V | tail -n 1
}

# apt_download DIR PACKAGE...: leaves the .deb files in DIR, resumes what is partial.
apt_download() {
	local dir=$1

	shift
	mkdir -p "$dir"
	(cd "$dir" && apt_run apt-get -qq download "$@")
}
