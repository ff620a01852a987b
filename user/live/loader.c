// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * All programs are one BPF object file. It is opened for the rows that can be heard at
 * the start, and again for those that a module brings later; all share the maps that the
 * first created. When a load fails, it is opened again without the program that the
 * kernel refused, until the rest loads.
 */
#include "live/loader.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "live/symbols.h"
#include "iommuscope.skel.h"	/* only for the bytes of the object file */

static const char *const map_names[] = {
	[MAP_TASK_SCOPES] = "task_scopes", [MAP_IRQ_SCOPES] = "irq_scopes",
	[MAP_CPU_STATES] = "cpu_states",   [MAP_RINGS] = "rings",
	[MAP_WANTED] = "wanted",	   [MAP_FRAMES] = "frames",
	[MAP_SYMBOLS_TOLD] = "symbols_told", [MAP_SYMBOLS_NEAR] = "symbols_near",
	[MAP_NEAR_SCOPES] = "near_scopes",   [MAP_BSS] = ".bss",
};

#define MAP_COUNT (sizeof(map_names) / sizeof(map_names[0]))
#define LOG_BYTES 65536

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

/* Memory that is unknown, or so sparse that bits for it would cost more than a thousandth of it. */
static void size_frames(struct loader *ld)
{
	struct live_hook *h = &ld->hooks[HOOK_PAGE_FREE].pub;
	uint64_t ram = sysconf(_SC_PHYS_PAGES);

	if (h->state != EV_HOOK_HEARD)
		return;
	ld->config.frames = memory_frames();
	if (ld->config.frames && ld->config.frames <= 32 * ram)
		return;
	ld->config.frames = 0;
	h->state = EV_HOOK_MISSING;
}

/* libbpf would search all of the kernel's BTF for each program's target. */
static int give_target(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct loader *ld = (const struct loader *)cookie;
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++) {
		const struct hook_run *run = &ld->hooks[id];

		if (run->entry != prog && run->exit != prog)
			continue;
		opts->attach_btf_id = run->target_id;
		opts->attach_btf_obj_fd = run->module_fd;
		return 0;
	}
	return -ESRCH;
}

static int attach_target(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

static int register_sections(struct loader *ld)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)ld,
		    .prog_prepare_load_fn = give_target, .prog_attach_fn = attach_target);

	ld->handlers[0] = libbpf_register_prog_handler("fentry", BPF_PROG_TYPE_TRACING,
						       BPF_TRACE_FENTRY, &opts);
	ld->handlers[1] = libbpf_register_prog_handler("fexit", BPF_PROG_TYPE_TRACING,
						       BPF_TRACE_FEXIT, &opts);
	return ld->handlers[0] < 0 ? ld->handlers[0] : ld->handlers[1] < 0 ? ld->handlers[1] : 0;
}

static struct bpf_object *open_object(const struct loader *ld)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "iommuscope",
		    .btf_custom_path = types_part(ld->types));
	const void *bytes;
	size_t len;

	bytes = programs__elf_bytes(&len);
	return bpf_object__open_mem(bytes, len, &opts);
}

/* The programs' own types say which of the kernel's are wanted. */
static int read_types(struct loader *ld)
{
	int err = types_new(&ld->types);
	struct bpf_object *obj = err ? NULL : open_object(ld);

	if (!obj)
		return err ?: -errno;
	err = loader_want_names(ld) ?: types_want_structs(ld->types, bpf_object__btf(obj)) ?:
	      types_read(ld->types);
	bpf_object__close(obj);
	return err;
}

static void configure_types(struct loader *ld)
{
	if (types_find(ld->types, TYPE_FUNCTION, "bpf_rdonly_cast")) {
		ld->config.type_list_head = types_find(ld->types, TYPE_STRUCT, "list_head");
		ld->config.type_file = types_find(ld->types, TYPE_STRUCT, "file");
	}
	if (types_find(ld->types, TYPE_VARIABLE, "pcpu_hot"))
		ld->config.preempt = PREEMPT_HOT;
	else if (types_find(ld->types, TYPE_VARIABLE, "__preempt_count"))
		ld->config.preempt = PREEMPT_OWN;
}

