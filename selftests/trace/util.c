// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

char *util_tmp(void)
{
	const char *dir = getenv("TMPDIR");
	char *path = malloc(256);

	assert_non_null(path);
	snprintf(path, 256, "%s/iommuscope-trace-XXXXXX", dir ? dir : "/tmp");
	assert_non_null(mkdtemp(path));
	assert_return_code(rmdir(path), 0);
	return path;
}

void util_rm(char *path)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", path);
	assert_int_equal(system(cmd), 0);
	free(path);
}

const char *util_in(const char *path, const char *name)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s/%s", path, name);
	return text;
}

struct trace_writer *util_create(const char *path, unsigned int cpus)
{
	const struct trace_env env = {
		.kernel_release = "6.12.0-test",
		.hostname = "host",
		.command = "dd if=\"a\\b\"\n\tof=c",
		.version = "0",
		.clock_offset_ns = 1700000000000000000ull,
		.cpus = cpus,
	};
	struct trace_writer *w = NULL;

	assert_int_equal(trace_create(path, &env, &w), 0);
	assert_non_null(w);
	return w;
}

void util_map(struct ev_map *m, uint16_t cpu, uint64_t seq, uint64_t time_ns)
{
	*m = (struct ev_map) {
		.op = {
			.h = {
				.type = EV_MAP, .len = sizeof(*m), .cpu = cpu,
				.flags = EVF_FAST, .time_ns = time_ns, .seq = seq,
			},
			.begin_ns = time_ns - 100,
			.id = seq,
			.pid = 4242,
			.tgid = 4241,
		},
		.domain = 0xffff888000000000ull + cpu,
		.iova = seq << 12,
		.size = 4096,
		.paddr = ~seq,
		.prot = 3,
		.ret = -17,
	};
}

void util_write(struct trace_writer *w, uint16_t cpu, uint64_t seq, uint64_t time_ns)
{
	struct ev_map m;

	util_map(&m, cpu, seq, time_ns);
	assert_int_equal(trace_write(w, &m), 0);
}

void util_write_user(struct trace_writer *w, uint64_t seq, uint64_t time_ns)
{
	const struct ev_mark m = {
		.h = {
			.type = EV_MARK, .len = sizeof(m), .cpu = EV_CPU_USER,
			.time_ns = time_ns, .seq = seq,
		},
		.kind = EV_MARK_ATTACHED,
	};

	assert_int_equal(trace_write(w, &m), 0);
}

static void take_record(struct util_read *u, const struct ev_hdr *h)
{
	size_t i = u->records;

	if (h->type == EV_STREAM_END) {
		if (u->ends < 16)
			memcpy(&u->end[u->ends], h, sizeof(u->end[0]));
		u->ends++;
		return;
	}
	if (i < 4096) {
		u->seq[i] = h->seq;
		u->cpu[i] = h->cpu;
		u->time_ns[i] = h->time_ns;
	}
	u->records++;
}

void util_read(struct util_read *u, const char *path)
{
	struct trace_item item;
	struct trace_reader *r;
	uint64_t now = 0;
	int ret;

	memset(u, 0, sizeof(*u));
	ret = trace_open(path, &r, &u->err);
	if (ret)
		fail_msg("%s", u->err.text);

	while ((ret = trace_next(r, &item, &u->err))) {
		if (ret < 0) {
			u->errors++;
		} else if (item.kind == TRACE_GAP) {
			assert_true(item.gap.lost);
			assert_true(now <= item.gap.from_ns);
			assert_true(item.gap.from_ns <= item.gap.to_ns);
			if (u->gaps < 512)
				u->gap[u->gaps] = item.gap;
			u->gaps++;
			now = item.gap.from_ns;
		} else {
			assert_true(now <= ((const struct ev_hdr *)item.rec)->time_ns);
			now = ((const struct ev_hdr *)item.rec)->time_ns;
			take_record(u, item.rec);
		}
	}
	u->complete = trace_complete(r);
	trace_stats(r, &u->stats);
	trace_free(r);
}

bool util_have_babeltrace(void)
{
	return !system("babeltrace2 --version >/dev/null 2>&1");
}

size_t util_babeltrace(const char *path, const char *options, const char *grep)
{
	size_t n = 0, size = 0;
	char cmd[512], *line = NULL;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "babeltrace2 %s '%s' 2>&1", options, path);
	f = popen(cmd, "r");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0)
		n += !!strstr(line, grep);
	if (pclose(f))
		fail_msg("%s failed", cmd);
	free(line);
	return n;
}

off_t util_size(const char *path)
{
	struct stat st;

	assert_return_code(stat(path, &st), errno);
	return st.st_size;
}

char *util_load(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text;

	*len = util_size(path);
	text = calloc(1, *len + 1);
	assert_non_null(f);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, *len, f), *len);
	fclose(f);
	return text;
}

void util_store(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

void util_expect_gap(const struct gap *g, uint16_t cpu, uint64_t from_ns, uint64_t to_ns,
		     uint64_t lost)
{
	assert_int_equal(g->cpu, cpu);
	assert_int_equal(g->from_ns, from_ns);
	assert_int_equal(g->to_ns, to_ns);
	assert_int_equal(g->lost, lost);
}

uint64_t util_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
