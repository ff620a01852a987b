/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which ranges hold a page frame? An index by physical address over the ranges of all domains.
 *
 * A range of up to 2^k bytes (its class) is filed once, under its first address >> k. It can
 * reach no further than into the next such block: who asks for an address looks at two keys of
 * each class in use. Costs 24 bytes in each range and about 8 in the table; adding and
 * removing touch one chain.
 *
 * Off until pages are heard to be freed: ranges of before are not in it.
 */
#ifndef IOMMUSCOPE_FRAME_H
#define IOMMUSCOPE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "range.h"

#define FRAME_CLASSES 64

struct frames {
	bool on;
	struct range **table;
	size_t size;			/* of @table; 0 or a power of two */
	uint64_t count;
	uint64_t used[FRAME_CLASSES];	/* ranges of each class */
	uint64_t classes;		/* bits of those in use */
	int64_t *credit;		/* for walks, see model_credit.c; NULL: any number of steps */
};

/* Told about a range that holds a part of what was asked for. Returns 0 to go on. */
typedef int (*frame_fn)(void *arg, struct range *r);

/**
 * frames_add() - File @r, which stays where it is until frames_del()
 *
 * Without memory it is left out: what is freed beneath it will not be seen.
 */
void frames_add(struct frames *f, struct range *r);

/** frames_prefetch() - A range of @bytes at @paddr may be filed soon: ask memory for its place. */
void frames_prefetch(const struct frames *f, uint64_t paddr, uint64_t bytes);

/** frames_del() - Take @r out, if it is in. Before its addresses change. */
void frames_del(struct frames *f, struct range *r);

/**
 * frames_each() - Walk what holds a byte of [@paddr, @last], in no order
 * @f:     the index
 * @paddr: first physical address
 * @last:  last one
 * @fn:    must not change the index
 * @arg:   for @fn
 *
 * Return: 0, what @fn returned if not 0, or -E2BIG: the credit is used up, not all was looked at.
 */
int frames_each(const struct frames *f, uint64_t paddr, uint64_t last, frame_fn fn, void *arg);

void frames_free(struct frames *f);

#endif
