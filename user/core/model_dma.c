// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The DMA API's book of each device. With dma-direct the address is the memory's own,
 * so that two live mappings may share one: entries of an address form a chain, oldest
 * first, and an unmap means the one that fits it best. Links of an IOVA (EV_DMA_IOVA)
 * are undone by range instead: one call may end many.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_priv.h"

#define PAGE 4096ULL
#define LINE_LG2 6

/*
 * What an unmap must repeat, kernel/dma/debug.c of 7.2: NO_KERNEL_MAPPING, FORCE_CONTIGUOUS,
 * PRIVILEGED, and of 7.2 itself REQUIRE_COHERENT, CC_SHARED. MMIO is another kind here.
 */
#define ATTRS_KEPT (1u << 4 | 1u << 6 | 1u << 9 | 1u << 12 | 1u << 13)

unsigned int dma_differs(const struct dma_entry *e, const struct op *op)
{
	const struct ev_dma *u = &op->u.dma;
	unsigned int diff = 0;

	if (e->kind != u->kind)
		return DMA_DIFF_KIND;
	if (e->dir != u->dir)
		diff |= DMA_DIFF_DIR;
	if (e->kind == EV_DMA_SG && e->nents != u->nents)
		diff |= DMA_DIFF_NENTS;
	if (e->kind != EV_DMA_SG && e->size != u->size)
		diff |= DMA_DIFF_SIZE;
	if (e->kind == EV_DMA_COHERENT && e->ptr != u->ptr)
		diff |= DMA_DIFF_CPU;
	if ((e->attrs ^ u->attrs) & ATTRS_KEPT)
		diff |= DMA_DIFF_ATTRS;
	return diff;
}

struct dma_entry *dma_match(const struct device *d, const struct op *op)
{
	struct dma_entry *e, *best = NULL;
	unsigned int diff, least = 0;

	for (e = omap_get(&d->dma.live, op->u.dma.addr); e; e = e->next) {
		/* Nobody unmaps before the map has returned: that is an earlier tenant's unmap. */
		if (e->kind == EV_DMA_IOVA || (op->begin && op->begin <= e->end))
			continue;
		diff = __builtin_popcount(dma_differs(e, op));
		if (e->kind != op->u.dma.kind)
			diff = 8;
		if (!best || diff < least) {
			best = e;
			least = diff;
		}
		if (!least)
			break;
	}
	return best;
}

static struct dma_entry *tomb_slot(const struct device *d, uint64_t addr)
{
	return &d->dma.tombs[(addr >> 12 ^ addr >> 24 ^ addr) % DMA_TOMBS];
}

const struct dma_entry *dma_tomb(const struct device *d, uint64_t addr)
{
	const struct dma_entry *t = d->dma.tombs ? tomb_slot(d, addr) : NULL;

	return t && t->end && t->addr == addr ? t : NULL;
}

static void tomb_put(struct device *d, const struct dma_entry *e)
{
	if (!d->dma.tombs)
		d->dma.tombs = calloc(DMA_TOMBS, sizeof(*d->dma.tombs));
	if (d->dma.tombs)
		*tomb_slot(d, e->addr) = *e;
}

static void tomb_clear(struct device *d, uint64_t addr)
{
	if (d->dma.tombs && tomb_slot(d, addr)->addr == addr)
		tomb_slot(d, addr)->end = 0;
}

/* Only what the device may write, and only the first of a line: enough to find a second. */
static bool line_counts(const struct dma_entry *e)
{
	return e->kind == EV_DMA_PAGE && e->paddr && e->dir != DMA_TO_DEVICE;
}

const struct dma_entry *dma_line(const struct model *m, uint64_t paddr)
{
	return omap_get(&m->lines, paddr >> LINE_LG2);
}

static int line_add(struct model *m, struct dma_entry *e)
{
	if (!line_counts(e) || dma_line(m, e->paddr))
		return 0;
	return omap_put(&m->lines, e->paddr >> LINE_LG2, e);
}

static void line_del(struct model *m, const struct dma_entry *e)
{
	if (line_counts(e) && dma_line(m, e->paddr) == e)
		omap_del(&m->lines, e->paddr >> LINE_LG2);
}

/* Append to the chain of its address. */
static int book_add(struct device *d, struct dma_entry *e)
{
	struct dma_entry *top = omap_get(&d->dma.live, e->addr);

	e->next = NULL;
	if (!top && omap_put(&d->dma.live, e->addr, e))
		return -ENOMEM;
	if (top)
		top->tail->next = e;
	else
		top = e;
	top->tail = e;
	d->dma.nlive++;
	d->dma.bytes += e->size;
	if (d->dma.nlive > d->n.dma_live_max)
		d->n.dma_live_max = d->dma.nlive;
	return 0;
}

