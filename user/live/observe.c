// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/observe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire.h"
#include "live/clock.h"
#include "live/reserved.h"
#include "live/root_record.h"
#include "live/settle.h"

#define PAGE_LAST 0xfffULL

/* What a reading said of a domain's table. */
struct said {
	uint64_t domain;
	struct walk_table table;
};

struct look {
	struct peek *p;
	const struct observe_options *opt;
	observe_sink sink;
	void *arg;
	struct peek_device *devices;
	size_t count, room;
	bool *wanted;		/* of each device: do the options let it in? */
	struct said *said;	/* room for one of each device */
	size_t nsaid;
	uint64_t seq;
};

static int say(struct look *l, void *rec, uint16_t type, uint16_t len)
{
	struct ev_hdr *h = rec;

	h->type = type;
	h->len = len;
	h->cpu = EV_CPU_USER;
	h->flags = EVF_STATE;
	h->time_ns = now_ns();
	h->seq = l->seq++;
	return l->sink(l->arg, h);
}

/* ---- devices ---- */

static int is_of(void *arg, const struct peek_area *area)
{
	return area->tgid == *(const uint32_t *)arg;
}

/* Has process @tgid mapped something in the domain of @dev? */
static bool has_mapped(struct peek *p, uint32_t tgid, const struct peek_device *dev)
{
	struct peek_owner owner = { .owner = dev->owner, .group_at = dev->group_at,
				    .domain = dev->domain };
	struct peek_book book = { .domain = dev->domain, .to = UINT64_MAX };

	return dev->owner && !peek_owner(p, &owner) && peek_has_book(&owner) &&
	       peek_owned(p, &owner, &book, is_of, &tgid) == 1;
}

static bool lets_in(const struct look *l, const struct peek_device *dev)
{
	const struct observe_options *o = l->opt;

	return (!o->device || host_is_called(dev, o->device)) &&
	       (o->group < 0 || o->group == dev->group) &&
	       (!o->tgid || has_mapped(l->p, o->tgid, dev));
}

static bool is_wanted(const struct look *l, const struct peek_device *dev)
{
	return l->wanted[dev - l->devices];
}

static int choose(struct look *l)
{
	size_t i;

	l->wanted = calloc(l->count + 1, sizeof(*l->wanted));
	l->said = calloc(l->count + 1, sizeof(*l->said));
	if (!l->wanted || !l->said)
		return -ENOMEM;
	for (i = 0; i < l->count; i++)
		l->wanted[i] = lets_in(l, &l->devices[i]);
	return 0;
}

static int keep_device(void *arg, const struct peek_device *dev)
{
	struct look *l = arg;

	if (l->count == l->room) {
		size_t room = l->room * 2 + 64;
		void *more = reallocarray(l->devices, room, sizeof(*dev));

		if (!more)
			return -ENOMEM;
		l->devices = more;
		l->room = room;
	}
	l->devices[l->count++] = *dev;
	return 0;
}

static int say_device(struct look *l, const struct peek_device *dev)
{
	struct ev_device d = { .dev = dev->dev, .group = dev->group, .driver_kind = dev->kind,
			       .flags = dev->ev_flags, .sid = dev->sid };
	struct ev_attach a = { .dev = dev->dev, .domain = dev->domain, .group = dev->group,
			       .pasid = EV_TAG_NO_PASID, .hook = HOOK_NONE };

	memcpy(d.name, dev->name, sizeof(d.name));
	memcpy(d.driver, dev->driver, sizeof(d.driver));
	return say(l, &d, EV_DEVICE, sizeof(d)) ?:
	       dev->domain ? say(l, &a, EV_ATTACH, sizeof(a)) : 0;
}

/* ---- one domain ---- */

/* iommu_create_device_direct_mappings() maps whole pages, also where the firmware ends a range inside of one. */
static int add_direct(void *arg, const struct reserved *r)
{
	struct settled *s = arg;

	return strncmp(r->kind, "direct", 6) ? 0 :
	       reading_add_direct(&s->reading, r->first, r->last | PAGE_LAST);
}

