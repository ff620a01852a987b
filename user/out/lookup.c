// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "out/lookup.h"

#include <inttypes.h>
#include <string.h>

#include "core/reading.h"
#include "core/wire.h"
#include "event.h"
#include "out/out.h"

/* ---- pieces ---- */

static void put_range(FILE *to, uint64_t first, uint64_t last)
{
	fprintf(to, "[0x%" PRIx64 ", 0x%" PRIx64 "]", first, last);
}

static void put_size(FILE *to, unsigned int lg2)
{
	if (lg2 < 64)
		fprintf(to, "%u%c", 1U << lg2 % 10, "BKMGTPE"[lg2 / 10]);
	else
		fputs("16E", to);
}

/* ---- device, domain, hardware ---- */

static void put_device(FILE *to, const struct lookup_place *p)
{
	put_plain(to, p->device);
	fputs("  ", to);
	put_plain(to, p->driver[0] ? p->driver : "no driver");
	fprintf(to, ", group %d", p->group);
	if (p->sid != ~0U)
		fprintf(to, ", requester %02x:%02x.%x", p->sid >> 8 & 0xff, p->sid >> 3 & 0x1f, p->sid & 7);
	fprintf(to, ", %s", word_driver_kind(p->kind));
	if (p->iommu[0]) {
		fputc(' ', to);
		put_plain(to, p->iommu);
	}
	fputs(p->dev_flags & EV_DEV_DEFERRED ? ", attach deferred\n" : "\n", to);
}

static void put_table(FILE *to, const struct lookup_place *p, const struct walk_table *t)
{
	fprintf(to, "%s table of %u levels at 0x%" PRIx64, lookup_format(p, t), t->windows[0].levels,
		t->windows[0].root);
}

static void put_domain(FILE *to, const struct lookup_place *p)
{
	fprintf(to, "  domain 0x%" PRIx64 "  %s", p->domain, lookup_type(p->type));
	if (p->type & DOMAIN_PAGING) {
		fputs(", ", to);
		put_range(to, p->first, p->last);
	}
	if (p->table.format != WALK_NONE) {
		fputs(", ", to);
		put_table(to, p, &p->table);
	}
	fputc('\n', to);
}

static void put_root_entry(FILE *to, const struct root_step *s)
{
	uint32_t i;

	fprintf(to, "    %s at 0x%" PRIx64 ":", s->name, s->entry_paddr);
	for (i = 0; i < s->words; i++)
		fprintf(to, " 0x%016" PRIx64, s->raw[i]);
	fputc('\n', to);
}

static void put_root_end(FILE *to, const struct lookup_place *p)
{
	static const char *const words[] = {
		[ROOT_ABSENT] = "no entry: DMA is blocked", [ROOT_TABLE] = "", [ROOT_PASS] = "untranslated",
		[ROOT_NESTED] = "two stages, the second is a ", [ROOT_BAD] = "malformed, or no memory is there",
		[ROOT_BLOCKED] = "DMA is blocked",
	};

	fputs(words[p->root.kind], to);
	if (p->root.kind == ROOT_TABLE || p->root.kind == ROOT_NESTED)
		put_table(to, p, &p->root.table);
	if (p->root.did != ~0U)
		fprintf(to, ", domain id %u", p->root.did);
}

static void put_way(FILE *to, const struct lookup *l)
{
	switch (l->way) {
	case LOOKUP_WAY_SAME:
		fputs(": as the domain says", to);
		break;
	case LOOKUP_WAY_BELOW:
		fputs(": a lower level of the domain's table, on the way to this address", to);
		break;
	case LOOKUP_WAY_DIFFERS:
		fprintf(to, ": NOT as the domain says (%s)", l->difference);
		break;
	case LOOKUP_WAY_UNKNOWN:
		break;
	}
	fputc('\n', to);
}

static void put_hardware(FILE *to, const struct lookup *l)
{
	const struct lookup_place *p = &l->place;
	uint32_t i;

	if (!p->root_known) {
		fprintf(to, "  hardware: not read%s\n", p->dev_flags & EV_DEV_PROXIED ?
			": another device does its DMA" : "");
		return;
	}
	fputs("  hardware: ", to);
	put_root_end(to, p);
	put_way(to, l);
	for (i = 0; i < p->root.nsteps; i++)
		put_root_entry(to, &p->root.steps[i]);
}

/* ---- the way ---- */

static void put_step(FILE *to, const struct walk_path *path, uint32_t i)
{
	const struct walk_step *s = &path->steps[i];

	fprintf(to, "    level %u entry at 0x%" PRIx64 ": 0x%016" PRIx64 "  ", s->level, s->entry_paddr, s->raw);
	switch (lookup_entry(path, i)) {
	case ENTRY_TABLE:
		fputs("table", to);
		break;
	case ENTRY_PAGE:
		put_size(to, path->run.page_lg2);
		fputs(" page", to);
		break;
	case ENTRY_HOLE:
		fputs("hole", to);
		break;
	case ENTRY_BAD:
		fputs("malformed", to);
		break;
	}
	fputc('\n', to);
}

static void put_path(FILE *to, const struct walk_path *path)
{
	uint32_t i;

	for (i = 0; i < path->nsteps; i++)
		put_step(to, path, i);
}

