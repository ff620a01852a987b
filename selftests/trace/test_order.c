// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What goes in comes out: by time, with every loss and nothing but losses as a gap. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/schema.h"
#include "util.h"

static struct util_read u;

/* One record of each type with random content comes back byte by byte. */
static void round_trip(void **state)
{
	uint64_t rec[64][EV_LEN_MAX / 8], rnd = 1, seq = 0;
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 2);
	const struct schema *s;
	struct trace_reader *r;
	struct trace_item item;
	struct ev_hdr *h;
	size_t i, j;

	(void)state;
	for (i = 0; (s = schema_at(i)); i++) {
		for (j = 0; j < EV_LEN_MAX / 8; j++)
			rec[i][j] = util_random(&rnd);
		h = (void *)rec[i];
		*h = (struct ev_hdr) { .type = s->type, .len = s->len, .cpu = i % 2,
				       .flags = i, .time_ns = T0 + i, .seq = seq };
		seq += i % 2;
		assert_int_equal(trace_write(w, h), 0);
	}
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	assert_int_equal(trace_open(path, &r, NULL), 0);
	for (i = 0; (s = schema_at(i)); i++) {
		/* The writer's own end of the other stream may stand before the last. */
		do {
			assert_int_equal(trace_next(r, &item, NULL), 1);
			assert_int_equal(item.kind, TRACE_RECORD);
			h = (void *)item.rec;
		} while (h->type == EV_STREAM_END && s->type != EV_STREAM_END);
		assert_memory_equal(item.rec, rec[i], s->len);
	}
	trace_free(r);
	util_rm(path);
}

static void env_comes_back(void **state)
{
	char *path = util_tmp();
	struct trace_reader *r;

	(void)state;
	trace_close(util_create(path, 3), NULL, NULL);
	assert_int_equal(trace_open(path, &r, NULL), 0);
	assert_string_equal(trace_env_get(r, "kernel_release"), "6.12.0-test");
	assert_string_equal(trace_env_get(r, "command"), "dd if=\"a\\b\"\n\tof=c");
	assert_string_equal(trace_env_get(r, "cpus"), "3");
	assert_string_equal(trace_env_get(r, "clock_offset_ns"), "1700000000000000000");
	assert_null(trace_env_get(r, "nothing"));
	trace_free(r);

	/* Nothing was recorded, and the recording says so. */
	util_read(&u, path);
	assert_int_equal(u.records, 0);
	assert_int_equal(u.ends, 1);
	assert_true(u.complete);
	util_rm(path);
}

static void bad_records_are_refused(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 2);
	struct ev_map m;

	(void)state;
	util_map(&m, 2, 0, T0);			/* no such CPU */
	assert_int_equal(trace_write(w, &m), -EINVAL);
	util_map(&m, 0, 0, T0);
	m.op.h.len -= 8;
	assert_int_equal(trace_write(w, &m), -EINVAL);
	util_map(&m, 0, 0, T0);
	m.op.h.type = 7;
	assert_int_equal(trace_write(w, &m), -EINVAL);
	util_map(&m, 0, UINT64_MAX, T0);
	assert_int_equal(trace_write(w, &m), -EINVAL);
	assert_int_equal(trace_close(w, NULL, NULL), 0);
	util_rm(path);
}

/* CPUs are merged by time, equal times by CPU; the user's stream comes last. */
static void merge(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 3);
	static const uint16_t cpu[] = { 0, 1, 2, EV_CPU_USER, 2, 1, 0 };
	size_t i;

	(void)state;
	util_write(w, 2, 0, T0);
	util_write(w, 2, 1, T0 + 1);
	util_write(w, 1, 0, T0);
	util_write(w, 1, 1, T0 + 2);
	util_write_user(w, 0, T0);
	util_write(w, 0, 0, T0);
	util_write(w, 0, 1, T0 + 3);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.records, 7);
	assert_int_equal(u.gaps, 0);
	assert_int_equal(u.ends, 4);
	for (i = 0; i < 7; i++)
		assert_int_equal(u.cpu[i], cpu[i]);
	util_rm(path);
}

/* A record is stamped, then an interrupt makes @n records before it is numbered. */
static void write_nest(struct trace_writer *w, uint64_t *seq, uint64_t now, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		util_write(w, 0, (*seq)++, now + 1 + i);
	util_write(w, 0, (*seq)++, now);
}

