// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What is not known: gaps, hooks that do not hear, filters, start and stop. A doubt
 * moves the epoch; what was learned before it is unsure from then on, and so is an
 * operation that began before the doubt's end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_priv.h"

static void all_debts_forget(struct model *m)
{
	struct domain *d;
	struct cache *c;

	for (d = m->first_domain; d; d = d->next) {
		for (c = d->caches; c; c = c->next)
			debts_forget(m, c);
	}
}

void model_doubt(struct model *m, uint64_t until_ns)
{
	m->sure_epoch = ++m->epoch;
	if (until_ns > m->doubt_end_ns)
		m->doubt_end_ns = until_ns;
	all_debts_forget(m);
}

static void doubt_domain(struct model *m, struct domain *d)
{
	struct cache *c;

	d->sure_epoch = ++m->epoch;
	for (c = d->caches; c; c = c->next) {
		c->epoch = 0;
		debts_forget(m, c);
	}
}

static void doubt_place(struct model *m, struct device *d)
{
	unsigned int i;

	device_doubt_caches(m, d);
	for (i = 0; i < d->nbindings; i++)
		d->bindings[i].epoch = 0;
}

/* Kernel pointers of live objects differ, so one number names at most one of them. */
void model_doubt_object(struct model *m, uint32_t hook, uint64_t ptr, uint64_t iova,
			uint64_t last)
{
	bool moves = model_hook_moves(hook);
	struct domain *d = model_domain(m, ptr);
	struct device *dev = model_device(m, ptr);
	struct iommu *u = model_iommu(m, ptr);
	struct container *c = model_container(m, ptr);

	if (hook >= HOOK_COUNT || model_hook_needs(hook) & NEED_IOAS)
		ioases_doubt(m);
	if (!ptr)
		return;
	if (d && moves) {
		doubt_domain(m, d);
	} else if (d) {
		ranges_doubt(m, d, iova, last);
		debts_close(m, d, iova, last);
		d->whole_epoch = 0;
	}
	if (dev && moves)
		doubt_place(m, dev);
	if (dev && (!moves || hook >= HOOK_COUNT))
		dma_doubt(m, dev, iova, last);
	if (u)
		iommu_doubt(m, u);
	else if (hook == HOOK_FLUSH_VTD || hook == HOOK_FLUSH_AMD)
		entries_doubt(m, ptr);
	if (c)
		c->sure_epoch = ++m->epoch;
}

/* ---- gaps ---- */

int model_gap(struct model *m, const struct gap *g)
{
	struct gap_window *w;

	if (m->ngaps == m->gaps_room) {
		w = realloc(m->gaps, (m->gaps_room * 2 + 4) * sizeof(*w));
		if (!w)
			return -ENOMEM;
		m->gaps = w;
		m->gaps_room = m->gaps_room * 2 + 4;
	}
	m->gaps[m->ngaps++] = (struct gap_window){ .gap = *g };
	if (g->from_ns < m->edge_ns)
		m->edge_ns = g->from_ns;
	return 0;
}

/* Return: true if @w lies behind @time_ns. */
static bool window_step(struct model *m, struct gap_window *w, uint64_t time_ns)
{
	if (!w->open && time_ns > w->gap.from_ns) {
		w->open = true;
		m->gaps_open++;
		model_doubt(m, w->gap.from_ns);
	}
	if (!w->open || time_ns <= w->gap.to_ns)
		return false;

	m->gaps_open--;
	model_doubt(m, w->gap.to_ns);
	return true;
}

void model_advance(struct model *m, uint64_t time_ns)
{
	uint64_t edge = UINT64_MAX, at;
	size_t i, kept = 0;

	if (time_ns <= m->edge_ns)
		return;
	for (i = 0; i < m->ngaps; i++) {
		struct gap_window *w = &m->gaps[i];

		if (window_step(m, w, time_ns))
			continue;
		at = w->open ? w->gap.to_ns : w->gap.from_ns;
		edge = at < edge ? at : edge;
		m->gaps[kept++] = *w;
	}
	m->ngaps = kept;
	m->edge_ns = edge;
}