/* Reserved ranges and owner, of all devices in the domain. */
static int fill_domain(struct look *l, struct settled *s)
{
	size_t i;
	int err = 0;

	for (i = 0; i < l->count && !err; i++) {
		const struct peek_device *dev = &l->devices[i];

		if (dev->domain != s->domain.at.domain)
			continue;
		if (s->domain.at.type & DOMAIN_DMA_API)
			err = reserved_read(dev->group, add_direct, s) == -ENOMEM ? -ENOMEM : 0;
		if (err || !dev->owner || s->owner.book)
			continue;
		s->owner.owner = dev->owner;
		s->owner.group_at = dev->group_at;
		s->owner.domain = dev->domain;
		err = peek_owner(l->p, &s->owner);
	}
	return err;
}

static struct ev_read read_of(const struct settled *s, uint32_t phase)
{
	const struct walk_window *w = &s->domain.table.windows[0];

	return (struct ev_read){
		.domain = s->domain.at.domain, .begin_ns = s->begin_ns, .root = w->root,
		.tables = s->walked.tables, .leaves = s->walked.leaves, .phase = phase,
		.format = s->domain.table.format, .levels = w->levels, .flags = s->flags,
		.books = s->reading.books,
	};
}

static int say_runs(struct look *l, const struct settled *s)
{
	const struct reading *r = &s->reading;
	int err = 0;
	size_t i;

	for (i = 0; i < r->nruns && !err; i++) {
		const struct walk_run *run = &r->runs[i];
		struct ev_run rec = {
			.domain = s->domain.at.domain, .iova = run->iova, .last = run->last,
			.paddr = run->paddr, .raw = run->raw, .entry_paddr = run->entry_paddr,
			.level = run->level, .page_lg2 = run->page_lg2, .prot = run->prot,
			.kind = run->kind,
		};

		err = say(l, &rec, EV_RUN, sizeof(rec));
	}
	return err;
}

static int say_book(struct look *l, const struct settled *s, enum book book)
{
	const struct reading *r = &s->reading;
	int err = 0;
	size_t i;

	for (i = 0; i < r->nareas[book] && !err; i++) {
		const struct book_area *a = &r->areas[book][i];
		struct ev_book rec = {
			.domain = s->domain.at.domain, .first = a->first, .last = a->last,
			.paddr = a->paddr, .vaddr = a->vaddr, .book = book, .prot = a->prot,
			.tgid = a->tgid, .flags = a->flags,
		};

		err = say(l, &rec, EV_BOOK, sizeof(rec));
	}
	return err;
}

static int say_spans(struct look *l, const struct settled *s, const struct read_span *spans,
		     size_t count, uint32_t kind)
{
	int err = 0;
	size_t i;

	for (i = 0; i < count && !err; i++) {
		struct ev_span rec = { .domain = s->domain.at.domain, .first = spans[i].first,
				       .last = spans[i].last, .kind = kind };

		err = say(l, &rec, EV_SPAN, sizeof(rec));
	}
	return err;
}

static int say_reading(struct look *l, const struct settled *s)
{
	struct ev_read begin = read_of(s, l->opt->traced ? EV_READ_TABLE : EV_READ_BEGIN), end = read_of(s, EV_READ_END);
	const struct reading *r = &s->reading;
	unsigned int book;
	int err = say(l, &begin, EV_READ, sizeof(begin));

	for (book = 0; book < BOOK_COUNT && !err; book++)
		err = say_book(l, s, book);
	return err ?: say_spans(l, s, r->direct, r->ndirect, EV_SPAN_DIRECT) ?:
		      say_spans(l, s, r->flux, r->nflux, EV_SPAN_FLUX) ?: say_runs(l, s) ?:
		      say(l, &end, EV_READ, sizeof(end));
}

