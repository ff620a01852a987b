// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stale-after-switch: a device was moved out of a domain, and what the IOMMU had cached of that is
 * still good for it; or for the next domain that is given the same id.
 *
 * Between the begin and the end of the move there has to be
 *   VT-d, legacy     a context flush of the source id; then one of all of the old domain id
 *   VT-d, scalable   a PASID-cache flush; then the same
 *   AMD-Vi           INVALIDATE_DEVTAB_ENTRY; then the same
 *   refiommu         a context flush of the device
 * and a flush of the device's own TLB, if it has one and that is not turned off meanwhile.
 * The flush of the domain id is asked for if the last device behind it leaves: while another is in
 * the domain, its unmaps flush. What the device had for an address it takes from its entry, so a
 * domain's translations do harm only when its id is somebody's again.
 *
 * Where the device was is what was heard of it, not what the group says: a reset on 7.x parks a
 * device and leaves the group where it is. A device that leaves the IOMMU is told at the begin: it
 * is judged when its domain is freed, which is later in the same call, or after LEAVE_NS.
 *
 * VT-d specification 6.5.3.3, AMD-Vi specification 2.4.2; Linux, drivers/iommu/intel/iommu.c
 * (device_block_translation), intel/pasid.c (intel_pasid_tear_down_entry), amd/iommu.c
 * (detach_device) of 6.1, 6.12 and 7.2.
 */
#include "check.h"

/* A move, as it is judged. */
struct way {
	const struct device *dev;
	const struct domain *old;
	struct entry entry;
	uint64_t iommu;
	uint64_t begin;
	const struct flush *flushed;	/* the entry; NULL: it was not */
	const char *unflushed;		/* what it is called */
};

static const char *entry_words(const struct way *w)
{
	switch (w->entry.tables) {
	case ENTRY_PASID:
		return "PASID cache";
	case ENTRY_DEVTAB:
		return "device table entry";
	default:
		return "context cache";
	}
}

static bool has_entry(const struct way *w)
{
	/* A blocked device has none with VT-d; elsewhere it reaches nothing through it. */
	return w->dev->driver_kind == EV_DRIVER_REF || w->old->type != DOMAIN_BLOCKED;
}

static void way_entry(struct way *w, uint32_t did)
{
	const struct device *dev = w->dev;

	w->entry = (struct entry){
		.sid = dev->sid,
		.did = did,
		.pasid = EV_TAG_NO_PASID,
		.dev = dev->ptr,
		.tables = ENTRY_REF,
	};
	if (dev->driver_kind == EV_DRIVER_VTD)
		w->entry.tables = dev->scalable ? ENTRY_PASID : ENTRY_CONTEXT;
	if (dev->driver_kind == EV_DRIVER_AMD)
		w->entry.tables = ENTRY_DEVTAB;
	w->iommu = dev->mmu->ptr;
}

/* Is enough known of @dev to judge where its entry is, and what was told about it? */
static bool device_known(const struct model *m, const struct device *dev)
{
	static const uint32_t needs[] = {
		[EV_DRIVER_VTD] = NEED_VTD, [EV_DRIVER_AMD] = NEED_AMD, [EV_DRIVER_REF] = NEED_REF,
	};

	return dev->mmu && !dev->deferred && !(dev->flags & EV_DEV_PROXIED) &&
	       !(m->missing & needs[dev->driver_kind]) &&
	       (dev->sid != ~0U || dev->driver_kind == EV_DRIVER_REF);
}

static int report_way(const struct way *w, const char *what, enum cache_kind kind, uint32_t id,
		      const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, op, w->old);
	f.device = w->dev->ptr;
	f.iommu = w->iommu;
	f.cache_kind = kind;
	f.cache_id = id;
	finding_text(&f, "what", what);
	finding_op(&f, "switch", op);
	if (w->flushed)
		finding_ref(&f, "entry flushed", &(struct ref){ .kind = w->flushed->kind,
				.cpu = w->flushed->cpu, .seq = w->flushed->seq,
				.time_ns = w->flushed->end });
	if (w->entry.did != DID_UNKNOWN)
		finding_hex(&f, "did", w->entry.did);
	if (w->entry.sid != ~0U)
		finding_hex(&f, "sid", w->entry.sid);
	if (w->entry.pasid != EV_TAG_NO_PASID)
		finding_hex(&f, "pasid", w->entry.pasid);
	return report_add(rep, &f);
}

static int judge_entry(const struct model *m, struct way *w, const struct op *op,
		       struct report *rep)
{
	bool lost;

