// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* babeltrace2 as the oracle: it sees the records that we see, with the same values. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/schema.h"
#include "util.h"

static struct util_read u;

static void need_babeltrace(void)
{
	if (!util_have_babeltrace())
		skip();
}

static void same_count_with_disorder(void **state)
{
	uint64_t seq[3] = { 0 }, now = T0, rnd = 21;
	char *path;
	struct trace_writer *w;
	unsigned int i, cpu;

	(void)state;
	need_babeltrace();
	path = util_tmp();
	w = util_create(path, 3);
	for (i = 0; i < 20000; i++) {
		cpu = util_random(&rnd) % 3;
		seq[cpu] += !(util_random(&rnd) % 100);
		util_write(w, cpu, seq[cpu]++, now - util_random(&rnd) % (5 * MS));
		now += util_random(&rnd) % 1000;
	}
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	util_read(&u, path);
	assert_int_equal(u.records, 20000);
	assert_int_equal(util_babeltrace(path, "", "cpu_id"), u.records + u.ends);
	assert_int_equal(util_babeltrace(path, "", " stream_end: "), u.ends);
	util_rm(path);
}

/* One record of each type: names, and no complaint about the metadata. */
static void every_type(void **state)
{
	uint64_t rec[EV_LEN_MAX / 8] = { 0 }, seq = 0;
	char *path, word[64];
	struct trace_writer *w;
	struct ev_hdr *h = (void *)rec;
	const struct schema *s;
	size_t i;

	(void)state;
	need_babeltrace();
	path = util_tmp();
	w = util_create(path, 1);
	for (i = 0; (s = schema_at(i)); i++) {
		*h = (struct ev_hdr) { .type = s->type, .len = s->len, .time_ns = T0,
				       .seq = seq++ };
		assert_int_equal(trace_write(w, rec), 0);
	}
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	for (i = 0; (s = schema_at(i)); i++) {
		snprintf(word, sizeof(word), " host %s: ", s->name);
		assert_true(util_babeltrace(path, "", word) >= 1);
	}
	assert_int_equal(util_babeltrace(path, "", "WARN"), 0);
	assert_int_equal(util_babeltrace(path, "", ""), seq + 2);
	util_rm(path);
}

static void expect_line(const char *path, const char *text)
{
	if (util_babeltrace(path, "--clock-gmt --clock-date", text) != 1)
		fail_msg("babeltrace2 does not print \"%s\"", text);
}

static void values(void **state)
{
	const struct ev_device d = {
		.h = { .type = EV_DEVICE, .len = sizeof(d), .cpu = 1, .time_ns = T0 + 7 },
		.dev = 0xffff888012345678ull, .group = -1, .driver_kind = 2, .sid = 0x10,
		.name = "0000:00:02.0", .driver = "all-of-24-bytes-are-used",
	};
	char *path;
	struct trace_writer *w;

	(void)state;
	need_babeltrace();
	path = util_tmp();
	w = util_create(path, 2);
	util_write(w, 0, 0, T0);
	assert_int_equal(trace_write(w, &d), 0);
	util_write_user(w, 0, T0 + 100);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	/* 1700000000 s after 1970, and 1 s. */
	expect_line(path, "[2023-11-14 22:13:21.000000007] (+0.000000007) host device: "
		    "{ cpu_id = 1 }, ");
	expect_line(path, "{ dev = 0xFFFF888012345678, group = -1, driver_kind = 2, "
		    "flags = 0x0, sid = 0x10, name = \"0000:00:02.0\", "
		    "driver = \"all-of-24-bytes-are-used\" }");
	expect_line(path, "host map: { cpu_id = 0 }, ");
	expect_line(path, "pid = 4242, tgid = 4241, domain = 0xFFFF888000000000, iova = 0x0, "
		    "size = 0x1000, paddr = 0xFFFFFFFFFFFFFFFF, prot = 0x3, ret = -17 }");
	expect_line(path, "host mark: { cpu_id = 65535 }, ");
	util_rm(path);
}

