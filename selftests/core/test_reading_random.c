// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The sweep against the obvious: a space of 64 cells, and one array element per cell for what each side says of
 * it. A cell is a page, a byte or a gigabyte; the space lies at the bottom, in the middle and at the top.
 *
 * SEEDS: how many random readings.
 */
#include <stdlib.h>

#include "rnd.h"
#include "story.h"
#include "core/reading.h"

#define CELLS 64
#define NONE (-1)

static const unsigned int cell_lg2s[] = { 12, 12, 0, 30 };

/* What each cell is to both sides: numbers of areas and runs, or NONE. */
struct cells {
	struct reading r;
	enum book book;
	uint64_t base;
	unsigned int lg2;
	int area[CELLS], run[CELLS];
	bool flux[CELLS], direct[CELLS];
};

static uint64_t cell_first(const struct cells *c, unsigned int cell)
{
	return c->base + ((uint64_t)cell << c->lg2);
}

static uint64_t cell_last(const struct cells *c, unsigned int cell)
{
	return cell_first(c, cell) + ((1ULL << c->lg2) - 1);
}

/* ---- a random reading ---- */

static void draw_place(struct cells *c)
{
	uint64_t bytes;

	c->lg2 = cell_lg2s[rnd(sizeof(cell_lg2s) / sizeof(cell_lg2s[0]))];
	bytes = (uint64_t)CELLS << c->lg2;
	switch (rnd(3)) {
	case 0:
		c->base = 0;
		break;
	case 1:
		c->base = -bytes;
		break;
	default:
		c->base = bytes * (1 + rnd(100));
		break;
	}
}

/* Where things lead: mostly one of two contiguous places, so that both sides often agree. */
static uint64_t draw_paddr(const struct cells *c, unsigned int cell)
{
	uint64_t offset = (uint64_t)cell << c->lg2;

	switch (rnd(8)) {
	case 0:
		return c->base + offset;	/* one to one */
	case 1:
		return rnd(1ULL << 40);
	default:
		return (1ULL << 44) + offset;
	}
}

static void draw_run(struct cells *c, unsigned int cell, unsigned int n)
{
	struct walk_run run = {
		.iova = cell_first(c, cell), .last = cell_last(c, cell + n - 1),
		.paddr = draw_paddr(c, cell), .prot = rnd(3) ? 3 : rnd(4),
		.kind = rnd(10) ? WALK_LEAF : 1 + rnd(WALK_KINDS - 1),
	};
	unsigned int i;

	for (i = 0; i < n; i++)
		c->run[cell + i] = c->r.nruns;
	assert_int_equal(reading_add_run(&c->r, &run), 0);
}

static void draw_area(struct cells *c, unsigned int cell, unsigned int n)
{
	struct book_area area = {
		.first = cell_first(c, cell), .last = cell_last(c, cell + n - 1),
		.paddr = rnd(4) ? draw_paddr(c, cell) : AREA_PADDR_UNKNOWN,
		.prot = rnd(3) ? 3 : rnd(4),
		.flags = c->book == BOOK_IOVA_TO_PHYS && !rnd(3) ? AREA_HOLE : 0,
	};
	unsigned int i;

	for (i = 0; i < n; i++)
		c->area[cell + i] = c->r.nareas[c->book];
	assert_int_equal(reading_add_area(&c->r, c->book, &area), 0);
}

static void draw_side(struct cells *c, void (*one)(struct cells *, unsigned int, unsigned int))
{
	unsigned int cell = 0, n, longest = 1 + rnd(20), gaps = rnd(4);

	while (cell < CELLS) {
		n = 1 + rnd(longest);
		if (n > CELLS - cell)
			n = CELLS - cell;
		if (rnd(4) >= gaps)
			one(c, cell, n);
		cell += n;
	}
}

static void draw_spans(struct cells *c, bool *cells,
		       int (*add)(struct reading *r, uint64_t first, uint64_t last))
{
	unsigned int n = rnd(2) ? 0 : rnd(6), cell, last, i;

	while (n--) {
		cell = rnd(CELLS);
		last = cell + rnd(rnd(2) ? 3 : CELLS);
		if (last >= CELLS)
			last = CELLS - 1;
		for (i = cell; i <= last; i++)
			cells[i] = true;
		assert_int_equal(add(&c->r, cell_first(c, cell), cell_last(c, last)), 0);
	}
}

static void draw(struct cells *c)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < CELLS; i++)
		c->area[i] = c->run[i] = NONE;
	reading_init(&c->r);
	draw_place(c);
	c->book = rnd(BOOK_COUNT);
	c->r.books = 1U << c->book;
	draw_side(c, draw_run);
	draw_side(c, draw_area);
	draw_spans(c, c->flux, reading_add_flux);
	draw_spans(c, c->direct, reading_add_direct);
}

/* ---- the obvious ---- */

static bool is_hole(const struct cells *c, unsigned int i)
{
	return c->area[i] != NONE && c->r.areas[c->book][c->area[i]].flags & AREA_HOLE;
}

/* Of what they do not have they say nothing. */
static bool is_partial(const struct cells *c)
{
	return c->book == BOOK_PROCESS || c->book == BOOK_IOVA_TO_PHYS;
}

