// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The slow checker: stale-after-switch. A move owes, between its begin and its end, an invalidation
 * of the entry of the device and of each of its aliases; when the old domain's id has no user left,
 * then one of all of that id; with ATS, one of all of the device's TLB. The first that is missing is
 * told. refiommu owes that of the entry only, and no id may be given away unflushed.
 */
#include "reference_priv.h"

#include <stdlib.h>

#include "core/wire.h"

#define NO_DID 0xffffffff
#define RELEASE_NS 10000000000ULL

void do_entry_flush(struct reference *r, const struct entry_flush *f)
{
	if (r->nentry_flushes == r->entry_flushes_room) {
		r->entry_flushes_room = r->entry_flushes_room * 2 + 256;
		r->entry_flushes = realloc(r->entry_flushes, r->entry_flushes_room * sizeof(*f));
		if (!r->entry_flushes)
			abort();
	}
	r->entry_flushes[r->nentry_flushes++] = *f;
}

/* One change of a device's domain, as far as it is judged. */
struct move {
	const struct dev *dev;
	const struct dom *from;
	uint64_t begin, end;
	uint32_t did;		/* that it leaves; NO_DID unknown */
	bool shared;		/* others still use that id */
	bool devtlb;		/* it was told of what it leaves */
	bool release;		/* from the IOMMU: nobody asks for its own TLB */
};

/* ---- the entry ---- */

static bool entry_hit(const struct move *m, const struct entry_flush *f, uint32_t sid)
{
	enum entry_of of = m->dev->kind == EV_DRIVER_REF ? OF_REF :
			   m->dev->kind == EV_DRIVER_AMD ? OF_DTE :
			   m->dev->scalable ? OF_PASID : OF_CONTEXT;

	if (f->of != of || f->iommu != m->dev->iommu || f->begin < m->begin || f->end > m->end)
		return false;
	if (f->grain == ALL_OF_IT)
		return true;
	if (of == OF_REF)
		return f->dev == m->dev->ptr;
	if (of == OF_PASID)
		return (m->did == NO_DID || f->did == m->did) &&
		       (f->grain == OF_DID || !f->pasid);
	if (f->grain == OF_DID)
		return m->did == NO_DID || f->did == m->did;
	return (f->sid & ~f->mask) == (sid & ~f->mask);
}

/* Return: when the first invalidation of the entry began, or 0. */
static uint64_t entry_told(const struct reference *r, const struct move *m, uint32_t sid)
{
	size_t i;

	for (i = 0; i < r->nentry_flushes; i++)
		if (entry_hit(m, &r->entry_flushes[i], sid))
			return r->entry_flushes[i].begin;
	return 0;
}

/* ---- translations ---- */

/*
 * Was all of @id flushed by a command of the move that began at @since or later? AMD-Vi's wait may
 * be another CPU's: that it was sent is enough.
 */
static bool all_told(const struct reference *r, const struct move *m, enum cache_of of,
		     uint32_t id, uint64_t since)
{
	struct cache c = { .used = true, .of = of, .iommu = m->dev->iommu, .id = id };
	size_t i;

	for (i = r->nflushes; i-- > 0;) {
		const struct flushed *f = &r->flushes[i];

		if (f->end && f->end < m->begin)
			break;
		if (f->whole && f->begin >= since && f->end <= m->end && flush_hits(f, &c))
			return true;
	}
	return false;
}

static const char *entry_name(const struct dev *dev, bool alias)
{
	if (dev->kind == EV_DRIVER_AMD)
		return alias ? "device table entry of an alias" : "device table entry";
	if (dev->scalable)
		return "PASID cache";
	return alias ? "context cache of an alias" : "context cache";
}

/* Scalable mode has PASID tables of devices, not of source ids. */
static bool has_alias_entries(const struct dev *dev)
{
	return dev->kind != EV_DRIVER_REF && !dev->scalable;
}

