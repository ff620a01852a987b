// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two random tables, as records, through the collector and the sweep; against one array element per page and side.
 *
 * SEEDS: how many pairs.
 */
#include <stdlib.h>

#include "rnd.h"
#include "snap_story.h"

#define PAGES 64
#define DOMAIN 0xd0

struct page {
	bool there, flux;
	struct walk_run run;	/* of this page alone */
};

struct world {
	uint64_t base;
	struct page pages[2][PAGES];
	struct snapshot snap[2];
	int told[PAGES];	/* number of the delta + 1; 0 none */
	struct delta deltas[PAGES];
	size_t n;
};

static uint64_t iova_of(const struct world *w, size_t i)
{
	return w->base + i * 0x1000;
}

/* ---- drawing ---- */

static struct page draw_page(const struct world *w, size_t i)
{
	struct page p = { .there = rnd(4), .flux = !rnd(8) || (i && w->pages[0][i - 1].flux && rnd(2)) };

	p.run = (struct walk_run) {
		.iova = iova_of(w, i), .last = iova_of(w, i) + 0xfff, .level = 1,
		.paddr = rnd(6) ? (1ULL << 40) + i * 0x1000 : rnd(16) << 12,
		.prot = rnd(6) ? RW : rnd(4), .kind = rnd(20) ? WALK_LEAF : 1 + rnd(WALK_KINDS - 1),
	};
	p.run.raw = p.run.kind == WALK_LEAF ? 0 : rnd(2);
	return p;
}

/* The second side is the first one, but for a few pages. */
static void draw(struct world *w)
{
	static const uint64_t bases[] = { 0, 1ULL << 30, -(uint64_t)PAGES * 0x1000 };
	size_t i, one_in = 1 + rnd(20);

	memset(w, 0, sizeof(*w));
	w->base = bases[rnd(3)];
	for (i = 0; i < PAGES; i++) {
		w->pages[0][i] = draw_page(w, i);
		w->pages[1][i] = rnd(one_in) ? w->pages[0][i] : draw_page(w, i);
	}
}

static bool goes_on(const struct page *a, const struct page *b)
{
	return a->there && b->there && a->run.kind == WALK_LEAF && b->run.kind == WALK_LEAF &&
	       a->run.prot == b->run.prot && a->run.paddr + 0x1000 == b->run.paddr;
}

/* Spans over more than there is, in no order. */
static void write_flux(struct snapshot *s, const struct page *p)
{
	size_t i, last;

	for (i = PAGES; i--;) {
		for (last = i; last + 1 < PAGES && p[last + 1].flux && rnd(3);)
			last++;
		if (p[i].flux)
			snap_flux(s, DOMAIN, p[i].run.iova, p[last].run.last);
	}
}

/* What goes on is one run, mostly. */
static void write_side(struct world *w, int side)
{
	struct snapshot *s = &w->snap[side];
	struct page *p = w->pages[side];
	struct walk_run run;
	size_t i;

	snapshot_init(s);
	snap_device(s, 1, "dev", "", DOMAIN);
	snap_read(s, DOMAIN, EV_READ_BEGIN, 0x1000, 0);
	write_flux(s, p);
	for (i = 0; i < PAGES; i++) {
		if (!p[i].there)
			continue;
		run = p[i].run;
		while (i + 1 < PAGES && goes_on(&p[i], &p[i + 1]) && rnd(10))
			run.last = p[++i].run.last;
		snap_run(s, DOMAIN, &run);
	}
	snap_read(s, DOMAIN, EV_READ_END, 0x1000, 0);
	snap_end(s);
	assert_int_equal(s->odd, 0);
	assert_int_equal(s->domains[0].state, SNAP_READ);
}

/* ---- the obvious ---- */

/* DELTA_KINDS: alike, or nothing on both sides. */
static int kind_of(const struct world *w, size_t i)
{
	const struct page *a = &w->pages[0][i], *b = &w->pages[1][i];
	bool bad_a = a->there && a->run.kind != WALK_LEAF, bad_b = b->there && b->run.kind != WALK_LEAF;

	if (!a->there && !b->there)
		return DELTA_KINDS;
	if (bad_a && bad_b && a->run.kind == b->run.kind && a->run.raw == b->run.raw)
		return DELTA_KINDS;
	if (bad_a || bad_b)
		return DELTA_MALFORMED;
	if (!a->there || !b->there)
		return a->there ? DELTA_UNMAPPED : DELTA_MAPPED;
	if (a->run.paddr != b->run.paddr)
		return DELTA_ELSEWHERE;
	return a->run.prot != b->run.prot ? DELTA_PROT : DELTA_KINDS;
}

static bool is_flux(const struct world *w, size_t i)
{
	return w->pages[0][i].flux || w->pages[1][i].flux;
}

static bool side_goes_on(const struct page *p)
{
	return (!p[0].there && !p[1].there) || goes_on(&p[0], &p[1]);
}

/* Are @i and @i + 1 one delta, if both are deltas? */
static bool joined(const struct world *w, size_t i)
{
	return kind_of(w, i) == kind_of(w, i + 1) && kind_of(w, i) != DELTA_MALFORMED &&
	       side_goes_on(&w->pages[0][i]) && side_goes_on(&w->pages[1][i]);
}

static int told(void *arg, const struct delta *d)
{
	struct world *w = arg;
	size_t i, first = (d->first - w->base) >> 12, last = (d->last - w->base) >> 12;

	assert_true(first <= last && last < PAGES && w->n < PAGES);
	w->deltas[w->n++] = *d;
	for (i = first; i <= last; i++) {
		assert_int_equal(w->told[i], 0);
		assert_int_equal(kind_of(w, i), d->kind);
		w->told[i] = w->n;
	}
	return 0;
}

static void check(struct world *w)
{
	struct delta_count count;
	uint64_t same = 0, flux = 0, pages[DELTA_KINDS] = { 0 };
	size_t i;

	assert_int_equal(readings_delta(&w->snap[0].domains[0].table, &w->snap[1].domains[0].table,
					told, w, &count), 0);
	for (i = 0; i < PAGES; i++) {
		int kind = kind_of(w, i);
		bool delta = kind != DELTA_KINDS && !is_flux(w, i);

		assert_int_equal(!!w->told[i], delta);
		if (delta)
			pages[kind]++;
		flux += kind != DELTA_KINDS && is_flux(w, i);
		same += kind == DELTA_KINDS && w->pages[0][i].there &&
			w->pages[0][i].run.kind == WALK_LEAF;
		if (i && w->told[i] && w->told[i - 1])
			assert_int_equal(w->told[i] == w->told[i - 1], joined(w, i - 1));
	}
	assert_int_equal(count.same, same);
	assert_int_equal(count.flux, flux);
	assert_int_equal(count.told, w->n);
	assert_memory_equal(count.pages, pages, sizeof(pages));
}

static void agree(void **state)
{
	const char *text = getenv("SEEDS");
	uint64_t seed, seeds = text ? strtoull(text, NULL, 0) : 20000;
	static struct world w;
	uint64_t told_in_all = 0;

	(void)state;
	for (seed = 1; seed <= seeds; seed++) {
		rnd_state = seed * 0x9e3779b97f4a7c15ULL;
		draw(&w);
		write_side(&w, 0);
		write_side(&w, 1);
		check(&w);
		told_in_all += w.n;
		snapshot_drain(&w.snap[0]);
		snapshot_drain(&w.snap[1]);
	}
	assert_true(told_in_all > seeds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
