// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/root_record.h"

#include <string.h>

#include "core/wire.h"

/*
 * VT-d before 6.19, domain_context_mapping_one() and domain_setup_first_level(): an IOMMU with fewer levels than the
 * table begins lower, at what the first entry points at.
 */
static void follow_skip(struct peek *p, const struct walk_table *books, struct ev_root *r)
{
	struct walk_memory mem = peek_memory(p);
	uint64_t page[WALK_PAGE_ENTRIES], at = books->windows[0].root;
	uint32_t level = books->windows[0].levels;

	if (r->format != books->format ||
	    (r->format != WALK_VTD_SECOND && r->format != WALK_X86))
		return;
	for (; level > r->levels; level--) {
		if (mem.read(mem.arg, at, page))
			return;
		at = page[0] & ~0xfffULL & ((1ULL << 52) - 1);
	}
	if (at == r->root && level == r->levels) {
		r->root = books->windows[0].root;
		r->levels = books->windows[0].levels;
	}
}

static int lead_to_itself(void *arg, const struct walk_run *run)
{
	bool *itself = arg;

	*itself = run->kind == WALK_LEAF && run->paddr == run->iova;
	return 1;
}

#define MIB (1ULL << 20)	/* RAM wherever Linux runs on x86 */

/* 6.1, si_domain_init(): where VT-d cannot pass through, an identity domain has a table, one to one. */
static void follow_identity(struct peek *p, const struct host_domain *d, const struct root *root,
			    struct ev_root *rec)
{
	struct walk_memory mem = peek_memory(p);
	bool itself = false;

	if (!(d->at.type & DOMAIN_PT) || root->kind != ROOT_TABLE)
		return;
	walk_range(&root->table, &mem, MIB, MIB + WALK_PAGE_BYTES - 1, 0, lead_to_itself, &itself,
		   NULL);
	if (itself)
		rec->kind = ROOT_PASS;
}

static void fill_root(struct ev_root *rec, const struct root *root)
{
	const struct root_step *last = root->nsteps ? &root->steps[root->nsteps - 1] : NULL;

	rec->kind = root->kind;
	rec->did = root->did;
	rec->format = root->table.format;
	rec->root = root->table.windows[0].root;
	rec->levels = root->table.windows[0].levels;
	rec->flags = (root->first_stage ? EV_ROOT_FIRST_STAGE : 0) |
		     (root->scalable ? EV_ROOT_SCALABLE : 0);
	if (last) {
		rec->entry_paddr = last->entry_paddr;
		memcpy(rec->raw, last->raw, sizeof(rec->raw));
	}
}

void root_record(struct peek *p, const struct host_domain *domain, const struct root *root,
		 struct ev_root *rec)
{
	fill_root(rec, root);
	follow_skip(p, &domain->table, rec);
	follow_identity(p, domain, root, rec);
}
