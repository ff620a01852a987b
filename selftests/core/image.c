// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The memory, and what a walk of it told. */
#include <errno.h>

#include "image.h"

void image_begin(struct image *m)
{
	memset(m, 0, sizeof(*m));
	m->next = 0x100000;
}

void image_end(struct image *m)
{
	uint64_t *page;

	while ((page = omap_ceil(&m->pages, 0))) {
		omap_del(&m->pages, page[WALK_PAGE_ENTRIES]);
		free(page);
	}
	omap_clear(&m->coming);
}

/* A page knows its own frame number, behind its words. */
void image_page_at(struct image *m, uint64_t paddr)
{
	uint64_t *page = calloc(WALK_PAGE_ENTRIES + 1, sizeof(uint64_t));

	assert_non_null(page);
	assert_null(omap_get(&m->pages, paddr / WALK_PAGE_BYTES));
	page[WALK_PAGE_ENTRIES] = paddr / WALK_PAGE_BYTES;
	assert_int_equal(omap_put(&m->pages, paddr / WALK_PAGE_BYTES, page), 0);
}

uint64_t image_pages(struct image *m, uint64_t n)
{
	uint64_t paddr = m->next;

	for (; n; n--, m->next += WALK_PAGE_BYTES)
		image_page_at(m, m->next);
	return paddr;
}

uint64_t *image_word(struct image *m, uint64_t paddr)
{
	uint64_t *page = omap_get(&m->pages, paddr / WALK_PAGE_BYTES);

	return page ? &page[paddr % WALK_PAGE_BYTES / sizeof(uint64_t)] : NULL;
}

uint64_t image_get(struct image *m, uint64_t paddr)
{
	assert_non_null(image_word(m, paddr));
	return *image_word(m, paddr);
}

void image_set(struct image *m, uint64_t paddr, uint64_t word)
{
	assert_non_null(image_word(m, paddr));
	*image_word(m, paddr) = word;
}

static int image_read(void *arg, uint64_t paddr, uint64_t page[WALK_PAGE_ENTRIES])
{
	struct image *m = arg;
	uint64_t *words = image_word(m, paddr);

	assert_int_equal(paddr % WALK_PAGE_BYTES, 0);
	m->reads++;
	omap_del(&m->coming, paddr);
	if (!words)
		return -EFAULT;
	memcpy(page, words, WALK_PAGE_BYTES);
	return 0;
}

static void image_ahead(void *arg, const uint64_t *paddrs, uint32_t count)
{
	struct image *m = arg;

	assert_in_range(count, 1, WALK_PAGE_ENTRIES);
	m->announced += count;
	while (count--)
		assert_int_equal(omap_put(&m->coming, *paddrs++, m), 0);
}

struct walk_memory image_memory(struct image *m)
{
	return (struct walk_memory) { .read = image_read, .ahead = image_ahead, .arg = m };
}

/* ---- what a walk told ---- */

int told_add(void *arg, const struct walk_run *run)
{
	struct told *t = arg;

	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 16;
		t->runs = realloc(t->runs, t->room * sizeof(*t->runs));
		assert_non_null(t->runs);
	}
	t->runs[t->n++] = *run;
	return t->stop_after && (int)t->n == t->stop_after ? -EINTR : 0;
}

static void runs_in_order(const struct told *t, uint64_t first, uint64_t last)
{
	uint64_t bad = 0;
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		const struct walk_run *r = &t->runs[i];

		assert_true(r->iova <= r->last && r->iova >= first && r->last <= last);
		assert_true(!i || r->iova > t->runs[i - 1].last);
		bad += r->kind != WALK_LEAF;
	}
	assert_int_equal(t->n, t->count.runs);
	assert_int_equal(bad, t->count.bad);
}

void told_walk(struct told *out, struct image *m, const struct walk_table *t, uint64_t first,
	       uint64_t last)
{
	struct walk_memory mem = image_memory(m);

	memset(out, 0, sizeof(*out));
	assert_int_equal(walk_range(t, &mem, first, last, 0, told_add, out, &out->count), 0);
	assert_false(out->count.cut);
	runs_in_order(out, first, last);
}

