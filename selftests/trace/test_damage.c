// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Traces that are cut, flipped, foreign or newer: a clear word, never a crash. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/layout.h"
#include "util.h"

#define N	300u	/* records of each CPU */

static struct util_read u;

/* Two CPUs that take turns, and the user. */
static char *make_trace(void)
{
	char *path = util_tmp();
	struct trace_writer *w = util_create(path, 2);
	unsigned int i;

	util_write_user(w, 0, T0);
	for (i = 0; i < N; i++) {
		util_write(w, 0, i, T0 + 2 * i);
		util_write(w, 1, i, T0 + 2 * i + 1);
	}
	assert_int_equal(trace_close(w, NULL, NULL), 0);
	return path;
}

static void expect_open(const char *path, int want, const char *word)
{
	struct trace_reader *r = NULL;
	struct trace_error err = { "" };
	int ret = trace_open(path, &r, &err);

	trace_free(r);
	assert_int_equal(ret, want);
	if (!strstr(err.text, word))
		fail_msg("\"%s\" in \"%s\"", word, err.text);
}

/* Records in the first @bytes of a file, and the time of the last one. */
static unsigned int records_in(const char *file, size_t bytes, uint64_t *last_ns)
{
	unsigned int n = 0;
	struct trace_head head;
	size_t len, off, pos;
	char *data = util_load(file, &len);
	struct ev_hdr h;

	*last_ns = 0;
	for (off = 0; off + TRACE_PACKET_BYTES <= bytes; off += TRACE_PACKET_BYTES) {
		memcpy(&head, data + off, sizeof(head));
		for (pos = sizeof(head); pos < head.content_size / 8; pos += h.len) {
			memcpy(&h, data + off + pos, sizeof(h));
			*last_ns = h.time_ns;
			n++;
		}
	}
	free(data);
	return n;
}

static void truncate_at(size_t bytes)
{
	char *path = make_trace();
	const char *file = util_in(path, "cpu0");
	uint64_t last_ns;
	unsigned int n = records_in(file, bytes, &last_ns);

	assert_return_code(truncate(file, bytes), errno);
	util_read(&u, path);
	assert_int_equal(u.records, 1 + N + n);
	assert_int_equal(u.errors, bytes % TRACE_PACKET_BYTES ? 1 : 0);
	assert_int_equal(u.gaps, 1);
	util_expect_gap(&u.gap[0], 0, last_ns, UINT64_MAX, 1);
	assert_false(u.complete);
	if (u.errors && (!strstr(u.err.text, "cpu0") || !strstr(u.err.text, "cut")))
		fail_msg("%s", u.err.text);
	util_rm(path);
}

/* Around each packet, and inside of head, records and padding. */
static void truncation(void **state)
{
	static const size_t inside[] = { 0, 1, 4, 71, 72, 73, 176, 2048, 4080, 4095 };
	char *path = make_trace();
	size_t size = util_size(util_in(path, "cpu0")), off, i;

	(void)state;
	util_rm(path);
	for (off = 0; off < size; off += TRACE_PACKET_BYTES) {
		for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
			truncate_at(off + inside[i]);
	}
}

/* A stream that is missing as a whole is not noticed, unless it is the user's. */
static void missing_user(void **state)
{
	char *path = make_trace();

	(void)state;
	assert_return_code(unlink(util_in(path, "user")), errno);
	util_read(&u, path);
	assert_int_equal(u.records, 2 * N);
	assert_false(u.complete);
	util_rm(path);
}

static void flip(const char *file, uint64_t bit)
{
	size_t len;
	char *data = util_load(file, &len);

	data[bit / 8] ^= 1 << bit % 8;
	util_store(file, data, len);
	free(data);
}

