// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Parts of a reading, read again: random ones in a space of 64 pages, of which one array element each says what
 * must be there afterwards. Then the plain cases by hand.
 */
#include "rnd.h"
#include "told_diffs.h"

#define PAGES 64
#define PAGE_BYTES 0x1000ULL
#define TOP UINT64_MAX
#define AT 0x40000000ULL

/* What one page is by a reading; all 0: nothing. */
struct page {
	uint64_t run_paddr, run_raw, area_paddr, area_vaddr;
	uint32_t run_kind, run_prot, area_prot, area_tgid;
};

struct space {
	uint64_t base;
	struct page pages[PAGES];
};

static uint64_t page_at(const struct space *s, unsigned int page)
{
	return s->base + page * PAGE_BYTES;
}

/* ---- a random reading, only where @allowed ---- */

static unsigned int length(unsigned int page, const bool *allowed)
{
	unsigned int n = 0, most = 1 + rnd(12);

	while (page + n < PAGES && n < most && (!allowed || allowed[page + n]))
		n++;
	return n;
}

static void draw_runs(struct space *s, struct reading *r, const bool *allowed)
{
	unsigned int page, n, i;

	for (page = 0; page < PAGES; page += n + !n) {
		struct walk_run run = { .raw = 1 + rnd(1000), .prot = rnd(4),
					.kind = rnd(4) ? WALK_LEAF : WALK_BAD_RESERVED,
					.paddr = rnd(1ULL << 40) };

		n = length(page, allowed);
		if (!n || !rnd(3))
			continue;
		run.iova = page_at(s, page);
		run.last = page_at(s, page + n - 1) + 0xfff;
		for (i = 0; i < n; i++) {
			s->pages[page + i].run_raw = run.raw;
			s->pages[page + i].run_kind = run.kind;
			s->pages[page + i].run_prot = run.prot;
			s->pages[page + i].run_paddr =
				run.paddr + (run.kind == WALK_LEAF ? i * PAGE_BYTES : 0);
		}
		assert_int_equal(reading_add_run(r, &run), 0);
	}
}

static void draw_areas(struct space *s, struct reading *r, const bool *allowed)
{
	unsigned int page, n, i;

	for (page = 0; page < PAGES; page += n + !n) {
		struct book_area area = { .prot = rnd(4), .tgid = 1 + rnd(1000),
					  .paddr = rnd(2) ? rnd(1ULL << 40) : AREA_PADDR_UNKNOWN,
					  .vaddr = rnd(2) * (1 + rnd(1ULL << 40)) };

		n = length(page, allowed);
		if (!n || !rnd(3))
			continue;
		area.first = page_at(s, page);
		area.last = page_at(s, page + n - 1) + 0xfff;
		for (i = 0; i < n; i++) {
			struct page *p = &s->pages[page + i];

			p->area_prot = area.prot;
			p->area_tgid = area.tgid;
			p->area_paddr = area.paddr + (~area.paddr ? i * PAGE_BYTES : 0);
			p->area_vaddr = area.vaddr + (area.vaddr ? i * PAGE_BYTES : 0);
		}
		assert_int_equal(reading_add_area(r, BOOK_VFIO, &area), 0);
	}
}

static size_t draw_spans(const struct space *s, bool *again, struct read_span *spans)
{
	unsigned int page, n, i;
	size_t count = 0;

	for (page = 0; page < PAGES; page += n) {
		n = length(page, NULL);
		if (rnd(2))
			continue;
		for (i = 0; i < n; i++)
			again[page + i] = true;
		spans[count++] = (struct read_span){ page_at(s, page),
						     page_at(s, page + n - 1) + 0xfff };
	}
	return count;
}

/* ---- what a reading says of each page ---- */

static void look_up_runs(struct space *s, const struct reading *r)
{
	uint64_t at;
	size_t i;

	for (i = 0; i < r->nruns; i++) {
		const struct walk_run *run = &r->runs[i];

		assert_true(run->iova <= run->last && (!i || run[-1].last < run->iova));
		for (at = run->iova; at - run->iova <= run->last - run->iova; at += PAGE_BYTES) {
			struct page *p = &s->pages[(at - s->base) / PAGE_BYTES];

			p->run_raw = run->raw;
			p->run_kind = run->kind;
			p->run_prot = run->prot;
			p->run_paddr = run->paddr;
			p->run_paddr += run->kind == WALK_LEAF ? at - run->iova : 0;
		}
	}
}

