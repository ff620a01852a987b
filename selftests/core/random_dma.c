// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The random machine: what drivers tell the DMA API, and the memory behind it. */
#include "random.h"

#include "random_memory.h"

/* ---- memory ---- */

static struct mapping *some_mapping(struct world *w, struct owner *o)
{
	struct mapping *m = &o->maps[draw(w, MAPPINGS)];

	return m->pages ? m : NULL;
}

/* Faults: into the cache line of another mapping. */
static void share_line(struct world *w, struct owner *o, struct mapping *m)
{
	struct mapping *other = some_mapping(w, o);

	if (!other || other == m || other->kind != EV_DMA_PAGE || other->shares || other->freed ||
	    other->paddr % 64)
		return;
	other->shares = true;
	m->shares = true;
	m->paddr = other->paddr + 8;
	m->freed = true;
	other->freed = true;
}

/* Faults: memory that is none for devices, a line of its own each time. */
static void bad_memory(struct world *w, struct mapping *m)
{
	static const uint64_t bad[] = { MEMORY_STACK, MEMORY_TEXT, MEMORY_RODATA };
	uint64_t line = w->bad_lines++ % 64 * 64;

	m->paddr = bad[draw(w, 3)] + line;
	m->shares = true;
	m->freed = true;
}

static void draw_page(struct world *w, struct owner *o, struct mapping *m)
{
	if (chance(w, 2))
		m->bytes -= draw(w, PAGE / 64) * 64;
	if (chance(w, 40))
		bad_memory(w, m);
	else if (chance(w, 25))
		share_line(w, o, m);
}

/* Everybody's memory is his own. */
void draw_memory(struct world *w, struct owner *o, struct mapping *m)
{
	m->paddr = MEMORY_BUFFERS + w->memory++ * 16 * PAGE;
	m->bytes = m->pages * PAGE;
	if (o->mode > LAZY)
		return;
	switch (draw(w, 6)) {
	case 0:
		m->kind = EV_DMA_SG;
		m->nents = 1 + draw(w, 4);
		m->ptr = 0xffff888000000000ULL + w->memory * 64;
		break;
	case 1:
		m->kind = EV_DMA_COHERENT;
		m->dir = 0;
		m->ptr = 0xffffc90000000000ULL + w->memory * PAGE;
		break;
	case 2:
		m->kind = EV_DMA_RESOURCE;
		m->freed = true;	/* never by the allocator */
		if (!chance(w, 10))
			m->paddr += MEMORY_DEVICES;
		break;
	default:
		draw_page(w, o, m);
	}
}

/* ---- unmaps ---- */

enum misuse { OTHER_DIR, OTHER_SIZE, OTHER_KIND, OTHER_NENTS, OTHER_PTR, OTHER_ATTRS, MISUSES };

/* Each is a mistake for some kinds of mappings only: the slow checker knows. */
static void mistake(struct world *w, struct mapping *m)
{
	switch (draw(w, MISUSES)) {
	case OTHER_DIR: m->dir = (m->dir + 1) % 3; break;
	case OTHER_SIZE: m->bytes += 64; break;
	case OTHER_KIND: m->kind = m->kind == EV_DMA_PAGE ? EV_DMA_RESOURCE : EV_DMA_PAGE; break;
	case OTHER_NENTS: m->nents++; break;
	case OTHER_PTR: m->ptr += 64; break;
	case OTHER_ATTRS: m->attrs ^= 1 << 6; break;
	}
}

void tell_unmap(struct world *w, struct owner *o, struct mapping *m, uint64_t begin_ns,
		uint64_t id)
{
	struct mapping told = *m;

	if (chance(w, 12))
		mistake(w, &told);
	send_dma(w, EV_DMA_UNMAP, o, &told, begin_ns, id, 0);
	if (chance(w, 60))
		send_dma(w, EV_DMA_UNMAP, o, m, begins(w), ++w->ids, 0);
}

/* ---- syncs ---- */

static bool overlapped(const struct owner *o, const struct mapping *m)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++) {
		const struct mapping *x = &o->maps[i];

		if (x != m && x->pages && x->first < m->first + m->pages &&
		    m->first < x->first + x->pages)
			return true;
	}
	return false;
}

static void sync_wrong(struct world *w, struct mapping *m)
{
	switch (draw(w, 4)) {
	case 0: m->bytes += PAGE; break;
	case 1: m->dir = (m->dir + 1) % 3; break;
	case 2: m->nents++; break;
	case 3: m->first = (m->first + draw(w, 32)) % REFERENCE_PAGES; break;
	}
}

