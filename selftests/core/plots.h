/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Stories in two halves: a loss between them must spoil the finding. */
#ifndef IOMMUSCOPE_TEST_PLOTS_H
#define IOMMUSCOPE_TEST_PLOTS_H

#include "story.h"

/* Each makes its finding if nothing is lost between its two halves. */
struct plot {
	const char *finding;
	void (*first)(struct story *s);
	void (*second)(struct story *s);
};

STORY void map_page(struct story *s)
{
	map(s, 0x2000, PAGE);
}

STORY void unmap_none(struct story *s)
{
	unmap_got(s, 0x2000, PAGE, 0);
}

STORY void owe(struct story *s)
{
	tag(s, DOM, DEV);
	map(s, 0x2000, PAGE);
	unmap_fast(s, 0x2000, PAGE);
}

STORY void dma_in(struct story *s)
{
	dma(s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
}

STORY void driver_gone(struct story *s)
{
	unbind(s, DEV);
}

/* A device that came while we listened, as its first driver lets go of it. */
STORY void driver_of_new_gone(struct story *s)
{
	describe_device(s, DEV, EV_DRIVER_VTD);
	unbind(s, DEV);
}

STORY void dma_in_a_domain(struct story *s)
{
	describe_domain(s, DOM, DOMAIN_PAGING);
	attach(s, DEV, DOM);
	dma_in(s);
}

/* With what it made in the domain, which the unmap leaves. */
STORY void dma_in_with_its_range(struct story *s)
{
	describe_domain(s, DOM, DOMAIN_PAGING);
	attach(s, DEV, DOM);
	s->next.cause = 61;
	map(s, 0x2000, PAGE);
	s->next.id = 61;
	dma(s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 0);
}

STORY void dma_out_short(struct story *s)
{
	dma(s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 0);
}

STORY void dma_out_wrong(struct story *s)
{
	dma(s, EV_DMA_UNMAP, 0x2000, 513, EV_DMA_PAGE, 1);
}

STORY void dma_out_once(struct story *s)
{
	dma_in_a_domain(s);
	dma(s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
}

STORY void dma_out(struct story *s)
{
	dma(s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
}

STORY void move_in(struct story *s)
{
	attach(s, DEV, DOM);
}

STORY void end_domain(struct story *s)
{
	free_domain(s, DOM);
}

STORY void slot_in(struct story *s)
{
	s->next.cause = 51;
	map(s, 0x2000, PAGE);
	s->next.id = 51;
	vfio(s, EV_VFIO_MAP, 0x2000, PAGE, 3);
}

STORY void slot_out(struct story *s)
{
	s->next.id = 52;
	vfio(s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
}

static const struct plot plots[] = {
	{ "map-overlap", map_page, map_page },
	{ "unmap-short", map_page, unmap_none },
	{ "unmap-short", slot_in, slot_out },
	{ "unmap-short", dma_in_with_its_range, dma_out_short },
	{ "stale-iotlb", owe, map_page },
	{ "leak-on-free", dma_in, driver_gone },
	{ "leak-on-free", move_in, end_domain },
	{ "dma-unmap-mismatch", dma_in_a_domain, dma_out_wrong },
	{ "dma-unmap-mismatch", dma_out_once, dma_out },
	{ "dma-unmap-mismatch", driver_of_new_gone, dma_out },
};

#define NPLOTS (sizeof(plots) / sizeof(plots[0]))

#endif
