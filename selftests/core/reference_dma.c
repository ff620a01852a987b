// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The slow checker: misuse of the DMA API (docs/dma-misuse.md), and what drivers leave. */
#include "reference_priv.h"

#include <stdlib.h>

#define CACHE_LINE 64
#define LISTED 16

/* DMA_ATTR_*: NO_KERNEL_MAPPING, FORCE_CONTIGUOUS, PRIVILEGED, REQUIRE_COHERENT, CC_SHARED */
#define ATTRS_REPEATED (1 << 4 | 1 << 6 | 1 << 9 | 1 << 12 | 1 << 13)

static const char OTHER_ATTRIBUTES[] = "unmapped with other attributes";

static void misuse(struct reference *r, const struct ev_dma *e, const char *what, uint32_t grade)
{
	struct verdict *v = say(r, FINDING_DMA_UNMAP_MISMATCH, e->dev, e->addr / PAGE);

	v->what = what;
	v->grade = grade;
}

static bool foreign_dma(struct reference *r, const struct deed *n, const void *arg)
{
	const struct entry *e = arg;

	(void)r;
	return n->mapped_by != e->id;
}

static bool meets(const struct range_of *a, uint64_t first, uint64_t last)
{
	return a->first <= last && a->last >= first;
}

/* ---- maps ---- */

static bool in_area(const struct reference *r, uint32_t kind, uint64_t first, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < r->facts.nareas; i++)
		if (r->facts.areas[i].type == kind && meets(&r->facts.areas[i], first, last))
			return true;
	return false;
}

/* Of buffers, pages and resources, whose memory the call names. Return: no more is to be said. */
static bool judge_memory(struct reference *r, const struct ev_dma *e)
{
	uint64_t last = e->paddr + e->size - 1;
	bool in_task = (e->op.h.flags & EVF_CTX_MASK) == EV_CTX_TASK;

	if (!e->paddr)
		return false;
	if (e->kind == EV_DMA_RESOURCE) {
		if (in_area(r, EV_AREA_RAM, e->paddr, last))
			misuse(r, e, "memory mapped as a resource", GRADE_NOTE);
		return true;
	}
	if (in_task && r->facts.stack && e->paddr < r->facts.stack + PAGE &&
	    last >= r->facts.stack)
		misuse(r, e, "mapped memory of the stack", GRADE_VIOLATION);
	else if (in_area(r, EV_AREA_TEXT, e->paddr, last))
		misuse(r, e, "mapped kernel code", GRADE_VIOLATION);
	else if (e->dir != 1 && in_area(r, EV_AREA_RODATA, e->paddr, last))
		misuse(r, e, "mapped read-only kernel data for writing", GRADE_VIOLATION);
	else
		return false;
	return true;
}

static bool may_write(uint64_t paddr, uint32_t dir, uint32_t kind, uint64_t attrs)
{
	return paddr && dir != 1 && kind == EV_DMA_PAGE && !(attrs & 1 << 5);
}

static void judge_line(struct reference *r, const struct ev_dma *e)
{
	unsigned int i;

	if (!may_write(e->paddr, e->dir, e->kind, e->attrs))
		return;
	for (i = 0; i < r->nentries; i++) {
		const struct entry *n = &r->entries[i];

		if (n->live && n->dev == e->dev && may_write(n->paddr, n->dir, n->kind, n->attrs) &&
		    n->paddr / CACHE_LINE == e->paddr / CACHE_LINE) {
			misuse(r, e, "mapped while a mapping of the same cache line lives",
			       GRADE_NOTE);
			return;
		}
	}
}

static void entry_add(struct reference *r, const struct entry *like)
{
	unsigned int i;

	for (i = 0; i < r->nentries && r->entries[i].used; i++)
		;
	if (i == ENTRIES)
		abort();
	if (i == r->nentries)
		r->nentries++;
	r->entries[i] = *like;
}

void do_dma_map(struct reference *r, const struct ev_dma *e)
{
	static const uint32_t asked[] = { 3, 1, 2, 3 };

	judge_prot(r, e->op.id, e->kind == EV_DMA_COHERENT ? 3 : asked[e->dir & 3]);
	judge_synced_in(r, e->op.id);
	forget_deeds(r, e->op.id);
	if (e->addr == EV_DMA_ERROR)
		return;
	if (!judge_memory(r, e))
		judge_line(r, e);
	entry_add(r, &(struct entry){ .used = true, .live = true, .dev = e->dev, .addr = e->addr,
				      .size = e->size, .id = e->op.id, .dir = e->dir,
				      .paddr = e->paddr, .ptr = e->ptr, .attrs = e->attrs,
				      .kind = e->kind, .nents = e->nents });
}

/* ---- unmaps ---- */

static struct entry *entry_at(struct reference *r, uint64_t dev, uint64_t addr, bool live)
{
	unsigned int i;

	for (i = 0; i < r->nentries; i++)
		if (r->entries[i].used && r->entries[i].live == live && r->entries[i].dev == dev &&
		    r->entries[i].addr == addr)
			return &r->entries[i];
	return NULL;
}

/* What the unmap says otherwise than the map did; NULL: nothing. */
static const char *mismatch(const struct entry *n, const struct ev_dma *e)
{
	if (n->kind != e->kind)
		return "unmapped with another call than it was mapped with";
	if (n->kind != EV_DMA_SG && n->size != e->size)
		return "unmapped with another size";
	if (n->kind == EV_DMA_SG && n->nents != e->nents)
		return "unmapped with another number of entries";
	if (n->kind == EV_DMA_COHERENT && n->ptr != e->ptr)
		return "freed with another CPU address";
	if (n->dir != e->dir)
		return "unmapped with another direction";
	if ((n->attrs ^ e->attrs) & ATTRS_REPEATED)
		return OTHER_ATTRIBUTES;
	return NULL;
}

