/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the engine of walks (walk.c, walk_lookup.c) and the formats (walk_vtd.c, ...) share.
 *
 * A format is a decoder of one entry, and a loop over the entries of a page with that decoder inside it:
 * walk_scan(), compiled once for each format, so that nothing is called through a pointer for each entry.
 *
 * Invariants
 * - The level falls with each step down, so a walk is at most WALK_LEVELS_MAX deep.
 * - A page is read once. Only a root that two windows share is read for each.
 * - An entry translates the IOVAs of its own place in the table and no others, also where neighbours should be its
 *   copies (AMD v1's large leaves).
 */
#ifndef IOMMUSCOPE_WALK_PRIV_H
#define IOMMUSCOPE_WALK_PRIV_H

#include "omap.h"
#include "walk.h"

#define WALK_PROT_ALL (WALK_READ | WALK_WRITE)

enum walk_entry_kind {
	WALK_ENTRY_NONE,	/* not present */
	WALK_ENTRY_TABLE,
	WALK_ENTRY_LEAF,
	WALK_ENTRY_BAD,		/* the format does not allow it */
};

/* What an entry means. But for the kind, only of TABLE and LEAF. */
struct walk_entry {
	enum walk_entry_kind kind;
	uint32_t next_level;	/* TABLE: below that of the entry, at least 1 */
	uint32_t size_lg2;	/* LEAF: at least log2 of what one entry of this level spans */
	uint32_t prot;		/* WALK_* that it allows */
	uint64_t paddr;		/* of the table, or of the leaf's first byte */
};

/* Where an entry is. */
struct walk_at {
	uint32_t level;
	uint32_t entry_lg2;	/* log2 of the bytes that one entry of this level spans */
	uint64_t ignore;	/* struct walk_table.paddr_ignore */
};

/* @value: the entry in the order of bytes that the format has; any value may come. */
typedef void (*walk_decode_fn)(uint64_t value, const struct walk_at *at, struct walk_entry *e);

/* One page of a table. */
struct walk_page {
	struct walk_at at;
	const uint64_t *entries;
	uint64_t paddr;
	uint64_t iova;		/* that entries[0] translates */
	uint32_t first, last;	/* entries that are wanted */
	uint32_t prot;		/* what the levels above allow */
};

struct walk;

/**
 * struct walk_ops - A format
 * @name: for people
 * @decode: as in memory: converts the order of bytes itself
 * @scan: walk_scan() with this format's decoder. 0; else the walk ends
 */
struct walk_ops {
	const char *name;
	walk_decode_fn decode;
	int (*scan)(struct walk *w, const struct walk_page *p);
};

extern const struct walk_ops walk_ops_vtd;
extern const struct walk_ops walk_ops_x86;
extern const struct walk_ops walk_ops_amd;
extern const struct walk_ops walk_ops_tce;

/* NULL: there is no such format. */
const struct walk_ops *walk_ops_of(uint32_t format);

/* 0 or -EINVAL: is @t within the limits of walk.h? */
int walk_check(const struct walk_table *t);

/* 2^lg2 - 1, also for 64 and above. */
static inline uint64_t walk_mask(uint32_t lg2)
{
	return lg2 < 64 ? (1ULL << lg2) - 1 : UINT64_MAX;
}

static inline uint32_t walk_entry_lg2(const struct walk_window *win, uint32_t level)
{
	return 12 + win->index_lg2 * (level - 1);
}

/* ---- for walk_scan() ---- */

/*
 * @n neighbouring entries from @i on are leaves, equal but for their addresses, which rise with them; @attr: what must
 * be equal for a run to go on.
 */
int walk_leaf(struct walk *w, const struct walk_page *p, uint32_t i, uint32_t n,
	      const struct walk_entry *e, uint64_t attr);

/* Entry @i is a table or bad. */
int walk_other(struct walk *w, const struct walk_page *p, uint32_t i, const struct walk_entry *e);

/* What a loop over a page does not look up again. */
struct walk_bits {
	uint64_t paddr;		/* bits of an address in a leaf of one entry */
	uint64_t attr;		/* bits that make a run */
	bool big_endian;
};

static inline uint64_t walk_value(uint64_t raw, bool big_endian)
{
	return big_endian ? __builtin_bswap64(raw) : raw;
}

/* How many entries from @i on, a leaf at @paddr, are one run? The sum is 0 only if it wrapped. */
static inline uint32_t walk_alike(const struct walk_page *p, uint32_t i, uint64_t paddr,
				  const struct walk_bits *b)
{
	const uint64_t attr = walk_value(p->entries[i], b->big_endian) & b->attr;
	const uint64_t step = 1ULL << p->at.entry_lg2;
	uint64_t sum = paddr + step;
	uint32_t k;

	for (k = i + 1; k <= p->last; k++, sum += step) {
		uint64_t value = walk_value(p->entries[k], b->big_endian);

		if ((value & b->attr) != attr || (value & b->paddr) != sum || !sum)
			break;
	}
	return k - i;
}

/*
 * All entries of a page. @paddr: the format's bits of addresses; @hardware: bits that hardware sets. @decode and
 * @big_endian are constants: the compiler makes one loop of each format's.
 */
static inline __attribute__((always_inline)) int
walk_scan(struct walk *w, const struct walk_page *p, walk_decode_fn decode, uint64_t paddr,
	  uint64_t hardware, bool big_endian)
{
	struct walk_bits b = { .big_endian = big_endian };
	struct walk_entry e;
	uint32_t i, n;
	int stop = 0;

	b.paddr = paddr & ~p->at.ignore & ~walk_mask(p->at.entry_lg2);
	b.attr = ~(b.paddr | hardware);
	for (i = p->first; i <= p->last && !stop; i += n) {
		uint64_t value = walk_value(p->entries[i], big_endian);

		n = 1;
		decode(value, &p->at, &e);
		if (e.kind == WALK_ENTRY_NONE)
			continue;
		if (e.kind != WALK_ENTRY_LEAF) {
			stop = walk_other(w, p, i, &e);
			continue;
		}
		if (e.size_lg2 == p->at.entry_lg2)
			n = walk_alike(p, i, e.paddr, &b);
		stop = walk_leaf(w, p, i, n, &e, value & b.attr);
	}
	return stop;
}

#endif
