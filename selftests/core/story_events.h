/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The records of a story: each call is one record, each takes 10 ns, and 10 ns lie between two.
 * `s->next` changes the next record only.
 */
#ifndef IOMMUSCOPE_TEST_STORY_EVENTS_H
#define IOMMUSCOPE_TEST_STORY_EVENTS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/model.h"
#include "core/report.h"
#include "bpf/event.h"

#define STORY __attribute__((unused)) static

/* The cast. */
#define DOM	0xd000ULL
#define DOM2	0xd200ULL
#define DEV	0xe000ULL
#define DEV2	0xe200ULL
#define MMU	0x1100ULL
#define BOX	0xc000ULL	/* a VFIO container */
#define DID	7
#define SID	0x0100

#define PAGE	0x1000ULL
#define TOP	UINT64_MAX

struct next {
	uint64_t begin, end;	/* 0: the story's clock */
	uint64_t cause, id;
	uint16_t flags, cpu;
	uint32_t tgid;
	int32_t ret;
	bool nobegin;
};

struct story {
	struct engine *e;
	uint64_t now;
	uint64_t seq;
	uint64_t begin, end;	/* of the last record */
	int ret;		/* of the last engine_feed() */
	struct next next;
};

STORY void send(struct story *s, uint16_t type, void *rec, size_t len)
{
	struct ev_hdr *h = rec;

	h->type = type;
	h->len = len;
	h->cpu = s->next.cpu;
	h->flags = s->next.flags;
	h->seq = s->seq++;
	s->begin = s->next.begin ?: s->now;
	s->end = s->next.end ?: s->begin + 10;
	h->time_ns = s->end;
	if (s->end >= s->now)
		s->now = s->end + 10;
	s->ret = engine_feed(s->e, rec, len);
	memset(&s->next, 0, sizeof(s->next));
}

STORY void op_fill(struct story *s, struct ev_op *op)
{
	op->begin_ns = s->next.begin ?: s->now;
	if (s->next.nobegin)
		op->begin_ns = 0;
	op->id = s->next.id;
	op->cause = s->next.cause;
	op->outer = s->next.cause;
	op->pid = 100;
	op->tgid = s->next.tgid ?: 100;
}

#define SEND(s, type, rec) send(s, type, &(rec), sizeof(rec))

STORY void mark(struct story *s, uint32_t kind, uint64_t value)
{
	struct ev_mark r = { .kind = kind, .value = value };

	SEND(s, EV_MARK, r);
}

STORY void hook(struct story *s, uint32_t number, uint32_t state)
{
	struct ev_hook r = { .hook = number, .state = state };

	SEND(s, EV_HOOK, r);
}

STORY void alloc_domain(struct story *s, uint64_t domain)
{
	struct ev_domain_op r = { .domain = domain, .type = DOMAIN_PAGING };

	op_fill(s, &r.op);
	SEND(s, EV_ALLOC, r);
}

STORY void free_typed(struct story *s, uint64_t domain, uint32_t type)
{
	struct ev_domain_op r = { .domain = domain, .type = type };

	op_fill(s, &r.op);
	SEND(s, EV_FREE, r);
}

STORY void free_domain(struct story *s, uint64_t domain)
{
	free_typed(s, domain, DOMAIN_PAGING);
}

STORY void describe_domain(struct story *s, uint64_t domain, uint32_t type)
{
	struct ev_domain r = { .domain = domain, .type = type, .pgsize_bitmap = 0x40201000,
			       .aperture_end = TOP };

	SEND(s, EV_DOMAIN, r);
}

STORY void describe_device(struct story *s, uint64_t dev, uint32_t kind)
{
	struct ev_device r = { .dev = dev, .driver_kind = kind, .sid = SID,
			       .name = "0000:00:02.0", .driver = "nvme" };

	SEND(s, EV_DEVICE, r);
}

STORY void attach(struct story *s, uint64_t dev, uint64_t domain)
{
	struct ev_attach r = { .dev = dev, .domain = domain, .pasid = EV_TAG_NO_PASID,
			       .ret = s->next.ret };

	op_fill(s, &r.op);
	SEND(s, EV_ATTACH, r);
}

/* DEV leaves its IOMMU. */
STORY void leave(struct story *s)
{
	struct ev_attach r = { .dev = DEV, .pasid = EV_TAG_NO_PASID, .hook = HOOK_RELEASE };

	op_fill(s, &r.op);
	SEND(s, EV_ATTACH, r);
}

struct tagged {
	uint32_t kind, did, pasid, sid, ats;
};

STORY void tag_as(struct story *s, uint64_t domain, uint64_t dev, struct tagged t)
{
	struct ev_tag r = { .domain = domain, .dev = dev, .iommu = MMU, .driver_kind = t.kind,
			    .did = t.did, .pasid = t.pasid, .sid = t.sid, .ats = t.ats };

	SEND(s, EV_TAG, r);
}

STORY void tag(struct story *s, uint64_t domain, uint64_t dev)
{
	tag_as(s, domain, dev, (struct tagged){ EV_DRIVER_VTD, DID, EV_TAG_NO_PASID, SID, 0 });
}