static int say_domain(struct look *l, const struct peek_domain *at)
{
	struct ev_domain d = {
		.domain = at->domain, .ops = at->ops, .pgsize_bitmap = at->pgsize_bitmap,
		.aperture_start = at->aperture_start, .aperture_end = at->aperture_end,
		.type = at->type, .flags = at->width,
	};

	return say(l, &d, EV_DOMAIN, sizeof(d));
}

/* A device in @domain that is behind VT-d, or NULL. */
static const char *vtd_device(const struct look *l, uint64_t domain)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (l->devices[i].domain == domain && l->devices[i].kind == EV_DRIVER_VTD)
			return l->devices[i].name;
	return NULL;
}

/* Nested and SVA domains have a table that is not the kernel's. */
static uint32_t without_table(const struct host_domain *d)
{
	if (!(d->at.type & ~DOMAIN_PT))
		return EV_READ_NO_TABLE;
	return d->table.format == WALK_NONE ? EV_READ_UNKNOWN : 0;
}

struct finding_user {
	const struct look *l;
	uint64_t domain;
};

static int is_user(void *arg, const struct peek_device *dev)
{
	const struct finding_user *f = arg;
	size_t i;

	for (i = 0; i < f->l->count && dev->domain == f->domain; i++)
		if (f->l->devices[i].dev == dev->dev && f->l->devices[i].domain == f->domain)
			return 1;
	return 0;
}

/*
 * A domain that all devices have left may be freed, and its table be anything by now. One that a device is in before
 * and after was there all the time.
 */
static bool is_used(struct look *l, uint64_t domain)
{
	struct finding_user f = { .l = l, .domain = domain };

	return peek_devices(l->p, is_user, &f) == 1;
}

static int read_domain(struct look *l, struct settled *s)
{
	int err;

	s->flags |= without_table(&s->domain);
	if (s->flags & (EV_READ_NO_TABLE | EV_READ_UNKNOWN))
		return 0;
	s->oracle = l->opt->oracle;
	if (s->oracle) {
		oracle_begin(s->oracle, vtd_device(l, s->domain.at.domain));
		s->flags |= EV_READ_ORACLE;
	}
	err = fill_domain(l, s) ?: settle(l->p, s);
	if (!is_used(l, s->domain.at.domain))
		s->flags |= EV_READ_CUT;
	return err;
}

/* Before the domain is asked for anything: what is not known yet comes with EV_READ_TABLE. */
static int say_begin(struct look *l, const struct settled *s, uint64_t domain)
{
	struct ev_read begin = { .domain = domain, .begin_ns = s->begin_ns, .phase = EV_READ_BEGIN,
				 .flags = s->flags };

	return l->opt->traced ? say(l, &begin, EV_READ, sizeof(begin)) : 0;
}

static int look_at_domain(struct look *l, uint64_t domain, uint32_t kind)
{
	struct settled s = { .begin_ns = now_ns(), .expected = l->opt->expected,
			     .traced = l->opt->traced,
			     .flags = l->opt->traced ? EV_READ_TRACED : 0 };
	int err = say_begin(l, &s, domain) ?: host_domain(l->p, domain, kind, &s.domain);

	if (!err)
		err = say_domain(l, &s.domain.at);
	if (!err)
		err = read_domain(l, &s);
	if (!err)
		err = say_reading(l, &s);
	if (!err)
		l->said[l->nsaid++] = (struct said){ domain, s.domain.table };
	reading_drain(&s.reading);
	return err;
}

/* ---- roots ---- */

#define ROOT_TRIES 50
#define ROOT_WAIT_US 2000
#define ROOT_HOLDS 3		/* times that a difference must hold */

struct finding_device {
	uint64_t dev;
	struct peek_device *out;
	bool found;
};

static int is_same(void *arg, const struct peek_device *dev)
{
	struct finding_device *f = arg;

	if (dev->dev != f->dev)
		return 0;
	*f->out = *dev;
	f->found = true;
	return 1;
}

