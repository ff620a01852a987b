// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The random machine: devices come, move from domain to domain, and go. */
#include "random.h"

#define BLOCKED	0xb00000ULL

enum slip {
	SLIP_NONE, NO_ENTRY, OTHER_SID, NO_ALIAS, NO_IOTLB, OTHER_DID, IOTLB_FIRST, NO_DEVTLB,
	DEVTLB_FIRST, SLIPS
};

/* ---- domains ---- */

static void did_take(struct mmu *u, struct place *p)
{
	if (p->did)
		return;
	p->did = 1 + __builtin_ctzll(~u->dids);
	u->dids |= 1ULL << (p->did - 1);
}

static void did_drop(struct mmu *u, struct place *p)
{
	if (p->did)
		u->dids &= ~(1ULL << (p->did - 1));
	p->did = 0;
}

void place_begin(struct world *w, struct owner *o, struct place *p, uint64_t cause)
{
	send_domain_op(w, EV_ALLOC, p, cause);
	send_domain(w, o, p);
	p->alive = true;
	p->people = 0;
	/* AMD-Vi's id belongs to the domain, others' to its use. */
	if (o->mmu->kind == EV_DRIVER_AMD)
		did_take(o->mmu, p);
}

void place_end(struct world *w, struct owner *o, struct place *p)
{
	send_domain_op(w, EV_FREE, p, 0);
	did_drop(o->mmu, p);
	p->alive = false;
	p->people = 0;
}

/* ---- moves ---- */

static void tell_entries(struct world *w, const struct owner *o, const struct seat *s,
			 enum slip slip)
{
	uint32_t did = s->at->did;

	if (slip == NO_ENTRY)
		return;
	flush_entry(w, o, s, s->sid + (slip == OTHER_SID ? 8 : 0), did);
	if (s->alias && slip != NO_ALIAS && o->mmu->kind != EV_DRIVER_REF)
		flush_entry(w, o, s, s->alias, did);
}

/* While others are in the domain, nobody needs its id flushed. */
static void tell_iotlb(struct world *w, const struct owner *o, const struct seat *s,
		       enum slip slip)
{
	uint32_t did = s->at->did + (slip == OTHER_DID ? 100 : 0);

	if (slip == NO_IOTLB || (s->at->people > 1 && chance(w, 2)))
		return;
	flush_whole(w, o, did, slip != OTHER_DID && chance(w, 6));
}

/* Flushed; or turned off, which empties it. */
static void tell_devtlb(struct world *w, const struct owner *o, struct seat *s, enum slip slip)
{
	if (!s->ats || slip == NO_DEVTLB)
		return;
	if (chance(w, 3)) {
		s->ats = false;
		send_device(w, o, s, false);
	} else {
		flush_devtlb(w, o, s, 0, 0, true);
	}
}

/* What the caches are told of @s leaving. */
static void tell_leaving(struct world *w, const struct owner *o, struct seat *s)
{
	enum slip slip = chance(w, 4) ? 1 + draw(w, SLIPS - 1) : SLIP_NONE;

	if (slip == IOTLB_FIRST)
		tell_iotlb(w, o, s, slip);
	if (slip == DEVTLB_FIRST)
		flush_devtlb(w, o, s, 0, 0, true);
	tell_entries(w, o, s, slip);
	if (slip != IOTLB_FIRST)
		tell_iotlb(w, o, s, slip);
	if (slip != DEVTLB_FIRST)
		tell_devtlb(w, o, s, slip);
}

static void seat_leave(struct world *w, struct owner *o, struct seat *s)
{
	struct place *from = s->at;

	send_tag(w, o, s, from, false);
	if (!--from->people && o->mmu->kind != EV_DRIVER_AMD)
		did_drop(o->mmu, from);
	s->at = NULL;
}

static void seat_enter(struct world *w, struct owner *o, struct seat *s, struct place *to)
{
	if (o->mmu->ats && !s->ats && chance(w, 2)) {
		s->ats = true;
		send_device(w, o, s, true);
	}
	did_take(o->mmu, to);
	send_tag(w, o, s, to, true);
	to->people++;
	s->at = to;
}

/* Memory of a mapping is freed while the device moves: nobody knows which came first. */
static void free_meanwhile(struct world *w, struct owner *o)
{
	struct mapping *m = &o->maps[draw(w, MAPPINGS)];

	if (!m->pages || m->freed || !chance(w, 6))
		return;
	m->freed = true;
	send_page_free(w, m->paddr, 1);
}

/* To @to; NULL: into the blocked domain, or (@how->release) out of the IOMMU. */
void relocate(struct world *w, struct owner *o, struct seat *s, struct place *to,
	      const struct move_of *how)
{
	uint64_t blocked = BLOCKED + (o->mmu - w->mmus) * 0x1000, begin_ns = begins(w);
	struct ev_attach r = { .op = op_at(begin_ns, ++w->ids, how->cause), .dev = s->dev,
			       .domain = to ? to->ptr : blocked, .group = s->group,
			       .old = s->at ? s->at->ptr : s->parked ? blocked : 0,
			       .pasid = EV_TAG_NO_PASID, .hook = HOOK_ATTACH };

	r.op.outer = how->outer;
	if (how->release) {
		r.domain = 0;
		r.hook = HOOK_RELEASE;
		EMIT(w, EV_ATTACH, r, 0);
	}
	free_meanwhile(w, o);
	if (s->at) {
		tell_leaving(w, o, s);
		seat_leave(w, o, s);
	}
	if (to)
		seat_enter(w, o, s, to);
	s->parked = !to;
	if (!how->release)
		EMIT(w, EV_ATTACH, r, 0);
}

