// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A tree is a sorted list of devices: whoever prints it begins a new IOMMU, domain or group where
 * that differs from the row before. So there is no tree to build, and the two outputs agree.
 */
#include "out/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "out/words.h"

/* ---- rows ---- */

/* Records keep 31 characters of a name (struct ev_device). */
static bool same_name(const char *a, const char *b)
{
	return !strncmp(a, b, sizeof(((struct ev_device *)0)->name) - 1);
}

static const char *unit_of(const struct show *s, const struct device *d)
{
	size_t i;

	for (i = 0; i < s->facts->nlinks; i++) {
		if (d->name[0] && same_name(s->facts->links[i].device, d->name))
			return s->facts->links[i].unit;
	}
	return d->mmu ? d->mmu->name : "";
}

static const struct domain *domain_of(const struct device *d)
{
	const struct binding *b = device_binding(d, EV_TAG_NO_PASID);

	return b ? b->domain : NULL;
}

static bool is_listed(const struct device *d)
{
	return d->described && !d->left && d->group >= 0 && domain_of(d);
}

static bool is_wanted(const struct show *s, const struct device *d)
{
	return (!s->device || same_name(s->device, d->name)) && (s->group < 0 || s->group == d->group);
}

static bool same_domain(const struct show_row *a, const struct show_row *b)
{
	return a->domain == b->domain && !strcmp(a->unit, b->unit);
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* One domain's rows side by side, then groups. */
static int compare_domains(const void *x, const void *y)
{
	const struct show_row *a = x, *b = y;
	int by = strverscmp(a->unit, b->unit);

	if (!by)
		by = (a->domain->ptr > b->domain->ptr) - (a->domain->ptr < b->domain->ptr);
	return by ?: compare_numbers(a->dev->group, b->dev->group);
}

static int compare_rows(const void *x, const void *y)
{
	const struct show_row *a = x, *b = y;
	int by = strverscmp(a->unit, b->unit) ?: compare_numbers(a->first_group, b->first_group);

	if (!by)
		by = (a->domain->ptr > b->domain->ptr) - (a->domain->ptr < b->domain->ptr);
	return by ?: compare_numbers(a->dev->group, b->dev->group) ?:
		     strverscmp(a->dev->name, b->dev->name);
}

static void order_rows(struct show *s)
{
	size_t i;

	if (!s->nrows)
		return;
	qsort(s->rows, s->nrows, sizeof(*s->rows), compare_domains);
	for (i = 0; i < s->nrows; i++) {
		struct show_row *r = &s->rows[i];

		r->first_group = i && same_domain(r, r - 1) ? r[-1].first_group : r->dev->group;
	}
	qsort(s->rows, s->nrows, sizeof(*s->rows), compare_rows);
}

int show_rows(struct show *s)
{
	const struct device *d;
	size_t n = 0;

	for (d = s->model->first_device; d; d = d->next)
		n++;
	s->nrows = 0;
	s->rows = calloc(n ?: 1, sizeof(*s->rows));
	if (!s->rows)
		return -ENOMEM;
	for (d = s->model->first_device; d; d = d->next) {
		if (!is_listed(d) || !is_wanted(s, d))
			continue;
		s->rows[s->nrows++] = (struct show_row){
			.dev = d,
			.domain = domain_of(d),
			.unit = unit_of(s, d),
		};
	}
	order_rows(s);
	return 0;
}

bool show_group_begins(const struct show *s, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (s->rows[j].dev->group == s->rows[i].dev->group)
			return false;
	}
	return true;
}

size_t show_groups(const struct show *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->nrows; i++)
		n += show_group_begins(s, i);
	return n;
}

/* ---- IOMMUs ---- */

bool show_idle(const struct show *s, const char *unit)
{
	size_t i;

	for (i = 0; i < s->nrows; i++) {
		if (!strcmp(s->rows[i].unit, unit))
			return false;
	}
	return true;
}

const struct iommu *show_unit(const struct show *s, const char *name)
{
	const struct iommu *u;

	for (u = s->model->first_iommu; u; u = u->next) {
		if (u->name[0] && !strcmp(u->name, name))
			return u;
	}
	return NULL;
}

