/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Snapshots made by hand, record by record, as user/live/observe.c writes them. */
#ifndef IOMMUSCOPE_SELFTESTS_SNAP_STORY_H
#define IOMMUSCOPE_SELFTESTS_SNAP_STORY_H

#include <string.h>

#include "story.h"
#include "core/delta.h"

#define RW (WALK_READ | WALK_WRITE)

STORY void snap_record(struct snapshot *s, uint16_t type, void *rec, uint16_t len)
{
	struct ev_hdr *h = rec;

	h->type = type;
	h->len = len;
	h->cpu = EV_CPU_USER;
	h->flags = EVF_STATE;
	assert_int_equal(snapshot_take(s, rec, len), 0);
}

STORY void snap_device(struct snapshot *s, uint64_t dev, const char *name, const char *driver,
		       uint64_t domain)
{
	struct ev_device d = { .dev = dev, .group = dev & 0xff };
	struct ev_attach a = { .dev = dev, .domain = domain, .pasid = EV_TAG_NO_PASID };

	memccpy(d.name, name, 0, sizeof(d.name) - 1);
	memccpy(d.driver, driver, 0, sizeof(d.driver) - 1);
	snap_record(s, EV_DEVICE, &d, sizeof(d));
	if (domain)
		snap_record(s, EV_ATTACH, &a, sizeof(a));
}

STORY void snap_domain(struct snapshot *s, uint64_t domain, uint32_t type)
{
	struct ev_domain d = { .domain = domain, .type = type };

	snap_record(s, EV_DOMAIN, &d, sizeof(d));
}

STORY void snap_read(struct snapshot *s, uint64_t domain, uint32_t phase, uint64_t root,
		     uint32_t flags)
{
	struct ev_read r = { .domain = domain, .phase = phase, .root = root, .flags = flags,
			     .format = WALK_VTD_SECOND, .levels = 4 };

	snap_record(s, EV_READ, &r, sizeof(r));
}

STORY void snap_run(struct snapshot *s, uint64_t domain, const struct walk_run *run)
{
	struct ev_run r = { .domain = domain, .iova = run->iova, .last = run->last,
			    .paddr = run->paddr, .raw = run->raw, .level = run->level,
			    .prot = run->prot, .kind = run->kind };

	snap_record(s, EV_RUN, &r, sizeof(r));
}

STORY void snap_flux(struct snapshot *s, uint64_t domain, uint64_t first, uint64_t last)
{
	struct ev_span r = { .domain = domain, .first = first, .last = last, .kind = EV_SPAN_FLUX };

	snap_record(s, EV_SPAN, &r, sizeof(r));
}

STORY void snap_end(struct snapshot *s)
{
	struct ev_mark mark = { .kind = EV_MARK_STATE };

	snap_record(s, EV_MARK, &mark, sizeof(mark));
	snapshot_finish(s);
}

#endif
