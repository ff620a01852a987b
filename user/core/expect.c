// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Line by line into a list, each area with its line; sorted; then neighbours are looked at, which is enough:
 * of a sorted list, if any two areas overlap, two neighbours do.
 */
#include "expect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_PAGE UINT64_C(0xfff)
#define QUOTED_MAX 40

/* Some bytes of the text. */
struct word {
	const char *at;
	size_t len;
};

struct entry {
	struct book_area area;
	size_t line;
};

struct parser {
	struct word rest;	/* of the text, or of a line */
	size_t line;		/* from 1 */
	struct entry *entries;
	size_t count, room;
	char *error;
	size_t error_len;
};

static int bad(const struct parser *p, size_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(const struct parser *p, size_t line, const char *format, ...)
{
	char text[EXPECT_ERROR_BYTES - 32];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(p->error, p->error_len, "line %zu: %s", line, text);
	return -EBADMSG;
}

/* The bytes of a word, as far as a terminal may have them. */
struct quoted {
	char text[QUOTED_MAX + 4];
};

static struct quoted quote(struct word w)
{
	struct quoted q;
	size_t i, n = w.len < QUOTED_MAX ? w.len : QUOTED_MAX;

	for (i = 0; i < n; i++)
		q.text[i] = w.at[i] >= ' ' && w.at[i] <= '~' ? w.at[i] : '?';
	strcpy(q.text + n, n < w.len ? "..." : "");
	return q;
}

/* ---- words ---- */

/* Takes what is before the first byte that is one of @ends, or all, and that byte. */
static struct word take_until(struct word *rest, const char *ends)
{
	struct word w = { rest->at, 0 };

	while (w.len < rest->len && (!w.at[w.len] || !strchr(ends, w.at[w.len])))
		w.len++;
	rest->at += w.len;
	rest->len -= w.len;
	if (rest->len) {
		rest->at++;
		rest->len--;
	}
	return w;
}

static struct word take_word(struct word *line)
{
	struct word w;

	do
		w = take_until(line, " \t");
	while (!w.len && line->len);
	return w;
}

static bool starts(struct word *w, const char *with)
{
	size_t len = strlen(with);

	if (w->len < len || memcmp(w->at, with, len))
		return false;
	w->at += len;
	w->len -= len;
	return true;
}

static bool equals(struct word w, const char *with)
{
	return starts(&w, with) && !w.len;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int take_number(const struct parser *p, struct word w, uint64_t *out)
{
	struct word digits = w;
	uint64_t value = 0;

	if (!starts(&digits, "0x") || !digits.len)
		return bad(p, p->line, "'%s' is not a hexadecimal number, as 0x1000", quote(w).text);
	for (; digits.len; digits.at++, digits.len--) {
		if (digit_of(*digits.at) < 0)
			return bad(p, p->line, "'%s' is not a hexadecimal number, as 0x1000",
				   quote(w).text);
		if (value >> 60)
			return bad(p, p->line, "'%s' has more than 64 bits", quote(w).text);
		value = value << 4 | digit_of(*digits.at);
	}
	*out = value;
	return 0;
}

/* ---- one line ---- */

static int check_range(const struct parser *p, const struct book_area *a)
{
	if (a->last < a->first)
		return bad(p, p->line, "the last address, 0x%" PRIx64 ", is below the first, 0x%" PRIx64,
			   a->last, a->first);
	if (a->first & IN_PAGE)
		return bad(p, p->line, "0x%" PRIx64 " is not where a page of 4 KiB begins", a->first);
	if (~a->last & IN_PAGE)
		return bad(p, p->line, "0x%" PRIx64 " is not the last byte of a page of 4 KiB (the range "
			   "includes it): 0x%" PRIx64 " is", a->last, a->last | IN_PAGE);
	return 0;
}

static int take_range(const struct parser *p, struct word w, struct book_area *a)
{
	struct word first, last = w;
	int err;

	first = take_until(&last, "-");
	if (!first.len || !last.len)
		return bad(p, p->line, "'%s' is not a range, as 0x1000-0x1fff", quote(w).text);
	err = take_number(p, first, &a->first);
	if (!err)
		err = take_number(p, last, &a->last);
	return err ? err : check_range(p, a);
}

static int take_paddr(const struct parser *p, struct word w, struct book_area *a)
{
	uint64_t end;
	int err;

	if (a->paddr != AREA_PADDR_UNKNOWN)
		return bad(p, p->line, "paddr= is there twice");
	err = take_number(p, w, &a->paddr);
	if (err)
		return err;
	if (a->paddr & IN_PAGE)
		return bad(p, p->line, "paddr=0x%" PRIx64 " is not where a page of 4 KiB begins",
			   a->paddr);
	if (__builtin_add_overflow(a->paddr, a->last - a->first, &end))
		return bad(p, p->line, "what begins at paddr=0x%" PRIx64 " would go on behind 2^64",
			   a->paddr);
	return 0;
}

static int take_prot(const struct parser *p, struct word w, struct book_area *a)
{
	if (a->prot)
		return bad(p, p->line, "prot= is there twice");
	if (equals(w, "r"))
		a->prot = WALK_READ;
	else if (equals(w, "w"))
		a->prot = WALK_WRITE;
	else if (equals(w, "rw"))
		a->prot = WALK_READ | WALK_WRITE;
	else
		return bad(p, p->line, "prot=%s: it may be r, w or rw", quote(w).text);
	return 0;
}

static int take_option(const struct parser *p, struct word w, struct book_area *a)
{
	struct word value = w;

	if (starts(&value, "paddr="))
		return take_paddr(p, value, a);
	if (starts(&value, "prot="))
		return take_prot(p, value, a);
	return bad(p, p->line, "'%s': behind the range may be paddr=0x... and prot=r, w or rw",
		   quote(w).text);
}

static int add_entry(struct parser *p, const struct book_area *a)
{
	size_t room = p->room ? p->room * 2 : 64;
	struct entry *more = p->entries;

	if (p->count == p->room) {
		more = reallocarray(p->entries, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->entries = more;
		p->room = room;
	}
	more[p->count++] = (struct entry){ *a, p->line };
	return 0;
}

static int take_line(struct parser *p, struct word line)
{
	struct book_area a = { .paddr = AREA_PADDR_UNKNOWN };
	struct word w;
	int err;

	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len > EXPECT_LINE_BYTES)
		return bad(p, p->line, "longer than %d bytes", EXPECT_LINE_BYTES);
	line = take_until(&line, "#");
	w = take_word(&line);
	if (!w.len)
		return 0;
	err = take_range(p, w, &a);
	while (!err && (w = take_word(&line)).len)
		err = take_option(p, w, &a);
	return err ? err : add_entry(p, &a);
}

static int take_lines(struct parser *p)
{
	int err = 0;

	while (!err && p->rest.len) {
		p->line++;
		err = take_line(p, take_until(&p->rest, "\n"));
	}
	return err;
}

/* ---- all of them ---- */

static int by_place(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->area.first != b->area.first)
		return a->area.first < b->area.first ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* The lower line was there first. */
static int bad_overlap(const struct parser *p, const struct entry *a, const struct entry *b)
{
	const struct entry *old = a->line < b->line ? a : b, *new = old == a ? b : a;

	return bad(p, new->line, "0x%" PRIx64 "-0x%" PRIx64 " overlaps 0x%" PRIx64 "-0x%" PRIx64
		   " of line %zu", new->area.first, new->area.last, old->area.first, old->area.last,
		   old->line);
}

static int sort(struct parser *p)
{
	size_t i;

	if (p->count)
		qsort(p->entries, p->count, sizeof(*p->entries), by_place);
	for (i = 1; i < p->count; i++)
		if (p->entries[i].area.first <= p->entries[i - 1].area.last)
			return bad_overlap(p, &p->entries[i - 1], &p->entries[i]);
	return 0;
}

static int hand_over(const struct parser *p, struct reading *r)
{
	uint32_t books = r->books;
	int err = 0;
	size_t i;

	for (i = 0; i < p->count && !err; i++)
		err = reading_add_area(r, BOOK_FILE, &p->entries[i].area);
	r->books = books | 1U << BOOK_FILE;
	if (!err)
		return 0;
	r->nareas[BOOK_FILE] = 0;
	r->books = books;
	return err;
}

int expect_parse(const char *text, size_t len, struct reading *r, char *error, size_t error_len)
{
	struct parser p = { .rest = { text, len }, .error = error, .error_len = error_len };
	int err;

	snprintf(error, error_len, "%s", "");
	if (r->books & 1U << BOOK_FILE) {
		snprintf(error, error_len, "there are expectations already");
		return -EEXIST;
	}
	err = take_lines(&p);
	if (!err)
		err = sort(&p);
	if (!err)
		err = hand_over(&p, r);
	if (err == -ENOMEM)
		snprintf(error, error_len, "no memory");
	free(p.entries);
	return err;
}
