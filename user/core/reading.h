/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One look at one domain: what its page table translates (runs), and what somebody's book says that it
 * should (areas). Comparing the two gives differences; which of them are findings is said by who took the
 * reading (were both sides still?) and by check_reading.c.
 *
 * Invariants
 * - Runs are disjoint and in rising order, as walks hand them out; so are the areas of each book.
 * - What lies in a range of flux never settled while it was read, and is never a difference.
 */
#ifndef IOMMUSCOPE_READING_H
#define IOMMUSCOPE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "walk.h"

/* Books, and what they can tell. Numbers are in snapshots: append only. */
enum book {
	BOOK_VFIO = 0,		/* VFIO type1's list: exactly this is mapped */
	BOOK_IOVA = 1,		/* the DMA API's allocator: nothing outside of this is mapped */
	BOOK_IOMMUFD = 2,	/* iommufd's areas: exactly this */
	BOOK_MODEL = 3,		/* what a trace says is live: exactly this, and where it leads */
	BOOK_FILE = 4,		/* --expect: exactly this */
	BOOK_PROCESS = 5,	/* pages that are behind the process addresses of reading_slots() now: no others there */
	BOOK_IOVA_TO_PHYS = 6,	/* second reading: what iommu_iova_to_phys() says of single bytes; of others nothing */
	BOOK_DEBUGFS = 7,	/* second reading: Intel's dump of the table in debugfs, exactly this */
	BOOK_COUNT
};

/** book_is_oracle() - Is it not somebody's intent, but another reading of the same table? */
static inline bool book_is_oracle(enum book book)
{
	return book == BOOK_IOVA_TO_PHYS || book == BOOK_DEBUGFS;
}

#define AREA_PADDR_UNKNOWN (~0ULL)
#define AREA_DROPPED	0x1	/* BOOK_PROCESS: what the table has instead is not pinned for it */
#define AREA_HOLE	0x2	/* BOOK_IOVA_TO_PHYS: nothing is mapped here */

struct book_area {
	uint64_t first;
	uint64_t last;		/* inclusive */
	uint64_t paddr;		/* of @first; the area is contiguous there; or AREA_PADDR_UNKNOWN */
	uint64_t vaddr;		/* of @first in the process; 0 none */
	uint32_t prot;		/* WALK_* that was asked for; 0: not known */
	uint32_t tgid;		/* process of @vaddr; 0 unknown */
	uint32_t flags;		/* AREA_* */
	uint32_t pad;
};

struct read_span {
	uint64_t first;
	uint64_t last;		/* inclusive */
};

struct reading {
	struct walk_run *runs;
	size_t nruns, runs_room;
	struct book_area *areas[BOOK_COUNT];
	size_t nareas[BOOK_COUNT], areas_room[BOOK_COUNT];
	struct read_span *flux;
	size_t nflux, flux_room;
	bool flux_jumbled;	/* not rising and disjoint: slower to look into */
	struct read_span *direct;	/* reserved ranges that are mapped one to one, whoever asked */
	size_t ndirect, direct_room;
	uint32_t books;		/* bits of enum book that were read, also if empty */
	enum walk_format format;
};

struct ev_run;

void reading_init(struct reading *r);
void reading_drain(struct reading *r);

/**
 * reading_add_run(), reading_add_record() (the same, from a trace), reading_add_area(), reading_add_flux(), reading_add_direct() - What was read
 *
 * Flux and direct ranges may come in any order.
 *
 * Return: 0, -ENOMEM, or -EINVAL: not behind the last one, last < first, or no such book.
 */
int reading_add_run(struct reading *r, const struct walk_run *run);
int reading_add_record(struct reading *r, const struct ev_run *run);
int reading_add_area(struct reading *r, enum book book, const struct book_area *area);
int reading_add_flux(struct reading *r, uint64_t first, uint64_t last);
int reading_add_direct(struct reading *r, uint64_t first, uint64_t last);

/** reading_slots() - The book of @r whose areas have process addresses: iommufd's, if it was read, else VFIO's. */
enum book reading_slots(const struct reading *r);

/** spans_order() - Make @spans rise, and one of those that overlap. Return: how many are left. */
size_t spans_order(struct read_span *spans, size_t count);

enum diff_kind {
	DIFF_MISSING,		/* the book has it, the table not */
	DIFF_EXTRA,		/* the table has it, the book not */
	DIFF_PADDR,		/* it leads elsewhere */
	DIFF_PROT_LESS,		/* not all that was asked for is allowed */
	DIFF_PROT_MORE,		/* it can be written, and nobody asked for that */
	DIFF_BAD,		/* an entry that the format does not allow, whatever the book has there */
	DIFF_KINDS
};

/**
 * reading_patch() - What was read again takes the place of what was read first
 * @spans:  in rising order, disjoint
 * @count:  of @spans
 * @patch:  runs and areas inside of @spans only
 *
 * Return: 0 or -ENOMEM (@r is unchanged).
 */
int reading_patch(struct reading *r, const struct read_span *spans, size_t count,
		  const struct reading *patch);

/* As far as it goes between the same area and run, but for what is in flux. */
struct diff {
	enum diff_kind kind;
	enum book book;
	uint64_t first;
	uint64_t last;		/* inclusive */
	const struct book_area *area;	/* NULL: none */
	const struct walk_run *run;	/* NULL: none */
};

struct compared {
	uint64_t pages;		/* of 4 KiB, that both sides have and that settled: compared */
	uint64_t direct;	/* of 4 KiB, mapped one to one because of a reserved range */
	uint64_t flux;		/* differences that lie in ranges of flux, all of them or in part */
	uint64_t diffs;		/* told */
};

/* Told about each difference, in rising order; not 0 ends the comparison. */
typedef int (*diff_fn)(void *arg, const struct diff *d);

/**
 * reading_compare() - The table against one book
 * @fn: may be NULL: only counted
 *
 * Permission: second-stage tables of VT-d (and tables of 6.12 and older) cannot say "write only" and may give read as
 * well, so that read which was not asked for is never a difference.
 *
 * Return: 0; -ENOENT: that book was not read (@r->books), and so says nothing; or what @fn returned.
 */
int reading_compare(const struct reading *r, enum book book, diff_fn fn, void *arg,
		    struct compared *count);

struct ev_read;
struct ev_root;

/**
 * root_difference() - Does the hardware use the table that the kernel's books say?
 * @domain_type: IOMMU_DOMAIN_* bits
 * @books:	 table of the domain: root, levels, format, flags
 * @hardware:	 what the device's entry says. Where the IOMMU has fewer levels than the table and begins lower (VT-d
 *	before 6.19, domain_context_mapping_one()), who read it has followed the table down and says the books' root
 *	and levels
 *
 * Return: NULL: yes, or not known; else in words what is different.
 */
const char *root_difference(uint32_t domain_type, const struct ev_read *books,
			    const struct ev_root *hardware);

/** book_name() - "VFIO's list", ...; diff_name() - "missing", ... */
const char *book_name(enum book book);
const char *diff_name(enum diff_kind kind);

#endif
