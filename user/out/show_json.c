// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The same as lines of JSON, docs/json.md: IOMMUs, domains, groups, devices. */
#include "out/show.h"

#include <inttypes.h>
#include <string.h>

#include "event.h"
#include "out/out.h"

#define BEGIN "{\"schema\":\"" SHOW_SCHEMA "\","

static const char *truth(bool yes)
{
	return yes ? "true" : "false";
}

static void put_text(const struct show *s, const char *key, const char *text)
{
	fprintf(s->to, "\"%s\":", key);
	put_json(s->to, text);
}

static void put_sizes(const struct show *s, const char *key, uint64_t sizes)
{
	const char *comma = "";
	unsigned int i;

	fprintf(s->to, ",\"%s\":[", key);
	for (i = 0; i < 64; i++) {
		if (!(sizes >> i & 1))
			continue;
		fprintf(s->to, "%s%" PRIu64, comma, (uint64_t)1 << i);
		comma = ",";
	}
	fputc(']', s->to);
}

static void put_widths(const struct show *s, const char *key, const uint32_t *widths)
{
	unsigned int i;

	fprintf(s->to, ",\"%s\":[", key);
	for (i = 0; i < SHOW_WIDTHS && widths[i]; i++)
		fprintf(s->to, i ? ",%u" : "%u", widths[i]);
	fputc(']', s->to);
}

/* ---- IOMMUs ---- */

static const char *mode_word(const struct show *s, const struct iommu *u)
{
	static const char *const words[] = {
		[SCALABLE_UNKNOWN] = "unknown", [SCALABLE_NONE] = "none",
		[SCALABLE_OFF] = "off",		[SCALABLE_ON] = "on",
	};

	return words[show_scalable(s, u)];
}

static void put_caps(const struct show *s, const struct iommu *u)
{
	struct show_caps c;
	unsigned int i;

	show_caps(u, &c);
	fprintf(s->to, ",\"cap\":\"0x%" PRIx64 "\",\"ecap\":\"0x%" PRIx64 "\",\"caching\":%s", u->cap,
		u->ecap, truth(c.caching));
	if (u->driver_kind == EV_DRIVER_VTD)
		fprintf(s->to, ",\"scalable\":\"%s\"", mode_word(s, u));
	if (!c.known)
		return;
	put_widths(s, "widths", c.widths);
	put_sizes(s, "page_sizes", c.pages);
	put_widths(s, "first_stage_widths", c.first_widths);
	put_sizes(s, "first_stage_page_sizes", c.first_pages);
	if (c.max_width)
		fprintf(s->to, ",\"request_width\":%u", c.max_width);
	if (c.device_tlb_known)
		fprintf(s->to, ",\"device_tlb\":%s", truth(c.device_tlb));
	fprintf(s->to, ",\"pasid_bits\":%u", c.pasid_bits);
	if (c.domains)
		fprintf(s->to, ",\"domain_ids\":%u", c.domains);
	fputs(",\"features\":[", s->to);
	for (i = 0; c.more[i]; i++)
		fprintf(s->to, i ? ",\"%s\"" : "\"%s\"", c.more[i]);
	fputc(']', s->to);
}

static void put_unit(const struct show *s, const char *name, uint32_t kind)
{
	const struct iommu *u = show_unit(s, name);

	fprintf(s->to, BEGIN "\"iommu\":\"%s\",", word_driver_kind(u ? u->driver_kind : kind));
	put_text(s, "iommu_name", name);
	if (u)
		put_caps(s, u);
	fputs("}\n", s->to);
}

static void put_units(const struct show *s)
{
	size_t i;

	for (i = 0; i < s->nrows; i++) {
		if (!i || strcmp(s->rows[i].unit, s->rows[i - 1].unit))
			put_unit(s, s->rows[i].unit, s->rows[i].dev->driver_kind);
	}
	for (i = 0; i < s->facts->nlinks && !s->device && s->group < 0; i++) {
		const struct show_link *l = &s->facts->links[i];

		if (!l->device[0] && show_idle(s, l->unit))
			put_unit(s, l->unit, EV_DRIVER_OTHER);
	}
}

/* ---- domains ---- */

/* Is row @i the first of its domain; with @unit, of its domain behind its IOMMU? */
static bool domain_is_new(const struct show *s, size_t i, bool unit)
{
	const struct show_row *row = &s->rows[i];
	size_t j;

	for (j = 0; j < i; j++) {
		if (s->rows[j].domain == row->domain &&
		    (!unit || !strcmp(s->rows[j].unit, row->unit)))
			return false;
	}
	return true;
}

/* A domain has an id in each IOMMU that it is used behind. */
static void put_places(const struct show *s, const struct domain *d)
{
	const char *comma = "";
	size_t i;

	fputs(",\"behind\":[", s->to);
	for (i = 0; i < s->nrows; i++) {
		if (s->rows[i].domain != d || !domain_is_new(s, i, true))
			continue;
		fprintf(s->to, "%s{", comma);
		put_text(s, "iommu_name", s->rows[i].unit);
		if (show_did(&s->rows[i]) >= 0)
			fprintf(s->to, ",\"did\":%" PRId64, show_did(&s->rows[i]));
		fputc('}', s->to);
		comma = ",";
	}
	fputc(']', s->to);
}

