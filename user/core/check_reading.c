// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * table-missing, table-extra, table-differs: what a page table translates, against what somebody's book
 * says. Who took the reading has seen to it that both sides were still (user/live/settle.c); what never
 * was is in flux, and no difference. A book that was not read says nothing.
 *
 * Neighbours that differ in the same way are one finding: a range of pages that are anywhere in memory is still one
 * mistake. Its first part is told.
 */
#include "difference.h"

static const enum finding_id ids[DIFF_KINDS] = {
	[DIFF_MISSING] = FINDING_TABLE_MISSING,
	[DIFF_EXTRA] = FINDING_TABLE_EXTRA,
	[DIFF_PADDR] = FINDING_TABLE_DIFFERS,
	[DIFF_PROT_LESS] = FINDING_TABLE_DIFFERS,
	[DIFF_PROT_MORE] = FINDING_TABLE_DIFFERS,
	[DIFF_BAD] = FINDING_TABLE_DIFFERS,
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

/* A device's direct ranges stay mapped when it leaves a group that has others, and nothing tells them any more. */
static bool may_be_direct(const struct diff *d)
{
	return d->kind == DIFF_EXTRA && d->book == BOOK_IOVA && d->run->kind == WALK_LEAF &&
	       d->run->paddr == d->run->iova;
}

int differing_end(struct differing *l)
{
	if (!l->parts)
		return 0;
	if (l->parts > 1)
		finding_dec(&l->f, "parts", l->parts);
	l->parts = 0;
	return report_add(l->rep, &l->f);
}

/* Who mapped and unmapped the place last, as far as it was heard. */
static void tell_story(struct finding *f, const struct model *m, const struct domain *d, uint64_t iova)
{
	const struct range *r = range_first(&d->ranges, iova, iova);
	const struct past *p = d->watch ? model_past(m, d, iova) : NULL;

	if (p) {
		range_ref(f, &p->range);
		finding_ref(f, "unmap", &(struct ref){ .kind = EV_UNMAP, .cpu = p->cpu, .pid = p->pid,
				.seq = p->seq, .time_ns = p->end, .cause = p->cause });
	}
	if (r)
		range_ref(f, r);
}

static void begin(struct differing *l, const struct diff *d)
{
	bool direct = may_be_direct(d);
	struct finding *f = &l->f;

	check_begin(f, ids[d->kind], direct ? GRADE_EXPOSURE : GRADE_VIOLATION, l->op, l->domain);
	f->begin_ns = l->since_ns;
	check_range(f, d->first, d->last);
	f->device = domain_device(l->m, l->domain);
	finding_text(f, "what", direct ? "extra, one to one" : diff_name(d->kind));
	finding_text(f, "book", book_name(d->book));
	tell_area(f, d);
	tell_run(f, d);
	tell_story(f, l->m, l->domain, d->first);
	l->kind = d->kind;
	l->direct = direct;
}

/* Does @d go on where the last one ended, in the same way? Where it leads, and for whom, may be different. */
static bool goes_on(const struct differing *l, const struct diff *d)
{
	return l->parts && l->kind == d->kind && l->direct == may_be_direct(d) &&
	       l->f.last + 1 == d->first && d->kind != DIFF_BAD &&
	       l->f.begin_ns == l->since_ns;
}

int differing_add(struct differing *l, const struct diff *d)
{
	int err = 0;

	if (!goes_on(l, d)) {
		err = differing_end(l);
		begin(l, d);
	}
	l->f.last = d->last;
	l->parts++;
	return err;
}

static int found(void *arg, const struct diff *d)
{
	return differing_add(arg, d);
}

static int read_before(const struct model *m, const struct op *op, struct report *rep)
{
	struct differing l = { .m = m, .op = op, .rep = rep, .since_ns = op->begin,
			       .domain = model_domain(m, op->u.read.domain) };
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
		/* Those are check_intent.c's and check_oracle.c's. */
		if (book == BOOK_PROCESS || book_is_oracle(book) || !(m->reading.books >> book & 1))
			continue;
		ret = reading_compare(&m->reading, book, found, &l, &count) ?: differing_end(&l);
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
