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

#include "book.h"
#include "cache.h"
#include "engine.h"
#include "exposure.h"
#include "cause.h"
#include "fault.h"
#include "flush.h"
#include "model_space.h"
#include "frame.h"
#include "omap.h"
#include "pool.h"
#include "range.h"
#include "reading.h"
#include "switch.h"
#include "watch.h"
#include "wire.h"

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

/* A table that a map replaced by a larger page: caches that lead to it must forget it. */
struct replaced {
	uint64_t first;
	uint64_t last;
	uint64_t paddr;
	uint64_t at_ns;
	uint32_t pid;
};

#define REPLACED_MAX 8

/* What is left of the last reading of a domain's table. */
struct look_result {
	uint64_t time_ns;	/* 0: it was never read */
	uint64_t root;		/* physical address of its table by the books */
	uint64_t tables;
	uint64_t leaves;
	uint64_t pages[BOOK_COUNT];	/* of 4 KiB, compared */
	uint64_t flux;		/* differences that never settled */
	uint64_t roots;		/* devices whose root was compared */
	uint32_t books;		/* bits of enum book that were read */
	uint32_t levels;
	uint32_t flags;		/* EV_READ_* */
	enum walk_format format;
	/* Beside a recording, over all readings: what the table told that the trace did not know. */
	uint64_t healed;	/* ranges that were unknown */
	uint64_t healed_pages;	/* of 4 KiB, in them */
	uint64_t heals;		/* readings that did so */
	uint64_t corrected;	/* ranges where table and the kernel's books agree against the trace */
};

struct domain {
	uint64_t ptr;
	uint32_t gen;		/* 1, 2, ... of this pointer */
	uint32_t type;
	uint32_t tgid;		/* process that allocated it; 0 unknown */
	bool typed;		/* @type was heard */
	bool born;		/* EV_ALLOC heard: was empty then */
	bool dead;
	uint64_t first_ns;
	uint64_t died_ns;
	uint64_t pgsize_bitmap;
	uint64_t aperture_start;
	uint64_t aperture_end;
	uint64_t described_ns;	/* the last EV_DOMAIN; 0 never */
	uint32_t width;		/* address bits that the driver really has; 0 unknown */
	bool tagged;		/* a tag said: */
	uint32_t tag_flags;	/* EV_TAG_* */
	uint64_t calm_ns;	/* when its caches last owed nothing any more */
	uint32_t sure_epoch;
	uint32_t whole_epoch;	/* born, and everything since was heard; 0: no */
	struct ranges ranges;
	struct resv *resv;	/* of all devices in it */
	uint32_t nresv;
	struct cache *caches;
	unsigned int ncaches;
	uint64_t untold_places;	/* caches_untold() was asked at this model.places; */
	bool untold;		/* and this was the answer */
	struct exposures *exposures;	/* NULL until there is one */
	struct replaced replaced[REPLACED_MAX];
	unsigned int nreplaced;
	struct domain_counters n;
	struct look_result look;
	struct watch *watch;	/* NULL: its table is not read beside a recording */
	struct domain *next;	/* in order of appearance */
};

