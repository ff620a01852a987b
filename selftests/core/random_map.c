// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The random machine: what is mapped and unmapped, by whomever. */
#include "random.h"

bool pages_free(const struct owner *o, uint64_t page, uint64_t pages)
{
	uint64_t i;

	for (i = page; i < page + pages; i++)
		if (o->used[i])
			return false;
	return true;
}

static struct mapping *empty_slot(struct owner *o)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		if (!o->maps[i].pages)
			return &o->maps[i];
	return NULL;
}

/* ---- tables ---- */

/* A page of the table that translated [@page, @page + @pages) goes back. */
static void free_table(struct world *w, const struct owner *o, const struct place *p,
		       uint64_t page, uint64_t pages, uint64_t unlinked_ns, uint64_t cause)
{
	struct ev_table r = { .op = op_at(begins(w), 0, cause), .domain = p->ptr,
			      .first = page * PAGE, .last = (page + pages) * PAGE - 1,
			      .paddr = 0x5000, .unlinked_ns = unlinked_ns,
			      .what = EV_TABLE_FREED, .count = 1 };

	if (o->mmu->kind != EV_DRIVER_REF)
		r.what |= EV_TABLE_GATHERED;
	EMIT(w, EV_TABLE, r, 0);
}

/*
 * VT-d of 6.12: the unmap call [@page, @page + @pages) frees a table while the gather holds its
 * first @held pages.
 */
static void free_gathered(struct world *w, const struct place *p, uint64_t page, uint64_t pages,
			  uint64_t held, uint64_t begin_ns, uint64_t cause)
{
	struct ev_table r = { .op = op_at(begins(w), 0, cause), .domain = p->ptr,
			      .first = page * PAGE, .last = (page + held) * PAGE - 1,
			      .paddr = 0x6000, .unlinked_ns = begin_ns,
			      .call_first = page * PAGE, .call_last = (page + pages) * PAGE - 1,
			      .call_begin_ns = begin_ns, .count = 1,
			      .what = EV_TABLE_FREED | EV_TABLE_GATHERED | EV_TABLE_IN_UNMAP };

	EMIT(w, EV_TABLE, r, 0);
}

/* ---- maps ---- */

/* In caching mode the IOMMU is told of what was not there before. */
static void sync_map(struct world *w, const struct owner *o, const struct place *p,
		     uint64_t page, uint64_t pages)
{
	static const enum flaw flaws[] = { FLAW_NO_FLUSH, FLAW_SHORT, FLAW_OTHER_DID };

	if (o->mmu->caching)
		flush_range(w, o, p, page, pages, chance(w, 25) ? flaws[draw(w, 3)] : FLAW_NONE);
}

/* A device that is being reset comes back in the middle of a call. */
static void come_back(struct world *w, struct owner *o)
{
	if (o->mode <= LAZY && o->seats[0].parked && chance(w, 3))
		step_park(w, o);
}

void send_map(struct world *w, struct owner *o, const struct place *p,
	      const struct map_call *c)
{
	struct ev_map r = { .op = op_at(begins(w), 0, c->cause), .domain = p->ptr,
			    .iova = c->page * PAGE, .size = c->pages * PAGE, .paddr = c->paddr,
			    .prot = c->prot, .ret = c->ret };

	come_back(w, o);
	if (!w->nosync && !c->ret)
		sync_map(w, o, p, c->page, c->pages);
	EMIT(w, EV_MAP, r, 0);
	if (w->nosync && !c->ret)
		sync_map(w, o, p, c->page, c->pages);
}

static void cut_pieces(struct world *w, struct mapping *m)
{
	uint64_t left = m->pages;

	for (m->npieces = 0; left && m->npieces < PIECES - 1; m->npieces++) {
		m->piece[m->npieces] = 1 + draw(w, left);
		left -= m->piece[m->npieces];
	}
	if (left)
		m->piece[m->npieces++] = left;
}

