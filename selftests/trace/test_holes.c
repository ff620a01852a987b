// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Lost or only late? The interval list against counting one by one. */
#include <stdlib.h>
#include <string.h>

#include "trace/holes.h"
#include "trace/pending.h"
#include "util.h"

#define N	600

struct story {
	uint64_t seq[N];	/* in file order */
	size_t n, ahead;
};

/* Numbers in order with losses, then records moved around by up to @reach places. */
static void make(struct story *s, uint64_t *rnd, size_t reach)
{
	uint64_t next = util_random(rnd) % 3, swap;
	size_t i, j;

	s->n = 1 + util_random(rnd) % N;
	for (i = 0; i < s->n; i++) {
		next += util_random(rnd) % 10 ? 0 : util_random(rnd) % 4;
		s->seq[i] = next++;
	}
	for (i = 0; reach && i < s->n; i++) {
		j = i + util_random(rnd) % reach;
		if (j >= s->n || util_random(rnd) % 4)
			continue;
		swap = s->seq[j];
		memmove(&s->seq[i + 1], &s->seq[i], (j - i) * sizeof(swap));
		s->seq[i] = swap;
	}
}

/* Is @seq among the records [from, to)? Its index, or -1. */
static long where(const struct story *s, uint64_t seq, size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to && i < s->n; i++) {
		if (s->seq[i] == seq)
			return i;
	}
	return -1;
}

/* Slow and obvious: what record @i finds missing, looking s->ahead records ahead. */
static uint64_t reference(const struct story *s, size_t i, uint64_t *to_ns)
{
	uint64_t first = 0, seq, lost = 0;
	size_t j;
	long at;

	for (j = 0; j < i; j++) {
		if (s->seq[j] >= first)
			first = s->seq[j] + 1;
	}
	for (seq = first; seq < s->seq[i]; seq++) {
		if (where(s, seq, i, i + s->ahead) >= 0)
			continue;
		lost++;
		at = where(s, seq + 1, i, i + s->ahead);
		if (at >= 0 && (uint64_t)at > *to_ns)
			*to_ns = at;
	}
	return lost;
}

static void compare(const struct story *s)
{
	struct holes h = { 0 };
	uint64_t want_ns, got_ns, want;
	size_t i, seen = 0;

	for (i = 0; i < s->n; i++) {
		for (; seen < s->n && seen < i + s->ahead; seen++)
			assert_int_equal(holes_see(&h, s->seq[seen], seen, seen), 0);
		want_ns = got_ns = 0;
		want = reference(s, i, &want_ns);
		assert_int_equal(holes_take(&h, i, &got_ns), want);
		/* Up to four records (and their time) more. */
		assert_true(got_ns >= want_ns && got_ns <= i + s->ahead);
	}
	assert_int_equal(h.count, 0);
	holes_free(&h);
}

static void holes_against_reference(void **state)
{
	struct story s;
	uint64_t rnd = 99;
	int i;

	(void)state;
	for (i = 0; i < 400; i++) {
		s.ahead = 1 + util_random(&rnd) % 40;
		make(&s, &rnd, util_random(&rnd) % 60);
		compare(&s);
	}
}

/* It comes with the last record that is looked at; or one later. */
static void window_boundary(void **state)
{
	struct holes h = { 0 };
	uint64_t to_ns = 0;

	(void)state;
	holes_see(&h, 1, 10, 0);
	holes_see(&h, 2, 20, 1);
	holes_see(&h, 0, 30, 2);
	assert_int_equal(holes_take(&h, 0, &to_ns), 0);
	assert_int_equal(h.again, 0);

	/* Made after the three contexts that may run inside of 3 at most. */
	holes_see(&h, 4, 40, 3);
	holes_see(&h, 5, 50, 4);
	holes_see(&h, 6, 60, 5);
	holes_see(&h, 7, 70, 6);
	holes_see(&h, 8, 80, 7);
	assert_int_equal(holes_take(&h, 2, &to_ns), 0);
	assert_int_equal(holes_take(&h, 3, &to_ns), 1);
	assert_int_equal(to_ns, 70);
	holes_see(&h, 3, 90, 8);
	assert_int_equal(h.again, 1);

	/* But not for long. */
	holes_see(&h, 10, 100, 9);
	holes_see(&h, 11, 100 + 10 * MS - 1, 10);
	holes_see(&h, 12, 100 + 30 * MS, 11);
	assert_int_equal(holes_take(&h, 9, &to_ns), 1);
	assert_int_equal(to_ns, 100 + 10 * MS - 1);
	holes_free(&h);
}

/* The writer's order against a stable sort. */
static void pending_is_sorted(void **state)
{
	struct pending p = { 0 };
	uint64_t rnd = 5, last, seq;
	struct ev_map m;
	size_t i, round;

	(void)state;
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 200; i++) {
			util_map(&m, 0, round * 1000 + i, 0);
			assert_int_equal(pending_add(&p, &m.op.h, round * 20 +
						     util_random(&rnd) % 50), 0);
		}
		for (last = 0, seq = 0, i = 0; i < p.count; i++) {
			const struct ev_hdr *h = pending_at(&p, i);

			assert_true(h->time_ns >= last);
			assert_true(h->time_ns > last || h->seq >= seq);
			assert_int_equal(((const struct ev_map *)h)->iova, h->seq << 12);
			last = h->time_ns;
			seq = h->seq;
		}
		i = pending_older(&p, round * 20 + 20);
		assert_true(!i || pending_at(&p, i - 1)->time_ns < round * 20 + 20);
		assert_true(i == p.count || pending_at(&p, i)->time_ns >= round * 20 + 20);
		pending_drop(&p, i);
	}
	pending_drop(&p, p.count);
	assert_int_equal(p.bytes, 0);
	pending_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_against_reference),
		cmocka_unit_test(window_boundary),
		cmocka_unit_test(pending_is_sorted),
	};

	return cmocka_run_group_tests_name("trace.holes", tests, NULL, NULL);
}
