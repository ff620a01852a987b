// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "reading.h"
#include "root.h"
#include "wire.h"

static const char *without_table(uint32_t domain_type, uint32_t kind)
{
	if (domain_type & DOMAIN_PT)
		return kind == ROOT_PASS ? NULL :
		       "the domain is an identity, the hardware translates or blocks";
	/* Nested and SVA domains have no table of the kernel's own, and block nothing. */
	if (domain_type != DOMAIN_BLOCKED)
		return NULL;
	return kind == ROOT_ABSENT || kind == ROOT_BLOCKED ? NULL :
	       "the domain blocks, the hardware does not";
}

static const char *no_table(uint32_t kind)
{
	switch (kind) {
	case ROOT_BAD:
		return "the hardware's entry is malformed";
	case ROOT_PASS:
		return "the domain has a table, the hardware does not translate";
	case ROOT_NESTED:
		return "the domain has one table, the hardware uses two";
	default:
		return "the domain has a table, the hardware has none";
	}
}

const char *root_difference(uint32_t domain_type, const struct ev_read *books,
			    const struct ev_root *hardware)
{
	if (books->flags & EV_READ_UNKNOWN || hardware->kind > ROOT_BLOCKED ||
	    hardware->format >= WALK_FORMATS)
		return NULL;
	if (books->flags & EV_READ_NO_TABLE)
		return without_table(domain_type, hardware->kind);
	if (hardware->kind != ROOT_TABLE)
		return no_table(hardware->kind);
	if (hardware->root != books->root)
		return "another table";
	return hardware->levels == books->levels && hardware->format == books->format ? NULL :
	       "the same table, read in another way: levels or format";
}