/* Page 0 of the memory is that of the first byte. */
static void map_pieces(struct world *w, struct owner *o, const struct mapping *m,
		       const struct place *p)
{
	uint64_t page = m->first;
	struct map_call c = { .cause = m->id };
	unsigned int i;

	for (i = 0; i < m->npieces; page += m->piece[i++]) {
		c.page = page;
		c.pages = m->piece[i];
		c.paddr = (m->paddr & ~0xfffULL) + (page - m->first) * PAGE;
		c.prot = chance(w, 60) ? 3 : prot_of(m->dir);
		send_map(w, o, p, &c);
	}
}

/* Nothing comes of it: the driver has no memory, or the container is full. */
static void map_fails(struct world *w, struct owner *o, struct mapping *m, uint64_t begin_ns)
{
	struct ev_dma dma = { .op = op_at(begin_ns, m->id, 0), .dev = o->seats[0].dev,
			      .addr = EV_DMA_ERROR, .size = m->bytes, .dir = m->dir };
	struct ev_vfio vfio = { .op = op_at(begin_ns, m->id, 0), .container = o->box,
				.iova = m->first * PAGE, .size = m->pages * PAGE, .ret = -ENOSPC,
				.vfio_flags = 3 };
	struct map_call c = { .page = m->first, .pages = m->pages, .cause = m->id,
			      .ret = -ENOMEM };

	if (o->mode <= LAZY) {
		send_map(w, o, &o->seats[0].home, &c);
		EMIT(w, EV_DMA_MAP, dma, 0);
	} else if (o->mode == VFIO) {
		EMIT(w, EV_VFIO_MAP, vfio, 0);
	}
	m->pages = 0;
}

/* Faults: beyond what the domain translates, or where something is reserved. */
static uint64_t draw_place(struct world *w, const struct owner *o, uint64_t *pages)
{
	const uint64_t bad[] = { o->limit - 1, o->limit - 13, o->limit - 8, o->limit - 3 };

	if (chance(w, 40)) {
		*pages = 1 + draw(w, 2);
		return o->low && chance(w, 4) ? o->low - 1 : bad[draw(w, 4)];
	}
	*pages = 1 + draw(w, 8);
	return o->low + draw(w, o->limit - 16 - *pages - o->low);
}

static bool address_known(const struct owner *o, uint64_t page)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		if (o->maps[i].pages && o->maps[i].first == page)
			return true;
	return o->rest[page];
}

void step_map(struct world *w, struct owner *o)
{
	uint64_t page, pages, at = draw_place(w, o, &pages), begin_ns;
	struct mapping *m = empty_slot(o);
	struct place *list[SEATS];
	unsigned int i, n = places_of(o, list);

	/* Faults: over what lives or waits. One mapping is at an address, in any book. */
	if (!m || !n || (!pages_free(o, at, pages) && !(o->mode < VFIO && chance(w, 12))) ||
	    address_known(o, at))
		return;
	*m = (struct mapping){ .first = at, .pages = pages, .id = ++w->ids, .dir = draw(w, 3) };
	draw_memory(w, o, m);
	cut_pieces(w, m);
	begin_ns = begins(w);
	if (chance(w, 40)) {
		map_fails(w, o, m, begin_ns);
		return;
	}
	for (i = 0; i < n; i++)
		map_pieces(w, o, m, list[i]);
	send_intent(w, o, m, true, begin_ns, m->id);
	for (page = at; page < at + pages; page++) {
		o->used[page] = true;
		o->waiting[page] = false;
	}
	o->fresh = false;
}

/* ---- unmaps ---- */

struct unmap_call {
	uint64_t page, pages, done, cause;
	uint16_t flags;
	enum flaw flaw;
	uint64_t freed;		/* memory that is freed while it runs; 0 none */
};

static void unmap_flush(struct world *w, const struct owner *o, const struct place *p,
			const struct unmap_call *c, uint64_t begin_ns)
{
	w->early = c->flaw == FLAW_EARLY ? begin_ns - 5 : 0;
	flush_range(w, o, p, c->page, c->pages, c->flaw);
	w->early = 0;
	if (chance(w, 4))
		free_table(w, o, p, c->page, c->pages, begin_ns, c->cause);
}

