// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * AMD-Vi: the device table, and GCR3 tables for requests with a PASID. AMD I/O Virtualization Technology specification
 * 48882, 2.2.2 and 2.2.6; Linux 6.12, drivers/iommu/amd/amd_iommu_types.h and set_dte_entry().
 */
#include <stddef.h>

#include "root_priv.h"

#define PADDR 0x000ffffffffff000ULL
#define DEVTAB_PAGES(reg) (((reg) & 0x1ff) + 1)
#define DTE_BYTES 32

#define DTE_VALID (1ULL << 0)
#define DTE_TRANSLATION_VALID (1ULL << 1)
#define DTE_MODE(w0) ((uint32_t)((w0) >> 9) & 7)
#define DTE_GIOV (1ULL << 54)
#define DTE_GUEST_VALID (1ULL << 55)
#define DTE_GCR3_LEVELS(w0) (1 + ((uint32_t)((w0) >> 56) & 3))
#define DTE_PROT(w0) ((uint32_t)((w0) >> 61) & (WALK_READ | WALK_WRITE))
#define DTE_DID(w1) ((uint32_t)(w1) & 0xffff)
#define DTE_GUEST_LEVELS(w2) (4 + ((uint32_t)((w2) >> 54) & 3))

#define MODE_LEVELS_MAX 6
#define GCR3_LEVELS_MAX 3
#define GUEST_LEVELS_MAX 5
#define GCR3_VALID 1ULL
#define GCR3_INDEX_LG2 9

struct amd {
	const struct walk_memory *mem;
	uint64_t ignore;
	const uint64_t *dte;
	struct root *out;
};

static uint64_t paddr_in(const struct amd *a, uint64_t word)
{
	return word & PADDR & ~a->ignore;
}

/* Bits 12 to 14, 15 to 30 and 31 to 51 are in three places. */
static uint64_t gcr3_base(const struct amd *a)
{
	return paddr_in(a, (a->dte[0] >> 58 & 7) << 12 | (a->dte[1] >> 16 & 0xffff) << 15 |
			   a->dte[1] >> 43 << 31);
}

/* Where a GCR3 entry really is. False: nowhere. */
static bool gcr3_paddr(const struct amd *a, uint64_t addr, uint64_t *paddr)
{
	const struct walk_table *host = &a->out->table;
	struct walk_path path;

	*paddr = addr;
	if (!host->nwindows)
		return true;
	if (walk_lookup(host, a->mem, addr, &path) || !path.present)
		return false;
	*paddr = path.run.paddr + (addr - path.run.iova);
	return true;
}

/* The root of @pasid's table in @root, or how it ended. */
static enum root_kind gcr3_walk(const struct amd *a, uint32_t pasid, uint64_t *root)
{
	uint32_t level = DTE_GCR3_LEVELS(a->dte[0]);
	uint64_t table = gcr3_base(a), paddr;
	const uint64_t *w;

	if (level > GCR3_LEVELS_MAX)
		return ROOT_BAD;
	if (pasid >> GCR3_INDEX_LG2 * level)
		return ROOT_ABSENT;
	while (level--) {
		uint64_t index = pasid >> GCR3_INDEX_LG2 * level & (WALK_PAGE_ENTRIES - 1);

		if (!gcr3_paddr(a, table + index * 8, &paddr))
			return ROOT_BAD;
		w = root_step(a->out, a->mem, (struct root_at) { "GCR3 table entry", paddr, 1 });
		if (!w)
			return ROOT_BAD;
		if (!(*w & GCR3_VALID))
			return ROOT_ABSENT;
		table = paddr_in(a, *w);
	}
	*root = table;
	return ROOT_TABLE;
}

/* With a guest table: over the host's, if there is one. */
static enum root_kind guest_kind(const struct amd *a, uint32_t pasid)
{
	const uint32_t levels = DTE_GUEST_LEVELS(a->dte[2]);
	struct walk_table guest;
	enum root_kind kind;
	uint64_t root = 0;

	if (levels > GUEST_LEVELS_MAX)
		return ROOT_BAD;
	kind = gcr3_walk(a, pasid, &root);
	if (kind != ROOT_TABLE)
		return kind;

	guest = walk_x86(root, levels);
	guest.paddr_ignore = a->ignore;
	if (a->out->table.nwindows) {
		a->out->guest = guest;
		return ROOT_NESTED;
	}
	a->out->table = guest;
	a->out->first_stage = true;
	return ROOT_TABLE;
}

static enum root_kind dte_kind(const struct amd *a, uint32_t pasid)
{
	const uint64_t w0 = a->dte[0];
	const bool translated = w0 & DTE_TRANSLATION_VALID;
	const uint32_t mode = translated ? DTE_MODE(w0) : 0;
	const bool guest = translated && w0 & DTE_GUEST_VALID;

	if (!(w0 & DTE_VALID))
		return ROOT_PASS;

	a->out->did = DTE_DID(a->dte[1]);
	a->out->prot = DTE_PROT(w0);
	if (mode > MODE_LEVELS_MAX)
		return ROOT_BAD;
	if (mode) {
		a->out->table = walk_amd_v1(paddr_in(a, w0), mode);
		a->out->table.paddr_ignore = a->ignore;
	}
	if (guest && (pasid != ROOT_NO_PASID || w0 & DTE_GIOV))
		return guest_kind(a, pasid == ROOT_NO_PASID ? 0 : pasid);
	if (pasid != ROOT_NO_PASID)
		return ROOT_ABSENT;
	return mode ? ROOT_TABLE : a->out->prot ? ROOT_PASS : ROOT_BLOCKED;
}

void root_amd(uint64_t devtab, uint64_t paddr_ignore, const struct walk_memory *mem, uint16_t sid,
	      uint32_t pasid, struct root *out)
{
	struct amd a = { .mem = mem, .ignore = paddr_ignore, .out = out };

	root_begin(out);
	if ((uint64_t)sid * DTE_BYTES >= DEVTAB_PAGES(devtab) * WALK_PAGE_BYTES)
		return;
	a.dte = root_step(out, mem, (struct root_at) {
		"device table entry", paddr_in(&a, devtab) + sid * DTE_BYTES, 4 });
	if (a.dte)
		out->kind = dte_kind(&a, pasid);
}
