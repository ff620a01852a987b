// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Two readings of one table: each kind of delta, and what is just not one. */
#include "snap_story.h"

#define TOP UINT64_MAX
#define AT 0x40000000ULL
#define DELTAS 8

struct two {
	struct reading r[2];
	struct delta deltas[DELTAS];
	size_t n;
	struct delta_count count;
};

static void begin(struct two *t)
{
	memset(t, 0, sizeof(*t));
}

static void end(struct two *t)
{
	reading_drain(&t->r[0]);
	reading_drain(&t->r[1]);
}

static void add(struct two *t, int side, uint64_t iova, uint64_t last, uint64_t paddr, uint32_t prot)
{
	const struct walk_run run = { .iova = iova, .last = last, .paddr = paddr, .prot = prot,
				      .level = 1, .page_lg2 = 12, .kind = WALK_LEAF };

	assert_int_equal(reading_add_run(&t->r[side], &run), 0);
}

static void add_bad(struct two *t, int side, uint64_t iova, uint64_t last, uint64_t raw,
		    uint32_t kind, uint32_t level)
{
	const struct walk_run run = { .iova = iova, .last = last, .raw = raw, .level = level,
				      .kind = kind };

	assert_int_equal(reading_add_run(&t->r[side], &run), 0);
}

static void add_flux(struct two *t, int side, uint64_t first, uint64_t last)
{
	assert_int_equal(reading_add_flux(&t->r[side], first, last), 0);
}

static int told(void *arg, const struct delta *d)
{
	struct two *t = arg;

	assert_true(t->n < DELTAS);
	assert_true(d->first <= d->last);
	assert_true(!t->n || d->first > t->deltas[t->n - 1].last);
	t->deltas[t->n++] = *d;
	return 0;
}

static void compare(struct two *t)
{
	t->n = 0;
	assert_int_equal(readings_delta(&t->r[0], &t->r[1], told, t, &t->count), 0);
	assert_int_equal(t->count.told, t->n);
}

static void has(const struct two *t, size_t i, enum delta_kind kind, uint64_t first, uint64_t last)
{
	assert_true(i < t->n);
	assert_int_equal(t->deltas[i].kind, kind);
	assert_int_equal(t->deltas[i].first, first);
	assert_int_equal(t->deltas[i].last, last);
}

/* Compared, there was nothing, and so many pages on both sides. */
static void alike(struct two *t, uint64_t same)
{
	compare(t);
	assert_int_equal(t->n, 0);
	assert_int_equal(t->count.flux, 0);
	assert_int_equal(t->count.same, same);
	end(t);
}

/* ---- equal ---- */

static void nothing_at_all(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	alike(&t, 0);
}

static void equal(void **state)
{
	static const struct read_span at[] = {
		{ 0, 0xfff }, { 0x1000, 0x1fff }, { TOP - 0xfff, TOP }, { 0, TOP },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct two t;

		begin(&t);
		add(&t, 0, at[i].first, at[i].last, AT, RW);
		add(&t, 1, at[i].first, at[i].last, AT, RW);
		alike(&t, ((at[i].last - at[i].first) >> 12) + 1);
	}
}

/* How it is cut into runs, how large its pages are and where its entries lie says nothing. */
static void cut_otherwise(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add(&t, 0, 0, 0x1fffff, AT, RW);
	t.r[0].runs[0].level = 2;
	t.r[0].runs[0].page_lg2 = 21;
	t.r[0].runs[0].raw = 0x83;
	add(&t, 1, 0, 0xfff, AT, RW);
	add(&t, 1, 0x1000, 0x1fffff, AT + 0x1000, RW);
	alike(&t, 512);
}

/* ---- each kind ---- */

static void mapped_and_unmapped(void **state)
{
	static const struct read_span at[] = {
		{ 0, 0xfff }, { 0x5000, 0x5fff }, { TOP - 0xfff, TOP }, { 0, TOP },
	};
	size_t i;

	(void)state;
	for (i = 0; i < 2 * sizeof(at) / sizeof(at[0]); i++) {
		const struct read_span *s = &at[i / 2];
		int side = i % 2;
		struct two t;

		begin(&t);
		add(&t, side, s->first, s->last, AT, RW);
		compare(&t);
		has(&t, 0, side ? DELTA_MAPPED : DELTA_UNMAPPED, s->first, s->last);
		assert_int_equal(t.n, 1);
		assert_true(!t.deltas[0].before == !!t.deltas[0].after);
		assert_int_equal(t.count.pages[t.deltas[0].kind], ((s->last - s->first) >> 12) + 1);
		end(&t);
	}
}

