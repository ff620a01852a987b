// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the programs are told before they are loaded (load.c), and the links of those that are: attached
 * and taken off by row, side by side.
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

#include "live/symbols.h"

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

void loader_set_print(bool verbose)
{
	libbpf_set_print(verbose ? print_warnings : print_quiet);
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

static int attach_target(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	(void)cookie;
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

static int register_sections(struct loader *ld)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)ld,
		    .prog_prepare_load_fn = loader_give_target, .prog_attach_fn = attach_target);

	ld->handlers[0] = libbpf_register_prog_handler("fentry", BPF_PROG_TYPE_TRACING,
						       BPF_TRACE_FENTRY, &opts);
	ld->handlers[1] = libbpf_register_prog_handler("fexit", BPF_PROG_TYPE_TRACING,
						       BPF_TRACE_FEXIT, &opts);
	return ld->handlers[0] < 0 ? ld->handlers[0] : ld->handlers[1] < 0 ? ld->handlers[1] : 0;
}

/* The programs' own types say which of the kernel's are wanted. */
static int read_types(struct loader *ld)
{
	int err = types_new(&ld->types);
	struct bpf_object *obj = err ? NULL : loader_open_object(ld);

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

	loader_set_print(opt->verbose);
	memset(ld, 0, sizeof(*ld));
	pthread_mutex_init(&ld->lock, NULL);
	pthread_cond_init(&ld->maps_there, NULL);
	for (i = 0; i < LIVE_MAPS; i++)
		ld->map_fds[i] = -1;
	if (cpus < 0)
		return cpus;
	ld->opt = *opt;
	err = register_sections(ld) ?: read_types(ld);
	if (err)
		return err;
	err = symbols_find(&ld->config);
	ld->symbolless = err == -ESRCH;
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
	ld->config.ring_bytes = opt->ring_bytes;
	ld->config.wake_bytes = opt->ring_bytes / 4;
	while ((uint64_t)RING_CHUNK << ld->config.chunks_lg2 < opt->ring_bytes)
		ld->config.chunks_lg2++;
	for (i = 0; i < HOOK_COUNT; i++)
		loader_resolve(ld, i);
	size_frames(ld);
	return 0;
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
		loader_refuse(run, err);
	}
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
