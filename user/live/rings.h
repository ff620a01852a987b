/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Inside user/live: one ring per CPU, which the programs fill, drained in bounded turns. */
#ifndef IOMMUSCOPE_RINGS_H
#define IOMMUSCOPE_RINGS_H

#include "live/live.h"
#include "shared.h"

struct rings;

/* Where they are. */
struct rings_at {
	int data_fd;		/* BPF_MAP_TYPE_ARRAY of struct ring_chunk: all rings */
	int wake_fd;		/* BPF_MAP_TYPE_RINGBUF: its contents say nothing */
	struct cpu_state *cpus;	/* heads and tails, shared with the programs */
	unsigned int count;	/* of @cpus */
	unsigned int chunks_lg2;	/* 2^this chunks of each */
};

/**
 * rings_new() - Map the rings
 *
 * Return: 0 or -errno.
 */
int rings_new(const struct rings_at *at, live_sink sink, void *arg, struct rings **out);

/* An epoll descriptor: readable when a program asked to wake the consumer. */
int rings_fd(const struct rings *r);

/**
 * rings_drain() - One bounded turn over all rings
 * @now_ns: the time, or one before
 *
 * Return: records handed over; or -errno of the sink; -EBADMSG: what stands in a ring is no record.
 */
int rings_drain(struct rings *r, uint64_t now_ns);

/**
 * rings_complete_ns() - Return: all records that were made before have been handed over
 *
 * A program that is preempted in the midst of a record holds it up; see progress.h.
 */
uint64_t rings_complete_ns(const struct rings *r);

/** rings_behind() - Did the last turn leave records in a ring? */
bool rings_behind(const struct rings *r);

/**
 * rings_drain_last() - All that is left, once the programs write no more
 *
 * A program may have been preempted in the midst of a record: it is waited for, up to two seconds.
 *
 * Return: 0, or an error of rings_drain().
 */
int rings_drain_last(struct rings *r);

void rings_free(struct rings *r);

#endif
