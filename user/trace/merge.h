/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Live records of all CPUs, brought into one order, with the gaps between them: what the
 * reader of a trace does with its files.
 *
 * Records come ring by ring. When the rings are empty at some time, all that is older has
 * come; HOLES_NEST_NS later also what was overtaken has. So the records up to that time are
 * handed on, and numbers that are missing among them are lost.
 */
#ifndef IOMMUSCOPE_TRACE_MERGE_H
#define IOMMUSCOPE_TRACE_MERGE_H

#include <stdint.h>

#include "core/engine.h"

struct ev_hdr;
struct merge;

/* Who is handed what, in order of time. Each returns 0 or -errno, which ends the call. */
struct merge_sink {
	int (*record)(void *arg, const struct ev_hdr *rec);
	int (*gap)(void *arg, const struct gap *gap);
};

struct merge_stats {
	uint64_t records;	/* handed on */
	uint64_t lost;		/* numbers missing */
};

/**
 * merge_new() - Prepare for the records of @cpus CPUs and of the recorder
 *
 * Return: 0 or -ENOMEM.
 */
int merge_new(unsigned int cpus, const struct merge_sink *sink, void *arg, struct merge **out);

/**
 * merge_add() - Take a copy of a record, in the order of its CPU's ring
 *
 * Return: 0, -ENOMEM, or -EINVAL for a CPU that there is not.
 */
int merge_add(struct merge *m, const struct ev_hdr *rec);

/**
 * merge_drained() - Every record that was made before @now_ns has been added
 *
 * Hands on what can be. Return: 0, or -errno of the sink.
 */
int merge_drained(struct merge *m, uint64_t now_ns);

/**
 * merge_finish() - Nothing comes any more: hand on all that is left
 * @next: of each CPU, sequence numbers used
 *
 * Return: 0, or -errno of the sink.
 */
int merge_finish(struct merge *m, const uint64_t *next);

void merge_stats(const struct merge *m, struct merge_stats *stats);

/** merge_free() - @m may be NULL. */
void merge_free(struct merge *m);

#endif
