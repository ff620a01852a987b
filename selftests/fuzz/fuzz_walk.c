// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Page tables that are anything. The input is a head (which format, which windows, which range, how many tables), and
 * a memory of a few pages: bytes as they are, or words one by one, so that short inputs make deep tables.
 *
 * A walk must end, tell runs in order and inside the range, read no page twice; and each run and each hole
 * must be what walk_lookup() and the slow reader of the unit tests (translate.c) say. What registers lead to is walked, too.
 */
#include <errno.h>
#include <stdio.h>

#include "../core/translate.c"
#include "core/root.h"
#include "input.h"

#define PAGES 16
#define RUNS_COMPARED 48

struct head {
	uint8_t format;
	uint8_t how;		/* bit 0: bytes as they are; 1: windows from below; 2, 3: budget */
	uint8_t levels;
	uint8_t index_lg2;
	uint16_t sid;
	uint16_t tables_max;
	uint32_t pasid;
	uint32_t ignore;	/* bits 20 ... 51 */
	uint64_t root;
	uint64_t first, last;	/* of the range */
	uint64_t window_first, window_last;
};

/* One word of the memory. */
struct word {
	uint8_t page;
	uint8_t kind;		/* 0: as it is; 1: a table; else a leaf */
	uint16_t index;
	uint32_t pad;
	uint64_t value;
};

static uint64_t memory[PAGES][WALK_PAGE_ENTRIES];
static uint64_t reads;

uint64_t *image_word(struct image *m, uint64_t paddr)
{
	(void)m;
	return paddr / WALK_PAGE_BYTES < PAGES ?
	       &memory[paddr / WALK_PAGE_BYTES][paddr % WALK_PAGE_BYTES / 8] : NULL;
}

uint64_t image_get(struct image *m, uint64_t paddr)
{
	return *image_word(m, paddr);
}

uint64_t plant_swap(uint64_t word)
{
	return __builtin_bswap64(word);
}

static int read_page(void *arg, uint64_t paddr, uint64_t page[WALK_PAGE_ENTRIES])
{
	(void)arg;
	CHECK(paddr % WALK_PAGE_BYTES == 0);
	reads++;
	if (paddr / WALK_PAGE_BYTES >= PAGES)
		return -1;
	memcpy(page, memory[paddr / WALK_PAGE_BYTES], WALK_PAGE_BYTES);
	return 0;
}

static void hear_ahead(void *arg, const uint64_t *paddrs, uint32_t count)
{
	(void)arg;
	CHECK(count && count <= WALK_PAGE_ENTRIES);
	while (count--)
		CHECK(*paddrs++ % WALK_PAGE_BYTES == 0);
}

static const struct walk_memory mem = { .read = read_page, .ahead = hear_ahead };

/* ---- the memory ---- */

static uint64_t word_of(const struct word *w, uint32_t format)
{
	uint64_t page = w->value % PAGES * WALK_PAGE_BYTES, next = w->value >> 8 & 7;

	if (w->kind % 4 == 0)
		return w->value;
	if (w->kind % 4 > 1)
		page = (w->value & 0xffffff) << 12;
	if (format == WALK_TCE)
		return plant_swap(page | 3);
	if (format == WALK_AMD_V1)
		return page | 1 | (w->kind % 4 == 1 ? next << 9 : 0) | 3ULL << 61;
	return page | 7 | (w->kind % 4 == 3 ? 0x80 : 0);
}

static void fill(const struct head *h, uint32_t format, const uint8_t *data, size_t size)
{
	struct word w;

	memset(memory, 0, sizeof(memory));
	if (h->how & 1) {
		memcpy(memory, data, size < sizeof(memory) ? size : sizeof(memory));
		return;
	}
	for (; size >= sizeof(w); data += sizeof(w), size -= sizeof(w)) {
		memcpy(&w, data, sizeof(w));
		memory[w.page % PAGES][w.index % WALK_PAGE_ENTRIES] = word_of(&w, format);
	}
}

static struct walk_table own_windows(const struct head *h, uint32_t format)
{
	struct walk_table t = { .format = format, .nwindows = 1 + (h->how >> 2 & 1) };

	t.windows[0] = (struct walk_window) {
		h->window_first, h->window_last, h->root, h->levels, h->index_lg2,
	};
	t.windows[1] = (struct walk_window) {
		h->window_last + 1, h->window_last + (h->window_last - h->window_first) + 1,
		h->how & 8 ? h->root : h->root ^ WALK_PAGE_BYTES, h->levels, h->index_lg2,
	};
	return t;
}

static struct walk_table table_of(const struct head *h, uint32_t format)
{
	const uint64_t root = h->root % PAGES * WALK_PAGE_BYTES;

	if (h->how & 2 || format == WALK_TCE)
		return own_windows(h, format);
	if (format == WALK_X86)
		return walk_x86(root, 4 + h->levels % 2);
	if (format == WALK_AMD_V1)
		return walk_amd_v1(root, 1 + h->levels % 6);
	return walk_vtd_second(root, 3 + h->levels % 3);
}

/* ---- what was told ---- */

struct heard {
	const struct walk_table *t;
	uint64_t first, last;
	uint64_t runs, bad, next;	/* next: the first IOVA after the last run */
	bool any, to_the_end, quiet;
};

