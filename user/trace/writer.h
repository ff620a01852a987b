/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef IOMMUSCOPE_TRACE_WRITER_H
#define IOMMUSCOPE_TRACE_WRITER_H

#include "trace/out.h"
#include "trace/pending.h"

/* A record that is this much older than its stream's newest has no older one to come. */
#define WRITER_WINDOW_NS	10000000u
#define WRITER_DRAIN_BYTES	(256u << 10)
#define WRITER_PENDING_MAX	(8u << 20)

struct writer_stream {
	struct out_stream out;
	struct pending pending;
	size_t drain_at;	/* bytes pending */
	uint64_t newest_ns;
	uint64_t floor_ns;	/* of the last record given to @out */
	uint64_t late;		/* records that came behind @floor_ns */
	uint64_t received;
	uint64_t next_seq;	/* after the highest received */
	uint64_t lost_least;	/* lowest count of missing records since the last drain */
};

struct trace_writer {
	int dirfd;
	int err;		/* the first one */
	unsigned int cpus;
	uint64_t newest_ns;	/* of all, also of trace_flush() */
	uint8_t uuid[16];
	struct out_batch batch;
	struct writer_stream streams[];	/* cpus, then the user's */
};

#endif
