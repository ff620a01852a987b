# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# awk -f matrix.awk matrix.expected CASES FINDINGS.json STANDING-CASES VERIFIED.json
#
# Joins what was done when (refiommu/matrix.c) with what was found when, and what stands where (refiommu/standing.c)
# with what was found there; prints the matrix of bugs and findings as a table, and after it a line 'FAIL: ...' for
# each bug that gave not what matrix.expected says. Notes and exposures count as nothing.

function key(line, name, to) {
	if (!match(line, "\"" name "\":\"?[^\",}]*"))
		return ""
	to = substr(line, RSTART, RLENGTH)
	sub("\"" name "\":\"?", "", to)
	return to
}

FNR == 1 { file++ }

function fail(text) { fails[++nfails] = text }

# BUG PLACES ID [ALSO...]: PLACES is a list of DRIVER[:FORMAT][=ID], or '-'.
file == 1 && !/^#/ && NF {
	order[++nbugs] = $1
	places[$1] = $2
	want[$1] = $3
	allowed[$1] = " "
	for (i = 3; i <= NF; i++)
		allowed[$1] = allowed[$1] $i " "
	for (i = split($2, list, ","); i > 0; i--)
		if (split(list[i], parts, "=") > 1)
			allowed[$1] = allowed[$1] parts[2] " "
	next
}

file == 2 && $1 == "case" {
	n++
	bug[n] = $2; format[n] = $3; driver[n] = $4; begin[n] = $5; end[n] = $6
	was_run[$2] = 1
	if (!($3 in formats)) formats[$3] = 1
	next
}

file == 3 && /"finding":/ {
	if (key($0, "grade") != "violation")
		next
	time = key($0, "time_ns") + 0
	for (i = 1; i <= n; i++)
		if (time >= begin[i] && time <= end[i])
			break
	if (i > n) {
		fails[++nfails] = "outside of all cases: " key($0, "finding")
		next
	}
	found(bug[i], format[i], driver[i], key($0, "finding"))
}

# Addresses as text of one length, which compares as numbers do: they are too large for awk's.
function padded(address) {
	return substr("0000000000000000" substr(address, 3), length(address) - 1)
}

file == 4 && $1 == "case" {
	m++
	s_bug[m] = $2; s_format[m] = $3; s_driver[m] = $4
	s_first[m] = padded($5); s_last[m] = padded($6); s_device[m] = $7
	was_run[$2] = 1
	next
}

# Of a huge page nobody can say which of its pages is pinned: intent-differs counts as an exposure, too.
file == 5 && /"finding":/ {
	if (key($0, "grade") != "violation" && key($0, "finding") != "intent-differs")
		next
	device = key($0, "device")
	iova = padded(key($0, "iova"))
	for (i = 1; i <= m; i++)
		if (s_device[i] == device && s_first[i] <= iova && iova <= s_last[i])
			break
	if (i > m)
		fail("where nothing stands: " $0)
	else
		found(s_bug[i], s_format[i], s_driver[i], key($0, "finding"))
}

function found(b, f, d, id) {
	count[b, d, f, id]++
	seen[b, d, id] = 1
}

# What is wanted of one driver, in each format or in the one that is named.
function check_place(b, place, named, parts, nparts, id, f) {
	id = split(place, named, "=") > 1 ? named[2] : want[b]
	nparts = split(named[1], parts, ":")
	for (f in formats)
		if ((nparts < 2 || parts[2] == f) && !((b, parts[1], f, id) in count))
			fail(b " by " parts[1] " on " f ": no " id)
}

function check_bug(b, list, k, i, part) {
	if (!(b in was_run))
		fail(b " was not run")
	if (places[b] != "-") {
		k = split(places[b], list, ",")
		for (i = 1; i <= k; i++)
			check_place(b, list[i])
	}
	for (k in count) {
		split(k, part, SUBSEP)
		if (part[1] == b && !index(allowed[b], " " part[4] " "))
			fail(b " by " part[2] " on " part[3] ": " part[4])
	}
}

function cell(b, d, k, part, text, i, ids, nids) {
	for (k in seen) {
		split(k, part, SUBSEP)
		if (part[1] == b && part[2] == d)
			ids[++nids] = part[3]
	}
	if (!nids)
		return want[b] == "table" ? "table" : "-"
	for (i = 1; i <= nids; i++)
		if (ids[i] == want[b])
			text = ids[i]
	for (i = 1; i <= nids; i++)
		if (ids[i] != want[b])
			text = text (text ? ", " : "") ids[i]
	return text
}

END {
	print "| bug | own address spaces | VFIO | DMA API |"
	print "|---|---|---|---|"
	for (i = 1; i <= nbugs; i++) {
		b = order[i]
		print "| " b " | " cell(b, "ioas") " | " cell(b, "vfio") " | " cell(b, "dmaapi") " |"
		check_bug(b)
	}
	for (b in was_run)
		if (!(b in want))
			fail(b " is not in the list")
	for (i = 1; i <= nfails; i++)
		print "FAIL: " fails[i]
}