/* Losses are events_discarded of the stream. */
static void discarded(void **state)
{
	char *path;
	struct trace_writer *w;
	uint64_t i, now = T0;

	(void)state;
	need_babeltrace();
	path = util_tmp();
	w = util_create(path, 1);
	for (i = 0; i < 1000; i++, now += MS)
		util_write(w, 0, i, now);
	trace_flush(w, now);
	/* Overtaken, but not lost; then seven lost. */
	util_write(w, 0, 1001, now + 2);
	util_write(w, 0, 1000, now + 1);
	for (i = 1009; i < 9000; i++, now += MS)
		util_write(w, 0, i, now + 3);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	assert_int_equal(util_babeltrace(path, "", "discarded 7 events"), 1);
	assert_int_equal(util_babeltrace(path, "", "discarded"), 1);
	util_rm(path);
}

/* Written between the overtaking record and the overtaken one: still no loss. */
static void overtaken_is_not_discarded(void **state)
{
	char *path;
	struct trace_writer *w;

	(void)state;
	need_babeltrace();
	path = util_tmp();
	w = util_create(path, 1);
	util_write(w, 0, 0, T0);
	util_write(w, 0, 2, T0 + 20 * MS);
	assert_int_equal(trace_flush(w, T0 + 20 * MS), 0);
	util_write(w, 0, 1, T0 + 20 * MS);
	util_write(w, 0, 3, T0 + 40 * MS);
	assert_int_equal(trace_flush(w, T0 + 60 * MS), 0);
	assert_int_equal(trace_close(w, NULL, NULL), 0);

	assert_int_equal(util_babeltrace(path, "", "discarded"), 0);
	util_read(&u, path);
	assert_int_equal(u.gaps, 0);
	util_rm(path);
}

static int mode_of(const char *path)
{
	struct stat st;

	assert_return_code(stat(path, &st), errno);
	return st.st_mode & 07777;
}

/* Kernel addresses are for their owner only, whatever the umask is. */
static void modes(void **state)
{
	const mode_t mask[] = { 0, 022, 0777 };
	struct trace_writer *w;
	mode_t old;
	char *path;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		path = util_tmp();
		old = umask(mask[i]);
		w = util_create(path, 1);
		util_write(w, 0, 0, T0);
		assert_int_equal(trace_close(w, NULL, NULL), 0);
		umask(old);
		assert_int_equal(mode_of(path), 0700);
		assert_int_equal(mode_of(util_in(path, "metadata")), 0600);
		assert_int_equal(mode_of(util_in(path, "cpu0")), 0600);
		assert_int_equal(mode_of(util_in(path, "user")), 0600);
		util_rm(path);
	}
}

/* An empty directory is adopted; anything else is left alone. */
static void existing_directory(void **state)
{
	const struct trace_env env = { .cpus = 1 };
	char *path = util_tmp();
	struct trace_writer *w;

	(void)state;
	assert_return_code(mkdir(path, 0755), errno);
	w = util_create(path, 1);
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(trace_create(path, &env, &w), -EEXIST);
	assert_int_equal(trace_close(w, NULL, NULL), 0);
	assert_int_equal(trace_create(path, &env, &w), -EEXIST);
	assert_int_equal(trace_create(util_in(path, "metadata"), &env, &w), -EEXIST);
	assert_int_equal(trace_create(util_in(path, "no/where"), &env, &w), -ENOENT);
	util_rm(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_count_with_disorder),
		cmocka_unit_test(every_type),
		cmocka_unit_test(values),
		cmocka_unit_test(discarded),
		cmocka_unit_test(overtaken_is_not_discarded),
		cmocka_unit_test(modes),
		cmocka_unit_test(existing_directory),
	};

	return cmocka_run_group_tests_name("trace.babeltrace", tests, NULL, NULL);
}
