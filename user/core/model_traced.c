// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A reading beside a recording has ended (watch.h): what is known from events is compared with the table,
 * what is not known is learned from it.
 *
 * The address space falls apart into
 * - flux: touched by a call since the reading began, or never still for who read it. Nothing is said;
 * - live: in a sure live range. Compared;
 * - unknown: unsure live ranges, and spans that nobody knows. Learned, unless in flux;
 * - the rest is known to be empty. Compared.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_priv.h"

#define SUSPECTS_MAX 1024
#define PAST_STEPS 4096		/* what looking for a past may cost */

struct judging {
	struct model *m;
	struct domain *d;
	struct watch *w;
	const struct op *op;
	bool known;		/* is anything known of what is empty? */
	struct spans flux;
	struct spans unknown;
	struct spans learn;	/* unknown, and not in flux */
	struct reading sides;	/* the runs of the reading, and BOOK_MODEL */
	struct suspect *old;
	size_t nold;
	uint64_t learned;	/* ranges */
	uint64_t learned_pages;	/* of 4 KiB */
};

/* ---- spans ---- */

static int spans_copy(struct spans *to, const struct read_span *from, size_t count)
{
	size_t i;
	int err = 0;

	for (i = 0; i < count && !err; i++)
		err = spans_add(to, from[i].first, from[i].last);
	return err;
}

/* What of [first, last] is in none of @less, whose @at-th is the first that may meet it. */
static int span_minus(uint64_t first, uint64_t last, const struct spans *less, size_t *at,
		      struct spans *to)
{
	size_t i;
	int err;

	while (*at < less->count && less->at[*at].last < first)
		++*at;
	for (i = *at; i < less->count && less->at[i].first <= last; i++) {
		err = less->at[i].first > first ? spans_add(to, first, less->at[i].first - 1) : 0;
		if (err || less->at[i].last >= last)
			return err;
		first = less->at[i].last + 1;
	}
	return spans_add(to, first, last);
}

/* Both rise and are disjoint. */
static int spans_minus(const struct spans *from, const struct spans *less, struct spans *to)
{
	size_t i, at = 0;
	int err = 0;

	for (i = 0; i < from->count && !err; i++)
		err = span_minus(from->at[i].first, from->at[i].last, less, &at, to);
	return err;
}

/* ---- what is known ---- */

static int find_flux(struct judging *j)
{
	const struct reading *r = &j->m->reading;
	int err;

	if (j->w->all_touched)
		return spans_add(&j->flux, 0, UINT64_MAX);
	err = spans_copy(&j->flux, r->flux, r->nflux);
	if (!err)
		err = spans_copy(&j->flux, j->w->touched.at, j->w->touched.count);
	j->flux.count = spans_order(j->flux.at, j->flux.count);
	return err;
}

static struct book_area area_of(const struct range *r)
{
	return (struct book_area){
		.first = r->iova, .last = r->last, .prot = r->prot & (WALK_READ | WALK_WRITE),
		.paddr = r->paddr == PADDR_UNKNOWN ? AREA_PADDR_UNKNOWN : r->paddr,
	};
}

/* Sure ranges become the book, unsure ones @unknown. */
static int sort_ranges(struct judging *j, struct spans *live)
{
	const struct range *r;
	struct book_area area;
	int err = 0;

	for (r = range_first(&j->d->ranges, 0, UINT64_MAX); r && !err;
	     r = range_next(&j->d->ranges, r, UINT64_MAX)) {
		if (!model_range_sure(j->m, j->d, r)) {
			err = spans_add(&j->unknown, r->iova, r->last);
			continue;
		}
		area = area_of(r);
		err = spans_add(live, r->iova, r->last) ?:
		      reading_add_area(&j->sides, BOOK_MODEL, &area);
	}
	return err;
}

