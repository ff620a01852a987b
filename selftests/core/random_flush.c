// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The random machine: how each kind of IOMMU is told to forget. VT-d 6.5.2, AMD-Vi 2.4. */
#include "random.h"

#define ADDRESSES_ALL 0x7ffffffffffff000ULL

enum flaw draw_flaw(struct world *w, uint64_t n)
{
	return chance(w, n) ? 1 + draw(w, FLAWS - 1) : FLAW_NONE;
}

static uint64_t flush_begins(struct world *w)
{
	uint64_t now = begins(w);

	return w->early ?: now;
}

static void send_qi(struct world *w, const struct owner *o, uint64_t qw0, uint64_t qw1)
{
	struct ev_qi r = { .begin_ns = flush_begins(w), .iommu = o->mmu->ptr, .qw0 = qw0, .qw1 = qw1,
			   .count = 1 };

	EMIT(w, EV_QI, r, 0);
}

static void send_amd(struct world *w, const struct owner *o, uint64_t qw0, uint64_t qw1)
{
	struct ev_amd r = { .begin_ns = flush_begins(w), .iommu = o->mmu->ptr, .qw0 = qw0, .qw1 = qw1 };

	EMIT(w, EV_AMD_CMD, r, 0);
}

void flush_wait(struct world *w, const struct owner *o)
{
	struct ev_amd r = { .begin_ns = begins(w), .iommu = o->mmu->ptr, .qw0 = 1ULL << 60 };

	if (o->mmu->kind == EV_DRIVER_AMD)
		EMIT(w, EV_AMD_WAIT, r, 0);
}

static void send_ref(struct world *w, const struct owner *o, struct ev_ref_flush r)
{
	r.begin_ns = flush_begins(w);
	r.instance = o->mmu->ptr - 1;
	EMIT(w, EV_REF_FLUSH, r, 0);
}

/* A block of 2^n pages is told by the zero that follows n - 1 ones. */
static uint64_t sized(uint64_t page, unsigned int lg2_pages)
{
	if (!lg2_pages)
		return page * PAGE;
	return page * PAGE | ((1ULL << (lg2_pages - 1)) - 1) * PAGE | 1;
}

/* ---- a range ---- */

static void flush_block(struct world *w, const struct owner *o, const struct place *p,
			uint32_t did, uint64_t page, unsigned int lg2_pages, bool leaves)
{
	uint64_t qw0 = o->mmu->scalable && chance(w, 2) ? QI_PASID_PAGES(did, 0) : QI_PAGES(did);

	switch (o->mmu->kind) {
	case EV_DRIVER_REF:
		send_ref(w, o, (struct ev_ref_flush){
			.domain = p->ptr, .did = did, .kind = EV_REF_FLUSH_RANGE,
			.first = page * PAGE, .last = (page + (1ULL << lg2_pages)) * PAGE - 1 });
		break;
	case EV_DRIVER_AMD:
		send_amd(w, o, 3ULL << 60 | (uint64_t)did << 32,
			 sized(page, lg2_pages) | (leaves ? 0 : 2));
		break;
	default:
		send_qi(w, o, qw0, page * PAGE | lg2_pages | (leaves ? 0x40 : 0));
	}
}

void flush_devtlb(struct world *w, const struct owner *o, const struct seat *s, uint64_t page,
		  unsigned int lg2_pages, bool whole)
{
	if (s->ats)
		send_qi(w, o, QI_DEVTLB(s->sid),
			whole ? ADDRESSES_ALL | 1 : sized(page, lg2_pages));
}

static void flush_one(struct world *w, const struct owner *o, const struct place *p,
		      uint64_t page, unsigned int lg2_pages, enum flaw flaw)
{
	uint32_t did = p->did + (flaw == FLAW_OTHER_DID ? 100 : 0);
	unsigned int i;

	flush_block(w, o, p, did, page, lg2_pages, flaw == FLAW_LEAVES);
	for (i = 0; i < SEATS && flaw != FLAW_NO_DEVTLB; i++)
		if (o->seats[i].at == p)
			flush_devtlb(w, o, &o->seats[i], page, lg2_pages, false);
}

