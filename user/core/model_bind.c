// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Who is who: descriptions of devices and domains, generations, and where each device
 * (or PASID) translates. The state is read at the start, and again after a loss: what it
 * says replaces what is unsure, and what turns out to be wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_priv.h"

#define MOVES_MAX 4096

/* The state walk may have been preempted between reading a group and writing about it. */
#define STATE_LATE_NS 10000000ULL

/* A new one, or another one at its address: the group is not the one whose ranges were read. */
static bool device_is_news(const struct device *d, const struct ev_device *e)
{
	return !d->described || d->left || d->group != e->group ||
	       memcmp(d->name, e->name, sizeof(e->name));
}

/* The first record of a device, or of the next one at the address of one that has left. */
static void device_arrives(const struct model *m, struct device *d, const struct op *op)
{
	if (d->described && !d->left)
		return;
	d->born = m->attached && !(op->flags & EVF_STATE);
	if (!d->born)
		d->dma.known_epoch = 0;
}

int apply_device(struct model *m, const struct op *op)
{
	const struct ev_device *e = &op->u.device;
	struct device *d = device_get(m, e->dev);

	if (!d)
		return -ENOMEM;

	m->places++;
	device_arrives(m, d, op);
	if (device_is_news(d, e) && group_forget(m, e->group))
		return -ENOMEM;
	d->described = true;
	if ((d->left || d->group != e->group) && device_enter_group(m, d, e->group))
		return -ENOMEM;
	d->driver_kind = e->driver_kind;
	if (d->flags & ~e->flags & EV_DEV_ATS)
		d->ats_off_ns = op->end;
	d->flags = e->flags;
	if (d->sid != e->sid || memcmp(d->name, e->name, sizeof(e->name))) {
		/* Another device at this place. */
		d->naliases = 0;
		d->leave.domain = NULL;
	}
	d->deferred |= !!(e->flags & EV_DEV_DEFERRED);
	d->sid = e->sid;
	memcpy(d->name, e->name, sizeof(e->name));
	memcpy(d->driver, e->driver, sizeof(e->driver));
	return 0;
}

int apply_alias(struct model *m, const struct op *op)
{
	const struct ev_alias *e = &op->u.alias;
	struct device *d = device_get(m, e->dev);
	unsigned int i;

	if (!d)
		return -ENOMEM;
	for (i = 0; i < d->naliases && d->aliases[i] != e->sid; i++)
		;
	if (i == d->naliases && i < ALIASES_MAX && e->sid != d->sid)
		d->aliases[d->naliases++] = e->sid;
	return 0;
}

int apply_domain(struct model *m, const struct op *op)
{
	const struct ev_domain *e = &op->u.domain;
	struct domain *d = domain_get(m, e->domain);

	if (!d)
		return -ENOMEM;

	d->type = e->type;
	d->typed = true;
	d->pgsize_bitmap = e->pgsize_bitmap;
	d->aperture_start = e->aperture_start;
	d->aperture_end = e->aperture_end;
	d->width = e->flags & 0xff;
	d->described_ns = op->end;
	return 0;
}

static void bindings_drop(struct model *m, const struct domain *d)
{
	struct device *dev;
	unsigned int i;

	m->places++;
	for (dev = m->first_device; dev && model_step(m); dev = dev->next) {
		for (i = 0; i < dev->nbindings; i++) {
			if (dev->bindings[i].domain != d)
				continue;
			dev->bindings[i].domain = NULL;
			dev->bindings[i].epoch = 0;
		}
	}
}

static void domain_end(struct model *m, struct domain *d)
{
	bindings_drop(m, d);
	leaves_end(m, d);
	while (d->caches)
		cache_destroy(m, d->caches);
	ranges_clear(&d->ranges);
	watch_free(m, d);
	if (m->reading_of == d->ptr)
		m->reading_of = 0;
	d->nresv = 0;
	d->nreplaced = 0;
	d->dead = true;
	d->died_ns = m->now;
	containers_leave(m, d);
}

