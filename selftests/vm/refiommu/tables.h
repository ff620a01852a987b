/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The page-table formats once more, from the specifications and not from the module: to check what
 * a lookup shows, and to build guests' tables.
 *
 *   VT-d second stage (VT-d specification, 9.8): R 0, W 1, PS 7, address 51:12
 *   AMD v1 (AMD IOMMU specification 48882, 2.2.3): PR 0, next level 11:9 (0: leaf, 7: leaf whose
 *     size is in the address), address 51:12, IR 61, IW 62
 *   TCE (PAPR, as Linux writes it): big-endian, R 0, W 1, address 63:12 of a 4 KiB page or a table
 *
 * A format that is not in tables.c ends the test: no test passes that has read tables of it.
 */
#ifndef REF_TABLES_H
#define REF_TABLES_H

#include "ref.h"

enum tables_kind { TABLES_NONE, TABLES_TABLE, TABLES_LEAF, TABLES_BAD };

struct tables_entry {
	enum tables_kind kind;
	unsigned int next_level;
	uint64_t paddr;
	uint64_t bytes; /* of a leaf */
	uint32_t prot;
};

void tables_decode(uint32_t format, uint64_t raw, unsigned int level, struct tables_entry *entry);
/* An entry in a table of @level for the table of @level - 1 at @addr; for a page of that level. */
uint64_t tables_table(uint32_t format, uint64_t addr, unsigned int level);
uint64_t tables_leaf(uint32_t format, uint64_t addr, unsigned int level, uint32_t prot);
/* An entry in a root table, which is of @level, that hardware refuses as malformed. */
uint64_t tables_bad(uint32_t format, uint64_t addr, unsigned int level);

/* Levels from the root on, 0 if only the module knows (no width); index of an IOVA in a table. */
unsigned int tables_levels(const struct ref_kind *kind);
uint64_t tables_index(const struct ref_kind *kind, uint64_t iova, unsigned int level,
		      unsigned int levels);

/* What a walk of raw entries comes to. */
struct tables_walk {
	uint64_t paddr;
	uint64_t bytes;
	uint32_t prot;
};

/**
 * tables_follow() - Follow the entries of a lookup, and check that they hang together
 * @kind: format of the table
 * @level, @nr: the entries, from the root down
 * @iova: what they translate
 * @walk: filled on success
 *
 * Return: NULL, or what is wrong with them.
 */
const char *tables_follow(const struct ref_kind *kind, const struct refiommu_level *level,
			  unsigned int nr, uint64_t iova, struct tables_walk *walk);

#endif /* REF_TABLES_H */
