/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the parts of the slow checker share: reference.c (who is who, verdicts), reference_flush.c
 * (what caches owe), reference_map.c (maps and unmaps), reference_intent.c (who asked for them),
 * reference_switch.c, reference_replay.c, reference_dma.c and reference_free.c (pages of memory).
 */
#ifndef IOMMUSCOPE_REFERENCE_PRIV_H
#define IOMMUSCOPE_REFERENCE_PRIV_H

#include <stdbool.h>

#include "reference.h"

#include "bpf/event.h"
#include "core/report.h"

#define PAGE 4096ULL
#define DOMAINS 512
#define DEVICES 256
#define CACHES 8
#define ENTRIES 1024
#define SLOTS 128
#define SPACES 64

/* What an unmap left in one cache, of one page. */
struct debt {
	bool open;
	bool partly;		/* of what was unmapped with it, a flush has reached a part */
	bool said;
	uint64_t begin, end;	/* of the unmap */
	uint64_t seq;
	uint64_t cause;
	bool queued;
};

/* A mapping, or a part, that one unmap removed. */
struct gone {
	struct dom *d;
	uint64_t first, last;	/* pages */
	uint64_t seq;		/* of the unmap */
	uint64_t paddr;		/* of the first */
};

/* Memory that was freed and can be reached, because its unmap is queued. */
struct exposed {
	struct dom *d;
	uint64_t first, last;	/* pages */
	uint64_t seq;		/* of the unmap */
	uint64_t since;
	unsigned int ticks;	/* of the recorder since then */
	bool open;		/* neither flushed nor forgotten */
	bool said;
};

/* A page-table page that was freed too early. */
struct early {
	const struct dom *d;
	uint64_t first, last;	/* pages */
	uint64_t told;
	uint32_t did;
	bool folded;		/* into a stale-iotlb */
};

struct page {
	bool live;
	bool doubtful;		/* an unmap did less here than it was asked to */
	uint64_t begin, end;	/* of the map */
	uint64_t seq;
	uint64_t cause;
	uint64_t paddr;
	bool replayed;		/* for a group that came to a container */
	struct debt debts[CACHES];
};

enum cache_of { OF_IOTLB, OF_DEVTLB };

struct cache {
	bool used;
	enum cache_of of;
	uint64_t iommu;
	uint32_t id;		/* domain id, or source id of a device with ATS */
	uint64_t since;
	uint64_t users;		/* bits of devices, see dev.bit */
	bool caching;		/* remembers what is not mapped */
};

struct dom {
	uint64_t ptr;
	uint32_t gen;
	uint32_t type;
	bool dead, born;
	uint64_t born_ns;
	uint64_t first, last;	/* bytes that it can translate */
	struct cache caches[CACHES];
	struct page pages[REFERENCE_PAGES];
	/* The attach that brought it to its container. */
	uint64_t inside;		/* id of the ioctl */
	uint64_t box;
	uint32_t ioas;			/* refiommu: address space + 1 */
	/* Blocks of memory that stayed reachable until a flush. */
	uint64_t exposures, bytes, longest;
};

struct range_of {
	uint64_t first, last;
	uint32_t type;
};

struct dev {
	uint64_t ptr;
	unsigned int bit;
	struct dom *where;
	uint64_t since;
	struct dom *been[8];	/* DMA domains it was in before */
	unsigned int nbeen;
	uint64_t iommu;		/* 0: no tag was heard */
	uint32_t kind, sid, did, flags;
	bool scalable, ats;
	uint64_t ats_off;	/* when its TLB was last turned off */
	uint32_t aliases[4];
	unsigned int naliases;
	int32_t group;
	struct range_of resv[4];
	unsigned int nresv;
	/* It has begun to leave the IOMMU. */
	struct dom *leaving;
	uint64_t leave_begin;
	uint32_t leave_did;
	bool leave_shared;
};

/* A mapping of the DMA API. */
struct entry {
	bool used, live, gone;
	bool rest;		/* what an unmap with too small a size left */
	uint64_t dev, addr, size, id, paddr, ptr, attrs;
	uint32_t dir, kind, nents;
};

