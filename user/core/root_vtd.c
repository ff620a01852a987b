// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * VT-d: root table, context table, and in scalable mode PASID directory and table. Architecture specification, revision
 * 4.1, chapter 9; Linux 6.12, drivers/iommu/intel/pasid.h and debugfs.c.
 *
 * What is reserved is checked where each machine reserves it, in legacy mode: hardware with more features has given
 * meaning to bits of scalable-mode entries.
 */
#include <stddef.h>

#include "root_priv.h"

#define RTADDR_MODE(reg) ((reg) >> 10 & 3)
#define MODE_LEGACY 0
#define MODE_SCALABLE 1
#define MODE_ABORT 3	/* 2: extended mode of old revisions */

#define PRESENT 1ULL

#define ROOT_LO_RESERVED 0xffeULL
#define CONTEXT_LO_RESERVED 0xff0ULL
#define CONTEXT_HI_RESERVED (~0xffffffULL | 1ULL << 7)
#define CONTEXT_TYPE(lo) ((lo) >> 2 & 3)
#define CONTEXT_WIDTH(hi) ((uint32_t)(hi) & 7)
#define CONTEXT_DID(hi) ((uint32_t)((hi) >> 8) & 0xffff)
#define TYPE_PASS 2
#define TYPE_RESERVED 3

#define SM_PASID_ENABLE (1ULL << 3)
#define SM_DIRECTORY_LG2(lo) (7 + ((uint32_t)((lo) >> 9) & 7))
#define SM_RID_PASID(hi) ((uint32_t)(hi) & 0xfffff)

#define PASIDS_MAX (1U << 20)
#define PASID_TABLE_LG2 6
#define PASID_WIDTH(w0) ((uint32_t)((w0) >> 2) & 7)
#define PASID_TYPE(w0) ((uint32_t)((w0) >> 6) & 7)
#define PASID_DID(w1) ((uint32_t)(w1) & 0xffff)
#define PASID_FIRST_LEVELS(w2) (4 + ((uint32_t)((w2) >> 2) & 3))
#define PASID_FIRST 1
#define PASID_SECOND 2
#define PASID_NESTED 3
#define PASID_PASS 4

/* Address widths 1 to 3: 3 to 5 levels. */
static bool second_stage(struct walk_table *t, uint64_t pointer, uint32_t width)
{
	if (width < 1 || width > 3)
		return false;
	*t = walk_vtd_second(pointer & ROOT_PAGE_MASK, width + 2);
	return true;
}

static bool first_stage(struct walk_table *t, uint64_t w2)
{
	if (PASID_FIRST_LEVELS(w2) > 5)
		return false;
	*t = walk_x86(w2 & ROOT_PAGE_MASK, PASID_FIRST_LEVELS(w2));
	return true;
}

/* ---- legacy mode ---- */

static enum root_kind context_kind(struct root *out, const uint64_t *w)
{
	if (!(w[0] & PRESENT))
		return ROOT_ABSENT;

	out->did = CONTEXT_DID(w[1]);
	if (w[0] & CONTEXT_LO_RESERVED || w[1] & CONTEXT_HI_RESERVED ||
	    CONTEXT_TYPE(w[0]) == TYPE_RESERVED)
		return ROOT_BAD;
	if (CONTEXT_TYPE(w[0]) == TYPE_PASS)
		return ROOT_PASS;
	return second_stage(&out->table, w[0], CONTEXT_WIDTH(w[1])) ? ROOT_TABLE : ROOT_BAD;
}

static void legacy(uint64_t rtaddr, const struct walk_memory *mem, uint16_t sid, struct root *out)
{
	const uint64_t *w = root_step(out, mem, (struct root_at) {
		"root entry", (rtaddr & ROOT_PAGE_MASK) + (sid >> 8) * 16, 2 });

	if (!w)
		return;
	if (!(w[0] & PRESENT)) {
		out->kind = ROOT_ABSENT;
		return;
	}
	if (w[0] & ROOT_LO_RESERVED || w[1])
		return;
	w = root_step(out, mem, (struct root_at) {
		"context entry", (w[0] & ROOT_PAGE_MASK) + (sid & 0xff) * 16, 2 });
	if (w)
		out->kind = context_kind(out, w);
}

