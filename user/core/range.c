// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Disjoint ranges on the ordered map, keyed by their first byte. */
#include <errno.h>
#include <stddef.h>

#include "frame.h"
#include "range.h"

static uint64_t range_bytes(const struct range *r)
{
	return r->last - r->iova + 1;
}

struct range *range_first(const struct ranges *s, uint64_t iova, uint64_t last)
{
	struct range *r = omap_floor(&s->map, last);

	/* One search answers the common question: is it free? */
	if (!r || r->last < iova)
		return NULL;
	if (r->iova <= iova)
		return r;

	r = omap_floor(&s->map, iova);
	if (r && r->last >= iova)
		return r;
	return omap_ceil(&s->map, iova);
}

struct range *range_next(const struct ranges *s, const struct range *r, uint64_t last)
{
	struct range *n;

	if (r->last >= last)
		return NULL;

	n = omap_ceil(&s->map, r->last + 1);
	return n && n->iova <= last ? n : NULL;
}

int range_insert(struct ranges *s, const struct range *r)
{
	struct range *n = pool_get(s->pool);

	if (!n)
		return -ENOMEM;
	*n = *r;
	n->domain = s->domain;
	n->flags &= ~RANGE_FRAMED;
	if (omap_put(&s->map, n->iova, n)) {
		pool_put(s->pool, n);
		return -ENOMEM;
	}
	frames_add(s->frames, n);
	s->count++;
	s->bytes += range_bytes(n);
	return 0;
}

static void range_clip(struct range *r, uint64_t iova, uint64_t last)
{
	if (r->iova < iova) {
		if (r->paddr != PADDR_UNKNOWN)
			r->paddr += iova - r->iova;
		r->iova = iova;
	}
	if (r->last > last)
		r->last = last;
}

static void range_drop(struct ranges *s, struct range *r)
{
	frames_del(s->frames, r);
	omap_del(&s->map, r->iova);
	s->count--;
	s->bytes -= range_bytes(r);
	pool_put(s->pool, r);
}

/* Take [iova, last] out of @r: nothing, a head, a tail or both remain. */
static int range_cut(struct ranges *s, struct range *r, uint64_t iova, uint64_t last)
{
	struct range tail = *r;
	int tailed = r->last > last;

	if (r->iova < iova) {
		s->bytes -= r->last - iova + 1;
		frames_del(s->frames, r);
		r->last = iova - 1;
		frames_add(s->frames, r);
	} else {
		range_drop(s, r);
	}
	if (!tailed)
		return 0;

	range_clip(&tail, last + 1, UINT64_MAX);
	return range_insert(s, &tail);
}

int range_carve(struct ranges *s, uint64_t iova, uint64_t last, range_fn fn, void *arg)
{
	struct range *r;
	int ret = 0;

	while (!ret && (r = range_first(s, iova, last))) {
		struct range piece = *r;

		range_clip(&piece, iova, last);
		ret = range_cut(s, r, piece.iova, piece.last);
		if (!ret && fn)
			ret = fn(arg, &piece);
		if (piece.last == last)
			break;
		iova = piece.last + 1;
	}
	return ret;
}

void ranges_clear(struct ranges *s)
{
	struct range *r;
	uint64_t at = 0;

	for (r = omap_ceil(&s->map, 0); r; r = at ? omap_ceil(&s->map, at) : NULL) {
		at = r->last + 1;
		frames_del(s->frames, r);
		pool_put(s->pool, r);
	}
	omap_clear(&s->map);
	s->count = 0;
	s->bytes = 0;
}