/* Return: what is missing, or NULL; @entry: when the last of the entries was told. */
static const char *entries_missing(const struct reference *r, const struct move *m, uint64_t *entry,
				   uint64_t *cache)
{
	unsigned int i;
	uint64_t at;

	*cache = m->dev->kind == EV_DRIVER_REF ? 0 : m->dev->sid;
	*entry = entry_told(r, m, m->dev->sid);
	if (!*entry)
		return entry_name(m->dev, false);
	for (i = 0; i < m->dev->naliases && has_alias_entries(m->dev); i++) {
		at = entry_told(r, m, m->dev->aliases[i]);
		*cache = m->dev->aliases[i];
		if (!at)
			return entry_name(m->dev, true);
		if (at > *entry)
			*entry = at;
	}
	return NULL;
}

static const char *missing(const struct reference *r, const struct move *m, uint64_t *cache)
{
	const struct dev *dev = m->dev;
	uint64_t entry = 0;
	const char *what = entries_missing(r, m, &entry, cache);

	if (what || dev->kind == EV_DRIVER_REF)
		return what;
	*cache = m->did;
	if (m->did != NO_DID && !m->shared && !all_told(r, m, OF_IOTLB, m->did, entry))
		return all_told(r, m, OF_IOTLB, m->did, m->begin) ?
			       "IOTLB flushed before the entry, not after it" : "IOTLB";
	*cache = dev->sid;
	if (m->devtlb && dev->ats_off < m->begin &&
	    !all_told(r, m, OF_DEVTLB, dev->sid, entry))
		return "device TLB";
	return NULL;
}

static void judge(struct reference *r, const struct move *m)
{
	uint64_t cache;
	const char *what;
	struct verdict *v;

	/* Who was blocked had no entry; a device of no known IOMMU is not judged. */
	if (!m->from || !m->dev->iommu || !m->from->type)
		return;
	what = missing(r, m, &cache);
	if (!what)
		return;
	v = say(r, FINDING_STALE_AFTER_SWITCH, m->dev->ptr, NO_PAGE);
	v->what = what;
	v->cache = cache;
}

/* ---- moves ---- */

/* The id that @dev has in @d, and whether others use it as well. */
static uint32_t did_in(const struct dev *dev, const struct dom *d, bool *shared)
{
	unsigned int c;

	*shared = false;
	for (c = 0; d && c < CACHES; c++) {
		const struct cache *k = &d->caches[c];

		if (!k->used || k->of != OF_IOTLB || !(k->users >> dev->bit & 1))
			continue;
		*shared = k->users & ~(1ULL << dev->bit);
		return k->id;
	}
	return NO_DID;
}

static bool has_devtlb(const struct dev *dev, const struct dom *d)
{
	unsigned int c;

	for (c = 0; d && c < CACHES; c++)
		if (d->caches[c].used && d->caches[c].of == OF_DEVTLB &&
		    d->caches[c].users >> dev->bit & 1)
			return true;
	return false;
}

static void device_leaves(struct dev *dev, const struct ev_attach *e)
{
	dev->leaving = dev->where;
	dev->leave_begin = e->op.begin_ns;
	dev->leave_did = did_in(dev, dev->where, &dev->leave_shared);
}

/* 7.2 does not flush the TLB of a device that is going. */
static void soften(struct reference *r, const struct dev *dev, uint64_t now)
{
	size_t i;

	for (i = 0; i < r->found.count; i++) {
		struct verdict *v = &r->found.list[i];

		if (v->id == FINDING_STALE_AFTER_SWITCH && v->object == dev->ptr && v->what &&
		    v->what[0] == 'd' && v->cache == dev->sid && v->time_ns + RELEASE_NS > now &&
		    v->what[7] == 'T')	/* "device TLB" */
			v->grade = GRADE_NOTE;
	}
}

static void remember(struct dev *dev, struct dom *d)
{
	unsigned int i;

	for (i = 0; i < dev->nbeen; i++)
		if (dev->been[i] == d)
			return;
	if (dev->nbeen < sizeof(dev->been) / sizeof(dev->been[0]))
		dev->been[dev->nbeen++] = d;
}