/* Is @dev still in the same domain, and not being moved? */
static bool stays(struct look *l, const struct peek_device *dev)
{
	struct peek_device now;
	struct finding_device f = { .dev = dev->dev, .out = &now };

	return peek_devices(l->p, is_same, &f) == 1 && f.found && now.domain == dev->domain &&
	       now.flags == dev->flags;
}

/* 1: *@rec agrees with the books, whose *@table it is; 0: it does not; -errno. */
static int read_root(struct look *l, const struct peek_device *dev, struct ev_root *rec,
		     struct walk_table *table)
{
	struct host_domain domain;
	struct settled s = { 0 };
	struct ev_read books;
	struct root root;
	int err;

	err = host_domain(l->p, dev->domain, dev->kind, &domain) ?: host_root(l->p, dev, &root);
	if (err)
		return err;
	root_record(l->p, &domain, &root, rec);
	s.domain = domain;
	s.flags = without_table(&domain);
	*table = domain.table;
	books = read_of(&s, EV_READ_END);
	return !root_difference(domain.at.type, &books, rec);
}

static const struct walk_table *said_of(const struct look *l, uint64_t domain)
{
	size_t i;

	for (i = 0; i < l->nsaid; i++)
		if (l->said[i].domain == domain)
			return &l->said[i].table;
	return NULL;
}

static int look_at_root(struct look *l, const struct peek_device *dev)
{
	struct ev_root rec = { .dev = dev->dev, .domain = dev->domain };
	const struct walk_table *said = said_of(l, dev->domain);
	struct walk_table table = { 0 };
	int i, err = 0, held = 0;

	if (!dev->domain || dev->flags & PEEK_DEV_PARKED)
		return 0;
	for (i = 0; i < ROOT_TRIES && !err && held < ROOT_HOLDS; i++) {
		err = read_root(l, dev, &rec, &table);
		if (!err)
			held = stays(l, dev) ? held + 1 : 0;
		if (!err && held < ROOT_HOLDS)
			usleep(ROOT_WAIT_US);
	}
	if (err == -EOPNOTSUPP || err == -EFAULT || err == -EAGAIN)
		return 0;
	if (err < 0)
		return err;
	if (!err && held < ROOT_HOLDS)
		rec.flags |= EV_ROOT_FLUX;
	/* The table has grown since its reading, which says the old root. */
	if (said && memcmp(said, &table, sizeof(table)))
		rec.flags |= EV_ROOT_FLUX;
	if (dev->ev_flags & EV_DEV_DEFERRED)
		rec.flags |= EV_ROOT_DEFERRED;
	return say(l, &rec, EV_ROOT, sizeof(rec));
}

/* ---- the whole ---- */

/* Is this the first wanted device of its domain? */
static bool is_first(const struct look *l, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (l->devices[i].domain == l->devices[at].domain && is_wanted(l, &l->devices[i]))
			return false;
	return true;
}

static int look_at_all(struct look *l, size_t *seen)
{
	struct ev_mark mark = { .kind = EV_MARK_ATTACHED };
	int err = say(l, &mark, EV_MARK, sizeof(mark));
	size_t i;

	for (i = 0, *seen = 0; i < l->count && !err; i++) {
		const struct peek_device *dev = &l->devices[i];

		if (!is_wanted(l, dev))
			continue;
		++*seen;
		err = say_device(l, dev);
		if (!err && dev->domain && is_first(l, i))
			err = look_at_domain(l, dev->domain, dev->kind);
		if (!err)
			err = look_at_root(l, dev);
	}
	mark.kind = EV_MARK_STATE;
	return err ?: say(l, &mark, EV_MARK, sizeof(mark));
}

int observe(struct peek *p, const struct observe_options *opt, observe_sink sink, void *arg,
	    size_t *seen)
{
	struct look l = { .p = p, .opt = opt, .sink = sink, .arg = arg };
	int again = peek_devices(p, keep_device, &l), err = again == -EAGAIN ? 0 : again;

	if (!err)
		err = choose(&l) ?: look_at_all(&l, seen);
	free(l.wanted);
	free(l.said);
	free(l.devices);
	return err ?: again;
}
