// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How many page frames the allocator may hand out: the highest end of a zone in /proc/zoneinfo,
 * which tells it without more rights than ours (/proc/iomem and max_pfn do not). Device memory
 * (pmem, GPUs) lies far above and never goes through the allocator.
 */
#include "live/loader.h"

#include <stdio.h>
#include <string.h>

uint64_t memory_frames(void)
{
	unsigned long long spanned = 0, start, frames = 0;
	char line[256], zone[32] = "";
	FILE *f = fopen("/proc/zoneinfo", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %*d, zone %31s", zone) == 1)
			spanned = 0;
		else if (sscanf(line, " spanned %llu", &spanned) == 1)
			continue;
		else if (sscanf(line, " start_pfn: %llu", &start) == 1 && strcmp(zone, "Device") &&
			 spanned && start + spanned > frames)
			frames = start + spanned;
	}
	fclose(f);
	return frames;
}
