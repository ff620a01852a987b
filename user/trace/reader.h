/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef IOMMUSCOPE_TRACE_READER_H
#define IOMMUSCOPE_TRACE_READER_H

#include "trace/in.h"

struct reader_entry {
	uint64_t key_ns;
	struct in_stream *s;
};

struct trace_reader {
	char *path;
	int dirfd;
	struct trace_facts facts;

	/* Owned. Streams of CPUs without a file are here if the recorder was killed. */
	struct in_stream **streams;
	size_t count, slots;

	/* A binary heap of the streams that still have something, by (key_ns, cpu). */
	struct reader_entry *heap;
	size_t heap_count;
	size_t live;		/* of these, the ones that may have records */
	bool started;
	bool advance;		/* the top of the heap was delivered */

	bool complete;
	struct trace_stats stats;
};

/* Fill @err and return @code. */
int reader_fail(struct trace_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
