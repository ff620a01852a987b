/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The DMA API's book of one device: its live mappings by address, and the last that were
 * unmapped. A part of the model: who reads it includes model.h.
 */
#ifndef IOMMUSCOPE_BOOK_H
#define IOMMUSCOPE_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "omap.h"
#include "wire.h"

struct device;
struct model;

#define DMA_LEAKED	0x1	/* its driver let go of the device: reported once */
#define DMA_REST	0x2	/* what an unmap with too small a size left */
#define DMA_UNSURE	0x4

/* A mapping of the DMA API. */
struct dma_entry {
	uint64_t addr;
	uint64_t size;
	uint64_t ptr;
	uint64_t id;
	uint64_t begin;
	uint64_t end;
	uint64_t seq;
	uint64_t caller;	/* return address in who mapped; 0 unknown */
	uint64_t paddr;		/* 0 unknown */
	struct device *dev;
	uint32_t attrs;		/* DMA_ATTR_* */
	uint32_t dir;
	uint32_t kind;		/* enum ev_dma_kind */
	uint32_t nents;
	uint32_t epoch;
	uint32_t pid;
	uint16_t cpu;
	uint16_t flags;		/* DMA_* */
	struct {
		uint64_t seq;
		uint64_t time_ns;
		uint64_t caller;
		uint32_t pid;
		uint16_t cpu;
	} cut;			/* DMA_REST: the unmap that left this */
	struct dma_entry *next;	/* at the same address, younger */
	struct dma_entry *tail;	/* of the oldest: the youngest */
};

#define DMA_TOMBS 1024

/* The DMA API's book of one device. Addresses may be shared (dma-direct). */
struct dma_book {
	struct omap live;	/* addr -> struct dma_entry chain, oldest first */
	uint64_t nlive;
	uint64_t bytes;
	struct dma_entry *tombs;	/* unmapped lately, by address; NULL until used */
	uint32_t sure_epoch;
	uint32_t known_epoch;	/* from here on everything was heard; 0 never */
};

/** dma_match() - Return: the entry that the unmap @op most likely means, or NULL. */
struct dma_entry *dma_match(const struct device *d, const struct op *op);

#define DMA_DIFF_KIND	0x1
#define DMA_DIFF_SIZE	0x2
#define DMA_DIFF_DIR	0x4
#define DMA_DIFF_NENTS	0x8
#define DMA_DIFF_CPU	0x10	/* CPU address of coherent memory */
#define DMA_DIFF_ATTRS	0x20

/** dma_differs() - Return: DMA_DIFF_*: how the unmap @op does not fit @e. */
unsigned int dma_differs(const struct dma_entry *e, const struct op *op);

/**
 * dma_translated() - Return: @d surely is in a paging domain, where an address belongs
 * to one mapping at a time.
 */
bool dma_translated(const struct model *m, const struct device *d);

/** dma_kind_name(), dma_dir_name() - Words for enum ev_dma_kind, enum dma_data_direction. */
const char *dma_kind_name(uint32_t kind);
const char *dma_dir_name(uint32_t dir);

/** dma_is_noop() - Return: @op frees a NULL address, which the DMA API allows and ignores. */
static inline bool dma_is_noop(const struct op *op)
{
	return op->u.dma.kind == EV_DMA_COHERENT && !op->u.dma.ptr;
}

/** dma_line() - Return: the mapping that a device may write and that begins in @paddr's line. */
const struct dma_entry *dma_line(const struct model *m, uint64_t paddr);

/** dma_tomb() - Return: the last entry that was unmapped at @addr, or NULL. */
const struct dma_entry *dma_tomb(const struct device *d, uint64_t addr);

#endif
