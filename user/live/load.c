// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * All programs are one BPF object file. At the start it is opened several times, in threads, each for
 * a part of the rows that can be heard: verifying and attaching takes most of the start. It is
 * opened again for the rows that a module brings later. All objects share the maps that the
 * first one creates; the others wait for these. When a load fails, the object is opened again
 * without the program that the kernel refused, until the rest loads.
 */
#include "live/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "iommuscope.skel.h"	/* only for the bytes of the object file */

static const char *const map_names[] = {
	[MAP_TASK_SCOPES] = "task_scopes", [MAP_IRQ_SCOPES] = "irq_scopes",
	[MAP_CPU_STATES] = "cpu_states",   [MAP_RINGS] = "rings",
	[MAP_WANTED] = "wanted",	   [MAP_FRAMES] = "frames",
	[MAP_SYMBOLS_TOLD] = "symbols_told", [MAP_SYMBOLS_NEAR] = "symbols_near",
	[MAP_NEAR_SCOPES] = "near_scopes",   [MAP_WAKE] = "wake",
	[MAP_BSS] = ".bss",
};

#define MAP_COUNT (sizeof(map_names) / sizeof(map_names[0]))
#define LOG_BYTES 65536
#define PARTS_MAX 4

/* Rows that one object is loaded for, and one thread. */
struct part {
	struct loader *ld;
	unsigned int index, count;
	bool state;		/* with the programs that read the state */
	bool attach;
	int err;
};

/* A row goes with the one that it needs, which is attached before it. */
static bool part_has(const struct part *p, unsigned int id)
{
	unsigned int with = hook_table[id].needs ?: id;

	return with % p->count == p->index;
}

/* ---- maps ---- */

static int size_map(const struct loader *ld, struct bpf_map *map, unsigned int i)
{
	switch (i) {
	case MAP_IRQ_SCOPES:
		return bpf_map__set_max_entries(map, ld->cpus * 3);
	case MAP_CPU_STATES:
		return bpf_map__set_max_entries(map, ld->cpus);
	case MAP_RINGS:
		return bpf_map__set_max_entries(map, ld->cpus << ld->config.chunks_lg2);
	case MAP_FRAMES:
		return bpf_map__set_max_entries(map, ld->config.frames / 64 + 1);
	default:
		return 0;
	}
}

/* Part 0 comes without waiting, and again when a program of it was refused. */
static int wait_for_maps(const struct part *p)
{
	struct loader *ld = p->ld;
	int err = 0;

	pthread_mutex_lock(&ld->lock);
	while (p->index && ld->maps == MAPS_AWAITED)
		pthread_cond_wait(&ld->maps_there, &ld->lock);
	if (p->index && ld->maps != MAPS_THERE)
		err = -ECANCELED;
	pthread_mutex_unlock(&ld->lock);
	return err;
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
			err = size_map(ld, map, i);
	}
	return err;
}

static int dup_maps(struct loader *ld, struct bpf_object *obj)
{
	unsigned int i;

	for (i = 0; i < MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, map_names[i]);

		if (!map || ld->map_fds[i] >= 0)
			continue;
		ld->map_fds[i] = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0);
		if (ld->map_fds[i] < 0)
			return -errno;
	}
	return 0;
}

/* @obj has created them: keep them for the others. */
static int keep_maps(struct loader *ld, struct bpf_object *obj)
{
	int err = 0;

	pthread_mutex_lock(&ld->lock);
	if (ld->maps == MAPS_AWAITED) {
		err = dup_maps(ld, obj);
		ld->maps = err ? MAPS_FAILED : MAPS_THERE;
		pthread_cond_broadcast(&ld->maps_there);
	}
	pthread_mutex_unlock(&ld->lock);
	return err;
}

static void give_up_maps(struct loader *ld)
{
	pthread_mutex_lock(&ld->lock);
	if (ld->maps == MAPS_AWAITED)
		ld->maps = MAPS_FAILED;
	pthread_cond_broadcast(&ld->maps_there);
	pthread_mutex_unlock(&ld->lock);
}

static int write_config(const struct loader *ld, struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (strstr(bpf_map__name(map), ".rodata"))
			return bpf_map__set_initial_value(map, &ld->config, sizeof(ld->config));
	return -ENOENT;
}

/* ---- rows ---- */

