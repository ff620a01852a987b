// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The tree for people: two columns further in for each level. */
#include "out/show.h"

#include <inttypes.h>
#include <string.h>

#include "event.h"
#include "out/out.h"

/* ---- lists ---- */

struct list {
	FILE *to;
	const char *lead;	/* before the first item */
	unsigned int n;
};

static void list_next(struct list *l)
{
	fputs(l->n++ ? ", " : l->lead, l->to);
}

static void list_add(struct list *l, const char *text)
{
	list_next(l);
	put_plain(l->to, text);
}

static void list_end(const struct list *l)
{
	if (l->n)
		fputc('\n', l->to);
}

static void put_size(FILE *to, unsigned int lg2)
{
	fprintf(to, "%u%c", 1U << lg2 % 10, "BKMGTPE"[lg2 / 10]);
}

/* "4K 2M 1G"; three or more powers of two in a row are "4K..256G". */
static void put_pages(FILE *to, const char *lead, uint64_t sizes)
{
	unsigned int i, last;

	for (i = 0; i < 64; i = last + 1, lead = " ") {
		while (i < 64 && !(sizes >> i & 1))
			i++;
		if (i == 64)
			break;
		for (last = i; last < 63 && sizes >> (last + 1) & 1; last++)
			;
		if (last - i < 2)
			last = i;
		fputs(lead, to);
		put_size(to, i);
		if (last > i) {
			fputs("..", to);
			put_size(to, last);
		}
	}
}

static void put_widths(const struct show *s, const char *what, const uint32_t *widths, uint64_t pages)
{
	unsigned int i;

	if (!widths[0])
		return;
	fprintf(s->to, "  %s tables: addresses of ", what);
	for (i = 0; i < SHOW_WIDTHS && widths[i]; i++)
		fprintf(s->to, i ? ", %u" : "%u", widths[i]);
	fputs(" bits", s->to);
	put_pages(s->to, ", pages ", pages);
	fputc('\n', s->to);
}

/* ---- IOMMU ---- */

static void put_mode(const struct show *s, const struct iommu *u, const struct show_caps *c)
{
	static const char *const modes[] = {
		[SCALABLE_NONE] = "legacy mode",
		[SCALABLE_OFF] = "legacy mode (scalable mode is off)",
		[SCALABLE_ON] = "scalable mode",
		[SCALABLE_UNKNOWN] = "can be in scalable mode",
	};
	bool vtd = u->driver_kind == EV_DRIVER_VTD;

	if (vtd)
		fprintf(s->to, ", %s", modes[show_scalable(s, u)]);
	if (c->caching)
		fputs(vtd ? ", caching mode" : ", caches what is not present (NpCache)", s->to);
	if (c->rwbf)
		fputs(", write buffers need flushes", s->to);
}

static void put_features(const struct show *s, const struct show_caps *c)
{
	struct list can = { .to = s->to, .lead = "  can: " };
	struct list cannot = { .to = s->to, .lead = "  cannot: " };
	unsigned int i;

	if (c->device_tlb)
		list_add(&can, "device TLBs");
	if (c->pasid_bits) {
		list_next(&can);
		fprintf(s->to, "%u-bit PASIDs", c->pasid_bits);
	}
	if (c->domains) {
		list_next(&can);
		fprintf(s->to, "%u domain ids", c->domains);
	}
	for (i = 0; c->more[i]; i++)
		list_add(&can, c->more[i]);
	list_end(&can);
	if (c->device_tlb_known && !c->device_tlb)
		list_add(&cannot, "device TLBs");
	if (!c->pasid_bits)
		list_add(&cannot, "PASIDs");
	list_end(&cannot);
}

/* Nothing was heard of its registers. */
static void put_silent(const struct show *s, const char *name, uint32_t kind)
{
	if (show_idle(s, name))
		fputs("  (no devices)\n", s->to);
	else
		fprintf(s->to, "  %s\n", kind == EV_DRIVER_OTHER ? "of another kind" : word_driver_kind(kind));
}

static void put_unit(const struct show *s, const char *name, uint32_t kind)
{
	const struct iommu *u = show_unit(s, name);
	bool vtd = u && u->driver_kind == EV_DRIVER_VTD;
	struct show_caps c;

	show_caps(u, &c);
	put_plain(s->to, name[0] ? name : "unknown IOMMU");
	if (!u) {
		put_silent(s, name, kind);
		return;
	}
	fprintf(s->to, "  %s", word_driver_kind(u->driver_kind));
	put_mode(s, u, &c);
	fputc('\n', s->to);
	if (!c.known)
		return;
	put_widths(s, vtd ? "second-stage" : "v1", c.widths, c.pages);
	put_widths(s, vtd ? "first-stage" : "v2", c.first_widths, c.first_pages);
	if (c.max_width)
		fprintf(s->to, "  requests have addresses of %u bits\n", c.max_width);
	put_features(s, &c);
}

/* ---- domain ---- */

static const char *domain_words(const struct domain *d)
{
	const char *type = show_type(d);

	if (!strcmp(type, "DMA"))
		return "DMA strict";
	return strcmp(type, "DMA-FQ") ? type : "DMA lazy (flush queue)";
}