static int find_unknown(struct judging *j)
{
	struct spans live = { 0 }, all = { 0 };
	int err;

	if (j->known)
		err = spans_copy(&j->unknown, j->w->unknown.at, j->w->unknown.count);
	else
		err = spans_add(&j->unknown, 0, UINT64_MAX);
	if (!err)
		err = sort_ranges(j, &live);
	all = j->unknown;
	all.count = spans_order(all.at, all.count);
	j->unknown = (struct spans){ 0 };
	if (!err)
		err = spans_minus(&all, &live, &j->unknown) ?:
		      spans_minus(&j->unknown, &j->flux, &j->learn);
	spans_free(&live);
	spans_free(&all);
	return err;
}

/* ---- the two sides ---- */

/* The runs are the reading's; the rest is ours. */
static int build_sides(struct judging *j)
{
	const struct reading *r = &j->m->reading;
	struct spans open = { 0 };
	size_t i;
	int err = spans_copy(&open, j->flux.at, j->flux.count) ?:
		  spans_copy(&open, j->unknown.at, j->unknown.count);

	open.count = spans_order(open.at, open.count);
	for (i = 0; i < open.count && !err; i++)
		err = reading_add_flux(&j->sides, open.at[i].first, open.at[i].last);
	for (i = 0; i < r->ndirect && !err; i++)
		err = reading_add_direct(&j->sides, r->direct[i].first, r->direct[i].last);
	j->sides.runs = r->runs;
	j->sides.nruns = r->nruns;
	j->sides.books |= 1U << BOOK_MODEL;
	spans_free(&open);
	return err;
}

