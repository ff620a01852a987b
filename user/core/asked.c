// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "asked.h"

#include <errno.h>
#include <stdlib.h>

#define RUNS_MAX 65536
#define OF_RUN 5	/* addresses */
#define OF_WINDOW 4

struct chooser {
	const struct reading *r;
	const struct walk_table *t;
	uint64_t state;
	uint64_t *iovas;
	size_t count;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t chance(struct chooser *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint64_t chance_in(struct chooser *c, uint64_t first, uint64_t last)
{
	uint64_t span = last - first, number = chance(c);

	return span == UINT64_MAX ? number : first + number % (span + 1);
}

static void choose(struct chooser *c, uint64_t iova)
{
	c->iovas[c->count++] = iova;
}

static void choose_edges(struct chooser *c, uint64_t first, uint64_t last)
{
	choose(c, first);
	choose(c, last);
	if (first)
		choose(c, first - 1);
	if (last != UINT64_MAX)
		choose(c, last + 1);
}

static void choose_by_chance(struct chooser *c, size_t i)
{
	const struct reading *r = c->r;
	const struct walk_window *w = c->t->windows;

	if (r->nruns && i % 2) {
		const struct walk_run *run = &r->runs[chance(c) % r->nruns];

		choose(c, chance_in(c, run->iova, run->last));
	} else if (r->nruns && i % 4) {
		choose(c, chance_in(c, r->runs[0].iova, r->runs[r->nruns - 1].last));
	} else {
		w += chance(c) % c->t->nwindows;
		choose(c, chance_in(c, w->first, w->last));
	}
}

static int rising(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t each_once(uint64_t *iovas, size_t count)
{
	size_t i, n = 0;

	qsort(iovas, count, sizeof(*iovas), rising);
	for (i = 0; i < count; i++)
		if (!n || iovas[i] != iovas[n - 1])
			iovas[n++] = iovas[i];
	return n;
}

int asked_choose(const struct reading *r, const struct walk_table *t, size_t random, uint64_t seed,
		 struct asked *out)
{
	struct chooser c = { .r = r, .t = t, .state = seed };
	size_t step = r->nruns / RUNS_MAX + 1, i;

	if (random > SIZE_MAX / 32)
		return -ENOMEM;
	c.iovas = calloc(random + (r->nruns / step + 1) * OF_RUN + WALK_WINDOWS_MAX * OF_WINDOW,
			 sizeof(*c.iovas));
	if (!c.iovas)
		return -ENOMEM;
	for (i = 0; i < r->nruns; i += step) {
		const struct walk_run *run = &r->runs[i];

		choose_edges(&c, run->iova, run->last);
		choose(&c, run->iova + (run->last - run->iova) / 2);
	}
	for (i = 0; i < t->nwindows; i++)
		choose_edges(&c, t->windows[i].first, t->windows[i].last);
	for (i = 0; i < random && t->nwindows; i++)
		choose_by_chance(&c, i);
	*out = (struct asked){ c.iovas, each_once(c.iovas, c.count) };
	return 0;
}

void asked_free(struct asked *a)
{
	free(a->iovas);
	*a = (struct asked){ 0 };
}

/* Is 0 where the table leads from @iova? *@run: the first run that does not end before it. */
static bool leads_to_zero(const struct reading *r, size_t *run, uint64_t iova)
{
	const struct walk_run *at;

	while (*run < r->nruns && r->runs[*run].last < iova)
		++*run;
	at = *run < r->nruns ? &r->runs[*run] : NULL;
	return at && at->iova <= iova && at->kind == WALK_LEAF && !(at->paddr + (iova - at->iova));
}

int asked_answer(struct reading *r, const uint64_t *iovas, const uint64_t *paddrs, size_t count)
{
	size_t i, run = 0;
	int err = 0;

	r->books |= 1U << BOOK_IOVA_TO_PHYS;
	for (i = 0; i < count && !err; i++) {
		struct book_area area = { .first = iovas[i], .last = iovas[i],
					  .paddr = paddrs[i] ? paddrs[i] : AREA_PADDR_UNKNOWN,
					  .flags = paddrs[i] ? 0 : AREA_HOLE };

		if (paddrs[i] || !leads_to_zero(r, &run, iovas[i]))
			err = reading_add_area(r, BOOK_IOVA_TO_PHYS, &area);
	}
	return err;
}
