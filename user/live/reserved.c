// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/reserved.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES	4096	/* one page at most */
#define LINE_BYTES	64	/* less is left: the kernel may have stopped */

static int read_line(const char *line, struct reserved *r)
{
	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %23s", &r->first, &r->last, r->kind) != 3)
		return -EINVAL;
	return r->first <= r->last ? 0 : -EINVAL;
}

int reserved_read(int32_t group, reserved_fn fn, void *arg)
{
	char path[64], line[LINE_BYTES * 2];
	struct reserved r;
	size_t bytes = 0;
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/reserved_regions", group);
	f = fopen(path, "re");
	if (!f)
		return -ENOENT;
	while (!err && fgets(line, sizeof(line), f)) {
		bytes += strlen(line);
		err = read_line(line, &r) ?: fn(arg, &r);
	}
	if (!err && ferror(f))
		err = -EIO;
	if (!err && bytes > FILE_BYTES - LINE_BYTES)
		err = -ENODATA;
	fclose(f);
	return err;
}
