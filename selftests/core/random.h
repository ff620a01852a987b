/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A random machine: what test_random.c feeds to the engine and to the slow checker.
 *
 * Eight owners share seven IOMMUs: two devices with strict and three with lazy DMA, two containers
 * of VFIO and one address space of refiommu with two seats each. Most of what they do is right; one
 * step in so many is one of the faults that the findings name. random_emit.c says how a
 * record looks, random_flush.c how an IOMMU is told to forget; random_map.c maps and
 * unmaps, random_dma.c is what drivers say and do wrong about it, random_move.c moves devices,
 * random_space.c fills and leaves address spaces, random_world.c begins it all and takes steps.
 *
 * Invariants
 * - Records come in order of time and do not overlap, but for what happens inside a call, and the
 *   two CPUs of step_race(), which the slow checker does not hear.
 * - A domain id belongs to one domain of its IOMMU at a time, and is given away soon.
 * - Nobody's memory is anybody else's, unless a fault says so.
 */
#ifndef IOMMUSCOPE_RANDOM_H
#define IOMMUSCOPE_RANDOM_H

#include "reference.h"
#include "story.h"

#define OWNERS 8
#define MMUS 7
#define MAPPINGS 24
#define PIECES 3
#define SEATS 2
#define GONE 16

enum mode { STRICT, LAZY, VFIO, IOAS };

struct mmu {
	uint64_t ptr;		/* as the core calls it; refiommu: instance + 1 */
	uint32_t kind;		/* enum ev_driver */
	bool caching, scalable, ats;
	uint64_t dids;		/* bits: in use */
};

/* A domain. */
struct place {
	uint64_t ptr;
	uint32_t type;
	uint32_t did;		/* 0: nobody is in it */
	unsigned int people;
	bool alive;
};

/* A device, and where it lives when nobody has taken it. */
struct seat {
	uint64_t dev;
	uint32_t sid, alias;	/* alias: 0 none */
	int32_t group;
	bool ats, untrusted;
	bool parked;		/* in the blocked domain */
	struct place home;
	struct place *at;	/* NULL: nowhere, or blocked */
};

struct mapping {
	uint64_t first, pages;	/* pages; 0: none */
	uint64_t bytes, paddr, ptr, attrs;
	uint64_t piece[PIECES];	/* pages of each action */
	unsigned int npieces;
	uint64_t id;
	uint32_t dir, kind, nents;
	bool freed;		/* its memory */
	bool shares;		/* a cache line with another one */
};

/* Whoever maps. */
struct owner {
	enum mode mode;
	struct mmu *mmu;
	uint64_t limit;		/* pages that its domains translate */
	uint64_t low;		/* below is nothing */
	struct seat seats[SEATS];
	struct place user[SEATS];	/* of an address space */
	uint64_t box;		/* container, or number of the address space */
	bool fresh;		/* nothing was mapped yet */
	struct mapping maps[MAPPINGS];
	bool used[REFERENCE_PAGES];	/* by a mapping, or waiting for a flush */
	bool waiting[REFERENCE_PAGES];
	bool rest[REFERENCE_PAGES];	/* a rest of a mapping begins here */
	struct mapping gone[GONE];	/* unmapped lately; memory not freed yet */
	unsigned int ngone;
};

struct world {
	struct engine *e;
	struct reference *ref;
	uint64_t random, now, seq, ids, memory, bad_lines;
	uint64_t devices;	/* came so far */
	uint64_t boxes;
	uint64_t early;		/* when the flushes that come now have begun; 0 now */
	bool nosync;		/* maps are flushed by who called for them */
	struct mmu mmus[MMUS];
	struct owner owners[OWNERS];
	struct place race;
	uint64_t raced[8];	/* end of the last operation on each page */
};

/* ---- random_emit.c ---- */

uint64_t draw(struct world *w, uint64_t below);
/* One in @n. */
bool chance(struct world *w, uint64_t n);
void emit(struct world *w, uint16_t type, void *rec, size_t len, uint16_t flags);
#define EMIT(w, type, rec, flags) emit(w, type, &(rec), sizeof(rec), flags)
/* Something begins now, and ends with its record. */
uint64_t begins(struct world *w);
struct ev_op op_at(uint64_t begin_ns, uint64_t id, uint64_t cause);
uint32_t prot_of(uint32_t dir);

