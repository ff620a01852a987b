// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Rings of several CPUs become one stream: in order, with the gaps before what follows them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trace/holes.h"
#include "trace/merge.h"
#include "util.h"

#define HOLD HOLES_NEST_NS
#define MAX 64

/* What was handed on: a record is "cpu:seq", a gap "cpu-lost". */
struct heard {
	char text[MAX][24];
	unsigned int count;
	struct gap gap;		/* the last */
};

static int on_record(void *arg, const struct ev_hdr *rec)
{
	struct heard *h = arg;

	snprintf(h->text[h->count++ % MAX], sizeof(h->text[0]), "%d:%llu",
		 rec->cpu == EV_CPU_USER ? -1 : rec->cpu, (unsigned long long)rec->seq);
	return 0;
}

static int on_gap(void *arg, const struct gap *gap)
{
	struct heard *h = arg;

	snprintf(h->text[h->count++ % MAX], sizeof(h->text[0]), "%u-%llu", gap->cpu,
		 (unsigned long long)gap->lost);
	h->gap = *gap;
	return 0;
}

static const struct merge_sink sink = { on_record, on_gap };

static struct heard heard;

static struct merge *start(void)
{
	struct merge *m = NULL;

	memset(&heard, 0, sizeof(heard));
	assert_int_equal(merge_new(2, &sink, &heard, &m), 0);
	return m;
}

static void add(struct merge *m, uint16_t cpu, uint64_t seq, uint64_t time_ns)
{
	struct ev_mark rec = { .h = { .type = EV_MARK, .len = sizeof(rec), .cpu = cpu,
				      .seq = seq, .time_ns = time_ns } };

	assert_int_equal(merge_add(m, &rec.h), 0);
}

/* @now is the first time that the rings were empty; the second hands on. */
static void settle(struct merge *m, uint64_t now)
{
	assert_int_equal(merge_drained(m, now), 0);
	assert_int_equal(merge_drained(m, now + HOLD), 0);
}

static void expect(const char *const *want)
{
	unsigned int i;

	for (i = 0; want[i]; i++) {
		assert_true(i < heard.count);
		assert_string_equal(heard.text[i], want[i]);
	}
	assert_int_equal(heard.count, i);
}

#define EXPECT(...) expect((const char *const[]){ __VA_ARGS__, NULL })

static void records_of_two_cpus_are_in_order(void **state)
{
	struct merge *m = start();

	(void)state;
	add(m, 0, 0, 10);
	add(m, 0, 1, 30);
	add(m, 1, 0, 20);
	add(m, 1, 1, 30);
	add(m, EV_CPU_USER, 0, 5);
	settle(m, 100);
	EXPECT("-1:0", "0:0", "1:0", "0:1", "1:1");
	merge_free(m);
}

/* Nothing is said before it is certain that nothing older comes. */
static void what_is_young_waits(void **state)
{
	struct merge *m = start();

	(void)state;
	assert_int_equal(merge_drained(m, 100), 0);
	add(m, 0, 0, 99);
	add(m, 0, 1, 100);
	assert_int_equal(merge_drained(m, 99 + HOLD), 0);
	assert_int_equal(heard.count, 0);
	assert_int_equal(merge_drained(m, 100 + HOLD), 0);
	EXPECT("0:0");
	assert_int_equal(merge_drained(m, 100 + 2 * HOLD), 0);
	EXPECT("0:0", "0:1");
	merge_free(m);
}

/* An interrupt's record overtook that of what it interrupted. */
static void a_late_number_is_no_gap(void **state)
{
	struct merge *m = start();

	(void)state;
	add(m, 0, 1, 10);
	assert_int_equal(merge_drained(m, 20), 0);
	add(m, 0, 0, 25);
	assert_int_equal(merge_drained(m, 20 + HOLD), 0);
	EXPECT("0:1");
	assert_int_equal(merge_drained(m, 20 + 2 * HOLD), 0);
	EXPECT("0:1", "0:0");
	merge_free(m);
}

static void a_gap_comes_before_what_follows_it(void **state)
{
	struct merge *m = start();

	(void)state;
	add(m, 0, 0, 10);
	settle(m, 20);
	add(m, 0, 4, HOLD + 30);
	add(m, 1, 0, HOLD + 25);
	settle(m, 2 * HOLD + 40);
	EXPECT("0:0", "0-3", "1:0", "0:4");
	assert_int_equal(heard.gap.from_ns, 10);
	assert_int_equal(heard.gap.to_ns, HOLD + 30);
	merge_free(m);
}

static void the_end_tells_what_is_missing_there(void **state)
{
	static const uint64_t next[2] = { 3, 1 };
	struct merge_stats stats;
	struct merge *m = start();

	(void)state;
	add(m, 0, 0, 10);
	add(m, 1, 0, 15);
	assert_int_equal(merge_finish(m, next), 0);
	EXPECT("0-2", "0:0", "1:0");
	assert_int_equal(heard.gap.to_ns, UINT64_MAX);
	merge_stats(m, &stats);
	assert_int_equal(stats.records, 2);
	assert_int_equal(stats.lost, 2);
	merge_free(m);
}

static void a_strange_cpu_is_refused(void **state)
{
	struct ev_mark rec = { .h = { .type = EV_MARK, .len = sizeof(rec), .cpu = 2 } };
	struct merge *m = start();

	(void)state;
	assert_int_equal(merge_add(m, &rec.h), -EINVAL);
	rec.h.cpu = 3;
	assert_int_equal(merge_add(m, &rec.h), -EINVAL);
	merge_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_two_cpus_are_in_order),
		cmocka_unit_test(what_is_young_waits),
		cmocka_unit_test(a_late_number_is_no_gap),
		cmocka_unit_test(a_gap_comes_before_what_follows_it),
		cmocka_unit_test(the_end_tells_what_is_missing_there),
		cmocka_unit_test(a_strange_cpu_is_refused),
	};

	return cmocka_run_group_tests_name("trace.merge", tests, NULL, NULL);
}