/* ---- hooks ---- */

static const uint16_t hook_needs[HOOK_COUNT] = {
	[HOOK_DOMAIN_FREE] = NEED_FREE,
	[HOOK_ATTACH] = NEED_ATTACH,
	[HOOK_RELEASE] = NEED_ATTACH,
	[HOOK_MAP] = NEED_MAP,
	[HOOK_MAP_ATOMIC] = NEED_MAP,
	[HOOK_MAP_SG] = NEED_MAP,
	[HOOK_MAP_SG_ATOMIC] = NEED_MAP,
	[HOOK_UNMAP] = NEED_UNMAP,
	[HOOK_UNMAP_FAST] = NEED_UNMAP,
	[HOOK_UNBIND] = NEED_UNBIND,
	[HOOK_VFIO_IOCTL] = NEED_VFIO,
	[HOOK_DMA_MAP_PHYS] = NEED_DMA,
	[HOOK_DMA_UNMAP_PHYS] = NEED_DMA,
	[HOOK_DMA_MAP_PAGE] = NEED_DMA,
	[HOOK_DMA_UNMAP_PAGE] = NEED_DMA,
	[HOOK_DMA_MAP_SG] = NEED_DMA,
	[HOOK_DMA_MAP_SGTABLE] = NEED_DMA,
	[HOOK_DMA_UNMAP_SG] = NEED_DMA,
	[HOOK_DMA_ALLOC] = NEED_DMA,
	[HOOK_DMA_FREE] = NEED_DMA,
	[HOOK_DMA_MAP_RESOURCE] = NEED_DMA,
	[HOOK_DMA_UNMAP_RESOURCE] = NEED_DMA,
	[HOOK_DMA_IOVA_LINK] = NEED_DMA,
	[HOOK_DMA_IOVA_UNLINK] = NEED_DMA,
	[HOOK_DMA_IOVA_DESTROY] = NEED_DMA,
	[HOOK_FLUSH_VTD] = NEED_VTD,
	[HOOK_FLUSH_AMD] = NEED_AMD,
	[HOOK_REF_FLUSH] = NEED_REF,
	[HOOK_REF_INTENT] = NEED_IOAS,
	[HOOK_REF_REPLAY] = NEED_IOAS,
	[HOOK_REF_REPLAY_ENTRY] = NEED_IOAS,
	[HOOK_PAGE_FREE] = NEED_PAGES,
};

uint32_t model_hook_needs(uint32_t hook)
{
	return hook < HOOK_COUNT ? hook_needs[hook] : 0;
}

bool model_hook_moves(uint32_t hook)
{
	switch (hook) {
	case HOOK_DOMAIN_FREE:
	case HOOK_ATTACH:
	case HOOK_RELEASE:
	case HOOK_PASID_ATTACH:
	case HOOK_PASID_DETACH:
	case HOOK_PASID_REPLACE:
	case HOOK_ATS_OFF:	/* check_switch.c accuses for want of it */
	case HOOK_TAG_VTD:
	case HOOK_TAG_AMD:
	case HOOK_REF_TAG:
		return true;
	default:
		return hook >= HOOK_COUNT;
	}
}

/* Nothing can happen in a module that is not loaded; other rows hear what is covered. */
static bool hook_deaf(const struct model *m, uint32_t hook)
{
	const struct hook *h = &m->hooks[hook];

	/* Kernels before 6.16 have no such calls: nothing is missed. */
	if (hook >= HOOK_DMA_IOVA_LINK && hook <= HOOK_DMA_IOVA_DESTROY &&
	    h->state == EV_HOOK_MISSING)
		return false;
	return h->known && h->state != EV_HOOK_HEARD && h->state != EV_HOOK_PENDING &&
	       h->state != EV_HOOK_COVERED;
}

