/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Readings of tables in a story: DEV is in DOM, behind VT-d, and DOM's table begins at ROOT. */
#ifndef IOMMUSCOPE_TEST_STORY_READING_H
#define IOMMUSCOPE_TEST_STORY_READING_H

#include "core/root.h"
#include "story.h"

#define ROOT 0x104562000ULL
#define ENTRY 0x1045c7000ULL
#define VFIO (1U << BOOK_VFIO)

STORY void read_is(struct story *s, uint64_t domain, uint32_t phase, uint32_t books, uint32_t flags)
{
	struct ev_read r = { .domain = domain, .root = ROOT, .phase = phase, .levels = 3,
			     .format = WALK_VTD_SECOND, .books = books, .flags = flags,
			     .tables = 3, .leaves = 4 };

	s->next.cpu = EV_CPU_USER;
	SEND(s, EV_READ, r);
}

STORY void begins(struct story *s, uint32_t books)
{
	read_is(s, DOM, EV_READ_BEGIN, books, 0);
}

STORY void ends(struct story *s)
{
	read_is(s, DOM, EV_READ_END, 0, 0);
}

/* @pages pages from @iova on lead to @paddr. */
STORY void run_is(struct story *s, uint64_t domain, uint64_t iova, uint64_t pages, uint64_t paddr,
		   uint32_t prot, uint32_t kind)
{
	struct ev_run r = { .domain = domain, .iova = iova, .last = iova + pages * PAGE - 1,
			    .paddr = paddr, .raw = paddr | prot, .entry_paddr = ENTRY, .level = 1,
			    .page_lg2 = 12, .prot = prot, .kind = kind };

	SEND(s, EV_RUN, r);
}

STORY void run(struct story *s, uint64_t iova, uint64_t pages)
{
	run_is(s, DOM, iova, pages, 0x800000 + iova, 3, WALK_LEAF);
}

STORY void area_is(struct story *s, uint64_t domain, uint32_t book, uint64_t iova, uint64_t pages,
		    uint64_t paddr, uint32_t prot)
{
	struct ev_book r = { .domain = domain, .first = iova, .last = iova + pages * PAGE - 1,
			     .paddr = paddr, .vaddr = 0x7f0000000000 + iova, .book = book,
			     .prot = prot, .tgid = 100 };

	SEND(s, EV_BOOK, r);
}

STORY void area(struct story *s, uint64_t iova, uint64_t pages)
{
	area_is(s, DOM, BOOK_VFIO, iova, pages, AREA_PADDR_UNKNOWN, 3);
}

STORY void span(struct story *s, uint64_t iova, uint64_t pages, uint32_t kind)
{
	struct ev_span r = { .domain = DOM, .first = iova, .last = iova + pages * PAGE - 1,
			     .kind = kind };

	SEND(s, EV_SPAN, r);
}

STORY void begin(struct story *s)
{
	story_begin(s);
	describe_device(s, DEV, EV_DRIVER_VTD);
	describe_domain(s, DOM, DOMAIN_PAGING);
	attach(s, DEV, DOM);
}

STORY void begin_reading(struct story *s)
{
	begin(s);
	begins(s, VFIO);
}

STORY const struct finding *only(struct story *s, const char *name, uint64_t iova, uint64_t last)
{
	const struct finding *f;

	expect(s, name, 1);
	f = first(s);
	assert_int_equal(f->iova, iova);
	assert_int_equal(f->last, last);
	assert_int_equal(f->domain, DOM);
	assert_int_equal(f->device, DEV);
	return f;
}

STORY bool has_detail(const struct finding *f, const char *key)
{
	unsigned int i;

	for (i = 0; i < f->ndetails; i++)
		if (!strcmp(f->details[i].key, key))
			return true;
	return false;
}

STORY uint64_t detail(const struct finding *f, const char *key)
{
	unsigned int i;

	for (i = 0; i < f->ndetails; i++)
		if (!strcmp(f->details[i].key, key))
			return f->details[i].value;
	fail_msg("no %s", key);
	return 0;
}

/* The hardware's entry of DEV. */
STORY void root_is(struct story *s, uint32_t kind, uint64_t root, uint32_t levels, uint32_t flags)
{
	struct ev_root rec = { .dev = DEV, .domain = DOM, .root = root, .kind = kind,
			       .levels = levels, .format = WALK_VTD_SECOND, .flags = flags,
			       .entry_paddr = ENTRY, .raw = { root | 1 }, .did = DID };

	SEND(s, EV_ROOT, rec);
}

#endif
