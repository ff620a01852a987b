/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The trace directory: CTF 1.8, one stream file per CPU, the wire record is the
 * CTF event. docs/trace-format.md has the layout.
 */
#ifndef IOMMUSCOPE_TRACE_H
#define IOMMUSCOPE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "core/engine.h"

struct trace_writer;
struct trace_reader;

#define TRACE_SNAPSHOT	"snapshot"

/* Facts about the machine and the recording, for the metadata's env block. */
struct trace_env {
	const char *kernel_release;
	const char *hostname;
	const char *command;	/* what was recorded, or NULL */
	const char *version;	/* of iommuscope */
	const char *content;	/* TRACE_SNAPSHOT, or NULL: a recording */
	const char *scope;	/* of a snapshot: what of the machine it looked at */
	uint64_t clock_offset_ns;	/* CLOCK_REALTIME - CLOCK_MONOTONIC at the start */
	unsigned int cpus;	/* possible CPUs; streams 0 .. cpus-1, and EV_CPU_USER */
};

/**
 * trace_create() - Begin a trace directory
 * @path: directory to make; must not exist, or be an empty directory
 * @env:  copied
 * @out:  set on success
 *
 * Files are created with mode 0600, the directory with 0700.
 *
 * Return: 0, -EEXIST, -EINVAL (number of CPUs), -ENOMEM, or -errno of the file system.
 */
int trace_create(const char *path, const struct trace_env *env, struct trace_writer **out);

/**
 * trace_write() - Append one record to the stream of its hdr.cpu
 * @w:   writer
 * @rec: record, valid, hdr.len bytes, 8-byte aligned; hdr.seq set, also for EV_CPU_USER
 *
 * Records of one CPU may come out of order by up to 10 ms.
 *
 * Return: 0, -EINVAL (no such CPU, no such type, or not its length), or -errno of a
 * write: the records that did not reach the file are counted as discarded, the file
 * stays readable, and the writer goes on.
 */
int trace_write(struct trace_writer *w, const void *rec);

/**
 * trace_flush() - Write what is older than @now_ns minus the ordering window
 * @w:      writer
 * @now_ns: CLOCK_MONOTONIC, read before the rings were emptied for the last time: every
 *          record older than this has been given to trace_write()
 *
 * To be called about once a second, so that a killed recorder leaves a trace. It also
 * records that everything up to there is complete; a CPU without records needs no
 * other sign of life.
 *
 * Return: 0 or -errno.
 */
int trace_flush(struct trace_writer *w, uint64_t now_ns);

/**
 * trace_close() - Flush all, write the stream ends, free
 * @w:    may be NULL
 * @lost: per CPU, records lost to a full ring, as the kernel side counted; may be NULL
 *        (then the missing sequence numbers are counted)
 * @next: per CPU, sequence number after the last record that was tried; may be NULL
 *        (then a loss behind the last record of a CPU stays unknown)
 *
 * Each CPU that had or lost records gets an EV_STREAM_END, as does the user's stream.
 *
 * Return: 0 or the first -errno that this writer met.
 */
int trace_close(struct trace_writer *w, const uint64_t *lost, const uint64_t *next);

enum trace_item_kind { TRACE_RECORD, TRACE_GAP };

struct trace_item {
	enum trace_item_kind kind;
	const void *rec;	/* TRACE_RECORD: valid until the next call */
	struct gap gap;		/* TRACE_GAP: comes before any record newer than its start;
				 * to_ns may be up to 10 ms more than needed per context */
};

struct trace_error {
	char text[256];		/* what, where (file and offset), and the remedy */
};

/**
 * trace_open() - Open a trace directory for reading
 * @path: directory
 * @out:  set on success
 * @err:  filled on failure, for people
 *
 * Return: 0, -ENOENT, -ENOTDIR, -EBADMSG (not our trace, or damaged beyond use),
 * -EPROTONOSUPPORT (made by a newer version), or -errno.
 */
int trace_open(const char *path, struct trace_reader **out, struct trace_error *err);

/**
 * trace_next() - Next record or gap of all CPUs, merged by time
 *
 * A recording that was killed stops at a different time on each CPU. A CPU that says
 * nothing more while others go on gets a gap with to_ns UINT64_MAX and lost 1, from
 * where its silence no longer proves anything. trace_complete() tells such recordings.
 *
 * Records of types that a newer version added are skipped and counted.
 *
 * Return: 1 with @item filled, 0 at the end, -EBADMSG when a stream is damaged
 * from here on, -EIO or another -errno when it cannot be read on: @err says where,
 * that stream is cut there (a gap is delivered for it) and reading can go on.
 */
int trace_next(struct trace_reader *r, struct trace_item *item, struct trace_error *err);

/**
 * trace_complete() - Was the recording closed, and is all of it there?
 *
 * A guess from the last packets before trace_next() returned 0, certain afterwards.
 *
 * Return: 1, or 0: the recorder was killed or its disk was full, or a file was cut.
 */
int trace_complete(const struct trace_reader *r);

struct trace_stats {
	uint64_t records;	/* delivered */
	uint64_t unknown;	/* skipped: of types that a newer version added */
	uint64_t gaps;		/* delivered */
	uint64_t lost;		/* in these gaps; the open end of a cut stream counts 1 */
	uint64_t late;		/* written with a time after their own (EV_STREAM_END) */
	uint64_t again;		/* sequence numbers twice, or after their gap was delivered */
};

/** trace_stats() - Counts up to now. */
void trace_stats(const struct trace_reader *r, struct trace_stats *stats);

/* Value of an env entry of the metadata, or NULL. Valid until trace_free(). */
const char *trace_env_get(const struct trace_reader *r, const char *name);

/** trace_free() - @r may be NULL. */
void trace_free(struct trace_reader *r);

#endif
