// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "dump.h"

#include <errno.h>
#include <string.h>

#define COLUMNS 5		/* levels 5 to 1 */
#define PAGE_LG2 12
#define LEVEL_LG2 9
#define LEAF_LEVELS 3		/* VT-d has leaves of 1 GiB, 2 MiB and 4 KiB: specification 9.8, 9.9 */
#define ENTRY_ADDR 0x000ffffffffff000ULL

struct text {
	const char *at;
	const char *end;
};

/* Takes a line, without its end. false: there is none, or it is cut off (then @t is not at its end). */
static bool next_line(struct text *t, struct text *line)
{
	const char *end = t->at < t->end ? memchr(t->at, '\n', t->end - t->at) : NULL;

	if (!end)
		return false;
	*line = (struct text){ t->at, end };
	t->at = end + 1;
	return true;
}

static bool take(struct text *t, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, word, len))
		return false;
	t->at += len;
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct text *t, uint64_t *value)
{
	unsigned int digits = 0;

	if (!take(t, "0x"))
		return false;
	for (*value = 0; t->at < t->end && digit(*t->at) >= 0; t->at++) {
		if (++digits > 16)
			return false;
		*value = *value << 4 | digit(*t->at);
	}
	return digits;
}

/* Up to the line behind the header of @device. */
static int find_device(struct text *t, const char *device, uint64_t *root)
{
	struct text line;

	while (next_line(t, &line)) {
		if (!take(&line, "Device ") || !take(&line, device) || !take(&line, " "))
			continue;
		if (take(&line, "with pasid ") && !take(&line, "0 "))
			continue;
		if (!take(&line, "@") || !take_hex(&line, root) || line.at != line.end)
			return -EBADMSG;
		return next_line(t, &line) && take(&line, "IOVA_PFN") ? 0 : -EBADMSG;
	}
	return t->at == t->end ? -ENOENT : -EBADMSG;
}

static int read_leaf(struct text line, struct book_area *out)
{
	uint64_t pfn, entry, leaf = 0, size;
	unsigned int column, level = 0;

	if (!take_hex(&line, &pfn) || pfn >> (64 - PAGE_LG2) || !take(&line, " |"))
		return -EBADMSG;
	for (column = 0; column < COLUMNS && take(&line, "\t"); column++) {
		if (!take_hex(&line, &entry))
			return -EBADMSG;
		if (!entry)
			continue;
		leaf = entry;
		level = COLUMNS - column;
	}
	if (line.at != line.end || !level || level > LEAF_LEVELS)
		return -EBADMSG;
	size = 1ULL << (PAGE_LG2 + LEVEL_LG2 * (level - 1));
	*out = (struct book_area){ .first = pfn << PAGE_LG2, .paddr = leaf & ENTRY_ADDR & ~(size - 1) };
	if (out->first & (size - 1))
		return -EBADMSG;
	out->last = out->first + (size - 1);
	return 0;
}

/* As far as it lies in [@first, @last]; neighbours that lead on are one area. */
static int add_leaf(struct reading *r, struct book_area a, uint64_t first, uint64_t last)
{
	size_t n = r->nareas[BOOK_DEBUGFS];
	struct book_area *before = n ? &r->areas[BOOK_DEBUGFS][n - 1] : NULL;
	int err;

	if (a.last < first || a.first > last)
		return 0;
	if (a.first < first) {
		a.paddr += first - a.first;
		a.first = first;
	}
	if (a.last > last)
		a.last = last;
	if (before && a.first && before->last == a.first - 1 &&
	    before->paddr + (a.first - before->first) == a.paddr) {
		before->last = a.last;
		return 0;
	}
	err = reading_add_area(r, BOOK_DEBUGFS, &a);
	return err == -EINVAL ? -EBADMSG : err;
}

static int read_leaves(struct text *t, uint64_t first, uint64_t last, struct reading *r)
{
	uint64_t behind = 0;
	struct book_area leaf;
	struct text line;
	int err = 0;

	/* The next device's begins after a line that is empty, or without one. */
	while (!err && t->at < t->end && digit(*t->at) >= 0) {
		if (!next_line(t, &line))
			return -EBADMSG;
		err = read_leaf(line, &leaf);
		if (!err && leaf.first < behind)
			err = -EBADMSG;
		if (!err)
			err = add_leaf(r, leaf, first, last);
		behind = err ? 0 : leaf.last;
	}
	return err;
}

int dump_parse(const char *text, size_t len, const char *device, uint64_t root, uint64_t first,
	       uint64_t last, struct reading *r)
{
	struct text t = { text, text + len };
	uint32_t books = r->books;
	uint64_t at = 0;
	int err = find_device(&t, device, &at);

	if (err)
		return err;
	if (at != root)
		return -ESTALE;
	err = read_leaves(&t, first, last, r);
	if (err) {
		r->nareas[BOOK_DEBUGFS] = 0;
		r->books = books;
		return err;
	}
	r->books |= 1U << BOOK_DEBUGFS;
	return 0;
}