struct slot {
	bool live;
	uint64_t container, first, last, id;
	uint64_t end;		/* of the call that made it */
	uint32_t ioas;		/* refiommu: address space + 1, else 0 */
};

/* What an intent did, in pages, until its own record comes. */
struct deed {
	uint64_t cause;
	struct dom *d;
	uint64_t page;
	bool map;
	uint64_t seq;
	uint32_t prot;		/* maps */
	uint64_t begin, first, last;	/* maps: of the call; pages */
	uint64_t mapped_by;	/* unmaps: the cause of what was there */
	struct deed *next;
};

struct flushed {
	uint64_t iommu, begin, end;
	enum cache_of of;
	uint32_t id;
	bool any;		/* of whatever id */
	bool whole;		/* all addresses */
	bool leaves;		/* not the tables */
	uint64_t first, last;	/* pages */
};

enum entry_of { OF_CONTEXT, OF_PASID, OF_DTE, OF_REF };
enum grain { ALL_OF_IT, OF_DID, OF_ONE };

/* An invalidation of a context, PASID or device-table entry. */
struct entry_flush {
	uint64_t iommu, begin, end;
	enum entry_of of;
	enum grain grain;
	uint32_t did, pasid, sid, mask;	/* mask: bits of the source id that are ignored */
	uint64_t dev;
};

/* A domain id that its last device has left. */
struct ghost {
	bool open;
	uint64_t iommu, left;
	uint32_t did;
	struct dom *d;
};

struct container {
	uint64_t ptr;
	uint32_t ioas;
	bool whole, dead;
};

/* A part of memory by name, a page of somebody's stack, and maps that failed. */
struct facts {
	struct range_of areas[8];
	unsigned int nareas;
	uint64_t stack;
	uint64_t failed_cause;	/* the last intent in which a map failed */
	int32_t failed_ret;
	bool failed_over_nothing;
};

/* Reserved ranges that the replay that is going on says it mapped or set up. */
struct replaying {
	struct range_of fixed[8];
	unsigned int nfixed;
};

struct reference {
	struct dom *doms[DOMAINS];
	unsigned int ndoms;
	struct dev devs[DEVICES];
	unsigned int ndevs;
	struct entry entries[ENTRIES];
	unsigned int nentries;
	struct slot slots[SLOTS];
	struct container spaces[SPACES];
	unsigned int nspaces;
	struct deed *deeds;
	struct flushed *flushes;
	size_t nflushes, flushes_room;
	struct entry_flush *entry_flushes;
	size_t nentry_flushes, entry_flushes_room;
	struct { uint64_t iommu; bool caching; } iommus[8];
	unsigned int niommus;
	struct ghost ghosts[DOMAINS];
	unsigned int nghosts;
	struct facts facts;
	struct replaying replay;
	bool nosync;		/* maps are flushed by who called for them */
	struct gone *gone;
	size_t ngone, gone_room;
	struct exposed *exposed;
	size_t nexposed, exposed_room;
	struct early early[256];
	unsigned int nearly;
	struct verdicts found;
	uint64_t now;
};

/* ---- reference.c ---- */

struct verdict *say(struct reference *r, uint32_t id, uint64_t object, uint64_t page);
struct verdict *say_of(struct reference *r, uint32_t id, const struct dom *d, uint64_t page);
struct dom *dom_of(struct reference *r, uint64_t ptr);
struct dev *dev_of(struct reference *r, uint64_t ptr);
void dom_end(struct reference *r, struct dom *d);
struct container *container_of_ptr(struct reference *r, uint64_t ptr);
struct container *space_of(struct reference *r, uint32_t ioas);
/* Is a device in it? */
bool dom_inhabited(const struct reference *r, const struct dom *d);

/* ---- reference_flush.c ---- */

