// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The random machine: address spaces of VFIO and of refiommu are opened, filled and left. */
#include "random.h"

#define SET_CONTAINER	0x3b68
#define REF_ATTACH	3	/* kernel/trace.h, REF_INTENT_ATTACH */
#define REF_SW_MSI	5

static unsigned int seats_in(const struct owner *o)
{
	unsigned int i, n = 0;

	for (i = 0; i < SEATS; i++)
		n += o->seats[i].at != &o->seats[i].home;
	return n;
}

static struct place *empty_place(struct owner *o)
{
	return o->user[0].alive ? &o->user[1] : &o->user[0];
}

static struct place *full_place(struct owner *o)
{
	return o->user[0].alive ? &o->user[0] : &o->user[1];
}

/* ---- replays ---- */

/* Perhaps something really is there. */
static int32_t map_refused(struct world *w, struct owner *o, const struct place *p,
			   struct map_call *c)
{
	static const int32_t errors[] = { -EEXIST, -ENOSPC, -ENOMEM, -EBUSY };

	if (chance(w, 2))
		send_map(w, o, p, c);
	c->ret = errors[draw(w, 4)];
	send_map(w, o, p, c);
	return c->ret;
}

/* What firmware asked for may be mapped in any domain. */
static void replay_direct(struct world *w, struct owner *o, const struct place *p, uint64_t cause)
{
	struct map_call c = { .page = o->limit - 13, .pages = 2, .cause = cause, .prot = 3 };

	c.paddr = c.page * PAGE;
	if (chance(w, 4) && pages_free(o, c.page, c.pages))
		send_map(w, o, p, &c);
}

/* Faults: a piece is forgotten, a page is too much, one is refused. */
static int32_t replay_pieces(struct world *w, struct owner *o, const struct place *p,
			     const struct mapping *m, uint64_t cause, uint64_t odds)
{
	struct map_call c = { .page = m->first, .cause = cause, .prot = prot_of(m->dir) };
	unsigned int i;

	for (i = 0; i < m->npieces; c.page += m->piece[i++]) {
		c.pages = m->piece[i];
		c.paddr = m->paddr + (c.page - m->first) * PAGE;
		if (chance(w, odds))
			return map_refused(w, o, p, &c);
		if (chance(w, odds))
			continue;
		if (chance(w, odds) && !o->used[c.page + c.pages])
			c.pages++;
		send_map(w, o, p, &c);
	}
	return 0;
}

/* Type1 undoes what it did of a slot, also where it had done nothing. */
static void undo(struct world *w, const struct place *p, const struct mapping *m, uint64_t cause)
{
	uint64_t pages = m->piece[m->npieces - 1];
	struct ev_unmap r = { .op = op_at(begins(w), 0, cause), .domain = p->ptr,
			      .iova = (m->first + m->pages - pages) * PAGE,
			      .size = pages * PAGE };

	EMIT(w, EV_UNMAP, r, EVF_FAST);
}

static int32_t replay(struct world *w, struct owner *o, const struct place *p, uint64_t cause)
{
	uint64_t odds = chance(w, 3) ? 30 : 1000000;
	int32_t ret = 0;
	unsigned int i;

	replay_direct(w, o, p, cause);
	for (i = 0; i < MAPPINGS && !ret; i++) {
		if (!o->maps[i].pages)
			continue;
		ret = replay_pieces(w, o, p, &o->maps[i], cause, odds);
		if (ret && o->mode == VFIO)
			undo(w, p, &o->maps[i], cause);
	}
	return ret;
}

/* ---- VFIO ---- */

static void vfio_told(struct world *w, const struct owner *o, const struct move_of *how,
		      uint64_t begin_ns, uint32_t cmd, int32_t ret)
{
	struct ev_vfio inner = { .op = op_at(begin_ns + 2, how->cause, how->outer), .ret = ret };
	struct ev_vfio outer = { .op = op_at(begin_ns, how->outer, 0), .container = o->box,
				 .cmd = cmd, .ret = ret };

	EMIT(w, EV_VFIO_ATTACH, inner, 0);
	EMIT(w, EV_VFIO_ATTACH, outer, 0);
}

/* A group enters: it joins a domain that is there, or gets one that is filled. */
static void vfio_enter(struct world *w, struct owner *o, struct seat *s)
{
	struct move_of how = { .outer = ++w->ids, .cause = ++w->ids };
	uint64_t begin_ns = begins(w);
	bool first = !seats_in(o), joins = !first && chance(w, 3);
	struct place *p = joins ? full_place(o) : empty_place(o);
	int32_t ret = 0;

	w->now += 10;
	if (!joins)
		place_begin(w, o, p, how.cause);
	relocate(w, o, s, p, &how);
	if (!joins && !first)
		ret = replay(w, o, p, how.cause);
	/* Pages cannot be pinned: no map is tried. */
	if (!joins && !first && !ret && chance(w, 20))
		ret = -ENOMEM;
	if (ret) {
		relocate(w, o, s, &s->home, &how);
		place_end(w, o, p);
	}
	vfio_told(w, o, &how, begin_ns, first ? VFIO_SET_IOMMU : SET_CONTAINER, ret);
}

