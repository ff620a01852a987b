// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The random machine: chance, and how records look. Both sides hear each record at once. */
#include "random.h"
#include "rnd.h"

uint64_t draw(struct world *w, uint64_t below)
{
	return (rnd_step(&w->random) >> 16) % below;
}

bool chance(struct world *w, uint64_t n)
{
	return !draw(w, n);
}

void emit(struct world *w, uint16_t type, void *rec, size_t len, uint16_t flags)
{
	struct ev_hdr *h = rec;

	h->type = type;
	h->len = len;
	h->flags = flags;
	h->seq = w->seq++;
	h->time_ns = w->now += 10;
	assert_int_equal(engine_feed(w->e, rec, len), 0);
	reference_feed(w->ref, rec);
}

uint64_t begins(struct world *w)
{
	return w->now += 10;
}

struct ev_op op_at(uint64_t begin_ns, uint64_t id, uint64_t cause)
{
	return (struct ev_op){ .begin_ns = begin_ns, .id = id, .cause = cause, .outer = cause,
			       .pid = 100, .tgid = 100 };
}

uint32_t prot_of(uint32_t dir)
{
	return dir == 1 ? 1 : dir == 2 ? 2 : 3;
}

unsigned int places_of(struct owner *o, struct place **list)
{
	unsigned int i, n = 0;

	if (o->mode <= LAZY) {
		list[n++] = &o->seats[0].home;
		return n;
	}
	for (i = 0; i < SEATS; i++)
		if (o->user[i].alive)
			list[n++] = &o->user[i];
	return n;
}

/* ---- who is who ---- */

void send_domain_op(struct world *w, uint16_t type, const struct place *p, uint64_t cause)
{
	struct ev_domain_op r = { .op = op_at(begins(w), 0, cause), .domain = p->ptr,
				  .type = p->type };

	EMIT(w, type, r, 0);
}

/* What it can translate is told by the aperture or by the width, whichever is less. */
void send_domain(struct world *w, const struct owner *o, const struct place *p)
{
	bool by_width = !(o->limit & (o->limit - 1));
	struct ev_domain r = {
		.domain = p->ptr, .pgsize_bitmap = 0x40201000, .type = p->type,
		.aperture_start = o->low * PAGE,
		.aperture_end = by_width ? TOP : o->limit * PAGE - 1,
		.flags = by_width ? 12 + __builtin_ctzll(o->limit) : 48,
	};

	EMIT(w, EV_DOMAIN, r, 0);
}

void send_device(struct world *w, const struct owner *o, const struct seat *s, bool ats)
{
	struct ev_device r = {
		.dev = s->dev, .group = s->group, .driver_kind = o->mmu->kind, .driver = "nvme",
		.sid = o->mmu->kind == EV_DRIVER_REF ? ~0U : s->sid,
		.flags = (ats ? EV_DEV_ATS : 0) | (s->untrusted ? EV_DEV_UNTRUSTED : 0),
	};

	snprintf(r.name, sizeof(r.name), "0000:00:%04x", s->sid);
	EMIT(w, EV_DEVICE, r, 0);
}

void send_tag(struct world *w, const struct owner *o, const struct seat *s,
	      const struct place *p, bool assigned)
{
	struct ev_tag r = { .domain = p->ptr, .dev = s->dev, .iommu = o->mmu->ptr,
			    .driver_kind = o->mmu->kind, .did = p->did, .sid = s->sid,
			    .pasid = EV_TAG_NO_PASID, .ats = s->ats,
			    .scalable = o->mmu->scalable ? EV_TAG_SCALABLE : 0 };
	struct ev_ref_tag ref = { .domain = p->ptr, .dev = s->dev, .did = p->did,
				  .instance = o->mmu->ptr - 1, .assigned = assigned };

	if (o->mmu->kind == EV_DRIVER_REF)
		EMIT(w, EV_REF_TAG, ref, 0);
	else if (assigned)
		EMIT(w, EV_TAG, r, 0);
}

/* ---- the rest ---- */

/* The recorder has its turn. */
void send_tick(struct world *w, uint64_t ns)
{
	struct ev_mark r = { .kind = EV_MARK_TICK };

	w->now += ns;
	EMIT(w, EV_MARK, r, 0);
}

void send_page_free(struct world *w, uint64_t paddr, uint64_t pages)
{
	struct ev_page_free r = { .paddr = paddr & ~0xfffULL, .bytes = pages * PAGE, .pid = 100 };

	EMIT(w, EV_PAGE_FREE, r, 0);
}

/* Memory is named by buffers and resources only, as the kernel's calls know it. */
void send_dma(struct world *w, uint16_t type, const struct owner *o, const struct mapping *m,
	      uint64_t begin_ns, uint64_t id, uint16_t flags)
{
	bool named = m->kind == EV_DMA_PAGE || m->kind == EV_DMA_RESOURCE;
	struct ev_dma r = {
		.op = op_at(begin_ns, id, 0), .dev = o->seats[0].dev, .addr = m->first * PAGE,
		.size = m->bytes, .dir = m->dir, .kind = m->kind, .attrs = m->attrs,
		.ptr = m->ptr, .nents = m->nents, .mapped = m->nents,
		.paddr = type == EV_DMA_MAP && named ? m->paddr : 0,
	};

	if (m->kind == EV_DMA_SG && type == EV_DMA_UNMAP)
		r.size = 0;
	EMIT(w, type, r, flags);
}

void send_intent(struct world *w, const struct owner *o, const struct mapping *m, bool map,
		 uint64_t begin_ns, uint64_t id)
{
	struct ev_op op = op_at(begin_ns, id, 0);
	struct ev_vfio vfio = { .op = op, .container = o->box, .iova = m->first * PAGE,
				.size = m->pages * PAGE, .done = m->pages * PAGE,
				.vfio_flags = map ? prot_of(m->dir) : 0 };
	struct ev_ref_intent ref = { .op = op, .first = m->first * PAGE,
				     .last = (m->first + m->pages) * PAGE - 1,
				     .kind = map ? EV_REF_MAP : EV_REF_UNMAP,
				     .bytes = m->pages * PAGE, .prot = prot_of(m->dir),
				     .ioas = o->box };

	if (o->mode == IOAS)
		EMIT(w, EV_REF_INTENT, ref, 0);
	else if (o->mode == VFIO)
		EMIT(w, map ? EV_VFIO_MAP : EV_VFIO_UNMAP, vfio, 0);
	else
		send_dma(w, map ? EV_DMA_MAP : EV_DMA_UNMAP, o, m, begin_ns, id,
			 chance(w, 8) ? EV_CTX_SOFTIRQ : EV_CTX_TASK);
}
