/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A table in a memory image, and what a walk of it told. */
#ifndef IOMMUSCOPE_TEST_WALK_FIX_H
#define IOMMUSCOPE_TEST_WALK_FIX_H

#include "image.h"

#define FIX __attribute__((unused)) static

struct fix {
	struct image m;
	struct walk_table t;	/* the test's to fill */
	struct told told;
};

FIX void fix_begin(struct fix *f)
{
	memset(f, 0, sizeof(*f));
	image_begin(&f->m);
}

/* VT-d's second stage, empty. */
FIX void begin_second(struct fix *f, uint32_t levels)
{
	fix_begin(f);
	f->t = walk_vtd_second(image_pages(&f->m, 1), levels);
}

FIX void map(struct fix *f, uint64_t iova, uint64_t paddr, uint32_t lg2)
{
	plant(&f->m, &f->t, iova, paddr, lg2, RW);
}

FIX void end(struct fix *f)
{
	told_free(&f->told);
	image_end(&f->m);
}

FIX void walk(struct fix *f, uint64_t first, uint64_t last)
{
	told_free(&f->told);
	told_walk(&f->told, &f->m, &f->t, first, last);
}

FIX void walk_all(struct fix *f)
{
	walk(f, 0, ~0ULL);
}

/* The same, as the slow reader has it; of circles and second ways that one knows nothing. */
FIX void walk_agrees(struct fix *f, uint64_t first, uint64_t last)
{
	walk(f, first, last);
	told_agrees(&f->told, &f->m, &f->t, first, last);
}

FIX int walk_max(struct fix *f, uint64_t tables_max)
{
	struct walk_memory mem = image_memory(&f->m);

	told_free(&f->told);
	return walk_range(&f->t, &mem, 0, ~0ULL, tables_max, told_add, &f->told, &f->told.count);
}

#endif