void told_free(struct told *t)
{
	free(t->runs);
	memset(t, 0, sizeof(*t));
}

void told_is(const struct told *t, uint32_t i, uint64_t iova, uint64_t last, uint64_t paddr,
	     uint32_t prot)
{
	assert_true(i < t->n);
	assert_int_equal(t->runs[i].kind, WALK_LEAF);
	assert_int_equal(t->runs[i].iova, iova);
	assert_int_equal(t->runs[i].last, last);
	assert_int_equal(t->runs[i].paddr, paddr);
	assert_int_equal(t->runs[i].prot, prot);
}

void told_is_bad(const struct told *t, uint32_t i, uint64_t iova, uint64_t last,
		 enum walk_kind kind)
{
	assert_true(i < t->n);
	assert_int_equal(t->runs[i].kind, kind);
	assert_int_equal(t->runs[i].iova, iova);
	assert_int_equal(t->runs[i].last, last);
}

/* ---- the clever, the quick and the slow ---- */

static const struct walk_run *run_of(const struct told *t, uint64_t iova)
{
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (t->runs[mid].last < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n && t->runs[low].iova <= iova ? &t->runs[low] : NULL;
}

static void run_is(const struct walk_run *run, const struct translated *x, uint64_t iova)
{
	static const enum walk_kind kinds[] = {
		[LEAF] = WALK_LEAF, [BAD] = WALK_BAD_RESERVED, [NO_MEMORY] = WALK_BAD_MEMORY,
	};

	if (x->is == HOLE || x->is == OUTSIDE) {
		assert_null(run);
		return;
	}
	assert_non_null(run);
	assert_int_equal(run->kind, kinds[x->is]);
	assert_int_equal(run->level, x->level);
	if (x->is != LEAF)
		return;
	assert_int_equal(run->paddr + (iova - run->iova), x->paddr);
	assert_int_equal(run->prot, x->prot);
	assert_int_equal(run->page_lg2, x->lg2);
}

static void lookup_is(struct image *m, const struct walk_table *t, const struct translated *x,
		      uint64_t iova)
{
	struct walk_memory mem = image_memory(m);
	struct walk_path path;
	int ret = walk_lookup(t, &mem, iova, &path);

	assert_int_equal(ret, x->is == OUTSIDE ? -ERANGE : 0);
	if (ret)
		return;
	assert_int_equal(path.present, x->is == LEAF);
	assert_int_equal(path.bad, x->is == BAD || x->is == NO_MEMORY);
	run_is(path.present || path.bad ? &path.run : NULL, x, iova);
	if (x->is == NO_MEMORY && !path.nsteps)
		return;
	assert_true(path.nsteps);
	assert_int_equal(path.steps[path.nsteps - 1].entry_paddr, x->entry_paddr);
	assert_int_equal(path.steps[path.nsteps - 1].raw, x->raw);
	if (!path.present)
		return;
	assert_true(path.run.iova <= iova && path.run.last >= iova);
	assert_int_equal(path.run.last - path.run.iova + 1, 1ULL << x->lg2);
}

static void one_agrees(const struct told *told, struct image *m, const struct walk_table *t,
		       uint64_t iova)
{
	struct translated x = translate(m, t, iova);

	run_is(run_of(told, iova), &x, iova);
	lookup_is(m, t, &x, iova);
}

void told_agrees(const struct told *told, struct image *m, const struct walk_table *t,
		 uint64_t first, uint64_t last)
{
	uint32_t i;

	one_agrees(told, m, t, first);
	one_agrees(told, m, t, last);
	for (i = 0; i < told->n; i++) {
		const struct walk_run *r = &told->runs[i];

		one_agrees(told, m, t, r->iova);
		one_agrees(told, m, t, r->last);
		one_agrees(told, m, t, r->iova + (r->last - r->iova) / 2);
		if (r->iova > first)
			one_agrees(told, m, t, r->iova - 1);
		if (r->last < last)
			one_agrees(told, m, t, r->last + 1);
	}
}
