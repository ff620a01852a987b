// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Recorders that are killed, disks that are full: what is there can be read. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/layout.h"
#include "util.h"

#define CPUS	4

static struct util_read u;

/* Records are coming; the recorder has not been closed. CPU 2 never had one. */
static struct trace_writer *half_way(const char *path)
{
	struct trace_writer *w = util_create(path, 3);

	util_write_user(w, 0, T0);
	util_write(w, 0, 0, T0 + 1);
	util_write(w, 1, 0, T0 + 2);
	assert_int_equal(trace_flush(w, T0 + 1000 * MS), 0);
	return w;
}

/* All streams are written up to the same time: the recording just ends here. */
static void killed_after_a_flush(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = half_way(path);

	(void)state;
	util_read(&u, path);
	assert_int_equal(u.records, 3);
	assert_int_equal(u.gaps, 0);
	assert_false(u.complete);
	trace_close(w, NULL, NULL);
	util_rm(path);
}

/*
 * CPU 0 had so much to say that it was written after the last flush of all. What the
 * others did meanwhile is not known, of CPU 2 neither; but up to the flush it is.
 */
static void killed_between_flushes(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = half_way(path);
	const uint64_t from = T0 + 1000 * MS - 10 * MS;
	uint64_t i;

	(void)state;
	util_write(w, 1, 1, T0 + 1500 * MS);
	for (i = 1; i < 4000; i++)
		util_write(w, 0, i, T0 + 1000 * MS + i * MS);

	util_read(&u, path);
	assert_true(u.records > 1000 && u.records < 4000);
	assert_int_equal(u.gaps, 3);
	util_expect_gap(&u.gap[0], 1, from, UINT64_MAX, 1);
	util_expect_gap(&u.gap[1], 2, from, UINT64_MAX, 1);
	util_expect_gap(&u.gap[2], EV_CPU_USER, from, UINT64_MAX, 1);
	assert_false(u.complete);

	assert_int_equal(trace_close(w, NULL, NULL), 0);
	util_read(&u, path);
	assert_int_equal(u.gaps, 0);
	assert_int_equal(u.records, 4003);
	assert_true(u.complete);
	util_rm(path);
}

/* Files of this process end here, as if the disk was full. */
static void set_limit(rlim_t bytes)
{
	struct rlimit lim;

	assert_return_code(getrlimit(RLIMIT_FSIZE, &lim), errno);
	lim.rlim_cur = bytes;
	assert_return_code(setrlimit(RLIMIT_FSIZE, &lim), errno);
}

/* Write @n records of one CPU; returns how often that failed. */
static unsigned int write_many(struct trace_writer *w, uint64_t *seq, unsigned int n)
{
	unsigned int failed = 0;
	struct ev_map m;
	int ret;

	while (n--) {
		util_map(&m, 0, *seq, T0 + *seq * 100000);
		++*seq;
		ret = trace_write(w, &m);
		assert_true(!ret || ret == -EFBIG);
		failed += !!ret;
	}
	return failed;
}

/* Full, then there is room again: a gap, and the recording goes on. */
static void disk_full_for_a_while(void **state)
{
	const rlim_t at[] = { 0, 100, 4096, 5000, 262143, 262144, 262145, 300000 };
	uint64_t seq, total;
	struct trace_writer *w;
	unsigned int i;
	char *path;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		path = util_tmp();
		w = util_create(path, 1);
		seq = 0;
		set_limit(at[i]);
		assert_true(write_many(w, &seq, 20000));
		set_limit(RLIM_INFINITY);
		assert_int_equal(write_many(w, &seq, 20000), 0);
		total = seq;
		assert_int_equal(trace_close(w, NULL, NULL), -EFBIG);

		util_read(&u, path);
		assert_int_equal(u.errors, 0);
		assert_int_equal(u.gaps, 1);
		assert_int_equal(u.records + u.stats.lost, total);
		assert_int_equal(u.end[0].lost, u.stats.lost);
		assert_true(u.complete);
		if (util_have_babeltrace())
			assert_int_equal(util_babeltrace(path, "", " map: "), u.records);
		util_rm(path);
	}
}

/* The last packet is written again and that fails: it stays as it was. */
static void disk_full_at_the_tail(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 1);

	(void)state;
	util_write(w, 0, 0, T0);
	util_write(w, 0, 1, T0 + 1);
	assert_int_equal(trace_flush(w, T0 + 100 * MS), 0);
	set_limit(0);
	util_write(w, 0, 2, T0 + 200 * MS);
	assert_int_equal(trace_flush(w, T0 + 300 * MS), -EFBIG);
	set_limit(RLIM_INFINITY);
	util_write(w, 0, 3, T0 + 400 * MS);
	assert_int_equal(trace_close(w, NULL, NULL), -EFBIG);

	util_read(&u, path);
	assert_int_equal(u.records, 3);
	assert_int_equal(u.gaps, 1);
	util_expect_gap(&u.gap[0], 0, T0 + 1, T0 + 400 * MS, 1);
	assert_int_equal(u.end[0].lost, 1);
	assert_true(u.complete);
	util_rm(path);
}

