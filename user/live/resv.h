/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Reserved ranges of IOMMU groups, read from sysfs when a group's members were heard to change. */
#ifndef IOMMUSCOPE_RESV_H
#define IOMMUSCOPE_RESV_H

#include "event.h"

struct resv_reader;

/** typedef resv_say_fn - Takes a record whose header is not filled yet; 0 or -errno. */
typedef int (*resv_say_fn)(void *arg, struct ev_resv *rec);

/** resv_reader_new() - Return: a reader, or NULL without memory. */
struct resv_reader *resv_reader_new(void);

/** resv_reader_hear() - Take note of @rec: did a device come, or go? */
void resv_reader_hear(struct resv_reader *r, const struct ev_hdr *rec);

/**
 * resv_reader_tell() - Read the groups that changed since the last call
 * @r:   the reader
 * @say: given all ranges of such a group, or one EV_RESV_NONE
 * @arg: for @say
 *
 * A group that is gone, or has more ranges than its file can hold, is not told.
 *
 * Return: 0 or -errno of @say.
 */
int resv_reader_tell(struct resv_reader *r, resv_say_fn say, void *arg);

/** resv_reader_free() - @r may be NULL. */
void resv_reader_free(struct resv_reader *r);

#endif