/* 9 bits of each level: what translate() knows of these formats. */
static bool translate_knows(const struct walk_table *t)
{
	return (t->format == WALK_TCE || t->windows[0].index_lg2 == 9) && !t->paddr_ignore;
}

static void same_as_slow(const struct walk_table *t, uint64_t iova, const struct walk_path *path)
{
	struct translated x;

	if (!translate_knows(t) || (path->bad && path->run.kind == WALK_BAD_LOOP))
		return;
	x = translate(NULL, t, iova);
	CHECK(path->present == (x.is == LEAF));
	CHECK(path->bad == (x.is == BAD || x.is == NO_MEMORY));
	if (path->bad)
		CHECK(path->run.kind == (x.is == BAD ? WALK_BAD_RESERVED : WALK_BAD_MEMORY));
	if (!path->present)
		return;
	CHECK(path->run.iova <= iova && path->run.last >= iova);
	CHECK(path->run.paddr + (iova - path->run.iova) == x.paddr);
	CHECK(path->run.prot == x.prot && path->run.page_lg2 == x.lg2);
	CHECK(path->run.level == x.level && path->run.raw == x.raw);
}

static void in_a_run(const struct heard *h, const struct walk_run *run, uint64_t iova)
{
	struct walk_path path;

	CHECK(!walk_lookup(h->t, &mem, iova, &path));
	same_as_slow(h->t, iova, &path);
	if (run->kind == WALK_BAD_LOOP)
		return;
	CHECK(path.present == (run->kind == WALK_LEAF) && path.bad == !path.present);
	CHECK(path.run.kind == run->kind && path.run.level == run->level);
	CHECK(path.run.prot == run->prot && path.run.page_lg2 == run->page_lg2);
	if (path.present)
		CHECK(path.run.paddr + (iova - path.run.iova) == run->paddr + (iova - run->iova));
	else
		CHECK(path.run.paddr == run->paddr);
	if (iova == run->iova)
		CHECK(path.run.raw == run->raw && path.run.entry_paddr == run->entry_paddr);
}

static void in_a_hole(const struct heard *h, uint64_t iova)
{
	struct walk_path path;

	if (walk_lookup(h->t, &mem, iova, &path))
		return;
	CHECK(!path.present && !path.bad);
	same_as_slow(h->t, iova, &path);
}

static int hear(void *arg, const struct walk_run *run)
{
	struct heard *h = arg;

	CHECK(run->iova <= run->last && run->iova >= h->first && run->last <= h->last);
	CHECK(run->kind < WALK_KINDS && run->level <= WALK_LEVELS_MAX);
	CHECK(!h->any || (!h->to_the_end && run->iova >= h->next));
	h->runs++;
	h->bad += run->kind != WALK_LEAF;
	if (!h->quiet && (h->runs < RUNS_COMPARED || h->runs % 61 == 0)) {
		in_a_run(h, run, run->iova);
		in_a_run(h, run, run->last);
		in_a_run(h, run, run->iova + (run->last - run->iova) / 2);
		if (run->iova > (h->any ? h->next : h->first))
			in_a_hole(h, run->iova - 1);
	}
	h->any = true;
	h->to_the_end = run->last == UINT64_MAX;
	h->next = run->last + 1;
	return 0;
}

static void walk(const struct head *head, const struct walk_table *t)
{
	struct heard h = { .t = t, .first = head->first, .last = head->last };
	struct walk_count count = { 0 };
	const uint64_t max = head->how & 0x40 ? head->tables_max : 0;
	int ret;

	/* A budget would leave holes that are none. */
	h.quiet = max;
	ret = walk_range(t, &mem, head->first, head->last, max, hear, &h, &count);
	CHECK(!ret || ret == -EINVAL);
	if (ret)
		return;
	CHECK(count.runs == h.runs && count.bad == h.bad && count.bad <= count.runs);
	CHECK(count.tables <= PAGES * WALK_WINDOWS_MAX);
	CHECK(!max || count.tables <= max);
	if (!h.quiet && !h.to_the_end && (h.any ? h.next : h.first) <= h.last)
		in_a_hole(&h, h.last);
}

static void walk_root(const struct head *head, const struct root *r)
{
	CHECK(r->nsteps <= ROOT_STEPS_MAX && *root_kind_name(r->kind) != 'u');
	if (r->kind == ROOT_TABLE || r->kind == ROOT_NESTED)
		walk(head, &r->table);
	if (r->kind == ROOT_NESTED)
		walk(head, &r->guest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct walk_table t;
	struct head h;
	struct root r;
	uint32_t format;

	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	format = h.format % (WALK_FORMATS + 1);
	fill(&h, format, data + sizeof(h), size - sizeof(h));

	t = table_of(&h, format);
	t.paddr_ignore = h.how & 0x10 ? (uint64_t)h.ignore << 20 : 0;
	walk(&h, &t);

	root_vtd(h.root, &mem, h.sid, h.how & 0x20 ? h.pasid : ROOT_NO_PASID, &r);
	walk_root(&h, &r);
	root_amd(h.root, t.paddr_ignore, &mem, h.sid, h.how & 0x20 ? h.pasid : ROOT_NO_PASID, &r);
	walk_root(&h, &r);
	return 0;
}
