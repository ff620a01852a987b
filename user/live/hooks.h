/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The hook table: one row per thing that can be heard. The loader walks it, `features`
 * prints it, every trace carries it. To add a hook: an enum ev_hook_id in bpf/event.h,
 * a program pair in bpf/, a row here.
 */
#ifndef IOMMUSCOPE_HOOKS_H
#define IOMMUSCOPE_HOOKS_H

#include <stddef.h>

#include "event.h"

enum witness { WITNESS_STATE, WITNESS_INTENT, WITNESS_ACTION, WITNESS_FLUSH, WITNESS_DEVICE };

#define HOOK_CANDIDATES 3

struct hook_row {
	const char *name;	/* witness.what; unique; at most 23 characters */
	const char *entry;	/* BPF program names, or NULL */
	const char *exit;
	const char *function[HOOK_CANDIDATES];	/* in order of preference */
	const char *module;	/* NULL: in the kernel image */
	const char *unless;	/* where this function exists another row hears it all */
	const char *covered;	/* absence is no loss where this function exists */
	const char *lost;	/* what is lost without it */
	enum witness witness;
	unsigned int needs;	/* row that must be attached before, or this one is refused; 0 none */
	int tracepoint;		/* 1: function[0] is one; the programs say which by themselves */
};

extern const struct hook_row hook_table[HOOK_COUNT];

const char *witness_name(enum witness w);

#endif
