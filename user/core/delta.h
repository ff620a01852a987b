/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is different between two snapshots: which domain of one is which of the other, which devices are
 * elsewhere, and what the two tables of a domain translate differently.
 *
 * Domains are the same if they hold the same devices, by name: pointers are another boot's, perhaps. Where
 * that leaves a choice, the pair with more devices in common wins, then the one with the same pointer. Of
 * those that have no device in common with any that is left, equal pointers make a pair.
 */
#ifndef IOMMUSCOPE_DELTA_H
#define IOMMUSCOPE_DELTA_H

#include "snapshot.h"

enum delta_kind {
	DELTA_MAPPED,		/* only the second translates it */
	DELTA_UNMAPPED,		/* only the first */
	DELTA_ELSEWHERE,	/* both do, to different addresses */
	DELTA_PROT,		/* with another permission */
	DELTA_MALFORMED,	/* at least one has an entry that the format does not allow; both not the same */
	DELTA_KINDS
};

/*
 * As far as it goes: neighbours are one delta if they are of one kind, and on each side go on where the
 * last one ended, with the same permission. What is malformed is not merged.
 */
struct delta {
	enum delta_kind kind;
	uint64_t first;
	uint64_t last;			/* inclusive */
	const struct walk_run *before;	/* that holds @first; NULL: none */
	const struct walk_run *after;
};

struct delta_count {
	uint64_t pages[DELTA_KINDS];	/* of 4 KiB */
	uint64_t told;			/* deltas */
	uint64_t same;			/* pages that both translate alike */
	uint64_t flux;			/* pages that differ, but never held still in one of both: not told */
};

/* Told about each delta, in rising order; not 0 ends the comparison. */
typedef int (*delta_fn)(void *arg, const struct delta *d);

/**
 * readings_delta() - Two readings of one table
 * @fn: may be NULL: only counted
 *
 * What is compared is where an address leads and with which permission; not the size of pages, and not the
 * bits of entries that are about neither. Flux must be in rising order, disjoint.
 *
 * Return: 0, or what @fn returned.
 */
int readings_delta(const struct reading *before, const struct reading *after, delta_fn fn,
		   void *arg, struct delta_count *count);

/** delta_paddr() - Where @iova leads that @run holds. */
static inline uint64_t delta_paddr(const struct walk_run *run, uint64_t iova)
{
	return run->paddr + (iova - run->iova);
}

#define DELTA_CAME	0x01	/* of domains and of devices */
#define DELTA_WENT	0x02
#define DELTA_REPLACED	0x04	/* domain: another one with the same devices */
#define DELTA_TYPE	0x08	/* domain */
#define DELTA_TABLE	0x10	/* domain: root, levels or format */
#define DELTA_MOVED	0x20	/* device: to another domain */
#define DELTA_DRIVER	0x40	/* device */
#define DELTA_GROUP	0x80	/* device */

struct device_pair {
	const struct snap_device *before;
	const struct snap_device *after;
	uint32_t changes;		/* DELTA_* */
	const struct device_pair *next;	/* in the same domain */
};

/* One domain on both sides; NULL: it is not on that side. */
struct domain_pair {
	const struct snap_domain *before;
	const struct snap_domain *after;
	uint32_t changes;		/* DELTA_* */
	const struct device_pair *devices;	/* in it now; if it went, then. By name */
};

/* Domains of the first in their order, then those only the second has; devices by name. */
struct matched {
	struct domain_pair *domains;
	size_t ndomains;
	struct device_pair *devices;
	size_t ndevices;
};

/**
 * snapshots_match() - Who is who
 * @before, @after: finished; must outlive @out
 * @partial: they looked at different parts of the machine: who is in one of them only has neither come nor gone
 *
 * Return: 0 or -ENOMEM.
 */
int snapshots_match(const struct snapshot *before, const struct snapshot *after, bool partial,
		    struct matched *out);

void matched_drain(struct matched *m);

/** pair_obstacle() - Why the tables of @p are not compared; NULL: they are, or there is nothing to. */
const char *pair_obstacle(const struct domain_pair *p);

/** pair_has_tables() - Are there two tables that can be compared? */
bool pair_has_tables(const struct domain_pair *p);

#endif
