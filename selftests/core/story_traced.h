/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Readings beside a recording, in a story. */
#ifndef IOMMUSCOPE_TEST_STORY_TRACED_H
#define IOMMUSCOPE_TEST_STORY_TRACED_H

#include "story_reading.h"

#define IOVAS (1U << BOOK_IOVA)
#define PADDR 0x100000000ULL	/* of map() */

/* DOM was there before, or was born in the story. */
STORY void found_domain(struct story *s)
{
	begin(s);
}

STORY void born_domain(struct story *s)
{
	story_begin_attached(s);
}

STORY void look_begins(struct story *s, uint32_t books)
{
	read_is(s, DOM, EV_READ_BEGIN, 0, EV_READ_TRACED);
	read_is(s, DOM, EV_READ_TABLE, books, EV_READ_TRACED);
}

STORY void look_ends(struct story *s)
{
	read_is(s, DOM, EV_READ_END, 0, EV_READ_TRACED | EV_READ_CALM);
}

/* As map() makes them. */
STORY void entries(struct story *s, uint64_t iova, uint64_t pages)
{
	run_is(s, DOM, iova, pages, PADDR + iova, 3, WALK_LEAF);
}

/* A reading of [iova, ...) with nothing else. */
STORY void look(struct story *s, uint64_t iova, uint64_t pages)
{
	look_begins(s, 0);
	if (pages)
		entries(s, iova, pages);
	look_ends(s);
}

STORY const struct look_result *result(const struct story *s)
{
	return &model_domain(engine_model(s->e), DOM)->look;
}

STORY const struct range *live(const struct story *s, uint64_t iova)
{
	const struct domain *d = model_domain(engine_model(s->e), DOM);
	const struct range *r = range_first(&d->ranges, iova, iova);

	return r && model_range_sure(engine_model(s->e), d, r) ? r : NULL;
}

STORY void a_loss(struct story *s)
{
	gap(s, s->now, s->now + 100);
	s->now += 200;
}

#endif
