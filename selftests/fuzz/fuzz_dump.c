// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Intel's dump of a page table: as the bytes are, or as lines behind a good header. What was understood is sorted and
 * disjoint and lies in the range; of what was not, nothing is left.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dump.h"

#define DEVICE "0000:00:03.0"
#define ROOT 0x1000ULL
#define HEADER "Device " DEVICE " @0x1000\nIOVA_PFN\n"
#define LINE_BYTES 128

static void must(int ok)
{
	if (!ok)
		abort();
}

static void parse(const char *text, size_t len, uint64_t first, uint64_t last)
{
	struct reading r;
	size_t i;
	int err;

	reading_init(&r);
	err = dump_parse(text, len, DEVICE, ROOT, first, last, &r);
	must(!err || err == -EBADMSG || err == -ENOENT || err == -ESTALE);
	must(r.books == (err ? 0 : 1U << BOOK_DEBUGFS));
	must(!err || !r.nareas[BOOK_DEBUGFS]);
	for (i = 0; i < r.nareas[BOOK_DEBUGFS]; i++) {
		const struct book_area *a = &r.areas[BOOK_DEBUGFS][i];

		must(first <= a->first && a->first <= a->last && a->last <= last);
		must(!i || a[-1].last < a->first);
	}
	reading_drain(&r);
}

/* Four bytes become a line, mostly a good one. */
static void cook_line(const uint8_t *data, uint64_t *pfn, char *to)
{
	static const char *const uppers[] = { "", "\t0x3", "\t0x3\t0x3" };
	unsigned int kind = data[0] % 3, level = 3 - kind;
	uint64_t span = 1ULL << (9 * (level - 1));

	*pfn = (*pfn + span - 1) & ~(span - 1);
	if (data[0] >= 0xf0)
		*pfn ^= 1ULL << (data[1] & 63);
	sprintf(to, "0x%" PRIx64 " |\t0x0\t0x0%s\t0x%x%02x003\n", *pfn, uppers[kind], data[2],
		data[3]);
	*pfn += span + (data[1] & 3);
}

static void parse_cooked(const uint8_t *data, size_t size, uint64_t first, uint64_t last)
{
	char *text = malloc(sizeof(HEADER) + size / 4 * LINE_BYTES + 1);
	size_t len = sizeof(HEADER) - 1;
	uint64_t pfn = 0;

	must(text != NULL);
	strcpy(text, HEADER);
	for (; size >= 4; data += 4, size -= 4) {
		cook_line(data, &pfn, text + len);
		len += strlen(text + len);
	}
	parse(text, len - size % 4, first, last);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t first, last;

	if (size < 16) {
		parse((const char *)data, size, 0, UINT64_MAX);
		return 0;
	}
	memcpy(&first, data, 8);
	memcpy(&last, data + 8, 8);
	first >>= first & 63;
	last >>= last & 63;
	if (first > last) {
		parse((const char *)data, size, last, first);
		parse_cooked(data + 16, size - 16, 0, UINT64_MAX);
	} else {
		parse_cooked(data + 16, size - 16, first, last);
	}
	return 0;
}
