// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "cmd/cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/report.h"

int say_error(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("iommuscope: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_ERROR;
}

int say_nothing_seen(const char *device, int32_t group)
{
	if (device)
		return say_error("%s: no such device in any IOMMU group (ls /sys/kernel/iommu_groups/*/devices)",
				 device);
	if (group >= 0)
		return say_error("there is no IOMMU group %d with a device (ls /sys/kernel/iommu_groups)",
				 group);
	return say_error("no device is behind an IOMMU: is it switched on (intel_iommu=on, and in the firmware)?");
}

bool end_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	fprintf(stderr, "iommuscope: cannot write the result: %s\n", strerror(errno));
	return false;
}

static bool parse_number(const char *text, unsigned long long *out, char **end)
{
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, end, 0);
	return !errno && *end != text;
}

bool parse_u32(const char *text, unsigned int *out)
{
	unsigned long long value;
	char *end;

	if (!parse_number(text, &value, &end) || *end || value > UINT_MAX)
		return false;
	*out = value;
	return true;
}

bool parse_group(const char *text, int32_t *out)
{
	unsigned int group;

	if (!parse_u32(text, &group) || group > INT32_MAX)
		return false;
	*out = group;
	return true;
}

static unsigned int unit_lg2(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	default:
		return 0;
	}
}

bool parse_bytes(const char *text, unsigned long long *out)
{
	unsigned long long value;
	unsigned int shift;
	char *end;

	if (!parse_number(text, &value, &end))
		return false;
	shift = unit_lg2(*end);
	if (shift)
		end++;
	if (*end || value > ULLONG_MAX >> shift)
		return false;
	*out = value << shift;
	return true;
}

static bool finding_named(const char *name, size_t len, unsigned int *id)
{
	for (*id = 0; *id < FINDING_COUNT; (*id)++) {
		const char *known = finding_name(*id);

		if (strlen(known) == len && !strncmp(known, name, len))
			return true;
	}
	return false;
}

bool parse_findings(const char *text, uint64_t *out)
{
	uint64_t bits = 0;
	unsigned int id;
	size_t len;

	do {
		len = strcspn(text, ",");
		if (!finding_named(text, len, &id))
			return false;
		bits |= 1ULL << id;
		text += len;
	} while (*text++);
	*out = bits;
	return true;
}