int loader_init(struct loader *ld, const struct live_options *opt)
{
	int err, cpus = libbpf_num_possible_cpus();
	unsigned int i;

	libbpf_set_print(opt->verbose ? print_warnings : print_quiet);
	memset(ld, 0, sizeof(*ld));
	for (i = 0; i < LIVE_MAPS; i++)
		ld->map_fds[i] = -1;
	if (cpus < 0)
		return cpus;
	ld->opt = *opt;
	err = register_sections(ld) ?: read_types(ld) ?: symbols_find(&ld->config);
	if (err)
		return err;
	ld->cpus = cpus;
	ld->config.cpus = cpus;
	ld->config.filter_tgid = opt->tgid;
	ld->config.stacks = opt->stacks;
	ld->config.sg_limits = opt->dma_debug;
	configure_types(ld);
	memcpy(ld->config.symbol_format, "%pB", sizeof(ld->config.symbol_format));
	ld->config.filter_device = !!opt->device;
	if (opt->device)
		strncpy(ld->config.device, opt->device, sizeof(ld->config.device) - 1);
	ld->config.wake_bytes = opt->ring_bytes / 4;
	for (i = 0; i < HOOK_COUNT; i++)
		loader_resolve(ld, i);
	size_frames(ld);
	return 0;
}

