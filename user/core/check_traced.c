// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * table-missing, table-extra, table-differs against the recording itself: what events say is mapped where,
 * and the table. The only book that knows where the addresses of the DMA API lead. Whether both sides were
 * still is judged by the model (watch.h, model_traced.c); here it is told.
 */
#include "difference.h"

static int tell_suspect(struct differing *l, const struct suspect *s)
{
	const struct diff diff = {
		.kind = s->kind, .book = BOOK_MODEL, .first = s->first, .last = s->last,
		.area = s->area.first <= s->area.last ? &s->area : NULL,
		.run = s->run.iova <= s->run.last ? &s->run : NULL,
	};

	l->since_ns = s->seen_ns;
	return differing_add(l, &diff);
}

static int told(const struct model *m, const struct op *op, struct report *rep)
{
	struct differing l = { .m = m, .op = op, .rep = rep,
			       .domain = model_domain(m, op->u.read.domain) };
	const struct watch *w = l.domain ? l.domain->watch : NULL;
	size_t i;
	int ret = 0;

	if (!w || m->judged != l.domain)
		return 0;
	for (i = 0; i < w->nsuspects && !ret; i++) {
		if (w->suspects[i].state == SUSPECT_STANDS)
			ret = tell_suspect(&l, &w->suspects[i]);
		else if (w->suspects[i].state != SUSPECT_NEW)
			rep->tally.unknown++;
	}
	return ret ?: differing_end(&l);
}

static bool is_against_trace(const struct finding *f)
{
	unsigned int i;

	for (i = 0; i < f->ndetails; i++)
		if (f->details[i].text == book_name(BOOK_MODEL))
			return true;
	return false;
}

static bool is_explained(void *arg, const struct finding *f)
{
	const struct op *op = arg;
	uint64_t domain = op->kind == EV_MAP ? op->u.map.domain : op->u.unmap.domain;

	return f->domain == domain && f->ranged && op->begin <= f->begin_ns && ranges_meet(f->iova, f->last, op->iova, op->last) &&
	       is_against_trace(f);
}

/* A call that was under way at the first reading, longer than who counts calls has patience for (live/ops.h). */
static int call_before(const struct model *m, const struct op *op, struct report *rep)
{
	(void)m;
	if (op->kind != EV_READ && !op->empty && op->begin && rep->newest_ns >= op->begin)
		report_fold(rep, op->begin, is_explained, (void *)op);
	return 0;
}

const struct checker check_traced = {
	.id = FINDING_TABLE_MISSING,
	.also = FINDS(FINDING_TABLE_EXTRA) | FINDS(FINDING_TABLE_DIFFERS),
	.kinds = KIND(EV_READ) | KIND(EV_MAP) | KIND(EV_UNMAP),
	.before = call_before,
	.after = told,
};
