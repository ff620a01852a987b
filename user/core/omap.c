// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The ordered map on JudyL. The functions are called, not the macros: those exit. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <Judy.h>

#include "omap.h"

_Static_assert(sizeof(Word_t) == sizeof(uint64_t), "keys are 64 bits");

/* Looking at a map does not change it, but what is remembered of it. */
static void *remember(const struct omap *m, uint64_t low, uint64_t high, void *value)
{
	struct omap *w = (struct omap *)m;

	w->memo = (struct omap_memo){ .low = low, .high = high, .value = value };
	return value;
}

void *omap_get(const struct omap *m, uint64_t key)
{
	PPvoid_t slot;

	if (m->memo.low == key && m->memo.value)
		return m->memo.value;
	if (!m->root)
		return NULL;
	slot = JudyLGet(m->root, key, PJE0);
	return slot && slot != PPJERR ? remember(m, key, key, *slot) : NULL;
}

int omap_put(struct omap *m, uint64_t key, void *value)
{
	PPvoid_t slot = JudyLIns(&m->root, key, PJE0);
	bool inside = m->memo.value && m->memo.low <= key && key <= m->memo.high;

	if (!slot || slot == PPJERR)
		return -ENOMEM;

	*slot = value;
	remember(m, key, inside ? m->memo.high : key, value);
	return 0;
}

void omap_del(struct omap *m, uint64_t key)
{
	if (m->memo.low == key)
		m->memo.value = NULL;
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

	if (m->memo.value && m->memo.low <= key && key <= m->memo.high)
		return m->memo.value;
	if (key == UINT64_MAX) {
		at = key;
		slot = JudyLLast(m->root, &at, PJE0);
	} else {
		slot = JudyLPrev(m->root, &at, PJE0);
	}
	return slot && slot != PPJERR ? remember(m, at, key, *slot) : NULL;
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
	m->memo.value = NULL;
}
