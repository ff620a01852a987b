// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What was heard: devices, domains, events by kind, losses, and the verdict. */
#include "out/out.h"

#include <inttypes.h>
#include <string.h>

#include "core/schema.h"
#include "event.h"

/* Lazy or strict, by the unmaps that were seen; a flush queue is a property of each. */
static const char *unmap_mode(const struct domain *d)
{
	if (d->n.unmaps_queued)
		return d->n.unmaps_queued == d->n.unmaps ? "lazy" : "lazy+strict";
	return d->n.unmaps ? "strict" : "-";
}

static void print_domain(const struct out *o, const struct domain *d)
{
	fprintf(o->to, "  0x%016" PRIx64 ".%-3u %-10s %-11s %9" PRIu64 " %9" PRIu64 " %8" PRIu64
		       " %8" PRIu64 " %9" PRIu64 "%s\n",
		d->ptr, d->gen, d->typed ? word_domain_type(d->type) : "?", unmap_mode(d), d->n.maps,
		d->n.unmaps, d->ranges.count, d->n.lingering_max, d->n.flushes,
		d->dead ? "  freed" : "");
}

static void print_domains(const struct out *o)
{
	const struct domain *d;

	fprintf(o->to, "\n  %-22s %-10s %-11s %9s %9s %8s %8s %9s\n", "domain", "type", "unmaps are",
		"maps", "unmaps", "live", "linger", "flushes");
	for (d = o->model->first_domain; d; d = d->next)
		if (d->n.maps || d->n.unmaps || d->n.attaches)
			print_domain(o, d);
}

static bool device_is_quiet(const struct device *d)
{
	return !d->n.dma_maps && !d->n.dma_unmaps && !d->n.attaches;
}

static void print_device(const struct out *o, const struct device *d)
{
	const struct binding *b = device_binding(d, EV_TAG_NO_PASID);
	const struct domain *domain = b ? b->domain : NULL;

	fprintf(o->to, "  %-14s %-12s %5d  %-7s %-10s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "  ", d->name,
		d->driver[0] ? d->driver : "-", d->group, word_driver_kind(d->driver_kind),
		domain ? word_domain_type(domain->type) : "none", d->n.dma_maps, d->n.dma_unmaps,
		d->n.attaches);
	if (domain)
		fprintf(o->to, "0x%" PRIx64 ".%u", domain->ptr, domain->gen);
	fputc('\n', o->to);
}

static void print_devices(const struct out *o, bool all)
{
	const struct device *d;
	unsigned int quiet = 0;

	fprintf(o->to, "\n  %-14s %-12s %5s  %-7s %-10s %8s %8s %8s  %s\n", "device", "driver", "group",
		"IOMMU", "type", "DMA maps", "unmaps", "moves", "domain");
	for (d = o->model->first_device; d; d = d->next) {
		if (!all && device_is_quiet(d))
			quiet++;
		else
			print_device(o, d);
	}
	if (quiet)
		fprintf(o->to, "  and %u more without events (--stat shows them)\n", quiet);
}

static void print_events(const struct out *o)
{
	const struct tally *t = report_tally(o->report);
	const struct schema *s;
	size_t i;

	fprintf(o->to, "\nevents %" PRIu64 "\n", o->source->events);
	for (i = 0; (s = schema_at(i)); i++)
		if (s->type < 64 && t->records[s->type])
			fprintf(o->to, "  %-12s %10" PRIu64 "\n", s->name, t->records[s->type]);
}

static void print_hooks(const struct out *o)
{
	unsigned int i;

	fprintf(o->to, "\nnot heard\n");
	for (i = 0; i < HOOK_COUNT; i++) {
		const struct hook *h = &o->model->hooks[i];

		if (h->known && h->state != EV_HOOK_HEARD && h->state != EV_HOOK_COVERED)
			fprintf(o->to, "  %-24s %-36s %s\n", h->name, h->function,
				word_hook_state(h->state));
	}
}

