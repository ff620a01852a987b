// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which row of the hook table finds its function on this kernel, by BTF. */
#include "live/loader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#define NAME_LEN 64

/* What BTF calls the handlers of a tracepoint (include/trace/bpf_probe.h): who has none lacks it. */
static const char *handler_of(const struct hook_row *row, char name[NAME_LEN])
{
	snprintf(name, NAME_LEN, "btf_trace_%s", row->function[0]);
	return name;
}

static int want_row(struct types *t, const struct hook_row *row)
{
	int i, err = types_want(t, row->unless) ?: types_want(t, row->covered);
	char name[NAME_LEN];

	if (row->tracepoint)
		return err ?: types_want(t, handler_of(row, name));
	for (i = 0; i < HOOK_CANDIDATES && !err; i++)
		err = types_want(t, row->function[i]);
	return err;
}

int loader_want_names(struct loader *ld)
{
	unsigned int id;
	int err = 0;

	for (id = 0; id < HOOK_COUNT && !err; id++)
		err = want_row(ld->types, &hook_table[id]);
	return err ?: types_want(ld->types, "bpf_rdonly_cast") ?: types_want(ld->types, "pcpu_hot") ?:
		      types_want(ld->types, "__preempt_count");
}

static bool has_function(const struct loader *ld, const char *name)
{
	return types_find(ld->types, TYPE_FUNCTION, name);
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

/* A module's functions are in its own BTF, whose numbers go on from the kernel's. */
static uint32_t find_in_module(const struct loader *ld, const char *module, const char *function)
{
	struct btf *base = types_btf(ld->types);
	struct btf *btf = btf__load_module_btf(module, base);
	uint32_t id, found = 0, count = btf ? btf__type_cnt(btf) : 0;

	for (id = btf__type_cnt(base); id < count && !found; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_func(t) && !strcmp(btf__name_by_offset(btf, t->name_off), function))
			found = id;
	}
	btf__free(btf);
	return found;
}

static const char *module_function(const struct loader *ld, const struct hook_row *row)
{
	int i;

	for (i = 0; i < HOOK_CANDIDATES; i++)
		if (row->function[i] && find_in_module(ld, row->module, row->function[i]))
			return row->function[i];
	return NULL;
}

static bool is_btf_of(int fd, const char *module)
{
	char name[64] = "";
	struct bpf_btf_info info = { .name = (uintptr_t)name, .name_len = sizeof(name) };
	uint32_t len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf && !strcmp(name, module);
}

/* The kernel's own BTF object of @module; 0 if it has none. */
static int open_module_btf(const char *module)
{
	uint32_t id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd > 0 && is_btf_of(fd, module))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

int loader_aim(struct loader *ld, unsigned int id)
{
	const struct hook_row *row = &hook_table[id];
	struct hook_run *run = &ld->hooks[id];

	if (row->tracepoint)
		return 0;
	run->target_id = types_find(ld->types, TYPE_FUNCTION, run->pub.function);
	if (run->target_id || !row->module)
		return run->target_id ? 0 : -ESRCH;
	if (run->module_fd)
		close(run->module_fd);
	run->target_id = find_in_module(ld, row->module, run->pub.function);
	run->module_fd = open_module_btf(row->module);
	return run->target_id && run->module_fd ? 0 : -ESRCH;
}

static const char *find_function(const struct loader *ld, const struct hook_row *row)
{
	char name[NAME_LEN];
	int i;

	if (row->tracepoint)
		return row->module || types_find(ld->types, TYPE_TYPEDEF, handler_of(row, name)) ?
		       row->function[0] : NULL;
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
	if (ld->opt.only_state || witness_off(ld, row->witness) || (id == HOOK_PAGE_FREE && ld->opt.tgid)) {
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

