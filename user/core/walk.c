// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The engine of walks: down the tables in order of IOVAs, clipped, leaves merged into runs.
 *
 * Invariants
 * - The open run is told when it cannot go on; it lies before all that is still to come.
 * - Each page of a table is entered once (@reached), so the work is bounded by the pages there are, and by
 *   @left: each page that is tried costs one.
 * - Functions that return int here: 0 to go on; not 0 ends the walk with @out.ret.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "walk_priv.h"

#define TABLES_MAX (1ULL << 24)
#define PAGE_INDEX_LG2 9	/* WALK_PAGE_ENTRIES */

struct walk {
	const struct walk_table *t;
	const struct walk_ops *ops;
	const struct walk_memory *mem;
	const struct walk_window *win;
	struct walk_out out;
	uint64_t left;		/* pages that may still be read */
	struct omap reached;	/* by page frame number */
	uint64_t ahead[WALK_PAGE_ENTRIES];
	uint64_t pages[WALK_LEVELS_MAX][WALK_PAGE_ENTRIES];
};

/* A table, and the entry that leads to it. */
struct walk_link {
	uint64_t paddr;
	uint64_t iova;		/* that its first entry translates */
	uint64_t raw;
	uint64_t entry_paddr;
	uint32_t entry_level;	/* 0: the root */
	uint32_t level;
	uint32_t prot;
};

const struct walk_ops *walk_ops_of(uint32_t format)
{
	switch (format) {
	case WALK_VTD_SECOND:
		return &walk_ops_vtd;
	case WALK_X86:
		return &walk_ops_x86;
	case WALK_AMD_V1:
		return &walk_ops_amd;
	case WALK_TCE:
		return &walk_ops_tce;
	default:
		return NULL;
	}
}

const char *walk_format_name(uint32_t format)
{
	const struct walk_ops *ops = walk_ops_of(format);

	return ops ? ops->name : format == WALK_NONE ? "none" : "unknown";
}

const char *walk_prot_name(uint32_t prot)
{
	static const char *const names[] = { "-", "r", "w", "rw" };

	return names[prot & (WALK_READ | WALK_WRITE)];
}

/* ---- the table as it is given ---- */

static bool window_valid(const struct walk_window *win)
{
	uint64_t span;

	if (win->levels < 1 || win->levels > WALK_LEVELS_MAX || win->index_lg2 < PAGE_INDEX_LG2 ||
	    win->index_lg2 > 18 || walk_entry_lg2(win, win->levels) > 63)
		return false;
	if (win->first > win->last || win->root & (WALK_PAGE_BYTES - 1))
		return false;

	/* Not more than the root translates. */
	span = walk_mask(walk_entry_lg2(win, win->levels + 1));
	return (win->first | span) == (win->last | span);
}

int walk_check(const struct walk_table *t)
{
	uint32_t i;

	if (!walk_ops_of(t->format) || t->nwindows > WALK_WINDOWS_MAX)
		return -EINVAL;
	for (i = 0; i < t->nwindows; i++) {
		if (!window_valid(&t->windows[i]))
			return -EINVAL;
		if (i && t->windows[i].first <= t->windows[i - 1].last)
			return -EINVAL;
	}
	return 0;
}

/* ---- telling ---- */

static struct walk *walk_of(struct walk_out *out)
{
	return (struct walk *)((char *)out - offsetof(struct walk, out));
}

/* Clipped; never merged: each names its entry. */
static int tell_bad(struct walk_out *out, struct walk_run run)
{
	if (walk_close(out))
		return out->ret;
	if (run.iova < out->first)
		run.iova = out->first;
	if (run.last > out->last)
		run.last = out->last;
	out->count.runs++;
	out->count.bad++;
	out->ret = out->fn(out->arg, &run);
	return out->ret;
}

/* ---- going down ---- */

/* 1: for the first time; 0: it was there before; -ENOMEM. */
static int reach(struct walk *w, uint64_t paddr)
{
	if (omap_get(&w->reached, paddr / WALK_PAGE_BYTES))
		return 0;
	return omap_put(&w->reached, paddr / WALK_PAGE_BYTES, w) ? -ENOMEM : 1;
}

static bool root_again(const struct walk *w, const struct walk_link *link)
{
	return !link->entry_level && w->win != &w->t->windows[0] &&
	       link->paddr == w->t->windows[0].root;
}

static int tell_bad_page(struct walk *w, const struct walk_link *link, const struct walk_page *p,
			 enum walk_kind kind)
{
	const struct walk_run bad = {
		.iova = p->iova,
		.last = p->iova | walk_mask(p->at.entry_lg2 + PAGE_INDEX_LG2),
		.paddr = p->paddr,
		.raw = link->raw,
		.entry_paddr = link->entry_paddr,
		.level = link->entry_level,
		.kind = kind,
	};

	return tell_bad(&w->out, bad);
}

/* One alone is asked for at once. */
static void announce(struct walk *w, uint32_t n)
{
	if (n > 1)
		w->mem->ahead(w->mem->arg, w->ahead, n);
}

/* The tables that a page of a directory leads to. */
static void announce_children(struct walk *w, const struct walk_page *p)
{
	struct walk_entry e;
	uint32_t i, n = 0;

	if (!w->mem->ahead || p->at.level == 1 || w->win->index_lg2 > PAGE_INDEX_LG2)
		return;
	for (i = p->first; i <= p->last && n < w->left; i++) {
		w->ops->decode(p->entries[i], &p->at, &e);
		if (e.kind == WALK_ENTRY_TABLE && !omap_get(&w->reached, e.paddr / WALK_PAGE_BYTES))
			w->ahead[n++] = e.paddr;
	}
	announce(w, n);
}