/* One mapping lives at an address, or none: then it was unmapped before, or never mapped. */
static void judge_unmap(struct reference *r, const struct ev_dma *e, const struct entry *n)
{
	const char *what;

	if (!n) {
		misuse(r, e, entry_at(r, e->dev, e->addr, false) ? "unmapped twice" :
		       "unmapped, but never mapped", GRADE_VIOLATION);
		return;
	}
	what = mismatch(n, e);
	if (what)
		misuse(r, e, what, what == OTHER_ATTRIBUTES ? GRADE_NOTE : GRADE_VIOLATION);
}

/* Whole pages behind what was unmapped with too small a size stay mapped. */
static void leave_rest(struct reference *r, const struct entry *n, const struct ev_dma *e)
{
	uint64_t cut = (e->addr + e->size + PAGE - 1) / PAGE * PAGE;
	struct entry rest = *n;

	if (n->kind != e->kind || n->kind == EV_DMA_SG || e->size >= n->size ||
	    cut >= n->addr + n->size)
		return;
	rest.rest = true;
	rest.addr = cut;
	rest.size = n->addr + n->size - cut;
	rest.paddr = 0;
	entry_add(r, &rest);
}

/* Of what the map call made nothing may be left: told from the lowest on, as far as it goes on. */
static void judge_rest(struct reference *r, const struct ev_dma *e, const struct entry *n)
{
	struct dom *d = dev_of(r, n->dev)->where;
	uint64_t p = n->addr / PAGE, end = (n->addr + n->size + PAGE - 1) / PAGE;

	if (n->kind == EV_DMA_SG)
		end = REFERENCE_PAGES;
	if (!d || n->rest || n->kind == EV_DMA_IOVA || mismatch(n, e))
		return;
	while (p < end && !d->pages[p].live)
		p++;
	for (; p < end && d->pages[p].live && d->pages[p].cause == n->id; p++) {
		if (d->pages[p].doubtful)
			return;
		say_of(r, FINDING_UNMAP_SHORT, d, p);
	}
}

void do_dma_unmap(struct reference *r, const struct ev_dma *e)
{
	struct entry *n, *old;

	if (e->addr == EV_DMA_ERROR) {
		misuse(r, e, "unmapped what says that the map failed", GRADE_VIOLATION);
		return;
	}
	n = entry_at(r, e->dev, e->addr, true);
	old = entry_at(r, e->dev, e->addr, false);
	judge_unmap(r, e, n);
	if (n)
		judge_rest(r, e, n);
	judge_debts(r, e->op.id);
	if (n)
		judge_wide(r, e->op.id, e->addr, e->addr + (e->size ?: n->size) - 1, foreign_dma, n);
	forget_deeds(r, e->op.id);
	if (!n)
		return;
	leave_rest(r, n, e);
	n->live = false;
	/* One memory of what was there is enough. */
	if (old)
		old->used = false;
}

/* A rest is one only if the IOMMU surely kept it. */
static bool is_leak(const struct dev *dev, const struct entry *n)
{
	const struct page *page = &dev->where->pages[n->addr / PAGE];

	if (!n->used || !n->live || n->dev != dev->ptr || n->gone)
		return false;
	return !n->rest || (page->live && !page->doubtful && page->cause == n->id);
}

/* The lowest addresses are listed. */
void do_unbind(struct reference *r, const struct ev_unbind *e)
{
	struct dev *dev = dev_of(r, e->dev);
	unsigned int i, listed;

	for (listed = 0; dev->where && listed < LISTED; listed++) {
		struct entry *next = NULL;

		for (i = 0; i < r->nentries; i++)
			if (is_leak(dev, &r->entries[i]) &&
			    (!next || r->entries[i].addr < next->addr))
				next = &r->entries[i];
		if (!next)
			break;
		say(r, FINDING_LEAK_ON_FREE, e->dev, next->addr / PAGE);
		next->gone = true;
	}
	/* The device does not come back. */
	for (i = 0; i < r->nentries; i++)
		if (r->entries[i].dev == e->dev)
			r->entries[i].used = false;
}

/* ---- syncs ---- */

/* The one that begins nearest before it. */
static const struct entry *entry_around(const struct reference *r, const struct ev_dma *e)
{
	const struct entry *best = NULL;
	unsigned int i;

	for (i = 0; i < r->nentries; i++) {
		const struct entry *n = &r->entries[i];

		if (n->used && n->live && n->dev == e->dev && e->addr >= n->addr &&
		    (!best || n->addr > best->addr))
			best = n;
	}
	return best && e->addr - best->addr < best->size ? best : NULL;
}

void do_dma_sync(struct reference *r, const struct ev_dma *e)
{
	const struct entry *n = entry_around(r, e);
	const struct dev *dev = dev_of(r, e->dev);
	bool pages = n && n->kind == EV_DMA_PAGE && e->kind == EV_DMA_PAGE;

	/* Who is blocked has no addresses; and what is mapped unheard is none of ours. */
	if (!dev->where || !(dev->where->type & DOMAIN_PAGING))
		return;
	if (!n && dev->where->pages[e->addr / PAGE].live)
		return;
	if (!n)
		misuse(r, e, "synced, but not mapped", GRADE_VIOLATION);
	else if (pages && e->addr - n->addr + e->size > n->size)
		misuse(r, e, "synced beyond the end of the mapping", GRADE_VIOLATION);
	else if (n->dir && n->dir != e->dir)
		misuse(r, e, "synced in another direction", GRADE_VIOLATION);
	else if (n->kind == EV_DMA_SG && e->kind == EV_DMA_SG && n->nents != e->nents)
		misuse(r, e, "synced with another number of entries", GRADE_VIOLATION);
}
