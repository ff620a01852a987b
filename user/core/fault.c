// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Fault records of each IOMMU in one language. Pure: a record in, facts out. */
#include "fault.h"

/* kernel/refiommu.h: REFIOMMU_FAULT_* */
enum ref_fault { REF_BLOCKED = 1, REF_NOT_PRESENT, REF_PERMISSION, REF_WIDTH, REF_RESERVED };

static enum fault_kind ref_kind(uint32_t reason)
{
	switch (reason) {
	case REF_NOT_PRESENT:
	case REF_PERMISSION:
	case REF_RESERVED:
		return FAULT_ENTRY;
	case REF_BLOCKED:
		return FAULT_ROOT;
	default:
		return FAULT_ELSE;	/* beyond the width; a second stage; no memory there */
	}
}

/* Intel VT-d specification, 7.1.3 (fault conditions) and appendix A. */
static enum fault_kind vtd_kind(uint32_t reason)
{
	switch (reason) {
	case 0x5:	/* no write permission */
	case 0x6:	/* no read permission */
	case 0x7:	/* error reading a table */
	case 0xc:	/* reserved bits in an entry */
	case 0x70 ... 0x72:	/* first stage */
	case 0x78 ... 0x7b:	/* second stage */
	case 0x85 ... 0x86:	/* no permission for the request */
		return FAULT_ENTRY;
	case 0x1 ... 0x3:
	case 0x8 ... 0xb:
	case 0xd:
	case 0x30 ... 0x5f:
		return FAULT_ROOT;
	default:
		return FAULT_ELSE;	/* 0x20 ... 0x2f: interrupt remapping */
	}
}

/*
 * Bits 127:64 of the fault recording register, counted from 64: source id 15:0, T2 28, PASID
 * present 31, reason 39:32, PASID 59:40, T1 62. T1 T2: write, page request, read, atomic.
 */
static void vtd_decode(const struct ev_fault *e, struct fault_facts *f)
{
	static const uint32_t prots[] = { 2, 0, 1, 3 };
	unsigned int type = (e->raw >> 62 & 1) << 1 | (e->raw >> 28 & 1);

	f->iova = e->iova & ~0xfffULL;
	f->sid = e->raw & 0xffff;
	f->reason = e->raw >> 32 & 0xff;
	f->prot = prots[type];
	if (e->raw >> 31 & 1)
		f->pasid = e->raw >> 40 & 0xfffff;
	f->kind = f->prot ? vtd_kind(f->reason) : FAULT_ELSE;
}

#define AMD_GUEST	0x001	/* the domain id is a PASID */
#define AMD_INTERRUPT	0x008
#define AMD_PRESENT	0x010
#define AMD_WRITE	0x020

/*
 * IO_PAGE_FAULT: source id 15:0, PASID 19:16, its rest or the domain id 47:32, flags 59:48.
 * RW means something with PR only. A page that is not present and a device without a table look
 * the same.
 */
static void amd_decode(const struct ev_fault *e, struct fault_facts *f)
{
	f->sid = e->raw & 0xffff;
	f->reason = e->raw >> 48 & 0xfff;
	if (f->reason & AMD_PRESENT)
		f->prot = f->reason & AMD_WRITE ? 2 : 1;
	if (f->reason & AMD_GUEST)
		f->pasid = (e->raw & 0xf0000) | (e->raw >> 32 & 0xffff);
	else
		f->did = e->raw >> 32 & 0xffff;
	f->kind = f->reason & AMD_INTERRUPT ? FAULT_ELSE : FAULT_ENTRY;
}

void fault_decode(const struct ev_fault *e, struct fault_facts *f)
{
	*f = (struct fault_facts){
		.kind = e->driver_kind == EV_DRIVER_REF ? ref_kind(e->reason) : FAULT_ENTRY,
		.iova = e->iova,
		.prot = e->prot,
		.reason = e->reason,
		.sid = FAULT_NO_SID,
		.pasid = EV_TAG_NO_PASID,
		.did = FAULT_NO_SID,
		.flags = e->flags,
	};
	if (!e->iommu)
		return;
	if (e->driver_kind == EV_DRIVER_VTD)
		vtd_decode(e, f);
	else if (e->driver_kind == EV_DRIVER_AMD)
		amd_decode(e, f);
	else
		f->kind = FAULT_ELSE;
}

static const char *vtd_reason(uint32_t reason)
{
	switch (reason) {
	case 0x5:
		return "no write permission in a page-table entry";
	case 0x6:
		return "no read permission in a page-table entry";
	case 0x7:
		return "a page table cannot be read";
	case 0xc:
		return "reserved bits in a page-table entry";
	case 0x71:
		return "a first-stage entry is not present";
	case 0x79:
		return "no permission in a second-stage entry";
	}
	switch (vtd_kind(reason)) {
	case FAULT_ENTRY:
		return "a page-table entry";
	case FAULT_ROOT:
		return "the device's root, context or PASID entry";
	default:
		return reason >> 4 == 2 ? "interrupt remapping" : "another condition";
	}
}

static const char *amd_reason(uint32_t flags)
{
	if (flags & AMD_INTERRUPT)
		return "an interrupt";
	return flags & AMD_PRESENT ? "no permission" : "not present";
}

static const char *ref_reason(uint32_t reason)
{
	static const char *const names[] = {
		"", "blocked", "not present", "no permission", "beyond the width",
		"reserved bits in an entry", "second stage", "no memory behind it",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "";
}

const char *fault_reason(uint32_t driver_kind, uint32_t reason)
{
	switch (driver_kind) {
	case EV_DRIVER_VTD:
		return vtd_reason(reason);
	case EV_DRIVER_AMD:
		return amd_reason(reason);
	case EV_DRIVER_REF:
		return ref_reason(reason);
	default:
		return "";
	}
}

const char *fault_class_name(enum fault_class c)
{
	static const char *const names[FAULT_CLASSES] = {
		[FAULT_UNKNOWN] = "unknown",
		[FAULT_NO_TABLE] = "no translation for the device",
		[FAULT_OTHER] = "not about memory",
		[FAULT_NEVER] = "never mapped",
		[FAULT_UNHEARD] = "nothing heard of it",
		[FAULT_UNMAPPED] = "after unmap",
		[FAULT_DENIED] = "mapped without that permission",
		[FAULT_LIVE] = "while live",
	};

	return (unsigned int)c < FAULT_CLASSES ? names[c] : "?";
}