static void put_mapped(FILE *to, const struct walk_path *path, uint64_t iova, uint32_t prot)
{
	fprintf(to, "physical 0x%" PRIx64 ", in a page of ", lookup_paddr(path, iova));
	put_size(to, path->run.page_lg2);
	fprintf(to, ", %s", walk_prot_name(prot));
}

static void put_hole(FILE *to, const struct walk_path *path, bool walked)
{
	if (walked && path->nsteps)
		fprintf(to, "not mapped: a hole at level %u", path->steps[path->nsteps - 1].level);
	else
		fputs("not mapped: above what the table has levels for now", to);
}

static void put_unknown(FILE *to, const struct lookup_place *p)
{
	fprintf(to, "not known: page tables of this kind (%s, %s) are not read", word_driver_kind(p->kind),
		lookup_type(p->type));
}

static void put_foreign(FILE *to, const struct lookup_place *p)
{
	fprintf(to, "not known: %s's table is not read", p->type & DOMAIN_SVA ? "a process" : "a guest");
}

static void put_answer(FILE *to, const struct lookup *l)
{
	fprintf(to, "0x%" PRIx64 "  ", l->iova);
	if (l->flux)
		fputs("in flux; last seen: ", to);
	switch (l->status) {
	case LOOKUP_MAPPED:
		put_mapped(to, &l->path, l->iova, lookup_prot(l));
		break;
	case LOOKUP_BAD:
		fprintf(to, "malformed: %s", lookup_bad(&l->path));
		break;
	case LOOKUP_OUTSIDE:
		fputs("outside of what the domain translates: ", to);
		put_range(to, l->place.first, l->place.last);
		break;
	case LOOKUP_IDENTITY:
		fprintf(to, "untranslated: IOVA is the physical address, 0x%" PRIx64, l->iova);
		break;
	case LOOKUP_BLOCKED:
		fputs("blocked: the domain lets no DMA through", to);
		break;
	case LOOKUP_FOREIGN:
		put_foreign(to, &l->place);
		break;
	case LOOKUP_UNKNOWN:
		put_unknown(to, &l->place);
		break;
	default:
		put_hole(to, &l->path, l->walked);
	}
	fputc('\n', to);
}

/* The hardware goes another way: what it finds there. */
static void put_other_way(FILE *to, const struct lookup *l)
{
	if (!l->hw_walked)
		return;
	fputs("  by the hardware's table: ", to);
	if (l->hw_path.present)
		put_mapped(to, &l->hw_path, l->iova, l->hw_path.run.prot & l->place.root.prot);
	else if (l->hw_path.bad)
		fputs(lookup_bad(&l->hw_path), to);
	else
		put_hole(to, &l->hw_path, true);
	fputc('\n', to);
	put_path(to, &l->hw_path);
}

/* ---- books ---- */

static void put_area(FILE *to, const char *lead, const struct lookup_area *a)
{
	if (!a->valid)
		return;
	fputs(lead, to);
	put_range(to, a->first, a->last);
}

static void put_neighbours(FILE *to, const struct lookup *l)
{
	put_area(to, "; nearest below ", &l->below);
	put_area(to, "; nearest above ", &l->above);
	fputc('\n', to);
}

static void put_slots(FILE *to, const struct lookup *l)
{
	const struct lookup_area *a = &l->holds;

	fprintf(to, "  %s: ", book_name(l->book == LOOKUP_VFIO ? BOOK_VFIO : BOOK_IOMMUFD));
	if (!a->valid) {
		fputs("nothing here", to);
		put_neighbours(to, l);
		return;
	}
	put_range(to, a->first, a->last);
	fprintf(to, " %s", walk_prot_name(a->prot));
	if (a->vaddr)
		fprintf(to, ", process address 0x%" PRIx64, a->vaddr + (l->iova - a->first));
	if (a->tgid)
		fprintf(to, ", pid %u", a->tgid);
	if (a->comm[0]) {
		fputs(" (", to);
		put_plain(to, a->comm);
		fputc(')', to);
	}
	fputc('\n', to);
}

static void put_dma_api(FILE *to, const struct lookup *l)
{
	if (l->holds.valid) {
		put_area(to, "  DMA API: allocated or reserved ", &l->holds);
		fputc('\n', to);
		return;
	}
	fputs("  DMA API: not allocated", to);
	put_neighbours(to, l);
}

static void put_books(FILE *to, const struct lookup *l)
{
	if (lookup_has_slots(l))
		put_slots(to, l);
	else if (l->book == LOOKUP_DMA_API)
		put_dma_api(to, l);
	else if (l->place.owned)
		fputs("  its owner (iommufd, or a driver) has no book that is read\n", to);
	if (!l->reserved[0])
		return;
	fputs("  reserved range ", to);
	put_range(to, l->reserved_first, l->reserved_last);
	fputc(' ', to);
	put_plain(to, l->reserved);
	fputc('\n', to);
}

void text_lookup(FILE *to, const struct lookup *l, const struct lookup *before)
{
	if (!before || before->way != l->way || memcmp(&before->place, &l->place, sizeof(l->place))) {
		put_device(to, &l->place);
		put_domain(to, &l->place);
		put_hardware(to, l);
	}
	put_answer(to, l);
	if (l->walked)
		put_path(to, &l->path);
	put_other_way(to, l);
	put_books(to, l);
}