	w->flushed = entry_flush(m, &w->entry, w->iommu, w->begin, &lost);
	if (!w->flushed && lost) {
		rep->tally.unknown++;
		return 0;
	}
	rep->tally.switches++;
	if (w->flushed)
		return 0;
	return report_way(w, entry_words(w), CACHE_ENTRY,
			  w->dev->sid == ~0U ? 0 : w->dev->sid, op, rep);
}

/*
 * The entries of its aliases: other source ids that its DMA may come with. VT-d in scalable mode
 * makes entries for the device's own id only (6.12, pci_pasid_table_setup()).
 */
static int judge_aliases(const struct model *m, const struct way *w, const struct op *op,
			 struct report *rep)
{
	const struct device *dev = w->dev;
	struct way a = *w;
	unsigned int i;
	bool lost;
	int ret = 0;

	if (!(w->entry.tables & (ENTRY_CONTEXT | ENTRY_DEVTAB)))
		return 0;
	for (i = 0; i < dev->naliases && !ret; i++) {
		a.entry.sid = dev->aliases[i];
		if (entry_flush(m, &a.entry, w->iommu, w->begin, &lost) || lost)
			continue;
		ret = report_way(&a, dev->driver_kind == EV_DRIVER_AMD ?
				     "device table entry of an alias" :
				     "context cache of an alias",
				 CACHE_ENTRY, dev->aliases[i], op, rep);
	}
	return ret;
}

/* ---- the whole of the old domain id ---- */

/*
 * Turned off, which empties it, or flushed. All kernels in scalable mode, 6.12 and 7.2 in legacy mode,
 * too, ask the device whether it is still there, and do not flush if not: it was pulled out
 * (device_gone() makes a note of that), or is without power, and forgot what it had nobody knows when.
 */
static int judge_devtlb(const struct model *m, const struct way *w, const struct cache *c,
			const struct op *op, struct report *rep)
{
	const struct hook *h = &m->hooks[HOOK_ATS_OFF];

	if (!h->known || h->state != EV_HOOK_HEARD || w->dev->ats_off_ns >= w->begin ||
	    wide_since(&c->wide, w->flushed->begin))
		return 0;
	if (w->dev->flags & EV_DEV_COLD) {
		rep->tally.unknown++;
		return 0;
	}
	return report_way(w, "device TLB", CACHE_DEVTLB, c->sid, op, rep);
}

/* All of the domain id has to be flushed once nothing of it can be cached again. */
static int report_wide(const struct way *w, const struct wide_flush *wide, uint32_t did,
		       const struct op *op, struct report *rep)
{
	if (wide_since(wide, w->flushed->begin))
		return 0;
	return report_way(w, wide_since(wide, w->begin) ?
			     "IOTLB flushed before the entry, not after it" : "IOTLB",
			  CACHE_IOTLB, did, op, rep);
}

static int judge_cache(const struct model *m, const struct way *w, const struct cache *c,
		       const struct op *op, struct report *rep)
{
	if (c->domain != w->old || c->pasid != EV_TAG_NO_PASID || !model_cache_sure(m, c))
		return 0;
	if (c->kind == CACHE_DEVTLB)
		return judge_devtlb(m, w, c, op, rep);
	if (c->kind != CACHE_IOTLB || c->nusers != 1)
		return 0;
	return report_wide(w, &c->wide, c->did, op, rep);
}

static int judge_caches(const struct model *m, const struct way *w, const struct op *op,
			struct report *rep)
{
	const struct domain *to = model_domain(m, op->u.attach.domain);
	unsigned int i;
	int ret = 0;

	/* AMD-Vi keeps the device in the parent (7.2, nested_attach_device()). */
	if (w->dev->driver_kind == EV_DRIVER_AMD && to && to->type & DOMAIN_NESTED)
		return 0;
	if (w->dev->driver_kind == EV_DRIVER_REF)
		return 0;	/* flushed when the domain goes as well: judged by its id */
	for (i = 0; i < w->dev->ncaches && !ret; i++)
		ret = judge_cache(m, w, w->dev->caches[i], op, rep);
	return ret;
}

/* ---- moves ---- */

static bool move_sure(const struct model *m, const struct binding *b, const struct op *op)
{
	return !op->u.attach.ret && op->begin && b->domain->typed && model_sure_op(m, op) &&
	       epoch_sure(m, b->epoch, b->domain->sure_epoch);
}

