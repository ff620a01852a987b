// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The pages that a process has, against those that the table has, and what is said of their pins. */
#include "told_diffs.h"
#include "core/intent.h"

#define IOVA 0x10000000ULL
#define AT 0x40000000ULL	/* where the table leads */
#define ELSE 0x80000000ULL
#define LAST(first, pages) ((first) + (pages) * PAGE - 1)

/* Pages from @page on, which the process has at @paddr. */
static void has(struct look *l, uint64_t page, uint64_t pages, uint64_t paddr)
{
	struct book_area area = { .first = IOVA + page * PAGE, .last = LAST(IOVA + page * PAGE, pages),
				  .paddr = paddr, .vaddr = 0x7f0000000000ULL + page * PAGE, .tgid = 7 };

	assert_int_equal(reading_add_area(&l->r, BOOK_PROCESS, &area), 0);
}

static void same_pages(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, IOVA, LAST(IOVA, 4), AT, RW);
	has(&l, 0, 4, AT);
	look_compare(&l, BOOK_PROCESS);
	look_clean(&l, 4);
	look_end(&l);
}

/* What the process cannot tell is neither missing nor extra, whatever the table has. */
static void unknown_is_nothing(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, IOVA, LAST(IOVA, 2), AT, RW);
	look_bad(&l, IOVA + 2 * PAGE, LAST(IOVA, 3), WALK_BAD_RESERVED);
	has(&l, 1, 1, AT + PAGE);
	has(&l, 2, 1, ELSE);
	has(&l, 3, 1, ELSE);
	look_compare(&l, BOOK_PROCESS);
	look_clean(&l, 1);
	look_end(&l);
}

/* One page of four: the first, one inside, the last. */
static void another_page(void **state)
{
	uint64_t page;

	(void)state;
	for (page = 0; page < 4; page++) {
		struct look l;

		look_begin(&l);
		look_run(&l, IOVA, LAST(IOVA, 4), AT, RW);
		if (page)
			has(&l, 0, page, AT);
		has(&l, page, 1, ELSE);
		if (page < 3)
			has(&l, page + 1, 3 - page, AT + (page + 1) * PAGE);
		look_compare(&l, BOOK_PROCESS);
		look_has(&l, 0, DIFF_PADDR, IOVA + page * PAGE, LAST(IOVA + page * PAGE, 1));
		look_ends(&l, 1);
		assert_int_equal(l.count.pages, 4);
		look_end(&l);
	}
}

static void flux_is_nothing(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, IOVA, LAST(IOVA, 1), AT, RW);
	has(&l, 0, 1, ELSE);
	look_flux(&l, IOVA, IOVA + PAGE - 1);
	look_compare(&l, BOOK_PROCESS);
	look_ends(&l, 0);
	assert_int_equal(l.count.flux, 1);
	assert_int_equal(l.count.pages, 0);
	look_end(&l);
}

/* ---- pins ---- */

static struct intent_page *pages_of(struct look *l, size_t count)
{
	struct intent_page *pages;
	size_t n;

	assert_int_equal(intent_pages(&l->r, &pages, &n), 0);
	assert_int_equal(n, count);
	return pages;
}

static void no_pages(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, IOVA, LAST(IOVA, 1), AT, RW);
	has(&l, 0, 1, AT);
	free(pages_of(&l, 0));
	l.r.books = 0;
	free(pages_of(&l, 0));
	look_end(&l);
}

/* Two entries lead to one page; a third, to the page behind it, counts for that one only. */
static void entries_are_counted(void **state)
{
	struct intent_page *pages;
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, IOVA, LAST(IOVA, 2), AT, RW);
	look_run(&l, IOVA + 2 * PAGE, LAST(IOVA + 2 * PAGE, 1), AT, RW);
	has(&l, 0, 2, ELSE);
	l.r.books = 1U << BOOK_VFIO | 1U << BOOK_PROCESS;
	pages = pages_of(&l, 2);
	assert_int_equal(pages[0].iova, IOVA);
	assert_int_equal(pages[0].pfn, AT / PAGE);
	assert_int_equal(pages[0].entries, 2);
	assert_int_equal(pages[1].iova, IOVA + PAGE);
	assert_int_equal(pages[1].pfn, AT / PAGE + 1);
	assert_int_equal(pages[1].entries, 1);
	free(pages);
	look_end(&l);
}