/* The kind of difference that a cell is, but for flux; NONE: no difference. */
static int cell_kind(const struct cells *c, unsigned int i)
{
	const struct book_area *a = c->area[i] == NONE ? NULL : &c->r.areas[c->book][c->area[i]];
	const struct walk_run *run = c->run[i] == NONE ? NULL : &c->r.runs[c->run[i]];
	uint64_t at = cell_first(c, i), leads;

	if (!a && !run)
		return NONE;
	if (!run)
		return c->book == BOOK_IOVA || c->book == BOOK_PROCESS || is_hole(c, i) ?
		       NONE : DIFF_MISSING;
	if (is_partial(c) && !a)
		return NONE;
	if (run->kind != WALK_LEAF)
		return is_partial(c) || c->book == BOOK_DEBUGFS ? NONE : DIFF_BAD;
	if (is_hole(c, i) || (!a && c->book == BOOK_DEBUGFS))
		return DIFF_EXTRA;
	leads = run->paddr + (at - run->iova);
	if (!a)
		return c->direct[i] && leads == at ? NONE : DIFF_EXTRA;
	if (a->paddr != AREA_PADDR_UNKNOWN && a->paddr + (at - a->first) != leads)
		return DIFF_PADDR;
	if ((a->prot & WALK_READ && !(run->prot & WALK_READ)) ||
	    (a->prot & WALK_WRITE && !(run->prot & WALK_WRITE)))
		return DIFF_PROT_LESS;
	if (a->prot == WALK_READ && run->prot & WALK_WRITE)
		return DIFF_PROT_MORE;
	return NONE;
}

static bool same(const struct cells *c, unsigned int i, unsigned int j)
{
	return cell_kind(c, i) == cell_kind(c, j) && c->area[i] == c->area[j] &&
	       c->run[i] == c->run[j];
}

static bool is_leaf(const struct cells *c, unsigned int i)
{
	return c->run[i] != NONE && c->r.runs[c->run[i]].kind == WALK_LEAF;
}

struct expected {
	struct diff diffs[CELLS];
	unsigned int n;
	struct compared count;
};

static void expect_cell(struct expected *e, const struct cells *c, unsigned int i)
{
	int kind = cell_kind(c, i);

	if ((is_leaf(c, i) || (is_hole(c, i) && c->run[i] == NONE)) && c->area[i] != NONE && !c->flux[i])
		e->count.pages++;
	if (is_leaf(c, i) && c->area[i] == NONE && kind == NONE && !is_partial(c))
		e->count.direct++;
	if (kind == NONE || c->flux[i])
		return;
	if (i && same(c, i - 1, i) && !c->flux[i - 1]) {
		e->diffs[e->n - 1].last = cell_last(c, i);
		return;
	}
	e->diffs[e->n++] = (struct diff){
		.kind = kind, .book = c->book, .first = cell_first(c, i), .last = cell_last(c, i),
		.area = c->area[i] == NONE ? NULL : &c->r.areas[c->book][c->area[i]],
		.run = c->run[i] == NONE ? NULL : &c->r.runs[c->run[i]],
	};
}

/* Of each difference that would be there without flux: is some of it in flux? */
static void expect_flux(struct expected *e, const struct cells *c)
{
	bool counted = false;
	unsigned int i;

	for (i = 0; i < CELLS; i++) {
		if (i && !same(c, i - 1, i))
			counted = false;
		if (cell_kind(c, i) == NONE || !c->flux[i] || counted)
			continue;
		counted = true;
		e->count.flux++;
	}
}

static void expect_all(struct expected *e, const struct cells *c)
{
	unsigned int i;

	memset(e, 0, sizeof(*e));
	for (i = 0; i < CELLS; i++)
		expect_cell(e, c, i);
	expect_flux(e, c);
	e->count.diffs = e->n;
	if (c->lg2 > 12) {
		e->count.pages <<= c->lg2 - 12;
		e->count.direct <<= c->lg2 - 12;
	}
}

/* ---- both ---- */

struct check {
	const struct expected *e;
	unsigned int at, stop;	/* @stop: told so many, it says enough; 0: never */
};

static int check_told(void *arg, const struct diff *d)
{
	struct check *k = arg;
	const struct diff *want = &k->e->diffs[k->at];

	assert_true(k->at < k->e->n);
	assert_int_equal(d->kind, want->kind);
	assert_int_equal(d->book, want->book);
	assert_int_equal(d->first, want->first);
	assert_int_equal(d->last, want->last);
	assert_ptr_equal(d->area, want->area);
	assert_ptr_equal(d->run, want->run);
	return ++k->at == k->stop ? 77 : 0;
}

static void counts_agree(const struct cells *c, const struct compared *count,
			 const struct compared *want)
{
	assert_int_equal(count->diffs, want->diffs);
	assert_int_equal(count->flux, want->flux);
	if (c->lg2 < 12)
		return;	/* of parts of pages each begun one counts */
	assert_int_equal(count->pages, want->pages);
	assert_int_equal(count->direct, want->direct);
}

static void check_one(void)
{
	struct expected e;
	struct cells c;
	struct check k = { .e = &e };
	struct compared count;

	draw(&c);
	expect_all(&e, &c);
	assert_int_equal(reading_compare(&c.r, c.book, check_told, &k, &count), 0);
	assert_int_equal(k.at, e.n);
	counts_agree(&c, &count, &e.count);
	if (e.n) {
		k = (struct check){ .e = &e, .stop = 1 + rnd(e.n) };
		assert_int_equal(reading_compare(&c.r, c.book, check_told, &k, &count), 77);
		assert_int_equal(k.at, k.stop);
		assert_int_equal(count.diffs, k.stop);
	}
	reading_drain(&c.r);
}

static void agree(void **state)
{
	const char *text = getenv("SEEDS");
	unsigned long seeds = text && atol(text) > 5000 ? atol(text) : 5000, seed;

	(void)state;
	for (seed = 1; seed <= seeds; seed++) {
		rnd_state = seed * 88172645463325252ULL | 1;
		check_one();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
