/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One record, decoded: what the rest of the core works on.
 *
 * Invariants
 * - Nothing of the body is read before the record's length was checked.
 * - A range is [iova, last], inclusive; a range of no bytes has @empty set and
 *   its iova and last mean nothing. The last byte of the 64-bit space is legal.
 * - @begin 0 means unknown: the operation may overlap anything earlier.
 */
#ifndef IOMMUSCOPE_WIRE_H
#define IOMMUSCOPE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/event.h"

/* Flags of the VFIO ioctls that the core needs (include/uapi/linux/vfio.h). */
#define VFIO_SET_IOMMU		0x3b66	/* struct ev_vfio.cmd */
#define VFIO_UNMAP_DIRTY	0x1
#define VFIO_UNMAP_ALL		0x2
#define VFIO_UNMAP_VADDR	0x4
#define VFIO_MAP_READ		0x1
#define VFIO_MAP_WRITE		0x2
#define VFIO_MAP_VADDR		0x4

/* enum dma_data_direction, include/linux/dma-direction.h */
#define DMA_BIDIRECTIONAL	0
#define DMA_TO_DEVICE		1
#define DMA_FROM_DEVICE		2

/* iommu_domain.type: bits of include/linux/iommu.h; none of them: IOMMU_DOMAIN_BLOCKED */
#define DOMAIN_BLOCKED	0
#define DOMAIN_PAGING	0x1
#define DOMAIN_DMA_API	0x2
#define DOMAIN_PT	0x4
#define DOMAIN_DMA_FQ	0x8
#define DOMAIN_SVA	0x10
#define DOMAIN_NESTED	0x40

/* The body, as the wire has it; op->kind says which member is valid. */
union op_body {
	struct ev_hdr hdr;
	struct ev_op op;
	struct ev_task task;
	struct ev_device device;
	struct ev_domain domain;
	struct ev_tag tag;
	struct ev_unbind unbind;
	struct ev_module module;
	struct ev_hook hook;
	struct ev_missed missed;
	struct ev_skip skip;
	struct ev_mark mark;
	struct ev_stream_end stream_end;
	struct ev_domain_op domain_op;
	struct ev_attach attach;
	struct ev_map map;
	struct ev_unmap unmap;
	struct ev_vfio vfio;
	struct ev_dma dma;
	struct ev_qi qi;
	struct ev_amd amd;
	struct ev_iommu iommu;
	struct ev_resv resv;
	struct ev_symbol symbol;
	struct ev_alias alias;
	struct ev_table table;
	struct ev_page_free page_free;
	struct ev_stack stack;
	struct ev_area area;
	struct ev_read read;
	struct ev_run run;
	struct ev_book book;
	struct ev_span span;
	struct ev_root root;
	struct ev_task_stack task_stack;
	struct ev_sg_limit sg_limit;
	struct ev_ref_tag ref_tag;
	struct ev_ref_intent ref_intent;
	struct ev_ref_replay ref_replay;
	struct ev_ref_flush ref_flush;
	struct ev_fault fault;
	struct ev_ref_dma ref_dma;
};

/**
 * struct op - One decoded record
 * @kind:  enum ev_type
 * @cpu:   CPU that made it, or EV_CPU_USER
 * @flags: EVF_*
 * @empty: the range has no bytes
 * @seq:   number of the record on its CPU
 * @begin: when the operation began, ns; 0 unknown
 * @end:   when the record was made, ns
 * @id:    of an intent or of the pieces of one scatterlist, else 0
 * @cause: innermost intent around it, or 0
 * @outer: outermost intent around it, or 0
 * @pid:   thread
 * @tgid:  process
 * @iova:  first byte asked
 * @last:  last byte asked
 * @u:     the body
 */
struct op {
	uint16_t kind;
	uint16_t cpu;
	uint16_t flags;
	bool empty;
	uint64_t seq;
	uint64_t begin;
	uint64_t end;
	uint64_t id;
	uint64_t cause;
	uint64_t outer;
	uint32_t pid;
	uint32_t tgid;
	uint64_t iova;
	uint64_t last;
	union op_body u;
};

/**
 * domain_op_static() - Is EV_ALLOC or EV_FREE @op about a domain that does not translate?
 *
 * Identity and blocked domains are singletons of their driver: the kernel goes through the
 * motions of allocating and freeing them, and they stay.
 */
static inline bool domain_op_static(const struct op *op)
{
	return !(op->u.domain_op.type & DOMAIN_PAGING);
}

/**
 * vfio_unread() - Return: what VFIO map or unmap @op was asked is not known
 *
 * A program cannot wait for a page of the caller's that is not there (not faulted in yet, or taken
 * away for a moment by NUMA balancing), and reads zeroes; the kernel then reads it and does as
 * asked. No call that names no bytes succeeds (vfio_dma_do_map(), vfio_dma_do_unmap(), 6.1 to 7.2).
 */
static inline bool vfio_unread(const struct op *op)
{
	return (op->kind == EV_VFIO_MAP || op->kind == EV_VFIO_UNMAP) && op->empty &&
	       !op->u.vfio.ret;
}

/**
 * wire_next() - Decode one record
 * @buf: input, any alignment, untrusted
 * @len: bytes available at @buf
 * @op:  filled on success, untouched otherwise
 *
 * Pure: no I/O, no allocation. An unmap of everything becomes [0, UINT64_MAX].
 *
 * Return: bytes consumed (> 0); 0 if @buf ends inside a record; -EBADMSG if the
 * record is malformed; -EOVERFLOW if iova + size - 1 wraps.
 */
ssize_t wire_next(const void *buf, size_t len, struct op *op);

/**
 * wire_len() - Least length of a record of @type
 * @type: enum ev_type, untrusted
 *
 * Return: bytes, or 0 if no such type exists.
 */
size_t wire_len(unsigned int type);

/**
 * wire_range() - Turn (iova, size) into [iova, last]
 * @iova: first byte
 * @size: bytes, not 0
 * @last: set on success
 *
 * Return: 0 or -EOVERFLOW.
 */
int wire_range(uint64_t iova, uint64_t size, uint64_t *last);

#endif
