# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154
# The kernel 'own-bugs': 'own' with the edits of scripts/own-bugs, one build for all bugs.
#
# It begins as a copy of own's objects, so only what the edits touch is compiled. source/ is a
# copy by hard links: an edited file is a new file, own's is never written to. Make's records
# of commands name both folders by their paths, and are rewritten in the copy.

bugs_dir=$here/own-bugs

bugs_ingredients() {
	local file

	cat "$1/packages"
	for file in "$bugs_dir"/*; do
		echo "${file##*/} - $(stat -c %s "$file") $(sha256sum <"$file" | cut -d ' ' -f 1)"
	done
}

# edit FILE FUNCTION REGEX REPLACEMENT: see scripts/own-bugs/edits.
edit() {
	local file=$own/source/$1

	# In a function: from a line at the margin that names it to the next '}' there.
	FUNCTION=$2 REGEX=$3 REPLACEMENT=$4 awk '
		BEGIN { start = "(^|[ *])" ENVIRON["FUNCTION"] "[(]" }
		/^[a-z_]/ && $0 ~ start { inside = 1 }
		inside && $0 ~ ENVIRON["REGEX"] { count += sub(ENVIRON["REGEX"], ENVIRON["REPLACEMENT"]) }
		/^}/ { inside = 0 }
		{ print }
		END { exit count != 1 }' "$file" >"$file.new" ||
		die "own-bugs: '$3' is not one line of $2() in $1"
	mv "$file.new" "$file"
	grep -q own_bug.h "$file" || bugs_include "$file"
}

bugs_include() {
	sed '0,/^#include <linux\//s//#include <linux\/own_bug.h>\n&/' "$1" >"$1.new"
	mv "$1.new" "$1"
}

bugs_plant() {
	local makefile=$own/source/drivers/iommu/Makefile

	cp --remove-destination "$bugs_dir/own_bug.h" "$own/source/include/linux/"
	cp --remove-destination "$bugs_dir/own_bug.c" "$own/source/drivers/iommu/"
	{ cat "$makefile" && echo 'obj-y += own_bug.o'; } >"$makefile.new"
	mv "$makefile.new" "$makefile"
	# shellcheck source=scripts/own-bugs/edits
	. "$bugs_dir/edits"
}

# bugs_copy OWN: objects keep their times, or all of them would be made again.
bugs_copy() {
	local from to

	from=$(cd "$1" && pwd -P)
	to=$(cd "$own" && pwd -P)
	note "copying what was built for own"
	rm -rf "$own/source" "$own/build"
	cp -al "$from/source" "$own/source"
	cp -a --reflink=auto "$from/build" "$own/build"
	ln -sfn "$to/source" "$own/build/source"
	{
		find "$own/build" -name '.*.cmd' -print0
		find "$own/build" -maxdepth 3 \( -name Makefile -o -name '*.conf.cmd' \) -print0
	} | bugs_rename "$from" "$to"
}

# bugs_rename FROM TO: in the files on stdin, which keep their times.
bugs_rename() {
	local list file

	list=$(mktemp)
	xargs -0 grep -lF "$1/" >"$list" || :
	while read -r file; do
		sed "s|$1/|$2/|g" "$file" >"$file.new"
		touch -r "$file" "$file.new"
		mv "$file.new" "$file"
	done <"$list"
	rm "$list"
}

# get_own_bugs DIR
get_own_bugs() {
	local base=$build/kernels/own

	# Held to the end: own must not change while it is copied.
	lock_dir "$base"
	get_own "$base"
	own=$1
	! bugs_ingredients "$base" | cmp -s - "$own/packages" || [ ! -d "$own/root" ] || return 0
	check_own_tools
	rm -rf "$own/root" "$own/headers" "$own/headers.new" "$own/packages"
	bugs_copy "$base"
	bugs_plant
	own_options=(LOCALVERSION=-bugs)
	own_build
	own_arrange
	bugs_ingredients "$base" >"$own/packages"
	mv "$own/headers.new" "$own/headers"
	mv "$own/root.new" "$own/root"
}