static void send_unmap(struct world *w, struct owner *o, const struct place *p,
		       const struct unmap_call *c)
{
	struct ev_unmap r = { .op = op_at(begins(w), 0, c->cause), .domain = p->ptr,
			      .iova = c->page * PAGE, .size = c->pages * PAGE,
			      .done = c->done * PAGE };
	bool vtd = o->mmu->kind == EV_DRIVER_VTD;

	if (c->freed)
		send_page_free(w, c->freed, 1);
	/* Faults: a table goes before anybody is told. */
	if (!(c->flags & EVF_QUEUED) && chance(w, 40))
		free_table(w, o, p, c->page, c->pages, r.op.begin_ns, c->cause);
	if (vtd && c->pages > 1 && !(c->flags & EVF_QUEUED) && chance(w, 25)) {
		uint64_t held = 1 + draw(w, c->pages - 1);

		flush_range(w, o, p, c->page, held, FLAW_NONE);
		free_gathered(w, p, c->page, c->pages, held, r.op.begin_ns, c->cause);
	}
	come_back(w, o);
	if (!(c->flags & EVF_FAST))
		unmap_flush(w, o, p, c, r.op.begin_ns);
	EMIT(w, EV_UNMAP, r, c->flags);
	if (c->flags == EVF_FAST)
		unmap_flush(w, o, p, c, r.op.begin_ns);
	if (c->flaw == FLAW_LATE_WAIT)
		flush_wait(w, o);
}

static uint16_t unmap_flags(struct world *w, const struct owner *o)
{
	switch (o->mode) {
	case LAZY:
		return EVF_FAST | EVF_QUEUED;
	case STRICT:
		return chance(w, 2) ? EVF_FAST : 0;
	default:
		return EVF_FAST;
	}
}

/* Memory of @m that is freed by and by: once. */
static uint64_t free_inside(struct world *w, struct mapping *m)
{
	if (m->freed || !chance(w, 60))
		return 0;
	m->freed = true;
	return m->paddr + draw(w, m->pages) * PAGE;
}

static void send_wider(struct world *w, struct owner *o, const struct place *p,
		       struct unmap_call c)
{
	c.page--;
	c.done = ++c.pages;
	send_unmap(w, o, p, &c);
}

/* Faults of the driver: it stops early, it takes a neighbour too, a piece is forgotten. */
static void unmap_pieces(struct world *w, struct owner *o, struct mapping *m,
			 const struct place *p, uint64_t id)
{
	struct unmap_call c = { .cause = id, .flags = unmap_flags(w, o),
				.flaw = draw_flaw(w, 12), .page = m->first };
	unsigned int i;

	for (i = 0; i < m->npieces; c.page += m->piece[i++]) {
		c.pages = m->piece[i];
		c.done = chance(w, 60) ? draw(w, c.pages) : c.pages;
		c.freed = free_inside(w, m);
		/* Faults: it stops early, and was asked for a part only. */
		if (c.pages > 1 && chance(w, 60))
			c.done = draw(w, --c.pages);
		if (o->mode >= VFIO && chance(w, 60))
			continue;
		if (chance(w, 60) && c.page + c.pages < REFERENCE_PAGES)
			c.done = ++c.pages;
		if (chance(w, 60) && c.page)
			send_wider(w, o, p, c);
		else
			send_unmap(w, o, p, &c);
	}
}

/* The pages are free for others at once, or wait for the queue's flush. */
static void release(struct world *w, struct owner *o, const struct mapping *m)
{
	uint64_t page;

	for (page = m->first; page < m->first + m->pages; page++) {
		if (o->mode == LAZY && !chance(w, 100))
			o->waiting[page] = true;
		else
			o->used[page] = false;
	}
	if (!m->freed)
		o->gone[o->ngone++ % GONE] = *m;
}

/* Its last piece stays; at the next page, if the size is told wrong on top of it. */
static void shrink(struct world *w, struct owner *o, struct mapping *m)
{
	uint64_t left = m->pages - m->piece[m->npieces - 1];

	if (address_known(o, m->first + left) || address_known(o, m->first + left + 1))
		return;
	m->npieces--;
	o->rest[m->first + left] = true;
	o->rest[m->first + left + 1] = true;
	m->pages = left;
	m->bytes = left * PAGE - draw(w, 4) * 64;
}

