// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Domains, devices, IOMMUs and containers by their kernel pointer: found, or created
 * at first mention, and listed in order of appearance. All are freed with the model.
 */
#include <stdlib.h>

#include "model_priv.h"

struct domain *model_domain(const struct model *m, uint64_t ptr)
{
	struct domain *d = m->recent;

	if (!d || d->ptr != ptr)
		d = omap_get(&m->domains, ptr);
	return d && !d->dead ? d : NULL;
}

static struct domain *domain_new(struct model *m, uint64_t ptr, uint32_t gen)
{
	struct domain *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (omap_put(&m->domains, ptr, d)) {
		free(d);
		return NULL;
	}
	d->ptr = ptr;
	d->gen = gen;
	d->first_ns = m->now;
	d->ranges.pool = &m->ranges;
	d->ranges.frames = &m->live;
	d->ranges.domain = d;
	*m->last_domain = d;
	m->last_domain = &d->next;
	return d;
}

struct domain *domain_get(struct model *m, uint64_t ptr)
{
	struct domain *d = m->recent;

	if (d && d->ptr == ptr && !d->dead)
		return d;

	d = omap_get(&m->domains, ptr);
	if (!d || d->dead)
		d = domain_new(m, ptr, d ? d->gen + 1 : 1);
	m->recent = d;
	return d;
}

struct device *model_device(const struct model *m, uint64_t ptr)
{
	return omap_get(&m->devices, ptr);
}

struct device *device_get(struct model *m, uint64_t ptr)
{
	struct device *d = omap_get(&m->devices, ptr);

	if (d)
		return d;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	if (omap_put(&m->devices, ptr, d)) {
		free(d);
		return NULL;
	}
	d->ptr = ptr;
	d->group = -1;
	d->sid = ~0U;
	d->first_ns = m->now;
	*m->last_device = d;
	m->last_device = &d->next;
	return d;
}

struct iommu *model_iommu(const struct model *m, uint64_t ptr)
{
	return omap_get(&m->iommus, ptr);
}

struct iommu *iommu_get(struct model *m, uint64_t ptr)
{
	struct iommu *u = omap_get(&m->iommus, ptr);

	if (u)
		return u;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	if (omap_put(&m->iommus, ptr, u)) {
		free(u);
		return NULL;
	}
	u->ptr = ptr;
	*m->last_iommu = u;
	m->last_iommu = &u->next;
	return u;
}

struct container *model_container(const struct model *m, uint64_t ptr)
{
	return omap_get(&m->containers, ptr);
}

struct container *container_get(struct model *m, uint64_t ptr)
{
	struct container *c = omap_get(&m->containers, ptr);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	if (omap_put(&m->containers, ptr, c)) {
		free(c);
		return NULL;
	}
	c->ptr = ptr;
	*m->last_container = c;
	m->last_container = &c->next;
	return c;
}

/* Those that died make room. */
void domains_touch(struct domain **domains, unsigned int *n, struct domain *d)
{
	unsigned int i;

	for (i = 0; i < *n; i++) {
		if (domains[i] == d)
			return;
	}
	for (i = 0; i < *n; i++) {
		if (domains[i]->dead) {
			domains[i] = d;
			return;
		}
	}
	if (*n < CONTAINER_DOMAINS)
		domains[(*n)++] = d;
}

static void domains_free(struct model *m)
{
	struct domain *d;

	while ((d = m->first_domain)) {
		m->first_domain = d->next;
		while (d->caches)
			cache_destroy(m, d->caches);
		ranges_clear(&d->ranges);
		watch_free(m, d);
		free(d->resv);
		exposures_free(d);
		free(d);
	}
	omap_clear(&m->domains);
}

static void devices_free(struct model *m)
{
	struct device *d;

	while ((d = m->first_device)) {
		m->first_device = d->next;
		dma_book_free(d);
		free(d->bindings);
		free(d->caches);
		free(d->moves);
		free(d);
	}
	omap_clear(&m->devices);
}

static void iommus_free(struct model *m)
{
	struct iommu *u;

	while ((u = m->first_iommu)) {
		m->first_iommu = u->next;
		ghosts_free(u);
		free(u->pending);
		free(u);
	}
	omap_clear(&m->iommus);
}

static void containers_free(struct model *m)
{
	struct container *c;

	while ((c = m->first_container)) {
		m->first_container = c->next;
		container_slots_free(c);
		free(c);
	}
	omap_clear(&m->containers);
}

/* Chains of caches are not taken apart one by one. */
static void indexes_clear(struct model *m)
{
	struct iommu *u;

	for (u = m->first_iommu; u; u = u->next) {
		omap_clear(&u->iotlb);
		omap_clear(&u->devtlb);
	}
}

void objects_free(struct model *m)
{
	indexes_clear(m);
	domains_free(m);
	devices_free(m);
	iommus_free(m);
	containers_free(m);
}
