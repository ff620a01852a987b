// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Caches that may hold translations of a domain: one per (IOMMU, domain id, PASID)
 * and one per device TLB, each with the devices on whose behalf it is filled; in caching mode
 * a second one beside each IOTLB. A cache without devices is gone, and with it what it owed:
 * the flushes of a detach are not judged here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_priv.h"

/* Of one domain: each map and unmap asks them all. What others owe is not known. */
#define CACHES_MAX 1024

static struct omap *cache_index(struct cache *c)
{
	return c->kind == CACHE_DEVTLB ? &c->iommu->devtlb : &c->iommu->iotlb;
}

static int index_add(struct cache *c)
{
	c->peer = omap_get(cache_index(c), cache_id(c));
	return omap_put(cache_index(c), cache_id(c), c);
}

static void index_del(struct cache *c)
{
	struct cache *p = omap_get(cache_index(c), cache_id(c));

	if (p == c) {
		if (!c->peer)
			omap_del(cache_index(c), cache_id(c));
		else
			omap_put(cache_index(c), cache_id(c), c->peer);
		return;
	}
	while (p && p->peer != c)
		p = p->peer;
	if (p)
		p->peer = c->peer;
}

static void domain_unlink(struct cache *c)
{
	struct cache **at = &c->domain->caches;

	while (*at && *at != c)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = c->next;
	c->domain->ncaches--;
}

static void device_forget(struct device *dev, const struct cache *c)
{
	unsigned int i;

	for (i = 0; i < dev->ncaches; i++) {
		if (dev->caches[i] != c)
			continue;
		dev->caches[i] = dev->caches[--dev->ncaches];
		return;
	}
}

void cache_destroy(struct model *m, struct cache *c)
{
	unsigned int i;

	for (i = 0; i < c->nusers; i++)
		device_forget(c->users[i], c);
	debts_forget(m, c);
	index_del(c);
	domain_unlink(c);
	free(c->users);
	free(c);
}

static bool cache_has(const struct cache *c, const struct device *dev)
{
	unsigned int i;

	for (i = 0; i < c->nusers; i++) {
		if (c->users[i] == dev)
			return true;
	}
	return false;
}

static int cache_join(struct cache *c, struct device *dev)
{
	struct device **users;
	struct cache **caches;

	if (cache_has(c, dev))
		return 0;
	users = realloc(c->users, (c->nusers + 1) * sizeof(*users));
	if (!users)
		return -ENOMEM;
	c->users = users;
	caches = realloc(dev->caches, (dev->ncaches + 1) * sizeof(*caches));
	if (!caches)
		return -ENOMEM;
	dev->caches = caches;
	users[c->nusers++] = dev;
	caches[dev->ncaches++] = c;
	return 0;
}

/* Is a device behind @c that surely is in its domain? An end may have been lost. */
static bool cache_peopled(const struct model *m, const struct cache *c)
{
	unsigned int i;

	for (i = 0; i < c->nusers; i++) {
		const struct binding *b = device_binding(c->users[i], EV_TAG_NO_PASID);

		if (b && b->domain == c->domain && epoch_sure(m, b->epoch, 0))
			return true;
	}
	return false;
}

static void cache_doubt(struct model *m, struct cache *c)
{
	c->epoch = 0;
	debts_forget(m, c);
}

static void cache_leave(struct model *m, struct cache *c, struct device *dev)
{
	unsigned int i;

	if (c->nusers == 1 && c->users[0] == dev)
		ghost_new(m, c, dev);
	for (i = 0; i < c->nusers && c->users[i] != dev; i++)
		;
	if (i < c->nusers)
		c->users[i] = c->users[--c->nusers];
	device_forget(dev, c);
	if (!c->nusers)
		cache_destroy(m, c);
	else if (c->driver_kind == EV_DRIVER_REF && !cache_peopled(m, c))
		cache_doubt(m, c);
}

static bool pasid_same(uint32_t a, uint32_t b)
{
	return (a == EV_TAG_NO_PASID ? 0 : a) == (b == EV_TAG_NO_PASID ? 0 : b);
}