struct map_call {
	uint64_t page, pages, paddr, cause;
	uint32_t prot;
	int32_t ret;
};

void send_domain_op(struct world *w, uint16_t type, const struct place *p, uint64_t cause);
void send_domain(struct world *w, const struct owner *o, const struct place *p);
void send_device(struct world *w, const struct owner *o, const struct seat *s, bool ats);
void send_tag(struct world *w, const struct owner *o, const struct seat *s,
	      const struct place *p, bool assigned);
void send_tick(struct world *w, uint64_t ns);
void send_page_free(struct world *w, uint64_t paddr, uint64_t pages);
void send_intent(struct world *w, const struct owner *o, const struct mapping *m, bool map,
		 uint64_t begin_ns, uint64_t id);
void send_dma(struct world *w, uint16_t type, const struct owner *o, const struct mapping *m,
	      uint64_t begin_ns, uint64_t id, uint16_t flags);
/* In how many domains does @o map? */
unsigned int places_of(struct owner *o, struct place **list);

/* ---- random_flush.c ---- */

enum flaw {
	FLAW_NONE, FLAW_NO_FLUSH, FLAW_SHORT, FLAW_OTHER_DID, FLAW_NO_DEVTLB, FLAW_LEAVES,
	FLAW_EARLY,	/* another CPU's, begun before the unmap */
	FLAW_LATE_WAIT,	/* none: another CPU's */
	FLAWS
};

enum flaw draw_flaw(struct world *w, uint64_t n);
void flush_range(struct world *w, const struct owner *o, const struct place *p, uint64_t page,
		 uint64_t pages, enum flaw flaw);
/* What FLAW_LATE_WAIT left out. */
void flush_wait(struct world *w, const struct owner *o);
void flush_whole(struct world *w, const struct owner *o, uint32_t did, bool everything);
void flush_devtlb(struct world *w, const struct owner *o, const struct seat *s, uint64_t page,
		  unsigned int lg2_pages, bool whole);
/* As entries of a device are forgotten, by one of the ways there are. */
void flush_entry(struct world *w, const struct owner *o, const struct seat *s, uint32_t sid,
		 uint32_t did);

/* ---- random_map.c ---- */

void send_map(struct world *w, struct owner *o, const struct place *p,
	      const struct map_call *c);
void step_map(struct world *w, struct owner *o);
void step_unmap(struct world *w, struct owner *o);
void unmap_one(struct world *w, struct owner *o, struct mapping *m);
void step_queue(struct world *w, struct owner *o);
bool pages_free(const struct owner *o, uint64_t page, uint64_t pages);

/* ---- random_dma.c ---- */

void draw_memory(struct world *w, struct owner *o, struct mapping *m);
void step_sync(struct world *w, struct owner *o);
void step_free(struct world *w, struct owner *o);
void step_use(struct world *w, struct owner *o);
void step_habit(struct world *w, struct owner *o);
/* One unmap of the DMA API, perhaps not as it was mapped. */
void tell_unmap(struct world *w, struct owner *o, struct mapping *m, uint64_t begin_ns,
		uint64_t id);

/* ---- random_move.c ---- */

struct move_of {
	uint64_t cause, outer;	/* intents around it */
	bool release;
};

void seat_new(struct world *w, struct owner *o, struct seat *s);
void place_begin(struct world *w, struct owner *o, struct place *p, uint64_t cause);
void place_end(struct world *w, struct owner *o, struct place *p);
void relocate(struct world *w, struct owner *o, struct seat *s, struct place *to,
	      const struct move_of *how);
void step_replace(struct world *w, struct owner *o);
void step_park(struct world *w, struct owner *o);

/* ---- random_space.c ---- */

void step_space(struct world *w, struct owner *o);

/* ---- random_world.c ---- */

void world_begin(struct world *w, uint64_t seed);
void world_step(struct world *w);

#endif
