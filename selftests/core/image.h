/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A physical memory of a few pages for tests of walks, and what stands in tables.
 *
 * image.c is the memory; plant.c writes tables as a driver does; translate.c reads one address at a time, as
 * the specifications say it, and shares nothing with the walks that it judges.
 */
#ifndef IOMMUSCOPE_SELFTESTS_IMAGE_H
#define IOMMUSCOPE_SELFTESTS_IMAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/omap.h"
#include "core/walk.h"

#define KB 1024ULL
#define MB (1024 * KB)
#define GB (1024 * MB)
#define TB (1024 * GB)
#define RW (WALK_READ | WALK_WRITE)

/* ---- image.c ---- */

struct image {
	struct omap pages;
	uint64_t next;		/* the next page is here */
	uint64_t reads;
	uint64_t announced;
	struct omap coming;	/* announced and not read yet */
};

void image_begin(struct image *m);
void image_end(struct image *m);
/* So many pages of zeroes, one after the other; their address. */
uint64_t image_pages(struct image *m, uint64_t n);
/* A page at a place of one's own. */
void image_page_at(struct image *m, uint64_t paddr);
/* NULL: there is no memory. */
uint64_t *image_word(struct image *m, uint64_t paddr);
uint64_t image_get(struct image *m, uint64_t paddr);
void image_set(struct image *m, uint64_t paddr, uint64_t word);
struct walk_memory image_memory(struct image *m);

/* ---- plant.c ---- */

/**
 * plant() - Map 2^@lg2 bytes as a driver would, with tables as they are needed
 *
 * Return: the address of the (first) entry.
 */
uint64_t plant(struct image *m, const struct walk_table *t, uint64_t iova, uint64_t paddr,
	       uint32_t lg2, uint32_t prot);
/* The place of the entry of @level for @iova, with tables above it. */
uint64_t plant_at(struct image *m, const struct walk_table *t, uint64_t iova, uint32_t level);
uint64_t plant_leaf_word(enum walk_format format, uint32_t level, uint64_t paddr, uint32_t lg2,
			 uint32_t prot);
uint64_t plant_table_word(enum walk_format format, uint32_t next_level, uint64_t paddr);
/* TCE: as a little-endian machine reads what is big-endian. */
uint64_t plant_swap(uint64_t word);
struct walk_table plant_tce(struct image *m);

/* ---- translate.c ---- */

enum translation { HOLE, LEAF, BAD, NO_MEMORY, OUTSIDE };

struct translated {
	enum translation is;
	uint64_t paddr;		/* of the byte */
	uint64_t entry_paddr;
	uint64_t raw;
	uint32_t prot;
	uint32_t lg2;
	uint32_t level;
};

struct translated translate(struct image *m, const struct walk_table *t, uint64_t iova);

/* ---- what a walk told ---- */

struct told {
	struct walk_run *runs;
	uint32_t n, room;
	struct walk_count count;
	int stop_after;		/* runs; 0: never */
};

int told_add(void *arg, const struct walk_run *run);
/* Walks, and looks whether the runs are in order and inside, and as many as were counted. */
void told_walk(struct told *out, struct image *m, const struct walk_table *t, uint64_t first,
	       uint64_t last);
void told_free(struct told *t);
/* One leaf run; fails if it is not so. */
void told_is(const struct told *t, uint32_t i, uint64_t iova, uint64_t last, uint64_t paddr,
	     uint32_t prot);
void told_is_bad(const struct told *t, uint32_t i, uint64_t iova, uint64_t last,
		 enum walk_kind kind);
/* Translates some IOVAs slowly and by lookup, and compares both with the runs. */
void told_agrees(const struct told *told, struct image *m, const struct walk_table *t,
		 uint64_t first, uint64_t last);

#endif
