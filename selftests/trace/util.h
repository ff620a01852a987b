/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the tests of the trace share. Linked into each of them. */
#ifndef TRACE_TEST_UTIL_H
#define TRACE_TEST_UTIL_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "bpf/event.h"
#include "trace/trace.h"

#define MS	1000000ull	/* in ns */
#define T0	1000000000ull	/* a time in ns to begin with */

/* A fresh temporary directory path (that does not exist yet); give it to util_rm(). */
char *util_tmp(void);
void util_rm(char *path);

/* "path/name"; static, overwritten by the next call. */
const char *util_in(const char *path, const char *name);

struct trace_writer *util_create(const char *path, unsigned int cpus);

/* A record that is told from others by its numbers. */
void util_map(struct ev_map *m, uint16_t cpu, uint64_t seq, uint64_t time_ns);
void util_write(struct trace_writer *w, uint16_t cpu, uint64_t seq, uint64_t time_ns);
void util_write_user(struct trace_writer *w, uint64_t seq, uint64_t time_ns);

/* All that a reader says. */
struct util_read {
	size_t records;		/* without EV_STREAM_END */
	size_t ends;
	size_t gaps;
	size_t errors;
	uint64_t seq[4096];	/* of the first records, as delivered */
	uint16_t cpu[4096];
	uint64_t time_ns[4096];
	struct gap gap[512];
	struct ev_stream_end end[16];
	struct trace_error err;	/* the last one */
	struct trace_stats stats;
	int complete;
};

/* Read all of it; fails the test if it cannot be opened or time runs backwards. */
void util_read(struct util_read *u, const char *path);

/* Lines of babeltrace2 with @grep in them; fails the test if its status is not 0. */
size_t util_babeltrace(const char *path, const char *options, const char *grep);
bool util_have_babeltrace(void);

/* Whole files. util_load() adds a NUL; free() what it returns. */
off_t util_size(const char *path);
char *util_load(const char *path, size_t *len);
void util_store(const char *path, const void *data, size_t len);

void util_expect_gap(const struct gap *g, uint16_t cpu, uint64_t from_ns, uint64_t to_ns,
		     uint64_t lost);

/* xorshift; the same numbers each time. */
uint64_t util_random(uint64_t *state);

#endif