static void look_up_areas(struct space *s, const struct reading *r)
{
	uint64_t at;
	size_t i;

	for (i = 0; i < r->nareas[BOOK_VFIO]; i++) {
		const struct book_area *a = &r->areas[BOOK_VFIO][i];

		assert_true(a->first <= a->last && (!i || a[-1].last < a->first));
		for (at = a->first; at - a->first <= a->last - a->first; at += PAGE_BYTES) {
			struct page *p = &s->pages[(at - s->base) / PAGE_BYTES];

			p->area_prot = a->prot;
			p->area_tgid = a->tgid;
			p->area_paddr = a->paddr + (~a->paddr ? at - a->first : 0);
			p->area_vaddr = a->vaddr + (a->vaddr ? at - a->first : 0);
		}
	}
}

static void check_one(void)
{
	uint64_t base = rnd(2) ? -(PAGES * PAGE_BYTES) : 0;
	struct space old = { .base = base }, new = { .base = base }, seen = { .base = base };
	struct read_span spans[PAGES];
	bool again[PAGES] = { false };
	struct reading r, patch;
	unsigned int i;
	size_t count;

	reading_init(&r);
	reading_init(&patch);
	draw_runs(&old, &r, NULL);
	draw_areas(&old, &r, NULL);
	count = draw_spans(&old, again, spans);
	draw_runs(&new, &patch, again);
	draw_areas(&new, &patch, again);
	assert_int_equal(reading_patch(&r, spans, count, &patch), 0);
	look_up_runs(&seen, &r);
	look_up_areas(&seen, &r);
	for (i = 0; i < PAGES; i++)
		assert_memory_equal(&seen.pages[i], again[i] ? &new.pages[i] : &old.pages[i],
				    sizeof(struct page));
	reading_drain(&r);
	reading_drain(&patch);
}

static void random_parts(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 5000; seed++) {
		rnd_state = seed * 88172645463325252ULL | 1;
		check_one();
	}
}

/* ---- by hand ---- */

static void is_run(const struct reading *r, size_t i, uint64_t iova, uint64_t last, uint64_t paddr)
{
	assert_true(i < r->nruns);
	assert_int_equal(r->runs[i].iova, iova);
	assert_int_equal(r->runs[i].last, last);
	assert_int_equal(r->runs[i].paddr, paddr);
}

/* The whole space, of which the first byte, one page and the last byte are read again. */
static void whole_space(void **state)
{
	static const struct read_span spans[] = { { 0, 0 }, { 0x1000, 0x1fff }, { TOP, TOP } };
	struct look l, patch;

	(void)state;
	look_begin(&l);
	look_begin(&patch);
	look_run(&l, 0, TOP, 0, RW);
	look_run(&patch, 0x1000, 0x1fff, AT, RW);
	assert_int_equal(reading_patch(&l.r, spans, 3, &patch.r), 0);
	is_run(&l.r, 0, 1, 0xfff, 1);
	is_run(&l.r, 1, 0x1000, 0x1fff, AT);
	is_run(&l.r, 2, 0x2000, TOP - 1, 0x2000);
	assert_int_equal(l.r.nruns, 3);
	look_end(&l);
	look_end(&patch);
}

/* All else stays: books, format, flux, direct; also those of books that the patch does not have. */
static void rest_stays(void **state)
{
	static const struct read_span all = { 0, TOP };
	struct look l, patch;

	(void)state;
	look_begin(&l);
	look_begin(&patch);
	l.r.books = 1U << BOOK_VFIO;
	l.r.format = WALK_AMD_V1;
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x1000, 0x1fff, AT, RW);
	look_flux(&l, 1, 2);
	look_direct(&l, 3, 4);
	assert_int_equal(reading_patch(&l.r, NULL, 0, &patch.r), 0);
	assert_int_equal(l.r.nruns, 1);
	assert_int_equal(l.r.nareas[BOOK_VFIO], 1);
	assert_int_equal(reading_patch(&l.r, &all, 1, &patch.r), 0);
	assert_int_equal(l.r.nruns, 0);
	assert_int_equal(l.r.nareas[BOOK_VFIO], 0);
	assert_int_equal(l.r.books, 1U << BOOK_VFIO);
	assert_int_equal(l.r.format, WALK_AMD_V1);
	assert_int_equal(l.r.nflux, 1);
	assert_int_equal(l.r.flux[0].last, 2);
	assert_int_equal(l.r.ndirect, 1);
	assert_int_equal(l.r.direct[0].last, 4);
	look_end(&l);
	look_end(&patch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_parts),
		cmocka_unit_test(whole_space),
		cmocka_unit_test(rest_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