static void put_domain(const struct show *s, const struct show_row *row)
{
	const struct domain *d = row->domain;
	const char *format = show_format(row);

	fprintf(s->to, "  domain 0x%" PRIx64 ".%u  %s", d->ptr, d->gen, domain_words(d));
	if (show_did(row) >= 0)
		fprintf(s->to, ", domain id %" PRId64, show_did(row));
	if (format)
		fprintf(s->to, ", %s", format);
	if (d->typed && d->type & DOMAIN_PAGING) {
		put_pages(s->to, ", pages ", d->pgsize_bitmap);
		fprintf(s->to, ", [0x%" PRIx64 ", 0x%" PRIx64 "]", d->aperture_start, show_last(d));
	}
	fputc('\n', s->to);
}

/* ---- group ---- */

static bool put_users(const struct show *s, int32_t nr, const char *lead)
{
	struct list l = { .to = s->to, .lead = lead };
	const struct show_user *u;
	size_t at = 0;

	while ((u = show_user(s, nr, &at))) {
		list_add(&l, u->comm);
		fprintf(s->to, " (pid %u)", u->pid);
	}
	return l.n;
}

static bool put_drivers(const struct show *s, int32_t nr, const char *lead)
{
	struct list l = { .to = s->to, .lead = lead };
	const char *driver;
	size_t at = 0;

	while ((driver = show_driver(s, nr, &at)))
		list_add(&l, driver);
	return l.n;
}

static void put_owner(const struct show *s, const struct show_row *row)
{
	int32_t nr = row->dev->group;
	bool used = put_users(s, nr, "  VFIO user ");

	if (!put_drivers(s, nr, used ? "; driver " : "  driver ") && !used)
		fputs("  owner none", s->to);
	else if (!used && show_maybe(s, row))
		put_users(s, -1, "; perhaps used through /dev/vfio/vfio by ");
	else if (!used && show_vfio(row->dev->driver))
		fputs(", not in use", s->to);
}

static void put_resv(const struct show *s, int32_t nr)
{
	const struct group *g = model_group(s->model, nr);
	uint32_t i;

	if (!g || !g->known) {
		fputs("      reserved ranges unknown\n", s->to);
		return;
	}
	for (i = 0; i < g->n; i++)
		fprintf(s->to, "      reserved [0x%" PRIx64 ", 0x%" PRIx64 "] %s\n",
			g->ranges[i].first, g->ranges[i].last, word_resv(g->ranges[i].type));
}

static void put_group(const struct show *s, const struct show_row *row)
{
	fprintf(s->to, "    group %d", row->dev->group);
	put_owner(s, row);
	fputc('\n', s->to);
	if (s->resv)
		put_resv(s, row->dev->group);
}

/* ---- device ---- */

static void put_sid(FILE *to, uint32_t sid)
{
	fprintf(to, "%02x:%02x.%x", sid >> 8 & 0xff, sid >> 3 & 0x1f, sid & 7);
}

static void put_ids(const struct show *s, const struct device *d)
{
	unsigned int i;

	if (d->sid == ~0U)
		return;
	fputs("  requester ", s->to);
	put_sid(s->to, d->sid);
	for (i = 0; i < d->naliases; i++) {
		fputs(i ? ", " : ", also ", s->to);
		put_sid(s->to, d->aliases[i]);
	}
}

static void put_flags(const struct show *s, const struct device *d)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ EV_DEV_ATS, "ATS" }, { EV_DEV_PASID, "PASID" }, { EV_DEV_UNTRUSTED, "untrusted" },
		{ EV_DEV_DEFERRED, "attach deferred" }, { EV_DEV_PROXIED, "DMA by another device" },
	};
	struct list l = { .to = s->to, .lead = "  " };
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (d->flags & flags[i].flag)
			list_add(&l, flags[i].name);
	}
}

static void put_device(const struct show *s, const struct device *d)
{
	fputs("      ", s->to);
	put_plain(s->to, d->name[0] ? d->name : "?");
	fputs("  ", s->to);
	put_plain(s->to, d->driver[0] ? d->driver : "no driver");
	put_ids(s, d);
	put_flags(s, d);
	fputc('\n', s->to);
}

/* ---- the tree ---- */

static void put_row(const struct show *s, size_t i)
{
	const struct show_row *row = &s->rows[i], *before = i ? row - 1 : NULL;
	bool unit = !before || strcmp(before->unit, row->unit);
	bool domain = unit || before->domain != row->domain;

	if (unit)
		put_unit(s, row->unit, row->dev->driver_kind);
	if (domain)
		put_domain(s, row);
	if (domain || before->dev->group != row->dev->group)
		put_group(s, row);
	put_device(s, row->dev);
}

void text_show(const struct show *s)
{
	size_t i;

	for (i = 0; i < s->nrows; i++)
		put_row(s, i);
	for (i = 0; i < s->facts->nlinks && !s->device && s->group < 0; i++) {
		const struct show_link *l = &s->facts->links[i];

		if (!l->device[0] && show_idle(s, l->unit))
			put_unit(s, l->unit, EV_DRIVER_OTHER);
	}
}
