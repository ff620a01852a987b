// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What both vendors' roots share: an entry at a time, kept as it was read. */
#include <stddef.h>
#include <string.h>

#include "root_priv.h"

const uint64_t *root_step(struct root *out, const struct walk_memory *mem, struct root_at at)
{
	struct root_step *step = &out->steps[out->nsteps];
	uint64_t page[WALK_PAGE_ENTRIES];

	out->kind = ROOT_BAD;
	if (out->nsteps == ROOT_STEPS_MAX || mem->read(mem->arg, at.paddr & ROOT_PAGE_MASK, page))
		return NULL;

	out->nsteps++;
	step->name = at.name;
	step->entry_paddr = at.paddr;
	step->words = at.words;
	memcpy(step->raw, &page[at.paddr % WALK_PAGE_BYTES / sizeof(uint64_t)],
	       at.words * sizeof(uint64_t));
	return step->raw;
}

const char *root_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[ROOT_ABSENT] = "absent",
		[ROOT_TABLE] = "table",
		[ROOT_PASS] = "pass-through",
		[ROOT_NESTED] = "nested",
		[ROOT_BAD] = "bad",
		[ROOT_BLOCKED] = "blocked",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}
