// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * VFIO containers: the slots userspace asked for, and the domains that its calls
 * touched. A slot is dropped when an unmap that succeeded asked for any part of it:
 * type1 version 1 removes whole slots, version 2 refuses to cut one.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_priv.h"

struct slot *slot_first(const struct container *c, uint64_t iova, uint64_t last)
{
	struct slot *s = omap_floor(&c->slots, last);

	if (!s || s->last < iova)
		return NULL;
	if (s->iova <= iova)
		return s;

	s = omap_floor(&c->slots, iova);
	if (s && s->last >= iova)
		return s;
	return omap_ceil(&c->slots, iova);
}

struct slot *slot_after(const struct container *c, const struct slot *s, uint64_t last)
{
	return s->last < last ? slot_first(c, s->last + 1, last) : NULL;
}

static void slot_drop(struct container *c, struct slot *s)
{
	omap_del(&c->slots, s->iova);
	c->nslots--;
	c->bytes -= s->last - s->iova + 1;
	free(s);
}

static void slots_drop(struct container *c, uint64_t iova, uint64_t last)
{
	struct slot *s;

	while ((s = slot_first(c, iova, last)))
		slot_drop(c, s);
}

void container_slots_free(struct container *c)
{
	slots_drop(c, 0, UINT64_MAX);
	omap_clear(&c->slots);
}

static int slot_add(struct model *m, struct container *c, const struct op *op)
{
	struct slot *s = malloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (slot_first(c, op->iova, op->last))
		c->whole_epoch = 0;	/* type1 maps over nothing: something was not heard */
	slots_drop(c, op->iova, op->last);
	*s = (struct slot){
		.iova = op->iova,
		.last = op->last,
		.vaddr = op->u.vfio.vaddr,
		.id = op->id,
		.begin = op->begin,
		.end = op->end,
		.seq = op->seq,
		.flags = op->u.vfio.vfio_flags,
		.tgid = op->tgid,
		.pid = op->pid,
		.epoch = model_sure_op(m, op) ? m->epoch : 0,
		.cpu = op->cpu,
	};
	if (omap_put(&c->slots, s->iova, s)) {
		free(s);
		return -ENOMEM;
	}
	c->nslots++;
	c->bytes += s->last - s->iova + 1;
	c->maps++;
	return 0;
}

static void container_learn(struct container *c, const struct cause *cause)
{
	unsigned int i;

	for (i = 0; cause && i < cause->ndomains; i++) {
		if (!cause->domains[i]->dead)
			domains_touch(c->domains, &c->ndomains, cause->domains[i]);
	}
}

/* An unmap that failed half way leaves slots that nobody can be sure of. */
static void unmap_slots(struct container *c, const struct op *op)
{
	uint64_t bytes = c->bytes;
	struct slot *s;

	if (op->u.vfio.vfio_flags & VFIO_UNMAP_VADDR || op->empty)
		return;
	c->unmaps++;
	if (!op->u.vfio.ret) {
		slots_drop(c, op->iova, op->last);
		/* Slots that the kernel kept, or had and we did not know. */
		if (bytes - c->bytes != op->u.vfio.done)
			c->whole_epoch = 0;
		return;
	}
	for (s = slot_first(c, op->iova, op->last); s; s = slot_after(c, s, op->last))
		s->epoch = 0;
}

/*
 * The begin of a container's use: VFIO_SET_IOMMU opens the driver, and is refused while it has
 * one. It loses the driver, and with it all slots, when its last group leaves.
 */
static void container_begin(struct model *m, struct container *c, const struct op *op)
{
	slots_drop(c, 0, UINT64_MAX);
	c->ndomains = 0;
	c->whole_epoch = model_sure_op(m, op) ? m->epoch : 0;
}

static bool maps_slot(const struct op *op)
{
	return op->kind == EV_VFIO_MAP && !op->u.vfio.ret && !op->empty &&
	       !(op->u.vfio.vfio_flags & VFIO_MAP_VADDR);
}

/* Return: was @d in it, and is no domain left alive? */
static bool container_lost(const struct container *c, const struct domain *d)
{
	bool was_in = false;
	unsigned int i;

	for (i = 0; i < c->ndomains; i++) {
		if (!c->domains[i]->dead)
			return false;
		was_in |= c->domains[i] == d;
	}
	return was_in;
}

/*
 * With its last group a container loses its mappings (vfio_iommu_unmap_unpin_all()), unless it
 * has emulated devices; and its address may be another container's next.
 */
void containers_leave(struct model *m, const struct domain *d)
{
	struct container *c;

	for (c = m->first_container; c; c = c->next) {
		if (container_lost(c, d))
			c->sure_epoch = ++m->epoch;
	}
}

int apply_vfio(struct model *m, const struct op *op)
{
	struct container *c;
	int ret = 0;

	intent_note(m, op, op->u.vfio.container);
	if (op->kind == EV_VFIO_ATTACH && !op->u.vfio.ret)
		cause_replayed(m, op->id);
	if (!op->u.vfio.container) {
		/* Of one that nobody could name: its slots would mix with those of others. */
		if (op->kind == EV_VFIO_ATTACH)
			ret = cause_hand_up(m, op->id, op->cause);
		cause_done(m, op->id);
		return ret;
	}
	c = container_get(m, op->u.vfio.container);
	if (!c)
		return -ENOMEM;
	if (op->kind == EV_VFIO_ATTACH && op->u.vfio.cmd == VFIO_SET_IOMMU && !op->u.vfio.ret)
		container_begin(m, c, op);
	container_learn(c, model_cause(m, op->id));
	if (vfio_unread(op)) {
		c->sure_epoch = ++m->epoch;
		m->unknown++;
	}
	if (maps_slot(op))
		ret = slot_add(m, c, op);
	if (op->kind == EV_VFIO_UNMAP)
		unmap_slots(c, op);
	cause_done(m, op->id);
	return ret;
}