void do_attach(struct reference *r, const struct ev_attach *e)
{
	struct dev *dev = dev_of(r, e->dev);
	struct dom *to = e->domain ? dom_of(r, e->domain) : NULL;
	struct move m = { .dev = dev, .from = dev->where, .begin = e->op.begin_ns,
			  .end = e->op.h.time_ns };

	if (e->hook == HOOK_RELEASE) {
		soften(r, dev, e->op.begin_ns);
		device_leaves(dev, e);
	} else if (to != dev->where) {
		m.did = did_in(dev, dev->where, &m.shared);
		m.devtlb = has_devtlb(dev, dev->where);
		judge(r, &m);
	}
	if (to && to != dev->where)
		judge_handback(r, dev, to);
	if (dev->where && dev->where != to)
		frees_beside(r, dev->where, e->op.begin_ns);
	caches_leave(r, dev, to, e->op.begin_ns);
	dev->where = to;
	dev->since = r->now;
	if (to) {
		to->inside = e->op.outer;
		remember(dev, to);
	}
}

/* Those who were leaving it when it is freed, or (NULL) began to long ago. */
void judge_leavers(struct reference *r, const struct dom *d)
{
	unsigned int i;

	for (i = 0; i < r->ndevs; i++) {
		struct dev *dev = &r->devs[i];
		struct move m = { .dev = dev, .from = dev->leaving, .begin = dev->leave_begin,
				  .end = r->now, .did = dev->leave_did,
				  .shared = dev->leave_shared, .release = true };

		if (!dev->leaving || (d ? dev->leaving != d :
				      r->now - dev->leave_begin <= RELEASE_NS))
			continue;
		judge(r, &m);
		dev->leaving = NULL;
	}
}

/* ---- domain ids ---- */

uint64_t left_at(const struct reference *r, const struct dev *dev)
{
	size_t i;

	for (i = r->nentry_flushes; i-- > 0;) {
		const struct entry_flush *f = &r->entry_flushes[i];

		if (f->of == OF_REF && f->dev == dev->ptr)
			return f->begin >= dev->since ? f->begin : r->now;
	}
	return r->now;
}

/* Is the id another domain's already? */
static bool id_in_use(const struct reference *r, const struct dom *but, const struct cache *c)
{
	unsigned int i, k;

	for (i = 0; i < r->ndoms; i++)
		for (k = 0; k < CACHES && r->doms[i] != but; k++)
			if (r->doms[i]->caches[k].used && r->doms[i]->caches[k].of == OF_IOTLB &&
			    r->doms[i]->caches[k].iommu == c->iommu &&
			    r->doms[i]->caches[k].id == c->id)
				return true;
	return false;
}

void ghost_add(struct reference *r, struct dom *d, const struct cache *c, uint64_t begin)
{
	if (id_in_use(r, d, c))
		return;
	if (r->nghosts == DOMAINS)
		abort();
	r->ghosts[r->nghosts++] = (struct ghost){ .open = true, .iommu = c->iommu, .did = c->id,
						  .left = begin, .d = d };
}

static bool flushed_since(const struct reference *r, const struct ghost *g)
{
	struct cache c = { .used = true, .of = OF_IOTLB, .iommu = g->iommu, .id = g->did };
	size_t i;

	for (i = r->nflushes; i-- > 0;) {
		const struct flushed *f = &r->flushes[i];

		if (f->end && f->end < g->left)
			break;
		if (f->whole && f->end && f->begin >= g->left && flush_hits(f, &c))
			return true;
	}
	return false;
}

void do_tag_given(struct reference *r, struct dom *d, struct dev *dev, uint64_t iommu, uint32_t did)
{
	struct verdict *v;
	unsigned int i;

	for (i = 0; i < r->nghosts; i++) {
		struct ghost *g = &r->ghosts[i];

		if (!g->open || g->iommu != iommu || g->did != did)
			continue;
		g->open = false;
		if (g->d == d || flushed_since(r, g))
			continue;
		v = say(r, FINDING_STALE_AFTER_SWITCH, dev->ptr, NO_PAGE);
		v->what = "domain id reused";
		v->cache = did;
	}
}
