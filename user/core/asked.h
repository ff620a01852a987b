/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Addresses to ask somebody else about who reads the same table (BOOK_IOVA_TO_PHYS). Where a reader goes wrong is at the
 * edges of what is mapped alike and beside them, at the edges of the table, and in the middle of large pages; the rest is
 * chance. The same table and seed give the same addresses.
 */
#ifndef IOMMUSCOPE_ASKED_H
#define IOMMUSCOPE_ASKED_H

#include "reading.h"

struct asked {
	uint64_t *iovas;	/* single bytes, rising, each once */
	size_t count;
};

/**
 * asked_choose() - Addresses of a table that was read
 * @r:	    its runs
 * @t:	    the table
 * @random: so many by chance: half of them in runs, each run as likely, the others anywhere, holes too
 * @seed:   of the chance
 * @out:    filled; asked_free()
 *
 * Of each run: its first and last byte, one in the middle, and the bytes beside it. Of more than 65536 runs each
 * second, third, ... only.
 *
 * Return: 0 or -ENOMEM.
 */
int asked_choose(const struct reading *r, const struct walk_table *t, size_t random, uint64_t seed,
		 struct asked *out);
void asked_free(struct asked *a);

/**
 * asked_answer() - What iommu_iova_to_phys() said, as areas of BOOK_IOVA_TO_PHYS
 * @r:	    has the runs of these addresses, and this book not yet
 * @iovas:  @count of them, rising
 * @paddrs: its answers; 0: nothing is there
 *
 * Where the table leads to physical address 0 the answer means nothing, and is left out.
 *
 * Return: 0, -ENOMEM, or -EINVAL: not rising.
 */
int asked_answer(struct reading *r, const uint64_t *iovas, const uint64_t *paddrs, size_t count);

#endif
