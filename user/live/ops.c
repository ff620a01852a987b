// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/ops.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "live/misses.h"

/*
 * Functions of drivers/iommu/iommu.c and iommufd/io_pagetable.c, and programs. One that calls another one is
 * counted twice, which is no harm; one that a compiler has put into its callers is counted there.
 */
static const struct ops_row {
	const char *function;
	const char *begin, *end;
} rows[OPS_FUNCTIONS] = {
	{ "iommu_map", "map_begins", "map_ends" },
	{ "iommu_map_nosync", "map_nosync_begins", "map_nosync_ends" },
	{ "iommu_map_atomic", "map_atomic_begins", "map_atomic_ends" },
	{ "iommu_map_sg", "map_sg_begins", "map_sg_ends" },
	{ "iommu_map_sg_atomic", "map_sg_atomic_begins", "map_sg_atomic_ends" },
	{ "iommu_unmap", "unmap_begins", "unmap_ends" },
	{ "iommu_unmap_fast", "unmap_fast_begins", "unmap_fast_ends" },
	{ "iopt_map_user_pages", "iopt_map_user_begins", "iopt_map_user_ends" },
	{ "iopt_map_file_pages", "iopt_map_file_begins", "iopt_map_file_ends" },
	{ "iopt_map_pages", "iopt_map_pages_begins", "iopt_map_pages_ends" },
	{ "iopt_unmap_iova", "iopt_unmap_iova_begins", "iopt_unmap_iova_ends" },
	{ "iopt_unmap_all", "iopt_unmap_all_begins", "iopt_unmap_all_ends" },
	{ "iopt_cut_iova", "iopt_cut_iova_begins", "iopt_cut_iova_ends" },
};

/* What began before the watch is not counted: calls take less than this. */
#define CALM_US 50000

int ops_want(struct types *t)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < OPS_FUNCTIONS && !err; i++)
		err = types_want(t, rows[i].function);
	return err;
}

static int give_target(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct ops *o = (const struct ops *)cookie;
	unsigned int i;

	for (i = 0; i < OPS_FUNCTIONS; i++) {
		if (o->hooks[i].begin == prog || o->hooks[i].end == prog) {
			opts->attach_btf_id = o->hooks[i].target_id;
			return 0;
		}
	}
	return -ESRCH;
}

int ops_init(struct ops *o)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)o,
		    .prog_prepare_load_fn = give_target);

	o->handlers[0] = libbpf_register_prog_handler("ops_begin", BPF_PROG_TYPE_TRACING,
						      BPF_TRACE_FENTRY, &opts);
	o->handlers[1] = libbpf_register_prog_handler("ops_end", BPF_PROG_TYPE_TRACING,
						      BPF_TRACE_FEXIT, &opts);
	return o->handlers[0] < 0 ? o->handlers[0] : o->handlers[1] < 0 ? o->handlers[1] : 0;
}

int ops_prepare(struct ops *o, struct bpf_object *obj, const struct types *t, bool on)
{
	unsigned int i;

	for (i = 0; i < OPS_FUNCTIONS; i++) {
		struct ops_hook *hook = &o->hooks[i];

		hook->target_id = types_find(t, TYPE_FUNCTION, rows[i].function);
		hook->begin = bpf_object__find_program_by_name(obj, rows[i].begin);
		hook->end = bpf_object__find_program_by_name(obj, rows[i].end);
		if (!hook->begin || !hook->end)
			return -ENOENT;
		bpf_program__set_autoload(hook->begin, on && hook->target_id);
		bpf_program__set_autoload(hook->end, on && hook->target_id);
	}
	return 0;
}

static int attach(struct bpf_program *prog, struct bpf_link **link)
{
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

int ops_attach(struct ops *o, struct bpf_object *obj)
{
	unsigned int i;
	int err = 0;

	/* Ends first: a begin without its end would stay under way for ever. */
	for (i = 0; i < OPS_FUNCTIONS && !err; i++) {
		struct ops_hook *hook = &o->hooks[i];

		if (hook->target_id)
			err = attach(hook->end, &hook->end_link) ?:
			      attach(hook->begin, &hook->begin_link);
	}
	o->map_fd = bpf_object__find_map_fd_by_name(obj, "peek_ops");
	return err;
}

static uint64_t missed(const struct ops *o)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < OPS_FUNCTIONS; i++)
		if (o->hooks[i].target_id)
			sum += misses_of(o->hooks[i].begin) + misses_of(o->hooks[i].end);
	return sum;
}

static int count_from_now(struct ops *o, uint64_t key)
{
	const struct peek_ops none = { .watch = o->watch };

	return key && bpf_map_update_elem(o->map_fd, &key, &none, BPF_ANY) ? -errno : 0;
}

int ops_watch(struct ops *o, const struct ops_keys *keys)
{
	int err;

	o->watch++;
	o->missed = missed(o);
	err = count_from_now(o, keys->domain) ?: count_from_now(o, keys->iopt);
	usleep(CALM_US);
	return err;
}

void ops_unwatch(struct ops *o, const struct ops_keys *keys)
{
	bpf_map_delete_elem(o->map_fd, &keys->domain);
	if (keys->iopt)
		bpf_map_delete_elem(o->map_fd, &keys->iopt);
}

bool ops_lost(const struct ops *o, const struct ops_mark *mark)
{
	return mark->missed != o->missed || mark->count.lost || mark->areas.lost;
}

bool ops_mark(const struct ops *o, const struct ops_keys *keys, struct ops_mark *out)
{
	memset(out, 0, sizeof(*out));
	out->missed = missed(o);
	if (bpf_map_lookup_elem(o->map_fd, &keys->domain, &out->count) ||
	    (keys->iopt && bpf_map_lookup_elem(o->map_fd, &keys->iopt, &out->areas)))
		return false;
	return out->count.begun == out->count.ended && out->areas.begun == out->areas.ended &&
	       !ops_lost(o, out);
}

bool ops_same(const struct ops_mark *a, const struct ops_mark *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void ops_free(struct ops *o)
{
	unsigned int i;

	for (i = 0; i < OPS_FUNCTIONS; i++) {
		bpf_link__destroy(o->hooks[i].begin_link);
		bpf_link__destroy(o->hooks[i].end_link);
	}
	for (i = 0; i < 2; i++)
		if (o->handlers[i] > 0)
			libbpf_unregister_prog_handler(o->handlers[i]);
}
