// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One IOVA down the tables. Agrees with walk_range() on what it is translated to; but only a whole walk can see that two
 * ways lead to one table: here WALK_BAD_LOOP is a circle on the way.
 */
#include <errno.h>
#include <stddef.h>

#include "walk_priv.h"

struct look {
	const struct walk_table *t;
	const struct walk_window *win;
	uint64_t iova;
	uint64_t table;		/* the next one */
	uint32_t level;		/* its */
	uint32_t prot;
	struct walk_path *path;
};

static const struct walk_step *last_step(const struct walk_path *path)
{
	return path->nsteps ? &path->steps[path->nsteps - 1] : NULL;
}

static uint64_t page_of(uint64_t paddr)
{
	return paddr & ~(uint64_t)(WALK_PAGE_BYTES - 1);
}

/* @lg2: of what is told; all of it is at @paddr. */
static void found(struct look *l, enum walk_kind kind, uint64_t paddr, uint32_t lg2)
{
	const struct walk_step *step = last_step(l->path);

	l->path->bad = kind != WALK_LEAF;
	l->path->present = !l->path->bad;
	l->path->run = (struct walk_run) {
		.iova = l->iova & ~walk_mask(lg2),
		.last = l->iova | walk_mask(lg2),
		.paddr = paddr,
		.raw = step ? step->raw : 0,
		.entry_paddr = step ? step->entry_paddr : 0,
		.level = step ? step->level : 0,
		.kind = kind,
	};
}

/* Something is wrong with the page of a table: so far as it reaches in its window. */
static void bad_page(struct look *l, enum walk_kind kind, uint64_t paddr)
{
	struct walk_run *run = &l->path->run;

	found(l, kind, paddr, walk_entry_lg2(l->win, l->level) + 9);
	if (run->iova < l->win->first)
		run->iova = l->win->first;
	if (run->last > l->win->last)
		run->last = l->win->last;
}

static bool is_circle(const struct walk_path *path, uint64_t page)
{
	uint32_t i;

	for (i = 0; i < path->nsteps; i++)
		if (page_of(path->steps[i].entry_paddr) == page)
			return true;
	return false;
}

static void found_leaf(struct look *l, const struct walk_entry *e)
{
	found(l, WALK_LEAF, e->paddr, e->size_lg2);
	l->path->run.page_lg2 = e->size_lg2;
	l->path->run.prot = l->prot & e->prot;
}

/* Levels that are left out: only their first entries would lead here. */
static bool skipped(const struct look *l, uint32_t entry_lg2, uint32_t next_level)
{
	uint64_t below = walk_mask(walk_entry_lg2(l->win, next_level + 1));

	return l->iova & walk_mask(entry_lg2) & ~below;
}

/* True if there is one more table. */
static bool look_entry(struct look *l, const struct walk_ops *ops, uint64_t raw)
{
	const struct walk_at at = walk_at(l->t, l->win, l->level);
	struct walk_entry e;

	ops->decode(raw, &at, &e);
	switch (e.kind) {
	case WALK_ENTRY_NONE:
		return false;
	case WALK_ENTRY_LEAF:
		found_leaf(l, &e);
		return false;
	case WALK_ENTRY_BAD:
		found(l, WALK_BAD_RESERVED, 0, at.entry_lg2);
		return false;
	case WALK_ENTRY_TABLE:
		break;
	}
	l->prot &= e.prot;
	l->table = e.paddr;
	l->level = e.next_level;
	return !skipped(l, at.entry_lg2, e.next_level);
}

/* One table; true if there is one more. */
static bool look_table(struct look *l, const struct walk_ops *ops, const struct walk_memory *mem)
{
	const uint64_t index = l->iova >> walk_entry_lg2(l->win, l->level) &
			       walk_mask(l->win->index_lg2);
	const uint64_t paddr = l->table + index * sizeof(uint64_t), page = page_of(paddr);
	uint64_t entries[WALK_PAGE_ENTRIES];
	struct walk_step *step;

	if (is_circle(l->path, page)) {
		bad_page(l, WALK_BAD_LOOP, page);
		return false;
	}
	if (mem->read(mem->arg, page, entries)) {
		bad_page(l, WALK_BAD_MEMORY, page);
		return false;
	}
	step = &l->path->steps[l->path->nsteps++];
	*step = (struct walk_step) {
		.entry_paddr = paddr,
		.raw = entries[index % WALK_PAGE_ENTRIES],
		.level = l->level,
	};
	return look_entry(l, ops, step->raw);
}

static const struct walk_window *window_of(const struct walk_table *t, uint64_t iova)
{
	uint32_t i;

	for (i = 0; i < t->nwindows; i++)
		if (iova >= t->windows[i].first && iova <= t->windows[i].last)
			return &t->windows[i];
	return NULL;
}

int walk_lookup(const struct walk_table *t, const struct walk_memory *mem, uint64_t iova,
		struct walk_path *path)
{
	struct look l = { .t = t, .iova = iova, .prot = WALK_PROT_ALL, .path = path };

	if (walk_check(t))
		return -EINVAL;
	l.win = window_of(t, iova);
	if (!l.win)
		return -ERANGE;

	*path = (struct walk_path) { 0 };
	l.table = l.win->root;
	l.level = l.win->levels;
	while (look_table(&l, walk_ops_of(t->format), mem))
		;
	return 0;
}
