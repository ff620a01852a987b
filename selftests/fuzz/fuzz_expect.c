// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Files of expectations: as they are, or bytes become words of the format, so that lines are often good and
 * areas meet. What was understood is sorted and disjoint, and written down and read again it is the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/expect.h"

#define LINE_MAX_BYTES 128	/* of what print() writes */

static void must(int ok)
{
	if (!ok)
		abort();
}

static void is_error(const struct reading *r, const char *error)
{
	size_t i;

	must(!strncmp(error, "line ", 5) && strlen(error) < EXPECT_ERROR_BYTES - 1);
	for (i = 0; error[i]; i++)
		must(error[i] >= ' ' && error[i] <= '~');
	must(!r->books && !r->nareas[BOOK_FILE]);
}

static size_t print(const struct book_area *a, char *to)
{
	static const char *const prots[] = { "", " prot=r", " prot=w", " prot=rw" };
	size_t len = sprintf(to, "0x%" PRIx64 "-0x%" PRIx64, a->first, a->last);

	if (a->paddr != AREA_PADDR_UNKNOWN)
		len += sprintf(to + len, " paddr=0x%" PRIx64, a->paddr);
	must(a->prot < 4);
	len += sprintf(to + len, "%s\n", prots[a->prot]);
	return len;
}

static void is_area(const struct reading *r, size_t i)
{
	const struct book_area *a = &r->areas[BOOK_FILE][i];

	must(a->first <= a->last && !(a->first & 0xfff) && !(~a->last & 0xfff));
	must(!i || a[-1].last < a->first);
	must(a->paddr == AREA_PADDR_UNKNOWN ||
	     (!(a->paddr & 0xfff) && a->paddr + (a->last - a->first) >= a->paddr));
}

/* Printed from the last to the first. */
static void again(const struct reading *r)
{
	size_t n = r->nareas[BOOK_FILE], i, len = 0;
	char *text = malloc(n * LINE_MAX_BYTES + 1);
	struct reading other;

	must(text != NULL);
	for (i = n; i; i--)
		len += print(&r->areas[BOOK_FILE][i - 1], text + len);
	reading_init(&other);
	must(!expect_parse(text, len, &other, NULL, 0));
	must(other.nareas[BOOK_FILE] == n);
	must(!n || !memcmp(other.areas[BOOK_FILE], r->areas[BOOK_FILE],
			   n * sizeof(struct book_area)));
	reading_drain(&other);
	free(text);
}

static void parse(const char *text, size_t len)
{
	char error[EXPECT_ERROR_BYTES];
	struct reading r;
	size_t i;
	int err;

	reading_init(&r);
	err = expect_parse(text, len, &r, error, sizeof(error));
	must(!err || err == -EBADMSG);
	if (err) {
		is_error(&r, error);
		return;
	}
	must(!*error && r.books == 1U << BOOK_FILE);
	for (i = 0; i < r.nareas[BOOK_FILE]; i++)
		is_area(&r, i);
	again(&r);
	reading_drain(&r);
}

/* Three bytes become a line, mostly a good one. */
static size_t cook_line(const uint8_t *data, char *to)
{
	static const char *const ends[] = {
		"\n", "\r\n", " prot=r\n", " prot=w # x\n", " prot=rw\n", " paddr=0x4000\n",
		" paddr=0xffffffffffff0000\n", " prot=r paddr=0x0\n\n",
	};
	uint64_t first = (data[0] & 0x3f) << 12, last = first + ((data[1] & 7) << 12) + 0xfff;

	if (data[0] & 0x80) {
		first = -first;
		last = first + 0xfff;
	}
	if (data[1] >= 0xf8)
		last ^= 1ULL << (data[2] & 63);
	return sprintf(to, "0x%" PRIx64 "-0x%" PRIx64 "%s", first, last, ends[data[2] & 7]);
}

static void parse_cooked(const uint8_t *data, size_t size)
{
	char *text = malloc(size / 3 * LINE_MAX_BYTES + 1);
	size_t len = 0;

	must(text != NULL);
	for (; size >= 3; data += 3, size -= 3)
		len += cook_line(data, text + len);
	parse(text, len);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] & 0x80)
		parse_cooked(data + 1, size - 1);
	else
		parse((const char *)data, size);
	return 0;
}