static void book_del(struct model *m, struct device *d, struct dma_entry *e)
{
	struct dma_entry *top = omap_get(&d->dma.live, e->addr), *before = top;

	line_del(m, e);
	if (top == e && !e->next) {
		omap_del(&d->dma.live, e->addr);
	} else if (top == e) {
		e->next->tail = e->tail;
		omap_put(&d->dma.live, e->addr, e->next);
	} else {
		while (before->next != e)
			before = before->next;
		before->next = e->next;
		if (top->tail == e)
			top->tail = before;
	}
	d->dma.nlive--;
	d->dma.bytes -= e->size;
}

static void entry_from(const struct model *m, struct dma_entry *e, const struct op *op)
{
	*e = (struct dma_entry){
		.addr = op->u.dma.addr,
		.size = op->u.dma.size,
		.ptr = op->u.dma.ptr,
		.id = op->id,
		.begin = op->begin,
		.end = op->end,
		.seq = op->seq,
		.caller = op->u.dma.caller,
		.attrs = op->u.dma.attrs,
		.paddr = op->u.dma.paddr,
		.dir = op->u.dma.dir,
		.kind = op->u.dma.kind,
		.nents = op->u.dma.nents,
		.epoch = model_sure_op(m, op) ? m->epoch : 0,
		.pid = op->pid,
		.cpu = op->cpu,
	};
}