void device_leave_caches(struct model *m, struct device *dev, const struct domain *keep,
			 uint32_t pasid)
{
	unsigned int i = 0;

	while (i < dev->ncaches) {
		struct cache *c = dev->caches[i];

		if (c->domain == keep || !pasid_same(c->pasid, pasid))
			i++;
		else
			cache_leave(m, c, dev);
	}
}

void device_doubt_caches(struct model *m, struct device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->ncaches; i++)
		cache_doubt(m, dev->caches[i]);
}

void device_doubt_pasids(struct model *m, struct device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->ncaches; i++) {
		if (!pasid_same(dev->caches[i]->pasid, EV_TAG_NO_PASID))
			cache_doubt(m, dev->caches[i]);
	}
}

void device_renew_caches(struct model *m, struct device *dev, const struct domain *d,
			 const struct op *op)
{
	unsigned int i;

	for (i = 0; i < dev->ncaches; i++) {
		struct cache *c = dev->caches[i];

		if (c->driver_kind != EV_DRIVER_REF || c->domain != d || model_cache_sure(m, c) ||
		    !model_sure_op(m, op))
			continue;
		c->epoch = m->epoch;
		c->since_ns = op->end;
		c->assumed = true;
	}
}

void caches_recall(struct model *m, struct domain *d, const struct iommu *u, uint32_t did)
{
	struct cache *c;

	for (c = d->caches; c; c = c->next) {
		if (c->assumed && c->iommu == u && c->did != did)
			cache_doubt(m, c);
	}
}

static struct cache *cache_find(struct domain *d, const struct cache *like)
{
	struct cache *c;

	for (c = d->caches; c; c = c->next) {
		if (c->kind == like->kind && c->iommu == like->iommu &&
		    cache_id(c) == cache_id(like) && pasid_same(c->pasid, like->pasid))
			return c;
	}
	return NULL;
}

static struct cache *cache_new(struct domain *d, const struct cache *like)
{
	struct cache *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = *like;
	c->domain = d;
	if (index_add(c)) {
		free(c);
		return NULL;
	}
	c->next = d->caches;
	d->caches = c;
	d->ncaches++;
	if (c->kind == CACHE_IOTLB)
		ghost_drop(c->iommu, c->did);
	return c;
}

/*
 * Sure again on the word of @dev's tag. Whether the others are still behind it, their own
 * tags will say: one that left unheard would keep it alive when all are gone. Of refiommu no
 * tag is said twice: they stay, and cache_leave() asks where they are.
 */
static void cache_renew(struct model *m, struct cache *c, struct device *dev,
			const struct cache *like)
{
	unsigned int i = 0;

	c->epoch = like->epoch;
	c->since_ns = like->since_ns;
	if (!model_cache_sure(m, c) || c->driver_kind == EV_DRIVER_REF)
		return;
	while (i < c->nusers) {
		if (c->users[i] == dev) {
			i++;
			continue;
		}
		device_forget(c->users[i], c);
		c->users[i] = c->users[--c->nusers];
	}
}

/* A cache that is already there stays as old as it is, unless a loss made it unsure. */
static int cache_enter(struct model *m, struct domain *d, struct device *dev,
		       const struct cache *like)
{
	struct cache *c = cache_find(d, like);

	if (!c && d->ncaches == CACHES_MAX) {
		m->unknown++;
		return 0;
	}
	if (!c)
		c = cache_new(d, like);
	if (!c)
		return -ENOMEM;
	if (cache_join(c, dev)) {
		if (!c->nusers)
			cache_destroy(m, c);
		return -ENOMEM;
	}
	c->assumed = false;
	if (!model_cache_sure(m, c))
		cache_renew(m, c, dev, like);
	return 0;
}

/* First-stage entries that are not present are never cached (VT-d 6.1). */
static bool tag_caches_absent(const struct ev_tag *e, const struct iommu *u)
{
	return u->flags & EV_IOMMU_CACHING && !(e->scalable & EV_TAG_FIRST_STAGE);
}

static int tag_enter(struct model *m, const struct ev_tag *e, struct domain *d,
		     struct device *dev, struct cache *like)
{
	int ret = cache_enter(m, d, dev, like);

	if (!ret && tag_caches_absent(e, like->iommu)) {
		like->kind = CACHE_ABSENT;
		ret = cache_enter(m, d, dev, like);
	}
	if (ret || !e->ats || e->sid == ~0U)
		return ret;

