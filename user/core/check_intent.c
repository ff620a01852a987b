// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * intent-differs: the page that an IOVA reaches, against the one behind the process address of its slot (VFIO's, iommufd's). A
 * process may put another page there after the map (it unmaps, discards, punches, moves): what the table has is
 * still pinned, so that is an exposure. If it is not pinned, the device reaches memory of somebody else.
 *
 * Who took the reading has seen whether it is pinned (core/intent.h): AREA_DROPPED.
 *
 * Pages that are neighbours in IOVA and in the process are one finding, wherever they are in memory.
 */
#include <errno.h>

#include "check.h"

struct look {
	const struct model *m;
	const struct op *op;
	struct report *rep;
	const struct domain *domain;
	struct finding f;	/* grows while @pages */
	uint64_t pages;
	uint64_t vaddr;		/* of the page behind it */
	uint32_t tgid;
	uint32_t flags;
};

static uint64_t vaddr_of(const struct diff *d)
{
	return d->area->vaddr + (d->first - d->area->first);
}

static int tell(struct look *l)
{
	if (!l->pages)
		return 0;
	finding_dec(&l->f, "pages", l->pages);
	l->pages = 0;
	return report_add(l->rep, &l->f);
}

static void begin(struct look *l, const struct diff *d)
{
	bool dropped = d->area->flags & AREA_DROPPED;
	struct finding *f = &l->f;

	check_begin(f, FINDING_INTENT_DIFFERS, dropped ? GRADE_VIOLATION : GRADE_EXPOSURE, l->op,
		    l->domain);
	check_range(f, d->first, d->last);
	f->device = domain_device(l->m, l->domain);
	finding_text(f, "what", dropped ? "not pinned" : "userspace moved it");
	finding_text(f, "book", book_name(d->book));
	finding_hex(f, "book_paddr", d->area->paddr + (d->first - d->area->first));
	finding_hex(f, "vaddr", vaddr_of(d));
	finding_dec(f, "pid", d->area->tgid);
	finding_hex(f, "table_paddr", d->run->paddr + (d->first - d->run->iova));
	finding_hex(f, "entry", d->run->raw);
	finding_hex(f, "entry_paddr", d->run->entry_paddr);
	finding_dec(f, "level", d->run->level);
	l->tgid = d->area->tgid;
	l->flags = d->area->flags;
}

static int found(void *arg, const struct diff *d)
{
	struct look *l = arg;
	int err = 0;

	if (d->kind != DIFF_PADDR)
		return 0;
	if (!l->pages || l->f.last + 1 != d->first || l->vaddr != vaddr_of(d) ||
	    l->tgid != d->area->tgid || l->flags != d->area->flags) {
		err = tell(l);
		begin(l, d);
	}
	l->f.last = d->last;
	l->pages += ((d->last - d->first) >> 12) + 1;
	l->vaddr = vaddr_of(d) + (d->last - d->first) + 1;
	return err;
}

static int read_before(const struct model *m, const struct op *op, struct report *rep)
{
	struct look l = { .m = m, .op = op, .rep = rep,
			  .domain = model_domain(m, op->u.read.domain) };
	struct compared count;
	int err;

	if (op->u.read.phase != EV_READ_END || !l.domain || m->reading_of != op->u.read.domain ||
	    op->u.read.flags & EV_READ_CUT)
		return 0;
	err = reading_compare(&m->reading, BOOK_PROCESS, found, &l, &count);
	if (err == -ENOENT)
		return 0;
	rep->tally.unknown += count.flux;
	return err ?: tell(&l);
}

const struct checker check_intent = {
	.id = FINDING_INTENT_DIFFERS,
	.kinds = KIND(EV_READ),
	.before = read_before,
};
