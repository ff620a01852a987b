/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The trace directory that a command makes. */
#ifndef IOMMUSCOPE_CMD_OUTPUT_H
#define IOMMUSCOPE_CMD_OUTPUT_H

#include "trace/trace.h"

/** output_default() - iommuscope-DATE-TIME; static. */
const char *output_default(void);

/** output_check() - May it be made? Before a start that takes seconds. 0, or said: EXIT_ERROR. */
int output_check(const char *path);

/**
 * output_create() - Make it
 * @env: command, content and scope; the rest is filled in
 *
 * Return: 0, or said: EXIT_ERROR.
 */
int output_create(const char *path, const struct trace_env *env, struct trace_writer **out);

#endif
