// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The slow checker: which caches there are, and which commands reach what. */
#include "reference_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- caches ---- */

void cache_gone(struct reference *r, struct dom *d, unsigned int c)
{
	unsigned int p;

	if (!d->caches[c].used)
		return;
	d->caches[c].used = false;
	for (p = 0; p < REFERENCE_PAGES; p++)
		d->pages[p].debts[c].open = false;
	exposures_drop(r, d, 0, NO_PAGE);
}

static bool is_caching(const struct reference *r, uint64_t iommu)
{
	unsigned int i;

	for (i = 0; i < r->niommus; i++)
		if (r->iommus[i].iommu == iommu)
			return r->iommus[i].caching;
	return false;
}

static void cache_user(struct reference *r, struct dom *d, struct dev *dev, struct cache like)
{
	unsigned int c, empty = CACHES;

	for (c = 0; c < CACHES; c++) {
		if (!d->caches[c].used)
			empty = c;
		else if (d->caches[c].of == like.of && d->caches[c].iommu == like.iommu &&
			 d->caches[c].id == like.id)
			break;
	}
	if (c == CACHES) {
		if (empty == CACHES)
			abort();
		c = empty;
		like.used = true;
		like.since = r->now;
		d->caches[c] = like;
	}
	d->caches[c].users |= 1ULL << dev->bit;
}

void do_tag(struct reference *r, const struct ev_tag *e, uint64_t iommu)
{
	struct dom *d = dom_of(r, e->domain);
	struct dev *dev = dev_of(r, e->dev);

	do_tag_given(r, d, dev, iommu, e->did);
	dev->iommu = iommu;
	dev->did = e->did;
	dev->scalable = e->scalable & EV_TAG_SCALABLE;
	if (e->driver_kind != EV_DRIVER_REF)
		dev->sid = e->sid;
	dev->kind = e->driver_kind;
	cache_user(r, d, dev, (struct cache){ .of = OF_IOTLB, .iommu = iommu, .id = e->did,
					      .caching = is_caching(r, iommu) });
	if (e->ats)
		cache_user(r, d, dev, (struct cache){ .of = OF_DEVTLB, .iommu = iommu,
						      .id = e->sid });
}

/* One without devices is gone. */
static void cache_leave(struct reference *r, struct dom *d, unsigned int c, struct dev *dev,
			uint64_t begin)
{
	struct cache *k = &d->caches[c];

	if (!k->used || !(k->users >> dev->bit & 1))
		return;
	k->users &= ~(1ULL << dev->bit);
	if (k->users)
		return;
	if (k->of == OF_IOTLB)
		ghost_add(r, d, k, begin);
	cache_gone(r, d, c);
}

/* The device leaves the caches of all domains but @to. */
void caches_leave(struct reference *r, struct dev *dev, const struct dom *to, uint64_t begin)
{
	unsigned int i, c;

	for (i = 0; i < r->ndoms; i++)
		for (c = 0; c < CACHES && r->doms[i] != to && !r->doms[i]->dead; c++)
			cache_leave(r, r->doms[i], c, dev, begin);
}

/* refiommu says the end of a tag, too. */
void do_untag(struct reference *r, const struct ev_ref_tag *e)
{
	struct dom *d = dom_of(r, e->domain);
	struct dev *dev = dev_of(r, e->dev);
	unsigned int c;

	for (c = 0; c < CACHES; c++)
		if (d->caches[c].iommu == e->instance + 1ULL && d->caches[c].id == e->did)
			cache_leave(r, d, c, dev, left_at(r, dev));
}

bool flush_hits(const struct flushed *f, const struct cache *c)
{
	return c->used && f->of == c->of && f->iommu == c->iommu && (f->any || f->id == c->id);
}

/* ---- commands ---- */

static void do_flush(struct reference *r, const struct flushed *f)
{
	if (r->nflushes == r->flushes_room) {
		r->flushes_room = r->flushes_room * 2 + 256;
		r->flushes = realloc(r->flushes, r->flushes_room * sizeof(*f));
		if (!r->flushes)
			abort();
	}
	r->flushes[r->nflushes++] = *f;
	pay(r, f);
}

/* Blocks whose size is told by the lowest zero bit from bit 12 on. */
static void block(struct flushed *f, uint64_t addr, bool sized)
{
	uint64_t bit = 12, bytes;

	while (sized && bit < 63 && addr >> bit & 1)
		bit++;
	if (sized && bit >= 62) {
		f->whole = true;
		return;
	}
	bytes = sized ? 1ULL << (bit + 1) : PAGE;
	f->first = addr / bytes * (bytes / PAGE);
	f->last = f->first + bytes / PAGE - 1;
}