/* ---- refiommu ---- */

static void tell_intent(struct world *w, const struct owner *o, uint32_t kind, uint64_t begin_ns,
			uint64_t id, uint64_t dev)
{
	struct ev_ref_intent r = { .op = op_at(begin_ns, id, 0), .dev = dev, .kind = kind,
				   .ioas = o->box };

	EMIT(w, EV_REF_INTENT, r, 0);
}

static void ref_step(struct world *w, const struct owner *o, const struct place *p,
		     struct ev_ref_replay r, uint64_t begin_ns)
{
	r.op.begin_ns = begin_ns;
	r.op.pid = r.op.tgid = 100;
	r.domain = p->ptr;
	r.ioas = o->box;
	EMIT(w, EV_REF_REPLAY, r, 0);
}

/* The window of software MSIs, with a page in it. Fault: nobody said that it is set up. */
static void ref_window(struct world *w, struct owner *o, const struct place *p, uint64_t id)
{
	uint64_t page = o->limit - 16;
	struct map_call c = { .page = page, .pages = 1, .paddr = 0xfee00000, .cause = id,
			      .prot = 2 };

	if (!chance(w, 3))
		return;
	ref_step(w, o, p, (struct ev_ref_replay){
		.op.cause = id, .first = page * PAGE, .last = (page + 2) * PAGE - 1,
		.step = EV_REPLAY_ENTRY, .type = REF_SW_MSI, .action = !chance(w, 10) }, begins(w));
	send_map(w, o, p, &c);
}

static void ref_fill(struct world *w, struct owner *o, const struct place *p, uint64_t cause)
{
	uint64_t id = ++w->ids, begin_ns = begins(w);
	struct ev_ref_replay r = { .op.id = id, .op.cause = cause, .op.outer = cause };

	ref_step(w, o, p, r, begin_ns);
	ref_window(w, o, p, id);
	r.step = EV_REPLAY_END;
	r.ret = replay(w, o, p, id);
	ref_step(w, o, p, r, begin_ns);
}

static void ref_enter(struct world *w, struct owner *o, struct seat *s)
{
	struct move_of how = { .cause = ++w->ids };
	uint64_t begin_ns;
	bool first = !seats_in(o), joins = !first && chance(w, 3);
	struct place *p = joins ? full_place(o) : empty_place(o);

	if (first) {
		o->box = ++w->boxes;
		tell_intent(w, o, EV_REF_ALLOC, begins(w), ++w->ids, 0);
	}
	begin_ns = begins(w);
	how.outer = how.cause;
	if (!joins) {
		place_begin(w, o, p, how.cause);
		ref_fill(w, o, p, how.cause);
	}
	relocate(w, o, s, p, &how);
	tell_intent(w, o, REF_ATTACH, begin_ns, how.cause, s->dev);
}

/* ---- both ---- */

static void unmap_all(struct world *w, struct owner *o)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		if (o->maps[i].pages)
			unmap_one(w, o, &o->maps[i]);
}

/* VFIO closes so: the device is out already, and nobody has to be told. */
static void unmap_after(struct world *w, struct owner *o, const struct place *p)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++) {
		struct ev_unmap r = { .op = op_at(begins(w), 0, 0), .domain = p->ptr,
				      .iova = o->maps[i].first * PAGE,
				      .size = o->maps[i].pages * PAGE,
				      .done = o->maps[i].pages * PAGE };

		if (r.size)
			EMIT(w, EV_UNMAP, r, EVF_FAST);
	}
}

static void space_end(struct world *w, struct owner *o)
{
	if (o->mode == IOAS)
		tell_intent(w, o, EV_REF_FREE, begins(w), ++w->ids, 0);
	memset(o->maps, 0, sizeof(o->maps));
	memset(o->gone, 0, sizeof(o->gone));
	memset(o->used, 0, sizeof(o->used));
	o->fresh = true;
}

static void space_leave(struct world *w, struct owner *o, struct seat *s)
{
	struct place *p = s->at;
	bool last = seats_in(o) == 1;

	if (last && chance(w, 2))
		unmap_all(w, o);
	relocate(w, o, s, &s->home, &(struct move_of){ 0 });
	if (!p->people) {
		if (last)
			unmap_after(w, o, p);
		place_end(w, o, p);
	}
	if (last)
		space_end(w, o);
}

void step_space(struct world *w, struct owner *o)
{
	struct seat *s = &o->seats[draw(w, SEATS)];

	if (o->mode <= LAZY)
		return;
	if (s->at != &s->home)
		space_leave(w, o, s);
	else if (o->mode == VFIO)
		vfio_enter(w, o, s);
	else
		ref_enter(w, o, s);
}