/* Where a device (or one PASID of it) translates now. */
struct binding {
	uint32_t pasid;
	uint32_t epoch;
	struct domain *domain;	/* NULL: none */
	uint64_t since_ns;
	uint64_t outer;		/* intent around the move, or 0 */
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
	bool left;		/* its IOMMU since it was described */
	uint64_t first_ns;
	uint64_t moved_ns;	/* last EV_ATTACH that was an event; 0 never */
	uint32_t aliases[ALIASES_MAX];	/* source ids besides @sid */
	unsigned int naliases;
	struct iommu *mmu;	/* as its last tag said; NULL none yet */
	bool scalable;		/* with @mmu */
	uint64_t ats_off_ns;	/* its TLB was last turned off */
	bool deferred;		/* its first attach comes later: where it is nobody knows */
	struct leave leave;
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

struct task {
	uint32_t pid;
	uint32_t tgid;
	char comm[17];
	unsigned int nstack;		/* 0: unknown */
	uint64_t stack[EV_STACK_PAGES];	/* physical pages of its kernel stack */
};

/* A kernel address by name. */
struct symbol {
	uint64_t addr;
	char name[73];		/* function+0x1/0x2 [module] */
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
#define NEED_IOAS	0x1000	/* calls at /dev/refiommu, and its replays */
#define NEED_PAGES	0x2000	/* pages that are freed */

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
	struct omap domains, devices, iommus, containers, tasks, causes, groups, ioases, symbols;
	struct domain *first_domain, **last_domain, *recent;
	struct device *first_device, **last_device;
	uint64_t places;	/* moves on when a device does, or what is heard of it */
	struct iommu *first_iommu, **last_iommu;
	struct container *first_container, **last_container;
	struct group *first_group;
	uint64_t resv_turn;	/* see domain_resv_update() */
	struct ioas *first_ioas;
	struct cause *oldest, *newest;
	size_t ncauses;
	struct omap lines;	/* cache line -> the first dma_entry that the device may write */
	struct area areas[AREAS];
	unsigned int nareas;
	struct reading reading;	/* that is being gathered */
	uint64_t reading_of;	/* its domain; 0 none */
	uint32_t reading_epoch;	/* @sure_epoch when it began */
	bool reading_odd;	/* some of it was out of order */
	struct domain *watched;	/* whose watch is open; or NULL */
	const struct domain *judged;	/* whose reading the record being applied ended, if it was judged; or NULL */
	struct intent *intents;
	struct pool ranges, owes, entries, cause_pool, linger_pool;
	struct frames live;	/* live ranges by page frame */
	struct frames gone;	/* the same of what was unmapped and not flushed, see linger_owe() */
	struct linger *oldest_linger, *newest_linger;
	uint64_t nlingers;
	unsigned int exposed;	/* exposures that the last EV_PAGE_FREE opened */
	uint64_t nexposed;	/* domains that ever had one */
	struct omap kept;	/* id -> struct intent: named by findings */
	struct faults *faults;
	/* What the operation being applied removed; valid until the next one. */
	struct piece *pieces;
	size_t npieces;
	size_t pieces_room;
	int64_t credit;		/* steps that long walks may still take, see model_step() */
	/* For the tally. */
	struct known known;
	uint64_t unknown;
	uint64_t needs_table;
	uint64_t cut_short;
	/* Flushes of entries, of all IOMMUs; there are few. */
	struct flush entry_ring[ENTRY_RING];
	uint64_t nentries;	/* ever written */
	uint64_t begin;		/* of the record being applied */
	const struct op *op;	/* that record */
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

/** domain_device() - The first device that can reach @d; 0: nobody can. */
uint64_t domain_device(const struct model *m, const struct domain *d);
struct iommu *model_iommu(const struct model *m, uint64_t ptr);
const struct task *model_task(const struct model *m, uint32_t pid);

/** model_symbol() - Return: the name of the kernel address @addr, or NULL. */
const char *model_symbol(const struct model *m, uint64_t addr);

/** device_binding() - Return: where @pasid of @d translates, or NULL if never heard. */
struct binding *device_binding(const struct device *d, uint32_t pasid);

/** domain_granule() - Return: smallest page of @d in bytes; 4096 if unknown. */
uint64_t domain_granule(const struct domain *d);

/** model_area() - Return: does [@first, @last] meet physical memory of @kind? */
bool model_area(const struct model *m, uint64_t first, uint64_t last, uint32_t kind);

/**
 * linger_owe() - What of an unmapped part is owed
 * @r:    of the index model.gone
 * @c:    a cache of its domain
 * @iova: first byte, inside @r
 * @last: last byte, inside @r
 *
 * Return: the lowest debt of the unmap that made @r, or NULL.
 */
struct owe *linger_owe(const struct range *r, const struct cache *c, uint64_t iova, uint64_t last);

/** frame_part() - Which part of @r does EV_PAGE_FREE @op free? They share a byte. */
void frame_part(const struct range *r, const struct op *op, uint64_t *iova, uint64_t *last);

/** page_free_valid() - Does EV_PAGE_FREE @op name bytes, and do they end? */
bool page_free_valid(const struct op *op);

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

/** model_domain_whole() - Return: what @d maps was all heard, from its birth on. */
static inline bool model_domain_whole(const struct model *m, const struct domain *d)
{
	return d->born && epoch_sure(m, d->whole_epoch, d->sure_epoch);
}

static inline bool model_binding_sure(const struct model *m, const struct binding *b)
{
	return epoch_sure(m, b->epoch, b->domain ? b->domain->sure_epoch : 0);
}

static inline bool model_cache_sure(const struct model *m, const struct cache *c)
{
	return epoch_sure(m, c->epoch, 0);
}

/** model_owe_sure() - Is @o surely owed by @c, and could a device use it? */
static inline bool model_owe_sure(const struct model *m, const struct cache *c,
				  const struct owe *o)
{
	return epoch_sure(m, o->epoch, c->domain->sure_epoch) && model_cache_sure(m, c) &&
	       c->nusers;
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

/** model_past() - Return: the newest unmap of @iova in @d that is remembered, or NULL. Valid until the next record. */
const struct past *model_past(const struct model *m, const struct domain *d, uint64_t iova);

/**
 * range_read_from() - Is @r what the map @op was making when the table was read?
 *
 * Its record comes when it returns, and a reading may see its entries before.
 */
static inline bool range_read_from(const struct range *r, const struct op *op)
{
	return r->flags & RANGE_READ && spans_meet(r->begin, r->end, op->begin, op->end) &&
	       r->paddr - r->iova == op->u.map.paddr - op->iova;
}

/* ---- losses ---- */

/** model_doubt() - Everything known until @until_ns may be wrong. */
void model_doubt(struct model *m, uint64_t until_ns);

/** model_reading_whole() - Is nothing lost or odd in the reading that is being gathered? */
bool model_reading_whole(const struct model *m);

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

/** model_syncs_maps() - Have maps flushed what they must when their records are made? */
bool model_syncs_maps(const struct model *m);

/** model_hook_needs() - Return: NEED_* that hook number @hook serves. */
uint32_t model_hook_needs(uint32_t hook);

/** model_hook_moves() - Does hook number @hook (or an unknown one) hear devices move? */
bool model_hook_moves(uint32_t hook);

#endif
