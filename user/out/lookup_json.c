// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The same as a line of JSON, docs/json.md. */
#include "out/lookup.h"

#include <inttypes.h>

#include "core/wire.h"
#include "event.h"
#include "out/out.h"

static void put_text(FILE *to, const char *key, const char *text)
{
	fprintf(to, ",\"%s\":", key);
	put_json(to, text);
}

static void put_address(FILE *to, const char *key, uint64_t value)
{
	fprintf(to, ",\"%s\":\"0x%" PRIx64 "\"", key, value);
}

/* ---- device, domain, hardware ---- */

static void put_place(FILE *to, const struct lookup_place *p)
{
	put_text(to, "device", p->device);
	put_text(to, "driver", p->driver);
	fprintf(to, ",\"group\":%d", p->group);
	if (p->sid != ~0U)
		fprintf(to, ",\"sid\":%u", p->sid);
	put_text(to, "iommu", word_driver_kind(p->kind));
	put_text(to, "iommu_name", p->iommu);
	put_address(to, "domain", p->domain);
	put_text(to, "type", lookup_type(p->type));
	if (p->type & DOMAIN_PAGING) {
		put_address(to, "aperture_start", p->first);
		put_address(to, "aperture_end", p->last);
	}
}

static void put_table(FILE *to, const struct lookup_place *p, const struct walk_table *t)
{
	if (t->format == WALK_NONE)
		return;
	put_text(to, "format", lookup_format(p, t));
	fprintf(to, ",\"levels\":%u", t->windows[0].levels);
	put_address(to, "root", t->windows[0].root);
}

static void put_root_steps(FILE *to, const struct root *r)
{
	uint32_t i, word;

	fputs(",\"entries\":[", to);
	for (i = 0; i < r->nsteps; i++) {
		fprintf(to, "%s{\"name\":\"%s\"", i ? "," : "", r->steps[i].name);
		put_address(to, "at", r->steps[i].entry_paddr);
		fputs(",\"raw\":[", to);
		for (word = 0; word < r->steps[i].words; word++)
			fprintf(to, "%s\"0x%" PRIx64 "\"", word ? "," : "", r->steps[i].raw[word]);
		fputs("]}", to);
	}
	fputc(']', to);
}

static void put_hardware(FILE *to, const struct lookup *l)
{
	static const char *const words[] = {
		[LOOKUP_WAY_UNKNOWN] = "unknown", [LOOKUP_WAY_SAME] = "same",
		[LOOKUP_WAY_BELOW] = "below", [LOOKUP_WAY_DIFFERS] = "differs",
	};
	const struct lookup_place *p = &l->place;

	if (!p->root_known)
		return;
	fprintf(to, ",\"hardware\":{\"agrees\":\"%s\"", words[l->way]);
	if (l->difference)
		put_text(to, "difference", l->difference);
	put_text(to, "leads_to", root_kind_name(p->root.kind));
	if (p->root.did != ~0U)
		fprintf(to, ",\"did\":%u", p->root.did);
	put_table(to, p, &p->root.table);
	put_root_steps(to, &p->root);
	fputc('}', to);
}

/* ---- the way ---- */

static void put_path(FILE *to, const char *key, const struct walk_path *path)
{
	static const char *const words[] = {
		[ENTRY_TABLE] = "table", [ENTRY_PAGE] = "page", [ENTRY_HOLE] = "hole", [ENTRY_BAD] = "malformed",
	};
	uint32_t i;

	fprintf(to, ",\"%s\":[", key);
	for (i = 0; i < path->nsteps; i++) {
		const struct walk_step *s = &path->steps[i];

		fprintf(to, "%s{\"level\":%u", i ? "," : "", s->level);
		put_address(to, "at", s->entry_paddr);
		put_address(to, "raw", s->raw);
		put_text(to, "is", words[lookup_entry(path, i)]);
		fputc('}', to);
	}
	fputc(']', to);
}

