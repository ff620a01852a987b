// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A finding for people: what, where, its story in time order, and where to read on. */
#include "out/out.h"

#include <inttypes.h>
#include <string.h>

#include "out/explain.h"

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

static void print_device(const struct out *o, const struct device *d)
{
	fputs("  device ", o->to);
	put_plain(o->to, d->name);
	if (!d->driver[0])
		return;
	fputs(" (", o->to);
	put_plain(o->to, d->driver);
	fputc(')', o->to);
}

static void print_place(const struct out *o, const struct finding *f)
{
	const struct device *d = f->device ? model_device(o->model, f->device) : NULL;

	if (d)
		print_device(o, d);
	if (f->ranged)
		fprintf(o->to, "  [0x%" PRIx64 ", 0x%" PRIx64 "]", f->iova, f->last);
	if (f->domain)
		fprintf(o->to, "  domain 0x%" PRIx64 ".%u", f->domain, f->domain_gen);
	if (f->iommu)
		fprintf(o->to, "  %s %u", cache_words(f), f->cache_id);
}

#define TEXT_COLUMNS 76	/* behind the key */

/* The last blank within the column, or all that is left. */
static size_t line_of(const char *text)
{
	size_t i, len = strlen(text), at = 0;

	if (len <= TEXT_COLUMNS)
		return len;
	for (i = 0; i < TEXT_COLUMNS; i++) {
		if (text[i] == ' ')
			at = i;
	}
	return at ?: TEXT_COLUMNS;
}

static void print_wrapped(const struct out *o, const char *key, const char *text)
{
	size_t n;

	for (; *text; key = "") {
		n = line_of(text);
		fprintf(o->to, "    %-14s %.*s\n", key, (int)n, text);
		text += n;
		while (*text == ' ')
			text++;
	}
}

void text_finding(const struct out *o, const struct finding *f)
{
	unsigned int i;

	fprintf(o->to, "%s: %s", grade_name(f->grade), finding_name(f->id));
	print_place(o, f);
	if (f->count > 1)
		fprintf(o->to, "  (%" PRIu64 " times)", f->count);
	fputc('\n', o->to);
	text_story(o, f);
	for (i = 0; i < f->ndetails; i++)
		print_detail(o, &f->details[i]);
	print_wrapped(o, "expected", explain_expected(f->id));
	print_wrapped(o, "source", explain_source(f->id));
	fprintf(o->to, "    %-14s docs/findings.md, %s\n\n", "manual", finding_name(f->id));
}
