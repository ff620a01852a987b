/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the records say about the machine: domains with their live ranges, devices,
 * caches that may hold translations and what they still owe, containers, intents.
 *
 * Invariants
 * - Objects are never freed before the model is: a domain whose generation ended keeps
 *   its counters and loses its ranges, caches and debts.
 * - A kernel pointer names the newest generation only.
 * - Everything carries the epoch of the knowledge it rests on. After a loss the epoch
 *   moves on, and what is older is unsure: it may be used to make room, never to accuse.
 * - user/out reads this header; checkers read it and change nothing but owe.reported.
 */
#ifndef IOMMUSCOPE_MODEL_H
#define IOMMUSCOPE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cause.h"
#include "engine.h"
#include "fault.h"
#include "flush.h"
#include "omap.h"
#include "pool.h"
#include "range.h"
#include "wire.h"

struct device;

/* What can be counted about a domain; for the summary. */
struct domain_counters {
	uint64_t maps;
	uint64_t maps_failed;
	uint64_t map_bytes;
	uint64_t unmaps;
	uint64_t unmaps_sync;	/* iommu_unmap() */
	uint64_t unmaps_fast;	/* iommu_unmap_fast(), the caller flushes */
	uint64_t unmaps_queued;	/* through a flush queue */
	uint64_t unmap_bytes;
	uint64_t attaches;	/* heard; the state at the start is none */
	uint64_t flushes;	/* completed invalidations that named one of its caches */
	uint64_t live_max;	/* ranges */
	uint64_t lingering;	/* (range, cache) pairs that owe a flush now */
	uint64_t lingering_max;
};

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

enum cache_kind { CACHE_IOTLB, CACHE_DEVTLB };

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
	struct omap iotlb;	/* did -> struct cache, chained by peer */
	struct omap devtlb;	/* sid -> struct cache */
	struct flush ring[FLUSH_RING];
	uint64_t nring;		/* ever written */
	struct flush *pending;	/* AMD: commands without a completion wait yet */
	size_t npending;
	size_t room;
	struct iommu *next;
};

struct domain {
	uint64_t ptr;
	uint32_t gen;		/* 1, 2, ... of this pointer */
	uint32_t type;
	bool typed;		/* @type was heard */
	bool born;		/* EV_ALLOC heard: was empty then */
	bool dead;
	uint64_t first_ns;
	uint64_t died_ns;
	uint64_t pgsize_bitmap;
	uint64_t aperture_start;
	uint64_t aperture_end;
	uint32_t sure_epoch;
	struct ranges ranges;
	struct cache *caches;
	struct domain_counters n;
	struct domain *next;	/* in order of appearance */
};

/* Where a device (or one PASID of it) translates now. */
struct binding {
	uint32_t pasid;
	uint32_t epoch;
	struct domain *domain;	/* NULL: none */
	uint64_t since_ns;
	uint64_t seq;
	uint32_t pid;
	uint16_t cpu;
};

/* One step of a device's history. */
struct move {
	uint64_t begin;
	uint64_t end;
	uint64_t domain;	/* pointer; 0 none */
	uint32_t gen;
	uint32_t pasid;
	int32_t ret;
	bool stated;
};

#define DMA_LEAKED	0x1	/* its driver let go of the device: reported once */
#define DMA_REST	0x2	/* what an unmap with too small a size left */
#define DMA_UNSURE	0x4

/* A mapping of the DMA API. */
struct dma_entry {
	uint64_t addr;
	uint64_t size;
	uint64_t ptr;
	uint64_t id;
	uint64_t begin;
	uint64_t end;
	uint64_t seq;
	uint32_t dir;
	uint32_t kind;		/* enum ev_dma_kind */
	uint32_t nents;
	uint32_t epoch;
	uint32_t pid;
	uint16_t cpu;
	uint16_t flags;		/* DMA_* */
	struct {
		uint64_t seq;
		uint64_t time_ns;
		uint32_t pid;
		uint16_t cpu;
	} cut;			/* DMA_REST: the unmap that left this */
	struct dma_entry *next;	/* at the same address, younger */
};

#define DMA_TOMBS 1024

/* The DMA API's book of one device. Addresses may be shared (dma-direct). */
struct dma_book {
	struct omap live;	/* addr -> struct dma_entry chain, oldest first */
	uint64_t nlive;
	uint64_t bytes;
	struct dma_entry *tombs;	/* unmapped lately, by address; NULL until used */
	uint32_t sure_epoch;
	uint32_t known_epoch;	/* from here on everything was heard; 0 never */
};

struct device_counters {
	uint64_t attaches;
	uint64_t dma_maps;
	uint64_t dma_maps_failed;
	uint64_t dma_unmaps;
	uint64_t dma_bytes;
	uint64_t dma_live_max;
	uint64_t flushes;	/* device-TLB invalidations */
};

