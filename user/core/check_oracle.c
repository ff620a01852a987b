// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * oracle-differs: our walk of a page table, against what somebody else says who reads the same table: the kernel's
 * iommu_iova_to_phys(), Intel's dump in debugfs. Both were read while nothing changed (user/live/settle.c), so that one of
 * them reads the table wrong.
 *
 * iommu_iova_to_phys() is asked for single bytes: those of one run that differ alike are one finding, from the first
 * to the last of them.
 */
#include <errno.h>

#include "check.h"

struct look {
	const struct model *m;
	const struct op *op;
	struct report *rep;
	const struct domain *domain;
	struct finding f;	/* grows while @count */
	uint64_t count;
	enum diff_kind kind;
	enum book book;
	const struct walk_run *run;
};

static const char *what(enum diff_kind kind)
{
	switch (kind) {
	case DIFF_MISSING:
		return "only the other reading has it";
	case DIFF_EXTRA:
		return "only the walk has it";
	default:
		return "leads elsewhere";
	}
}

static int tell(struct look *l)
{
	if (!l->count)
		return 0;
	finding_dec(&l->f, l->book == BOOK_IOVA_TO_PHYS ? "addresses" : "pages", l->count);
	l->count = 0;
	return report_add(l->rep, &l->f);
}

static void tell_run(struct finding *f, const struct diff *d)
{
	const struct walk_run *r = d->run;

	finding_hex(f, "table_paddr", r->paddr + (d->first - r->iova));
	finding_hex(f, "run_iova", r->iova);
	finding_hex(f, "run_entry", r->raw);
	finding_hex(f, "entry_paddr", r->entry_paddr);
	finding_dec(f, "level", r->level);
}

static void begin(struct look *l, const struct diff *d)
{
	const struct book_area *a = d->area;
	struct finding *f = &l->f;

	check_begin(f, FINDING_ORACLE_DIFFERS, GRADE_VIOLATION, l->op, l->domain);
	check_range(f, d->first, d->last);
	f->device = domain_device(l->m, l->domain);
	finding_text(f, "what", what(d->kind));
	finding_text(f, "book", book_name(d->book));
	if (a && a->paddr != AREA_PADDR_UNKNOWN)
		finding_hex(f, "book_paddr", a->paddr + (d->first - a->first));
	if (d->run)
		tell_run(f, d);
	l->kind = d->kind;
	l->book = d->book;
	l->run = d->run;
}

static int found(void *arg, const struct diff *d)
{
	struct look *l = arg;
	int err = 0;

	if (!l->count || d->kind != l->kind || d->book != l->book || !d->run || d->run != l->run) {
		err = tell(l);
		begin(l, d);
	}
	l->f.last = d->last;
	l->count += ((d->last - d->first) >> 12) + 1;
	return err;
}

static int compare(struct look *l, const struct reading *r, enum book book)
{
	struct compared count;
	int err = reading_compare(r, book, found, l, &count);

	if (err == -ENOENT)
		return 0;
	l->rep->tally.unknown += count.flux;
	return err ?: tell(l);
}

static int read_before(const struct model *m, const struct op *op, struct report *rep)
{
	struct look l = { .m = m, .op = op, .rep = rep,
			  .domain = model_domain(m, op->u.read.domain) };

	/* Nothing is counted as unknown here: check_reading.c does that. */
	if (op->u.read.phase != EV_READ_END || !l.domain || m->reading_of != op->u.read.domain ||
	    (op->u.read.flags | l.domain->look.flags) & (EV_READ_CUT | EV_READ_UNKNOWN) ||
	    !model_reading_whole(m))
		return 0;
	return compare(&l, &m->reading, BOOK_IOVA_TO_PHYS) ?: compare(&l, &m->reading, BOOK_DEBUGFS);
}

const struct checker check_oracle = {
	.id = FINDING_ORACLE_DIFFERS,
	.kinds = KIND(EV_READ),
	.before = read_before,
};
