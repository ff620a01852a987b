/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The live ranges of one domain: disjoint, ordered by IOVA.
 *
 * A range is what one map call made, or what later unmaps left of it. It is *sure*
 * only if nothing was lost since: see model_range_sure().
 */
#ifndef IOMMUSCOPE_RANGE_H
#define IOMMUSCOPE_RANGE_H

#include <stdint.h>

#include "omap.h"
#include "pool.h"

#define PADDR_UNKNOWN	(~0ULL)

#define RANGE_UNSURE	0x1	/* in doubt for itself: skipped, half unmapped, overlapped */
#define RANGE_SG	0x2	/* a piece of a scatterlist */
#define RANGE_REPLAYED	0x4	/* made by a VFIO attach that succeeded */
#define RANGE_FRAMED	0x8	/* in the index by page frame */
#define RANGE_READ	0x10	/* read in the page table between @begin and @end: who mapped it is not known */

struct domain;
struct frames;

struct range {
	uint64_t iova;
	uint64_t last;
	uint64_t paddr;		/* of @iova, or PADDR_UNKNOWN */
	uint64_t begin;		/* of the map, ns; 0 unknown */
	uint64_t end;
	uint64_t cause;		/* intent around the map, or 0 */
	uint64_t seq;		/* record that made it, with @cpu */
	uint32_t prot;
	uint32_t epoch;		/* of the map; 0: was in doubt from the beginning */
	uint32_t pid;
	uint16_t cpu;
	uint16_t flags;		/* RANGE_* */
	struct domain *domain;	/* whose set it is in */
	struct range *peer;	/* frame.c: the next of its chain */
	struct range **held;	/* and what points here */
};

struct ranges {
	struct omap map;
	struct pool *pool;
	struct frames *frames;	/* the index that its ranges are in, or NULL */
	struct domain *domain;	/* that these are the ranges of, or NULL */
	uint64_t count;
	uint64_t bytes;		/* modulo 2^64 */
};

/* Told about each removed piece, clipped; @piece is valid during the call only. */
typedef int (*range_fn)(void *arg, const struct range *piece);

/** range_first() - Return: the lowest range that intersects [@iova, @last], or NULL. */
struct range *range_first(const struct ranges *s, uint64_t iova, uint64_t last);

/** range_next() - Return: the range above @r that intersects [.., @last], or NULL. */
struct range *range_next(const struct ranges *s, const struct range *r, uint64_t last);

/**
 * range_insert() - Add a copy of @r
 * @s: the set
 * @r: must intersect nothing in @s
 *
 * Return: 0 or -ENOMEM.
 */
int range_insert(struct ranges *s, const struct range *r);

/**
 * range_carve() - Remove all bytes of [@iova, @last]
 * @s:    the set
 * @iova: first byte
 * @last: last byte
 * @fn:   told about each removed piece in rising order; may be NULL
 * @arg:  for @fn
 *
 * Return: 0, -ENOMEM, or what @fn returned if not 0 (the rest then stays).
 */
int range_carve(struct ranges *s, uint64_t iova, uint64_t last, range_fn fn, void *arg);

/** ranges_clear() - Remove everything. */
void ranges_clear(struct ranges *s);

#endif