static bool is_named(const struct bpf_program *prog, const char *name)
{
	return name && !strcmp(bpf_program__name(prog), name);
}

/*
 * The first program to be loaded comes when all maps are there: the other threads need not wait for the
 * programs of this one.
 */
int loader_give_target(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct loader *ld = (struct loader *)cookie;
	unsigned int id;
	int err = 0;

	for (id = 0; id < HOOK_COUNT; id++)
		if (is_named(prog, hook_table[id].entry) || is_named(prog, hook_table[id].exit))
			break;
	if (id == HOOK_COUNT)
		return -ESRCH;
	if (ld->maps == MAPS_AWAITED)
		err = keep_maps(ld, ld->first);
	opts->attach_btf_id = ld->hooks[id].target_id;
	opts->attach_btf_obj_fd = ld->hooks[id].module_fd;
	return err;
}

/* Entry and exit programs of a row; NULL where the row has none. */
static void find_programs(struct loader *ld, struct bpf_object *obj, unsigned int id)
{
	const struct hook_row *row = &hook_table[id];
	struct hook_run *run = &ld->hooks[id];

	run->entry = row->entry ? bpf_object__find_program_by_name(obj, row->entry) : NULL;
	run->exit = row->exit ? bpf_object__find_program_by_name(obj, row->exit) : NULL;
}

void loader_refuse(struct hook_run *run, int err)
{
	run->pub.state = EV_HOOK_REFUSED;
	run->pub.err = err;
	if (run->entry)
		bpf_program__set_autoload(run->entry, false);
	if (run->exit)
		bpf_program__set_autoload(run->exit, false);
	run->entry = run->exit = NULL;
}

/* Rows to be heard that have no program yet. */
static bool row_is_due(const struct part *p, unsigned int id)
{
	const struct hook_run *run = &p->ld->hooks[id];

	return part_has(p, id) && run->pub.state == EV_HOOK_HEARD && !run->loaded;
}

static int aim_rows(struct part *p, struct bpf_object *obj)
{
	struct bpf_program *prog;
	unsigned int id;
	int err, count = 0;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, false);
	for (id = 0; id < HOOK_COUNT; id++) {
		struct hook_run *run = &p->ld->hooks[id];

		if (!row_is_due(p, id))
			continue;
		find_programs(p->ld, obj, id);
		err = loader_aim(p->ld, id);
		if (err) {
			loader_refuse(run, err);
			continue;
		}
		if (run->entry)
			bpf_program__set_autoload(run->entry, true);
		if (run->exit)
			bpf_program__set_autoload(run->exit, true);
		count++;
	}
	return count;
}

/* The programs that read the state belong to no row. */
static void aim_state(struct part *p, struct bpf_object *obj)
{
	struct loader *ld = p->ld;

	if (!p->state || ld->stateless)
		return;
	ld->state_read = bpf_object__find_program_by_name(obj, "state_read");
	ld->cpu_mark = bpf_object__find_program_by_name(obj, "cpu_mark");
	bpf_program__set_autoload(ld->state_read, true);
	bpf_program__set_autoload(ld->cpu_mark, true);
}

/* ---- loading ---- */

