/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * I/O page faults, and what the history knows about the place where they happened.
 *
 * Invariants
 * - A fault is older than its record: hardware's by as much as FAULT_LATE_NS, refiommu's not
 *   at all. What changed in between is judged as unknown.
 * - The history of unmaps is bounded: absence from it proves nothing once it has wrapped.
 * - The newest FAULTS_KEPT faults are kept for who prints them; all are counted by class.
 */
#ifndef IOMMUSCOPE_FAULT_H
#define IOMMUSCOPE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "range.h"
#include "wire.h"

struct model;
struct domain;
struct device;

/*
 * How much older than its record a fault of hardware may be. A handler is an interrupt or
 * its thread: milliseconds; a machine so busy that it takes longer has its faults unjudged.
 */
#define FAULT_LATE_NS 1000000000ULL

#define FAULT_NO_SID 0xffffffff

enum fault_kind {
	FAULT_ENTRY,		/* a page-table entry is not present, or lacks the permission */
	FAULT_ROOT,		/* the device has no translation: root, context, PASID, device table */
	FAULT_ELSE,		/* interrupt remapping, page requests, ... */
};

/* What hardware or software reported, in one language. */
struct fault_facts {
	enum fault_kind kind;
	uint64_t iova;
	uint32_t prot;		/* 1 read, 2 write; 0 unknown */
	uint32_t reason;	/* as that IOMMU counts them; AMD-Vi: flags of the event */
	uint32_t sid;		/* or FAULT_NO_SID */
	uint32_t pasid;		/* or EV_TAG_NO_PASID */
	uint32_t did;		/* AMD-Vi; or FAULT_NO_SID */
	uint32_t flags;		/* EV_FAULT_* */
};

/**
 * fault_decode() - Read a fault record
 * @e: the record
 * @f: filled
 *
 * Source: Intel VT-d specification 11.4.14 and table 7-1 of reasons; AMD IOMMU specification
 * 2.5.3; kernel/refiommu.h.
 */
void fault_decode(const struct ev_fault *e, struct fault_facts *f);

/** fault_reason() - Return: words for the reason, or "" */
const char *fault_reason(uint32_t driver_kind, uint32_t reason);

enum fault_class {
	FAULT_UNKNOWN,		/* who it was, or what was mapped, is not known */
	FAULT_NO_TABLE,		/* the device has no translation, or one that maps nothing */
	FAULT_OTHER,		/* not about memory */
	FAULT_NEVER,		/* surely never mapped in this domain */
	FAULT_UNHEARD,		/* nothing was heard of this address */
	FAULT_UNMAPPED,		/* it was mapped, and unmapped */
	FAULT_DENIED,		/* mapped without that permission */
	FAULT_LIVE,		/* mapped, with that permission */
	FAULT_CLASSES,
};

/* A range that an unmap removed. */
struct past {
	struct domain *domain;
	struct range range;	/* as it was mapped, clipped */
	uint64_t begin;		/* of the unmap */
	uint64_t end;
	uint64_t seq;
	uint64_t cause;
	uint32_t pid;
	uint32_t epoch;		/* 0: unsure from the beginning */
	uint16_t cpu;
};

struct fault {
	enum fault_class class;
	const char *why;	/* static; FAULT_UNKNOWN */
	struct fault_facts facts;
	uint32_t driver_kind;
	uint16_t cpu;
	uint64_t seq;
	uint64_t time_ns;	/* of the record */
	uint64_t late_ns;	/* so much older it may be */
	uint64_t count;		/* the same again: device, page, class */
	const struct device *dev;	/* NULL unknown */
	unsigned int peers;	/* other devices that may be behind that source id */
	const struct domain *domain;	/* NULL unknown */
	uint64_t bound_ns;	/* since when the device is in it */
	struct past before;	/* domain NULL: none; else the newest unmap of the page */
	struct range live;	/* last < iova: none */
	struct range below;	/* nearest live range; last < iova: none */
	struct range above;
	struct fault *next_told;	/* of faults.told */
};

#define FAULTS_KEPT 64
#define PASTS 16384

struct faults {
	struct fault kept[FAULTS_KEPT];	/* a ring */
	uint64_t nkept;		/* ever */
	uint64_t count[FAULT_CLASSES];
	uint64_t more;		/* records that say that others were dropped */
	uint64_t live_ns;	/* time of the last FAULT_LIVE; 0 never */
	struct fault *told;	/* that the operation being applied made, or changed: a list */
	uint64_t npasts;	/* ever */
	struct past pasts[PASTS];
};

/** model_faults() - Return: faults and history; never NULL. */
const struct faults *model_faults(const struct model *m);

/** fault_class_name() - Words for people. */
const char *fault_class_name(enum fault_class c);

/** fault_at() - Return: the @i-th kept fault, oldest first, or NULL behind the last. */
const struct fault *fault_at(const struct faults *s, uint64_t i);

static inline bool range_is_none(const struct range *r)
{
	return r->last < r->iova;
}

#endif
