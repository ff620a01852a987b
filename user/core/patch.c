// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Parts of a reading, read again. Runs and areas are clipped out of the spans, and those of the patch
 * put there: one merge of two sorted lists each.
 */
#include <stdlib.h>

#include "reading.h"

struct patching {
	const struct read_span *spans;
	size_t count;
	size_t at;		/* the first span that may meet what comes */
	struct reading out;
};

/* The part of [*first, last] before the next span, in [*first, *end]; false: it is all inside. */
static bool before_span(struct patching *p, uint64_t *first, uint64_t last, uint64_t *end)
{
	while (p->at < p->count && p->spans[p->at].last < *first)
		p->at++;
	while (p->at < p->count && p->spans[p->at].first <= *first) {
		if (p->spans[p->at].last >= last)
			return false;
		*first = p->spans[p->at++].last + 1;
	}
	*end = last;
	if (p->at < p->count && p->spans[p->at].first <= last)
		*end = p->spans[p->at].first - 1;
	return true;
}

static int keep_run(struct patching *p, struct walk_run run)
{
	uint64_t first = run.iova, last = run.last, end;
	int err = 0;

	while (!err && before_span(p, &first, last, &end)) {
		struct walk_run part = run;

		part.iova = first;
		part.last = end;
		part.paddr = run.kind == WALK_LEAF ? run.paddr + (first - run.iova) : run.paddr;
		err = reading_add_run(&p->out, &part);
		if (end == last)
			break;
		first = end + 1;
	}
	return err;
}

static int keep_area(struct patching *p, enum book book, struct book_area area)
{
	uint64_t first = area.first, last = area.last, end;
	int err = 0;

	while (!err && before_span(p, &first, last, &end)) {
		struct book_area part = area;

		part.first = first;
		part.last = end;
		if (area.paddr != AREA_PADDR_UNKNOWN)
			part.paddr += first - area.first;
		if (area.vaddr)
			part.vaddr += first - area.first;
		err = reading_add_area(&p->out, book, &part);
		if (end == last)
			break;
		first = end + 1;
	}
	return err;
}

/*
 * Of an old run parts may stand on both sides of a new one: what is new is added when the next part of
 * the old is behind it.
 */
static int patch_runs(struct patching *p, const struct reading *old, const struct reading *new)
{
	struct reading kept = { 0 };
	size_t i, n = 0;
	int err = 0;

	for (i = 0; i < old->nruns && !err; i++)
		err = keep_run(p, old->runs[i]);
	kept.runs = p->out.runs;
	kept.nruns = p->out.nruns;
	p->out.runs = NULL;
	p->out.nruns = p->out.runs_room = 0;
	for (i = 0; i <= kept.nruns && !err; i++) {
		while (n < new->nruns && !err &&
		       (i == kept.nruns || new->runs[n].iova < kept.runs[i].iova))
			err = reading_add_run(&p->out, &new->runs[n++]);
		if (i < kept.nruns && !err)
			err = reading_add_run(&p->out, &kept.runs[i]);
	}
	reading_drain(&kept);
	return err;
}

static int patch_areas(struct patching *p, enum book book, const struct reading *old,
		       const struct reading *new)
{
	struct reading kept = { 0 };
	size_t i, n = 0;
	int err = 0;

	p->at = 0;
	for (i = 0; i < old->nareas[book] && !err; i++)
		err = keep_area(p, book, old->areas[book][i]);
	kept.areas[book] = p->out.areas[book];
	kept.nareas[book] = p->out.nareas[book];
	p->out.areas[book] = NULL;
	p->out.nareas[book] = p->out.areas_room[book] = 0;
	for (i = 0; i <= kept.nareas[book] && !err; i++) {
		while (n < new->nareas[book] && !err &&
		       (i == kept.nareas[book] ||
			new->areas[book][n].first < kept.areas[book][i].first))
			err = reading_add_area(&p->out, book, &new->areas[book][n++]);
		if (i < kept.nareas[book] && !err)
			err = reading_add_area(&p->out, book, &kept.areas[book][i]);
	}
	reading_drain(&kept);
	return err;
}

/* The runs and areas of @new take the place of those of @r. */
static void replace(struct reading *r, const struct reading *new)
{
	unsigned int book;

	free(r->runs);
	r->runs = new->runs;
	r->nruns = new->nruns;
	r->runs_room = new->runs_room;
	for (book = 0; book < BOOK_COUNT; book++) {
		free(r->areas[book]);
		r->areas[book] = new->areas[book];
		r->nareas[book] = new->nareas[book];
		r->areas_room[book] = new->areas_room[book];
	}
}

int reading_patch(struct reading *r, const struct read_span *spans, size_t count,
		  const struct reading *patch)
{
	struct patching p = { .spans = spans, .count = count };
	unsigned int book;
	int err;

	err = patch_runs(&p, r, patch);
	for (book = 0; book < BOOK_COUNT && !err; book++)
		err = patch_areas(&p, book, r, patch);
	if (err)
		reading_drain(&p.out);
	else
		replace(r, &p.out);
	return err;
}
