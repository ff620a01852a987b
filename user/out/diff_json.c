// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Two snapshots, for programs: ranges, domains, devices, one summary. docs/json.md. */
#include <inttypes.h>

#include "core/walk.h"
#include "out/diff.h"
#include "out/out.h"

#define DIFF_SCHEMA "{\"schema\":\"iommuscope.diff/1\","

static const char *const kind_keys[DELTA_KINDS] = {
	[DELTA_MAPPED] = "mapped",
	[DELTA_UNMAPPED] = "unmapped",
	[DELTA_ELSEWHERE] = "elsewhere",
	[DELTA_PROT] = "permission",
	[DELTA_MALFORMED] = "malformed",
};

struct telling {
	const struct out_diff *o;
	const struct domain_pair *p;
};

static void put_changes(FILE *to, uint32_t changes)
{
	const char *comma = "";
	uint32_t bit;

	fputs(",\"changes\":[", to);
	for (bit = 1; bit <= DELTA_GROUP; bit <<= 1) {
		if (!(changes & bit))
			continue;
		fprintf(to, "%s\"%s\"", comma, diff_change_word(bit));
		comma = ",";
	}
	fputc(']', to);
}

static void put_pointers(FILE *to, const struct snap_domain *before, const struct snap_domain *after)
{
	fprintf(to, ",\"domain\":\"0x%" PRIx64 "\",\"domain_before\":\"0x%" PRIx64 "\"",
		after ? after->ptr : 0, before ? before->ptr : 0);
}

/* ---- ranges ---- */

static void put_side(FILE *to, const char *key, const struct walk_run *run, uint64_t iova)
{
	if (!run)
		return;
	fprintf(to, ",\"%s\":{", key);
	if (run->kind == WALK_LEAF)
		fprintf(to, "\"paddr\":\"0x%" PRIx64 "\",\"prot\":\"%s\",", delta_paddr(run, iova),
			walk_prot_name(run->prot));
	fprintf(to, "\"entry\":\"0x%" PRIx64 "\",\"entry_paddr\":\"0x%" PRIx64 "\",\"level\":%u}",
		run->raw, run->entry_paddr, run->level);
}

static int json_delta(void *arg, const struct delta *d)
{
	const struct telling *t = arg;
	FILE *to = t->o->to;

	fprintf(to, DIFF_SCHEMA "\"range\":\"%s\"", kind_keys[d->kind]);
	put_pointers(to, t->p->before, t->p->after);
	fprintf(to, ",\"iova\":\"0x%" PRIx64 "\",\"last\":\"0x%" PRIx64 "\"", d->first, d->last);
	put_side(to, "before", d->before, d->first);
	put_side(to, "after", d->after, d->first);
	fputs("}\n", to);
	return 0;
}

/* ---- domains ---- */

static void put_devices(FILE *to, const struct domain_pair *p)
{
	const struct device_pair *d;
	const char *comma = "";

	fputs(",\"devices\":[", to);
	for (d = p->devices; d; d = d->next) {
		fputs(comma, to);
		put_json(to, (d->after ? d->after : d->before)->name);
		comma = ",";
	}
	fputc(']', to);
}

static void put_table(FILE *to, const struct snap_domain *d, const char *suffix)
{
	if (!d)
		return;
	fprintf(to, ",\"type%s\":\"%s\",\"format%s\":\"%s\",\"levels%s\":%u,\"root%s\":\"0x%" PRIx64
		    "\",\"entries%s\":%" PRIu64,
		suffix, word_domain_type(d->type), suffix,
		d->state == SNAP_NONE ? "none" : walk_format_name(d->format), suffix, d->levels,
		suffix, d->root, suffix, d->leaves);
}

static void put_pages(FILE *to, const struct delta_count *c)
{
	unsigned int kind;

	for (kind = 0; kind < DELTA_KINDS; kind++)
		fprintf(to, ",\"%s\":%" PRIu64, kind_keys[kind], c->pages[kind]);
	fprintf(to, ",\"same\":%" PRIu64 ",\"flux\":%" PRIu64, c->same, c->flux);
}

static void json_domain(const struct out_diff *o, const struct domain_pair *p, struct diff_sum *sum)
{
	struct telling t = { o, p };
	struct delta_count count = { 0 };
	const char *why = pair_obstacle(p);

	if (pair_has_tables(p))
		readings_delta(&p->before->table, &p->after->table, json_delta, &t, &count);
	diff_sum_domain(sum, p, &count);
	fputs(DIFF_SCHEMA "\"domain\":", o->to);
	fprintf(o->to, "\"0x%" PRIx64 "\",\"domain_before\":\"0x%" PRIx64 "\"",
		p->after ? p->after->ptr : 0, p->before ? p->before->ptr : 0);
	put_changes(o->to, p->changes);
	put_devices(o->to, p);
	put_table(o->to, p->before, "_before");
	put_table(o->to, p->after, "");
	put_pages(o->to, &count);
	fputs(",\"not_compared\":", o->to);
	put_json(o->to, why ? why : "");
	fputs("}\n", o->to);
}

/* ---- devices ---- */

static void put_device(FILE *to, const struct snap_device *dev, const char *suffix)
{
	if (!dev)
		return;
	fprintf(to, ",\"driver%s\":", suffix);
	put_json(to, dev->driver);
	fprintf(to, ",\"group%s\":%d", suffix, dev->group);
}

static void json_device(const struct out_diff *o, const struct device_pair *p, struct diff_sum *sum)
{
	const struct snap_device *was = p->before, *is = p->after;

	diff_sum_device(sum, p);
	fputs(DIFF_SCHEMA "\"device\":", o->to);
	put_json(o->to, (is ? is : was)->name);
	put_changes(o->to, p->changes);
	put_pointers(o->to, was ? was->domain : NULL, is ? is->domain : NULL);
	put_device(o->to, was, "_before");
	put_device(o->to, is, "");
	fputs("}\n", o->to);
}

/* ---- all ---- */

static void json_sum(const struct out_diff *o, const struct diff_sum *sum)
{
	fputs(DIFF_SCHEMA "\"summary\":", o->to);
	put_json(o->to, o->after);
	fputs(",\"before\":", o->to);
	put_json(o->to, o->before);
	fprintf(o->to, ",\"equal\":%s,\"domains\":%" PRIu64 ",\"domains_changed\":%" PRIu64
		       ",\"not_compared\":%" PRIu64 ",\"devices\":%" PRIu64
		       ",\"devices_changed\":%" PRIu64,
		diff_differs(sum) ? "false" : diff_unsure(sum) ? "null" : "true", sum->domains,
		sum->domains_changed, sum->uncompared, sum->devices, sum->devices_changed);
	put_pages(o->to, &sum->pages);
	fputs("}\n", o->to);
}

void json_diff(const struct out_diff *o, struct diff_sum *sum)
{
	const struct matched *m = o->matched;
	size_t i;

	*sum = (struct diff_sum){ 0 };
	for (i = 0; i < m->ndomains; i++)
		json_domain(o, &m->domains[i], sum);
	for (i = 0; i < m->ndevices; i++)
		json_device(o, &m->devices[i], sum);
	json_sum(o, sum);
}
