/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the engine of walks (walk.c, walk_lookup.c) and the formats (walk_vtd.c, ...) share.
 *
 * A format is a decoder of one entry, and a loop over the entries of a page with that decoder inside it (walk_scan.h).
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
	uint64_t span;		/* 2^entry_lg2 - 1 */
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

/* The run that is being made, and whom to tell about it. */
struct walk_out {
	uint64_t first, last;	/* what is wanted of the window */
	struct walk_run run;
	uint64_t attr;		/* open: bits that its next entry must have, too */
	bool open;		/* the run may go on in the next page */
	int ret;
	walk_fn fn;
	void *arg;
	struct walk_count count;
};

struct walk;

/**
 * struct walk_ops - A format
 * @name: for people
 * @decode: as in memory: converts the order of bytes itself
 * @scan: walk_scan() with this format's decoder. 0; else the walk ends with @out.ret
 */
struct walk_ops {
	const char *name;
	walk_decode_fn decode;
	int (*scan)(struct walk_out *out, const struct walk_page *p);
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

static inline struct walk_at walk_at(const struct walk_table *t, const struct walk_window *win,
				     uint32_t level)
{
	const uint32_t lg2 = walk_entry_lg2(win, level);

	return (struct walk_at) { level, lg2, walk_mask(lg2), t->paddr_ignore };
}

/* @out->run is complete. 0, or what the walk ends with. */
static inline int walk_tell(struct walk_out *out)
{
	out->count.runs++;
	out->ret = out->fn(out->arg, &out->run);
	return out->ret;
}

static inline int walk_close(struct walk_out *out)
{
	if (!out->open)
		return 0;
	out->open = false;
	return walk_tell(out);
}

/* Entry @i is a table or bad: 0 to go on. */
int walk_other(struct walk_out *out, const struct walk_page *p, uint32_t i,
	       const struct walk_entry *e);

#endif
