// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reserved ranges. Each IOMMU group has typed ones, read by userspace a little after the
 * group or its device was heard; a domain has those of the devices in it.
 *
 * Invariants
 * - A device that has left keeps the number of its group, for the story; the group does not
 *   count it: the number may be another group's by now.
 * - A group's ranges are known from their last record on, until a device comes or goes: the
 *   kernel's list is the union over its devices (iommu_get_group_resv_regions()).
 * - domain.resv is made anew with each change of a binding or of a group, so that a map
 *   has only to walk a short array. Who accuses asks again whether the binding is sure.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_priv.h"

#define RESV_MAX 4096		/* of a group; more is no kernel's word */

struct group *model_group(const struct model *m, int32_t nr)
{
	return omap_get(&m->groups, (uint32_t)nr);
}

static struct group *group_get(struct model *m, int32_t nr)
{
	struct group *g = model_group(m, nr);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	if (omap_put(&m->groups, (uint32_t)nr, g)) {
		free(g);
		return NULL;
	}
	g->nr = nr;
	g->next = m->first_group;
	m->first_group = g;
	return g;
}

/* With its last device a group ends; the number may be another one's. */
static void group_lose(struct group *g)
{
	if (!--g->ndevices)
		g->shared = false;
}

int device_enter_group(struct model *m, struct device *dev, int32_t nr)
{
	struct group *g = nr >= 0 ? group_get(m, nr) : NULL;
	struct group *old = dev->group >= 0 ? model_group(m, dev->group) : NULL;

	if (nr >= 0 && !g)
		return -ENOMEM;
	if (old && !dev->left)
		group_lose(old);
	if (g && g->ndevices++)
		g->shared = true;
	dev->group = nr;
	dev->left = false;
	return 0;
}

void device_leave_group(struct model *m, struct device *dev)
{
	struct group *g = dev->group >= 0 ? model_group(m, dev->group) : NULL;

	if (g && !dev->left)
		group_lose(g);
	dev->left = true;
}

/* ---- what a domain has of it ---- */

static struct binding *bound(const struct device *dev, const struct domain *d)
{
	struct binding *b = device_binding(dev, EV_TAG_NO_PASID);

	return b && b->domain == d ? b : NULL;
}

static int domain_resv_add(struct domain *d, struct device *dev, const struct group *g)
{
	struct resv *r;
	uint32_t i;

	r = realloc(d->resv, (d->nresv + g->n) * sizeof(*r));
	if (!r)
		return -ENOMEM;
	d->resv = r;
	for (i = 0; i < g->n; i++) {
		r = &d->resv[d->nresv++];
		*r = g->ranges[i];
		r->dev = dev;
		r->alone = g->ndevices == 1 && !g->shared;
		r->since_ns = g->since_ns;
	}
	return 0;
}

int domain_resv_update(struct model *m, struct domain *d)
{
	struct device *dev;

	d->nresv = 0;
	if (d->dead || (d->typed && !(d->type & DOMAIN_PAGING)))
		return 0;	/* nobody maps there; all of a machine may be in it */
	m->resv_turn++;
	for (dev = m->first_device; dev && model_step(m); dev = dev->next) {
		struct group *g = bound(dev, d) ? model_group(m, dev->group) : NULL;

		if (!g || !g->known || !g->n || g->turn == m->resv_turn)
			continue;
		g->turn = m->resv_turn;
		if (domain_resv_add(d, dev, g))
			return -ENOMEM;
	}
	return 0;
}

static int group_tell(struct model *m, const struct group *g)
{
	const struct device *dev;
	const struct binding *b;

	for (dev = m->first_device; dev && model_step(m); dev = dev->next) {
		b = dev->group == g->nr ? device_binding(dev, EV_TAG_NO_PASID) : NULL;
		if (b && b->domain && domain_resv_update(m, b->domain))
			return -ENOMEM;
	}
	return 0;
}

/* ---- records ---- */

int group_forget(struct model *m, int32_t nr)
{
	struct group *g = model_group(m, nr);

	if (!g || !g->known)
		return 0;
	g->known = false;
	return group_tell(m, g);
}

static void group_begin(struct group *g, uint32_t count)
{
	g->known = false;
	g->n = 0;
	g->count = count;
}

static int group_add(struct group *g, const struct ev_resv *e)
{
	struct resv *r;

	if (e->index != g->n || e->count != g->count || e->first > e->last || g->n == RESV_MAX) {
		g->count = UINT32_MAX;	/* not what a reader writes: never complete */
		return 0;
	}
	r = realloc(g->ranges, (g->n + 1) * sizeof(*r));
	if (!r)
		return -ENOMEM;
	g->ranges = r;
	g->ranges[g->n++] = (struct resv){
		.first = e->first,
		.last = e->last,
		.type = e->type,
		.group = e->group,
	};
	return 0;
}

int apply_resv(struct model *m, const struct op *op)
{
	const struct ev_resv *e = &op->u.resv;
	struct group *g = e->group >= 0 ? group_get(m, e->group) : NULL;

	if (!g)
		return e->group < 0 ? 0 : -ENOMEM;
	if (!e->index)
		group_begin(g, e->type == EV_RESV_NONE ? 0 : e->count);
	if (e->type != EV_RESV_NONE && group_add(g, e))
		return -ENOMEM;
	if (g->n != g->count)
		return 0;
	g->known = true;
	g->since_ns = op->end;
	return group_tell(m, g);
}

void groups_free(struct model *m)
{
	struct group *g;

	while ((g = m->first_group)) {
		m->first_group = g->next;
		free(g->ranges);
		free(g);
	}
	omap_clear(&m->groups);
}
