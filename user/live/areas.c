// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/areas.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint32_t kind_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t kind;
	} kinds[] = {
		{ "System RAM", EV_AREA_RAM },
		{ "Kernel code", EV_AREA_TEXT },
		{ "Kernel rodata", EV_AREA_RODATA },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(name, kinds[i].name))
			return kinds[i].kind;
	return 0;
}

/* "  01000000-01ffffff : Kernel code"; all zeroes for who may not see addresses. */
static bool parse_line(char *line, struct ev_area *area)
{
	char *name = strstr(line, " : ");

	if (!name || sscanf(line, "%" SCNx64 "-%" SCNx64, (uint64_t *)&area->first,
			    (uint64_t *)&area->last) != 2)
		return false;
	name += 3;
	name[strcspn(name, "\n")] = 0;
	area->kind = kind_of(name);
	return area->kind && area->last;
}

int areas_read(area_sink sink, void *arg)
{
	FILE *f = fopen("/proc/iomem", "re");
	char line[256];
	int err = 0;

	if (!f)
		return 0;
	while (!err && fgets(line, sizeof(line), f)) {
		struct ev_area area = { 0 };

		if (parse_line(line, &area))
			err = sink(arg, &area);
	}
	fclose(f);
	return err;
}
