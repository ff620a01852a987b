// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Faults, those that are no finding as well: what the history knows about each place. Who
 * looks for a stray DMA wants the nearest mapping even if nobody can be accused.
 */
#include "out/out.h"

#include <inttypes.h>

#include "event.h"

static const char *access_name(uint32_t prot)
{
	static const char *const names[] = { "access", "read", "write", "read and write" };

	return names[prot & 3];
}

static void print_range(const struct out *o, const char *what, const struct range *r)
{
	if (!range_is_none(r))
		fprintf(o->to, ", %s [0x%" PRIx64 ", 0x%" PRIx64 "]", what, r->iova, r->last);
}

static void print_fault(const struct out *o, const struct fault *f)
{
	fprintf(o->to, "  %14.6f  ", out_seconds(o, f->time_ns));
	if (f->dev)
		put_plain(o->to, f->dev->name);
	else if (f->facts.sid != FAULT_NO_SID)
		fprintf(o->to, "source id 0x%x", f->facts.sid);
	else
		fprintf(o->to, "unknown device");
	fprintf(o->to, " %s at 0x%" PRIx64 ": %s", access_name(f->facts.prot), f->facts.iova,
		fault_class_name(f->class));
	if (f->class == FAULT_UNKNOWN && f->why)
		fprintf(o->to, " (%s)", f->why);
	if (f->before.domain && f->before.end >= f->time_ns)
		fprintf(o->to, ", while it was unmapped");
	else if (f->before.domain)
		fprintf(o->to, ", unmapped %.6f s before", (f->time_ns - f->before.end) / 1e9);
	print_range(o, "mapped", &f->live);
	print_range(o, "below", &f->below);
	print_range(o, "above", &f->above);
	if (f->count > 1)
		fprintf(o->to, " (%" PRIu64 " times)", f->count);
	fputc('\n', o->to);
}

void text_faults(const struct out *o)
{
	const struct faults *s = model_faults(o->model);
	const char *comma = "";
	const struct fault *f;
	uint64_t i;
	int c;

	if (!s->nkept)
		return;
	fprintf(o->to, "faults         ");
	for (c = 0; c < FAULT_CLASSES; c++) {
		if (!s->count[c])
			continue;
		fprintf(o->to, "%s%" PRIu64 " %s", comma, s->count[c], fault_class_name(c));
		comma = ", ";
	}
	fprintf(o->to, "%s\n", s->more ? "; the hardware dropped others" : "");
	for (i = 0; (f = fault_at(s, i)); i++)
		print_fault(o, f);
}

static void put_range(const struct out *o, const char *key, const struct range *r)
{
	if (!range_is_none(r))
		fprintf(o->to, ",\"%s\":[\"0x%" PRIx64 "\",\"0x%" PRIx64 "\"]", key, r->iova, r->last);
}

static void put_fault(const struct out *o, const struct fault *f)
{
	fprintf(o->to, "{\"schema\":\"" SCHEMA "\",\"fault\":\"%s\",\"time_ns\":%" PRIu64
		       ",\"cpu\":%u,\"seq\":%" PRIu64 ",\"device\":",
		fault_class_name(f->class), f->time_ns, f->cpu, f->seq);
	put_json(o->to, f->dev ? f->dev->name : "");
	if (f->facts.sid != FAULT_NO_SID)
		fprintf(o->to, ",\"sid\":%u", f->facts.sid);
	fprintf(o->to, ",\"iommu\":\"%s\",\"domain\":\"0x%" PRIx64 "\",\"generation\":%u,\"at\":\"0x%" PRIx64
		       "\",\"access\":\"%s\",\"reason\":%u,\"says\":",
		word_driver_kind(f->driver_kind), f->domain ? f->domain->ptr : 0,
		f->domain ? f->domain->gen : 0, f->facts.iova, access_name(f->facts.prot),
		f->facts.reason);
	put_json(o->to, fault_reason(f->driver_kind, f->facts.reason));
	if (f->why)
		fprintf(o->to, ",\"why\":\"%s\"", f->why);
	if (f->before.domain)
		fprintf(o->to, ",\"unmapped_ns\":%" PRIu64, f->before.end);
	put_range(o, "mapped", &f->live);
	put_range(o, "below", &f->below);
	put_range(o, "above", &f->above);
	fprintf(o->to, ",\"count\":%" PRIu64 "}\n", f->count);
}

void json_faults(const struct out *o)
{
	const struct faults *s = model_faults(o->model);
	const struct fault *f;
	uint64_t i;

	for (i = 0; (f = fault_at(s, i)); i++)
		put_fault(o, f);
}
