/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sequence numbers that a stream has not shown yet.
 *
 * Records are in the file by time, and a record that others overtook has a lower
 * number than they. So a jump in the numbers is at first only a hole; what fills it
 * usually follows. The reader looks ahead by a window of records, and a hole that is
 * still open when the record that opened it is about to be delivered is a loss.
 *
 * Invariant: holes are disjoint, not empty, and ascending in number and in @opener.
 */
#ifndef IOMMUSCOPE_TRACE_HOLES_H
#define IOMMUSCOPE_TRACE_HOLES_H

#include <stddef.h>
#include <stdint.h>

/*
 * A number is younger than the time of its record, so a record that is missing may have
 * been made after the next number's: one for each context that can interrupt another.
 * But not long after it.
 */
#define HOLES_CONTEXTS	4
#define HOLES_NEST_NS	10000000u

struct hole {
	uint64_t first, end;	/* [first, end) */
	uint64_t to_ns;		/* what is missing was made before this */
	uint64_t opener;	/* index in the stream of the record that opened it */
};

/* All zero is a stream before its first record. */
struct holes {
	uint64_t next_seq;	/* after the highest seen */
	uint64_t again;		/* numbers seen twice, or after they were given up */
	struct hole *list;
	size_t count, slots;
};

/**
 * holes_see() - A record was seen
 * @h:       the holes
 * @seq:     its number, below UINT64_MAX
 * @time_ns: its time
 * @index:   its index in the stream; ascending
 *
 * Return: 0 or -ENOMEM.
 */
int holes_see(struct holes *h, uint64_t seq, uint64_t time_ns, uint64_t index);

/**
 * holes_take() - Give up on the holes that records up to @index opened
 * @to_ns: set to a time behind the last of them, if there was one
 *
 * Return: numbers lost.
 */
uint64_t holes_take(struct holes *h, uint64_t index, uint64_t *to_ns);

void holes_free(struct holes *h);

#endif
