// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The clever against the obvious, with random input: the range set against one array
 * element per page, and the debts of a cache against one bit per page. The pages lie at
 * the bottom and at the very top of the 64-bit space in turn.
 */
#include "rnd.h"
#include "story.h"
#include "core/range.h"

#define PAGES 48

static uint64_t base(int top)
{
	return top ? -(PAGES * PAGE) : 0;
}

struct span {
	unsigned int first, n;
};

static struct span random_span(void)
{
	struct span p = { rnd(PAGES), 0 };

	p.n = 1 + rnd(rnd(3) ? 4 : PAGES);
	if (p.first + p.n > PAGES)
		p.n = PAGES - p.first;
	return p;
}

/* ---- the range set ---- */

static void set_equals_array(const struct ranges *s, const uint64_t *owner, uint64_t at)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		uint64_t iova = at + i * PAGE;
		const struct range *r = range_first(s, iova, iova + PAGE - 1);

		assert_int_equal(r ? r->cause : 0, owner[i]);
		if (r)
			assert_int_equal(r->paddr + (iova - r->iova), (owner[i] << 32) + iova);
	}
}

static void walk_is_ordered(const struct ranges *s)
{
	const struct range *r, *prev = NULL;
	uint64_t n = 0, bytes = 0;

	for (r = range_first(s, 0, TOP); r; r = range_next(s, r, TOP)) {
		assert_true(!prev || prev->last < r->iova);
		assert_true(r->iova <= r->last);
		n++;
		bytes += r->last - r->iova + 1;
		prev = r;
	}
	assert_int_equal(n, s->count);
	assert_int_equal(bytes, s->bytes);
}

static int sum_piece(void *arg, const struct range *r)
{
	*(uint64_t *)arg += (r->last - r->iova + 1) / PAGE;
	return 0;
}

static void carve(struct ranges *s, uint64_t *owner, uint64_t at, struct span p)
{
	uint64_t removed = 0, expected = 0;
	unsigned int i;

	for (i = p.first; i < p.first + p.n; i++) {
		expected += owner[i] != 0;
		owner[i] = 0;
	}
	assert_int_equal(range_carve(s, at + p.first * PAGE, at + (p.first + p.n) * PAGE - 1,
				     sum_piece, &removed), 0);
	assert_int_equal(removed, expected);
}

static void insert(struct ranges *s, uint64_t *owner, uint64_t at, struct span p, uint64_t id)
{
	struct range r = { .iova = at + p.first * PAGE, .cause = id };
	unsigned int i;

	r.last = r.iova + p.n * PAGE - 1;
	r.paddr = (id << 32) + r.iova;
	assert_int_equal(range_insert(s, &r), 0);
	for (i = p.first; i < p.first + p.n; i++)
		owner[i] = id;
}

static void a_set_is_an_array(int top)
{
	uint64_t owner[PAGES] = { 0 };
	struct pool pool;
	struct ranges s = { .pool = &pool };
	int i;

	pool_init(&pool, sizeof(struct range));
	for (i = 1; i < 20000; i++) {
		struct span p = random_span();

		carve(&s, owner, base(top), p);
		if (rnd(2))
			insert(&s, owner, base(top), p, i);
		if (i % 16 == 0) {
			set_equals_array(&s, owner, base(top));
			walk_is_ordered(&s);
		}
	}
	ranges_clear(&s);
	assert_null(range_first(&s, 0, TOP));
	pool_drain(&pool);
}

static void at_the_bottom(void **state)
{
	(void)state;
	a_set_is_an_array(0);
}

static void at_the_top(void **state)
{
	(void)state;
	a_set_is_an_array(1);
}

/* ---- the whole space in one range ---- */

