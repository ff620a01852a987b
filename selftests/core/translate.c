// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* One address at a time, word by word, as slow as it likes. */
#include "image.h"

#define BIT(n) (1ULL << (n))
#define BITS(high, low) ((~0ULL >> (63 - (high))) & ~(BIT(low) - 1))

struct at {
	struct image *m;
	const struct walk_table *t;
	uint64_t iova;
	uint64_t table;
	uint32_t level;
	struct translated out;
};

/* False: nothing is there. */
static bool fetch(struct at *a, uint64_t entry_paddr)
{
	if (!image_word(a->m, entry_paddr)) {
		a->out.is = NO_MEMORY;
		return false;
	}
	a->out.entry_paddr = entry_paddr;
	a->out.level = a->level;
	a->out.raw = image_get(a->m, entry_paddr);
	return true;
}

static bool end(struct at *a, enum translation is)
{
	a->out.is = is;
	return false;
}

static bool leaf(struct at *a, uint64_t paddr, uint32_t lg2)
{
	a->out.lg2 = lg2;
	a->out.paddr = paddr + a->iova % BIT(lg2);
	return end(a, LEAF);
}

static bool down(struct at *a, uint64_t paddr, uint32_t level)
{
	a->table = paddr;
	a->level = level;
	return true;
}

static bool step_vtd(struct at *a)
{
	uint64_t e;

	if (!fetch(a, a->table + a->iova / BIT(12 + 9 * (a->level - 1)) % 512 * 8))
		return false;
	e = a->out.raw;
	if (!(e & BIT(0)) && !(e & BIT(1)))
		return end(a, HOLE);
	if (e & BIT(62))
		return end(a, BAD);
	a->out.prot &= e % 4;
	if (a->level == 1)
		return leaf(a, e & BITS(51, 12), 12);
	if (a->level == 2 && e & BIT(7))
		return e & BITS(20, 12) ? end(a, BAD) : leaf(a, e & BITS(51, 21), 21);
	if (a->level == 3 && e & BIT(7))
		return e & BITS(29, 12) ? end(a, BAD) : leaf(a, e & BITS(51, 30), 30);
	if (e & (BIT(7) | BIT(11)))
		return end(a, BAD);
	return down(a, e & BITS(51, 12), a->level - 1);
}

static bool step_x86(struct at *a)
{
	uint64_t e;

	if (!fetch(a, a->table + a->iova / BIT(12 + 9 * (a->level - 1)) % 512 * 8))
		return false;
	e = a->out.raw;
	if (!(e & BIT(0)))
		return end(a, HOLE);
	if (!(e & BIT(2)))
		a->out.prot = 0;
	if (!(e & BIT(1)))
		a->out.prot &= WALK_READ;
	if (a->level == 1)
		return leaf(a, e & BITS(51, 12), 12);
	if (!(e & BIT(7)))
		return down(a, e & BITS(51, 12), a->level - 1);
	if (a->level == 2)
		return e & BITS(20, 13) ? end(a, BAD) : leaf(a, e & BITS(51, 21), 21);
	if (a->level == 3)
		return e & BITS(29, 13) ? end(a, BAD) : leaf(a, e & BITS(51, 30), 30);
	return end(a, BAD);
}

static bool step_amd_leaf(struct at *a, uint64_t e, bool sized)
{
	uint32_t lg2 = 12 + 9 * (a->level - 1), next = lg2 + 9, bit;

	if (a->level == 6 || e & BITS(58, 52))
		return end(a, BAD);
	if (!sized)
		return leaf(a, e & BITS(51, lg2), lg2);
	for (bit = 12; bit < 52 && e & BIT(bit); bit++)
		;
	if (bit == 52 || bit + 1 <= lg2 || bit + 1 >= next)
		return end(a, BAD);
	return leaf(a, bit == 51 ? 0 : e & BITS(51, bit + 1), bit + 1);
}

static bool step_amd(struct at *a)
{
	uint32_t lg2 = 12 + 9 * (a->level - 1), next;
	uint64_t e;

	if (!fetch(a, a->table + a->iova / BIT(lg2) % 512 * 8))
		return false;
	e = a->out.raw;
	next = e / BIT(9) % 8;
	if (!(e & BIT(0)))
		return end(a, HOLE);
	a->out.prot &= e / BIT(61) % 4;
	if (next == 0 || next == 7)
		return step_amd_leaf(a, e, next == 7);
	if (next >= a->level || e & BITS(60, 52))
		return end(a, BAD);
	/* Left out levels: their bits must be zero. */
	if (a->iova % BIT(lg2) >= BIT(12 + 9 * next))
		return end(a, HOLE);
	return down(a, e & BITS(51, 12), next);
}

static bool step_tce(struct at *a, uint32_t index_lg2)
{
	uint64_t e;

	if (!fetch(a, a->table +
		      a->iova / BIT(12 + index_lg2 * (a->level - 1)) % BIT(index_lg2) * 8))
		return false;
	e = plant_swap(a->out.raw);
	if (!(e % 4))
		return end(a, HOLE);
	if (e & BITS(11, 2))
		return end(a, BAD);
	a->out.prot &= e % 4;
	if (a->level == 1)
		return leaf(a, e & BITS(63, 12), 12);
	return down(a, e & BITS(63, 12), a->level - 1);
}

static bool step(struct at *a, const struct walk_window *win)
{
	switch (a->t->format) {
	case WALK_VTD_SECOND:
		return step_vtd(a);
	case WALK_X86:
		return step_x86(a);
	case WALK_AMD_V1:
		return step_amd(a);
	default:
		return step_tce(a, win->index_lg2);
	}
}

struct translated translate(struct image *m, const struct walk_table *t, uint64_t iova)
{
	struct at a = { .m = m, .t = t, .iova = iova, .out.is = OUTSIDE, .out.prot = RW };
	uint32_t i;

	for (i = 0; i < t->nwindows; i++) {
		const struct walk_window *win = &t->windows[i];

		if (iova < win->first || iova > win->last)
			continue;
		a.table = win->root;
		a.level = win->levels;
		while (step(&a, win))
			;
		return a.out;
	}
	return a.out;
}