void do_tag(struct reference *r, const struct ev_tag *e, uint64_t iommu);
void do_untag(struct reference *r, const struct ev_ref_tag *e);
void cache_gone(struct reference *r, struct dom *d, unsigned int c);
void caches_leave(struct reference *r, struct dev *dev, const struct dom *to, uint64_t begin);
void do_qi(struct reference *r, const struct ev_qi *e);
void do_amd(struct reference *r, const struct ev_amd *e);
void do_amd_wait(struct reference *r, const struct ev_amd *e);
void do_ref_flush(struct reference *r, const struct ev_ref_flush *e);
bool flush_hits(const struct flushed *f, const struct cache *c);

/* ---- reference_debt.c ---- */

void pay(struct reference *r, const struct flushed *f);
void pay_inside(struct reference *r, struct dom *d, const struct ev_unmap *e);
void open_debts(struct dom *d, uint64_t p, const struct ev_unmap *e);
void accuse(struct reference *r, struct dom *d, unsigned int c, uint64_t p);
void do_table(struct reference *r, const struct ev_table *e);
void tell_tables(struct reference *r);
/* A map has returned; or the intent around it has ended. */
void judge_synced(struct reference *r, const struct deed *n);
void judge_synced_in(struct reference *r, uint64_t id);
/* AMD-Vi: was the flush of what page @p owes sent, and not waited for yet? */
bool pends(const struct reference *r, const struct dom *d, unsigned int c, uint64_t p);

/* ---- reference_map.c ---- */

void do_map(struct reference *r, const struct ev_map *e);
void do_unmap(struct reference *r, const struct ev_unmap *e);
void deed(struct reference *r, const struct deed *like);
void forget_deeds(struct reference *r, uint64_t id);

/* ---- reference_intent.c ---- */

void judge_debts(struct reference *r, uint64_t id);
void judge_prot(struct reference *r, uint64_t id, uint32_t asked);
typedef bool (*foreign_fn)(struct reference *r, const struct deed *n, const void *arg);
void judge_wide(struct reference *r, uint64_t id, uint64_t first, uint64_t last,
		foreign_fn foreign, const void *arg);
void do_vfio_map(struct reference *r, const struct ev_vfio *e);
void do_vfio_unmap(struct reference *r, const struct ev_vfio *e);
void do_ref_intent(struct reference *r, const struct ev_ref_intent *e);

/* ---- reference_switch.c ---- */

void do_attach(struct reference *r, const struct ev_attach *e);
void do_tag_given(struct reference *r, struct dom *d, struct dev *dev, uint64_t iommu,
		  uint32_t did);
/* When did it leave? refiommu forgets its entry before it says so. */
uint64_t left_at(const struct reference *r, const struct dev *dev);
void ghost_add(struct reference *r, struct dom *d, const struct cache *c, uint64_t begin);
void judge_leavers(struct reference *r, const struct dom *d);
void do_entry_flush(struct reference *r, const struct entry_flush *f);

/* ---- reference_replay.c ---- */

void do_vfio_attach(struct reference *r, const struct ev_vfio *e);
void do_ref_replay(struct reference *r, const struct ev_ref_replay *e);
void judge_outside(struct reference *r, struct dom *d, const struct ev_map *e);
void judge_handback(struct reference *r, struct dev *dev, struct dom *to);
void do_free(struct reference *r, const struct ev_domain_op *e);

/* ---- reference_dma.c ---- */

void do_dma_map(struct reference *r, const struct ev_dma *e);
void do_dma_unmap(struct reference *r, const struct ev_dma *e);
void do_dma_sync(struct reference *r, const struct ev_dma *e);
void do_unbind(struct reference *r, const struct ev_unbind *e);

/* ---- reference_free.c ---- */

void do_page_free(struct reference *r, const struct ev_page_free *e);
void gone_add(struct reference *r, struct dom *d, uint64_t first, uint64_t last, uint64_t seq);
void exposures_end(struct reference *r, struct dom *d);
void exposures_drop(struct reference *r, const struct dom *d, uint64_t first, uint64_t last);
void frees_inside(struct reference *r, const struct ev_unmap *e, uint64_t first, uint64_t last);
void frees_beside(struct reference *r, const struct dom *d, uint64_t since);
void do_tick(struct reference *r);
void do_ref_dma(struct reference *r, const struct ev_ref_dma *e);
void tell_exposures(struct reference *r);

#endif