/* ---- devices ---- */

static void send_resv(struct world *w, const struct owner *o, const struct seat *s)
{
	const struct ev_resv all[] = {
		{ .first = (o->limit - 13) * PAGE, .last = (o->limit - 11) * PAGE - 1,
		  .type = s->group % 2 ? EV_RESV_DIRECT : EV_RESV_RELAXABLE },
		{ .first = (o->limit - 8) * PAGE, .last = (o->limit - 6) * PAGE - 1,
		  .type = EV_RESV_RESERVED },
		{ .first = (o->limit - 3) * PAGE, .last = (o->limit - 2) * PAGE - 1,
		  .type = EV_RESV_MSI },
	};
	uint32_t i;

	for (i = 0; i < 3; i++) {
		struct ev_resv r = all[i];

		r.group = s->group;
		r.index = i;
		r.count = 3;
		EMIT(w, EV_RESV, r, 0);
	}
}

/* What firmware asked for. Fault: a page is forgotten. */
static void map_direct(struct world *w, struct owner *o, const struct seat *s)
{
	uint64_t page = o->limit - 13;
	struct map_call c = { .prot = 3, .pages = 1 };

	for (; page < o->limit - 11; page++) {
		if (chance(w, 8))
			continue;
		c.page = page;
		c.paddr = page * PAGE;
		send_map(w, o, &s->home, &c);
	}
}

static void send_alias(struct world *w, const struct seat *s)
{
	struct ev_alias r = { .dev = s->dev, .sid = s->alias };

	if (s->alias)
		EMIT(w, EV_ALIAS, r, 0);
}

/* It was heard from its birth on, and some driver has let go of it before. */
void seat_new(struct world *w, struct owner *o, struct seat *s)
{
	uint64_t nr = ++w->devices;
	struct ev_unbind unbind = { .dev = 0x100000 + nr * 0x100 };

	s->dev = unbind.dev;
	s->sid = nr * 8;
	s->group = nr;
	s->alias = chance(w, 2) ? s->sid | 0x8000 : 0;
	s->ats = o->mmu->ats && chance(w, 2);
	s->untrusted = o->mode == LAZY && chance(w, 8);
	s->at = NULL;
	s->parked = false;
	send_device(w, o, s, s->ats);
	send_alias(w, s);
	send_resv(w, o, s);
	EMIT(w, EV_UNBIND, unbind, 0);
	place_begin(w, o, &s->home, 0);
	relocate(w, o, s, &s->home, &(struct move_of){ 0 });
	map_direct(w, o, s);
}

/* The device leaves, and its domain with it, or some time later. Fault: it is still in it. */
static void seat_end(struct world *w, struct owner *o, struct seat *s)
{
	const struct move_of how = { .release = true };

	if (!chance(w, 10))
		relocate(w, o, s, NULL, &how);
	if (chance(w, 6))
		send_tick(w, 11000000000ULL);
	place_end(w, o, &s->home);
}

/* 7.x: while a device is reset it is blocked; refiommu has no such domain. */
void step_park(struct world *w, struct owner *o)
{
	struct seat *s = &o->seats[0];

	if (o->mmu->kind == EV_DRIVER_REF || o->mode > LAZY)
		return;
	relocate(w, o, s, s->at ? NULL : &s->home, &(struct move_of){ 0 });
}

/* The user goes, and the device with its domain. Fault of a driver: not all is unmapped. */
void step_replace(struct world *w, struct owner *o)
{
	bool sloppy = chance(w, 4);
	struct ev_unbind r = { .dev = o->seats[0].dev, .driver = "nvme" };
	unsigned int i;

	if (o->fresh || o->mode > LAZY || !o->seats[0].at)
		return;
	for (i = 0; i < MAPPINGS; i++)
		if (o->maps[i].pages && (!sloppy || chance(w, 2)))
			unmap_one(w, o, &o->maps[i]);
	EMIT(w, EV_UNBIND, r, 0);
	/* As a device that is pulled out may be reset before. */
	if (chance(w, 3)) {
		step_park(w, o);
		step_park(w, o);
	}
	seat_end(w, o, &o->seats[0]);
	memset(o->maps, 0, sizeof(o->maps));
	memset(o->gone, 0, sizeof(o->gone));
	memset(o->used, 0, sizeof(o->used));
	memset(o->waiting, 0, sizeof(o->waiting));
	memset(o->rest, 0, sizeof(o->rest));
	o->fresh = true;
	seat_new(w, o, &o->seats[0]);
}