/* A map call that is heard, and its unmap that is not, or the other way round. */
static bool hooks_lopsided(const struct model *m, uint32_t map, uint32_t unmap)
{
	const struct hook *a = &m->hooks[map], *b = &m->hooks[unmap];

	return a->known && b->known &&
	       (a->state == EV_HOOK_HEARD) != (b->state == EV_HOOK_HEARD);
}

static void missing_update(struct model *m)
{
	uint32_t hook, hooks = 0;

	for (hook = 0; hook < HOOK_COUNT; hook++) {
		if (hook_deaf(m, hook))
			hooks |= hook_needs[hook];
	}
	if (hooks_lopsided(m, HOOK_DMA_MAP_PAGE, HOOK_DMA_UNMAP_PAGE) ||
	    hooks_lopsided(m, HOOK_DMA_MAP_PHYS, HOOK_DMA_UNMAP_PHYS) ||
	    hooks_lopsided(m, HOOK_DMA_MAP_RESOURCE, HOOK_DMA_UNMAP_RESOURCE) ||
	    hooks_lopsided(m, HOOK_DMA_IOVA_LINK, HOOK_DMA_IOVA_UNLINK) ||
	    hooks_lopsided(m, HOOK_DMA_IOVA_LINK, HOOK_DMA_IOVA_DESTROY))
		hooks |= NEED_DMA;
	/* Older traces have no such row. */
	if (!m->hooks[HOOK_PAGE_FREE].known)
		hooks |= NEED_PAGES;
	frames_listen(m, !(hooks & NEED_PAGES));
	m->missing = hooks;
	m->places++;
	if (m->filter & EV_FILTER_FLUSH)
		m->missing |= NEED_FLUSH;
	if (m->filter & EV_FILTER_INTENT)
		m->missing |= NEED_VFIO | NEED_DMA | NEED_IOAS;
	if (m->filter & EV_FILTER_ACTION)
		m->missing |= NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE;
	if (m->filter & EV_FILTER_PID)
		m->missing |= NEED_ALL;
}

static void hook_text(struct hook *h, const struct ev_hook *e)
{
	memcpy(h->name, e->name, sizeof(e->name));
	memcpy(h->function, e->function, sizeof(e->function));
}

int apply_hook(struct model *m, const struct op *op)
{
	const struct ev_hook *e = &op->u.hook;
	struct hook *h;

	if (e->hook >= HOOK_COUNT)
		return 0;
	h = &m->hooks[e->hook];
	/* Deaf until now: what happened before is unknown. */
	if (m->attached && h->known && h->state != EV_HOOK_HEARD &&
	    h->state != EV_HOOK_PENDING && e->state == EV_HOOK_HEARD)
		model_doubt(m, op->end);
	h->known = true;
	h->state = e->state;
	hook_text(h, e);
	missing_update(m);
	return 0;
}

/* Where iommu_map_nosync() is heard, its callers flush afterwards, all at once. */
bool model_syncs_maps(const struct model *m)
{
	return !strcmp(m->hooks[HOOK_MAP].function, "iommu_map");
}

/* ---- marks ---- */

static void mark_attached(struct model *m, const struct op *op)
{
	if (m->attached)
		return;
	m->attached = true;
	m->attached_ns = op->end;
	model_doubt(m, op->end);
}

int apply_mark(struct model *m, const struct op *op)
{
	switch (op->u.mark.kind) {
	case EV_MARK_ATTACHED:
		mark_attached(m, op);
		break;
	case EV_MARK_STOP:
		m->stopped = true;
		m->stopped_ns = op->end;
		break;
	case EV_MARK_TICK:
		exposures_tick(m);
		leaves_expire(m);
		break;
	case EV_MARK_FILTER:
		m->filter |= op->u.mark.value;
		missing_update(m);
		break;
	}
	return 0;
}
