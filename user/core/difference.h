/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Differences between a table and a book, as findings: neighbours that differ alike are one. */
#ifndef IOMMUSCOPE_DIFFERENCE_H
#define IOMMUSCOPE_DIFFERENCE_H

#include "check.h"

struct differing {
	const struct model *m;
	const struct op *op;
	struct report *rep;
	const struct domain *domain;
	uint64_t since_ns;	/* of the next one: when it was seen first */
	/* The rest is private. */
	struct finding f;	/* grows while @parts */
	uint64_t parts;		/* ranges that lead, or should lead, to neighbouring memory */
	enum diff_kind kind;
	bool direct;
};

/** differing_add() - @d differs; they come in rising order. 0 or -ENOMEM. */
int differing_add(struct differing *l, const struct diff *d);

/** differing_end() - Nothing goes on from the last one. 0 or -ENOMEM. */
int differing_end(struct differing *l);

#endif
