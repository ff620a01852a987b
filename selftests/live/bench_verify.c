// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Usage: verify DEVICE
 *
 * What each part of a reading of this machine costs for each 4 KiB page of the domain that DEVICE is in, which VFIO has
 * filled. It prints 'PART NANOSECONDS' a line; where nanoseconds are instructions (scripts/bench), those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/reading.h"
#include "live/host.h"
#include "live/process.h"

/* The addresses of the pages that a walk read. */
struct pages {
	struct walk_memory mem;
	uint64_t *paddrs;
	size_t count, room;
};

struct bench {
	struct peek *p;
	struct host_domain domain;
	struct peek_owner owner;
	struct reading r;
	struct walk_count count;
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void need(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "verify: %s: %d\n", what, err);
	exit(1);
}

static int keep_run(void *arg, const struct walk_run *run)
{
	return reading_add_run(arg, run);
}

/* As settle.c has it, without ends to be cut. */
static int keep_area(void *arg, const struct peek_area *a)
{
	const struct book_area area = {
		.first = a->first, .last = a->last, .paddr = AREA_PADDR_UNKNOWN, .vaddr = a->vaddr,
		.prot = a->prot & 3, .tgid = a->tgid,
	};

	return reading_add_area(arg, BOOK_VFIO, &area);
}

static int drop_run(void *arg, const struct walk_run *run)
{
	(void)arg;
	(void)run;
	return 0;
}

static int walk(struct bench *b, walk_fn fn)
{
	struct walk_memory mem = peek_memory(b->p);

	b->count = (struct walk_count){ 0 };
	return walk_range(&b->domain.table, &mem, 0, UINT64_MAX, 0, fn, &b->r, &b->count);
}

static int note_page(void *arg, uint64_t paddr, uint64_t page[WALK_PAGE_ENTRIES])
{
	struct pages *all = arg;

	need(all->count == all->room, "more tables than before");
	all->paddrs[all->count++] = paddr;
	return all->mem.read(all->mem.arg, paddr, page);
}

/* The pages of the table once more, and nothing else. */
static void read_pages(const struct pages *all)
{
	static uint64_t page[WALK_PAGE_ENTRIES];
	size_t i, n;

	for (i = 0; i < all->count; i++) {
		n = all->count - i < WALK_PAGE_ENTRIES ? all->count - i : WALK_PAGE_ENTRIES;
		if (i % WALK_PAGE_ENTRIES == 0)
			all->mem.ahead(all->mem.arg, all->paddrs + i, n);
		need(all->mem.read(all->mem.arg, all->paddrs[i], page), "a table");
	}
}

static int read_vfio(struct bench *b)
{
	struct peek_book ask = { .book = b->owner.book, .domain = b->domain.at.domain, .to = UINT64_MAX };

	b->r.books |= 1U << BOOK_VFIO;
	return peek_vfio(b->p, &ask, keep_area, &b->r);
}

/* The pages that both have; none may differ. */
static uint64_t compare(struct bench *b, enum book book)
{
	struct compared c = { 0 };

	need(reading_compare(&b->r, book, NULL, NULL, &c), book_name(book));
	need(c.diffs != 0, "differences");
	return c.pages;
}

static uint64_t part_ns;	/* of all pages, since the last one */

static void part(const char *name, uint64_t pages)
{
	uint64_t ns = now();

	if (name)
		printf("%s %.1f\n", name, (double)(ns - part_ns) / pages);
	part_ns = now();
}

static void measure(struct bench *b)
{
	struct process process = { 0 };
	struct pages all = { .mem = peek_memory(b->p) };
	const struct walk_memory noting = { .read = note_page, .arg = &all };
	uint64_t pages;

	need(walk(b, drop_run), "the table");
	pages = b->count.leaves;
	all.room = b->count.tables;
	all.paddrs = calloc(all.room, sizeof(*all.paddrs));
	need(!all.paddrs, "memory");
	need(walk_range(&b->domain.table, &noting, 0, UINT64_MAX, 0, drop_run, NULL, NULL), "the table");
	printf("entries %lu\n", (unsigned long)pages);
	part(NULL, 0);
	read_pages(&all);
	part("read", pages);
	need(walk(b, drop_run), "the table");
	part("walk", pages);
	need(walk(b, keep_run), "the table");
	part("walk-and-keep", pages);
	need(read_vfio(b), "VFIO's list");
	part("vfio", pages);
	need(process_read(b->p, &process, &b->r), "the process");
	part("process", pages);
	need(compare(b, BOOK_VFIO) != pages, "not all pages");
	part("compare-vfio", pages);
	need(compare(b, BOOK_PROCESS) != pages, "not all of the process's pages");
	part("compare-process", pages);
	free(all.paddrs);
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	struct peek_device dev;
	char text[256];

	if (argc != 2) {
		fprintf(stderr, "Usage: verify DEVICE\n");
		return 2;
	}
	need(peek_open(true, false, &b.p, text, sizeof(text)), text);
	need(host_find(b.p, argv[1], &dev), argv[1]);
	need(host_domain(b.p, dev.domain, dev.kind, &b.domain), "its domain");
	b.owner.owner = dev.owner;
	b.owner.group_at = dev.group_at;
	need(peek_owner(b.p, &b.owner), "its owner");
	need(b.owner.kind != PEEK_OWNER_VFIO, "VFIO does not own it");
	measure(&b);
	reading_drain(&b.r);
	peek_free(b.p);
	return 0;
}
