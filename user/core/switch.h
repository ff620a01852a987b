/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a change of a device's domain leaves behind, as far as check_switch.c asks for it: part of
 * the model (model.h, which includes it; model_switch.c).
 */
#ifndef IOMMUSCOPE_SWITCH_H
#define IOMMUSCOPE_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "flush.h"

struct domain;
struct iommu;
struct model;

/* The last flush that reached all of a cache. AMD-Vi: sent, maybe not complete. */
struct wide_flush {
	uint64_t begin;		/* 0: none */
	uint64_t next;		/* one in pieces has come so far; 0: it is whole */
	uint64_t piece_begin;
};

/* A domain id whose last device has left, until it is somebody's again. */
struct ghost {
	struct domain *domain;
	uint32_t did;
	uint32_t pasid;
	uint32_t driver_kind;
	uint32_t epoch;
	uint64_t left_ns;	/* flushes that began before do not count */
	uint64_t seq;		/* of the record that told it */
	uint64_t told_ns;
	uint16_t cpu;
	uint16_t kind;		/* enum ev_type of that record */
	struct wide_flush wide;
};

/* Of more than these nobody asks. */
#define ALIASES_MAX 8

/* A device that has begun to leave the IOMMU; what it sends follows. */
struct leave {
	struct domain *domain;	/* where it was; NULL: none is under way */
	uint32_t did;		/* or DID_UNKNOWN */
	uint32_t epoch;		/* 0: unsure */
	uint32_t pid;
	uint64_t begin;
	uint64_t seq;
	uint16_t cpu;
};

/* Invalidations of entries, kept for the switch that they belong to. */
#define ENTRY_RING 1024

/* Nobody takes that long to leave an IOMMU. */
#define LEAVE_NS 10000000000ULL

/**
 * entry_flush() - The first invalidation that covers an entry
 * @m:    the model
 * @e:    the entry
 * @mmu:  of this IOMMU, or of any (0)
 * @from: begun then or later
 * @lost: set if an older one may have been forgotten
 *
 * Return: the flush, or NULL.
 */
const struct flush *entry_flush(const struct model *m, const struct entry *e, uint64_t mmu,
				uint64_t from, bool *lost);

/** device_did() - Return: the id that @dev surely has in @d, or DID_UNKNOWN. */
uint32_t device_did(const struct model *m, const struct device *dev, const struct domain *d);

/** iommu_ghost() - Return: who left @did of @u and was not succeeded yet, or NULL. */
const struct ghost *iommu_ghost(const struct iommu *u, uint32_t did);

/** wide_since() - Did the flush @w that reached everything begin at @from_ns or later? */
static inline bool wide_since(const struct wide_flush *w, uint64_t from_ns)
{
	return w->begin && w->begin >= from_ns;
}

#endif
