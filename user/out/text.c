// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A finding for people: what, where, its story in time order, and where to read on. */
#include "out/out.h"

#include <inttypes.h>
#include <stdlib.h>

static void print_task(const struct out *o, uint32_t pid)
{
	const struct task *t = pid ? model_task(o->model, pid) : NULL;

	if (t) {
		fputs("  ", o->to);
		put_plain(o->to, t->comm);
		fprintf(o->to, " (%u)", pid);
	} else if (pid) {
		fprintf(o->to, "  pid %u", pid);
	}
}

static void print_address(const struct out *o, uint64_t addr)
{
	const char *name = model_symbol(o->model, addr);

	if (name)
		put_plain(o->to, name);
	else
		fprintf(o->to, "0x%" PRIx64, addr);
}

static void print_stack(const struct out *o, const struct ref *r)
{
	const struct ev_stack *s = out_stack(o, r);
	unsigned int i;

	for (i = 0; s && i < s->count; i++) {
		fprintf(o->to, "%32s", "");
		print_address(o, s->ip[i]);
		fputc('\n', o->to);
	}
}

static void print_ref(const struct out *o, const struct ref *r)
{
	fprintf(o->to, "    %12.6f  cpu %-3u #%-8" PRIu64 " %-12s %-10s", out_seconds(o, r->time_ns),
		r->cpu, r->seq, r->role, word_event(r->kind));
	print_task(o, r->pid);
	if (r->caller) {
		fputs("  in ", o->to);
		print_address(o, r->caller);
	}
	fputc('\n', o->to);
	print_stack(o, r);
}

static int by_time(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;

	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static void print_story(const struct out *o, const struct finding *f)
{
	struct ref refs[FINDING_REFS];
	unsigned int i;

	for (i = 0; i < f->nrefs; i++)
		refs[i] = f->refs[i];
	qsort(refs, f->nrefs, sizeof(refs[0]), by_time);
	for (i = 0; i < f->nrefs; i++)
		print_ref(o, &refs[i]);
}

static void print_detail(const struct out *o, const struct detail *d)
{
	fprintf(o->to, "    %-14s ", d->key);
	if (d->kind == DETAIL_TEXT || d->kind == DETAIL_NAME)
		fprintf(o->to, "%s\n", d->kind == DETAIL_TEXT ? d->text : d->name);
	else if (d->kind == DETAIL_HEX)
		fprintf(o->to, "0x%" PRIx64 "\n", d->value);
	else
		fprintf(o->to, "%" PRIu64 "\n", d->value);
}

static const char *cache_words(const struct finding *f)
{
	switch (f->cache_kind) {
	case CACHE_IOTLB:
	case CACHE_ABSENT:
		return "IOTLB of domain id";
	case CACHE_ENTRY:
		return "cached entry of source id";
	default:
		return "device TLB of";
	}
}

static void print_place(const struct out *o, const struct finding *f)
{
	const struct device *d = f->device ? model_device(o->model, f->device) : NULL;

	if (d)
		fprintf(o->to, "  device %s%s%s%s", d->name, d->driver[0] ? " (" : "", d->driver,
			d->driver[0] ? ")" : "");
	if (f->ranged)
		fprintf(o->to, "  [0x%" PRIx64 ", 0x%" PRIx64 "]", f->iova, f->last);
	if (f->domain)
		fprintf(o->to, "  domain 0x%" PRIx64 ".%u", f->domain, f->domain_gen);
	if (f->iommu)
		fprintf(o->to, "  %s %u", cache_words(f), f->cache_id);
}

void text_finding(const struct out *o, const struct finding *f)
{
	unsigned int i;

	fprintf(o->to, "%s: %s", grade_name(f->grade), finding_name(f->id));
	print_place(o, f);
	if (f->count > 1)
		fprintf(o->to, "  (%" PRIu64 " times)", f->count);
	fputc('\n', o->to);
	print_story(o, f);
	for (i = 0; i < f->ndetails; i++)
		print_detail(o, &f->details[i]);
	fprintf(o->to, "    manual         docs/findings.md, %s\n\n", finding_name(f->id));
}
