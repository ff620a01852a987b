// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What a reader of a ring may promise about it (user/live/progress.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "live/progress.h"

/* One turn of the reader: from @tail, with the head at @head, it comes to @to. */
static uint64_t turn(struct progress *p, uint64_t now_ns, uint64_t tail, uint64_t head, uint64_t to)
{
	progress_turn(p, tail, head, now_ns);
	progress_read(p, to);
	return p->complete_ns;
}

static void an_empty_ring_is_complete(void **state)
{
	struct progress p = { 0 };

	(void)state;
	assert_int_equal(turn(&p, 100, 0, 0, 0), 100);
	assert_int_equal(turn(&p, 200, 0, 0, 0), 200);
	assert_int_equal(turn(&p, 300, 0, 50, 50), 300);
}

/* A record at 50 is not stamped: what was written behind it, up to 90, is not read. */
static void what_is_held_up_is_not_complete(void **state)
{
	struct progress p = { 0 };

	(void)state;
	assert_int_equal(turn(&p, 100, 0, 50, 50), 100);
	assert_int_equal(turn(&p, 200, 50, 90, 50), 100);
	assert_int_equal(turn(&p, 300, 50, 120, 50), 100);
	/* One byte short of what was there at 200. */
	assert_int_equal(turn(&p, 400, 50, 120, 89), 100);
	/* All of it, and not all of what came since. */
	assert_int_equal(turn(&p, 500, 89, 150, 90), 200);
	assert_int_equal(turn(&p, 600, 90, 150, 150), 600);
}

/* There is always one that is just being written: the promise follows, two turns behind at most. */
static void a_busy_ring_is_complete_later(void **state)
{
	struct progress p = { 0 };

	(void)state;
	assert_int_equal(turn(&p, 100, 0, 50, 40), 0);
	assert_int_equal(turn(&p, 200, 40, 100, 90), 100);
	assert_int_equal(turn(&p, 300, 90, 150, 140), 100);
	assert_int_equal(turn(&p, 400, 140, 200, 190), 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_ring_is_complete),
		cmocka_unit_test(what_is_held_up_is_not_complete),
		cmocka_unit_test(a_busy_ring_is_complete_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