/* VT-d 6.5.2.1 and 6.5.2.2: granularity in bits 4 and 5. */
static void do_qi_entry(struct reference *r, const struct ev_qi *e, bool pasid)
{
	static const uint32_t masks[] = { 0, 4, 6, 7 };
	uint32_t grain = e->qw0 >> 4 & 3;
	struct entry_flush f = {
		.iommu = e->iommu, .begin = e->begin_ns, .end = e->h.time_ns,
		.of = pasid ? OF_PASID : OF_CONTEXT, .did = e->qw0 >> 16 & 0xffff,
	};

	if (pasid) {
		f.grain = grain == 3 ? ALL_OF_IT : grain == 0 ? OF_DID : OF_ONE;
		f.pasid = e->qw0 >> 32 & 0xfffff;
	} else {
		f.grain = grain == 1 ? ALL_OF_IT : grain == 2 ? OF_DID : OF_ONE;
		f.sid = e->qw0 >> 32 & 0xffff;
		f.mask = masks[e->qw0 >> 48 & 3];
	}
	do_entry_flush(r, &f);
}

/* VT-d 6.5.2.3: granularity in bits 4 and 5, domain id in 16 to 31, mask and leaf hint in qw1. */
static void do_qi_iotlb(struct reference *r, const struct ev_qi *e, bool pasid)
{
	uint64_t lg2 = e->qw1 & 0x3f, at = e->qw1 / PAGE;
	uint32_t grain = e->qw0 >> 4 & 3;
	struct flushed f = {
		.iommu = e->iommu, .begin = e->begin_ns, .end = e->h.time_ns, .of = OF_IOTLB,
		.id = e->qw0 >> 16 & 0xffff, .any = !pasid && grain == 1,
		.whole = grain != 3 || lg2 >= 52,
	};

	if (!f.whole) {
		f.leaves = e->qw1 >> 6 & 1;
		f.first = at >> lg2 << lg2;
		f.last = f.first + (1ULL << lg2) - 1;
	}
	do_flush(r, &f);
}

void do_qi(struct reference *r, const struct ev_qi *e)
{
	struct flushed f = {
		.iommu = e->iommu, .begin = e->begin_ns, .end = e->h.time_ns, .of = OF_DEVTLB,
		.id = e->qw0 >> 32 & 0xffff,
	};

	switch (e->qw0 & 0xf) {
	case 1: do_qi_entry(r, e, false); break;
	case 7: do_qi_entry(r, e, true); break;
	case 2: do_qi_iotlb(r, e, false); break;
	case 6: do_qi_iotlb(r, e, true); break;
	case 3:
		block(&f, e->qw1 & ~0xfffULL, e->qw1 & 1);
		do_flush(r, &f);
		break;
	}
}

/* AMD 2.4: complete with the next completion wait. Entries count from their command on. */
void do_amd(struct reference *r, const struct ev_amd *e)
{
	struct flushed f = { .iommu = e->iommu, .begin = e->begin_ns, .of = OF_IOTLB,
			     .id = e->qw0 >> 32 & 0xffff };

	switch (e->qw0 >> 60) {
	case 2:
		do_entry_flush(r, &(struct entry_flush){
			.iommu = e->iommu, .begin = e->begin_ns, .end = e->h.time_ns,
			.of = OF_DTE, .grain = OF_ONE, .sid = e->qw0 & 0xffff });
		return;
	case 3:
		f.leaves = !(e->qw1 & 2);
		block(&f, e->qw1 & ~0xfffULL, e->qw1 & 1);
		break;
	case 8:
		f.any = f.whole = true;
		break;
	default:
		return;
	}
	/* Kept back until do_amd_wait(). */
	if (r->nflushes == r->flushes_room) {
		r->flushes_room = r->flushes_room * 2 + 256;
		r->flushes = realloc(r->flushes, r->flushes_room * sizeof(f));
		if (!r->flushes)
			abort();
	}
	r->flushes[r->nflushes++] = f;
	if (f.any)
		do_entry_flush(r, &(struct entry_flush){
			.iommu = e->iommu, .begin = e->begin_ns, .end = e->h.time_ns,
			.of = OF_DTE, .grain = ALL_OF_IT });
}

void do_amd_wait(struct reference *r, const struct ev_amd *e)
{
	size_t i;

	for (i = r->nflushes; i-- > 0 && !r->flushes[i].end;)
		;
	for (i++; i < r->nflushes; i++) {
		if (r->flushes[i].iommu != e->iommu)
			continue;
		r->flushes[i].end = e->h.time_ns;
		pay(r, &r->flushes[i]);
	}
}

void do_ref_flush(struct reference *r, const struct ev_ref_flush *e)
{
	struct flushed f = {
		.iommu = e->instance + 1ULL, .begin = e->begin_ns, .end = e->h.time_ns,
		.of = OF_IOTLB, .id = e->did, .whole = e->kind == EV_REF_FLUSH_DOMAIN,
	};

	if (e->kind == EV_REF_FLUSH_CONTEXT) {
		do_entry_flush(r, &(struct entry_flush){
			.iommu = e->instance + 1ULL, .begin = e->begin_ns,
			.end = e->h.time_ns, .of = OF_REF, .grain = OF_ONE, .dev = e->dev });
		return;
	}
	f.first = e->first / PAGE;
	f.last = e->last / PAGE;
	do_flush(r, &f);
}