static void put_mapped(FILE *to, const struct walk_path *path, uint64_t iova, uint32_t prot)
{
	put_address(to, "paddr", lookup_paddr(path, iova));
	if (path->run.page_lg2 < 64)
		fprintf(to, ",\"page_bytes\":%" PRIu64, (uint64_t)1 << path->run.page_lg2);
	put_text(to, "prot", walk_prot_name(prot));
}

static void put_answer(FILE *to, const struct lookup *l)
{
	static const char *const words[] = {
		[LOOKUP_MAPPED] = "mapped", [LOOKUP_HOLE] = "hole", [LOOKUP_BAD] = "malformed",
		[LOOKUP_OUTSIDE] = "outside", [LOOKUP_IDENTITY] = "identity", [LOOKUP_BLOCKED] = "blocked",
		[LOOKUP_FOREIGN] = "foreign", [LOOKUP_UNKNOWN] = "unknown",
	};

	fprintf(to, "{\"schema\":\"" LOOKUP_SCHEMA "\",\"lookup\":\"%s\"", words[l->status]);
	put_address(to, "iova", l->iova);
	fprintf(to, ",\"flux\":%s", l->flux ? "true" : "false");
	if (l->status == LOOKUP_MAPPED)
		put_mapped(to, &l->path, l->iova, lookup_prot(l));
	else if (l->status == LOOKUP_IDENTITY)
		put_address(to, "paddr", l->iova);
	else if (l->status == LOOKUP_BAD)
		put_text(to, "malformed", lookup_bad(&l->path));
	if (l->walked)
		put_path(to, "entries", &l->path);
}

static void put_other_way(FILE *to, const struct lookup *l)
{
	if (!l->hw_walked)
		return;
	fputs(",\"by_hardware\":{\"lookup\":", to);
	put_json(to, l->hw_path.present ? "mapped" : l->hw_path.bad ? "malformed" : "hole");
	if (l->hw_path.present)
		put_mapped(to, &l->hw_path, l->iova, l->hw_path.run.prot & l->place.root.prot);
	put_path(to, "entries", &l->hw_path);
	fputc('}', to);
}

/* ---- books ---- */

static void put_area(FILE *to, const char *key, const struct lookup_area *a)
{
	if (a->valid)
		fprintf(to, ",\"%s\":{\"first\":\"0x%" PRIx64 "\",\"last\":\"0x%" PRIx64 "\"}", key, a->first,
			a->last);
}

static void put_holder(FILE *to, const struct lookup *l)
{
	const struct lookup_area *a = &l->holds;

	fputs(",\"area\":{", to);
	fprintf(to, "\"first\":\"0x%" PRIx64 "\",\"last\":\"0x%" PRIx64 "\"", a->first, a->last);
	if (lookup_has_slots(l))
		put_text(to, "prot", walk_prot_name(a->prot));
	if (a->vaddr)
		put_address(to, "vaddr", a->vaddr + (l->iova - a->first));
	if (a->tgid)
		fprintf(to, ",\"pid\":%u", a->tgid);
	if (a->comm[0])
		put_text(to, "comm", a->comm);
	fputc('}', to);
}

static void put_books(FILE *to, const struct lookup *l)
{
	static const char *const words[] = {
		[LOOKUP_NO_BOOK] = "none", [LOOKUP_VFIO] = "vfio", [LOOKUP_IOMMUFD] = "iommufd",
		[LOOKUP_DMA_API] = "dma-api",
	};

	put_text(to, "book", words[l->book]);
	if (l->holds.valid)
		put_holder(to, l);
	put_area(to, "below", &l->below);
	put_area(to, "above", &l->above);
	if (l->reserved[0]) {
		fprintf(to, ",\"reserved\":{\"first\":\"0x%" PRIx64 "\",\"last\":\"0x%" PRIx64 "\"",
			l->reserved_first, l->reserved_last);
		put_text(to, "type", l->reserved);
		fputc('}', to);
	}
}

void json_lookup(FILE *to, const struct lookup *l)
{
	put_answer(to, l);
	put_place(to, &l->place);
	put_table(to, &l->place, &l->place.table);
	put_hardware(to, l);
	put_other_way(to, l);
	put_books(to, l);
	fputs("}\n", to);
}