/* One page in the middle of many. */
static void one_page_went(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add(&t, 0, 0, 0xffff, AT, RW);
	add(&t, 1, 0, 0x6fff, AT, RW);
	add(&t, 1, 0x8000, 0xffff, AT + 0x8000, RW);
	compare(&t);
	has(&t, 0, DELTA_UNMAPPED, 0x7000, 0x7fff);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.count.same, 15);
	assert_int_equal(delta_paddr(t.deltas[0].before, 0x7000), AT + 0x7000);
	end(&t);
}

static void one_page_leads_elsewhere(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add(&t, 0, 0, 0x2fff, AT, RW);
	add(&t, 1, 0, 0xfff, AT, RW);
	add(&t, 1, 0x1000, 0x1fff, 0x777000, RW);
	add(&t, 1, 0x2000, 0x2fff, AT + 0x2000, RW);
	compare(&t);
	has(&t, 0, DELTA_ELSEWHERE, 0x1000, 0x1fff);
	assert_int_equal(t.n, 1);
	end(&t);
}

static void permission(void **state)
{
	uint32_t before, after;

	(void)state;
	for (before = 0; before <= RW; before++)
		for (after = 0; after <= RW; after++) {
			struct two t;

			begin(&t);
			add(&t, 0, 0x1000, 0x1fff, AT, before);
			add(&t, 1, 0x1000, 0x1fff, AT, after);
			compare(&t);
			assert_int_equal(t.n, before != after);
			if (t.n)
				has(&t, 0, DELTA_PROT, 0x1000, 0x1fff);
			end(&t);
		}
}

/* Leading elsewhere is worse than another permission: one delta, not two. */
static void elsewhere_before_permission(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add(&t, 0, 0x1000, 0x1fff, AT, RW);
	add(&t, 1, 0x1000, 0x1fff, AT + 0x1000, WALK_READ);
	compare(&t);
	has(&t, 0, DELTA_ELSEWHERE, 0x1000, 0x1fff);
	assert_int_equal(t.n, 1);
	end(&t);
}

static void malformed(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add_bad(&t, 0, 0x1000, 0x1fff, 0x123, WALK_BAD_RESERVED, 1);	/* the same */
	add_bad(&t, 1, 0x1000, 0x1fff, 0x123, WALK_BAD_RESERVED, 1);
	add_bad(&t, 0, 0x2000, 0x2fff, 0x123, WALK_BAD_RESERVED, 1);	/* another word */
	add_bad(&t, 1, 0x2000, 0x2fff, 0x125, WALK_BAD_RESERVED, 1);
	add_bad(&t, 0, 0x3000, 0x3fff, 0x123, WALK_BAD_RESERVED, 1);	/* another fault */
	add_bad(&t, 1, 0x3000, 0x3fff, 0x123, WALK_BAD_MEMORY, 1);
	add_bad(&t, 0, 0x4000, 0x4fff, 0x123, WALK_BAD_RESERVED, 1);	/* repaired */
	add(&t, 1, 0x4000, 0x4fff, AT, RW);
	add_bad(&t, 1, 0x5000, 0x5fff, 0x123, WALK_BAD_RESERVED, 2);	/* new */
	compare(&t);
	has(&t, 0, DELTA_MALFORMED, 0x2000, 0x2fff);
	has(&t, 1, DELTA_MALFORMED, 0x3000, 0x3fff);
	has(&t, 2, DELTA_MALFORMED, 0x4000, 0x4fff);
	has(&t, 3, DELTA_MALFORMED, 0x5000, 0x5fff);
	assert_int_equal(t.n, 4);
	assert_int_equal(t.count.same, 0);
	end(&t);
}

/* ---- what is one delta ---- */

