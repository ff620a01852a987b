/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * iommu_map_sg(): walks the scatterlist as the kernel did and writes one EV_MAP per
 * physically contiguous piece, merged by the same rule (drivers/iommu/iommu.c).
 */
#ifndef IOMMUSCOPE_SG_BPF_H
#define IOMMUSCOPE_SG_BPF_H

#include "scope.bpf.h"
#include "frame.bpf.h"

#define SG_CHAIN 1UL
#define SG_END 2UL
#define SG_MAX 65536		/* entries that a walk may visit */

struct sg_map {
	struct call call;
	u64 domain;
	u64 iova;
	u64 sg;			/* next entry */
	u64 nents;
	s64 ret;		/* bytes mapped, or -errno */
	u32 prot;
	u32 told;		/* a record was written, @seq is the last one's */
	u64 left;		/* bytes still to tell */
	u64 paddr;		/* piece being merged */
	u64 size;
	u64 seq;
};

static __always_inline void emit_sg_piece(struct sg_map *m, s32 ret)
{
	struct ev_map *rec;
	struct emit e;

	rec = emit_op(&e, EV_MAP, sizeof(*rec), &m->call);
	if (!rec)
		return;
	rec->domain = m->domain;
	rec->iova = m->iova;
	rec->size = m->size;
	rec->paddr = m->paddr;
	rec->prot = m->prot;
	rec->ret = ret;
	emit_submit(&e, rec);
	m->seq = e.seq;
	m->told = 1;
	if (!ret && config.frames)
		frames_mapped(m->paddr, m->size);
}

#define SG_DMA_BUS_ADDRESS 1	/* peer-to-peer: the core does not map it */

static __always_inline bool sg_is_bus_address(struct scatterlist *sg)
{
	struct scatterlist___flags *flags = (void *)sg;

	return bpf_core_field_exists(flags->dma_flags) &&
	       BPF_CORE_READ(flags, dma_flags) & SG_DMA_BUS_ADDRESS;
}

static long sg_step(u32 i, struct sg_map *m)
{
	struct scatterlist *sg = (void *)m->sg;
	u64 link, paddr, len;

	if (i >= m->nents || !m->left)
		return 1;
	link = BPF_CORE_READ(sg, page_link);
	if (sg_is_bus_address(sg))
		goto next;
	len = BPF_CORE_READ(sg, length);
	paddr = page_phys(link & ~(SG_CHAIN | SG_END)) + BPF_CORE_READ(sg, offset);
	if (len > m->left)
		len = m->left;

	if (m->size && paddr != m->paddr + m->size) {
		emit_sg_piece(m, 0);
		m->iova += m->size;
		m->size = 0;
	}
	if (!m->size)
		m->paddr = paddr;
	m->size += len;
	m->left -= len;

next:
	if (link & SG_END) {
		m->nents = 0;
		return 0;
	}
	m->sg += bpf_core_type_size(struct scatterlist);
	sg = (void *)m->sg;
	link = BPF_CORE_READ(sg, page_link);
	if (link & SG_CHAIN)
		m->sg = link & ~(SG_CHAIN | SG_END);
	return 0;
}

/*
 * Zero, but the verifier does not know. 6.1 verifies a bpf_loop() body with the values
 * of the first turn only, and removes code that these cannot reach.
 */
static __always_inline u64 unknown_zero(u64 any)
{
	volatile u64 copy = any;

	return copy - any;
}

static __always_inline void emit_sg_map(struct sg_map *m)
{
	if (m->ret <= 0) {
		emit_sg_piece(m, m->ret);
		return;
	}
	m->left = m->ret + unknown_zero(m->ret);
	m->size = unknown_zero(m->ret);
	m->paddr = unknown_zero(m->ret);
	bpf_loop(SG_MAX, sg_step, m, 0);
	if (m->left)
		m->call.flags |= EVF_TRUNC;
	if (m->size)
		emit_sg_piece(m, 0);
}

#endif
