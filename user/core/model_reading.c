// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tables that were read, as records (bpf/event_read.h). One reading is gathered at a time, and lives until
 * the record behind its end; what remains of it are counts, with its domain. A reading of which a record is lost or odd
 * is not whole: what it lacks would look like a difference.
 */
#include <errno.h>

#include "model_priv.h"

#define FLUX_MAX 4096		/* spans of one reading: more, and all of it is in flux */

static void take_table(struct domain *d, const struct ev_read *r)
{
	d->look.format = r->format < WALK_FORMATS ? r->format : WALK_NONE;
	d->look.levels = r->levels;
	d->look.root = r->root;
	d->look.flags = r->flags | (r->format < WALK_FORMATS ? 0 : EV_READ_UNKNOWN);
	d->look.time_ns = r->h.time_ns;
}

static void take_facts(struct model *m, struct domain *d, const struct ev_read *r)
{
	m->reading.books = r->books & ((1U << BOOK_COUNT) - 1);
	m->reading.format = r->format < WALK_FORMATS ? r->format : WALK_NONE;
	take_table(d, r);
}

/* Before what was found: a book that is empty has no records. */
static int read_told(struct model *m, const struct ev_read *r)
{
	struct domain *d = model_domain(m, r->domain);

	if (d && m->reading_of == r->domain)
		take_facts(m, d, r);
	return 0;
}

static int read_begins(struct model *m, const struct ev_read *r)
{
	struct domain *d = r->domain ? domain_get(m, r->domain) : NULL;

	if (!r->domain)
		m->unknown++;
	if (!d)
		return r->domain ? -ENOMEM : 0;
	reading_drain(&m->reading);
	m->reading_of = r->domain;
	m->reading_epoch = m->sure_epoch;
	m->reading_odd = false;
	take_facts(m, d, r);
	if (r->flags & EV_READ_TRACED)
		return watch_open(m, d);
	watch_shut(m);
	return 0;
}

bool model_reading_whole(const struct model *m)
{
	return !m->reading_odd && m->reading_epoch == m->sure_epoch;
}

int apply_root(struct model *m, const struct op *op)
{
	const struct ev_root *r = &op->u.root;
	struct domain *d = r->domain ? model_domain(m, r->domain) : NULL;

	if (d && !(r->flags & (EV_ROOT_FLUX | EV_ROOT_DEFERRED)) &&
	    !(d->look.flags & EV_READ_UNKNOWN))
		d->look.roots++;
	return 0;
}

static void count_book(struct model *m, struct domain *d, enum book book)
{
	struct compared c;

	d->look.pages[book] = 0;
	if (!(m->reading.books >> book & 1))
		return;
	reading_compare(&m->reading, book, NULL, NULL, &c);
	d->look.pages[book] = c.pages;
	d->look.flux += c.flux;
}

static int read_ends(struct model *m, const struct op *op)
{
	const struct ev_read *r = &op->u.read;
	struct domain *d = model_domain(m, r->domain);
	unsigned int book;
	int err = 0;

	if (!d || m->reading_of != r->domain)
		return 0;
	take_table(d, r);
	if (!model_reading_whole(m))
		d->look.flags |= EV_READ_CUT;
	d->look.roots = 0;
	d->look.tables = r->tables;
	d->look.leaves = r->leaves;
	d->look.books = m->reading.books;
	d->look.flux = 0;
	for (book = 0; book < BOOK_COUNT; book++)
		count_book(m, d, book);
	if (m->watched == d)
		err = watch_judge(m, d, op);
	watch_shut(m);
	reading_drain(&m->reading);
	m->reading_of = 0;
	return err;
}

int apply_read(struct model *m, const struct op *op)
{
	m->judged = NULL;
	switch (op->u.read.phase) {
	case EV_READ_BEGIN:
		return read_begins(m, &op->u.read);
	case EV_READ_TABLE:
		return read_told(m, &op->u.read);
	case EV_READ_END:
		return read_ends(m, op);
	default:
		m->unknown++;
		return 0;
	}
}

static bool is_open(const struct model *m, uint64_t domain)
{
	return domain && m->reading_of == domain;
}

/* What is out of order was not written by us: it is left out. */
static int unless_odd(struct model *m, int err)
{
	if (err != -EINVAL)
		return err;
	m->unknown++;
	m->reading_odd = true;
	return 0;
}

int apply_run(struct model *m, const struct op *op)
{
	const struct ev_run *r = &op->u.run;

	return is_open(m, r->domain) ? unless_odd(m, reading_add_record(&m->reading, r)) : 0;
}

int apply_book(struct model *m, const struct op *op)
{
	const struct ev_book *b = &op->u.book;
	const struct book_area area = {
		.first = b->first, .last = b->last, .paddr = b->paddr, .vaddr = b->vaddr,
		.prot = b->prot, .tgid = b->tgid, .flags = b->flags & (AREA_DROPPED | AREA_HOLE),
	};

	if (!is_open(m, b->domain) || b->book >= BOOK_COUNT)
		return 0;
	return unless_odd(m, reading_add_area(&m->reading, b->book, &area));
}

int apply_span(struct model *m, const struct op *op)
{
	const struct ev_span *s = &op->u.span;
	struct reading *r = &m->reading;

	if (!is_open(m, s->domain))
		return 0;
	if (s->kind == EV_SPAN_DIRECT && r->ndirect < FLUX_MAX)
		return unless_odd(m, reading_add_direct(r, s->first, s->last));
	if (r->nflux < FLUX_MAX)
		return unless_odd(m, reading_add_flux(r, s->first, s->last));
	r->nflux = 0;
	return reading_add_flux(r, 0, UINT64_MAX);
}
