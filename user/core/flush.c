// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Decoding of invalidation commands. A command that this file does not know, or one
 * that the record could not carry whole, is FLUSH_UNKNOWN: it may have covered anything,
 * and nobody is accused for want of it.
 */
#include <string.h>

#include "flush.h"

#define PAGE_BITS 12
#define PAGE_MASK (~0xfffULL)

/* As many descriptors of one call as the records can carry (bpf/flush.bpf.c). */
#define QI_CALL_MAX 64

static void set_block(struct flush *f, uint64_t addr, unsigned int bits)
{
	uint64_t mask = bits >= 64 ? UINT64_MAX : (1ULL << bits) - 1;

	f->iova = addr & ~mask;
	f->last = addr | mask;
}

static void set_all(struct flush *f)
{
	f->iova = 0;
	f->last = UINT64_MAX;
}

/* The size rule of ATS: the lowest zero bit from bit 12 on ends the block. */
static void set_lowest_zero(struct flush *f, uint64_t addr, bool s)
{
	unsigned int bits = PAGE_BITS;

	if (s) {
		while (bits < 64 && addr >> bits & 1)
			bits++;
		bits++;
	}
	set_block(f, addr & PAGE_MASK, bits);
}

/* A mask of more than 52 bits is everything; IH: paging-structure caches may keep theirs. */
static void vtd_block(uint64_t qw1, struct flush *f)
{
	set_block(f, qw1 & PAGE_MASK, PAGE_BITS + (qw1 & 0x3f));
	f->leaf_only = qw1 >> 6 & 1;
}

/*
 * Drain bits say what the hardware waits for before it calls the command complete; drivers set
 * them wherever the unit has them, and nothing that is judged here depends on them.
 */
static void vtd_iotlb(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->did = qw0 >> 16 & 0xffff;
	f->scope = FLUSH_DOMAIN;
	switch (qw0 >> 4 & 3) {
	case 1:
		f->scope = FLUSH_GLOBAL;
		break;
	case 2:
		break;
	case 3:
		vtd_block(qw1, f);
		break;
	default:
		f->scope = FLUSH_UNKNOWN;
	}
}

static void vtd_pasid_iotlb(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->did = qw0 >> 16 & 0xffff;
	f->pasid = qw0 >> 32 & 0xfffff;
	f->scope = FLUSH_PASID;
	switch (qw0 >> 4 & 3) {
	case 2:
		break;
	case 3:
		vtd_block(qw1, f);
		break;
	default:
		f->scope = FLUSH_UNKNOWN;
	}
}

static void vtd_devtlb(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->scope = FLUSH_DEVICE;
	f->sid = qw0 >> 32 & 0xffff;
	set_lowest_zero(f, qw1, qw1 & 1);
}

static void vtd_pasid_devtlb(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->scope = FLUSH_DEVICE;
	f->sid = qw0 >> 16 & 0xffff;
	f->pasid = qw0 >> 32 & 0xfffff;
	f->any_pasid = qw1 & 1;
	set_lowest_zero(f, qw1, qw1 >> 11 & 1);
}

/* Function mask: so many of the lowest bits of the source id, from bit 2 on down, are free. */
static void vtd_context(uint64_t qw0, struct flush *f)
{
	static const uint32_t free_bits[] = { 0, 4, 6, 7 };
	static const enum entry_grain grains[] = { GRAIN_ALL, GRAIN_ALL, GRAIN_DOMAIN, GRAIN_ONE };
	unsigned int grain = qw0 >> 4 & 3;

	f->scope = grain ? FLUSH_ENTRY : FLUSH_UNKNOWN;
	f->table = ENTRY_CONTEXT;
	f->grain = grains[grain];
	f->did = qw0 >> 16 & 0xffff;
	f->sid = qw0 >> 32 & 0xffff;
	f->sid_free = free_bits[qw0 >> 48 & 3];
}

static void vtd_pasid_cache(uint64_t qw0, struct flush *f)
{
	static const enum entry_grain grains[] = { GRAIN_DOMAIN, GRAIN_ONE, GRAIN_ALL, GRAIN_ALL };
	unsigned int grain = qw0 >> 4 & 3;

	f->scope = grain == 2 ? FLUSH_UNKNOWN : FLUSH_ENTRY;
	f->table = ENTRY_PASID;
	f->grain = grains[grain];
	f->did = qw0 >> 16 & 0xffff;
	f->pasid = qw0 >> 32 & 0xfffff;
}

void flush_vtd(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->pasid = EV_TAG_NO_PASID;
	f->scope = FLUSH_NONE;
	set_all(f);
	switch ((qw0 & 0xf) | (qw0 >> 5 & 0x70)) {
	case 0x1:
		vtd_context(qw0, f);
		break;
	case 0x7:
		vtd_pasid_cache(qw0, f);
		break;
	case 0x2:
		vtd_iotlb(qw0, qw1, f);
		break;
	case 0x3:
		vtd_devtlb(qw0, qw1, f);
		break;
	case 0x4:	/* interrupt entries */
	case 0x5:	/* wait */
	case 0x9:	/* page group response */
		break;
	case 0x6:
		vtd_pasid_iotlb(qw0, qw1, f);
		break;
	case 0x8:
		vtd_pasid_devtlb(qw0, qw1, f);
		break;
	default:
		f->scope = FLUSH_UNKNOWN;
	}
}

