// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * replay-missing when DMA ownership is given back: the group returns to its default domain, which
 * kept its mappings. Nothing is replayed, and nothing may have gone: least of all the direct ranges,
 * which the device uses without being told (iommu_create_device_direct_mappings(); they are
 * rounded up to whole pages at both ends).
 *
 * Judged where the device was in that domain before, since 6.1 maps the ranges after the first
 * attach only; and for a group of one device, whose ranges are its own.
 */
#include "check.h"

#define UP(x, mask)	(((x) + (mask)) & ~(uint64_t)(mask))

static bool was_there(const struct device *dev, const struct domain *d, const struct op *op)
{
	unsigned int i;

	for (i = 0; i < dev->nmoves; i++) {
		const struct move *v = &dev->moves[i];

		if (v->domain == d->ptr && v->gen == d->gen && !v->ret && v->end < op->begin)
			return true;
	}
	return false;
}

/* Return: true and the first part of a direct range that is not mapped. */
static bool lost(const struct domain *d, const struct resv *r, uint64_t *first, uint64_t *last)
{
	uint64_t mask = domain_granule(d) - 1;
	const struct range *in;

	if (r->last >= UINT64_MAX - mask)
		return false;
	*first = UP(r->first, mask);
	*last = UP(r->last + 1, mask) - 1;
	while (*first <= *last) {
		in = range_first(&d->ranges, *first, *last);
		if (!in)
			return true;
		if (in->iova > *first) {
			*last = in->iova - 1;
			return true;
		}
		if (in->last >= *last)
			return false;
		*first = in->last + 1;
	}
	return false;
}

static int handback_found(const struct domain *d, const struct resv *r, const struct op *op,
			  uint64_t first, uint64_t last, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_REPLAY_MISSING, GRADE_VIOLATION, op, d);
	check_range(&f, first, last);
	f.device = op->u.attach.dev;
	finding_op(&f, "attach", op);
	finding_text(&f, "what", "direct range of a device that came back");
	finding_hex(&f, "reserved_first", r->first);
	finding_hex(&f, "reserved_last", r->last);
	return report_add(rep, &f);
}

static int handback_after(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.attach.domain);
	const struct device *dev = model_device(m, op->u.attach.dev);
	uint64_t first, last;
	uint32_t i;
	int ret = 0;

	if (!d || !dev || op->flags & EVF_STATE || op->u.attach.ret ||
	    op->u.attach.pasid != EV_TAG_NO_PASID || !(d->type & DOMAIN_DMA_API) ||
	    !was_there(dev, d, op))
		return 0;
	for (i = 0; i < d->nresv && !ret; i++) {
		const struct resv *r = &d->resv[i];

		if (r->dev != dev || !r->alone || r->since_ns >= op->begin ||
		    (r->type != EV_RESV_DIRECT && r->type != EV_RESV_RELAXABLE))
			continue;
		if (!model_sure_op(m, op) || !model_domain_whole(m, d))
			rep->tally.unknown++;
		else if (lost(d, r, &first, &last))
			ret = handback_found(d, r, op, first, last, rep);
	}
	return ret;
}

const struct checker check_handback = {
	.id = FINDING_REPLAY_MISSING,
	.needs = NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_ATTACH),
	.after = handback_after,
};
