/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Was a domain's table still while it was read, and iommufd's areas that say what should be in it? Programs at
 * iommu_map(), iommu_unmap() and the like, and at those that change areas, count what begins and ends
 * (bpf/ops.bpf.h).
 *
 * A mark is calm if no call is under way. Two equal calm marks enclose a time in which nothing changed
 * table or areas. Programs that the kernel skipped (recursion) make marks differ.
 */
#ifndef IOMMUSCOPE_OPS_H
#define IOMMUSCOPE_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "live/types.h"
#include "peek_abi.h"

#define OPS_FUNCTIONS 13

struct ops_hook {
	uint32_t target_id;	/* of the function in the kernel's BTF; 0: it has none of that name */
	struct bpf_program *begin, *end;
	struct bpf_link *begin_link, *end_link;
};

struct ops {
	struct ops_hook hooks[OPS_FUNCTIONS];
	int handlers[2];	/* of program sections, at libbpf; 0 none */
	int map_fd;
	uint64_t missed;	/* when the counts were last begun anew */
	uint64_t watch;		/* number of the last ops_watch() */
};

/* What is looked at. */
struct ops_keys {
	uint64_t domain;
	uint64_t iopt;		/* struct io_pagetable *; 0 none */
};

struct ops_mark {
	struct peek_ops count;
	struct peek_ops areas;
	uint64_t missed;	/* calls whose program was skipped */
};

/** ops_init() - Before the object is opened. @o stays where it is. 0 or -errno. */
int ops_init(struct ops *o);

/** ops_want() - Tell @t the names of the functions. 0 or -ENOMEM. */
int ops_want(struct types *t);

/** ops_prepare() - Aim the programs of @obj before it is loaded; without @on none is loaded. 0 or -errno. */
int ops_prepare(struct ops *o, struct bpf_object *obj, const struct types *t, bool on);

/** ops_attach() - After the load. Calls that are under way are not counted: ops_watch() waits for them. 0 or -errno. */
int ops_attach(struct ops *o, struct bpf_object *obj);

/**
 * ops_watch() - Count for these from now on, from 0
 *
 * Takes some 50 ms: calls that are under way now must have ended.
 *
 * Return: 0 or -errno.
 */
int ops_watch(struct ops *o, const struct ops_keys *keys);

/** ops_unwatch() - Calls that change @keys are nobody's business any more. */
void ops_unwatch(struct ops *o, const struct ops_keys *keys);

/** ops_mark() - Where @keys are, which are being watched. Return: are they calm? */
bool ops_mark(const struct ops *o, const struct ops_keys *keys, struct ops_mark *out);

/** ops_lost() - Was a call missed since ops_watch()? Then nothing is calm any more: watch anew. */
bool ops_lost(const struct ops *o, const struct ops_mark *mark);

/** ops_same() - Are @a and @b equal? */
bool ops_same(const struct ops_mark *a, const struct ops_mark *b);

void ops_free(struct ops *o);

#endif