static void amd_pages(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->did = qw0 >> 32 & 0xffff;
	f->scope = FLUSH_DOMAIN;
	if (qw1 >> 2 & 1) {
		f->scope = FLUSH_PASID;
		f->pasid = qw0 & 0xfffff;
	}
	f->leaf_only = !(qw1 >> 1 & 1);
	set_lowest_zero(f, qw1, qw1 & 1);
}

static void amd_devtlb(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->scope = FLUSH_DEVICE;
	f->sid = qw0 & 0xffff;
	if (qw1 >> 2 & 1)
		f->pasid = (qw0 >> 16 & 0xff) << 8 | (qw0 >> 48 & 0xff);
	set_lowest_zero(f, qw1, qw1 & 1);
}

void flush_amd(uint64_t qw0, uint64_t qw1, struct flush *f)
{
	f->pasid = EV_TAG_NO_PASID;
	f->scope = FLUSH_NONE;
	set_all(f);
	switch (qw0 >> 60) {
	case 0x1:	/* completion wait */
	case 0x5:	/* interrupt table */
	case 0x6:	/* prefetch */
	case 0x7:	/* page request response */
		break;
	case 0x2:	/* device table entry */
		f->scope = FLUSH_ENTRY;
		f->table = ENTRY_DEVTAB;
		f->grain = GRAIN_ONE;
		f->sid = qw0 & 0xffff;
		break;
	case 0x3:
		amd_pages(qw0, qw1, f);
		break;
	case 0x4:
		amd_devtlb(qw0, qw1, f);
		break;
	case 0x8:	/* INVALIDATE_IOMMU_ALL */
		f->scope = FLUSH_GLOBAL;
		f->table = ENTRY_DEVTAB;
		f->grain = GRAIN_ALL;
		break;
	default:
		f->scope = FLUSH_UNKNOWN;
	}
}

static void flush_ref(const struct ev_ref_flush *e, struct flush *f)
{
	f->iommu = ref_iommu(e->instance);
	f->did = e->did;
	f->pasid = EV_TAG_NO_PASID;
	set_all(f);
	switch (e->kind) {
	case EV_REF_FLUSH_RANGE:
		f->scope = e->first > e->last ? FLUSH_UNKNOWN : FLUSH_DOMAIN;
		break;
	case EV_REF_FLUSH_DOMAIN:
		f->scope = FLUSH_DOMAIN;
		return;
	case EV_REF_FLUSH_CONTEXT:
		f->scope = FLUSH_ENTRY;
		f->table = ENTRY_REF;
		f->grain = GRAIN_ONE;
		f->dev = e->dev;
		return;
	default:
		f->scope = FLUSH_UNKNOWN;
	}
	if (f->scope == FLUSH_UNKNOWN)
		return;
	f->iova = e->first;
	f->last = e->last;
}

void flush_from(const struct op *op, struct flush *f)
{
	memset(f, 0, sizeof(*f));
	f->cpu = op->cpu;
	f->kind = op->kind;
	f->seq = op->seq;
	f->begin = op->begin ?: op->end;
	f->end = op->end;
	if (op->kind == EV_REF_FLUSH) {
		flush_ref(&op->u.ref_flush, f);
		return;
	}
	if (op->kind == EV_QI) {
		f->iommu = op->u.qi.iommu;
		f->failed = op->u.qi.ret;
		flush_vtd(op->u.qi.qw0, op->u.qi.qw1, f);
		if (op->u.qi.count > QI_CALL_MAX) {
			f->scope = FLUSH_UNKNOWN;
			set_all(f);
		}
		return;
	}
	f->iommu = op->u.amd.iommu;
	f->failed = op->u.amd.ret;
	flush_amd(op->u.amd.qw0, op->u.amd.qw1, f);
}

/*
 * An IOTLB tags what came without a PASID with RID_PASID, which Linux keeps at 0; a device TLB
 * does not tag it (PCIe, ATS: invalidation requests with and without a PASID prefix).
 */
bool flush_covers_pasid(const struct flush *f, uint32_t pasid)
{
	uint32_t asked = f->pasid == EV_TAG_NO_PASID ? 0 : f->pasid;

	if (f->scope == FLUSH_DEVICE)
		return f->any_pasid || f->pasid == pasid;
	return f->scope != FLUSH_PASID || asked == (pasid == EV_TAG_NO_PASID ? 0 : pasid);
}

static uint32_t pasid_number(uint32_t pasid)
{
	return pasid == EV_TAG_NO_PASID ? 0 : pasid;
}

static bool covers_one(const struct flush *f, const struct entry *e)
{
	switch (f->table) {
	case ENTRY_CONTEXT:
	case ENTRY_DEVTAB:
		return !((f->sid ^ e->sid) & ~f->sid_free);
	case ENTRY_PASID:
		return (e->did == DID_UNKNOWN || f->did == e->did) &&
		       pasid_number(f->pasid) == pasid_number(e->pasid);
	default:
		return f->dev == e->dev;
	}
}

bool flush_covers_entry(const struct flush *f, const struct entry *e)
{
	if (f->scope == FLUSH_UNKNOWN)
		return true;
	if (!flush_names_entries(f) || !(f->table & e->tables))
		return false;
	if (f->grain == GRAIN_DOMAIN)
		return e->did == DID_UNKNOWN || f->did == e->did;
	return f->grain == GRAIN_ALL || covers_one(f, e);
}
