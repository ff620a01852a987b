// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which addresses are asked about, and what the answers become. */
#include <errno.h>
#include <string.h>

#include "core/asked.h"
#include "told_diffs.h"

#define TOP UINT64_MAX

static bool is_asked(const struct asked *a, uint64_t iova)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if (a->iovas[i] == iova)
			return true;
	return false;
}

static void assert_rising(const struct asked *a)
{
	size_t i;

	for (i = 1; i < a->count; i++)
		assert_true(a->iovas[i - 1] < a->iovas[i]);
}

static void edges_are_asked(void **state)
{
	const struct walk_table t = walk_vtd_second(0x1000, 3);
	static const uint64_t wanted[] = { 0, 0xfff, 0x1000, 0x3fff, 0x4000, 0x5fff, 0x6000,
					   0x7ffffff000 - 1, 0x7ffffff000, 0x7fffffffff,
					   0x8000000000 };
	struct asked a;
	struct look l;
	size_t i;

	(void)state;
	look_begin(&l);
	look_run(&l, 0, 0xfff, 0x5000, RW);
	look_run(&l, 0x4000, 0x5fff, 0x9000, RW);
	look_run(&l, 0x7ffffff000, 0x7fffffffff, 0x1000, RW);
	assert_int_equal(asked_choose(&l.r, &t, 0, 1, &a), 0);
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_true(is_asked(&a, wanted[i]));
	assert_rising(&a);
	asked_free(&a);
	look_end(&l);
}

/* By chance, but the same each time; half of them in what is mapped. */
static void chance_repeats(void **state)
{
	const struct walk_table t = walk_vtd_second(0x1000, 4);
	struct asked a, b, c;
	struct look l;
	size_t i, inside = 0;

	(void)state;
	look_begin(&l);
	look_run(&l, 0x100000, 0x1fffff, 0x5000000, RW);
	assert_int_equal(asked_choose(&l.r, &t, 1000, 7, &a), 0);
	assert_int_equal(asked_choose(&l.r, &t, 1000, 7, &b), 0);
	assert_int_equal(asked_choose(&l.r, &t, 1000, 8, &c), 0);
	assert_in_range(a.count, 950, 1010);
	assert_rising(&a);
	assert_int_equal(a.count, b.count);
	assert_memory_equal(a.iovas, b.iovas, a.count * sizeof(*a.iovas));
	assert_true(a.count != c.count || memcmp(a.iovas, c.iovas, a.count * sizeof(*a.iovas)));
	for (i = 0; i < a.count; i++) {
		inside += a.iovas[i] >= 0x100000 && a.iovas[i] <= 0x1fffff;
		assert_true(a.iovas[i] <= 1ULL << 48);
	}
	assert_in_range(inside, 500, 800);
	asked_free(&a);
	asked_free(&b);
	asked_free(&c);
	look_end(&l);
}

/* Nothing mapped, no table, all of the space mapped. */
static void extremes(void **state)
{
	const struct walk_table t = walk_amd_v1(0x1000, 6), none = { 0 };
	struct asked a;
	struct look l;

	(void)state;
	look_begin(&l);
	assert_int_equal(asked_choose(&l.r, &t, 100, 7, &a), 0);
	assert_true(is_asked(&a, 0) && is_asked(&a, TOP) && a.count > 90);
	asked_free(&a);
	assert_int_equal(asked_choose(&l.r, &none, 100, 7, &a), 0);
	assert_int_equal(a.count, 0);
	asked_free(&a);
	assert_int_equal(asked_choose(&l.r, &none, SIZE_MAX, 7, &a), -ENOMEM);
	look_run(&l, 0, TOP, 0, RW);
	assert_int_equal(asked_choose(&l.r, &t, 100, 7, &a), 0);
	assert_true(is_asked(&a, 0) && is_asked(&a, TOP) && is_asked(&a, TOP / 2));
	assert_rising(&a);
	asked_free(&a);
	look_end(&l);
}

/* Many runs: not all of them, but memory for those that are. */
static void many_runs(void **state)
{
	const struct walk_table t = walk_vtd_second(0x1000, 3);
	struct asked a;
	struct look l;
	uint64_t i;

	(void)state;
	look_begin(&l);
	for (i = 0; i < 65536 + 10; i++)
		look_run(&l, i * 0x2000, i * 0x2000 + 0xfff, 0x1000, RW);
	assert_int_equal(asked_choose(&l.r, &t, 0, 7, &a), 0);
	assert_in_range(a.count, 100000, 5 * 40000);
	assert_rising(&a);
	asked_free(&a);
	look_end(&l);
}

static void answers(void **state)
{
	static const uint64_t iovas[] = { 0x1fff, 0x2000, 0x2001, 0x3000, 0x5000 };
	static const uint64_t paddrs[] = { 0, 0, 1, 0x9000, 0 };
	struct look l;

	(void)state;
	look_begin(&l);
	l.r.books = 0;
	look_run(&l, 0x2000, 0x2fff, 0, RW);	/* to physical page 0: "nothing" means nothing */
	look_run(&l, 0x3000, 0x3fff, 0x9000, RW);
	assert_int_equal(asked_answer(&l.r, iovas, paddrs, 5), 0);
	assert_int_equal(l.r.books, 1U << BOOK_IOVA_TO_PHYS);
	assert_int_equal(l.r.nareas[BOOK_IOVA_TO_PHYS], 4);
	look_compare(&l, BOOK_IOVA_TO_PHYS);
	look_clean(&l, 4);
	look_end(&l);
}

/* Each wrong answer is a difference of that byte. */
static void wrong_answers(void **state)
{
	static const uint64_t iovas[] = { 0x2000, 0x2001, 0x3000, 0x4000 };
	static const uint64_t paddrs[] = { 0x9000, 0, 0x9001, 0x1 };
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0x2000, 0x2fff, 0x9000, RW);
	look_run(&l, 0x3000, 0x3fff, 0x9000, RW);
	assert_int_equal(asked_answer(&l.r, iovas, paddrs, 4), 0);
	look_compare(&l, BOOK_IOVA_TO_PHYS);
	look_ends(&l, 3);
	look_has(&l, 0, DIFF_EXTRA, 0x2001, 0x2001);
	look_has(&l, 1, DIFF_PADDR, 0x3000, 0x3000);
	look_has(&l, 2, DIFF_MISSING, 0x4000, 0x4000);
	look_end(&l);
}

static void answers_out_of_order(void **state)
{
	static const uint64_t iovas[] = { 2, 1 }, paddrs[] = { 0, 0 };
	struct look l;

	(void)state;
	look_begin(&l);
	assert_int_equal(asked_answer(&l.r, iovas, paddrs, 2), -EINVAL);
	look_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_are_asked),
		cmocka_unit_test(chance_repeats),
		cmocka_unit_test(extremes),
		cmocka_unit_test(many_runs),
		cmocka_unit_test(answers),
		cmocka_unit_test(wrong_answers),
		cmocka_unit_test(answers_out_of_order),
	};

	return cmocka_run_group_tests_name("asked", tests, NULL, NULL);
}