static void everything(void **state)
{
	struct pool pool;
	struct ranges s = { .pool = &pool };
	struct range all = { .iova = 0, .last = TOP, .paddr = PADDR_UNKNOWN };

	(void)state;
	pool_init(&pool, sizeof(struct range));
	assert_int_equal(range_insert(&s, &all), 0);
	assert_int_equal(range_carve(&s, 0x1000, 0x1fff, NULL, NULL), 0);
	assert_int_equal(s.count, 2);
	assert_int_equal(range_first(&s, 0x1000, TOP)->iova, 0x2000);
	assert_int_equal(range_first(&s, 0x1000, TOP)->paddr, PADDR_UNKNOWN);
	assert_int_equal(range_carve(&s, 0, TOP, NULL, NULL), 0);
	assert_int_equal(s.count, 0);
	ranges_clear(&s);
	pool_drain(&pool);
}

/* ---- debts against a bitmap ---- */

/* One bit per page: what the IOTLB may still hold. */
static uint64_t bits(struct span p)
{
	return (p.n == 64 ? ~0ULL : (1ULL << p.n) - 1) << p.first;
}

static uint64_t block_bits(unsigned int page, unsigned int lg2)
{
	uint64_t mask = 0;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		if (i >> lg2 == page >> lg2)
			mask |= 1ULL << i;
	}
	return mask;
}

static uint64_t owed_bits(const struct cache *c, uint64_t at)
{
	uint64_t mask = 0;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		if (owe_first(c, at + i * PAGE, at + i * PAGE + PAGE - 1))
			mask |= 1ULL << i;
	}
	return mask;
}

static void one_round(int top)
{
	const struct cache *c;
	struct span p = random_span();
	uint64_t owed = bits(p), at = base(top);
	struct story s;
	int i, n = 1 + rnd(6);

	story_begin_attached(&s);
	map(&s, at + p.first * PAGE, p.n * PAGE);
	unmap_fast(&s, at + p.first * PAGE, p.n * PAGE);
	c = model_domain(engine_model(s.e), DOM)->caches;
	for (i = 0; i < n; i++) {
		unsigned int page = rnd(PAGES), lg2 = rnd(4);

		flush_pages(&s, at + page * PAGE, lg2);
		owed &= ~block_bits(page, lg2);
		assert_int_equal(owed_bits(c, at), owed);
	}
	map(&s, at, PAGES * PAGE);
	assert_int_equal(found(&s, NULL, GRADE_VIOLATION) > 0, owed != 0);
	assert_int_equal(found(&s, "stale-iotlb", GRADE_VIOLATION) > 0, owed == bits(p));
	story_end(&s);
}

static void debts_are_a_bitmap(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3000; i++)
		one_round(i & 1);
}

/* ---- the model against an array ---- */

static bool any(const bool *live, struct span p)
{
	unsigned int i;

	for (i = p.first; i < p.first + p.n; i++) {
		if (live[i])
			return true;
	}
	return false;
}

static void model_equals(const struct story *s, const bool *live)
{
	const struct domain *d = model_domain(engine_model(s->e), DOM);
	unsigned int i;

	for (i = 0; d && i < PAGES; i++)
		assert_int_equal(!!range_first(&d->ranges, i * PAGE, i * PAGE + PAGE - 1), live[i]);
}

/* Maps where it is free, as the kernel's allocator does; unmaps anywhere, holes too. */
static void model_is_an_array(void **state)
{
	bool live[PAGES] = { false };
	struct story s;
	int i;

	(void)state;
	story_begin(&s);
	for (i = 1; i < 20000; i++) {
		struct span p = random_span();
		bool mapping = rnd(2) && !any(live, p);

		if (mapping)
			map(&s, p.first * PAGE, p.n * PAGE);
		else
			unmap(&s, p.first * PAGE, p.n * PAGE);
		memset(live + p.first, mapping, p.n);
		if (i % 16 == 0)
			model_equals(&s, live);
	}
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_bottom),
		cmocka_unit_test(at_the_top),
		cmocka_unit_test(everything),
		cmocka_unit_test(debts_are_a_bitmap),
		cmocka_unit_test(model_is_an_array),
	};

	rnd_state = 88172645463325252ULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
