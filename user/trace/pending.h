/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records held back until no older one can come: always in order of time, equal
 * times in order of arrival. Records arrive nearly ordered, so that inserting from
 * the end costs a step or two.
 */
#ifndef IOMMUSCOPE_TRACE_PENDING_H
#define IOMMUSCOPE_TRACE_PENDING_H

#include <stddef.h>
#include <stdint.h>

struct ev_hdr;

struct pending_entry {
	uint64_t time_ns;
	uint32_t offset;	/* of the record in the arena */
};

/* All zero is empty. */
struct pending {
	uint8_t *arena;		/* records by arrival */
	size_t bytes, arena_size;
	struct pending_entry *entries;	/* by time */
	size_t count, slots;
};

/**
 * pending_add() - Hold back a copy of a record
 * @p:       the records
 * @rec:     hdr.len bytes
 * @time_ns: its time, stored in the copy too
 *
 * Return: 0 or -ENOMEM.
 */
int pending_add(struct pending *p, const struct ev_hdr *rec, uint64_t time_ns);

/* The @i-th oldest record. */
const struct ev_hdr *pending_at(const struct pending *p, size_t i);

/* How many records are older than @time_ns. */
size_t pending_older(const struct pending *p, uint64_t time_ns);

/* Forget the @n oldest. */
void pending_drop(struct pending *p, size_t n);

void pending_free(struct pending *p);

#endif
