// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

void snapshot_init(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
}

void snapshot_drain(struct snapshot *s)
{
	size_t i;

	for (i = 0; i < s->ndomains; i++)
		reading_drain(&s->domains[i].table);
	omap_clear(&s->domain_at);
	omap_clear(&s->device_at);
	free(s->domains);
	free(s->devices);
	snapshot_init(s);
}

/* One more of @size bytes behind the last in *@array, zeroed. */
static void *append(void **array, size_t *count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	char *bigger = *array;

	if (*count == *room) {
		bigger = reallocarray(*array, more, size);
		if (!bigger)
			return NULL;
		*array = bigger;
		*room = more;
	}
	return memset(bigger + (*count)++ * size, 0, size);
}

static size_t index_at(const struct omap *m, uint64_t ptr)
{
	return (uintptr_t)omap_get(m, ptr);
}

/* Index + 1 of the domain, which is new if need be; 0: no memory. */
static size_t domain_at(struct snapshot *s, uint64_t ptr)
{
	size_t at = index_at(&s->domain_at, ptr);
	struct snap_domain *d;

	if (at)
		return at;
	d = append((void **)&s->domains, &s->ndomains, &s->domains_room, sizeof(*d));
	if (!d)
		return 0;
	d->ptr = ptr;
	if (!omap_put(&s->domain_at, ptr, (void *)(uintptr_t)s->ndomains))
		return s->ndomains;
	s->ndomains--;
	return 0;
}

static struct snap_device *device_get(struct snapshot *s, uint64_t ptr)
{
	size_t at = index_at(&s->device_at, ptr);
	struct snap_device *dev;

	if (at)
		return &s->devices[at - 1];
	dev = append((void **)&s->devices, &s->ndevices, &s->devices_room, sizeof(*dev));
	if (!dev)
		return NULL;
	dev->ptr = ptr;
	if (!omap_put(&s->device_at, ptr, (void *)(uintptr_t)s->ndevices))
		return dev;
	s->ndevices--;
	return NULL;
}

/* ---- who is where ---- */

static int take_device(struct snapshot *s, const struct ev_device *r)
{
	struct snap_device *dev = device_get(s, r->dev);

	if (!dev)
		return -ENOMEM;
	memcpy(dev->name, r->name, sizeof(r->name));
	memcpy(dev->driver, r->driver, sizeof(r->driver));
	dev->group = r->group;
	dev->described = true;
	return 0;
}

static int take_attach(struct snapshot *s, const struct ev_attach *r)
{
	struct snap_device *dev;

	if (r->pasid != EV_TAG_NO_PASID || r->ret)
		return 0;
	dev = device_get(s, r->dev);
	if (!dev)
		return -ENOMEM;
	dev->domain_ptr = r->domain;
	return !r->domain || domain_at(s, r->domain) ? 0 : -ENOMEM;
}

static int take_domain(struct snapshot *s, const struct ev_domain *r)
{
	size_t at = domain_at(s, r->domain);

	if (!at)
		return -ENOMEM;
	s->domains[at - 1].type = r->type;
	return 0;
}

/* ---- what is in it ---- */

static enum snap_state state_of(uint32_t flags)
{
	if (flags & EV_READ_NO_TABLE)
		return SNAP_NONE;
	if (flags & EV_READ_UNKNOWN)
		return SNAP_UNKNOWN;
	return flags & EV_READ_CUT ? SNAP_CUT : SNAP_READ;
}

static int read_begins(struct snapshot *s, const struct ev_read *r)
{
	size_t at = domain_at(s, r->domain);

	if (!at)
		return -ENOMEM;
	reading_drain(&s->domains[at - 1].table);
	s->domains[at - 1].state = SNAP_UNREAD;
	s->reading_of = at;
	return 0;
}

/* The domain whose reading is going on, if it is this one. */
static struct snap_domain *being_read(struct snapshot *s, uint64_t ptr)
{
	struct snap_domain *d = s->reading_of ? &s->domains[s->reading_of - 1] : NULL;

	if (d && d->ptr == ptr)
		return d;
	s->odd++;
	return NULL;
}

static void read_ends(struct snapshot *s, const struct ev_read *r)
{
	struct snap_domain *d = being_read(s, r->domain);

	if (!d)
		return;
	s->reading_of = 0;
	d->root = r->root;
	d->leaves = r->leaves;
	d->format = r->format < WALK_FORMATS ? r->format : WALK_NONE;
	d->levels = r->levels;
	d->table.nflux = spans_order(d->table.flux, d->table.nflux);
	if (d->state != SNAP_ODD)
		d->state = state_of(r->flags);
}

static int unless_odd(struct snapshot *s, struct snap_domain *d, int err)
{
	if (err != -EINVAL)
		return err;
	s->odd++;
	d->state = SNAP_ODD;
	return 0;
}

static int take_run(struct snapshot *s, const struct ev_run *r)
{
	struct snap_domain *d = being_read(s, r->domain);

	return d ? unless_odd(s, d, reading_add_record(&d->table, r)) : 0;
}

static int take_span(struct snapshot *s, const struct ev_span *r)
{
	struct snap_domain *d = being_read(s, r->domain);

	if (!d || r->kind != EV_SPAN_FLUX)
		return 0;
	return unless_odd(s, d, reading_add_flux(&d->table, r->first, r->last));
}

static int take(struct snapshot *s, const struct op *op)
{
	switch (op->kind) {
	case EV_DEVICE:
		return take_device(s, &op->u.device);
	case EV_ATTACH:
		return take_attach(s, &op->u.attach);
	case EV_DOMAIN:
		return take_domain(s, &op->u.domain);
	case EV_READ:
		if (op->u.read.phase == EV_READ_BEGIN)
			return read_begins(s, &op->u.read);
		if (op->u.read.phase == EV_READ_END)
			read_ends(s, &op->u.read);
		return 0;
	case EV_RUN:
		return take_run(s, &op->u.run);
	case EV_SPAN:
		return take_span(s, &op->u.span);
	case EV_MARK:
		s->whole |= op->u.mark.kind == EV_MARK_STATE;
		return 0;
	default:
		return 0;
	}
}

int snapshot_take(struct snapshot *s, const void *buf, size_t len)
{
	struct op op;

	if (wire_next(buf, len, &op) <= 0) {
		s->odd++;
		return 0;
	}
	return take(s, &op);
}

/* ---- all of it ---- */

static int compare_devices(const void *a, const void *b)
{
	const struct snap_device *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->ptr < y->ptr ? -1 : x->ptr > y->ptr;
}

void snapshot_finish(struct snapshot *s)
{
	size_t i, n = 0, at;

	for (i = 0; i < s->ndevices; i++) {
		if (!s->devices[i].described)
			continue;
		at = index_at(&s->domain_at, s->devices[i].domain_ptr);
		s->devices[n] = s->devices[i];
		s->devices[n++].domain = at ? &s->domains[at - 1] : NULL;
	}
	s->ndevices = n;
	if (n)
		qsort(s->devices, n, sizeof(*s->devices), compare_devices);
	omap_clear(&s->device_at);
}