const char *dma_kind_name(uint32_t kind)
{
	static const char *const names[] = { "page", "scatterlist", "coherent", "resource", "IOVA" };

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

const char *dma_dir_name(uint32_t dir)
{
	static const char *const names[] = { "both ways", "to the device", "from the device", "none" };

	return dir < sizeof(names) / sizeof(names[0]) ? names[dir] : "unknown";
}

bool dma_translated(const struct model *m, const struct device *d)
{
	const struct binding *b = device_binding(d, EV_TAG_NO_PASID);

	return b && b->domain && epoch_sure(m, b->epoch, 0) && b->domain->typed &&
	       b->domain->type & DOMAIN_PAGING;
}

/*
 * Addresses are handed out once: whoever stands at @addr in doubt went unheard. A sure
 * one may still be in its unmap, which releases the address before it returns. Where
 * addresses are shared, nobody can tell who went.
 */
static void book_displace(struct model *m, struct device *d, uint64_t addr)
{
	struct dma_entry *e, *next;

	if (!dma_translated(m, d))
		return;
	for (e = omap_get(&d->dma.live, addr); e; e = next) {
		next = e->next;
		if (e->kind == EV_DMA_IOVA || model_entry_sure(m, d, e))
			continue;
		book_del(m, d, e);
		pool_put(&m->entries, e);
	}
}

/* An unmap that may have meant another mapping of its address leaves all of them in doubt. */
static void chain_doubt(struct device *d, uint64_t addr)
{
	struct dma_entry *e;

	for (e = omap_get(&d->dma.live, addr); e; e = e->next)
		e->flags |= DMA_UNSURE;
}

static bool map_failed(const struct ev_dma *e)
{
	return e->addr == EV_DMA_ERROR || (e->kind == EV_DMA_SG && !e->mapped);
}

/*
 * dma_need_unmap() (kernel/dma/mapping.c) came to 6.16 with the links of an IOVA: where addresses
 * are the memory's own, a driver may leave out the unmaps of whatever memory was not the API's.
 * nvme does on 7.2. Its maps are not booked then, and its unmaps fit none. Kernels that have no
 * such links say so as "missing", or as "covered".
 */
static bool unmap_is_optional(const struct model *m, const struct device *d, const struct op *op)
{
	const struct hook *h = &m->hooks[HOOK_DMA_IOVA_LINK];

	return h->known && (h->state == EV_HOOK_HEARD || h->state == EV_HOOK_REFUSED) &&
	       op->u.dma.kind != EV_DMA_COHERENT && op->u.dma.kind != EV_DMA_IOVA &&
	       !dma_translated(m, d);
}

/* A device that was translated when last heard of, and perhaps is: then the unmap is missed. */
static bool may_be_translated(const struct device *d)
{
	const struct binding *b = device_binding(d, EV_TAG_NO_PASID);

	return b && b->domain && (!b->domain->typed || b->domain->type & DOMAIN_PAGING);
}

/* Whatever is known of @addr may be of before this map. */
static void dma_unbooked(struct model *m, struct device *d, uint64_t addr)
{
	dma_doubt(m, d, addr, addr);
	d->n.dma_maps++;
	m->unknown += may_be_translated(d);
}

static int dma_enter(struct model *m, struct device *d, const struct op *op)
{
	struct dma_entry *e;

	if (unmap_is_optional(m, d, op)) {
		dma_unbooked(m, d, op->u.dma.addr);
		return 0;
	}
	e = pool_get(&m->entries);
	if (!e)
		return -ENOMEM;
	entry_from(m, e, op);
	e->dev = d;
	book_displace(m, d, e->addr);
	if (book_add(d, e)) {
		pool_put(&m->entries, e);
		return -ENOMEM;
	}
	tomb_clear(d, e->addr);
	d->n.dma_maps++;
	d->n.dma_bytes += e->size;
	return line_add(m, e);
}

int apply_dma_map(struct model *m, const struct op *op)
{
	struct device *d = device_get(m, op->u.dma.dev);

	if (!d)
		return -ENOMEM;
	intent_note(m, op, d->ptr);
	cause_done(m, op->id);
	if (map_failed(&op->u.dma)) {
		d->n.dma_maps_failed++;
		return 0;
	}
	return dma_enter(m, d, op);
}

/* Unmapped with too small a size: whole pages behind it stay mapped, for the leak's story. */
static bool dma_leaves_rest(struct dma_entry *e, const struct op *op)
{
	uint64_t end, cut;

	if (!(dma_differs(e, op) & DMA_DIFF_SIZE) || op->u.dma.size >= e->size)
		return false;
	if (__builtin_add_overflow(e->addr, e->size, &end))
		return false;
	cut = (e->addr + op->u.dma.size + PAGE - 1) & ~(PAGE - 1);
	if (cut <= e->addr || cut >= end)
		return false;
	e->size = end - cut;
	e->addr = cut;
	e->paddr = 0;
	e->flags |= DMA_REST;
	e->cut.seq = op->seq;
	e->cut.time_ns = op->end;
	e->cut.pid = op->pid;
	e->cut.cpu = op->cpu;
	e->cut.caller = op->u.dma.caller;
	return true;
}

/* An unlink or destroy ends every link it touches. */
static void dma_unlink(struct model *m, struct device *d, const struct op *op)
{
	struct dma_entry *e, *next;
	uint64_t at = op->iova, link;

	while ((e = omap_ceil(&d->dma.live, at)) && e->addr <= op->last) {
		link = e->addr;
		for (; e; e = next) {
			next = e->next;
			if (e->kind != EV_DMA_IOVA)
				continue;
			book_del(m, d, e);
			pool_put(&m->entries, e);
		}
		if (link == UINT64_MAX)
			break;
		at = link + 1;
	}
}

int apply_dma_unmap(struct model *m, const struct op *op)
{
	struct device *d = device_get(m, op->u.dma.dev);
	struct dma_entry *e = d ? dma_match(d, op) : NULL;

	if (!d)
		return -ENOMEM;
	d->n.dma_unmaps++;
	intent_note(m, op, d->ptr);
	cause_done(m, op->id);
	if (op->u.dma.kind == EV_DMA_IOVA && !op->empty)
		dma_unlink(m, d, op);
	if (!e || op->u.dma.kind == EV_DMA_IOVA || dma_is_noop(op))
		return 0;

	if (!model_entry_sure(m, d, e))
		chain_doubt(d, e->addr);
	book_del(m, d, e);
	tomb_put(d, e);
	if (!dma_leaves_rest(e, op) || book_add(d, e))
		pool_put(&m->entries, e);
	return 0;
}

static void book_flag(struct model *m, struct device *d, uint64_t iova, uint64_t last,
		      uint16_t flag)
{
	struct dma_entry *e = omap_ceil(&d->dma.live, iova);
	uint64_t at;

	while (e && e->addr <= last) {
		at = e->addr;
		for (; e; e = e->next) {
			if (!model_step(m))
				return;
			e->flags |= flag;
		}
		e = at == UINT64_MAX ? NULL : omap_ceil(&d->dma.live, at + 1);
	}
}

static bool release_heard(const struct model *m)
{
	const struct hook *h = &m->hooks[HOOK_RELEASE];

	return h->known && h->state == EV_HOOK_HEARD;
}

/*
 * From here on the device's mappings are those that will be heard; but only if the device
 * itself came while we listened. Pages of an older driver may still be on their way: a
 * page pool unmaps them when the network stack gives them back, after the unbind.
 */
int apply_unbind(struct model *m, const struct op *op)
{
	struct device *d = device_get(m, op->u.unbind.dev);
	unsigned int i;

	if (!d)
		return -ENOMEM;
	book_flag(m, d, 0, UINT64_MAX, DMA_LEAKED);
	d->dma.known_epoch = d->born && model_sure_op(m, op) ? m->epoch : 0;
	d->driver[0] = 0;
	/* Whoever leaves the bus leaves its domain, too: with a call that may not be heard. */
	for (i = 0; i < d->nbindings && !release_heard(m); i++)
		d->bindings[i].epoch = 0;
	return 0;
}

void dma_doubt(struct model *m, struct device *d, uint64_t iova, uint64_t last)
{
	book_flag(m, d, iova, last, DMA_UNSURE);
	d->dma.known_epoch = 0;
	free(d->dma.tombs);
	d->dma.tombs = NULL;
}

void dma_book_free(struct device *d)
{
	omap_clear(&d->dma.live);
	free(d->dma.tombs);
}