static void print_losses(const struct out *o)
{
	const struct tally *t = report_tally(o->report);

	fprintf(o->to, "\nlosses         records %" PRIu64 ", exits skipped by recursion %" PRIu64
		       " (entries %" PRIu64 ": only begin and cause), malformed %" PRIu64 "\n",
		t->lost, t->missed, t->missed_entry, t->malformed);
	if (out_lost(o))
		fprintf(o->to, "               what the losses touch is unknown: findings withheld %"
			       PRIu64 ", retracted %" PRIu64 "\n",
			t->suppressed, t->retracted);
	if (t->switches)
		fprintf(o->to, "switches       %" PRIu64 " changes of a device's domain were judged\n",
			t->switches);
	if (t->unknown || t->needs_table)
		fprintf(o->to, "unknown        %" PRIu64 " judgements lacked knowledge (began before the recording, or a loss), %"
			       PRIu64 " need the page table\n",
			t->unknown, t->needs_table);
	if (t->cut_short)
		fprintf(o->to, "cut short      %" PRIu64 " walks over what was known took too many steps: it became unsure\n",
			t->cut_short);
	if (t->missed_adds)
		fprintf(o->to, "not seen       %" PRIu64 " freed pages, faults or syncs: the kernel skipped the program\n", t->missed_adds);
	if (!o->source->complete)
		fprintf(o->to, "incomplete     the recorder did not end in order, its disk was full, or a file is damaged: read as far as it goes\n");
	if (o->source->unknown)
		fprintf(o->to, "newer          %" PRIu64 " records of kinds this version does not know\n",
			o->source->unknown);
}

static void print_filter(const struct out *o)
{
	static const struct {
		uint64_t bit;
		const char *text;
	} names[] = {
		{ EV_FILTER_DEVICE, "one device" },   { EV_FILTER_PID, "one process" },
		{ EV_FILTER_INTENT, "no intents" },   { EV_FILTER_ACTION, "no actions" },
		{ EV_FILTER_FLUSH, "no flushes" },
	};
	size_t i;

	if (!o->model->filter)
		return;
	fprintf(o->to, "filtered      ");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (o->model->filter & names[i].bit)
			fprintf(o->to, " %s;", names[i].text);
	fputc('\n', o->to);
}

/* Checkers that could not look: nothing found by them means nothing. */
static void print_off(const struct out *o)
{
	struct checker_status st;
	size_t i;

	for (i = 0; !engine_checker(o->engine, i, &st); i++)
		if (out_off_first(o, i, &st))
			fprintf(o->to, "not checked    %s: %s\n", st.name, st.off);
}

static void print_verdict(const struct out *o)
{
	uint64_t violations = report_count(o->report, GRADE_VIOLATION);
	uint64_t exposures = report_count(o->report, GRADE_EXPOSURE) - violations;
	uint64_t notes = report_count(o->report, GRADE_NOTE) - violations - exposures;

	fprintf(o->to, "findings       ");
	if (violations)
		fprintf(o->to, "%" PRIu64, violations);
	else
		fprintf(o->to, "none");
	if (exposures)
		fprintf(o->to, ", and %" PRIu64 " exposures", exposures);
	if (notes)
		fprintf(o->to, ", and %" PRIu64 " notes", notes);
	fprintf(o->to, "\n");
}

void text_summary(const struct out *o, bool stat)
{
	fprintf(o->to, "%s: kernel %s", o->source->path, o->source->kernel_release);
	if (o->source->command) {
		fputs(", ", o->to);
		put_plain(o->to, o->source->command);
	}
	fputc('\n', o->to);
	print_devices(o, stat);
	print_domains(o);
	print_events(o);
	if (stat)
		print_hooks(o);
	print_losses(o);
	text_known(o);
	text_faults(o);
	print_filter(o);
	print_off(o);
	print_verdict(o);
}
