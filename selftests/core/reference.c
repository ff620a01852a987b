// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The slow checker: what was said, who is who, and which part looks at which record. */
#include "reference_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- verdicts ---- */

void verdicts_add(struct verdicts *v, const struct verdict *x)
{
	if (v->count == v->room) {
		v->room = v->room * 2 + 64;
		v->list = realloc(v->list, v->room * sizeof(*v->list));
		if (!v->list)
			abort();
	}
	v->list[v->count++] = *x;
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

int verdict_compare(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;
	int ret = order(x->id, y->id);

	ret = ret ?: order(x->object, y->object);
	ret = ret ?: order(x->page, y->page);
	ret = ret ?: order(x->cache, y->cache);
	ret = ret ?: strcmp(x->what ?: "", y->what ?: "");
	return ret ?: order(x->grade, y->grade);
}

void verdicts_settle(struct verdicts *v)
{
	size_t i, n = 0;

	if (v->count)
		qsort(v->list, v->count, sizeof(*v->list), verdict_compare);
	for (i = 0; i < v->count; i++) {
		if (!n || verdict_compare(&v->list[n - 1], &v->list[i]))
			v->list[n++] = v->list[i];
	}
	v->count = n;
}

void verdicts_free(struct verdicts *v)
{
	free(v->list);
	memset(v, 0, sizeof(*v));
}

/* A violation; the caller may say more of it. */
struct verdict *say(struct reference *r, uint32_t id, uint64_t object, uint64_t page)
{
	struct verdict v = { .id = id, .grade = GRADE_VIOLATION, .object = object, .page = page,
			     .time_ns = r->now };

	verdicts_add(&r->found, &v);
	return &r->found.list[r->found.count - 1];
}

struct verdict *say_of(struct reference *r, uint32_t id, const struct dom *d, uint64_t page)
{
	return say(r, id, d->ptr + d->gen, page);
}

/* ---- who is who ---- */

struct dom *dom_of(struct reference *r, uint64_t ptr)
{
	unsigned int i, gen = 0;
	struct dom *d;

	for (i = r->ndoms; i-- > 0;) {
		if (r->doms[i]->ptr != ptr)
			continue;
		if (!r->doms[i]->dead)
			return r->doms[i];
		gen = r->doms[i]->gen;
		break;
	}
	d = calloc(1, sizeof(*d));
	if (!d || r->ndoms == DOMAINS)
		abort();
	d->ptr = ptr;
	d->gen = gen + 1;
	d->last = UINT64_MAX;
	r->doms[r->ndoms++] = d;
	return d;
}

struct dev *dev_of(struct reference *r, uint64_t ptr)
{
	struct dev *dev = r->devs;

	for (; dev < r->devs + r->ndevs; dev++)
		if (dev->ptr == ptr)
			return dev;
	if (r->ndevs == DEVICES)
		abort();
	/* No more than 64 devices live at one time. */
	*dev = (struct dev){ .ptr = ptr, .bit = r->ndevs % 64, .group = -1 };
	r->ndevs++;
	return dev;
}

struct container *container_of_ptr(struct reference *r, uint64_t ptr)
{
	struct container *c = r->spaces;

	for (; c < r->spaces + r->nspaces; c++)
		if (!c->ioas && c->ptr == ptr)
			return c;
	if (r->nspaces == SPACES)
		abort();
	r->nspaces++;
	*c = (struct container){ .ptr = ptr };
	return c;
}

struct container *space_of(struct reference *r, uint32_t ioas)
{
	struct container *c = r->spaces;

	for (; c < r->spaces + r->nspaces; c++)
		if (c->ioas == ioas + 1)
			return c;
	if (r->nspaces == SPACES)
		abort();
	r->nspaces++;
	*c = (struct container){ .ioas = ioas + 1 };
	return c;
}

bool dom_inhabited(const struct reference *r, const struct dom *d)
{
	unsigned int i;

	for (i = 0; i < r->ndevs; i++)
		if (r->devs[i].where == d)
			return true;
	return false;
}

void dom_end(struct reference *r, struct dom *d)
{
	unsigned int i;

	for (i = 0; i < CACHES; i++)
		cache_gone(r, d, i);
	for (i = 0; i < r->ndevs; i++)
		if (r->devs[i].where == d)
			r->devs[i].where = NULL;
	d->dead = true;
}

static void do_device(struct reference *r, const struct ev_device *e)
{
	struct dev *dev = dev_of(r, e->dev);

	if (dev->ats && !(e->flags & EV_DEV_ATS))
		dev->ats_off = e->h.time_ns;
	dev->ats = e->flags & EV_DEV_ATS;
	dev->kind = e->driver_kind;
	dev->sid = e->sid;
	dev->flags = e->flags;
	dev->group = e->group;
}

/* What the domain can translate: the smaller of its aperture and what the driver really has. */
static void do_domain(struct reference *r, const struct ev_domain *e)
{
	struct dom *d = dom_of(r, e->domain);
	uint32_t width = e->flags & 0xff;

	d->type = e->type;
	d->first = e->aperture_start;
	d->last = e->aperture_end;
	if (width && width < 64 && d->last >> width)
		d->last = (1ULL << width) - 1;
}

static void do_resv(struct reference *r, const struct ev_resv *e)
{
	unsigned int i;

	for (i = 0; i < r->ndevs; i++) {
		struct dev *dev = &r->devs[i];

		if (dev->group != e->group)
			continue;
		if (!e->index)
			dev->nresv = 0;
		if (e->count)
			dev->resv[dev->nresv++] = (struct range_of){ e->first, e->last, e->type };
	}
}

static void do_alloc(struct reference *r, const struct ev_domain_op *e)
{
	struct dom *d = dom_of(r, e->domain);

	d->born = true;
	d->born_ns = e->op.h.time_ns;
	d->type = e->type;
}

/* Where iommu_map_nosync() is heard, who called for the map flushes, all at once. */
static void do_hook(struct reference *r, const struct ev_hook *e)
{
	if (e->hook == HOOK_MAP)
		r->nosync = strcmp(e->function, "iommu_map");
}

static void do_iommu(struct reference *r, const struct ev_iommu *e)
{
	r->iommus[r->niommus].iommu = e->iommu;
	r->iommus[r->niommus++].caching = e->flags & EV_IOMMU_CACHING;
}

static void do_memory(struct reference *r, const void *rec)
{
	const struct ev_task_stack *stack = rec;
	const struct ev_area *area = rec;

	if (area->h.type == EV_AREA)
		r->facts.areas[r->facts.nareas++] =
			(struct range_of){ area->first, area->last, area->kind };
	else
		r->facts.stack = stack->page[0];
}

/* ---- records ---- */

static void feed_ref_tag(struct reference *r, const struct ev_ref_tag *e)
{
	struct ev_tag t = { .h = e->h, .domain = e->domain, .dev = e->dev, .did = e->did,
			    .driver_kind = EV_DRIVER_REF, .pasid = EV_TAG_NO_PASID };

	if (e->assigned)
		do_tag(r, &t, e->instance + 1ULL);
	else
		do_untag(r, e);
}

static void feed_state(struct reference *r, const void *rec)
{
	const struct ev_alias *alias = rec;
	struct dev *dev;

	switch (((const struct ev_hdr *)rec)->type) {
	case EV_DEVICE: do_device(r, rec); break;
	case EV_DOMAIN: do_domain(r, rec); break;
	case EV_RESV: do_resv(r, rec); break;
	case EV_ALLOC: do_alloc(r, rec); break;
	case EV_HOOK: do_hook(r, rec); break;
	case EV_IOMMU: do_iommu(r, rec); break;
	case EV_AREA:
	case EV_TASK_STACK: do_memory(r, rec); break;
	case EV_TAG: do_tag(r, rec, ((const struct ev_tag *)rec)->iommu); break;
	case EV_REF_TAG: feed_ref_tag(r, rec); break;
	case EV_ATTACH: do_attach(r, rec); break;
	case EV_FREE: do_free(r, rec); break;
	case EV_UNBIND: do_unbind(r, rec); break;
	case EV_ALIAS:
		dev = dev_of(r, alias->dev);
		dev->aliases[dev->naliases++] = alias->sid;
		break;
	}
}

static void feed_intent(struct reference *r, const void *rec)
{
	switch (((const struct ev_hdr *)rec)->type) {
	case EV_DMA_MAP: do_dma_map(r, rec); break;
	case EV_DMA_UNMAP: do_dma_unmap(r, rec); break;
	case EV_DMA_SYNC: do_dma_sync(r, rec); break;
	case EV_VFIO_MAP: do_vfio_map(r, rec); break;
	case EV_VFIO_UNMAP: do_vfio_unmap(r, rec); break;
	case EV_VFIO_ATTACH: do_vfio_attach(r, rec); break;
	case EV_REF_INTENT: do_ref_intent(r, rec); break;
	case EV_REF_REPLAY: do_ref_replay(r, rec); break;
	case EV_PAGE_FREE: do_page_free(r, rec); break;
	case EV_REF_DMA: do_ref_dma(r, rec); break;
	case EV_MARK:
		if (((const struct ev_mark *)rec)->kind == EV_MARK_TICK)
			do_tick(r);
		break;
	}
}

void reference_feed(struct reference *r, const void *rec)
{
	const struct ev_hdr *h = rec;

	r->now = h->time_ns;
	switch (h->type) {
	case EV_MAP: do_map(r, rec); break;
	case EV_UNMAP: do_unmap(r, rec); break;
	case EV_TABLE: do_table(r, rec); break;
	case EV_QI: do_qi(r, rec); break;
	case EV_AMD_CMD: do_amd(r, rec); break;
	case EV_AMD_WAIT: do_amd_wait(r, rec); break;
	case EV_REF_FLUSH: do_ref_flush(r, rec); break;
	default:
		feed_state(r, rec);
		feed_intent(r, rec);
	}
}

struct reference *reference_new(void)
{
	return calloc(1, sizeof(struct reference));
}

const struct verdicts *reference_verdicts(struct reference *r)
{
	tell_exposures(r);
	tell_tables(r);
	verdicts_settle(&r->found);
	return &r->found;
}

void reference_free(struct reference *r)
{
	unsigned int i;

	for (i = 0; i < r->ndoms; i++)
		free(r->doms[i]);
	while (r->deeds)
		forget_deeds(r, r->deeds->cause);
	free(r->flushes);
	free(r->entry_flushes);
	free(r->exposed);
	free(r->gone);
	verdicts_free(&r->found);
	free(r);
}