void step_sync(struct world *w, struct owner *o)
{
	struct mapping *m = some_mapping(w, o), told;

	if (o->mode > LAZY || !m || m->kind > EV_DMA_SG || overlapped(o, m))
		return;
	told = *m;
	/* A part of it, as network drivers do. */
	if (m->kind == EV_DMA_PAGE && m->pages > 1 && chance(w, 3)) {
		told.first++;
		told.bytes = 64;
	}
	if (chance(w, 4))
		sync_wrong(w, &told);
	send_dma(w, EV_DMA_SYNC, o, &told, begins(w), 0, 0);
}

/* ---- memory that is freed ---- */

/* A device reads or writes where something was unmapped. */
static void use(struct world *w, struct owner *o, const struct mapping *m)
{
	bool faults = chance(w, 2);
	struct ev_ref_dma r = { .dev = o->seats[0].dev, .first = m->first * PAGE,
				.last = (m->first + m->pages) * PAGE - 1,
				.done = faults ? 0 : m->pages * PAGE, .result = faults };

	if (o->mode == LAZY && o->mmu->kind == EV_DRIVER_REF && m->pages)
		EMIT(w, EV_REF_DMA, r, 0);
}

void step_use(struct world *w, struct owner *o)
{
	use(w, o, &o->gone[draw(w, GONE)]);
}

/* Where nobody looks after a page: fine, if it is not mapped any more and was flushed. */
static void free_gone(struct world *w, struct owner *o)
{
	struct mapping *m = &o->gone[draw(w, GONE)];

	if (!m->pages || m->freed)
		return;
	m->freed = true;
	if (chance(w, 2))
		send_page_free(w, m->paddr, m->pages);
	else
		send_page_free(w, m->paddr + draw(w, m->pages) * PAGE, 1);
	if (chance(w, 2))
		use(w, o, m);
}

void step_free(struct world *w, struct owner *o)
{
	struct mapping *m = some_mapping(w, o);

	if (chance(w, 20)) {
		/* 1:1 for firmware: who frees that has not got it from us. */
		send_page_free(w, (o->limit - 13) * PAGE, 2);
	} else if (!chance(w, 12)) {
		free_gone(w, o);
	} else if (m && !m->freed) {
		/* Faults: it is mapped. */
		m->freed = true;
		send_page_free(w, m->paddr + draw(w, m->pages) * PAGE, 1 + draw(w, 2));
	}
}

/* ---- habits and mistakes that need no mapping ---- */

static void unmap_nothing(struct world *w, struct owner *o, const struct place *p)
{
	uint64_t page = draw(w, o->limit - 2), pages = 1 + draw(w, 2);
	struct ev_unmap r = { .op = op_at(begins(w), 0, 0), .domain = p->ptr, .iova = page * PAGE,
			      .size = pages * PAGE };

	EMIT(w, EV_UNMAP, r, EVF_FAST);
}

static void unmap_unknown(struct world *w, struct owner *o)
{
	struct mapping m = { .first = draw(w, o->limit), .pages = 1, .bytes = PAGE,
			     .kind = EV_DMA_PAGE };
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		if (o->maps[i].pages && o->maps[i].first == m.first)
			return;
	if (!o->rest[m.first])
		send_dma(w, EV_DMA_UNMAP, o, &m, begins(w), ++w->ids, 0);
}

/* The address that says that a map failed. */
static void unmap_error(struct world *w, struct owner *o)
{
	uint64_t id = ++w->ids;
	struct ev_dma r = { .op = op_at(begins(w), id, 0), .dev = o->seats[0].dev,
			    .addr = EV_DMA_ERROR, .size = PAGE };

	EMIT(w, EV_DMA_UNMAP, r, 0);
}

static void unmap_no_slot(struct world *w, struct owner *o)
{
	struct mapping m = { .first = draw(w, o->limit), .pages = 1 };
	uint64_t id = ++w->ids;
	struct ev_vfio r = { .op = op_at(begins(w), id, 0), .container = o->box,
			     .iova = m.first * PAGE, .size = PAGE };

	if (!o->used[m.first])
		EMIT(w, EV_VFIO_UNMAP, r, 0);
}

void step_habit(struct world *w, struct owner *o)
{
	struct place *list[SEATS];

	if (!places_of(o, list) || !chance(w, 4))
		return;
	if (chance(w, 3))
		unmap_nothing(w, o, list[0]);
	else if (o->mode <= LAZY)
		chance(w, 2) ? unmap_unknown(w, o) : unmap_error(w, o);
	else if (o->mode == VFIO)
		unmap_no_slot(w, o);
}