void unmap_one(struct world *w, struct owner *o, struct mapping *m)
{
	uint64_t begin_ns = begins(w), id = ++w->ids;
	struct place *list[SEATS];
	unsigned int i, n = places_of(o, list);

	/* Faults of the device's driver: it asks for less than there is. */
	if (o->mode <= LAZY && m->kind == EV_DMA_PAGE && m->npieces > 1 && chance(w, 40))
		shrink(w, o, m);
	for (i = 0; i < n; i++)
		unmap_pieces(w, o, m, list[i], id);
	if (o->mode <= LAZY)
		tell_unmap(w, o, m, begin_ns, id);
	else
		send_intent(w, o, m, false, begin_ns, id);
	release(w, o, m);
	m->pages = 0;
}

/* An address space of refiommu may cut a mapping: of this one the last piece goes. */
static void unmap_tail(struct world *w, struct owner *o, struct mapping *m)
{
	uint64_t begin_ns = begins(w), id = ++w->ids, pages = m->piece[m->npieces - 1];
	struct mapping tail = *m;
	struct place *list[SEATS];
	unsigned int i, n = places_of(o, list);

	m->npieces--;
	m->pages -= pages;
	tail.first = m->first + m->pages;
	tail.paddr += m->pages * PAGE;
	tail.pages = tail.piece[0] = pages;
	tail.npieces = 1;
	for (i = 0; i < n; i++)
		unmap_pieces(w, o, &tail, list[i], id);
	send_intent(w, o, &tail, false, begin_ns, id);
	release(w, o, &tail);
	m->freed |= tail.freed;
}

static struct mapping *mapping_behind(struct owner *o, const struct mapping *m)
{
	struct mapping *best = NULL;
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++) {
		struct mapping *x = &o->maps[i];

		if (x->pages && x->first > m->first && (!best || x->first < best->first))
			best = x;
	}
	return best;
}

/* VFIO unmaps all slots in what is asked for; here two, in a container with one domain. */
static void unmap_two(struct world *w, struct owner *o, struct mapping *a, struct mapping *b)
{
	uint64_t begin_ns = begins(w), id = ++w->ids;
	struct ev_vfio r = { .op = op_at(begin_ns, id, 0), .container = o->box,
			     .iova = a->first * PAGE,
			     .size = (b->first + b->pages - a->first) * PAGE,
			     .done = (a->pages + b->pages) * PAGE };
	struct place *list[SEATS];

	places_of(o, list);
	unmap_pieces(w, o, a, list[0], id);
	unmap_pieces(w, o, b, list[0], id);
	EMIT(w, EV_VFIO_UNMAP, r, 0);
	release(w, o, a);
	release(w, o, b);
	a->pages = 0;
	b->pages = 0;
}

void step_unmap(struct world *w, struct owner *o)
{
	struct mapping *m = &o->maps[draw(w, MAPPINGS)], *behind = mapping_behind(o, m);
	struct place *list[SEATS];

	if (!m->pages)
		return;
	if (o->mode == IOAS && m->npieces > 1 && chance(w, 8))
		unmap_tail(w, o, m);
	else if (o->mode == VFIO && behind && places_of(o, list) == 1 && chance(w, 8))
		unmap_two(w, o, m, behind);
	else
		unmap_one(w, o, m);
}

/* The flush queue's timer. */
void step_queue(struct world *w, struct owner *o)
{
	const struct seat *s = &o->seats[0];
	uint64_t page;

	if (o->mode != LAZY || !s->home.did)
		return;
	if (!chance(w, 20))
		flush_whole(w, o, s->home.did, chance(w, 2));
	if (!chance(w, 20))
		flush_devtlb(w, o, s, 0, 0, true);
	for (page = 0; page < REFERENCE_PAGES; page++) {
		if (!o->waiting[page])
			continue;
		o->waiting[page] = false;
		o->used[page] = false;
	}
}
