/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of the model (model.h, which includes it; model_cache.c, model_debt.c, model_table.c): IOMMUs,
 * the caches of theirs that may hold translations of a domain, and what those still owe.
 *
 * A debt belongs to one cache and one unmap. Those of a cache do not overlap; what is flushed, or
 * mapped again, is cut out of them.
 */
#ifndef IOMMUSCOPE_CACHE_H
#define IOMMUSCOPE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flush.h"
#include "omap.h"
#include "switch.h"

struct device;
struct domain;
struct iommu;
struct model;

/* A part of an unmapped range that one cache has not been told to forget. */
struct owe {
	uint64_t iova;
	uint64_t last;
	uint64_t from;		/* the range as it was unmapped: [from, to] */
	uint64_t to;
	uint64_t begin;		/* of the unmap, ns; never 0 */
	uint64_t end;
	uint64_t cause;
	uint64_t seq;		/* of the unmap */
	uint64_t map_seq;	/* of the first map in it */
	uint64_t map_end;
	uint32_t pid;
	uint32_t map_pid;
	uint32_t epoch;
	uint16_t cpu;
	uint16_t map_cpu;
	uint16_t flags;		/* EVF_* of the unmap */
	bool reported;
	struct ref_flush {
		uint64_t end;	/* 0: none */
		uint64_t seq;
		uint16_t cpu;
		uint16_t kind;
	} partial;		/* the last flush that covered a part */
};

enum cache_kind {
	CACHE_IOTLB,
	CACHE_DEVTLB,
	CACHE_ABSENT,	/* what an IOTLB in caching mode remembers as not present: owes from a map on */
	CACHE_ENTRY,	/* context, PASID and device-table entries: in findings only */
};

/* A cache that may hold translations of @domain. */
struct cache {
	enum cache_kind kind;
	uint32_t driver_kind;	/* enum ev_driver */
	struct iommu *iommu;
	uint32_t did;
	uint32_t pasid;		/* or EV_TAG_NO_PASID */
	uint32_t sid;		/* CACHE_DEVTLB */
	uint32_t epoch;
	uint64_t since_ns;
	bool assumed;		/* renewed without a tag: @did may be a predecessor's */
	struct wide_flush wide;
	struct domain *domain;
	struct device **users;	/* devices behind it */
	unsigned int nusers;
	struct omap owes;	/* iova -> struct owe, disjoint */
	uint64_t nowes;
	struct cache *next;	/* of the domain */
	struct cache *peer;	/* of the same did or sid on its IOMMU */
};

/* An invalidation that completed, kept for unmaps that are still being heard. */
#define FLUSH_RING 512

struct iommu {
	uint64_t ptr;
	uint32_t driver_kind;	/* enum ev_driver */
	uint32_t flags;		/* EV_IOMMU_* */
	uint64_t cap;		/* as in struct ev_iommu */
	uint64_t ecap;
	char name[17];
	struct omap ghosts;	/* did -> struct ghost */
	struct omap iotlb;	/* did -> struct cache, chained by peer */
	struct omap devtlb;	/* sid -> struct cache */
	struct flush ring[FLUSH_RING];
	uint64_t nring;		/* ever written */
	struct flush *pending;	/* AMD: commands without a completion wait yet */
	size_t npending;
	size_t room;
	struct iommu *next;
};

/** owe_first() - Return: the lowest debt of @c that intersects [@iova, @last], or NULL. */
struct owe *owe_first(const struct cache *c, uint64_t iova, uint64_t last);

/** owe_next() - Return: the debt above @o that intersects [.., @last], or NULL. */
struct owe *owe_next(const struct cache *c, const struct owe *o, uint64_t last);

/** cache_id() - Return: what its IOMMU calls @c: source id of a device TLB, else domain id. */
static inline uint32_t cache_id(const struct cache *c)
{
	return c->kind == CACHE_DEVTLB ? c->sid : c->did;
}

/** driver_heard() - Return: the flushes of IOMMUs of @driver_kind are heard. */
bool driver_heard(const struct model *m, uint32_t driver_kind);

/** cache_heard() - Return: the flushes of @c's IOMMU are heard. */
bool cache_heard(const struct model *m, const struct cache *c);

/** cache_pends() - Was a command queued, but not waited for yet, that pays a part of @o? */
bool cache_pends(const struct cache *c, const struct owe *o);

enum cache_asked { ASKED_NO, ASKED_YES, ASKED_UNKNOWN };

/**
 * cache_asked() - Was @c told to forget the tables of any byte of [@first, @last]?
 * @since_ns: by flushes that began then or later,
 * @until_ns: and were complete then
 *
 * Return: ASKED_UNKNOWN, too, if one is queued whose completion was not heard yet (AMD-Vi).
 */
enum cache_asked cache_asked(const struct cache *c, uint64_t first, uint64_t last,
			     uint64_t since_ns, uint64_t until_ns);

#endif
