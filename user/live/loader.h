/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Inside user/live: BPF objects, their shared maps, and attachment by row. */
#ifndef IOMMUSCOPE_LOADER_H
#define IOMMUSCOPE_LOADER_H

#include <pthread.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "live/live.h"
#include "live/types.h"
#include "shared.h"

#define LIVE_MAPS 11
#define LIVE_SECTIONS 2
#define LIVE_OBJECTS 16

struct hook_run {
	struct live_hook pub;
	bool loaded;
	uint32_t target_id;	/* in the BTF of the image, or of the module */
	int module_fd;		/* BTF of the module; 0: the kernel image */
	struct bpf_program *entry, *exit;
	struct bpf_link *entry_link, *exit_link;
	uint64_t entry_missed, exit_missed;	/* as last read */
};

struct loader {
	struct live_options opt;
	struct bpf_config config;
	struct bpf_object *objects[LIVE_OBJECTS];	/* the first at start, the others as modules come */
	unsigned int nobjects;
	struct bpf_program *state_read;
	struct bpf_program *cpu_mark;
	struct bpf_object *first;	/* creates the maps */
	bool symbolless;	/* the kernel's symbol table lacks what all programs need */
	bool stateless;		/* the kernel refused it: the state at the start is unknown */
	struct hook_run hooks[HOOK_COUNT];
	struct types *types;	/* of the kernel image */
	int handlers[LIVE_SECTIONS];	/* of program sections, at libbpf; -1 none */
	int map_fds[LIVE_MAPS];	/* shared; -1 until the first object created them */
	enum { MAPS_AWAITED, MAPS_THERE, MAPS_FAILED } maps;	/* with @lock, as is @nobjects */
	pthread_mutex_t lock;
	pthread_cond_t maps_there;
	unsigned int cpus;
};

/* Name of shared map @i, in the order of loader.map_fds. */
enum live_map { MAP_TASK_SCOPES, MAP_IRQ_SCOPES, MAP_CPU_STATES, MAP_RINGS, MAP_WANTED, MAP_FRAMES,
		MAP_SYMBOLS_TOLD, MAP_SYMBOLS_NEAR, MAP_NEAR_SCOPES, MAP_WAKE, MAP_BSS };

/** loader_init() - BTF of the kernel, state of every row that needs no program. 0 or -errno. */
int loader_init(struct loader *ld, const struct live_options *opt);

/**
 * loader_load() - Load and keep what the rows to be heard need
 *
 * Rows in state EV_HOOK_HEARD that have no program yet are loaded, in one object. A
 * program that the kernel refuses makes its row EV_HOOK_REFUSED and the rest is
 * loaded without it. May be called again when a module brought more functions.
 *
 * Return: 0 or -errno.
 */
int loader_load(struct loader *ld);

/** loader_load_all() - The same at the start, in threads, and attach what was loaded. 0 or -errno. */
int loader_load_all(struct loader *ld);

/**
 * loader_attach_row() - Attach row @id if it is loaded and not attached
 *
 * Exits first, so that no frame stays. Refused if a row that it needs was refused.
 */
void loader_attach_row(struct loader *ld, unsigned int id);

/** loader_refuse() - The kernel does not take a program of @run, or it cannot be attached. */
void loader_refuse(struct hook_run *run, int err);

/** loader_open_object() - Open the object file. NULL, errno is set. */
struct bpf_object *loader_open_object(const struct loader *ld);

/** loader_give_target() - For libbpf, which would search all of the kernel's BTF for it. 0 or -errno. */
int loader_give_target(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie);

/** loader_want_names() - Tell ld->types all names that rows may ask for. 0 or -ENOMEM. */
int loader_want_names(struct loader *ld);

/** loader_aim() - Find the target of row @id, which is to be heard. 0 or -ESRCH. */
int loader_aim(struct loader *ld, unsigned int id);

/** loader_resolve() - State of row @id; EV_HOOK_HEARD here means that it can be loaded. */
void loader_resolve(struct loader *ld, unsigned int id);

/** loader_set_print() - What libbpf says: its warnings on stderr, or nothing. */
void loader_set_print(bool verbose);

/** memory_frames() - Page frames up to the end of RAM that the allocator has; 0 unknown. */
uint64_t memory_frames(void);

/** loader_module_live() - Is @module loaded and initialised? */
bool loader_module_live(const char *module);

/** loader_forget_symbols() - Addresses that were named are named again when they come. */
void loader_forget_symbols(const struct loader *ld);

void loader_detach(struct loader *ld);
void loader_free(struct loader *ld);

#endif
