// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A histogram with sixteen linear steps to each power of two. */
#include "exposure.h"

static unsigned int slot_of(uint64_t ns)
{
	unsigned int lg2;

	if (ns < EXPOSURE_STEPS)
		return ns;
	lg2 = 63 - __builtin_clzll(ns);
	return (lg2 - 3) * EXPOSURE_STEPS + (ns >> (lg2 - 4)) % EXPOSURE_STEPS;
}

/* The longest that belongs to slot @i. */
static uint64_t slot_last(unsigned int i)
{
	unsigned int lg2 = i / EXPOSURE_STEPS + 3, step = i % EXPOSURE_STEPS;

	if (i < EXPOSURE_STEPS)
		return i;
	return ((uint64_t)(EXPOSURE_STEPS + step) << (lg2 - 4)) + ((1ULL << (lg2 - 4)) - 1);
}

void exposures_add_ns(struct exposures *x, uint64_t ns)
{
	x->slots[slot_of(ns)]++;
	x->count++;
}

uint64_t exposures_p99_ns(const struct exposures *x)
{
	uint64_t least = x->count - x->count / 100, seen = 0;
	unsigned int i;

	for (i = 0; i < EXPOSURE_SLOTS; i++) {
		seen += x->slots[i];
		if (seen >= least)
			break;
	}
	if (i == EXPOSURE_SLOTS || slot_last(i) > x->longest_ns)
		return x->longest_ns;
	return slot_last(i);
}
