// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One JSON object per line. Addresses are strings ("0x..."), because 64 bits do not fit
 * a JSON number everywhere. docs/json.md has the schema.
 */
#include "out/out.h"

#include <inttypes.h>
#include <string.h>

#include "core/schema.h"
#include "event.h"
#include "out/explain.h"

void put_json(FILE *to, const char *s)
{
	fputc('"', to);
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void put_address(const struct out *o, uint64_t addr)
{
	const char *name = model_symbol(o->model, addr);

	if (name)
		put_json(o->to, name);
	else
		fprintf(o->to, "\"0x%" PRIx64 "\"", addr);
}

static void put_stack(const struct out *o, const struct ref *r)
{
	const struct ev_stack *s = out_stack(o, r);
	unsigned int i;

	for (i = 0; s && i < s->count; i++) {
		fprintf(o->to, i ? "," : ",\"stack\":[");
		put_address(o, s->ip[i]);
	}
	if (s && s->count)
		fputc(']', o->to);
}

/* The intent around it, once that has ended. */
static void put_cause(const struct out *o, uint64_t cause)
{
	const struct intent *i = model_intent(o->model, cause);

	if (!i || !i->kind)
		return;
	fprintf(o->to, ",\"inside\":{\"event\":\"%s\",\"device\":", word_event(i->kind));
	put_json(o->to, model_device(o->model, i->object) ? out_device_name(o, i->object) : "");
	fprintf(o->to, ",\"cpu\":%u,\"seq\":%" PRIu64 ",\"begin_ns\":%" PRIu64 ",\"time_ns\":%" PRIu64 "}",
		i->cpu, i->seq, i->begin, i->end);
}

static void put_ref(const struct out *o, const struct ref *r)
{
	const struct task *t = r->pid ? model_task(o->model, r->pid) : NULL;

	fprintf(o->to, "{\"role\":\"%s\",\"event\":\"%s\",\"cpu\":%u,\"seq\":%" PRIu64
		       ",\"time_ns\":%" PRIu64 ",\"pid\":%u,\"comm\":",
		r->role, word_event(r->kind), r->cpu, r->seq, r->time_ns, r->pid);
	put_json(o->to, t ? t->comm : "");
	put_cause(o, r->cause);
	if (r->caller) {
		fprintf(o->to, ",\"caller\":");
		put_address(o, r->caller);
	}
	put_stack(o, r);
	fputc('}', o->to);
}

static void put_detail(FILE *to, const struct detail *d)
{
	fprintf(to, "\"%s\":", d->key);
	if (d->kind == DETAIL_TEXT || d->kind == DETAIL_NAME)
		put_json(to, d->kind == DETAIL_TEXT ? d->text : d->name);
	else if (d->kind == DETAIL_HEX)
		fprintf(to, "\"0x%" PRIx64 "\"", d->value);
	else
		fprintf(to, "%" PRIu64, d->value);
}

static const char *cache_word(const struct finding *f)
{
	switch (f->cache_kind) {
	case CACHE_IOTLB:
	case CACHE_ABSENT:
		return "iotlb";
	case CACHE_ENTRY:
		return "entry";
	default:
		return "devtlb";
	}
}

void json_finding(const struct out *o, const struct finding *f)
{
	unsigned int i;

	fprintf(o->to, "{\"schema\":\"" SCHEMA "\",\"finding\":\"%s\",\"grade\":\"%s\",\"time_ns\":%" PRIu64
		       ",\"device\":",
		finding_name(f->id), grade_name(f->grade), f->time_ns);
	put_json(o->to, f->device ? out_device_name(o, f->device) : "");
	fprintf(o->to, ",\"domain\":\"0x%" PRIx64 "\",\"generation\":%u", f->domain, f->domain_gen);
	if (f->ranged)
		fprintf(o->to, ",\"iova\":\"0x%" PRIx64 "\",\"last\":\"0x%" PRIx64 "\"", f->iova, f->last);
	if (f->iommu)
		fprintf(o->to, ",\"cache\":\"%s\",\"cache_id\":%u", cache_word(f), f->cache_id);
	fprintf(o->to, ",\"count\":%" PRIu64 ",\"evidence\":[", f->count);
	for (i = 0; i < f->nrefs; i++) {
		if (i)
			fputc(',', o->to);
		put_ref(o, &f->refs[i]);
	}
	fprintf(o->to, "],\"details\":{");
	for (i = 0; i < f->ndetails; i++) {
		if (i)
			fputc(',', o->to);
		put_detail(o->to, &f->details[i]);
	}
	fprintf(o->to, "},\"expected\":");
	put_json(o->to, explain_expected(f->id));
	fprintf(o->to, ",\"source\":");
	put_json(o->to, explain_source(f->id));
	fprintf(o->to, ",\"manual\":\"docs/findings.md, %s\"}\n", finding_name(f->id));
}

static void put_device(const struct out *o, const struct device *d)
{
	const struct binding *b = device_binding(d, EV_TAG_NO_PASID);
	const struct domain *domain = b ? b->domain : NULL;

	fprintf(o->to, "{\"schema\":\"" SCHEMA "\",\"device\":");
	put_json(o->to, d->name);
	fprintf(o->to, ",\"driver\":");
	put_json(o->to, d->driver);
	fprintf(o->to, ",\"group\":%d,\"iommu\":\"%s\",\"type\":\"%s\",\"domain\":\"0x%" PRIx64
		       "\",\"generation\":%u,\"dma_maps\":%" PRIu64 ",\"dma_unmaps\":%" PRIu64
		       ",\"moves\":%" PRIu64 "}\n",
		d->group, word_driver_kind(d->driver_kind),
		domain ? word_domain_type(domain->type) : "none", domain ? domain->ptr : 0,
		domain ? domain->gen : 0, d->n.dma_maps, d->n.dma_unmaps, d->n.attaches);
}

static void put_domain(const struct out *o, const struct domain *d)
{
	fprintf(o->to, "{\"schema\":\"" SCHEMA "\",\"domain\":\"0x%" PRIx64
		       "\",\"generation\":%u,\"type\":\"%s\",\"maps\":%" PRIu64 ",\"unmaps\":%" PRIu64
		       ",\"unmaps_queued\":%" PRIu64 ",\"live\":%" PRIu64 ",\"lingering_max\":%" PRIu64
		       ",\"flushes\":%" PRIu64 ",\"freed\":%s}\n",
		d->ptr, d->gen, d->typed ? word_domain_type(d->type) : "unknown", d->n.maps, d->n.unmaps,
		d->n.unmaps_queued, (uint64_t)d->ranges.count, d->n.lingering_max, d->n.flushes,
		d->dead ? "true" : "false");
}

static void put_off(const struct out *o)
{
	struct checker_status st;
	const char *comma = "";
	size_t i;

	for (i = 0; !engine_checker(o->engine, i, &st); i++) {
		if (!out_off_first(o, i, &st))
			continue;
		fprintf(o->to, "%s\"%s\"", comma, st.name);
		comma = ",";
	}
}

static void put_events(const struct out *o)
{
	const struct tally *t = report_tally(o->report);
	const struct schema *s;
	const char *comma = "";
	size_t i;

	for (i = 0; (s = schema_at(i)); i++) {
		if (s->type >= 64 || !t->records[s->type])
			continue;
		fprintf(o->to, "%s\"%s\":%" PRIu64, comma, s->name, t->records[s->type]);
		comma = ",";
	}
}

void json_summary(const struct out *o)
{
	const struct tally *t = report_tally(o->report);
	uint64_t violations = report_count(o->report, GRADE_VIOLATION);
	uint64_t exposures = report_count(o->report, GRADE_EXPOSURE) - violations;
	const struct device *dev;
	const struct domain *d;

	for (dev = o->model->first_device; dev; dev = dev->next)
		put_device(o, dev);
	for (d = o->model->first_domain; d; d = d->next)
		put_domain(o, d);
	json_faults(o);
	fprintf(o->to, "{\"schema\":\"" SCHEMA "\",\"summary\":");
	put_json(o->to, o->source->path);
	fprintf(o->to, ",\"kernel\":");
	put_json(o->to, o->source->kernel_release);
	fprintf(o->to, ",\"violations\":%" PRIu64 ",\"exposures\":%" PRIu64 ",\"lost\":%" PRIu64
		       ",\"skipped\":%" PRIu64 ",\"unseen\":%" PRIu64 ",\"withheld\":%" PRIu64
		       ",\"retracted\":%" PRIu64 ",\"cut_short\":%" PRIu64 ",\"unknown\":%" PRIu64
		       ",\"switches\":%" PRIu64 ",\"needs_table\":%" PRIu64 ",\"complete\":%s,\"total\":%" PRIu64 ",\"events\":{",
		violations, exposures, t->lost, t->missed, t->missed_adds, t->suppressed, t->retracted,
		t->cut_short, t->unknown, t->switches, t->needs_table, o->source->complete ? "true" : "false", o->source->events);
	put_events(o);
	fputc('}', o->to);
	json_known(o);
	fprintf(o->to, ",\"not_checked\":[");
	put_off(o);
	fprintf(o->to, "]}\n");
}
