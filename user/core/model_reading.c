// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tables that were read, as records (bpf/event_read.h). One reading is gathered at a time, and lives until
 * the record behind its end; what remains of it are counts, with its domain.
 */
#include <errno.h>

#include "model_priv.h"

#define FLUX_MAX 4096		/* spans of one reading: more, and all of it is in flux */

static void take_table(struct domain *d, const struct ev_read *r)
{
	d->look.format = r->format < WALK_FORMATS ? r->format : WALK_NONE;
	d->look.levels = r->levels;
	d->look.root = r->root;
	d->look.flags = r->flags;
	d->look.time_ns = r->h.time_ns;
}

static int read_begins(struct model *m, const struct ev_read *r)
{
	struct domain *d = domain_get(m, r->domain);

	if (!d)
		return -ENOMEM;
	reading_drain(&m->reading);
	m->reading.books = r->books & ((1U << BOOK_COUNT) - 1);
	m->reading.format = r->format < WALK_FORMATS ? r->format : WALK_NONE;
	m->reading_of = r->domain;
	take_table(d, r);
	return 0;
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

static int read_ends(struct model *m, const struct ev_read *r)
{
	struct domain *d = model_domain(m, r->domain);
	struct compared c;
	unsigned int book;

	if (!d || m->reading_of != r->domain)
		return 0;
	take_table(d, r);
	d->look.roots = 0;
	d->look.tables = r->tables;
	d->look.leaves = r->leaves;
	d->look.books = m->reading.books;
	d->look.flux = 0;
	for (book = 0; book < BOOK_COUNT; book++) {
		d->look.pages[book] = 0;
		if (!(m->reading.books >> book & 1))
			continue;
		reading_compare(&m->reading, book, NULL, NULL, &c);
		d->look.pages[book] = c.pages;
		d->look.flux += c.flux;
	}
	reading_drain(&m->reading);
	m->reading_of = 0;
	return 0;
}

int apply_read(struct model *m, const struct op *op)
{
	return op->u.read.phase == EV_READ_BEGIN ? read_begins(m, &op->u.read) :
						   read_ends(m, &op->u.read);
}

/* What is out of order was not written by us: it is left out. */
static int unless_odd(struct model *m, int err)
{
	if (err != -EINVAL)
		return err;
	m->unknown++;
	return 0;
}

int apply_run(struct model *m, const struct op *op)
{
	const struct ev_run *r = &op->u.run;
	const struct walk_run run = {
		.iova = r->iova, .last = r->last, .paddr = r->paddr, .raw = r->raw,
		.entry_paddr = r->entry_paddr, .level = r->level, .page_lg2 = r->page_lg2,
		.prot = r->prot,
		.kind = r->kind < WALK_KINDS ? r->kind : WALK_BAD_RESERVED,
	};

	return m->reading_of == r->domain ? unless_odd(m, reading_add_run(&m->reading, &run)) : 0;
}

int apply_book(struct model *m, const struct op *op)
{
	const struct ev_book *b = &op->u.book;
	const struct book_area area = {
		.first = b->first, .last = b->last, .paddr = b->paddr, .vaddr = b->vaddr,
		.prot = b->prot, .tgid = b->tgid,
	};

	if (m->reading_of != b->domain || b->book >= BOOK_COUNT)
		return 0;
	return unless_odd(m, reading_add_area(&m->reading, b->book, &area));
}

int apply_span(struct model *m, const struct op *op)
{
	const struct ev_span *s = &op->u.span;
	struct reading *r = &m->reading;

	if (m->reading_of != s->domain)
		return 0;
	if (s->kind == EV_SPAN_DIRECT && r->ndirect < FLUX_MAX)
		return unless_odd(m, reading_add_direct(r, s->first, s->last));
	if (r->nflux < FLUX_MAX)
		return unless_odd(m, reading_add_flux(r, s->first, s->last));
	r->nflux = 0;
	return reading_add_flux(r, 0, UINT64_MAX);
}
