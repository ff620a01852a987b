// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The ordered map on JudyL. The functions are called, not the macros: those exit. */
#include <errno.h>
#include <stddef.h>

#include <Judy.h>

#include "omap.h"

_Static_assert(sizeof(Word_t) == sizeof(uint64_t), "keys are 64 bits");

void *omap_get(const struct omap *m, uint64_t key)
{
	PPvoid_t slot = JudyLGet(m->root, key, PJE0);

	return slot && slot != PPJERR ? *slot : NULL;
}

int omap_put(struct omap *m, uint64_t key, void *value)
{
	PPvoid_t slot = JudyLIns(&m->root, key, PJE0);

	if (!slot || slot == PPJERR)
		return -ENOMEM;

	*slot = value;
	return 0;
}

void omap_del(struct omap *m, uint64_t key)
{
	JudyLDel(&m->root, key, PJE0);
}

/*
 * JudyLLast() and JudyLFirst() look for the key itself first and search then; a strict
 * search from the key's neighbour descends once.
 */
void *omap_floor(const struct omap *m, uint64_t key)
{
	Word_t at = key + 1;
	PPvoid_t slot;

	if (key == UINT64_MAX) {
		at = key;
		slot = JudyLLast(m->root, &at, PJE0);
	} else {
		slot = JudyLPrev(m->root, &at, PJE0);
	}
	return slot && slot != PPJERR ? *slot : NULL;
}

void *omap_ceil(const struct omap *m, uint64_t key)
{
	Word_t at = key - 1;
	PPvoid_t slot;

	if (!key) {
		at = 0;
		slot = JudyLFirst(m->root, &at, PJE0);
	} else {
		slot = JudyLNext(m->root, &at, PJE0);
	}
	return slot && slot != PPJERR ? *slot : NULL;
}

void omap_clear(struct omap *m)
{
	JudyLFreeArray(&m->root, PJE0);
	m->root = NULL;
}
