/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All that one look at a machine saw (user/live/observe.h), gathered from its records: devices, the domains
 * that they are in, and what the table of each translates. For whoever needs all of it at once; the model
 * keeps one table at a time.
 *
 * Invariants
 * - Domains are in the order of their records; devices, once snapshot_finish() was called, in that of names.
 * - Of a domain that was read twice the last reading is kept.
 * - Books are not kept.
 */
#ifndef IOMMUSCOPE_SNAPSHOT_H
#define IOMMUSCOPE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "omap.h"
#include "reading.h"

/* SNAP_NONE and SNAP_READ can be compared with one like them. */
enum snap_state {
	SNAP_UNREAD,		/* no reading, or none that ended */
	SNAP_READ,
	SNAP_NONE,		/* it has no table: identity, blocked */
	SNAP_UNKNOWN,		/* of a format or a driver that is not known */
	SNAP_CUT,		/* too large or gone: not all of it was read */
	SNAP_ODD,		/* out of order: not written by us */
};

struct snap_domain {
	uint64_t ptr;
	uint64_t root;		/* physical address of its table */
	uint64_t leaves;	/* entries that translate */
	uint32_t type;		/* IOMMU_DOMAIN_* bits */
	uint32_t format;	/* enum walk_format */
	uint32_t levels;
	enum snap_state state;
	struct reading table;	/* runs and flux; flux is in rising order */
};

struct snap_device {
	uint64_t ptr;
	struct snap_domain *domain;	/* NULL: none */
	uint64_t domain_ptr;
	int32_t group;
	bool described;
	char name[33];
	char driver[25];
};

struct snapshot {
	struct snap_domain *domains;
	size_t ndomains, domains_room;
	struct snap_device *devices;
	size_t ndevices, devices_room;
	struct omap domain_at, device_at;	/* pointer: index + 1 */
	size_t reading_of;	/* index of the domain whose records come + 1; 0 none */
	uint64_t odd;		/* records that were no records, or in no order */
	bool whole;		/* its last record was seen */
};

/** snapshot_init(), snapshot_drain() - An empty one; free what it holds. */
void snapshot_init(struct snapshot *s);
void snapshot_drain(struct snapshot *s);

/**
 * snapshot_take() - One record
 * @buf: untrusted, @len bytes; of kinds that are not of a snapshot nothing is kept
 *
 * Return: 0, or -ENOMEM.
 */
int snapshot_take(struct snapshot *s, const void *buf, size_t len);

/**
 * snapshot_finish() - No more records
 *
 * Devices that nobody described are left out; pointers to domains hold from here on.
 */
void snapshot_finish(struct snapshot *s);

#endif
