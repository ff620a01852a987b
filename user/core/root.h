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
	ROOT_ABSENT = 0,	/* some entry on the way is not present, or there is none: DMA is blocked */
	ROOT_TABLE = 1,		/* @table */
	ROOT_PASS = 2,		/* untranslated */
	ROOT_NESTED = 3,	/* two stages: @table is the second, @guest the first, in guest-physical addresses */
	ROOT_BAD = 4,		/* an entry that the specification does not allow, or there is no memory */
	ROOT_BLOCKED = 5,	/* AMD-Vi: valid, without a table and without permission; VT-d: abort-DMA mode */
};

/* An entry on the way, its words in the order of memory. */
struct root_step {
	const char *name;	/* "root entry", "context entry", "PASID directory entry", ...: a constant */
	uint64_t entry_paddr;
	uint64_t raw[8];
	uint32_t words;		/* valid in @raw: 2, 4, 8, 1 */
	uint32_t pad;
};

/*
 * @table is valid for TABLE and NESTED, @guest for NESTED. The entry that decided is the last of @steps; of BAD for want
 * of memory, the last one that could be read.
 */
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
 * Legacy mode: 9.1, 9.3; scalable mode: 9.2, 9.4 to 9.6. Requests with a PASID are blocked in legacy mode.
 */
void root_vtd(uint64_t rtaddr, const struct walk_memory *mem, uint16_t sid, uint32_t pasid,
	      struct root *out);

/**
 * root_amd() - What AMD-Vi does with requests of one device
 * @devtab: the device table base register (AMD 48882, 3.4.1: MMIO offset 0), with its size
 * @paddr_ignore: as in struct walk_table, for the register and all entries: memory encryption's bit, or 0
 * @mem:    physical memory
 * @sid:    device id: bus << 8 | devfn
 * @pasid:  or ROOT_NO_PASID: with a v2 table they use PASID 0 if the device's entry says so (GIOV), else only v1
 * @out:    filled
 *
 * Device table entry: 2.2.2; GCR3 tables: 2.2.6. An entry that is not valid means untranslated; without valid
 * translation information (TV), its permissions decide, as with mode 0: so Linux has it with SNP (6.12,
 * set_dte_entry()). Under a v1 table, a GCR3 table is at guest-physical addresses.
 */
void root_amd(uint64_t devtab, uint64_t paddr_ignore, const struct walk_memory *mem, uint16_t sid,
	      uint32_t pasid, struct root *out);

/** root_kind_name() - "table", "pass-through", ... */
const char *root_kind_name(uint32_t kind);

#endif
