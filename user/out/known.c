// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How much of the state was known. A recording that begins on a running machine knows nothing of
 * what was mapped before: until that is gone, nothing is found about it, and this says how much
 * of the machine a clean result speaks of.
 */
#include "out/out.h"

#include <inttypes.h>

#include "event.h"

static void know_domain(const struct model *m, const struct domain *d, struct out_known *k)
{
	const struct range *r;

	if (d->typed && !(d->type & DOMAIN_PAGING))
		return;
	if (d->born)
		k->domains_born++;
	else
		k->domains_found++;
	for (r = range_first(&d->ranges, 0, UINT64_MAX); r;
	     r = range_next(&d->ranges, r, UINT64_MAX)) {
		if (model_range_sure(m, d, r))
			k->ranges_sure++;
		else
			k->ranges_unsure++;
	}
}

/* Whose translations are cached: not of a device that has none. */
static void know_device(const struct device *dev, struct out_known *k)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);

	if (dev->driver_kind == EV_DRIVER_OTHER || !b || !b->domain ||
	    !(b->domain->type & DOMAIN_PAGING))
		return;
	k->devices++;
	k->devices_tagged += dev->ncaches > 0;
}

void out_known(const struct out *o, struct out_known *k)
{
	const struct domain *d;
	const struct device *dev;

	*k = (struct out_known){ 0 };
	for (d = o->model->first_domain; d; d = d->next)
		know_domain(o->model, d, k);
	for (dev = o->model->first_device; dev; dev = dev->next)
		know_device(dev, k);
}

void text_known(const struct out *o)
{
	const struct known *u = &o->model->known;
	struct out_known k;

	out_known(o, &k);
	fprintf(o->to, "known          domains %" PRIu64 " from their birth, %" PRIu64
		       " found (what they held then is unknown until it goes)\n",
		k.domains_born, k.domains_found);
	fprintf(o->to, "               unmaps %" PRIu64 " of known ranges; not judged: %" PRIu64
		       " of unheard ones, %" PRIu64 " of unsure ones, %" PRIu64 " near a loss, start or stop\n",
		u->judged, u->unheard, u->unsure, u->lost);
	fprintf(o->to, "               live at the end %" PRIu64 " ranges surely, %" PRIu64
		       " unsure; devices whose caches are known %" PRIu64 " of %" PRIu64 "\n",
		k.ranges_sure, k.ranges_unsure, k.devices_tagged, k.devices);
}

void json_known(const struct out *o)
{
	const struct known *u = &o->model->known;
	struct out_known k;

	out_known(o, &k);
	fprintf(o->to, ",\"known\":{\"domains_born\":%" PRIu64 ",\"domains_found\":%" PRIu64
		       ",\"ranges_sure\":%" PRIu64 ",\"ranges_unsure\":%" PRIu64
		       ",\"devices\":%" PRIu64 ",\"devices_tagged\":%" PRIu64,
		k.domains_born, k.domains_found, k.ranges_sure, k.ranges_unsure, k.devices,
		k.devices_tagged);
	fprintf(o->to, ",\"unmaps_judged\":%" PRIu64 ",\"unmaps_unheard\":%" PRIu64
		       ",\"unmaps_unsure\":%" PRIu64 ",\"unmaps_lost\":%" PRIu64 "}",
		u->judged, u->unheard, u->unsure, u->lost);
}
