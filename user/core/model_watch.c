// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What calls do to a page table while it is watched (watch.h): they touch places. Nothing that a reading saw
 * there can be held against anybody. This is in the way of every map and unmap, so it does little.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_priv.h"

#define TOUCHED_MAX (1U << 18)	/* of one reading: more, and all of it is in flux */
#define UNKNOWN_MAX 4096	/* more, and all is unknown */

/* ---- spans ---- */

int spans_add(struct spans *s, uint64_t first, uint64_t last)
{
	struct read_span *more;
	size_t room;

	if (s->count == s->room) {
		room = s->room * 2 + 64;
		more = reallocarray(s->at, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->at = more;
		s->room = room;
	}
	s->at[s->count++] = (struct read_span){ first, last };
	return 0;
}

void spans_free(struct spans *s)
{
	free(s->at);
	*s = (struct spans){ 0 };
}

/* ---- life ---- */

void watch_free(struct model *m, struct domain *d)
{
	struct watch *w = d->watch;

	if (!w)
		return;
	if (m->watched == d)
		m->watched = NULL;
	spans_free(&w->touched);
	spans_free(&w->unknown);
	free(w->suspects);
	free(w);
	d->watch = NULL;
}

void watch_shut(struct model *m)
{
	if (m->watched)
		m->watched->watch->open = false;
	m->watched = NULL;
}

int watch_open(struct model *m, struct domain *d)
{
	struct watch *w = d->watch;

	watch_shut(m);
	if (!w)
		w = d->watch = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->open = true;
	w->all_touched = false;
	w->touched.count = 0;
	w->begin_ns = m->now;
	w->begin_epoch = m->epoch;
	m->watched = d;
	return 0;
}

#define STEPS_OF_PART 4	/* each is copied and sorted some times */

uint64_t watch_steps(const struct model *m, const struct domain *d)
{
	const struct watch *w = d->watch;

	return STEPS_OF_PART * (d->ranges.count + m->reading.nruns + m->reading.nflux + w->touched.count +
				w->unknown.count);
}

/* ---- calls ---- */

static void note_touch(struct watch *w, uint64_t first, uint64_t last)
{
	struct read_span *s = w->touched.count ? &w->touched.at[w->touched.count - 1] : NULL;

	if (w->all_touched)
		return;
	/* Pieces of a scatterlist, and a page that is mapped and unmapped, come one after the other. */
	if (s && first >= s->first && (first <= s->last || first - 1 == s->last)) {
		if (last > s->last)
			s->last = last;
		return;
	}
	if (w->touched.count >= TOUCHED_MAX || spans_add(&w->touched, first, last))
		w->all_touched = true;
}

/* The lowest suspect that does not lie before @iova. */
static size_t suspect_from(const struct watch *w, uint64_t iova)
{
	size_t low = 0, high = w->nsuspects;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->suspects[middle].last < iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void clear_suspects(struct watch *w, uint64_t iova, uint64_t last)
{
	size_t from = suspect_from(w, iova), to = from;

	while (to < w->nsuspects && w->suspects[to].first <= last)
		to++;
	if (to == from)
		return;
	memmove(&w->suspects[from], &w->suspects[to], (w->nsuspects - to) * sizeof(*w->suspects));
	w->nsuspects -= to - from;
}

void watch_touch(struct domain *d, uint64_t iova, uint64_t last)
{
	struct watch *w = d->watch;

	if (!w)
		return;
	if (w->open)
		note_touch(w, iova, last);
	if (w->nsuspects)
		clear_suspects(w, iova, last);
}

void watch_doubt(struct domain *d, uint64_t iova, uint64_t last)
{
	struct watch *w = d->watch;

	if (!w)
		return;
	watch_touch(d, iova, last);
	if (w->unknown.count >= UNKNOWN_MAX || spans_add(&w->unknown, iova, last))
		w->known_epoch = 0;
}
