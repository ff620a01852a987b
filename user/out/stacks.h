/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Call stacks of the records that findings refer to. A record's stack stands behind it in the
 * trace, long before anybody knows that a finding will want it: so the trace is read a second
 * time, and only what is wanted is kept.
 */
#ifndef IOMMUSCOPE_STACKS_H
#define IOMMUSCOPE_STACKS_H

#include "core/report.h"

struct stacks;

/**
 * stacks_new() - Want the stacks of all records that @rep's findings refer to
 * @rep: the finished report
 * @out: set on success
 *
 * Return: 0 or -ENOMEM.
 */
int stacks_new(const struct report *rep, struct stacks **out);

/**
 * stacks_take() - Keep what @rec tells, if it is a stack and wanted
 * @s:   the stacks
 * @rec: any whole record; all of a CPU, in their order
 */
void stacks_take(struct stacks *s, const struct ev_hdr *rec);

/** stacks_find() - Return: the stack of record @seq of @cpu, or NULL. */
const struct ev_stack *stacks_find(const struct stacks *s, uint16_t cpu, uint64_t seq);

/** stacks_free() - @s may be NULL. */
void stacks_free(struct stacks *s);

#endif
