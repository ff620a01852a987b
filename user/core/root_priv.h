/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What both vendors' roots share. */
#ifndef IOMMUSCOPE_ROOT_PRIV_H
#define IOMMUSCOPE_ROOT_PRIV_H

#include "root.h"

#define ROOT_DID_NONE 0xffffffffu
#define ROOT_PAGE_MASK (~(uint64_t)(WALK_PAGE_BYTES - 1))

/* An entry on the way: what it is called, where it is, its 64-bit words (a power of two, at most 8). */
struct root_at {
	const char *name;
	uint64_t paddr;
	uint32_t words;
};

/**
 * root_step() - Read one more entry, and keep it
 *
 * Return: its words; NULL: there is no memory (@out is BAD).
 */
const uint64_t *root_step(struct root *out, const struct walk_memory *mem, struct root_at at);

static inline void root_begin(struct root *out)
{
	*out = (struct root) { .did = ROOT_DID_NONE, .prot = WALK_READ | WALK_WRITE };
}

#endif
