// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * replay-refused: what an address space means did not get into a domain, and whoever asked was
 * told. Legal, but a hypervisor that only logs it goes on with a device that sees less
 * than its guest: an exposure, with the errno. Only if something was said to be in the way,
 * in a domain where surely nothing was, the kernel is wrong: a violation.
 *
 * A user's map is one, too, if the container is full (ENOSPC; type1's dma_entry_limit is 65,535):
 * a hypervisor replays its guest's tables by such maps.
 */
#include "check.h"

/* include/uapi/asm-generic/errno-base.h, errno.h: the kernel's numbers, wherever this runs */
#define KERNEL_ENOMEM		(-12)
#define KERNEL_EFAULT		(-14)
#define KERNEL_EBUSY		(-16)
#define KERNEL_EEXIST		(-17)
#define KERNEL_ENOSPC		(-28)
#define KERNEL_EADDRINUSE	(-98)

static bool in_the_way(int32_t err)
{
	return err == KERNEL_EEXIST || err == KERNEL_EBUSY || err == KERNEL_EADDRINUSE;
}

/* @c: with a map that failed inside @op */
static int refused_map(const struct cause *c, const struct op *op, int64_t err, struct report *rep)
{
	bool wrong = c->refused_free && in_the_way(c->refused);
	struct finding f;

	check_begin(&f, FINDING_REPLAY_REFUSED, wrong ? GRADE_VIOLATION : GRADE_EXPOSURE, op,
		    c->refusal.domain);
	check_range(&f, c->refusal.range.iova, c->refusal.range.last);
	f.container = op->kind == EV_VFIO_ATTACH ? op->u.vfio.container : 0;
	piece_ref(&f, "map", EV_MAP, &c->refusal);
	finding_op(&f, "replay", op);
	finding_dec(&f, "errno", -(int64_t)c->refused);
	finding_dec(&f, "replay_errno", -err);
	if (wrong)
		finding_text(&f, "why", "said to be in use, and nothing was there");
	return report_add(rep, &f);
}

/* Pages that cannot be pinned: no map was tried. After the attach nothing else fails so. */
static int refused_pin(const struct container *c, const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_REPLAY_REFUSED, GRADE_EXPOSURE, op, NULL);
	f.container = c->ptr;
	finding_op(&f, "replay", op);
	finding_dec(&f, "errno", -op->u.vfio.ret);
	finding_dec(&f, "intents", c->nslots);
	return report_add(rep, &f);
}

static int refused_attach(const struct model *m, const struct op *op, struct report *rep)
{
	const struct container *box = model_container(m, op->u.vfio.container);
	const struct cause *c = model_cause(m, op->id);

	if (!op->u.vfio.ret || !box)
		return 0;
	if (c && c->refused)
		return refused_map(c, op, op->u.vfio.ret, rep);
	if (!box->nslots ||
	    (op->u.vfio.ret != KERNEL_ENOMEM && op->u.vfio.ret != KERNEL_EFAULT))
		return 0;
	return refused_pin(box, op, rep);
}

/* Of many refusals one is kept, with their number. */
static int refused_slot(const struct model *m, const struct op *op, struct report *rep)
{
	const struct container *c = model_container(m, op->u.vfio.container);
	struct finding f;

	if (op->u.vfio.ret != KERNEL_ENOSPC)
		return 0;
	check_begin(&f, FINDING_REPLAY_REFUSED, GRADE_EXPOSURE, op, NULL);
	f.cause = 0;
	f.container = op->u.vfio.container;
	finding_op(&f, "intent to map", op);
	finding_dec(&f, "errno", -KERNEL_ENOSPC);
	finding_hex(&f, "first_iova", op->iova);
	finding_dec(&f, "slots", c ? c->nslots : 0);
	return report_add(rep, &f);
}

static int refused_ref(const struct model *m, const struct op *op, struct report *rep)
{
	const struct ev_ref_replay *e = &op->u.ref_replay;
	const struct cause *c = model_cause(m, op->id);
	struct finding f;

	if (e->step != EV_REPLAY_END || !e->ret)
		return 0;
	if (c && c->refused)
		return refused_map(c, op, e->ret, rep);
	check_begin(&f, FINDING_REPLAY_REFUSED, GRADE_EXPOSURE, op, model_domain(m, e->domain));
	finding_op(&f, "replay", op);
	finding_dec(&f, "errno", -(int64_t)e->ret);
	return report_add(rep, &f);
}

static int refused_vfio(const struct model *m, const struct op *op, struct report *rep)
{
	return op->kind == EV_VFIO_ATTACH ? refused_attach(m, op, rep) : refused_slot(m, op, rep);
}

const struct checker check_refused_vfio = {
	.id = FINDING_REPLAY_REFUSED,
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_VFIO | NEED_ALL,
	.kinds = KIND(EV_VFIO_ATTACH) | KIND(EV_VFIO_MAP),
	.before = refused_vfio,
};

const struct checker check_refused_ref = {
	.id = FINDING_REPLAY_REFUSED,
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_IOAS | NEED_ALL,
	.kinds = KIND(EV_REF_REPLAY),
	.before = refused_ref,
};