struct device {
	uint64_t ptr;
	char name[33];
	char driver[25];
	int32_t group;
	uint32_t driver_kind;	/* enum ev_driver */
	uint32_t flags;		/* EV_DEV_* */
	uint32_t sid;
	bool described;		/* EV_DEVICE heard */
	bool born;		/* and not read first: it came while we listened */
	uint64_t first_ns;
	uint64_t moved_ns;	/* last EV_ATTACH that was an event; 0 never */
	struct binding *bindings;
	unsigned int nbindings;
	struct cache **caches;	/* that hold something on its behalf */
	unsigned int ncaches;
	struct move *moves;
	unsigned int nmoves;
	unsigned int moves_room;
	struct dma_book dma;
	struct device_counters n;
	struct device *next;
};

/* What a VFIO_MAP asked for and got, until it is unmapped. */
struct slot {
	uint64_t iova;
	uint64_t last;
	uint64_t vaddr;
	uint64_t id;
	uint64_t begin;
	uint64_t end;
	uint64_t seq;
	uint32_t flags;		/* VFIO_MAP_* */
	uint32_t tgid;
	uint32_t pid;
	uint32_t epoch;
	uint16_t cpu;
};

#define CONTAINER_DOMAINS 16

struct container {
	uint64_t ptr;
	struct omap slots;	/* iova -> struct slot */
	uint64_t nslots;
	uint64_t bytes;
	uint64_t maps;
	uint64_t unmaps;
	uint32_t sure_epoch;
	struct domain *domains[CONTAINER_DOMAINS];
	unsigned int ndomains;
	struct container *next;
};

struct task {
	uint32_t pid;
	uint32_t tgid;
	char comm[17];
};

struct gap_window {
	struct gap gap;
	bool open;
};

/* How much of what unmaps removed was known, for the summary. */
struct known {
	uint64_t judged;	/* all of it surely */
	uint64_t unheard;	/* mapped before the recording, at least in part; or never */
	uint64_t unsure;	/* in doubt: a loss, an overlap, an odd unmap before */
	uint64_t lost;		/* the call itself: begin unknown, beside a loss, start or stop */
};

/* Kinds of events that a checker may need. */
#define NEED_MAP	0x001
#define NEED_UNMAP	0x002
#define NEED_ATTACH	0x004
#define NEED_FREE	0x008
#define NEED_UNBIND	0x010
#define NEED_VFIO	0x020
#define NEED_DMA	0x040
#define NEED_FLUSH	0x080	/* by filter; per driver: NEED_VTD, NEED_AMD, NEED_REF */
#define NEED_VTD	0x100
#define NEED_AMD	0x200
#define NEED_ALL	0x400	/* every task's events */
#define NEED_REF	0x800

struct hook {
	char name[25];
	char function[41];
	uint32_t state;		/* enum ev_hook_state */
	bool known;
	uint64_t skip_begin[16];	/* EV_SKIPs not yet matched with an EV_MISSED */
	unsigned int nskips;
};

struct model {
	uint64_t now;		/* time of the record being applied */
	/* Knowledge. */
	uint32_t epoch;
	uint32_t sure_epoch;	/* older is unsure */
	uint64_t doubt_end_ns;	/* an operation that began before is in doubt */
	uint64_t edge_ns;	/* next time at which a gap opens or closes */
	struct gap_window *gaps;
	size_t ngaps;
	size_t gaps_room;
	unsigned int gaps_open;
	bool attached;
	bool stopped;
	uint64_t attached_ns;
	uint64_t stopped_ns;
	uint64_t filter;	/* EV_FILTER_* */
	uint32_t missing;	/* NEED_*: hooks that do not hear */
	struct hook hooks[HOOK_COUNT];
	/* Objects. */
	struct omap domains, devices, iommus, containers, tasks, causes;
	struct domain *first_domain, **last_domain, *recent;
	struct device *first_device, **last_device;
	struct iommu *first_iommu, **last_iommu;
	struct container *first_container, **last_container;
	struct cause *oldest, *newest;
	size_t ncauses;
	struct intent *intents;
	struct omap kept;	/* id -> struct intent: named by findings */
	struct faults *faults;
	struct pool ranges, owes, entries, cause_pool;
	/* What the operation being applied removed; valid until the next one. */
	struct piece *pieces;
	size_t npieces;
	size_t pieces_room;
	/* For the tally. */
	struct known known;
	uint64_t unknown;
	uint64_t needs_table;
};

/* ---- life ---- */

int model_new(struct model **out);
void model_free(struct model *m);

/** model_apply() - Apply @op. Return: 0 or -ENOMEM. */
int model_apply(struct model *m, const struct op *op);

/* ---- looking ---- */