/* Each flip in a stream is found, and costs nothing but that stream. */
static void bit_flips_in_streams(void **state)
{
	static const char *const name[] = { "cpu0", "cpu1", "user" };
	char *path = make_trace();
	const char *file;
	uint64_t rnd = 11, bit;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		file = util_in(path, name[i % 3]);
		bit = util_random(&rnd) % (util_size(file) * 8);
		flip(file, bit);
		util_read(&u, path);
		assert_int_equal(u.errors, 1);
		assert_true(u.gaps >= 1);
		assert_false(u.complete);
		assert_true(i % 3 == 2 || u.records > N);
		flip(util_in(path, name[i % 3]), bit);
	}
	util_read(&u, path);
	assert_true(u.complete);
	util_rm(path);
}

/* The metadata has no checksum; whatever it says must not do harm. */
static void bit_flips_in_metadata(void **state)
{
	char *path = make_trace();
	const char *file = util_in(path, "metadata");
	uint64_t rnd = 12, bit, size = util_size(file);
	struct trace_error err;
	struct trace_reader *r;
	struct trace_item item;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		/* Half of them in the part that is read. */
		bit = util_random(&rnd) % ((i % 2 ? size : 1800) * 8);
		flip(util_in(path, "metadata"), bit);
		if (trace_open(path, &r, &err)) {
			assert_true(strlen(err.text) > 10);
		} else {
			while (trace_next(r, &item, &err))
				;
			trace_free(r);
		}
		flip(util_in(path, "metadata"), bit);
	}
	util_rm(path);
}

/* Damage with a right checksum: what an attacker would write. */
static void forged_packets(void **state)
{
	char *path = make_trace();
	size_t len, off, n, at;
	struct trace_error err;
	struct trace_reader *r;
	struct trace_item item;
	struct trace_tail tail;
	uint64_t rnd = 13;
	char *good, *data;
	int i;

	(void)state;
	good = util_load(util_in(path, "cpu0"), &len);
	data = malloc(len);
	assert_non_null(data);
	for (i = 0; i < 3000; i++) {
		memcpy(data, good, len);
		for (n = 1 + util_random(&rnd) % 4; n; n--) {
			at = util_random(&rnd) % (i % 2 ? len : 256);
			data[at] = util_random(&rnd);
		}
		for (off = 0; off < len; off += TRACE_PACKET_BYTES) {
			memcpy(&tail, data + off + TRACE_CONTENT_END, sizeof(tail));
			tail.checksum = trace_checksum(data + off);
			memcpy(data + off + TRACE_CONTENT_END, &tail, sizeof(tail));
		}
		util_store(util_in(path, "cpu0"), data, len);
		assert_int_equal(trace_open(path, &r, &err), 0);
		while (trace_next(r, &item, &err))
			;
		trace_free(r);
	}
	free(data);
	free(good);
	util_rm(path);
}

static void swapped_streams(void **state)
{
	char *path = make_trace(), *other = make_trace(), file[512];

	(void)state;
	snprintf(file, sizeof(file), "%s/cpu0", path);
	assert_return_code(rename(util_in(path, "cpu1"), file), errno);
	util_read(&u, path);
	assert_int_equal(u.errors, 1);
	assert_non_null(strstr(u.err.text, "another stream"));

	assert_return_code(rename(util_in(other, "cpu0"), file), errno);
	util_read(&u, path);
	assert_int_equal(u.errors, 1);
	assert_non_null(strstr(u.err.text, "another trace"));
	util_rm(other);
	util_rm(path);
}

static void not_a_trace(void **state)
{
	char *path = util_tmp(), file[512];

	(void)state;
	expect_open(path, -ENOENT, "No such file");
	util_store(path, "x", 1);
	expect_open(path, -ENOTDIR, "name the directory");
	assert_return_code(unlink(path), errno);
	snprintf(file, sizeof(file), "mkdir %s", path);
	assert_int_equal(system(file), 0);
	expect_open(path, -EBADMSG, "no file called metadata");

	util_store(util_in(path, "metadata"), "", 0);
	expect_open(path, -EBADMSG, "not CTF 1.8");
	util_store(util_in(path, "metadata"), "\xc1\x1f\xfc\xc1 lttng", 10);
	expect_open(path, -EBADMSG, "not CTF 1.8");
	util_store(util_in(path, "metadata"), "/* CTF 1.8 */\ntrace {};\n", 24);
	expect_open(path, -EBADMSG, "try babeltrace2");
	util_rm(path);
}

