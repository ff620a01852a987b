/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The engine: records in, findings out. The same for live and replayed data.
 *
 * For each record: decode, let every checker look at the model as it was, then
 * apply the operation to the model. Pure: no I/O, no clock, no globals; memory is
 * the only thing that can fail.
 */
#ifndef IOMMUSCOPE_ENGINE_H
#define IOMMUSCOPE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

struct engine;
struct model;
struct report;

/* A loss that the source knows of: CPU @cpu has nothing for [@from_ns, @to_ns]. */
struct gap {
	uint64_t from_ns;	/* time of the last record before; 0 from the start */
	uint64_t to_ns;		/* time of the first record after; UINT64_MAX to the end */
	uint64_t lost;		/* records missing, at least 1 */
	uint16_t cpu;
};

/**
 * engine_new() - Create an engine
 * @out: set on success
 *
 * Return: 0 or -ENOMEM.
 */
int engine_new(struct engine **out);

/**
 * engine_feed() - Process one record
 * @e:   the engine
 * @buf: one whole record, untrusted
 * @len: bytes available at @buf
 *
 * Records must come in time order as the merge delivers them; a record that is
 * older than its predecessor is still processed.
 *
 * Return: 0, -EBADMSG (malformed: counted, ignored), -EOVERFLOW (iova + size
 * wraps: counted, ignored) or -ENOMEM.
 */
int engine_feed(struct engine *e, const void *buf, size_t len);

/**
 * engine_gap() - Tell the engine about lost records
 * @e: the engine
 * @g: the gap; delivered before any record that is newer than @g->from_ns
 *
 * Return: 0 or -ENOMEM.
 */
int engine_gap(struct engine *e, const struct gap *g);

/**
 * engine_cut() - The recording broke off: its recorder was killed
 * @e: the engine
 *
 * The kernel's counters of skipped programs are read once a second (EV_MARK_TICK). What
 * was found after the last time may rest on skips that nobody could report, and is taken
 * back; without a tick everything is. Call it before engine_finish().
 */
void engine_cut(struct engine *e);

/**
 * engine_finish() - No more records: settle what is still pending
 * @e: the engine
 *
 * Return: 0 or -ENOMEM.
 */
int engine_finish(struct engine *e);

/* Whether a checker could do its work on this stream: once for each id that it finds. */
struct checker_status {
	const char *name;	/* finding id, static; another checker may find it, too */
	const char *off;	/* NULL: on; else why not, static */
};

/**
 * engine_checker() - Ask about a checker and one of its ids
 * @e:  the engine
 * @i:  0, 1, ... over all checkers and their ids
 * @st: set on success
 *
 * Return: 0, or -ENOENT behind the last.
 */
int engine_checker(const struct engine *e, size_t i, struct checker_status *st);

const struct model *engine_model(const struct engine *e);
const struct report *engine_report(const struct engine *e);

/** engine_free() - @e may be NULL. */
void engine_free(struct engine *e);

#endif
