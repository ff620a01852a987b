# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# awk -f matrix.awk matrix.expected CASES FINDINGS.json
#
# Joins what was done when (refiommu/matrix.c) with what was found when, prints the matrix of bugs
# and findings as a table, and after it a line 'FAIL: ...' for each bug that gave not what
# matrix.expected says. Notes and exposures count as nothing.

function key(line, name, to) {
	if (!match(line, "\"" name "\":\"?[^\",}]*"))
		return ""
	to = substr(line, RSTART, RLENGTH)
	sub("\"" name "\":\"?", "", to)
	return to
}

FNR == 1 { file++ }

# BUG PLACES ID [ALSO...]: PLACES is a list of DRIVER or DRIVER:FORMAT, or '-'.
file == 1 && !/^#/ && NF {
	order[++nbugs] = $1
	places[$1] = $2
	want[$1] = $3
	allowed[$1] = " "
	for (i = 3; i <= NF; i++)
		allowed[$1] = allowed[$1] $i " "
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
	id = key($0, "finding")
	count[bug[i], driver[i], format[i], id]++
	seen[bug[i], driver[i], id] = 1
}

function fail(text) { fails[++nfails] = text }

# What is wanted of one driver, in each format or in the one that is named.
function check_place(b, place, parts, nparts, f) {
	nparts = split(place, parts, ":")
	for (f in formats)
		if ((nparts < 2 || parts[2] == f) && !((b, parts[1], f, want[b]) in count))
			fail(b " by " parts[1] " on " f ": no " want[b])
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
	for (i = 1; i <= n; i++)
		if (!(bug[i] in want) && !((bug[i]) in said)) {
			said[bug[i]] = 1
			fail(bug[i] " is not in the list")
		}
	for (i = 1; i <= nfails; i++)
		print "FAIL: " fails[i]
}
