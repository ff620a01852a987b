// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Loading by room. Each room is one BPF object; all share the maps that the first one
 * created. A room whose load fails is opened again without the program that the kernel
 * refused, until the rest loads.
 */
#include "live/loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

static const char *const map_names[] = {
	[MAP_TASK_SCOPES] = "task_scopes", [MAP_IRQ_SCOPES] = "irq_scopes",
	[MAP_CPU_STATES] = "cpu_states",   [MAP_RINGS] = "rings",
	[MAP_WANTED] = "wanted",
};

#define MAP_COUNT (sizeof(map_names) / sizeof(map_names[0]))
#define LOG_BYTES 65536

static bool has_function(const struct btf *btf, const char *name)
{
	return name && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
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
static const char *module_function(const struct loader *ld, const struct hook *row)
{
	struct btf *btf = btf__load_module_btf(row->module, ld->btf);
	const char *found = NULL;
	int i;

	if (!btf)
		return NULL;
	for (i = 0; i < HOOK_CANDIDATES && !found; i++)
		if (has_function(btf, row->function[i]))
			found = row->function[i];
	btf__free(btf);
	return found;
}

static const char *find_function(const struct loader *ld, const struct hook *row)
{
	int i;

	if (row->tracepoint)
		return row->function[0];
	if (row->module)
		return module_function(ld, row);
	for (i = 0; i < HOOK_CANDIDATES; i++)
		if (has_function(ld->btf, row->function[i]))
			return row->function[i];
	return NULL;
}

static bool witness_off(const struct loader *ld, enum witness w)
{
	return (w == WITNESS_INTENT && (ld->opt.off & EV_FILTER_INTENT)) ||
	       (w == WITNESS_ACTION && (ld->opt.off & EV_FILTER_ACTION)) ||
	       (w == WITNESS_FLUSH && (ld->opt.off & EV_FILTER_FLUSH));
}

/* Which rows are wanted and possible; EV_HOOK_HEARD here means "to be loaded". */
static void resolve_row(struct loader *ld, unsigned int id)
{
	const struct hook *row = &hook_table[id];
	struct live_hook *h = &ld->hooks[id].pub;

	h->function = row->function[0];
	h->state = EV_HOOK_HEARD;
	if (witness_off(ld, row->witness)) {
		h->state = EV_HOOK_OFF;
	} else if (row->module && !loader_module_live(row->module)) {
		h->state = EV_HOOK_PENDING;
	} else if (has_function(ld->btf, row->unless)) {
		h->state = EV_HOOK_COVERED;
	} else {
		const char *found = find_function(ld, row);

		if (found)
			h->function = found;
		else
			h->state = has_function(ld->btf, row->covered) ? EV_HOOK_COVERED :
									 EV_HOOK_MISSING;
	}
}

static int print_quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int print_warnings(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

int loader_init(struct loader *ld, const struct live_options *opt)
{
	unsigned int i;
	int cpus = libbpf_num_possible_cpus();

	libbpf_set_print(opt->verbose ? print_warnings : print_quiet);
	memset(ld, 0, sizeof(*ld));
	for (i = 0; i < LIVE_MAPS; i++)
		ld->map_fds[i] = -1;
	if (cpus < 0)
		return cpus;
	ld->btf = btf__load_vmlinux_btf();
	if (!ld->btf)
		return -errno;
	ld->opt = *opt;
	ld->cpus = cpus;
	ld->config.cpus = cpus;
	ld->config.filter_tgid = opt->tgid;
	ld->config.filter_device = !!opt->device;
	if (opt->device)
		strncpy(ld->config.device, opt->device, sizeof(ld->config.device) - 1);
	ld->config.wake_bytes = opt->ring_bytes / 4;
	for (i = 0; i < HOOK_COUNT; i++)
		resolve_row(ld, i);
	return 0;
}

static int size_map(struct bpf_map *map, unsigned int i, unsigned int cpus)
{
	switch (i) {
	case MAP_IRQ_SCOPES:
		return bpf_map__set_max_entries(map, cpus * 3);
	case MAP_CPU_STATES:
	case MAP_RINGS:
		return bpf_map__set_max_entries(map, cpus);
	default:
		return 0;
	}
}

static int share_maps(struct loader *ld, struct bpf_object *obj)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < MAP_COUNT && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, map_names[i]);

		if (!map)
			continue;
		if (ld->map_fds[i] >= 0)
			err = bpf_map__reuse_fd(map, ld->map_fds[i]);
		else
			err = size_map(map, i, ld->cpus);
	}
	return err;
}

/* The first object to load has created them: keep them for the others. */
static int keep_maps(struct loader *ld, struct bpf_object *obj)
{
	unsigned int i;

	for (i = 0; i < MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, map_names[i]);

		if (!map || ld->map_fds[i] >= 0)
			continue;
		ld->map_fds[i] = dup(bpf_map__fd(map));
		if (ld->map_fds[i] < 0)
			return -errno;
	}
	return 0;
}

static int write_config(const struct loader *ld, struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (strstr(bpf_map__name(map), ".rodata"))
			return bpf_map__set_initial_value(map, &ld->config, sizeof(ld->config));
	return -ENOENT;
}

/* Entry and exit programs of a row; NULL where the row has none. */
static void find_programs(struct loader *ld, struct bpf_object *obj, unsigned int id)
{
	const struct hook *row = &hook_table[id];
	struct hook_run *run = &ld->hooks[id];

	run->entry = row->entry ? bpf_object__find_program_by_name(obj, row->entry) : NULL;
	run->exit = row->exit ? bpf_object__find_program_by_name(obj, row->exit) : NULL;
}