static int size_map(const struct loader *ld, struct bpf_map *map, unsigned int i)
{
	switch (i) {
	case MAP_IRQ_SCOPES:
		return bpf_map__set_max_entries(map, ld->cpus * 3);
	case MAP_CPU_STATES:
	case MAP_RINGS:
		return bpf_map__set_max_entries(map, ld->cpus);
	case MAP_FRAMES:
		return bpf_map__set_max_entries(map, ld->config.frames / 64 + 1);
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
			err = size_map(ld, map, i);
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
	const struct hook_row *row = &hook_table[id];
	struct hook_run *run = &ld->hooks[id];

	run->entry = row->entry ? bpf_object__find_program_by_name(obj, row->entry) : NULL;
	run->exit = row->exit ? bpf_object__find_program_by_name(obj, row->exit) : NULL;
}

static void refuse(struct hook_run *run, int err)
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
static bool row_is_due(const struct loader *ld, unsigned int id)
{
	return ld->hooks[id].pub.state == EV_HOOK_HEARD && !ld->hooks[id].loaded;
}

static int aim_rows(struct loader *ld, struct bpf_object *obj)
{
	struct bpf_program *prog;
	unsigned int id;
	int err, count = 0;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, false);
	for (id = 0; id < HOOK_COUNT; id++) {
		struct hook_run *run = &ld->hooks[id];

		if (!row_is_due(ld, id))
			continue;
		find_programs(ld, obj, id);
		err = loader_aim(ld, id);
		if (err) {
			refuse(run, err);
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

/* The programs that read the state belong to no row: the first object has them. */
static void aim_state(struct loader *ld, struct bpf_object *obj)
{
	if (ld->nobjects || ld->stateless)
		return;
	ld->state_read = bpf_object__find_program_by_name(obj, "state_read");
	ld->cpu_mark = bpf_object__find_program_by_name(obj, "cpu_mark");
	bpf_program__set_autoload(ld->state_read, true);
	bpf_program__set_autoload(ld->cpu_mark, true);
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

/* Loads @obj; -EAGAIN: a row was refused, open it again without. */
static int load_object(struct loader *ld, struct bpf_object *obj)
{
	char *logs = give_logs(obj);
	unsigned int id;
	int err;

	if (!logs)
		return -ENOMEM;
	err = bpf_object__load(obj);
	if (err) {
		if (ld->opt.verbose)
			print_logs(obj, logs);
		id = blame(ld, obj, logs);
		if (id < HOOK_COUNT) {
			refuse(&ld->hooks[id], err);
			err = -EAGAIN;
		} else if (!ld->nobjects && !ld->stateless) {
			ld->stateless = true;	/* no row's program: then it may be this */
			ld->state_read = ld->cpu_mark = NULL;
			err = -EAGAIN;
		}
	}
	free(logs);
	return err;
}

/* Rows must not point into an object that goes away. */
static void forget_programs(struct loader *ld)
{
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++)
		if (row_is_due(ld, id))
			ld->hooks[id].entry = ld->hooks[id].exit = NULL;
}

static int try_load(struct loader *ld)
{
	struct bpf_object *obj = open_object(ld);
	unsigned int id;
	int err;

	if (!obj)
		return -errno;
	err = share_maps(ld, obj);
	if (!err)
		err = write_config(ld, obj);
	if (!err && !aim_rows(ld, obj) && ld->nobjects)
		err = -ENODATA;	/* nothing is due */
	if (!err) {
		aim_state(ld, obj);
		err = load_object(ld, obj);
	}
	if (!err)
		err = keep_maps(ld, obj);
	if (err) {
		forget_programs(ld);
		bpf_object__close(obj);
		return err;
	}
	ld->objects[ld->nobjects++] = obj;
	for (id = 0; id < HOOK_COUNT; id++)
		if (ld->hooks[id].pub.state == EV_HOOK_HEARD)
			ld->hooks[id].loaded = true;
	return 0;
}

int loader_load(struct loader *ld)
{
	int err;

	if (ld->nobjects == LIVE_OBJECTS)
		return -ENOSPC;
	do {
		err = try_load(ld);
	} while (err == -EAGAIN);
	return err == -ENODATA ? 0 : err;
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

void loader_attach_row(struct loader *ld, unsigned int id)
{
	struct hook_run *run = &ld->hooks[id];
	unsigned int needs = hook_table[id].needs;
	int err = 0;

	if (run->pub.state != EV_HOOK_HEARD || run->exit_link || run->entry_link)
		return;
	if (needs && ld->hooks[needs].pub.state == EV_HOOK_REFUSED)
		err = -ENOLINK;
	if (!err)
		run->exit_link = attach_program(run->exit, &err);
	if (!err)
		run->entry_link = attach_program(run->entry, &err);
	if (err) {
		bpf_link__destroy(run->exit_link);
		run->exit_link = NULL;
		refuse(run, err);
	}
}

void loader_attach(struct loader *ld)
{
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++)
		loader_attach_row(ld, id);
}

/*
 * Taking a program off waits for every task to leave its trampoline, a tenth of a
 * second each under emulation: the rows wait side by side.
 */
static void *detach_row(void *arg)
{
	struct hook_run *run = arg;

	bpf_link__destroy(run->entry_link);
	bpf_link__destroy(run->exit_link);
	run->entry_link = NULL;
	run->exit_link = NULL;
	return NULL;
}

void loader_detach(struct loader *ld)
{
	pthread_t threads[HOOK_COUNT];
	bool started[HOOK_COUNT] = { false };
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++) {
		struct hook_run *run = &ld->hooks[id];

		if (!run->entry_link && !run->exit_link)
			continue;
		started[id] = !pthread_create(&threads[id], NULL, detach_row, run);
		if (!started[id])
			detach_row(run);
	}
	for (id = 0; id < HOOK_COUNT; id++)
		if (started[id])
			pthread_join(threads[id], NULL);
}

void loader_forget_symbols(const struct loader *ld)
{
	int told = ld->map_fds[MAP_SYMBOLS_TOLD], near = ld->map_fds[MAP_SYMBOLS_NEAR];
	uint64_t addr, none = 0;
	uint32_t slot;

	while (!bpf_map_get_next_key(told, NULL, &addr) && !bpf_map_delete_elem(told, &addr))
		;
	for (slot = 0; !bpf_map_update_elem(near, &slot, &none, BPF_EXIST); slot++)
		;
}

void loader_free(struct loader *ld)
{
	unsigned int i;

	loader_detach(ld);
	for (i = 0; i < ld->nobjects; i++)
		bpf_object__close(ld->objects[i]);
	for (i = 0; i < LIVE_MAPS; i++)
		if (ld->map_fds[i] >= 0)
			close(ld->map_fds[i]);
	for (i = 0; i < HOOK_COUNT; i++)
		if (ld->hooks[i].module_fd)
			close(ld->hooks[i].module_fd);
	for (i = 0; i < LIVE_SECTIONS; i++)
		if (ld->handlers[i] > 0)
			libbpf_unregister_prog_handler(ld->handlers[i]);
	types_free(ld->types);
}