int apply_alloc(struct model *m, const struct op *op)
{
	struct domain *d = model_domain(m, op->u.domain_op.domain);

	if (domain_op_static(op))
		return 0;
	/* One allocation may be heard twice, by a function and the one around it. */
	if (d && d->born && !d->n.maps && !d->n.attaches && !d->caches)
		return 0;
	if (d)
		domain_end(m, d);
	d = domain_get(m, op->u.domain_op.domain);
	if (!d)
		return -ENOMEM;

	d->born = true;
	d->whole_epoch = model_sure_op(m, op) ? m->epoch : 0;
	d->tgid = op->tgid;
	d->type = op->u.domain_op.type;
	d->typed = true;
	return 0;
}

int apply_free(struct model *m, const struct op *op)
{
	struct domain *d;

	if (domain_op_static(op))
		return 0;
	d = domain_get(m, op->u.domain_op.domain);
	if (!d)
		return -ENOMEM;

	domain_end(m, d);
	return 0;
}

struct binding *device_binding(const struct device *d, uint32_t pasid)
{
	unsigned int i;

	for (i = 0; i < d->nbindings; i++) {
		if (d->bindings[i].pasid == pasid)
			return &d->bindings[i];
	}
	return NULL;
}

static struct binding *binding_get(struct device *d, uint32_t pasid)
{
	struct binding *b = device_binding(d, pasid);

	if (b)
		return b;
	b = realloc(d->bindings, (d->nbindings + 1) * sizeof(*b));
	if (!b)
		return NULL;
	d->bindings = b;
	b += d->nbindings++;
	memset(b, 0, sizeof(*b));
	b->pasid = pasid;
	return b;
}

