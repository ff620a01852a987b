// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The index by page frame against a slow list, with random maps, unmaps and questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/exposure.h"
#include "core/frame.h"
#include "rnd.h"

#define PAGE 4096ULL
#define RANGES 3000

struct seen {
	const struct range *all;
	unsigned char hit[RANGES];
};

static int see(void *arg, struct range *r)
{
	struct seen *s = arg;

	assert_int_equal(s->hit[r - s->all], 0);
	s->hit[r - s->all] = 1;
	return 0;
}

static void compare(const struct frames *f, const struct range *all, uint64_t paddr, uint64_t last)
{
	struct seen s = { .all = all };
	size_t i;

	assert_int_equal(frames_each(f, paddr, last, see, &s), 0);
	for (i = 0; i < RANGES; i++) {
		const struct range *r = &all[i];
		int meets = r->flags & RANGE_FRAMED && r->paddr <= last &&
			    r->paddr + (r->last - r->iova) >= paddr;

		assert_int_equal(s.hit[i], meets);
	}
}

/* Sizes from one byte to 2^50, at odd addresses too; few frames, so that they share them. */
static void fill(struct range *r)
{
	uint64_t size = 1ULL << rnd(rnd(8) ? 16 : 50);

	r->iova = rnd(1ULL << 40);
	r->paddr = rnd(4) ? rnd(4096) * PAGE : rnd(1ULL << 52);
	r->last = r->iova + size + rnd(size) - 1;
}

static void random_ranges(void **state)
{
	static struct range all[RANGES];
	struct frames f = { .on = true };
	uint64_t paddr;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct range *r = &all[rnd(RANGES)];

		if (r->flags & RANGE_FRAMED) {
			frames_del(&f, r);
		} else {
			fill(r);
			frames_add(&f, r);
		}
		if (i % 16)
			continue;
		paddr = rnd(4096) * PAGE;
		compare(&f, all, paddr, paddr + (PAGE << rnd(11)) - 1);
		compare(&f, all, rnd(1ULL << 52), UINT64_MAX);
	}
	for (i = 0; i < RANGES; i++)
		frames_del(&f, &all[i]);
	assert_int_equal(f.count, 0);
	frames_free(&f);
}

/* What has no place in physical memory is not in it. */
static void ranges_without_a_place(void **state)
{
	struct range unknown = { .last = 1, .paddr = PADDR_UNKNOWN };
	struct range wraps = { .last = 2 * PAGE, .paddr = UINT64_MAX - PAGE };
	struct frames f = { .on = true };

	(void)state;
	frames_add(&f, &unknown);
	frames_add(&f, &wraps);
	assert_int_equal(f.count, 0);
	f.on = false;
	wraps.paddr = 0;
	frames_add(&f, &wraps);
	assert_int_equal(f.count, 0);
	frames_free(&f);
}

static void p99_is_an_upper_bound(void **state)
{
	static const uint64_t values[] = { 0, 1, 15, 16, 17, 31, 32, 1000, 1ULL << 40, UINT64_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct exposures x = { .longest_ns = UINT64_MAX };

		exposures_add_ns(&x, values[i]);
		assert_true(exposures_p99_ns(&x) >= values[i]);
		assert_true(exposures_p99_ns(&x) - values[i] <= values[i] / 16);
	}
}

/* Of 200, two may be longer. */
static void p99_of_many(void **state)
{
	struct exposures x = { .longest_ns = 1000000 };
	int i;

	(void)state;
	for (i = 0; i < 198; i++)
		exposures_add_ns(&x, 10);
	exposures_add_ns(&x, 1000000);
	exposures_add_ns(&x, 1000000);
	assert_int_equal(exposures_p99_ns(&x), 10);
	exposures_add_ns(&x, 1000000);
	assert_int_equal(exposures_p99_ns(&x), 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ranges),
		cmocka_unit_test(ranges_without_a_place),
		cmocka_unit_test(p99_is_an_upper_bound),
		cmocka_unit_test(p99_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