STORY void iommu(struct story *s, uint32_t flags)
{
	struct ev_iommu r = { .iommu = MMU, .driver_kind = EV_DRIVER_VTD, .flags = flags,
			      .name = "dmar0" };

	SEND(s, EV_IOMMU, r);
}

/* What a map call is heard as tells whether it has flushed when it returns. */
STORY void maps_heard_as(struct story *s, const char *function)
{
	struct ev_hook r = { .hook = HOOK_MAP, .state = EV_HOOK_HEARD };

	snprintf(r.function, sizeof(r.function), "%s", function);
	SEND(s, EV_HOOK, r);
}

/* The state is read: DEV is in @domain. */
STORY void state_read(struct story *s, uint64_t dev, uint64_t domain)
{
	s->next.flags = EVF_STATE;
	describe_domain(s, domain, DOMAIN_PAGING);
	s->next.flags = EVF_STATE;
	tag(s, domain, dev);
	s->next.flags = EVF_STATE;
	attach(s, dev, domain);
}

STORY void map_prot(struct story *s, uint64_t domain, uint64_t iova, uint64_t size, uint32_t prot)
{
	struct ev_map r = { .domain = domain, .iova = iova, .size = size,
			    .paddr = 0x100000000ULL + iova, .prot = prot, .ret = s->next.ret };

	op_fill(s, &r.op);
	SEND(s, EV_MAP, r);
}

STORY void map(struct story *s, uint64_t iova, uint64_t size)
{
	map_prot(s, DOM, iova, size, 3);
}

STORY void unmap_got(struct story *s, uint64_t iova, uint64_t size, uint64_t done)
{
	struct ev_unmap r = { .domain = DOM, .iova = iova, .size = size, .done = done };

	op_fill(s, &r.op);
	SEND(s, EV_UNMAP, r);
}

STORY void unmap(struct story *s, uint64_t iova, uint64_t size)
{
	unmap_got(s, iova, size, size);
}

STORY void unmap_fast(struct story *s, uint64_t iova, uint64_t size)
{
	s->next.flags |= EVF_FAST;
	unmap(s, iova, size);
}

/* A block of memory goes back to the allocator. */
STORY void page_free(struct story *s, uint64_t paddr, uint64_t bytes)
{
	struct ev_page_free r = { .paddr = paddr, .bytes = bytes, .pid = 100 };

	SEND(s, EV_PAGE_FREE, r);
}

struct freed {
	uint64_t first, last;
	uint64_t call_first, call_last;
	uint64_t unlinked, call_begin;
	uint32_t what;
};

STORY void table(struct story *s, struct freed t)
{
	struct ev_table r = { .domain = DOM, .first = t.first, .last = t.last, .paddr = 0x5000,
			      .unlinked_ns = t.unlinked, .call_first = t.call_first,
			      .call_last = t.call_last, .call_begin_ns = t.call_begin,
			      .what = t.what, .count = 1 };

	op_fill(s, &r.op);
	SEND(s, EV_TABLE, r);
}

STORY void vfio(struct story *s, uint16_t type, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct ev_vfio r = { .container = BOX, .iova = iova, .size = size, .done = size,
			     .vfio_flags = flags, .ret = s->next.ret };

	op_fill(s, &r.op);
	SEND(s, type, r);
}

/* A VFIO map, @id, and what it made. */
STORY void slot(struct story *s, uint64_t iova, uint64_t size, uint64_t id)
{
	s->next.cause = id;
	map(s, iova, size);
	s->next.id = id;
	vfio(s, EV_VFIO_MAP, iova, size, 3);
}

STORY void dma(struct story *s, uint16_t type, uint64_t addr, uint64_t size, uint32_t kind,
	       uint32_t dir)
{
	struct ev_dma r = { .dev = DEV, .addr = addr, .size = size, .kind = kind, .dir = dir,
			    .ptr = kind == EV_DMA_COHERENT ? 0xffff888000001000 : 0,
			    .nents = kind == EV_DMA_SG ? 4 : 0,
			    .mapped = kind == EV_DMA_SG ? 4 : 0 };

	op_fill(s, &r.op);
	SEND(s, type, r);
}

STORY void unbind(struct story *s, uint64_t dev)
{
	struct ev_unbind r = { .dev = dev, .driver = "nvme" };

	SEND(s, EV_UNBIND, r);
}

STORY void qi(struct story *s, uint64_t qw0, uint64_t qw1)
{
	struct ev_qi r = { .begin_ns = s->next.begin ?: s->now, .iommu = MMU, .qw0 = qw0,
			   .qw1 = qw1, .count = 1, .ret = s->next.ret };

	if (s->next.nobegin)
		r.begin_ns = 0;
	SEND(s, EV_QI, r);
}

