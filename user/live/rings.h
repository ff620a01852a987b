/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Inside user/live: one BPF ring buffer per CPU, drained in bounded turns. */
#ifndef IOMMUSCOPE_RINGS_H
#define IOMMUSCOPE_RINGS_H

#include <stddef.h>

#include "live/live.h"

struct rings;

/**
 * rings_new() - Create the rings and put them into the map that the programs look into
 * @outer_fd: BPF_MAP_TYPE_ARRAY_OF_MAPS, one slot per CPU
 * @bytes:    per ring; power of two, multiple of the page size
 *
 * Return: 0 or -errno.
 */
int rings_new(int outer_fd, unsigned int cpus, size_t bytes, live_sink sink, void *arg,
	      struct rings **out);

/* An epoll descriptor: readable when a program asked to wake the consumer. */
int rings_fd(const struct rings *r);

/** rings_drain() - One bounded turn over all rings. Records handed over, or -errno of the sink. */
int rings_drain(struct rings *r);

/** rings_behind() - Did the last turn leave records in a ring? */
bool rings_behind(const struct rings *r);

void rings_free(struct rings *r);

#endif