/* The pages of a table that has more than one: 2^18 / 512 at most. */
static void announce_pages(struct walk *w, uint64_t paddr, uint64_t count)
{
	uint32_t n = 0;

	if (!w->mem->ahead || count < 2)
		return;
	for (; n < count && n < WALK_PAGE_ENTRIES && n < w->left; n++)
		w->ahead[n] = paddr + (uint64_t)n * WALK_PAGE_BYTES;
	announce(w, n);
}

static int walk_page(struct walk *w, const struct walk_link *link, struct walk_page *p)
{
	uint64_t *entries = w->pages[p->at.level - 1];
	int new = reach(w, p->paddr);

	if (new < 0) {
		w->out.ret = new;
		return new;
	}
	if (!new && !root_again(w, link))
		return tell_bad_page(w, link, p, WALK_BAD_LOOP);
	if (!w->left) {
		w->out.count.cut = true;
		return 1;
	}
	w->left--;
	if (w->mem->read(w->mem->arg, p->paddr, entries))
		return tell_bad_page(w, link, p, WALK_BAD_MEMORY);

	w->out.count.tables++;
	p->entries = entries;
	announce_children(w, p);
	return w->ops->scan(&w->out, p);
}

/* All pages of one table, as far as they are wanted. */
static int walk_down(struct walk *w, const struct walk_link *link)
{
	const uint32_t lg2 = walk_entry_lg2(w->win, link->level);
	const uint64_t end = link->iova | walk_mask(lg2 + w->win->index_lg2);
	const uint64_t from = link->iova > w->out.first ? link->iova : w->out.first;
	const uint64_t to = end < w->out.last ? end : w->out.last;
	uint64_t i, i_last;
	int stop = 0;

	if (from > to)
		return 0;
	i = (from - link->iova) >> lg2;
	i_last = (to - link->iova) >> lg2;
	announce_pages(w, link->paddr + i / WALK_PAGE_ENTRIES * WALK_PAGE_BYTES,
		       i_last / WALK_PAGE_ENTRIES - i / WALK_PAGE_ENTRIES + 1);
	while (i <= i_last && !stop) {
		const uint64_t page = i / WALK_PAGE_ENTRIES;
		const uint64_t page_last = i | (WALK_PAGE_ENTRIES - 1);
		struct walk_page p = {
			.at = walk_at(w->t, w->win, link->level),
			.paddr = link->paddr + page * WALK_PAGE_BYTES,
			.iova = link->iova | page * WALK_PAGE_ENTRIES << lg2,
			.first = i % WALK_PAGE_ENTRIES,
			.last = (page_last < i_last ? page_last : i_last) % WALK_PAGE_ENTRIES,
			.prot = link->prot,
		};

		stop = walk_page(w, link, &p);
		i = page_last + 1;
	}
	return stop;
}

int walk_other(struct walk_out *out, const struct walk_page *p, uint32_t i,
	       const struct walk_entry *e)
{
	const struct walk_link link = {
		.paddr = e->paddr,
		.iova = p->iova + ((uint64_t)i << p->at.entry_lg2),
		.raw = p->entries[i],
		.entry_paddr = p->paddr + i * sizeof(uint64_t),
		.entry_level = p->at.level,
		.level = e->next_level,
		.prot = p->prot & e->prot,
	};
	const struct walk_run bad = {
		.iova = link.iova,
		.last = link.iova | p->at.span,
		.raw = link.raw,
		.entry_paddr = link.entry_paddr,
		.level = link.entry_level,
		.kind = WALK_BAD_RESERVED,
	};

	return e->kind == WALK_ENTRY_TABLE ? walk_down(walk_of(out), &link) : tell_bad(out, bad);
}

/* ---- all windows ---- */

static int walk_window(struct walk *w, const struct walk_window *win, uint64_t first, uint64_t last)
{
	const struct walk_link root = {
		.paddr = win->root,
		.iova = win->first & ~walk_mask(walk_entry_lg2(win, win->levels + 1)),
		.level = win->levels,
		.prot = WALK_PROT_ALL,
	};

	w->win = win;
	w->out.first = first > win->first ? first : win->first;
	w->out.last = last < win->last ? last : win->last;
	return w->out.first <= w->out.last ? walk_down(w, &root) : 0;
}

static void count_add(struct walk_count *sum, const struct walk_count *c)
{
	sum->tables += c->tables;
	sum->leaves += c->leaves;
	sum->runs += c->runs;
	sum->bad += c->bad;
	sum->cut |= c->cut;
}

static void walk_windows(struct walk *w, uint64_t first, uint64_t last)
{
	uint32_t i;
	int stop = 0;

	for (i = 0; i < w->t->nwindows && !stop; i++)
		stop = walk_window(w, &w->t->windows[i], first, last);
	if (!w->out.ret)
		walk_close(&w->out);
}

int walk_range(const struct walk_table *t, const struct walk_memory *mem, uint64_t first,
	       uint64_t last, uint64_t tables_max, walk_fn fn, void *arg,
	       struct walk_count *count)
{
	struct walk *w;
	int ret;

	if (first > last || walk_check(t))
		return -EINVAL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;

	w->t = t;
	w->ops = walk_ops_of(t->format);
	w->mem = mem;
	w->left = tables_max ? tables_max : TABLES_MAX;
	w->out.fn = fn;
	w->out.arg = arg;
	walk_windows(w, first, last);

	if (count)
		count_add(count, &w->out.count);
	ret = w->out.ret;
	omap_clear(&w->reached);
	free(w);
	return ret;
}