/* One stream could not be written at all: the end must not say that all is there. */
static void unwritable_stream(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 2);

	(void)state;
	assert_return_code(mkdir(util_in(path, "cpu1"), 0700), errno);
	util_write(w, 0, 0, T0);
	util_write(w, 1, 0, T0 + 1);
	assert_int_equal(trace_close(w, NULL, NULL), -EEXIST);
	assert_return_code(rmdir(util_in(path, "cpu1")), errno);

	util_read(&u, path);
	assert_int_equal(u.records, 1);
	assert_false(u.complete);
	assert_int_equal(u.gaps, 2);
	util_expect_gap(&u.gap[0], 1, 0, UINT64_MAX, 1);
	util_expect_gap(&u.gap[1], EV_CPU_USER, 0, UINT64_MAX, 1);
	util_rm(path);
}

/* Full to the end: there is no end record, so the trace says that it is not all. */
static void disk_full_to_the_end(void **state)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 2);
	uint64_t seq = 0;

	(void)state;
	util_write_user(w, 0, T0);
	util_write(w, 1, 0, T0 + 10000 * MS);
	assert_int_equal(trace_flush(w, T0 + 20 * MS), 0);
	set_limit(100000);
	assert_true(write_many(w, &seq, 20000));
	assert_int_equal(trace_close(w, NULL, NULL), -EFBIG);
	set_limit(RLIM_INFINITY);

	util_read(&u, path);
	assert_int_equal(u.errors, 0);
	assert_true(u.records > 500);
	assert_false(u.complete);
	/* CPU 1 could still be written: what CPU 0 did up to then is unknown. */
	assert_true(u.gaps >= 1);
	assert_int_equal(u.gap[u.gaps - 1].to_ns, UINT64_MAX);
	if (util_have_babeltrace())
		assert_int_equal(util_babeltrace(path, "", " map: "), u.records - 1);
	util_rm(path);
}

/* What parent and child share. */
struct progress {
	volatile uint64_t safe;	/* records before the last flush's horizon */
};

/* Write at full speed, interrupts nesting, until killed. */
static void record_forever(const char *path, struct progress *p)
{
	struct trace_writer *w = util_create(path, CPUS);
	uint64_t seq[CPUS] = { 0 }, n = 0, now = T0, flush = now + 20 * MS, rnd = 3;
	struct ev_map m[2];
	unsigned int cpu;

	util_write_user(w, 0, T0);
	for (;;) {
		cpu = util_random(&rnd) % CPUS;
		util_map(&m[0], cpu, seq[cpu]++, now + 50);
		util_map(&m[1], cpu, seq[cpu]++, now);
		trace_write(w, &m[0]);
		trace_write(w, &m[1]);
		now += 1000;
		n += 2;
		if (now >= flush) {
			trace_flush(w, now);
			p->safe = n - 2 * 10 * MS / 1000;
			flush = now + 20 * MS;
		}
	}
}

static void kill_once(struct progress *p, unsigned int us)
{
	char *path = util_tmp();
	size_t i;
	pid_t pid;

	p->safe = 0;
	pid = fork();
	assert_return_code(pid, errno);
	if (!pid)
		record_forever(path, p);
	while (!p->safe)
		usleep(100);
	usleep(us);
	assert_return_code(kill(pid, SIGKILL), errno);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	util_read(&u, path);
	assert_int_equal(u.errors, 0);
	assert_false(u.complete);
	if (u.records < p->safe)
		fail_msg("%zu of %llu records", u.records, (unsigned long long)p->safe);
	/* Nothing is missing in the middle; ends differ, perhaps inside a nest. */
	assert_true(u.gaps <= 2 * CPUS + 1);
	for (i = 0; i < u.gaps; i++)
		assert_int_equal(u.gap[i].to_ns, UINT64_MAX);
	if (util_have_babeltrace())
		assert_int_equal(util_babeltrace(path, "", "cpu_id"), u.records);
	util_rm(path);
}

static void kill_at_random_moments(void **state)
{
	struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t rnd = 17;
	int i;

	(void)state;
	assert_true(p != MAP_FAILED);
	for (i = 0; i < 30; i++)
		kill_once(p, util_random(&rnd) % 30000);
	munmap(p, sizeof(*p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_after_a_flush),
		cmocka_unit_test(killed_between_flushes),
		cmocka_unit_test(disk_full_for_a_while),
		cmocka_unit_test(disk_full_at_the_tail),
		cmocka_unit_test(unwritable_stream),
		cmocka_unit_test(disk_full_to_the_end),
		cmocka_unit_test(kill_at_random_moments),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("trace.kill", tests, NULL, NULL);
}