static void merged(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add(&t, 0, 0x1000, 0x1fff, AT, RW);
	add(&t, 0, 0x2000, 0x2fff, AT + 0x1000, RW);		/* goes on */
	add(&t, 0, 0x3000, 0x3fff, AT, RW);			/* leads elsewhere */
	add(&t, 0, 0x4000, 0x4fff, AT + 0x1000, WALK_READ);	/* another permission */
	add(&t, 0, 0x6000, 0x6fff, AT + 0x3000, WALK_READ);	/* a hole before it */
	compare(&t);
	has(&t, 0, DELTA_UNMAPPED, 0x1000, 0x2fff);
	has(&t, 1, DELTA_UNMAPPED, 0x3000, 0x3fff);
	has(&t, 2, DELTA_UNMAPPED, 0x4000, 0x4fff);
	has(&t, 3, DELTA_UNMAPPED, 0x6000, 0x6fff);
	assert_int_equal(t.n, 4);
	end(&t);
}

/* ---- flux ---- */

static void in_flux(void **state)
{
	int side;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct two t;

		begin(&t);
		add(&t, 0, 0x1000, 0x5fff, AT, RW);
		add_flux(&t, side, 0x3000, 0x3fff);
		add_flux(&t, side, 0x8000, TOP);
		compare(&t);
		has(&t, 0, DELTA_UNMAPPED, 0x1000, 0x2fff);
		has(&t, 1, DELTA_UNMAPPED, 0x4000, 0x5fff);
		assert_int_equal(t.n, 2);
		assert_int_equal(t.count.flux, 1);
		end(&t);
	}
}

/* Spans of one byte, where a piece begins and at the end of the space. */
static void one_byte_in_flux(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add(&t, 1, 0x1000, 0x2fff, AT, RW);
	add(&t, 1, TOP - 0xfff, TOP, AT, RW);
	add_flux(&t, 0, 0x1000, 0x1000);
	add_flux(&t, 0, 0x2000, 0x2000);
	add_flux(&t, 1, TOP, TOP);
	compare(&t);
	has(&t, 0, DELTA_MAPPED, 0x1001, 0x1fff);
	has(&t, 1, DELTA_MAPPED, 0x2001, 0x2fff);
	has(&t, 2, DELTA_MAPPED, TOP - 0xfff, TOP - 1);
	assert_int_equal(t.n, 3);
	end(&t);
}

/* What never settled and is alike all the same is no difference, judged or not. */
static void in_flux_and_alike(void **state)
{
	struct two t;

	(void)state;
	begin(&t);
	add(&t, 0, 0x1000, 0x5fff, AT, RW);
	add(&t, 1, 0x1000, 0x5fff, AT, RW);
	add_flux(&t, 0, 0x2000, 0x2fff);
	add_flux(&t, 1, 0, TOP);
	alike(&t, 5);
}

/* ---- ends ---- */

static int stop(void *arg, const struct delta *d)
{
	(void)d;
	++*(int *)arg;
	return -7;
}

static void told_enough(void **state)
{
	struct two t;
	int calls = 0;

	(void)state;
	begin(&t);
	add(&t, 0, 0x1000, 0x1fff, AT, RW);
	add(&t, 0, 0x3000, 0x3fff, AT, RW);
	assert_int_equal(readings_delta(&t.r[0], &t.r[1], stop, &calls, &t.count), -7);
	assert_int_equal(calls, 1);
	assert_int_equal(readings_delta(&t.r[0], &t.r[1], NULL, NULL, &t.count), 0);
	assert_int_equal(t.count.told, 2);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(equal),
		cmocka_unit_test(cut_otherwise),
		cmocka_unit_test(mapped_and_unmapped),
		cmocka_unit_test(one_page_went),
		cmocka_unit_test(one_page_leads_elsewhere),
		cmocka_unit_test(permission),
		cmocka_unit_test(elsewhere_before_permission),
		cmocka_unit_test(malformed),
		cmocka_unit_test(merged),
		cmocka_unit_test(in_flux),
		cmocka_unit_test(one_byte_in_flux),
		cmocka_unit_test(in_flux_and_alike),
		cmocka_unit_test(told_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
