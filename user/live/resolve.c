// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which row of the hook table finds its function on this kernel, by BTF. */
#include "live/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted names of all functions of the kernel image: they are asked some hundred times. */
int loader_list_functions(struct loader *ld)
{
	const struct btf *btf = ld->btf;
	uint32_t id, types = btf__type_cnt(btf);
	const char **list = calloc(types, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (id = 1; id < types; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_func(t))
			list[n++] = btf__name_by_offset(btf, t->name_off);
	}
	qsort(list, n, sizeof(*list), by_name);
	ld->functions = list;
	ld->nfunctions = n;
	return 0;
}

static bool has_function(const struct loader *ld, const char *name)
{
	return name && bsearch(&name, ld->functions, ld->nfunctions, sizeof(name), by_name);
}

bool loader_module_live(const char *module)
{
	char path[128], state[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	f = fopen(path, "re");
	if (!f)	/* built in, or not there; a built-in one has no initstate but a folder */
		return false;
	if (!fgets(state, sizeof(state), f))
		state[0] = 0;
	fclose(f);
	return !strncmp(state, "live", 4);
}

/* A module's functions are in its own BTF, which needs the kernel's as its base. */
static const char *module_function(const struct loader *ld, const struct hook_row *row)
{
	struct btf *btf = btf__load_module_btf(row->module, ld->btf);
	const char *found = NULL;
	int i;

	if (!btf)
		return NULL;
	for (i = 0; i < HOOK_CANDIDATES && !found; i++)
		if (row->function[i] &&
		    btf__find_by_name_kind(btf, row->function[i], BTF_KIND_FUNC) > 0)
			found = row->function[i];
	btf__free(btf);
	return found;
}

static const char *find_function(const struct loader *ld, const struct hook_row *row)
{
	int i;

	if (row->tracepoint)
		return row->function[0];
	if (row->module && !has_function(ld, row->function[0]))
		return module_function(ld, row);
	for (i = 0; i < HOOK_CANDIDATES; i++)
		if (has_function(ld, row->function[i]))
			return row->function[i];
	return NULL;
}

static bool witness_off(const struct loader *ld, enum witness w)
{
	return (w == WITNESS_INTENT && (ld->opt.off & EV_FILTER_INTENT)) ||
	       (w == WITNESS_ACTION && (ld->opt.off & EV_FILTER_ACTION)) ||
	       (w == WITNESS_FLUSH && (ld->opt.off & EV_FILTER_FLUSH));
}

/* Before 6.10 the kernel calls it for each packet; from then on only where there is something to do. */
static bool is_each_sync(unsigned int id, const char *function)
{
	return id >= HOOK_DMA_SYNC_CPU && id <= HOOK_DMA_SYNC_SG_DEVICE &&
	       strncmp(function, "__", 2);
}

/* Which rows are wanted and possible; EV_HOOK_HEARD here means "to be loaded". */
void loader_resolve(struct loader *ld, unsigned int id)
{
	const struct hook_row *row = &hook_table[id];
	struct live_hook *h = &ld->hooks[id].pub;

	h->function = row->function[0];
	h->state = EV_HOOK_HEARD;
	/* Of one process alone nothing could be said about pages. */
	if (witness_off(ld, row->witness) || (id == HOOK_PAGE_FREE && ld->opt.tgid)) {
		h->state = EV_HOOK_OFF;
	} else if (row->module && !loader_module_live(row->module) &&
		   !has_function(ld, row->function[0])) {
		h->state = EV_HOOK_PENDING;
	} else if (has_function(ld, row->unless)) {
		h->state = EV_HOOK_COVERED;
	} else {
		const char *found = find_function(ld, row);

		if (found)
			h->function = found;
		if (found && is_each_sync(id, found) && !ld->opt.dma_debug)
			h->state = EV_HOOK_OFF;
		else if (!found)
			h->state = has_function(ld, row->covered) ? EV_HOOK_COVERED :
									 EV_HOOK_MISSING;
	}
}

