// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two sorted lists of runs and two of flux, one sweep. A piece goes as far as all four stay as they are; it
 * waits until the next one shows that it does not go on there.
 */
#include "delta.h"

#define PAGE_LG2 12

struct sweep {
	const struct reading *r[2];
	size_t run[2], flux[2];	/* the first that does not end before @at */
	uint64_t at;
	delta_fn fn;
	void *arg;
	struct delta_count *count;
	struct delta held;
	const struct walk_run *held_end[2];	/* the runs at its end */
	bool holds;
	int err;
};

static uint64_t pages(uint64_t first, uint64_t last)
{
	return ((last - first) >> PAGE_LG2) + 1;
}

/* ---- one piece ---- */

static bool same_malformed(const struct walk_run *a, const struct walk_run *b)
{
	return a && b && a->kind == b->kind && a->raw == b->raw && a->level == b->level;
}

/* DELTA_KINDS: both say the same. */
static enum delta_kind kind_of(const struct walk_run *a, const struct walk_run *b, uint64_t first)
{
	if ((a && a->kind != WALK_LEAF) || (b && b->kind != WALK_LEAF))
		return same_malformed(a, b) ? DELTA_KINDS : DELTA_MALFORMED;
	if (!a)
		return DELTA_MAPPED;
	if (!b)
		return DELTA_UNMAPPED;
	if (delta_paddr(a, first) != delta_paddr(b, first))
		return DELTA_ELSEWHERE;
	return a->prot != b->prot ? DELTA_PROT : DELTA_KINDS;
}

static bool goes_on(const struct walk_run *was, const struct walk_run *run, uint64_t first)
{
	if (!was || !run)
		return !was && !run;
	return was->prot == run->prot && delta_paddr(was, first) == delta_paddr(run, first);
}

static void tell_held(struct sweep *s)
{
	if (!s->holds || s->err)
		return;
	s->holds = false;
	s->count->told++;
	if (s->fn)
		s->err = s->fn(s->arg, &s->held);
}

static void differ(struct sweep *s, enum delta_kind kind, uint64_t first, uint64_t last,
		   const struct walk_run *a, const struct walk_run *b)
{
	s->count->pages[kind] += pages(first, last);
	if (s->holds && kind != DELTA_MALFORMED && s->held.kind == kind && s->held.last + 1 == first &&
	    goes_on(s->held_end[0], a, first) && goes_on(s->held_end[1], b, first)) {
		s->held.last = last;
	} else {
		tell_held(s);
		s->held = (struct delta){ kind, first, last, a, b };
		s->holds = true;
	}
	s->held_end[0] = a;
	s->held_end[1] = b;
}

static void piece(struct sweep *s, uint64_t first, uint64_t last, const struct walk_run *a,
		  const struct walk_run *b, bool flux)
{
	enum delta_kind kind = kind_of(a, b, first);

	if (kind == DELTA_KINDS)
		s->count->same += a->kind == WALK_LEAF ? pages(first, last) : 0;
	else if (flux)
		s->count->flux += pages(first, last);
	else
		differ(s, kind, first, last, a, b);
}

/* ---- the sweep ---- */

/* Does [first, last] hold @at? Either way the piece from @at on ends where that changes. */
static bool holds_at(uint64_t at, uint64_t first, uint64_t last, uint64_t *end)
{
	uint64_t until = first > at ? first - 1 : last;

	if (until < *end)
		*end = until;
	return first <= at;
}

static const struct walk_run *run_at(struct sweep *s, int side, uint64_t *end)
{
	const struct reading *r = s->r[side];
	size_t *i = &s->run[side];

	while (*i < r->nruns && r->runs[*i].last < s->at)
		++*i;
	if (*i == r->nruns || !holds_at(s->at, r->runs[*i].iova, r->runs[*i].last, end))
		return NULL;
	return &r->runs[*i];
}

static bool flux_at(struct sweep *s, int side, uint64_t *end)
{
	const struct reading *r = s->r[side];
	size_t *i = &s->flux[side];

	while (*i < r->nflux && r->flux[*i].last < s->at)
		++*i;
	return *i < r->nflux && holds_at(s->at, r->flux[*i].first, r->flux[*i].last, end);
}

/* false: that was the end of both, or of the space. */
static bool step(struct sweep *s)
{
	uint64_t end = UINT64_MAX;
	const struct walk_run *a = run_at(s, 0, &end), *b = run_at(s, 1, &end);
	bool flux_a, flux_b;

	if (s->run[0] == s->r[0]->nruns && s->run[1] == s->r[1]->nruns)
		return false;
	flux_a = flux_at(s, 0, &end);
	flux_b = flux_at(s, 1, &end);
	if (a || b)
		piece(s, s->at, end, a, b, flux_a || flux_b);
	s->at = end + 1;
	return end != UINT64_MAX && !s->err;
}

int readings_delta(const struct reading *before, const struct reading *after, delta_fn fn,
		   void *arg, struct delta_count *count)
{
	struct sweep s = { .r = { before, after }, .fn = fn, .arg = arg, .count = count };

	*count = (struct delta_count){ 0 };
	while (step(&s))
		;
	tell_held(&s);
	return s.err;
}