static int move_note(struct device *dev, const struct op *op, const struct domain *d)
{
	struct move *v;

	if (dev->nmoves == MOVES_MAX)
		return 0;
	if (dev->nmoves == dev->moves_room) {
		v = realloc(dev->moves, (dev->moves_room * 2 + 4) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		dev->moves = v;
		dev->moves_room = dev->moves_room * 2 + 4;
	}
	v = &dev->moves[dev->nmoves++];
	*v = (struct move){
		.begin = op->begin,
		.end = op->end,
		.domain = d ? d->ptr : 0,
		.gen = d ? d->gen : 0,
		.pasid = op->u.attach.pasid,
		.ret = op->u.attach.ret,
		.stated = op->flags & EVF_STATE,
	};
	return 0;
}

static void bind_to(struct model *m, struct binding *b, struct domain *d, const struct op *op)
{
	b->domain = d;
	b->since_ns = op->end;
	b->outer = op->outer;
	b->seq = op->seq;
	b->cpu = op->cpu;
	b->pid = op->pid;
	b->epoch = model_sure_op(m, op) ? m->epoch : 0;
}

/* With a device filter, a domain is heard only while a wanted device uses it. */
static void doubt_unfollowed(struct model *m, struct domain *d, const struct op *op)
{
	if (d && m->filter & EV_FILTER_DEVICE && !(op->flags & EVF_STATE))
		d->sure_epoch = ++m->epoch;
}

/* The group of a device that leaves has fewer ranges; their domains have others. */
static int resv_moved(struct model *m, struct device *dev, struct domain *old,
		      struct domain *d, const struct op *op)
{
	if (op->u.attach.pasid != EV_TAG_NO_PASID)
		return 0;
	if (op->u.attach.hook == HOOK_RELEASE && !(op->flags & EVF_STATE)) {
		device_leave_group(m, dev);	/* told at the begin: it may be read once more */
		if (group_forget(m, dev->group))
			return -ENOMEM;
	}
	if (old && old != d && domain_resv_update(m, old))
		return -ENOMEM;
	return d ? domain_resv_update(m, d) : 0;
}

/*
 * A reset on 7.x (pci_dev_reset_iommu_prepare()) blocks the device, then takes its PASIDs out of
 * their domains, and puts them back afterwards: by calls that nobody hears. Meanwhile nothing is
 * flushed for them. Who blocks a device otherwise leaves its PASIDs where they are.
 */
static void pasids_blocked(struct model *m, struct device *dev, const struct domain *d,
			   const struct op *op)
{
	if (d && d->typed && d->type == DOMAIN_BLOCKED && op->u.attach.pasid == EV_TAG_NO_PASID)
		device_doubt_pasids(m, dev);
}

static int attach_done(struct model *m, struct device *dev, struct domain *d,
		       struct binding *b, const struct op *op)
{
	struct domain *old;

	m->places++;
	doubt_unfollowed(m, d, op);
	if (op->u.attach.ret) {
		b->epoch = 0;
		device_doubt_caches(m, dev);
		return 0;
	}
	old = b->domain;
	bind_to(m, b, d, op);
	if (resv_moved(m, dev, old, d, op))
		return -ENOMEM;
	device_leave_caches(m, dev, d, op->u.attach.pasid);
	pasids_blocked(m, dev, d, op);
	if (op->flags & EVF_STATE)
		return 0;
	dev->n.attaches++;
	if (d)
		d->n.attaches++;
	return cause_attach(m, d, op);
}

/* A move that was heard just now says more than the walk, which may have read before it. */
bool state_is_late(const struct model *m, const struct device *dev, uint32_t pasid,
		   const struct op *op)
{
	const struct binding *b = device_binding(dev, pasid ?: EV_TAG_NO_PASID);

	return op->flags & EVF_STATE && dev->moved_ns && b && model_binding_sure(m, b) &&
	       op->end < dev->moved_ns + STATE_LATE_NS;
}

/* The walk found the device where it was known to be: no move, but sure from now on. */
static bool state_agrees(struct model *m, struct binding *b, const struct domain *d,
			 const struct op *op)
{
	if (!(op->flags & EVF_STATE) || op->u.attach.ret || !b->domain || b->domain != d)
		return false;
	if (!model_binding_sure(m, b))
		bind_to(m, b, b->domain, op);
	return true;
}

/*
 * It was somewhere that was not heard of. 6.1 sets a group's domain before the first device enters
 * it: there a new device comes from where it goes to, as one does whose attach was deferred.
 */
static bool was_elsewhere(const struct device *dev, const struct ev_attach *e)
{
	return e->old && (e->old != e->domain || dev->deferred);
}

int apply_attach(struct model *m, const struct op *op)
{
	const struct ev_attach *e = &op->u.attach;
	struct device *dev = device_get(m, e->dev);
	struct domain *d = e->domain ? domain_get(m, e->domain) : NULL;
	struct binding *b = dev ? binding_get(dev, e->pasid) : NULL;

	if (!b || (e->domain && !d))
		return -ENOMEM;
	if (dev->group != e->group && device_enter_group(m, dev, e->group))
		return -ENOMEM;
	if (!b->domain && was_elsewhere(dev, e))
		dev->born = false;
	if (state_is_late(m, dev, e->pasid, op))
		return 0;
	if (d && !e->ret)
		device_renew_caches(m, dev, d, op);
	if (state_agrees(m, b, d, op))
		return 0;
	if (!(op->flags & EVF_STATE))
		dev->moved_ns = op->end;
	if (move_note(dev, op, d))
		return -ENOMEM;
	intent_note(m, op, e->dev);
	if (e->hook == HOOK_RELEASE && !(op->flags & EVF_STATE))
		leave_begin(m, dev, op);
	else if (e->pasid == EV_TAG_NO_PASID && !(op->flags & EVF_STATE) && !e->ret)
		dev->deferred = false;
	return attach_done(m, dev, d, b, op);
}

uint64_t domain_granule(const struct domain *d)
{
	return d->pgsize_bitmap ? d->pgsize_bitmap & -d->pgsize_bitmap : 4096;
}

uint64_t domain_device(const struct model *m, const struct domain *d)
{
	const struct device *dev;
	const struct binding *b;

	for (dev = m->first_device; dev; dev = dev->next) {
		b = device_binding(dev, EV_TAG_NO_PASID);
		if (b && b->domain == d)
			return dev->ptr;
	}
	return 0;
}
