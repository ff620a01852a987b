/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Up to when all that was written into a ring has been read.
 *
 * A record that is not stamped yet holds up what is behind it, for as long as its program is
 * preempted. So that the reader came to an end says nothing. But a head that was seen at some time
 * has everything that was stamped before it below it: once the tail has come there, that is read.
 */
#ifndef IOMMUSCOPE_PROGRESS_H
#define IOMMUSCOPE_PROGRESS_H

#include <stdint.h>

struct progress {
	uint64_t head;		/* as it was at @head_ns, or later */
	uint64_t head_ns;
	uint64_t complete_ns;	/* older than this has been read */
};

/** progress_read() - The tail is at @tail now. */
static inline void progress_read(struct progress *p, uint64_t tail)
{
	if (tail >= p->head)
		p->complete_ns = p->head_ns;
}

/** progress_turn() - The head was read as @head, after the clock said @now_ns. */
static inline void progress_turn(struct progress *p, uint64_t tail, uint64_t head,
				 uint64_t now_ns)
{
	if (tail < p->head)
		return;
	p->head = head;
	p->head_ns = now_ns;
	progress_read(p, tail);
}

#endif