/* Two areas of iommufd's may share a page and its pin. */
static void iommufd_pins_once(void **state)
{
	struct intent_page *pages;
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, IOVA, LAST(IOVA, 1), AT, RW);
	look_run(&l, IOVA + PAGE, LAST(IOVA + PAGE, 1), AT, RW);
	has(&l, 0, 1, ELSE);
	l.r.books = 1U << BOOK_VFIO | 1U << BOOK_PROCESS;
	assert_int_equal(reading_slots(&l.r), BOOK_VFIO);
	pages = pages_of(&l, 1);
	assert_int_equal(pages[0].entries, 2);
	free(pages);
	l.r.books = 1U << BOOK_IOMMUFD | 1U << BOOK_PROCESS;
	assert_int_equal(reading_slots(&l.r), BOOK_IOMMUFD);
	pages = pages_of(&l, 1);
	assert_int_equal(pages[0].entries, 1);
	assert_int_equal(intent_state(&pages[0], false, 1), PAGE_PINNED);
	assert_int_equal(intent_state(&pages[0], false, 0), PAGE_DROPPED);
	free(pages);
	look_end(&l);
}

static void states(void **state)
{
	static const struct intent_page once = { .entries = 1 }, twice = { .entries = 2 };

	(void)state;
	assert_int_equal(intent_state(&once, false, 0), PAGE_DROPPED);
	assert_int_equal(intent_state(&once, false, 1), PAGE_PINNED);
	assert_int_equal(intent_state(&twice, false, 1), PAGE_DROPPED);
	assert_int_equal(intent_state(&twice, false, 2), PAGE_PINNED);
	assert_int_equal(intent_state(&twice, false, 3), PAGE_PINNED);
	/* Pins of a large folio are of all its pages: only none is sure. */
	assert_int_equal(intent_state(&twice, true, 0), PAGE_DROPPED);
	assert_int_equal(intent_state(&twice, true, 1), PAGE_PINNED);
}

static const struct book_area *area(const struct look *l, size_t i)
{
	assert_true(i < l->r.nareas[BOOK_PROCESS]);
	return &l->r.areas[BOOK_PROCESS][i];
}

static void area_is(const struct look *l, size_t i, uint64_t page, uint64_t pages, uint64_t paddr,
		    uint32_t flags)
{
	const struct book_area *a = area(l, i);

	assert_int_equal(a->first, IOVA + page * PAGE);
	assert_int_equal(a->last, LAST(IOVA + page * PAGE, pages));
	assert_int_equal(a->paddr, paddr);
	assert_int_equal(a->vaddr, 0x7f0000000000ULL + page * PAGE);
	assert_int_equal(a->flags, flags);
	assert_int_equal(a->tgid, 7);
}

/* Four pages that lead elsewhere: pinned, dropped, dropped, unknown; one before and one behind are alike. */
static void areas_are_divided(void **state)
{
	static const enum page_state said[] = { PAGE_PINNED, PAGE_DROPPED, PAGE_DROPPED, PAGE_UNKNOWN };
	struct intent_page *pages;
	struct look l;
	size_t i;

	(void)state;
	look_begin(&l);
	look_run(&l, IOVA, LAST(IOVA, 1), ELSE, RW);
	look_run(&l, IOVA + PAGE, LAST(IOVA + PAGE, 4), AT, RW);
	look_run(&l, IOVA + 5 * PAGE, LAST(IOVA + 5 * PAGE, 1), ELSE + 5 * PAGE, RW);
	has(&l, 0, 6, ELSE);
	pages = pages_of(&l, 4);
	for (i = 0; i < 4; i++)
		pages[i].state = said[i];
	assert_int_equal(intent_judge(&l.r, pages, 4), 0);
	area_is(&l, 0, 0, 2, ELSE, 0);
	area_is(&l, 1, 2, 2, ELSE + 2 * PAGE, AREA_DROPPED);
	area_is(&l, 2, 5, 1, ELSE + 5 * PAGE, 0);
	assert_int_equal(l.r.nareas[BOOK_PROCESS], 3);
	look_compare(&l, BOOK_PROCESS);
	look_has(&l, 0, DIFF_PADDR, IOVA + PAGE, LAST(IOVA + PAGE, 1));
	look_has(&l, 1, DIFF_PADDR, IOVA + 2 * PAGE, LAST(IOVA + 2 * PAGE, 2));
	look_ends(&l, 2);
	free(pages);
	look_end(&l);
}

/* ---- the finding ---- */

static void read_phase(struct story *s, uint32_t phase, uint32_t flags)
{
	struct ev_read r = { .domain = DOM, .phase = phase, .levels = 4, .format = WALK_VTD_SECOND,
			     .flags = flags, .books = 1U << BOOK_PROCESS };

	send(s, EV_READ, &r, sizeof(r));
}

