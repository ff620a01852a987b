/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The loop over the entries of a page, which each format compiles with its own decoder inside: nothing is called through
 * a pointer for an entry, and leaf tables, where nearly all entries are, have a copy that knows its level.
 *
 * An entry that follows the one before, with equal bits and the next address, costs a comparison; any other leaf
 * ends a run and begins one. docs/performance.md has the figures.
 */
#ifndef IOMMUSCOPE_WALK_SCAN_H
#define IOMMUSCOPE_WALK_SCAN_H

#include "walk_priv.h"

#define WALK_INLINE static inline __attribute__((always_inline))

/* Constants of a format. */
struct walk_bits {
	uint64_t paddr;		/* the address in an entry */
	uint64_t hardware;	/* what hardware sets in a leaf */
	bool big_endian;
};

WALK_INLINE uint64_t walk_value(uint64_t raw, bool big_endian)
{
	return big_endian ? __builtin_bswap64(raw) : raw;
}

/* How many entries from @i on, a leaf at @paddr, are one run? The sum is 0 only if it wrapped. */
WALK_INLINE uint32_t walk_alike(const struct walk_page *p, const struct walk_at *at, uint32_t i,
				uint64_t paddr, const struct walk_bits *b)
{
	const uint64_t attr = walk_value(p->entries[i], b->big_endian) & ~b->paddr & ~b->hardware;
	uint64_t sum = paddr + at->span + 1;
	uint32_t k;

	for (k = i + 1; k <= p->last; k++, sum += at->span + 1) {
		uint64_t value = walk_value(p->entries[k], b->big_endian);

		if ((value & b->paddr) != sum || (value & ~b->paddr & ~b->hardware) != attr || !sum)
			break;
	}
	return k - i;
}

/* The open run, if @next goes on where it ends. */
static inline bool walk_join(struct walk_out *out, const struct walk_run *next, uint64_t attr)
{
	struct walk_run *run = &out->run;

	if (next->paddr - run->paddr != next->iova - run->iova || next->paddr <= run->paddr ||
	    next->iova != run->last + 1 || attr != out->attr || next->prot != run->prot ||
	    next->page_lg2 != run->page_lg2 || next->level != run->level)
		return false;
	run->last = next->last;
	return true;
}

/* @n neighbours from @i on are leaves whose addresses rise with them, else equal. */
WALK_INLINE int walk_leaf(struct walk_out *out, const struct walk_page *p, const struct walk_at *at,
			  uint32_t i, uint32_t n, const struct walk_entry *e, uint64_t attr)
{
	/* walk_alike() has seen that the next entry is another run's. */
	const bool complete = e->size_lg2 == at->entry_lg2 && i + n <= p->last;
	const uint64_t iova = p->iova + ((uint64_t)i << at->entry_lg2);
	const uint64_t last = iova + ((uint64_t)(n - 1) << at->entry_lg2) + at->span;
	struct walk_run run = {
		.iova = iova > out->first ? iova : out->first,
		.last = last < out->last ? last : out->last,
		.raw = p->entries[i],
		.entry_paddr = p->paddr + i * sizeof(uint64_t),
		.level = at->level,
		.page_lg2 = e->size_lg2,
		.prot = p->prot & e->prot,
		.kind = WALK_LEAF,
	};

	run.paddr = e->paddr + (run.iova & ((1ULL << e->size_lg2) - 1));
	out->count.leaves += n;
	if (out->open) {
		struct walk_run next = run;

		if (walk_join(out, &next, attr))
			return complete ? walk_close(out) : 0;
		if (walk_close(out))
			return out->ret;
	}
	out->run = run;
	if (complete)
		return walk_tell(out);
	out->attr = attr;
	out->open = true;
	return 0;
}

WALK_INLINE int walk_entries(struct walk_out *out, const struct walk_page *p,
			     const struct walk_at *at, walk_decode_fn decode, struct walk_bits b)
{
	struct walk_entry e, other;	/* e lives in registers */
	uint32_t i, n;

	b.paddr &= ~at->ignore & ~at->span;
	for (i = p->first; i <= p->last; i += n) {
		uint64_t value = walk_value(p->entries[i], b.big_endian);

		n = 1;
		decode(value, at, &e);
		if (e.kind == WALK_ENTRY_NONE)
			continue;
		if (e.kind == WALK_ENTRY_LEAF) {
			if (e.size_lg2 == at->entry_lg2)
				n = walk_alike(p, at, i, e.paddr, &b);
			if (walk_leaf(out, p, at, i, n, &e, value & ~b.paddr & ~b.hardware))
				return out->ret;
			continue;
		}
		other = e;
		if (walk_other(out, p, i, &other))
			return 1;
	}
	return 0;
}

/* All entries of a page that are wanted. @decode and @b are constants. */
WALK_INLINE int walk_scan(struct walk_out *out, const struct walk_page *p, walk_decode_fn decode,
			  struct walk_bits b)
{
	struct walk_at at = p->at;

	if (at.level != 1)
		return walk_entries(out, p, &at, decode, b);
	at = (struct walk_at) { 1, 12, 0xfff, at.ignore };
	return walk_entries(out, p, &at, decode, b);
}

#endif