static int aim(struct bpf_program *prog, const struct hook *row, const char *function)
{
	if (!prog)
		return 0;
	bpf_program__set_autoload(prog, true);
	if (row->tracepoint)
		return 0;
	return bpf_program__set_attach_target(prog, 0, function);
}

static int aim_room(struct loader *ld, struct bpf_object *obj, enum room room)
{
	struct bpf_program *prog;
	unsigned int id;
	int err, count = 0;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, room == ROOM_STATE);
	for (id = 0; id < HOOK_COUNT; id++) {
		struct hook_run *run = &ld->hooks[id];

		if (hook_table[id].room != room || run->pub.state != EV_HOOK_HEARD)
			continue;
		find_programs(ld, obj, id);
		err = aim(run->entry, &hook_table[id], run->pub.function);
		if (!err)
			err = aim(run->exit, &hook_table[id], run->pub.function);
		if (err) {
			run->pub.state = EV_HOOK_REFUSED;
			run->pub.err = err;
			run->entry = run->exit = NULL;
			continue;
		}
		count++;
	}
	return count;
}

static struct bpf_object *open_room(enum room room)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "iommuscope");
	const void *bytes;
	size_t len;

	bytes = room_bytes(room, &len);
	return bpf_object__open_mem(bytes, len, &opts);
}

/* One log buffer per program, so that a failed load tells whose it was. */
static char *give_logs(struct bpf_object *obj)
{
	struct bpf_program *prog;
	size_t n = 0;
	char *logs;

	bpf_object__for_each_program(prog, obj)
		n++;
	logs = calloc(n, LOG_BYTES);
	if (!logs)
		return NULL;
	n = 0;
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_log_buf(prog, logs + n++ * LOG_BYTES, LOG_BYTES);
	return logs;
}

/* The row whose program the kernel refused; HOOK_COUNT if none can be blamed. */
static unsigned int blame(const struct loader *ld, struct bpf_object *obj, const char *logs)
{
	struct bpf_program *prog;
	unsigned int id;
	size_t n = 0;

	bpf_object__for_each_program(prog, obj) {
		if (!logs[n++ * LOG_BYTES])
			continue;
		for (id = 0; id < HOOK_COUNT; id++)
			if (ld->hooks[id].entry == prog || ld->hooks[id].exit == prog)
				return id;
	}
	return HOOK_COUNT;
}

static void print_logs(struct bpf_object *obj, const char *logs)
{
	struct bpf_program *prog;
	size_t n = 0;

	bpf_object__for_each_program(prog, obj) {
		const char *log = logs + n++ * LOG_BYTES;

		if (*log)
			fprintf(stderr, "program %s:\n%s\n", bpf_program__name(prog), log);
	}
}

static void refuse(struct hook_run *run, int err)
{
	run->pub.state = EV_HOOK_REFUSED;
	run->pub.err = err;
	run->entry = run->exit = NULL;
}

/* -EAGAIN: one row fewer, try again. */
static int try_room(struct loader *ld, enum room room)
{
	struct bpf_object *obj = open_room(room);
	char *logs = NULL;
	unsigned int id;
	int err;

	if (!obj)
		return -errno;
	err = share_maps(ld, obj);
	if (!err)
		err = write_config(ld, obj);
	if (!err && !aim_room(ld, obj, room) && room != ROOM_STATE && room != ROOM_CORE)
		err = -ENOENT;
	if (!err) {
		logs = give_logs(obj);
		err = logs ? bpf_object__load(obj) : -ENOMEM;
		if (err && logs) {
			if (ld->opt.verbose)
				print_logs(obj, logs);
			id = blame(ld, obj, logs);
			if (id < HOOK_COUNT) {
				refuse(&ld->hooks[id], err);
				err = -EAGAIN;
			}
		}
	}
	if (!err)
		err = keep_maps(ld, obj);
	free(logs);
	if (err) {
		bpf_object__close(obj);
		return err;
	}
	ld->rooms[room] = obj;
	return 0;
}

int loader_load(struct loader *ld, enum room room)
{
	int err;

	do {
		err = try_room(ld, room);
	} while (err == -EAGAIN);
	return err == -ENOENT ? 0 : err;
}

static struct bpf_link *attach_program(struct bpf_program *prog, int *err)
{
	struct bpf_link *link;

	if (!prog)
		return NULL;
	link = bpf_program__attach(prog);
	if (!link)
		*err = -errno;
	return link;
}

void loader_attach(struct loader *ld, enum room room)
{
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++) {
		struct hook_run *run = &ld->hooks[id];
		int err = 0;

		if (hook_table[id].room != room || run->pub.state != EV_HOOK_HEARD)
			continue;
		run->exit_link = attach_program(run->exit, &err);
		if (!err)
			run->entry_link = attach_program(run->entry, &err);
		if (err) {
			bpf_link__destroy(run->exit_link);
			run->exit_link = NULL;
			refuse(run, err);
		}
	}
}

void loader_detach(struct loader *ld)
{
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++) {
		bpf_link__destroy(ld->hooks[id].entry_link);
		bpf_link__destroy(ld->hooks[id].exit_link);
		ld->hooks[id].entry_link = NULL;
		ld->hooks[id].exit_link = NULL;
	}
}

void loader_free(struct loader *ld)
{
	unsigned int i;

	loader_detach(ld);
	for (i = 0; i < ROOM_COUNT; i++)
		bpf_object__close(ld->rooms[i]);
	for (i = 0; i < LIVE_MAPS; i++)
		if (ld->map_fds[i] >= 0)
			close(ld->map_fds[i]);
	btf__free(ld->btf);
}