	like->kind = CACHE_DEVTLB;
	return cache_enter(m, d, dev, like);
}

/* Without the ends of PASIDs, or their changes of domain, nobody knows how long a tag is good. */
static bool pasids_followed(const struct model *m)
{
	const struct hook *end = &m->hooks[HOOK_PASID_DETACH];
	const struct hook *change = &m->hooks[HOOK_PASID_REPLACE];

	return (!end->known || end->state == EV_HOOK_HEARD) &&
	       (!change->known || change->state != EV_HOOK_REFUSED);
}

int apply_tag(struct model *m, const struct op *op)
{
	const struct ev_tag *e = &op->u.tag;
	struct device *dev = device_get(m, e->dev);
	struct domain *d = domain_get(m, e->domain);
	struct cache like = {
		.kind = CACHE_IOTLB,
		.driver_kind = e->driver_kind,
		.did = e->did,
		.pasid = e->pasid,
		.sid = e->sid,
		.since_ns = op->end,
	};

	if (!dev || !d)
		return -ENOMEM;
	if (state_is_late(m, dev, e->pasid, op) || e->driver_kind == EV_DRIVER_OTHER)
		return 0;
	like.iommu = iommu_get(m, e->iommu);
	if (!like.iommu)
		return -ENOMEM;
	like.epoch = model_sure_op(m, op) ? m->epoch : 0;
	dev->mmu = like.iommu;
	dev->scalable = e->scalable;
	d->tagged = true;
	d->tag_flags = e->scalable;
	if (!pasid_same(e->pasid, EV_TAG_NO_PASID) && !pasids_followed(m)) {
		m->unknown++;
		return 0;
	}
	return tag_enter(m, e, d, dev, &like);
}

int apply_iommu(struct model *m, const struct op *op)
{
	const struct ev_iommu *e = &op->u.iommu;
	struct iommu *u = iommu_get(m, e->iommu);

	if (!u)
		return -ENOMEM;
	u->driver_kind = e->driver_kind;
	u->flags = e->flags;
	u->cap = e->cap;
	u->ecap = e->ecap;
	memcpy(u->name, e->name, sizeof(e->name));
	return 0;
}

static int ref_tag_leave(struct model *m, const struct ev_ref_tag *e)
{
	struct device *dev = model_device(m, e->dev);
	struct domain *d = model_domain(m, e->domain);
	struct cache like = {
		.kind = CACHE_IOTLB,
		.iommu = model_iommu(m, ref_iommu(e->instance)),
		.did = e->did,
		.pasid = EV_TAG_NO_PASID,
	};
	struct cache *c = dev && d && like.iommu ? cache_find(d, &like) : NULL;

	if (c && cache_has(c, dev))
		cache_leave(m, c, dev);
	return 0;
}

/* As VT-d's and AMD's, but that the end is said too. */
int apply_ref_tag(struct model *m, const struct op *op)
{
	const struct ev_ref_tag *e = &op->u.ref_tag;
	struct device *dev;
	struct domain *d;
	struct cache like = {
		.kind = CACHE_IOTLB,
		.driver_kind = EV_DRIVER_REF,
		.did = e->did,
		.pasid = EV_TAG_NO_PASID,
		.sid = ~0U,
		.since_ns = op->end,
	};

	if (!e->assigned)
		return ref_tag_leave(m, e);
	dev = device_get(m, e->dev);
	d = domain_get(m, e->domain);
	like.iommu = iommu_get(m, ref_iommu(e->instance));
	if (!dev || !d || !like.iommu)
		return -ENOMEM;
	like.epoch = model_sure_op(m, op) ? m->epoch : 0;
	dev->mmu = like.iommu;
	return cache_enter(m, d, dev, &like);
}

static uint32_t driver_need(uint32_t kind)
{
	switch (kind) {
	case EV_DRIVER_VTD:
		return NEED_VTD;
	case EV_DRIVER_REF:
		return NEED_REF;
	default:
		return NEED_AMD;
	}
}

bool driver_heard(const struct model *m, uint32_t driver_kind)
{
	return !(m->missing & (driver_need(driver_kind) | NEED_FLUSH));
}

bool cache_heard(const struct model *m, const struct cache *c)
{
	return driver_heard(m, c->driver_kind);
}