/* VT-d descriptors. */
#define QI_CONTEXT(sid)		(0x31ULL | (uint64_t)(sid) << 32)
#define QI_PASID_CACHE(did, p)	(0x17ULL | (uint64_t)(did) << 16 | (uint64_t)(p) << 32)
#define QI_GLOBAL		0x12ULL
#define QI_DOMAIN(did)		(0x22ULL | (uint64_t)(did) << 16)
#define QI_PAGES(did)		(0x32ULL | (uint64_t)(did) << 16)
#define QI_PASID_ALL(did, p)	(0x26ULL | (uint64_t)(did) << 16 | (uint64_t)(p) << 32)
#define QI_PASID_PAGES(did, p)	(0x36ULL | (uint64_t)(did) << 16 | (uint64_t)(p) << 32)
#define QI_DEVTLB(sid)		(0x3ULL | (uint64_t)(sid) << 32)
#define QI_PASID_DEVTLB(sid, p)	(0x8ULL | (uint64_t)(sid) << 16 | (uint64_t)(p) << 32)

/* What ran from @begin until now was an attach of @dev to @domain. */
STORY void attach_since(struct story *s, uint64_t begin, uint64_t dev, uint64_t domain)
{
	s->next.begin = begin;
	s->next.end = s->now;
	attach(s, dev, domain);
}

/* A switch as it has to be: the entry is forgotten, then all of the domain id. */
STORY void move(struct story *s, uint64_t dev, uint64_t domain)
{
	uint64_t begin = s->now;

	qi(s, QI_CONTEXT(SID), 0);
	qi(s, QI_DOMAIN(DID), 0);
	attach_since(s, begin, dev, domain);
}

STORY void flush_pages(struct story *s, uint64_t iova, unsigned int lg2_pages)
{
	qi(s, QI_PAGES(DID), iova | lg2_pages);
}

STORY void amd(struct story *s, uint16_t type, uint64_t qw0, uint64_t qw1)
{
	struct ev_amd r = { .begin_ns = s->next.begin ?: s->now, .iommu = MMU, .qw0 = qw0,
			    .qw1 = qw1, .ret = s->next.ret };

	SEND(s, type, r);
}

/* The module refiommu: its instances are numbers. */
#define REF_NR 0

STORY void ref_tag(struct story *s, uint64_t domain, uint64_t dev, uint32_t assigned)
{
	struct ev_ref_tag r = { .domain = domain, .dev = dev, .instance = REF_NR, .did = DID,
				.assigned = assigned };

	SEND(s, EV_REF_TAG, r);
}

STORY void ref_flush(struct story *s, uint32_t kind, uint32_t did, uint64_t first, uint64_t last)
{
	struct ev_ref_flush r = { .begin_ns = s->next.begin ?: s->now, .domain = DOM,
				  .first = first, .last = last, .instance = REF_NR, .did = did,
				  .kind = kind };

	SEND(s, EV_REF_FLUSH, r);
}

STORY void ref_context(struct story *s, uint64_t dev)
{
	struct ev_ref_flush r = { .begin_ns = s->next.begin ?: s->now, .dev = dev, .last = TOP,
				  .instance = REF_NR, .kind = EV_REF_FLUSH_CONTEXT };

	SEND(s, EV_REF_FLUSH, r);
}

/* A switch as refiommu does it, from DOM. */
STORY void ref_move(struct story *s, uint64_t dev, uint64_t domain)
{
	uint64_t begin = s->now;

	ref_context(s, dev);
	ref_flush(s, EV_REF_FLUSH_DOMAIN, DID, 0, TOP);
	ref_tag(s, DOM, dev, 0);
	attach_since(s, begin, dev, domain);
}

STORY void ref_intent(struct story *s, uint32_t kind, uint64_t first, uint64_t last, uint32_t prot)
{
	struct ev_ref_intent r = { .first = first, .last = last, .kind = kind, .ioas = 1,
				   .prot = prot, .ret = s->next.ret };

	op_fill(s, &r.op);
	SEND(s, EV_REF_INTENT, r);
}

STORY void ref_replay(struct story *s, uint32_t step, uint64_t first, uint64_t last)
{
	struct ev_ref_replay r = { .domain = DOM, .first = first, .last = last, .ioas = 1,
				   .step = step, .action = step == EV_REPLAY_ENTRY ? 2 : 0 };

	op_fill(s, &r.op);
	SEND(s, EV_REF_REPLAY, r);
}

STORY void skipped(struct story *s, uint32_t number, uint64_t object, uint64_t iova, uint64_t size,
		  uint64_t begin)
{
	struct ev_skip r = { .begin_ns = begin, .object = object, .iova = iova, .size = size,
			     .hook = number };

	SEND(s, EV_SKIP, r);
}

STORY void missed(struct story *s, uint32_t number, uint32_t entry, uint64_t delta, uint64_t from)
{
	struct ev_missed r = { .from_ns = from, .hook = number, .entry = entry, .delta = delta };

	SEND(s, EV_MISSED, r);
}

STORY void gap(struct story *s, uint64_t from, uint64_t to)
{
	struct gap g = { .from_ns = from, .to_ns = to, .lost = 1 };

	assert_int_equal(engine_gap(s->e, &g), 0);
}

#endif
