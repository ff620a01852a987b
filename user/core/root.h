/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The hardware's side: from an IOMMU's root register over the device's entry to the table that is really
 * used, whatever the kernel's books say. Reads memory as walks do (walk.h).
 */
#ifndef IOMMUSCOPE_ROOT_H
#define IOMMUSCOPE_ROOT_H

#include "walk.h"

#define ROOT_NO_PASID 0xffffffffu
#define ROOT_STEPS_MAX 8

/* Numbers are in snapshots: append only. */
enum root_kind {
	ROOT_ABSENT = 0,	/* some entry on the way is not present: DMA is blocked */
	ROOT_TABLE = 1,		/* @table */
	ROOT_PASS = 2,		/* untranslated */
	ROOT_NESTED = 3,	/* two stages: @table is the second, @guest the first, in guest-physical addresses */
	ROOT_BAD = 4,		/* an entry that the specification does not allow, or there is no memory */
	ROOT_BLOCKED = 5,	/* AMD-Vi: valid, without a table and without permission */
};

/* An entry on the way, its words in the order of memory. */
struct root_step {
	const char *name;	/* "root entry", "context entry", "PASID directory entry", ... */
	uint64_t entry_paddr;
	uint64_t raw[8];
	uint32_t words;		/* valid in @raw: 2, 4, 8, 1 */
	uint32_t pad;
};

struct root {
	enum root_kind kind;
	uint32_t did;		/* domain id; ~0: none */
	uint32_t prot;		/* AMD-Vi: IR, IW of the device's entry as WALK_*; VT-d: both */
	bool scalable;		/* VT-d: scalable mode */
	bool first_stage;	/* @table is a first-stage (VT-d) or v2 (AMD-Vi) table */
	struct walk_table table;
	struct walk_table guest;
	struct root_step steps[ROOT_STEPS_MAX];
	uint32_t nsteps;
};

/**
 * root_vtd() - What VT-d does with requests of one device
 * @rtaddr: the root table address register (VT-d specification 11.4.5), with its translation table mode
 * @mem:    physical memory
 * @sid:    requester id: bus << 8 | devfn
 * @pasid:  of the requests, or ROOT_NO_PASID: those without (in scalable mode they use RID_PASID of the context entry)
 * @out:    filled
 *
 * Legacy mode: 9.1, 9.3; scalable mode: 9.2, 9.4 to 9.6.
 */
void root_vtd(uint64_t rtaddr, const struct walk_memory *mem, uint16_t sid, uint32_t pasid,
	      struct root *out);

/**
 * root_amd() - What AMD-Vi does with requests of one device
 * @devtab: the device table base register (AMD 48882, 3.4.1: MMIO offset 0), with its size
 * @pasid:  or ROOT_NO_PASID (with a v2 table: PASID 0 of the GCR3 table)
 *
 * Device table entry: 2.2.2; GCR3 tables: 2.2.6.
 */
void root_amd(uint64_t devtab, const struct walk_memory *mem, uint16_t sid, uint32_t pasid,
	      struct root *out);

/** root_kind_name() - "table", "pass-through", ... */
const char *root_kind_name(uint32_t kind);

#endif
