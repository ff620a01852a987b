// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * root-differs: the hardware's way to a table (root or device table, context or PASID entry), against the
 * table that the kernel's books say the device uses. Not compared: a device that was being moved, one that is
 * still in the table of the kernel before (kexec, deferred attach), domains of unknown drivers, and what was
 * read before a loss.
 */
#include "check.h"
#include "root.h"

static int root_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct ev_root *r = &op->u.root;
	const struct domain *d = r->domain ? model_domain(m, r->domain) : NULL;
	const char *what;
	struct finding f;

	if (!d || !d->look.time_ns || r->flags & EV_ROOT_DEFERRED)
		return 0;
	if (r->flags & EV_ROOT_FLUX || d->look.flags & EV_READ_UNKNOWN || !d->typed ||
	    d->look.time_ns < m->doubt_end_ns) {
		rep->tally.unknown++;
		return 0;
	}
	what = root_difference(d->type, &(struct ev_read){ .flags = d->look.flags,
			       .root = d->look.root, .levels = d->look.levels,
			       .format = d->look.format }, r);
	if (!what)
		return 0;
	check_begin(&f, FINDING_ROOT_DIFFERS, GRADE_VIOLATION, op, d);
	f.device = r->dev;
	finding_text(&f, "what", what);
	finding_hex(&f, "book_root", d->look.root);
	finding_text(&f, "hardware", root_kind_name(r->kind));
	finding_hex(&f, "hardware_root", r->root);
	finding_hex(&f, "entry", r->raw[0]);
	finding_hex(&f, "entry_paddr", r->entry_paddr);
	return report_add(rep, &f);
}

const struct checker check_root = {
	.id = FINDING_ROOT_DIFFERS,
	.kinds = KIND(EV_ROOT),
	.before = root_before,
};