/* The table has @pages from AT on; the process has @books. */
static void read_all(struct story *s, uint64_t pages, const struct ev_book *books, size_t count,
		     uint32_t flags)
{
	struct ev_run run = { .domain = DOM, .iova = IOVA, .last = LAST(IOVA, pages), .paddr = AT,
			      .raw = AT | RW, .entry_paddr = 0x5000, .level = 1, .page_lg2 = 12,
			      .prot = RW, .kind = WALK_LEAF };
	size_t i;

	read_phase(s, EV_READ_BEGIN, flags);
	for (i = 0; i < count; i++) {
		struct ev_book b = books[i];

		b.domain = DOM;
		b.book = BOOK_PROCESS;
		b.tgid = 7;
		send(s, EV_BOOK, &b, sizeof(b));
	}
	send(s, EV_RUN, &run, sizeof(run));
	read_phase(s, EV_READ_END, flags);
}

static struct ev_book book(uint64_t page, uint64_t pages, uint64_t paddr, uint32_t flags)
{
	return (struct ev_book){ .first = IOVA + page * PAGE, .last = LAST(IOVA + page * PAGE, pages),
				 .paddr = paddr, .vaddr = 0x7f0000000000ULL + page * PAGE,
				 .flags = flags };
}

static void finding_is(const struct finding *f, enum grade grade, const char *what, uint64_t page,
		       uint64_t pages)
{
	assert_non_null(f);
	assert_int_equal(f->id, FINDING_INTENT_DIFFERS);
	assert_int_equal(f->grade, grade);
	assert_true(says(f, what));
	assert_int_equal(f->iova, IOVA + page * PAGE);
	assert_int_equal(f->last, LAST(IOVA + page * PAGE, pages));
	assert_int_equal(f->details[f->ndetails - 1].value, pages);
}

static void no_finding(void **state)
{
	const struct ev_book books[] = { book(0, 1, AT, 0), book(2, 2, AT + 2 * PAGE, 0) };
	struct story s;

	(void)state;
	story_begin_attached(&s);
	read_all(&s, 6, books, 2, 0);
	expect_clean(&s);
	assert_int_equal(model_domain(engine_model(s.e), DOM)->look.pages[BOOK_PROCESS], 3);
	story_end(&s);
}

/* Neighbours are one finding, however they lie in memory; grades are two. */
static void findings(void **state)
{
	const struct ev_book books[] = {
		book(0, 1, AT, 0), book(1, 1, ELSE, 0), book(2, 1, ELSE + 9 * PAGE, 0),
		book(3, 2, ELSE + 20 * PAGE, EV_BOOK_DROPPED), book(5, 1, ELSE, 0),
		book(7, 1, ELSE + PAGE, 0),
	};
	const struct finding *f;
	struct story s;

	(void)state;
	story_begin_attached(&s);
	read_all(&s, 8, books, 6, 0);
	f = first(&s);
	finding_is(f, GRADE_EXPOSURE, "userspace moved it", 1, 2);
	f = report_next(engine_report(s.e), f);
	finding_is(f, GRADE_VIOLATION, "not pinned", 3, 2);
	f = report_next(engine_report(s.e), f);
	finding_is(f, GRADE_EXPOSURE, "userspace moved it", 5, 1);
	f = report_next(engine_report(s.e), f);
	finding_is(f, GRADE_EXPOSURE, "userspace moved it", 7, 1);
	assert_null(report_next(engine_report(s.e), f));
	story_end(&s);
}

/* Two slots beside each other in IOVA, but not in the process. */
static void other_slots(void **state)
{
	struct ev_book books[] = { book(0, 1, ELSE, 0), book(1, 1, ELSE + PAGE, 0) };
	struct story s;

	(void)state;
	books[1].vaddr += PAGE;
	story_begin_attached(&s);
	read_all(&s, 2, books, 2, 0);
	assert_int_equal(found(&s, "intent-differs", GRADE_EXPOSURE), 2);
	story_end(&s);
}

static void cut_short(void **state)
{
	const struct ev_book books[] = { book(0, 1, ELSE, EV_BOOK_DROPPED) };
	struct story s;

	(void)state;
	story_begin_attached(&s);
	read_all(&s, 1, books, 1, EV_READ_CUT);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_pages),
		cmocka_unit_test(unknown_is_nothing),
		cmocka_unit_test(another_page),
		cmocka_unit_test(flux_is_nothing),
		cmocka_unit_test(no_pages),
		cmocka_unit_test(entries_are_counted),
		cmocka_unit_test(iommufd_pins_once),
		cmocka_unit_test(states),
		cmocka_unit_test(areas_are_divided),
		cmocka_unit_test(no_finding),
		cmocka_unit_test(findings),
		cmocka_unit_test(other_slots),
		cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