/** model_domain() - Return: the newest generation at @ptr, or NULL. */
struct domain *model_domain(const struct model *m, uint64_t ptr);
struct device *model_device(const struct model *m, uint64_t ptr);
struct container *model_container(const struct model *m, uint64_t ptr);
struct iommu *model_iommu(const struct model *m, uint64_t ptr);
const struct task *model_task(const struct model *m, uint32_t pid);

/** device_binding() - Return: where @pasid of @d translates, or NULL if never heard. */
struct binding *device_binding(const struct device *d, uint32_t pasid);

/** domain_granule() - Return: smallest page of @d in bytes; 4096 if unknown. */
uint64_t domain_granule(const struct domain *d);

/** dma_match() - Return: the entry that the unmap @op most likely means, or NULL. */
struct dma_entry *dma_match(const struct device *d, const struct op *op);

#define DMA_DIFF_KIND	0x1
#define DMA_DIFF_SIZE	0x2
#define DMA_DIFF_DIR	0x4
#define DMA_DIFF_NENTS	0x8

/** dma_differs() - Return: DMA_DIFF_*: how the unmap @op does not fit @e. */
unsigned int dma_differs(const struct dma_entry *e, const struct op *op);

/**
 * dma_translated() - Return: @d surely is in a paging domain, where an address belongs
 * to one mapping at a time.
 */
bool dma_translated(const struct model *m, const struct device *d);

/** dma_kind_name(), dma_dir_name() - Words for enum ev_dma_kind, enum dma_data_direction. */
const char *dma_kind_name(uint32_t kind);
const char *dma_dir_name(uint32_t dir);

/** dma_is_noop() - Return: @op frees a NULL address, which the DMA API allows and ignores. */
static inline bool dma_is_noop(const struct op *op)
{
	return op->u.dma.kind == EV_DMA_COHERENT && !op->u.dma.ptr;
}

/** dma_tomb() - Return: the last entry that was unmapped at @addr, or NULL. */
const struct dma_entry *dma_tomb(const struct device *d, uint64_t addr);

/** slot_first() - Return: the lowest slot of @c that intersects [@iova, @last], or NULL. */
struct slot *slot_first(const struct container *c, uint64_t iova, uint64_t last);

/** owe_first() - Return: the lowest debt of @c that intersects [@iova, @last], or NULL. */
struct owe *owe_first(const struct cache *c, uint64_t iova, uint64_t last);

/** owe_next() - Return: the debt above @o that intersects [.., @last], or NULL. */
struct owe *owe_next(const struct cache *c, const struct owe *o, uint64_t last);

/* ---- how sure ---- */

/** model_sure_op() - Return: nothing that ran beside @op was lost. */
bool model_sure_op(const struct model *m, const struct op *op);

static inline bool epoch_sure(const struct model *m, uint32_t epoch, uint32_t least)
{
	return epoch && epoch >= m->sure_epoch && epoch >= least;
}

static inline bool model_range_sure(const struct model *m, const struct domain *d,
				    const struct range *r)
{
	return !(r->flags & RANGE_UNSURE) && epoch_sure(m, r->epoch, d->sure_epoch);
}

static inline bool model_cache_sure(const struct model *m, const struct cache *c)
{
	return epoch_sure(m, c->epoch, 0);
}

static inline bool model_entry_sure(const struct model *m, const struct device *d,
				    const struct dma_entry *e)
{
	return !(e->flags & DMA_UNSURE) && epoch_sure(m, e->epoch, d->dma.sure_epoch);
}

/** spans_meet() - Did [@a, @a_end] and [@b, @b_end] overlap in time; begin 0 is unknown. */
static inline bool spans_meet(uint64_t a, uint64_t a_end, uint64_t b, uint64_t b_end)
{
	return a <= b_end && b <= a_end;
}

/* ---- losses ---- */

/** model_doubt() - Everything known until @until_ns may be wrong. */
void model_doubt(struct model *m, uint64_t until_ns);

/**
 * model_doubt_object() - A call on @ptr's part [@iova, @last] was skipped
 *
 * What hook number @hook hears says what may be wrong: who is attached where, or what is
 * mapped in the part.
 */
void model_doubt_object(struct model *m, uint32_t hook, uint64_t ptr, uint64_t iova,
			uint64_t last);

/** model_gap() - Remember @g. Return: 0 or -ENOMEM. */
int model_gap(struct model *m, const struct gap *g);

/** model_advance() - Open and close gaps: the next record is of @time_ns. */
void model_advance(struct model *m, uint64_t time_ns);

/** model_hook_needs() - Return: NEED_* that hook number @hook serves. */
uint32_t model_hook_needs(uint32_t hook);

/** model_hook_moves() - Does hook number @hook (or an unknown one) hear devices move? */
bool model_hook_moves(uint32_t hook);

#endif