/* In one block that covers it, or page by page; nobody is told of a domain without devices. */
void flush_range(struct world *w, const struct owner *o, const struct place *p, uint64_t page,
		 uint64_t pages, enum flaw flaw)
{
	uint64_t i, skip = flaw == FLAW_SHORT ? draw(w, pages) : ~0ULL;
	unsigned int lg2 = 0;

	if (flaw == FLAW_NO_FLUSH || !p->people)
		return;
	while ((page >> lg2) != ((page + pages - 1) >> lg2))
		lg2++;
	if (flaw != FLAW_SHORT && chance(w, 3))
		flush_one(w, o, p, page >> lg2 << lg2, lg2, flaw);
	else
		for (i = 0; i < pages; i++)
			if (i != skip)
				flush_one(w, o, p, page + i, 0, flaw);
	if (flaw != FLAW_LATE_WAIT)
		flush_wait(w, o);
}

/* ---- everything ---- */

void flush_whole(struct world *w, const struct owner *o, uint32_t did, bool everything)
{
	switch (o->mmu->kind) {
	case EV_DRIVER_REF:
		send_ref(w, o, (struct ev_ref_flush){ .did = did, .kind = EV_REF_FLUSH_DOMAIN,
						      .last = TOP });
		break;
	case EV_DRIVER_AMD:
		if (everything)
			send_amd(w, o, 8ULL << 60, 0);
		else
			send_amd(w, o, 3ULL << 60 | (uint64_t)did << 32, ADDRESSES_ALL | 3);
		flush_wait(w, o);
		break;
	default:
		if (everything)
			send_qi(w, o, QI_GLOBAL, 0);
		else if (o->mmu->scalable && chance(w, 2))
			send_qi(w, o, QI_PASID_ALL(did, 0), 0);
		else
			send_qi(w, o, QI_DOMAIN(did), 0);
	}
}

/* ---- entries ---- */

#define CONTEXTS_ALL		0x11ULL
#define CONTEXTS_OF(did)	(0x21ULL | (uint64_t)(did) << 16)
/* The two lowest bits of the function are ignored, of three: VT-d 6.5.2.1. */
#define CONTEXT_MASKED(sid)	(QI_CONTEXT((sid) ^ 4) | 1ULL << 48)
#define PASID_CACHE_ALL		0x37ULL
#define PASID_CACHE_OF(did)	(0x07ULL | (uint64_t)(did) << 16)

static void flush_context(struct world *w, const struct owner *o, uint32_t sid, uint32_t did)
{
	const uint64_t ways[] = { CONTEXTS_ALL, CONTEXTS_OF(did), CONTEXT_MASKED(sid) };

	send_qi(w, o, chance(w, 4) ? ways[draw(w, 3)] : QI_CONTEXT(sid), 0);
}

static void flush_pasid_cache(struct world *w, const struct owner *o, uint32_t did)
{
	const uint64_t ways[] = { PASID_CACHE_ALL, PASID_CACHE_OF(did) };

	send_qi(w, o, chance(w, 4) ? ways[draw(w, 2)] : QI_PASID_CACHE(did, 0), 0);
}

void flush_entry(struct world *w, const struct owner *o, const struct seat *s, uint32_t sid,
		 uint32_t did)
{
	if (o->mmu->kind == EV_DRIVER_REF)
		send_ref(w, o, (struct ev_ref_flush){ .dev = s->dev + (sid - s->sid),
						      .kind = EV_REF_FLUSH_CONTEXT, .last = TOP });
	else if (o->mmu->kind == EV_DRIVER_AMD)
		send_amd(w, o, 2ULL << 60 | sid, 0);
	else if (o->mmu->scalable)
		flush_pasid_cache(w, o, did);
	else
		flush_context(w, o, sid, did);
}