struct bpf_object *loader_open_object(const struct loader *ld)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "iommuscope",
		    .btf_custom_path = types_part(ld->types));
	const void *bytes;
	size_t len;

	bytes = programs__elf_bytes(&len);
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
static unsigned int blame(const struct part *p, struct bpf_object *obj, const char *logs)
{
	struct bpf_program *prog;
	unsigned int id;
	size_t n = 0;

	bpf_object__for_each_program(prog, obj) {
		if (!logs[n++ * LOG_BYTES])
			continue;
		for (id = 0; id < HOOK_COUNT; id++)
			if (part_has(p, id) &&
			    (p->ld->hooks[id].entry == prog || p->ld->hooks[id].exit == prog))
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

/* Return: -EAGAIN: one is left out, try without; or @err, where that would not help. */
static int leave_out(struct part *p, struct bpf_object *obj, const char *logs, int err)
{
	struct loader *ld = p->ld;
	unsigned int id;

	if (err == -EMFILE)
		return err;	/* our own limit: no program is to blame */
	id = blame(p, obj, logs);
	if (id < HOOK_COUNT) {
		loader_refuse(&ld->hooks[id], err);
		return -EAGAIN;
	}
	if (!p->state || ld->stateless)
		return err;
	ld->stateless = true;	/* no row's program: then it may be this */
	ld->state_read = ld->cpu_mark = NULL;
	return -EAGAIN;
}

/* Loads @obj; -EAGAIN: a row was refused, open it again without. */
static int load_object(struct part *p, struct bpf_object *obj)
{
	char *logs = give_logs(obj);
	int err;

	if (!logs)
		return -ENOMEM;
	err = bpf_object__load(obj);
	if (err && p->ld->opt.verbose)
		print_logs(obj, logs);
	if (err)
		err = leave_out(p, obj, logs, err);
	free(logs);
	return err;
}

/* Rows must not point into an object that goes away. */
static void forget_programs(struct part *p)
{
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++)
		if (row_is_due(p, id))
			p->ld->hooks[id].entry = p->ld->hooks[id].exit = NULL;
}

static void keep_object(struct part *p, struct bpf_object *obj)
{
	struct loader *ld = p->ld;
	unsigned int id;

	pthread_mutex_lock(&ld->lock);
	ld->objects[ld->nobjects++] = obj;
	pthread_mutex_unlock(&ld->lock);
	for (id = 0; id < HOOK_COUNT; id++)
		if (row_is_due(p, id))
			ld->hooks[id].loaded = true;
}

static int prepare(struct part *p, struct bpf_object *obj)
{
	struct loader *ld = p->ld;
	int err = wait_for_maps(p) ?: share_maps(ld, obj) ?: write_config(ld, obj);

	if (err)
		return err;
	if (!aim_rows(p, obj) && !p->state)
		return -ENODATA;	/* nothing is due */
	aim_state(p, obj);
	if (p->state)
		ld->first = obj;
	return 0;
}

static int try_load(struct part *p)
{
	struct bpf_object *obj = loader_open_object(p->ld);
	int err;

	if (!obj)
		return -errno;
	err = prepare(p, obj);
	if (!err)
		err = load_object(p, obj);
	if (!err)
		err = keep_maps(p->ld, obj);
	if (err) {
		forget_programs(p);
		bpf_object__close(obj);
		return err;
	}
	keep_object(p, obj);
	return 0;
}

static void attach_rows(struct part *p)
{
	unsigned int id;

	for (id = 0; id < HOOK_COUNT && !p->err; id++) {
		if (!part_has(p, id))
			continue;
		loader_attach_row(p->ld, id);
		if (p->ld->hooks[id].pub.err == -EMFILE)
			p->err = -EMFILE;	/* and so on, row after row */
	}
}

static void *load_part(void *arg)
{
	struct part *p = arg;

	do {
		p->err = try_load(p);
	} while (p->err == -EAGAIN);
	if (!p->index)
		give_up_maps(p->ld);
	if (p->attach && !p->err)
		attach_rows(p);
	if (p->err == -ENODATA)
		p->err = 0;
	return NULL;
}

int loader_load(struct loader *ld)
{
	struct part p = { .ld = ld, .count = 1 };

	if (ld->nobjects == LIVE_OBJECTS)
		return -ENOSPC;
	load_part(&p);
	return p.err;
}

/* Parts that were canceled waited for one that failed. */
static int first_error(const struct part *parts, unsigned int count)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < count; i++)
		if (parts[i].err && (!err || err == -ECANCELED))
			err = parts[i].err;
	return err;
}

int loader_load_all(struct loader *ld)
{
	unsigned int i, count = ld->opt.only_state ? 1 : ld->cpus < PARTS_MAX ? ld->cpus : PARTS_MAX;
	struct part parts[PARTS_MAX];
	pthread_t threads[PARTS_MAX];
	int started[PARTS_MAX];

	for (i = 0; i < count; i++)
		parts[i] = (struct part){ .ld = ld, .index = i, .count = count, .state = !i,
					  .attach = true };
	for (i = 1; i < count; i++)
		started[i] = !pthread_create(&threads[i], NULL, load_part, &parts[i]);
	load_part(&parts[0]);
	for (i = 1; i < count; i++) {
		if (started[i])
			pthread_join(threads[i], NULL);
		else
			load_part(&parts[i]);
	}
	return first_error(parts, count);
}