static void nested_disorder(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);
	uint64_t seq = 0, now = T0;
	unsigned int i, n;

	(void)state;
	for (i = 0; i < 300; i++) {
		n = i % 7 ? i % 5 : 800;
		write_nest(w, &seq, now, n);
		now += n + 2;
		if (i % 50 == 0)
			assert_int_equal(trace_flush(w, now), 0);
	}
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.records, seq);
	assert_int_equal(u.gaps, 0);
	assert_int_equal(u.stats.late, 0);
	assert_int_equal(u.stats.again, 0);
	util_rm(path);
}

/* The same with losses in it: exactly these are counted. */
static void nested_disorder_with_losses(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);
	uint64_t seq = 0, now = T0, lost = 0, rnd = 7;
	unsigned int i, n;

	(void)state;
	for (i = 0; i < 2000; i++) {
		n = util_random(&rnd) % 64;
		write_nest(w, &seq, now, n);
		now += n + 2;
		if (i % 13 == 5) {
			seq += 1 + i % 3;
			lost += 1 + i % 3;
		}
	}
	util_write(w, 0, seq++, now);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.records, seq - lost);
	assert_int_equal(u.stats.lost, lost);
	assert_int_equal(u.end[0].lost, lost);
	assert_int_equal(u.stats.again, 0);
	util_rm(path);
}

static void gap_at_start(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 2);

	(void)state;
	util_write(w, 1, 0, T0);
	util_write(w, 0, 5, T0 + 5);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.gaps, 1);
	util_expect_gap(&u.gap[0], 0, 0, T0 + 5, 5);
	util_rm(path);
}

/* The gap of CPU 0 is told before what CPU 1 did meanwhile. */
static void gap_in_the_middle(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 2);
	struct trace_reader *r;
	struct trace_item item;

	(void)state;
	util_write(w, 0, 0, T0);
	util_write(w, 0, 1, T0 + 10);
	util_write(w, 0, 4, T0 + 30);
	util_write(w, 1, 0, T0 + 20);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	assert_int_equal(trace_open(path, &r, NULL), 0);
	assert_int_equal(trace_next(r, &item, NULL), 1);
	assert_int_equal(trace_next(r, &item, NULL), 1);
	assert_int_equal(item.kind, TRACE_RECORD);
	assert_int_equal(trace_next(r, &item, NULL), 1);
	assert_int_equal(item.kind, TRACE_GAP);
	util_expect_gap(&item.gap, 0, T0 + 10, T0 + 30, 2);
	assert_int_equal(trace_next(r, &item, NULL), 1);
	assert_int_equal(item.kind, TRACE_RECORD);
	assert_int_equal(((const struct ev_hdr *)item.rec)->cpu, 1);
	trace_free(r);
	util_rm(path);
}

/* Only the kernel knows of the records behind the last, and of a CPU that lost all. */
static void gap_at_end(void **state)
{
	const uint64_t lost[] = { 3, 0, 9 }, next[] = { 5, 1, 9 };
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 4);

	(void)state;
	util_write(w, 0, 0, T0);
	util_write(w, 0, 1, T0 + 1);
	util_write(w, 1, 0, T0 + 100);
	/* CPU 3 of these arrays does not exist: they end before it. */
	assert_int_equal(trace_close(w, (const uint64_t[]){ 3, 0, 9, 0 },
				     (const uint64_t[]){ 5, 1, 9, 0 }), 0);

	util_read(&u, path);
	assert_int_equal(u.gaps, 2);
	util_expect_gap(&u.gap[0], 2, 0, T0 + 100, next[2]);
	util_expect_gap(&u.gap[1], 0, T0 + 1, T0 + 100, next[0] - 2);
	assert_int_equal(u.ends, 4);
	assert_int_equal(u.end[0].lost, lost[0]);
	assert_int_equal(u.end[0].next_seq, next[0]);
	assert_int_equal(u.end[2].lost, lost[2]);
	assert_true(u.complete);
	util_rm(path);
}

/* In the file by time: 3 0 1 2. Number 3 opens a hole that what follows fills. */
static void reorder_is_no_gap(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);

	(void)state;
	util_write(w, 0, 0, T0 + 1);
	util_write(w, 0, 1, T0 + 2);
	util_write(w, 0, 2, T0 + 3);
	util_write(w, 0, 3, T0);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.gaps, 0);
	assert_int_equal(u.seq[0], 3);
	assert_int_equal(u.seq[1], 0);
	util_rm(path);
}