/* Replace a text of the same length in the metadata. */
static void edit(const char *path, const char *old, const char *new)
{
	size_t len;
	char *text = util_load(util_in(path, "metadata"), &len), *at = strstr(text, old);

	assert_non_null(at);
	memcpy(at, new, strlen(new));
	util_store(util_in(path, "metadata"), text, len);
	free(text);
}

static void newer_format(void **state)
{
	char *path = make_trace();

	(void)state;
	edit(path, "iommuscope_format = 1", "iommuscope_format = 2");
	expect_open(path, -EPROTONOSUPPORT, "newer");
	util_rm(path);
}

static void odd_files(void **state)
{
	char *path = make_trace(), cmd[512];

	(void)state;
	util_store(util_in(path, "notes.txt"), "x", 1);
	util_store(util_in(path, "cpu01"), "x", 1);
	util_store(util_in(path, "cpuX"), "x", 1);
	util_store(util_in(path, "cpu99999999999999999999"), "x", 1);
	util_read(&u, path);
	assert_true(u.complete);

	util_store(util_in(path, "cpu2"), "x", 1);
	expect_open(path, -EBADMSG, "cpu2");
	assert_return_code(unlink(util_in(path, "cpu2")), errno);
	snprintf(cmd, sizeof(cmd), "rm %s/cpu1; mkfifo %s/cpu1", path, path);
	assert_int_equal(system(cmd), 0);
	expect_open(path, -EBADMSG, "not a file");
	util_rm(path);
}

/* Overwrite the type of the second record of cpu0. */
static void retype(const char *path, uint16_t type)
{
	size_t len, at = sizeof(struct trace_head) + sizeof(struct ev_map) +
			 offsetof(struct ev_hdr, type);
	char *data = util_load(util_in(path, "cpu0"), &len);
	struct trace_tail tail;

	memcpy(data + at, &type, sizeof(type));
	memcpy(&tail, data + TRACE_CONTENT_END, sizeof(tail));
	tail.checksum = trace_checksum(data);
	memcpy(data + TRACE_CONTENT_END, &tail, sizeof(tail));
	util_store(util_in(path, "cpu0"), data, len);
	free(data);
}

/* A type that we do not know is skipped and counted; it is no gap. */
static void newer_type(void **state)
{
	char *path = make_trace();

	(void)state;
	edit(path, "event_abi = 2", "event_abi = 3");
	retype(path, 999);
	util_read(&u, path);
	assert_int_equal(u.errors, 0);
	assert_int_equal(u.gaps, 0);
	assert_int_equal(u.records, 2 * N);
	assert_int_equal(u.stats.unknown, 1);
	util_rm(path);
}

/* An unmap with the length of a map: fields appended in a newer version, else damage. */
static void newer_record(void **state)
{
	char *path = make_trace();

	(void)state;
	retype(path, EV_UNMAP);
	util_read(&u, path);
	assert_int_equal(u.errors, 1);
	assert_non_null(strstr(u.err.text, "impossible length"));

	edit(path, "event_abi = 2", "event_abi = 3");
	util_read(&u, path);
	assert_int_equal(u.errors, 0);
	assert_int_equal(u.records, 1 + 2 * N);
	util_rm(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncation),
		cmocka_unit_test(missing_user),
		cmocka_unit_test(bit_flips_in_streams),
		cmocka_unit_test(bit_flips_in_metadata),
		cmocka_unit_test(forged_packets),
		cmocka_unit_test(swapped_streams),
		cmocka_unit_test(not_a_trace),
		cmocka_unit_test(newer_format),
		cmocka_unit_test(odd_files),
		cmocka_unit_test(newer_type),
		cmocka_unit_test(newer_record),
	};

	return cmocka_run_group_tests_name("trace.damage", tests, NULL, NULL);
}