enum show_scalable show_scalable(const struct show *s, const struct iommu *u)
{
	const struct device *d;

	if (!u || u->driver_kind != EV_DRIVER_VTD)
		return SCALABLE_UNKNOWN;
	if (!(u->flags & EV_IOMMU_SCALABLE))
		return SCALABLE_NONE;
	for (d = s->model->first_device; d; d = d->next) {
		if (d->mmu == u)
			return d->scalable ? SCALABLE_ON : SCALABLE_OFF;
	}
	return SCALABLE_UNKNOWN;
}

/* ---- domains ---- */

int64_t show_did(const struct show_row *row)
{
	const struct cache *c;

	for (c = row->domain->caches; c; c = c->next) {
		if (c->kind == CACHE_IOTLB && c->iommu == row->dev->mmu &&
		    c->pasid == EV_TAG_NO_PASID)
			return c->did;
	}
	return -1;
}

#define AMD_V2_PAGES (1ULL << 12 | 1ULL << 21 | 1ULL << 30)

/*
 * AMD-Vi: v1 tables have pages of nearly all powers of two, v2 tables exactly three sizes, on all
 * kernels (AMD_IOMMU_PGSIZES, AMD_IOMMU_PGSIZES_V2). A driver told to use 4K only does not tell.
 */
static const char *amd_format(const struct domain *d)
{
	if (d->pgsize_bitmap & ~AMD_V2_PAGES)
		return "AMD v1";
	return d->pgsize_bitmap == AMD_V2_PAGES ? "AMD v2" : NULL;
}

const char *show_format(const struct show_row *row)
{
	const struct domain *d = row->domain;

	if (!(d->type & DOMAIN_PAGING))
		return NULL;
	if (row->dev->driver_kind == EV_DRIVER_AMD)
		return amd_format(d);
	if (row->dev->driver_kind != EV_DRIVER_VTD || !d->tagged)
		return NULL;
	return d->tag_flags & EV_TAG_FIRST_STAGE ? "VT-d first stage" : "VT-d second stage";
}

uint64_t show_last(const struct domain *d)
{
	uint64_t last = d->width && d->width < 64 ? (1ULL << d->width) - 1 : UINT64_MAX;

	return last < d->aperture_end ? last : d->aperture_end;
}

const char *show_type(const struct domain *d)
{
	if (!d->typed)
		return "unknown";
	if (d->type & DOMAIN_SVA)
		return "SVA";
	if (d->type & DOMAIN_NESTED)
		return "nested";
	return word_domain_type(d->type);
}

/* ---- groups ---- */

const struct show_user *show_user(const struct show *s, int32_t nr, size_t *from)
{
	while (*from < s->facts->nusers) {
		const struct show_user *u = &s->facts->users[(*from)++];

		if (u->group == nr)
			return u;
	}
	return NULL;
}

static bool driver_begins(const struct show *s, size_t i)
{
	const struct device *d = s->rows[i].dev;
	size_t j;

	for (j = 0; j < i; j++) {
		if (s->rows[j].dev->group == d->group && !strcmp(s->rows[j].dev->driver, d->driver))
			return false;
	}
	return d->driver[0];
}

const char *show_driver(const struct show *s, int32_t nr, size_t *from)
{
	while (*from < s->nrows) {
		size_t i = (*from)++;

		if (s->rows[i].dev->group == nr && driver_begins(s, i))
			return s->rows[i].dev->driver;
	}
	return NULL;
}

bool show_vfio(const char *driver)
{
	return strstr(driver, "vfio");
}

bool show_maybe(const struct show *s, const struct show_row *row)
{
	size_t own = 0, containers = 0;

	return show_vfio(row->dev->driver) && !strcmp(show_type(row->domain), "unmanaged") &&
	       !show_user(s, row->dev->group, &own) && show_user(s, -1, &containers);
}

const char *word_resv(uint32_t type)
{
	static const char *const names[] = {
		[EV_RESV_NONE] = "none",	 [EV_RESV_DIRECT] = "direct",
		[EV_RESV_RELAXABLE] = "direct-relaxable", [EV_RESV_RESERVED] = "reserved",
		[EV_RESV_MSI] = "msi",
	};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}
