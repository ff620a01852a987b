// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The life line of a finding: its records in time order, who made them, and inside what. */
#include "out/out.h"

#include <inttypes.h>
#include <stdlib.h>

#include "event.h"

const char *word_intent(unsigned int kind)
{
	switch (kind) {
	case EV_VFIO_MAP:
		return "VFIO_IOMMU_MAP_DMA";
	case EV_VFIO_UNMAP:
		return "VFIO_IOMMU_UNMAP_DMA";
	case EV_ATTACH:
		return "a move";
	case EV_REF_INTENT:
		return "a call at /dev/refiommu";
	case EV_REF_REPLAY:
		return "a replay of refiommu";
	default:
		return word_event(kind);
	}
}

/* Story times are differences: a unit that leaves few digits. */
static void put_span(FILE *to, uint64_t ns)
{
	if (ns < 10000)
		fprintf(to, "+%" PRIu64 " ns", ns);
	else if (ns < 10000000)
		fprintf(to, "+%.1f us", ns / 1e3);
	else if (ns < 10000000000ULL)
		fprintf(to, "+%.1f ms", ns / 1e6);
	else
		fprintf(to, "+%.1f s", ns / 1e9);
}

static void print_since(const struct out *o, uint64_t ns, bool first)
{
	char text[24] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");

	if (to) {
		if (!first)
			put_span(to, ns);
		fclose(to);
	}
	fprintf(o->to, " %12s", text);
}

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

/* Inside which intent; one of a device says which device. */
static void print_cause(const struct out *o, uint64_t cause)
{
	const struct intent *i = model_intent(o->model, cause);
	const struct device *d = i ? model_device(o->model, i->object) : NULL;

	if (!i || !i->kind)
		return;
	fprintf(o->to, ", inside %s", word_intent(i->kind));
	if (d && d->name[0]) {
		fputs(" of ", o->to);
		put_plain(o->to, d->name);
	}
	if (i->last > i->iova)
		fprintf(o->to, " [0x%" PRIx64 ", 0x%" PRIx64 "]", i->iova, i->last);
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
		fprintf(o->to, "%45s", "");
		print_address(o, s->ip[i]);
		fputc('\n', o->to);
	}
}

static void print_ref(const struct out *o, const struct ref *r, const struct ref *before)
{
	fprintf(o->to, "    %12.6f", out_seconds(o, r->time_ns));
	print_since(o, before ? r->time_ns - before->time_ns : 0, !before);
	if (r->cpu == EV_CPU_USER)
		fprintf(o->to, "  %-7s", "");
	else
		fprintf(o->to, "  cpu %-3u", r->cpu);
	fprintf(o->to, " #%-8" PRIu64 " %-12s %-10s", r->seq, r->role, word_event(r->kind));
	print_task(o, r->pid);
	if (r->caller) {
		fputs("  in ", o->to);
		print_address(o, r->caller);
	}
	print_cause(o, r->cause);
	fputc('\n', o->to);
	print_stack(o, r);
}

static int by_time(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;

	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

void text_story(const struct out *o, const struct finding *f)
{
	struct ref refs[FINDING_REFS];
	unsigned int i;

	for (i = 0; i < f->nrefs; i++)
		refs[i] = f->refs[i];
	qsort(refs, f->nrefs, sizeof(refs[0]), by_time);
	for (i = 0; i < f->nrefs; i++)
		print_ref(o, &refs[i], i ? &refs[i - 1] : NULL);
}
