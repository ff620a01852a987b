# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
# Makes unpacked linux-headers packages work where they are, instead of in /usr/src.

# arrange_headers ROOT FINAL RELEASE: ROOT will be called FINAL when it is complete.
arrange_headers() {
	local makefile=$1/usr/src/linux-headers-$3/Makefile

	sed -i "s|\([ =]\)/usr/src/|\1$2/usr/src/|" "$makefile"
	! grep -q '[ =]/usr/src/' "$makefile" || die "unexpected absolute path in $makefile"
}