static int keep_suspect(void *arg, const struct diff *d)
{
	struct judging *j = arg;
	struct watch *w = j->w;
	struct suspect *s, *more;

	if (w->nsuspects == SUSPECTS_MAX)
		return 0;
	if (w->nsuspects == w->suspects_room) {
		size_t room = w->suspects_room * 2 + 16;

		more = reallocarray(w->suspects, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		w->suspects = more;
		w->suspects_room = room;
	}
	s = &w->suspects[w->nsuspects++];
	*s = (struct suspect){ .kind = d->kind, .first = d->first, .last = d->last,
			       .seen_ns = j->op->end, .area = { .first = 1 }, .run = { .iova = 1 } };
	if (d->area)
		s->area = *d->area;
	if (d->run)
		s->run = *d->run;
	return 0;
}

/* ---- the same as in the reading before? ---- */

static bool has_area(const struct suspect *s)
{
	return s->area.first <= s->area.last;
}

static bool has_run(const struct suspect *s)
{
	return s->run.iova <= s->run.last;
}

static bool same_area(const struct suspect *a, const struct suspect *b)
{
	if (!has_area(a) || !has_area(b))
		return has_area(a) == has_area(b);
	return a->area.paddr - a->area.first == b->area.paddr - b->area.first &&
	       a->area.prot == b->area.prot;
}

static bool same_run(const struct suspect *a, const struct suspect *b)
{
	if (!has_run(a) || !has_run(b))
		return has_run(a) == has_run(b);
	return a->run.kind == b->run.kind && a->run.prot == b->run.prot &&
	       (a->run.kind != WALK_LEAF ||
		a->run.paddr - a->run.iova == b->run.paddr - b->run.iova);
}

/* The part of @s that @old has as well. false: there is none. */
static bool narrow(struct suspect *s, const struct suspect *old)
{
	if (old->last < s->first || old->first > s->last || old->kind != s->kind ||
	    !same_area(old, s) || !same_run(old, s))
		return false;
	s->first = old->first > s->first ? old->first : s->first;
	s->last = old->last < s->last ? old->last : s->last;
	s->seen_ns = old->seen_ns;
	return true;
}

/* ---- what the kernel's own books say ---- */

/* Is [first, last] of @s in @book: 1 all of it, 0 nothing, -1 in part, or that book was not read. */
static int in_book(const struct reading *r, enum book book, const struct suspect *s)
{
	uint64_t at = s->first;
	bool any = false;
	size_t i;

	if (!(r->books >> book & 1))
		return -1;
	for (i = 0; i < r->nareas[book]; i++) {
		const struct book_area *a = &r->areas[book][i];

		if (a->last < at)
			continue;
		if (a->first > s->last)
			break;
		any = true;
		if (a->first > at)
			return -1;
		if (a->last >= s->last)
			return 1;
		at = a->last + 1;
	}
	return any ? -1 : 0;
}

/* The page that a process has there is the one that the table has. */
static bool process_agrees(const struct reading *r, const struct suspect *s)
{
	uint64_t at = s->first;
	size_t i;

	for (i = 0; i < r->nareas[BOOK_PROCESS]; i++) {
		const struct book_area *a = &r->areas[BOOK_PROCESS][i];

		if (a->last < at)
			continue;
		if (a->first > at || a->paddr - a->first != s->run.paddr - s->run.iova)
			return false;
		if (a->last >= s->last)
			return true;
		at = a->last + 1;
	}
	return false;
}

/* An entry that was left where an unmap was heard is no map that we missed. */
static bool was_left(const struct suspect *s, const struct past *p)
{
	return p && p->range.iova <= s->first && p->range.last >= s->last &&
	       p->range.paddr != PADDR_UNKNOWN &&
	       p->range.paddr - p->range.iova == s->run.paddr - s->run.iova;
}

/*
 * Exact books know what is mapped. The DMA API's allocator knows what is not: of an address that it gave
 * away it cannot say whether something is mapped there.
 */
static bool books_agree(const struct judging *j, const struct suspect *s, const struct past *p)
{
	const struct reading *r = &j->m->reading;

	switch (s->kind) {
	case DIFF_MISSING:
		return !in_book(r, BOOK_VFIO, s) || !in_book(r, BOOK_IOMMUFD, s) ||
		       !in_book(r, BOOK_IOVA, s);
	case DIFF_EXTRA:
		return in_book(r, BOOK_VFIO, s) == 1 || in_book(r, BOOK_IOMMUFD, s) == 1 ||
		       (in_book(r, BOOK_IOVA, s) == 1 && !was_left(s, p));
	case DIFF_PADDR:
		return process_agrees(r, s);
	default:
		return false;
	}
}

/* Did the map and the unmap that were heard of this place run side by side? Then nobody knows which was the last. */
static bool calls_met(const struct judging *j, const struct suspect *s, const struct past *p)
{
	const struct range *r = range_first(&j->d->ranges, s->first, s->last);

	if (!p)
		return false;
	if (!r)
		r = &p->range;
	return !(r->flags & RANGE_READ) && spans_meet(r->begin, r->end, p->begin, p->end);
}

static enum suspect_state judge_suspect(const struct judging *j, const struct suspect *s)
{
	const struct past *p;

	if (!model_affords(j->m, PAST_STEPS))
		return SUSPECT_NEW;
	p = model_past(j->m, j->d, s->first);
	if (books_agree(j, s, p))
		return SUSPECT_OURS;
	return calls_met(j, s, p) ? SUSPECT_UNSURE : SUSPECT_STANDS;
}

/* Both lists rise and are disjoint. */
static void judge_suspects(struct judging *j, bool calm)
{
	size_t i, k, at = 0;

	for (i = 0; i < j->w->nsuspects && calm; i++) {
		struct suspect *s = &j->w->suspects[i];

		while (at < j->nold && j->old[at].last < s->first)
			at++;
		for (k = at; k < j->nold && j->old[k].first <= s->last; k++) {
			if (!narrow(s, &j->old[k]))
				continue;
			s->state = judge_suspect(j, s);
			break;
		}
	}
}

/* ---- learning ---- */

static int learn_run(struct judging *j, const struct walk_run *run, uint64_t first, uint64_t last)
{
	struct range r = {
		.iova = run->iova > first ? run->iova : first,
		.last = run->last < last ? run->last : last,
		.begin = j->w->begin_ns, .end = j->op->end, .seq = j->op->seq, .cpu = j->op->cpu,
		.prot = run->prot, .epoch = j->m->epoch, .flags = RANGE_READ,
	};

	r.paddr = run->paddr + (r.iova - run->iova);
	j->learned++;
	j->learned_pages += ((r.last - r.iova) >> 12) + 1;
	debts_close(j->m, j->d, r.iova, r.last);
	return range_insert(&j->d->ranges, &r);
}

/* @at: the first run that may meet it. */
static int learn_span(struct judging *j, uint64_t first, uint64_t last, size_t *at)
{
	const struct reading *r = &j->m->reading;
	int err = range_carve(&j->d->ranges, first, last, NULL, NULL);
	size_t i;

	while (*at < r->nruns && r->runs[*at].last < first)
		++*at;
	for (i = *at; i < r->nruns && r->runs[i].iova <= last && !err; i++)
		if (r->runs[i].kind == WALK_LEAF)
			err = learn_run(j, &r->runs[i], first, last);
	return err;
}

static int learn(struct judging *j)
{
	struct look_result *look = &j->d->look;
	size_t i, at = 0;
	int err = 0;

	for (i = 0; i < j->learn.count && !err; i++)
		err = learn_span(j, j->learn.at[i].first, j->learn.at[i].last, &at);
	look->healed += j->learned;
	look->healed_pages += j->learned_pages;
	look->heals += j->learned > 0;
	return err;
}

/* Where we were wrong the table is right. */
static int correct(struct judging *j)
{
	size_t i, at = 0;
	int err = 0;

	for (i = 0; i < j->w->nsuspects && !err; i++) {
		const struct suspect *s = &j->w->suspects[i];

		if (s->state != SUSPECT_OURS && s->state != SUSPECT_UNSURE)
			continue;
		j->d->look.corrected += s->state == SUSPECT_OURS;
		err = learn_span(j, s->first, s->last, &at);
	}
	return err;
}

/* What was unknown and in flux stays unknown. */
static int remember(struct judging *j)
{
	j->w->unknown.count = 0;
	j->w->known_epoch = j->m->epoch;
	return spans_minus(&j->unknown, &j->learn, &j->w->unknown);
}

/* ---- the whole ---- */

#define NEEDS (NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_ALL)

static bool may_judge(const struct model *m, const struct domain *d, const struct ev_read *r)
{
	return model_reading_whole(m) && d->sure_epoch <= d->watch->begin_epoch &&
	       !(r->flags & (EV_READ_CUT | EV_READ_NO_TABLE | EV_READ_UNKNOWN)) &&
	       r->format < WALK_FORMATS && m->attached && !m->stopped && !m->gaps_open &&
	       d->watch->begin_ns > m->doubt_end_ns && !(m->missing & NEEDS);
}

static void count_sides(struct judging *j, const struct compared *c)
{
	j->d->look.books |= 1U << BOOK_MODEL;
	j->d->look.pages[BOOK_MODEL] = c->pages;
}

static int judge(struct judging *j)
{
	bool calm = j->op->u.read.flags & EV_READ_CALM;
	struct compared c;
	int err;

	err = find_flux(j) ?: find_unknown(j) ?: build_sides(j) ?:
	      reading_compare(&j->sides, BOOK_MODEL, keep_suspect, j, &c);
	if (err)
		return err;
	count_sides(j, &c);
	judge_suspects(j, calm && j->w->calm);
	j->w->calm = calm;
	return learn(j) ?: correct(j) ?: remember(j);
}

static bool is_known(const struct model *m, const struct domain *d)
{
	if (epoch_sure(m, d->watch->known_epoch, d->sure_epoch))
		return true;
	return !d->watch->known_epoch && d->watch->unknown.count == 0 && model_domain_whole(m, d);
}

int watch_judge(struct model *m, struct domain *d, const struct op *op)
{
	struct judging j = { .m = m, .d = d, .w = d->watch, .op = op, .known = is_known(m, d) };
	int err = 0;

	j.old = j.w->suspects;
	j.nold = j.w->nsuspects;
	j.w->suspects = NULL;
	j.w->nsuspects = j.w->suspects_room = 0;
	if (may_judge(m, d, &op->u.read) && model_affords(m, watch_steps(m, d))) {
		err = judge(&j);
		m->judged = d;
	} else {
		j.w->calm = false;
	}
	free(j.old);
	j.sides.runs = NULL;
	reading_drain(&j.sides);
	spans_free(&j.flux);
	spans_free(&j.unknown);
	spans_free(&j.learn);
	return err;
}
