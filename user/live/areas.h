/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the machine's physical memory is, as /proc/iomem says. */
#ifndef IOMMUSCOPE_AREAS_H
#define IOMMUSCOPE_AREAS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

/* Receives an area; 0 or -errno, which ends the reading. */
typedef int (*area_sink)(void *arg, struct ev_area *area);

/**
 * areas_read() - Hand over every area of a kind in enum ev_area_kind
 * @sink: receives them
 * @arg:  for @sink
 *
 * A file that cannot be read has none: what is not known is not judged.
 *
 * Return: 0 or the error of @sink.
 */
int areas_read(area_sink sink, void *arg);

#endif
