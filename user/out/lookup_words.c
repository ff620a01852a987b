// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "out/lookup.h"

#include <stddef.h>

#include "core/wire.h"
#include "event.h"
#include "out/words.h"

enum lookup_entry lookup_entry(const struct walk_path *path, uint32_t i)
{
	if (i + 1 < path->nsteps)
		return ENTRY_TABLE;
	if (path->present)
		return ENTRY_PAGE;
	/* A table that cannot be read, or a circle: the entry itself is in order. */
	if (path->bad)
		return path->run.kind == WALK_BAD_RESERVED ? ENTRY_BAD : ENTRY_TABLE;
	return ENTRY_HOLE;
}

uint32_t lookup_prot(const struct lookup *l)
{
	return l->path.run.prot & (l->way == LOOKUP_WAY_SAME || l->way == LOOKUP_WAY_BELOW ?
				   l->place.root.prot : WALK_READ | WALK_WRITE);
}

const char *lookup_format(const struct lookup_place *p, const struct walk_table *t)
{
	if (t->format == WALK_NONE)
		return NULL;
	if (t->format == WALK_X86 && p->kind == EV_DRIVER_VTD)
		return "VT-d first stage";
	if (t->format == WALK_X86 && p->kind == EV_DRIVER_AMD)
		return "AMD v2";
	return walk_format_name(t->format);
}

const char *lookup_type(uint32_t type)
{
	if (type & DOMAIN_SVA)
		return "SVA";
	return type & DOMAIN_NESTED ? "nested" : word_domain_type(type);
}

const char *lookup_bad(const struct walk_path *path)
{
	switch (path->run.kind) {
	case WALK_BAD_RESERVED:
		return "an entry that the format does not allow";
	case WALK_BAD_LOOP:
		return "the tables lead in a circle";
	default:
		return "the next table is where no memory is";
	}
}