static void put_domain(const struct show *s, const struct show_row *row)
{
	const struct domain *d = row->domain;
	const char *format = show_format(row);

	fprintf(s->to, BEGIN "\"domain\":\"0x%" PRIx64 "\",\"generation\":%u,\"type\":\"%s\"", d->ptr,
		d->gen, show_type(d));
	if (d->typed && d->type & DOMAIN_PAGING) {
		fprintf(s->to, ",\"aperture_start\":\"0x%" PRIx64 "\",\"aperture_end\":\"0x%" PRIx64 "\"",
			d->aperture_start, show_last(d));
		put_sizes(s, "page_sizes", d->pgsize_bitmap);
	}
	if (format)
		fprintf(s->to, ",\"format\":\"%s\"", format);
	put_places(s, d);
	fputs("}\n", s->to);
}

/* ---- groups ---- */

static void put_users(const struct show *s, const struct show_row *row)
{
	bool maybe = show_maybe(s, row);
	const struct show_user *u;
	const char *comma = "";
	size_t at = 0;

	fputs(",\"users\":[", s->to);
	while ((u = show_user(s, maybe ? -1 : row->dev->group, &at))) {
		fprintf(s->to, "%s{\"pid\":%u,", comma, u->pid);
		put_text(s, "comm", u->comm);
		fprintf(s->to, ",\"holds\":\"%s\"}", maybe ? "container" : "group");
		comma = ",";
	}
	fputc(']', s->to);
}

static void put_drivers(const struct show *s, int32_t nr)
{
	const char *comma = "", *driver;
	size_t at = 0;

	fputs(",\"drivers\":[", s->to);
	while ((driver = show_driver(s, nr, &at))) {
		fputs(comma, s->to);
		put_json(s->to, driver);
		comma = ",";
	}
	fputc(']', s->to);
}

static void put_resv(const struct show *s, int32_t nr)
{
	const struct group *g = model_group(s->model, nr);
	uint32_t i;

	if (!g || !g->known)
		return;
	fputs(",\"reserved\":[", s->to);
	for (i = 0; i < g->n; i++)
		fprintf(s->to, "%s{\"first\":\"0x%" PRIx64 "\",\"last\":\"0x%" PRIx64 "\",\"type\":\"%s\"}",
			i ? "," : "", g->ranges[i].first, g->ranges[i].last,
			word_resv(g->ranges[i].type));
	fputc(']', s->to);
}

static void put_group(const struct show *s, const struct show_row *row)
{
	const struct domain *d = row->domain;

	fprintf(s->to, BEGIN "\"group\":%d,\"type\":\"%s\",\"domain\":\"0x%" PRIx64 "\",\"generation\":%u",
		row->dev->group, show_type(d), d->ptr, d->gen);
	put_drivers(s, row->dev->group);
	put_users(s, row);
	put_resv(s, row->dev->group);
	fputs("}\n", s->to);
}

/* ---- devices ---- */

static void put_ids(const struct show *s, const struct device *d)
{
	unsigned int i;

	if (d->sid == ~0U)
		return;
	fprintf(s->to, ",\"sid\":%u,\"aliases\":[", d->sid);
	for (i = 0; i < d->naliases; i++)
		fprintf(s->to, i ? ",%u" : "%u", d->aliases[i]);
	fputc(']', s->to);
}

static void put_device(const struct show *s, const struct show_row *row)
{
	const struct device *d = row->dev;

	fputs(BEGIN, s->to);
	put_text(s, "device", d->name);
	fputc(',', s->to);
	put_text(s, "driver", d->driver);
	fprintf(s->to, ",\"group\":%d,\"iommu\":\"%s\",", d->group, word_driver_kind(d->driver_kind));
	put_text(s, "iommu_name", row->unit);
	fprintf(s->to, ",\"type\":\"%s\",\"domain\":\"0x%" PRIx64 "\",\"generation\":%u",
		show_type(row->domain), row->domain->ptr, row->domain->gen);
	put_ids(s, d);
	fprintf(s->to, ",\"ats\":%s,\"pasid\":%s,\"untrusted\":%s,\"deferred\":%s,\"proxied\":%s}\n",
		truth(d->flags & EV_DEV_ATS), truth(d->flags & EV_DEV_PASID),
		truth(d->flags & EV_DEV_UNTRUSTED), truth(d->flags & EV_DEV_DEFERRED),
		truth(d->flags & EV_DEV_PROXIED));
}

void json_show(const struct show *s)
{
	size_t i;

	put_units(s);
	for (i = 0; i < s->nrows; i++) {
		if (domain_is_new(s, i, false))
			put_domain(s, &s->rows[i]);
	}
	for (i = 0; i < s->nrows; i++) {
		if (show_group_begins(s, i))
			put_group(s, &s->rows[i]);
	}
	for (i = 0; i < s->nrows; i++)
		put_device(s, &s->rows[i]);
}