static int judge_move(const struct model *m, const struct device *dev, const struct op *op,
		      struct report *rep)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);
	struct way w = { .dev = dev, .begin = op->begin };
	int ret;

	if (!b || !b->domain || b->domain->ptr == op->u.attach.domain)
		return 0;
	if (!move_sure(m, b, op) || !device_known(m, dev)) {
		rep->tally.unknown++;
		return 0;
	}
	w.old = b->domain;
	if (!has_entry(&w))
		return 0;
	way_entry(&w, device_did(m, dev, w.old));
	ret = judge_entry(m, &w, op, rep);
	if (ret || !w.flushed)
		return ret;
	ret = judge_aliases(m, &w, op, rep);
	return ret ?: judge_caches(m, &w, op, rep);
}

/*
 * The end of a PASID. While the device is blocked (a reset on 7.x), its PASIDs are so already and
 * nothing is sent.
 */
static int judge_pasid(const struct model *m, const struct device *dev, const struct op *op,
		       struct report *rep)
{
	const struct binding *b = device_binding(dev, op->u.attach.pasid);
	const struct binding *rid = device_binding(dev, EV_TAG_NO_PASID);
	struct way w = { .dev = dev, .begin = op->begin };

	if (!b || !b->domain || op->u.attach.domain || dev->driver_kind != EV_DRIVER_VTD)
		return 0;
	if (!move_sure(m, b, op) || !device_known(m, dev) || !dev->scalable ||
	    !(dev->flags & EV_DEV_PASID) || !rid || !rid->domain || !rid->domain->typed ||
	    !epoch_sure(m, rid->epoch, 0) || rid->domain->type == DOMAIN_BLOCKED) {
		rep->tally.unknown++;
		return 0;
	}
	w.old = b->domain;
	/* If its process has ended, the entry went then (intel_mm_release()). */
	if (w.old->type & DOMAIN_SVA)
		w.begin = b->since_ns;
	way_entry(&w, DID_UNKNOWN);
	w.entry.pasid = op->u.attach.pasid;
	return judge_entry(m, &w, op, rep);
}

struct gone {
	const struct device *dev;
	uint64_t since;
};

static bool was_devtlb(void *arg, const struct finding *f)
{
	const struct gone *g = arg;

	return f->id == FINDING_STALE_AFTER_SWITCH && f->device == g->dev->ptr &&
	       f->cache_kind == CACHE_DEVTLB && f->time_ns >= g->since;
}

/* Who leaves the IOMMU may have been pulled out some time ago. */
static void device_gone(const struct device *dev, const struct op *op, struct report *rep)
{
	struct gone g = { .dev = dev, .since = op->end > LEAVE_NS ? op->end - LEAVE_NS : 0 };

	if (rep->newest_ns >= g.since)
		report_soften(rep, g.since, was_devtlb, &g, FINDING_COUNT, "the device was on its way out");
}

static int switch_attach(const struct model *m, const struct op *op, struct report *rep)
{
	const struct device *dev = model_device(m, op->u.attach.dev);

	if (!dev || op->flags & EVF_STATE)
		return 0;
	/* Its flushes are still to come. */
	if (op->u.attach.hook == HOOK_RELEASE) {
		device_gone(dev, op, rep);
		return 0;
	}
	if (dev->driver_kind == EV_DRIVER_OTHER || dev->driver_kind > EV_DRIVER_REF)
		return 0;
	if (op->u.attach.pasid == EV_TAG_NO_PASID)
		return judge_move(m, dev, op, rep);
	return judge_pasid(m, dev, op, rep);
}

/* ---- devices that left the IOMMU ---- */

/* The domain id that it was the last to use. */
static int judge_ghost(const struct model *m, const struct way *w, const struct op *op,
		       struct report *rep)
{
	const struct leave *l = &w->dev->leave;
	const struct ghost *g = l->did == DID_UNKNOWN ? NULL : iommu_ghost(w->dev->mmu, l->did);

	if (!g || g->domain != l->domain || w->dev->driver_kind == EV_DRIVER_REF ||
	    !epoch_sure(m, g->epoch, 0))
		return 0;
	return report_wide(w, &g->wide, l->did, op, rep);
}

static int judge_leave(const struct model *m, const struct device *dev, const struct op *op,
		       struct report *rep)
{
	const struct leave *l = &dev->leave;
	struct way w = { .dev = dev, .old = l->domain, .begin = l->begin };
	struct op told = *op;
	int ret;