/* As before, but 1 is lost. It was between 0 and 2. */
static void reorder_with_gap(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);

	(void)state;
	util_write(w, 0, 0, T0 + 1);
	util_write(w, 0, 2, T0 + 3);
	util_write(w, 0, 3, T0);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.gaps, 1);
	util_expect_gap(&u.gap[0], 0, 0, T0 + 3, 1);
	util_rm(path);
}

/* Later than the window: written with the time of its predecessor, and counted. */
static void late_records(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);

	(void)state;
	util_write(w, 0, 0, T0);
	util_write(w, 0, 1, T0 + 50 * MS);
	assert_int_equal(trace_flush(w, T0 + 70 * MS), 0);
	util_write(w, 0, 2, T0 + 10 * MS);
	util_write(w, 0, 3, T0 + 80 * MS);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.records, 4);
	assert_int_equal(u.gaps, 0);
	assert_int_equal(u.time_ns[2], T0 + 50 * MS);
	assert_int_equal(u.seq[2], 2);
	assert_int_equal(u.stats.late, 1);
	util_rm(path);
}

/* Just inside and just outside of the window. */
static void window_boundary(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);

	(void)state;
	util_write(w, 0, 0, T0);
	util_write(w, 0, 1, T0 + 5);
	assert_int_equal(trace_flush(w, T0 + 5 + 10 * MS), 0);	/* writes 0, keeps 1 */
	util_write(w, 0, 2, T0 + 1);				/* between them */
	assert_int_equal(trace_flush(w, T0 + 6 + 10 * MS), 0);	/* writes 2 and 1 */
	util_write(w, 0, 3, T0 + 4);				/* too late */
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.seq[1], 2);
	assert_int_equal(u.time_ns[1], T0 + 1);
	assert_int_equal(u.seq[2], 1);
	assert_int_equal(u.seq[3], 3);
	assert_int_equal(u.time_ns[3], T0 + 5);
	assert_int_equal(u.stats.late, 1);
	util_rm(path);
}

/* A window full of records is more than the writer wants to hold. */
static void memory_is_bounded(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);
	const uint64_t n = 300000;
	uint64_t i;

	(void)state;
	for (i = 0; i < n; i++)
		util_write(w, 0, i, T0 + i);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.records, n);
	assert_int_equal(u.gaps, 0);
	assert_int_equal(u.stats.late, 0);
	util_rm(path);
}

/* A loss so large that counting through it would take years. */
static void huge_gap(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);

	(void)state;
	util_write(w, 0, 0, T0);
	util_write(w, 0, UINT64_MAX - 2, T0 + 1);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.gaps, 1);
	util_expect_gap(&u.gap[0], 0, T0, T0 + 1, UINT64_MAX - 3);
	util_rm(path);
}

/* Flushed every second for an hour with one record each, a trace stays small. */
static void slow_recording_stays_small(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);
	uint64_t i;

	(void)state;
	util_write_user(w, 0, T0);
	for (i = 0; i < 3600; i++) {
		util_write(w, 0, i, T0 + i * 1000 * MS);
		assert_int_equal(trace_flush(w, T0 + i * 1000 * MS + 20 * MS), 0);
	}
	assert_int_equal(trace_close(w, NULL, NULL), 0);
	assert_true(util_size(util_in(path, "cpu0")) < 400000);

	util_read(&u, path);
	assert_int_equal(u.records, 3601);
	assert_int_equal(u.gaps, 0);
	util_rm(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(env_comes_back),
		cmocka_unit_test(bad_records_are_refused),
		cmocka_unit_test(merge),
		cmocka_unit_test(nested_disorder),
		cmocka_unit_test(nested_disorder_with_losses),
		cmocka_unit_test(gap_at_start),
		cmocka_unit_test(gap_in_the_middle),
		cmocka_unit_test(gap_at_end),
		cmocka_unit_test(reorder_is_no_gap),
		cmocka_unit_test(reorder_with_gap),
		cmocka_unit_test(late_records),
		cmocka_unit_test(window_boundary),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(huge_gap),
		cmocka_unit_test(slow_recording_stays_small),
	};

	return cmocka_run_group_tests_name("trace.order", tests, NULL, NULL);
}
