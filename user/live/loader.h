/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Inside user/live: BPF objects by room, the shared maps, and attachment by row. */
#ifndef IOMMUSCOPE_LOADER_H
#define IOMMUSCOPE_LOADER_H

#include <bpf/libbpf.h>

#include "live/live.h"
#include "shared.h"

#define LIVE_MAPS 6

struct hook_run {
	struct live_hook pub;
	struct bpf_program *entry, *exit;
	struct bpf_link *entry_link, *exit_link;
	uint64_t entry_missed, exit_missed;	/* as last read */
};

struct loader {
	struct live_options opt;
	struct bpf_config config;
	struct bpf_object *rooms[ROOM_COUNT];
	struct hook_run hooks[HOOK_COUNT];
	struct btf *btf;	/* of the kernel image */
	int map_fds[LIVE_MAPS];	/* shared; -1 until the first object created them */
	unsigned int cpus;
};

/* Name of shared map @i, in the order of loader.map_fds. */
enum live_map { MAP_TASK_SCOPES, MAP_IRQ_SCOPES, MAP_CPU_STATES, MAP_RINGS, MAP_WANTED };

/** loader_init() - BTF of the kernel, state of every row that needs no program. 0 or -errno. */
int loader_init(struct loader *ld, const struct live_options *opt);

/**
 * loader_load() - Load one room with the rows that this kernel has
 *
 * A program that the kernel refuses makes its row EV_HOOK_REFUSED and the rest is
 * loaded without it.
 *
 * Return: 0 (also when no row of the room is to be had), or -errno.
 */
int loader_load(struct loader *ld, enum room room);

/** loader_attach() - Attach the loaded rows of @room: exits first, so that no frame stays. */
void loader_attach(struct loader *ld, enum room room);

/** loader_module_live() - Is @module loaded and initialised? */
bool loader_module_live(const char *module);

void loader_detach(struct loader *ld);
void loader_free(struct loader *ld);

/* The object file of @room, embedded in the program. */
const void *room_bytes(enum room room, size_t *len);

#endif