/* ---- scalable mode ---- */

static enum root_kind pasid_kind(struct root *out, const uint64_t *w)
{
	if (!(w[0] & PRESENT))
		return ROOT_ABSENT;

	out->did = PASID_DID(w[1]);
	switch (PASID_TYPE(w[0])) {
	case PASID_FIRST:
		out->first_stage = true;
		return first_stage(&out->table, w[2]) ? ROOT_TABLE : ROOT_BAD;
	case PASID_SECOND:
		return second_stage(&out->table, w[0], PASID_WIDTH(w[0])) ? ROOT_TABLE : ROOT_BAD;
	case PASID_NESTED:
		return second_stage(&out->table, w[0], PASID_WIDTH(w[0])) &&
		       first_stage(&out->guest, w[2]) ? ROOT_NESTED : ROOT_BAD;
	case PASID_PASS:
		return ROOT_PASS;
	default:
		return ROOT_BAD;
	}
}

/* From the directory on. */
static void pasid_table(uint64_t directory, uint32_t pasid, const struct walk_memory *mem,
			struct root *out)
{
	const uint64_t *w = root_step(out, mem, (struct root_at) {
		"PASID directory entry", directory + (pasid >> PASID_TABLE_LG2) * 8, 1 });

	if (!w)
		return;
	if (!(w[0] & PRESENT)) {
		out->kind = ROOT_ABSENT;
		return;
	}
	w = root_step(out, mem, (struct root_at) {
		"PASID table entry",
		(w[0] & ROOT_PAGE_MASK) + (pasid & ((1 << PASID_TABLE_LG2) - 1)) * 64, 8 });
	if (w)
		out->kind = pasid_kind(out, w);
}

static void scalable_context(const uint64_t *w, uint32_t pasid, const struct walk_memory *mem,
			     struct root *out)
{
	out->kind = ROOT_ABSENT;
	if (!(w[0] & PRESENT))
		return;
	if (pasid == ROOT_NO_PASID)
		pasid = SM_RID_PASID(w[1]);
	else if (!(w[0] & SM_PASID_ENABLE) || pasid >= PASIDS_MAX)
		return;
	if (pasid >> PASID_TABLE_LG2 < 1U << SM_DIRECTORY_LG2(w[0]))
		pasid_table(w[0] & ROOT_PAGE_MASK, pasid, mem, out);
}

/* A context table has 128 entries of 32 bytes: the root entry has two. */
static void scalable(uint64_t rtaddr, const struct walk_memory *mem, uint16_t sid, uint32_t pasid,
		     struct root *out)
{
	const uint64_t *w = root_step(out, mem, (struct root_at) {
		"root entry", (rtaddr & ROOT_PAGE_MASK) + (sid >> 8) * 16, 2 });
	uint64_t half;

	if (!w)
		return;
	half = w[sid >> 7 & 1];
	if (!(half & PRESENT)) {
		out->kind = ROOT_ABSENT;
		return;
	}
	w = root_step(out, mem, (struct root_at) {
		"context entry", (half & ROOT_PAGE_MASK) + (sid & 0x7f) * 32, 4 });
	if (w)
		scalable_context(w, pasid, mem, out);
}

void root_vtd(uint64_t rtaddr, const struct walk_memory *mem, uint16_t sid, uint32_t pasid,
	      struct root *out)
{
	root_begin(out);
	switch (RTADDR_MODE(rtaddr)) {
	case MODE_LEGACY:
		if (pasid == ROOT_NO_PASID)
			legacy(rtaddr, mem, sid, out);
		break;
	case MODE_SCALABLE:
		out->scalable = true;
		scalable(rtaddr, mem, sid, pasid, out);
		break;
	case MODE_ABORT:
		out->kind = ROOT_BLOCKED;
		break;
	default:
		out->kind = ROOT_BAD;
	}
}