	if (!epoch_sure(m, l->epoch, 0) || !l->begin || !l->domain->typed ||
	    dev->driver_kind == EV_DRIVER_OTHER || dev->driver_kind > EV_DRIVER_REF ||
	    !device_known(m, dev)) {
		rep->tally.unknown++;
		return 0;
	}
	if (!has_entry(&w))
		return 0;
	told.kind = EV_ATTACH;
	told.cpu = l->cpu;
	told.seq = l->seq;
	told.pid = l->pid;
	way_entry(&w, l->did);
	ret = judge_entry(m, &w, &told, rep);
	if (ret || !w.flushed)
		return ret;
	ret = judge_aliases(m, &w, &told, rep);
	return ret ?: judge_ghost(m, &w, &told, rep);
}

static int judge_leaves(const struct model *m, const struct domain *d, const struct op *op,
			struct report *rep)
{
	const struct device *dev;
	int ret = 0;

	for (dev = m->first_device; dev && !ret; dev = dev->next) {
		if (!dev->leave.domain)
			continue;
		if (d ? dev->leave.domain == d : dev->leave.begin + LEAVE_NS < op->end)
			ret = judge_leave(m, dev, op, rep);
	}
	return ret;
}

static int switch_free(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.domain_op.domain);

	return d && !domain_op_static(op) ? judge_leaves(m, d, op, rep) : 0;
}

/* ---- domain ids ---- */

/*
 * An instance of refiommu belongs to a file, and its number is another's when that is closed: only
 * within one process it is surely the same.
 */
static bool same_iommu(const struct model *m, const struct ghost *g, uint64_t domain)
{
	const struct domain *d = model_domain(m, domain);

	return g->driver_kind != EV_DRIVER_REF || (d && d->tgid && d->tgid == g->domain->tgid);
}

static int switch_reuse(const struct model *m, uint64_t iommu, uint32_t did, uint64_t domain,
			const struct op *op, struct report *rep)
{
	const struct iommu *u = model_iommu(m, iommu);
	const struct ghost *g = u ? iommu_ghost(u, did) : NULL;
	struct finding f;

	if (!g || op->flags & EVF_STATE || g->domain == model_domain(m, domain) ||
	    wide_since(&g->wide, g->left_ns))
		return 0;
	if (!epoch_sure(m, g->epoch, 0) || !model_sure_op(m, op) || !same_iommu(m, g, domain)) {
		rep->tally.unknown++;
		return 0;
	}
	check_begin(&f, FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, op, g->domain);
	f.device = op->kind == EV_TAG ? op->u.tag.dev : op->u.ref_tag.dev;
	f.iommu = iommu;
	f.cache_kind = CACHE_IOTLB;
	f.cache_id = did;
	finding_text(&f, "what", "domain id reused");
	finding_ref(&f, "last device left", &(struct ref){ .kind = g->kind, .cpu = g->cpu,
			.seq = g->seq, .time_ns = g->told_ns });
	finding_op(&f, "id given to another", op);
	finding_hex(&f, "did", did);
	finding_hex(&f, "new_domain", domain);
	return report_add(rep, &f);
}

static int switch_tag(const struct model *m, const struct op *op, struct report *rep)
{
	const struct ev_ref_tag *r = &op->u.ref_tag;
	const struct ev_tag *t = &op->u.tag;

	if (op->kind == EV_TAG)
		return driver_heard(m, t->driver_kind) ?
		       switch_reuse(m, t->iommu, t->did, t->domain, op, rep) : 0;
	if (!r->assigned || !driver_heard(m, EV_DRIVER_REF))
		return 0;
	return switch_reuse(m, ref_iommu(r->instance), r->did, r->domain, op, rep);
}

static int switch_before(const struct model *m, const struct op *op, struct report *rep)
{
	switch (op->kind) {
	case EV_ATTACH:
		return switch_attach(m, op, rep);
	case EV_FREE:
		return switch_free(m, op, rep);
	case EV_MARK:
		return op->u.mark.kind == EV_MARK_TICK ? judge_leaves(m, NULL, op, rep) : 0;
	default:
		return switch_tag(m, op, rep);
	}
}

const struct checker check_switch = {
	.id = FINDING_STALE_AFTER_SWITCH,
	.needs = NEED_ATTACH | NEED_FREE | NEED_FLUSH | NEED_ALL,
	.kinds = KIND(EV_ATTACH) | KIND(EV_FREE) | KIND(EV_MARK) | KIND(EV_TAG) |
		 KIND(EV_REF_TAG),
	.before = switch_before,
};
