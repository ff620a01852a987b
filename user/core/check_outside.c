// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * map-outside: a map succeeded where its domain must have none: beyond what the IOMMU
 * translates, or in a reserved range of a device that is in the domain.
 *
 * What a reserved range means depends on who maps (include/linux/iommu.h, enum
 * iommu_resv_type). For a user's address space direct, reserved and MSI ranges are excluded, and
 * relaxable ones are the user's (vfio_iommu_resv_exclude(), iopt_table_enforce_dev_resv_regions()).
 * In a DMA domain the core maps direct ranges 1:1 (iommu_create_device_direct_mappings()), and
 * the IOVA allocator gives none of them away; but it knows those of a group's first device only
 * (iommu_dma_init_domain()), and gives addresses of software MSI windows away.
 *
 * Who maps without a known intent may do as he likes in a domain of his own: only the width
 * is a matter of fact. Rests on what was known before the map began.
 */
#include "check.h"

static int outside_found(const struct domain *d, const struct op *op, const char *what,
			 uint64_t first, uint64_t last, const struct resv *r, struct report *rep)
{
	static const char *const types[] = { "none", "direct", "direct-relaxable", "reserved", "msi" };
	struct finding f;

	check_begin(&f, FINDING_MAP_OUTSIDE, GRADE_VIOLATION, op, d);
	check_range(&f, first, last);
	finding_op(&f, "map", op);
	finding_text(&f, "what", what);
	finding_hex(&f, "map_iova", op->iova);
	finding_hex(&f, "map_last", op->last);
	if (!r) {
		finding_hex(&f, "aperture_start", d->aperture_start);
		finding_hex(&f, "aperture_end", d->aperture_end);
		finding_dec(&f, "width", d->width);
		return report_add(rep, &f);
	}
	f.device = r->dev->ptr;
	finding_text(&f, "type", r->type < 5 ? types[r->type] : "unknown");
	finding_hex(&f, "reserved_first", r->first);
	finding_hex(&f, "reserved_last", r->last);
	finding_dec(&f, "group", r->group);
	return report_add(rep, &f);
}

/* ---- what the IOMMU translates ---- */

static uint64_t reach(const struct domain *d)
{
	uint64_t width = d->width && d->width < 64 ? (1ULL << d->width) - 1 : UINT64_MAX;

	return width < d->aperture_end ? width : d->aperture_end;
}

static int beyond(const struct model *m, const struct domain *d, const struct op *op,
		  struct report *rep)
{
	uint64_t end = reach(d);

	if (!d->described_ns || !end || (op->iova >= d->aperture_start && op->last <= end))
		return 0;
	if (!model_sure_op(m, op) || d->described_ns >= op->begin) {
		rep->tally.unknown++;
		return 0;
	}
	if (op->last > end)
		return outside_found(d, op, "beyond what the IOMMU translates",
				     op->iova > end ? op->iova : end + 1, op->last, NULL, rep);
	return outside_found(d, op, "below what the IOMMU translates", op->iova,
			     op->last < d->aperture_start ? op->last : d->aperture_start - 1, NULL,
			     rep);
}

/* ---- reserved ranges ---- */

static bool hardware_msi(const struct device *dev)
{
	return dev->driver_kind == EV_DRIVER_VTD || dev->driver_kind == EV_DRIVER_AMD;
}

/* May nobody who allocates or is given addresses map there? */
static bool excluded(const struct domain *d, const struct resv *r, const struct op *op)
{
	if (!(d->type & DOMAIN_DMA_API))
		return r->type == EV_RESV_DIRECT || r->type == EV_RESV_RESERVED ||
		       r->type == EV_RESV_MSI;
	if (!r->alone)
		return false;
	if (r->type == EV_RESV_DIRECT || r->type == EV_RESV_RELAXABLE)
		return op->u.map.paddr != op->iova;
	return r->type == EV_RESV_RESERVED || (r->type == EV_RESV_MSI && hardware_msi(r->dev));
}

static bool known_before(const struct model *m, const struct domain *d, const struct resv *r,
			 const struct op *op)
{
	const struct binding *b = device_binding(r->dev, EV_TAG_NO_PASID);

	return b && b->domain == d && model_binding_sure(m, b) && b->since_ns < op->begin &&
	       r->since_ns < op->begin && model_sure_op(m, op) && op->cause;
}

static int reserved(const struct model *m, const struct domain *d, const struct op *op,
		    struct report *rep)
{
	const struct resv *r;
	uint32_t i;

	for (i = 0; i < d->nresv; i++) {
		r = &d->resv[i];
		if (!ranges_meet(r->first, r->last, op->iova, op->last) || !excluded(d, r, op))
			continue;
		if (known_before(m, d, r, op))
			return outside_found(d, op, "in a reserved range of a device",
					     r->first > op->iova ? r->first : op->iova,
					     r->last < op->last ? r->last : op->last, r, rep);
		rep->tally.unknown++;
	}
	return 0;
}

/* The device was leaving, or came, meanwhile: its ranges may not have been the domain's. */
static bool beside_move(void *arg, const struct finding *f)
{
	const struct op *op = arg;

	return f->id == FINDING_MAP_OUTSIDE && f->device == op->u.attach.dev &&
	       spans_meet(f->begin_ns, f->time_ns, op->begin, op->end);
}

static int outside_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d;
	int ret;

	if (op->kind == EV_ATTACH) {
		if (rep->newest_ns >= op->begin && !(op->flags & EVF_STATE))
			report_retract(rep, op->begin, beside_move, (void *)op);
		return 0;
	}
	d = model_domain(m, op->u.map.domain);
	if (!d || op->u.map.ret || op->empty || !(d->type & DOMAIN_PAGING))
		return 0;
	ret = beyond(m, d, op, rep);
	return ret ? ret : reserved(m, d, op, rep);
}

const struct checker check_outside = {
	.id = FINDING_MAP_OUTSIDE,
	.needs = NEED_MAP | NEED_ATTACH | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_MAP) | KIND(EV_ATTACH),
	.before = outside_before,
};
