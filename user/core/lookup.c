// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "lookup.h"

#include <stddef.h>

#include "reading.h"
#include "wire.h"

static enum lookup_status without_table(uint32_t type)
{
	if (type & (DOMAIN_SVA | DOMAIN_NESTED))
		return LOOKUP_FOREIGN;
	if (type & DOMAIN_PT)
		return LOOKUP_IDENTITY;
	return type == DOMAIN_BLOCKED ? LOOKUP_BLOCKED : LOOKUP_UNKNOWN;
}

static enum lookup_status status_of(const struct lookup *l)
{
	const struct lookup_place *p = &l->place;

	if (!(p->type & DOMAIN_PAGING) || p->type & (DOMAIN_SVA | DOMAIN_NESTED))
		return without_table(p->type);
	if (p->table.format == WALK_NONE)
		return LOOKUP_UNKNOWN;
	if (l->walked && l->path.present)
		return LOOKUP_MAPPED;
	if (l->walked && l->path.bad)
		return LOOKUP_BAD;
	return l->iova < p->first || l->iova > p->last ? LOOKUP_OUTSIDE : LOOKUP_HOLE;
}

/*
 * A table has more levels than the hardware walks: of an IOMMU with fewer levels (VT-d before 6.19,
 * domain_context_mapping_one()), or one that grew a moment ago (AMD v1). For an IOVA below the
 * lower root it is the same.
 */
static bool is_on_the_way(const struct lookup *l)
{
	const struct walk_window *hw = &l->place.root.table.windows[0];
	uint32_t i;

	if (!l->walked || l->place.root.table.format != l->place.table.format)
		return false;
	for (i = 0; i < l->path.nsteps; i++) {
		const struct walk_step *step = &l->path.steps[i];

		if (step->level == hw->levels && l->iova >= hw->first && l->iova <= hw->last &&
		    (step->entry_paddr & ~(uint64_t)(WALK_PAGE_BYTES - 1)) == hw->root)
			return true;
	}
	return false;
}

/* VT-d without pass-through: before 6.11 an identity is a table (intel/iommu.c, si_domain_init()). */
static bool is_one_to_one(const struct lookup *l)
{
	return l->status == LOOKUP_IDENTITY && l->hw_walked && l->hw_path.present &&
	       lookup_paddr(&l->hw_path, l->iova) == l->iova;
}

static const char *difference_of(const struct lookup_place *p)
{
	const struct walk_window *books = &p->table.windows[0], *hw = &p->root.table.windows[0];
	const struct ev_read read = {
		.root = books->root, .levels = books->levels, .format = p->table.format,
		.flags = p->type & DOMAIN_PAGING ? 0 : EV_READ_NO_TABLE,
	};
	const struct ev_root root = {
		.kind = p->root.kind, .root = hw->root, .levels = hw->levels,
		.format = p->root.table.format,
	};

	return root_difference(p->type, &read, &root);
}

static enum lookup_way way_of(struct lookup *l)
{
	if (!l->place.root_known || l->status == LOOKUP_FOREIGN || l->status == LOOKUP_UNKNOWN)
		return LOOKUP_WAY_UNKNOWN;
	l->difference = difference_of(&l->place);
	if (!l->difference || is_one_to_one(l)) {
		l->difference = NULL;
		return LOOKUP_WAY_SAME;
	}
	if (l->place.root.kind != ROOT_TABLE || !is_on_the_way(l))
		return LOOKUP_WAY_DIFFERS;
	l->difference = NULL;
	return LOOKUP_WAY_BELOW;
}

void lookup_judge(struct lookup *l)
{
	l->difference = NULL;
	l->status = status_of(l);
	l->way = way_of(l);
}

uint64_t lookup_paddr(const struct walk_path *path, uint64_t iova)
{
	return path->run.paddr + (iova - path->run.iova);
}

bool lookup_answered(const struct lookup *l)
{
	return !l->flux && l->status != LOOKUP_FOREIGN && l->status != LOOKUP_UNKNOWN;
}
