// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * table-missing, table-extra, table-differs: what a page table translates, against what somebody's book
 * says. Who took the reading has seen to it that both sides were still (user/live/settle.c); what never
 * was is in flux, and no difference. A book that was not read says nothing.
 */
#include "check.h"

static const enum finding_id ids[DIFF_KINDS] = {
	[DIFF_MISSING] = FINDING_TABLE_MISSING,
	[DIFF_EXTRA] = FINDING_TABLE_EXTRA,
	[DIFF_PADDR] = FINDING_TABLE_DIFFERS,
	[DIFF_PROT_LESS] = FINDING_TABLE_DIFFERS,
	[DIFF_PROT_MORE] = FINDING_TABLE_DIFFERS,
	[DIFF_BAD] = FINDING_TABLE_DIFFERS,
};

struct look {
	const struct model *m;
	const struct op *op;
	struct report *rep;
	const struct domain *domain;
};

static void tell_area(struct finding *f, const struct diff *d)
{
	const struct book_area *a = d->area;

	if (!a)
		return;
	if (a->paddr != AREA_PADDR_UNKNOWN)
		finding_hex(f, "book_paddr", a->paddr + (d->first - a->first));
	if (a->prot)
		finding_text(f, "book_prot", walk_prot_name(a->prot));
	if (a->vaddr)
		finding_hex(f, "vaddr", a->vaddr + (d->first - a->first));
	if (a->tgid)
		finding_dec(f, "pid", a->tgid);
}

static void tell_run(struct finding *f, const struct diff *d)
{
	const struct walk_run *r = d->run;

	if (!r)
		return;
	if (r->kind == WALK_LEAF) {
		finding_hex(f, "table_paddr", r->paddr + (d->first - r->iova));
		finding_text(f, "table_prot", walk_prot_name(r->prot));
	}
	/* Of a run only the first entry was kept. */
	if (d->first == r->iova) {
		finding_hex(f, "entry", r->raw);
		finding_hex(f, "entry_paddr", r->entry_paddr);
	} else {
		finding_hex(f, "run_iova", r->iova);
		finding_hex(f, "run_entry", r->raw);
	}
	finding_dec(f, "level", r->level);
}

static int found(void *arg, const struct diff *d)
{
	const struct look *l = arg;
	struct finding f;

	check_begin(&f, ids[d->kind], GRADE_VIOLATION, l->op, l->domain);
	check_range(&f, d->first, d->last);
	f.device = domain_device(l->m, l->domain);
	finding_text(&f, "what", diff_name(d->kind));
	finding_text(&f, "book", book_name(d->book));
	tell_area(&f, d);
	tell_run(&f, d);
	return report_add(l->rep, &f);
}

static int read_before(const struct model *m, const struct op *op, struct report *rep)
{
	struct look l = { m, op, rep, model_domain(m, op->u.read.domain) };
	struct compared count;
	unsigned int book;
	int ret = 0;

	if (op->u.read.phase != EV_READ_END || !l.domain || m->reading_of != op->u.read.domain)
		return 0;
	if (op->u.read.flags & (EV_READ_CUT | EV_READ_UNKNOWN) ||
	    l.domain->look.flags & EV_READ_UNKNOWN || !model_reading_whole(m)) {
		rep->tally.unknown++;
		return 0;
	}
	for (book = 0; book < BOOK_COUNT && !ret; book++) {
		if (book == BOOK_PROCESS || !(m->reading.books >> book & 1))
			continue;	/* that one is check_intent.c's */
		ret = reading_compare(&m->reading, book, found, &l, &count);
		rep->tally.unknown += count.flux;
	}
	return ret;
}

const struct checker check_reading = {
	.id = FINDING_TABLE_MISSING,
	.also = FINDS(FINDING_TABLE_EXTRA) | FINDS(FINDING_TABLE_DIFFERS),
	.kinds = KIND(EV_READ),
	.before = read_before,
};
