// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Files of expectations: what they become, and each way in which they can be wrong. */
#include <errno.h>
#include <stdio.h>

#include "told_diffs.h"
#include "core/expect.h"

#define TOP UINT64_MAX

struct file {
	struct reading r;
	char error[EXPECT_ERROR_BYTES];
};

/* The parser gets a copy of exactly these bytes, so that a sanitizer sees it read further. */
static int parse_bytes(struct file *f, const char *text, size_t len)
{
	char *copy = malloc(len + !len);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	reading_init(&f->r);
	strcpy(f->error, "untouched");
	err = expect_parse(copy, len, &f->r, f->error, sizeof(f->error));
	free(copy);
	return err;
}

static void good(struct file *f, const char *text, size_t areas)
{
	int err = parse_bytes(f, text, strlen(text));

	if (err)
		fail_msg("'%s': %s", text, f->error);
	assert_string_equal(f->error, "");
	assert_int_equal(f->r.nareas[BOOK_FILE], areas);
	assert_int_equal(f->r.books, 1U << BOOK_FILE);
}

static void has(const struct file *f, size_t i, uint64_t first, uint64_t last, uint64_t paddr,
		uint32_t prot)
{
	const struct book_area *a = &f->r.areas[BOOK_FILE][i];

	assert_true(i < f->r.nareas[BOOK_FILE]);
	assert_int_equal(a->first, first);
	assert_int_equal(a->last, last);
	assert_int_equal(a->paddr, paddr);
	assert_int_equal(a->prot, prot);
	assert_int_equal(a->vaddr, 0);
	assert_int_equal(a->tgid, 0);
}

static void end(struct file *f)
{
	reading_drain(&f->r);
}

/* One area, and this. */
static void is(const char *text, uint64_t first, uint64_t last, uint64_t paddr, uint32_t prot)
{
	struct file f;

	good(&f, text, 1);
	has(&f, 0, first, last, paddr, prot);
	end(&f);
}

static void untouched(struct file *f)
{
	struct reading none;

	reading_init(&none);
	assert_memory_equal(&f->r, &none, sizeof(none));
}

static void wrong_bytes(const char *text, size_t len, const char *error)
{
	struct file f;

	assert_int_equal(parse_bytes(&f, text, len), -EBADMSG);
	assert_string_equal(f.error, error);
	untouched(&f);
}

static void wrong(const char *text, const char *error)
{
	wrong_bytes(text, strlen(text), error);
}

/* ---- what is good ---- */

static void nothing_expected(void **state)
{
	static const char *const texts[] = {
		"", "\n", "\n\n\n", "# only words", "  \t # 0x1000-0x1fff\n\r\n", "\r", "\t",
	};
	struct file f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		good(&f, texts[i], 0);
		end(&f);
	}
	reading_init(&f.r);
	assert_int_equal(expect_parse(NULL, 0, &f.r, NULL, 0), 0);
	assert_int_equal(f.r.books, 1U << BOOK_FILE);
}

static void one_range(void **state)
{
	(void)state;
	is("0x1000-0x1fff\n", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, 0);
	is("0x1000-0x1fff", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, 0);
	is(" \t0x1000-0x1fff \t", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, 0);
	is("0xABCDEF000-0xabcdefFFF", 0xabcdef000, 0xabcdeffff, AREA_PADDR_UNKNOWN, 0);
	is("0x00000000000000000001000-0x1fff", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, 0);
}

static void ends_of_the_space(void **state)
{
	(void)state;
	is("0x0-0xfff", 0, 0xfff, AREA_PADDR_UNKNOWN, 0);
	is("0xfffffffffffff000-0xffffffffffffffff", TOP - 0xfff, TOP, AREA_PADDR_UNKNOWN, 0);
	is("0x0-0xffffffffffffffff", 0, TOP, AREA_PADDR_UNKNOWN, 0);
	is("0x0-0xffffffffffffffff paddr=0x0", 0, TOP, 0, 0);
	is("0x0-0xfff paddr=0xfffffffffffff000", 0, 0xfff, TOP - 0xfff, 0);
}

static void options(void **state)
{
	(void)state;
	is("0x1000-0x1fff paddr=0x0", 0x1000, 0x1fff, 0, 0);
	is("0x1000-0x1fff prot=r", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, WALK_READ);
	is("0x1000-0x1fff prot=w", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, WALK_WRITE);
	is("0x1000-0x1fff prot=rw", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, RW);
	is("0x1000-0x1fff\tpaddr=0x7000  prot=rw", 0x1000, 0x1fff, 0x7000, RW);
	is("0x1000-0x1fff prot=r paddr=0x7000", 0x1000, 0x1fff, 0x7000, WALK_READ);
	is("0x1000-0x1fff prot=r# paddr=0x7000", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, WALK_READ);
	is("0x1000-0x1fff#paddr", 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, 0);
}

static void many_lines(void **state)
{
	struct file f;

	(void)state;
	good(&f, "# a NIC's rings\r\n\r\n"
		 "0x5000-0x5fff prot=r\r\n"
		 "0xfffffffffffff000-0xffffffffffffffff\n"
		 "  0x0-0xfff	# the first page\n"
		 "\n"
		 "0x2000-0x4fff paddr=0x100000", 4);
	has(&f, 0, 0, 0xfff, AREA_PADDR_UNKNOWN, 0);
	has(&f, 1, 0x2000, 0x4fff, 0x100000, 0);
	has(&f, 2, 0x5000, 0x5fff, AREA_PADDR_UNKNOWN, WALK_READ);
	has(&f, 3, TOP - 0xfff, TOP, AREA_PADDR_UNKNOWN, 0);
	end(&f);
}

/* From high to low, more than there is room for at first. */
static void sorted(void **state)
{
	static char text[1000 * 40];
	struct file f;
	int i, at = 0;

	(void)state;
	for (i = 999; i >= 0; i--)
		at += sprintf(text + at, "0x%x000-0x%xfff\n", i, i);
	good(&f, text, 1000);
	for (i = 0; i < 1000; i++)
		has(&f, i, i * 0x1000ULL, i * 0x1000ULL + 0xfff, AREA_PADDR_UNKNOWN, 0);
	end(&f);
}

/* What was parsed is compared. */
static void expected_and_found(void **state)
{
	static const char text[] = "0x1000-0x1fff paddr=0x7000\n0x3000-0x3fff\n";
	struct look l;

	(void)state;
	look_begin(&l);
	l.r.books = 0;
	assert_int_equal(expect_parse(text, sizeof(text) - 1, &l.r, NULL, 0), 0);
	look_run(&l, 0x1000, 0x2fff, 0x7000, RW);
	look_compare(&l, BOOK_FILE);
	look_has(&l, 0, DIFF_EXTRA, 0x2000, 0x2fff);
	look_has(&l, 1, DIFF_MISSING, 0x3000, 0x3fff);
	look_ends(&l, 2);
	look_end(&l);
}

/* ---- what is wrong ---- */

static void not_a_range(void **state)
{
	(void)state;
	wrong("0x1000", "line 1: '0x1000' is not a range, as 0x1000-0x1fff");
	wrong("0x1000-", "line 1: '0x1000-' is not a range, as 0x1000-0x1fff");
	wrong("-0x1fff", "line 1: '-0x1fff' is not a range, as 0x1000-0x1fff");
	wrong("-", "line 1: '-' is not a range, as 0x1000-0x1fff");
	wrong("0x1000 - 0x1fff", "line 1: '0x1000' is not a range, as 0x1000-0x1fff");
	wrong("paddr=0x1000", "line 1: 'paddr=0x1000' is not a range, as 0x1000-0x1fff");
	wrong("0x1000+0x1000", "line 1: '0x1000+0x1000' is not a range, as 0x1000-0x1fff");
}

static void not_a_number(void **state)
{
	(void)state;
	wrong("1000-0x1fff", "line 1: '1000' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-1fff", "line 1: '1fff' is not a hexadecimal number, as 0x1000");
	wrong("0x-0x1fff", "line 1: '0x' is not a hexadecimal number, as 0x1000");
	wrong("0X1000-0x1fff", "line 1: '0X1000' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-0x1ffg", "line 1: '0x1ffg' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-0x1FFG", "line 1: '0x1FFG' is not a hexadecimal number, as 0x1000");
	wrong("0x10:0-0x1fff", "line 1: '0x10:0' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-0x1fff-0x2fff", "line 1: '0x1fff-0x2fff' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-0x1fff paddr=", "line 1: '' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-0x1fff paddr=4096", "line 1: '4096' is not a hexadecimal number, as 0x1000");
}

static void too_wide(void **state)
{
	(void)state;
	wrong("0x0-0x10000000000000000", "line 1: '0x10000000000000000' has more than 64 bits");
	wrong("0xfffffffffffff0000-0xf", "line 1: '0xfffffffffffff0000' has more than 64 bits");
	wrong("0x0-0xfff paddr=0x10000000000000000",
	      "line 1: '0x10000000000000000' has more than 64 bits");
}

static void bad_range(void **state)
{
	(void)state;
	wrong("0x2000-0x1fff", "line 1: the last address, 0x1fff, is below the first, 0x2000");
	wrong("0xfffffffffffff000-0xfff",
	      "line 1: the last address, 0xfff, is below the first, 0xfffffffffffff000");
	wrong("0x1001-0x1fff", "line 1: 0x1001 is not where a page of 4 KiB begins");
	wrong("0xfff-0xfff", "line 1: 0xfff is not where a page of 4 KiB begins");
	wrong("0x1000-0x2000", "line 1: 0x2000 is not the last byte of a page of 4 KiB (the range "
	      "includes it): 0x2fff is");
	wrong("0x0-0xfffffffffffffffe", "line 1: 0xfffffffffffffffe is not the last byte of a page of "
	      "4 KiB (the range includes it): 0xffffffffffffffff is");
	wrong("0x0-0x0", "line 1: 0x0 is not the last byte of a page of 4 KiB (the range includes it): "
	      "0xfff is");
}

static void bad_option(void **state)
{
	static const char behind[] = "behind the range may be paddr=0x... and prot=r, w or rw";
	static const char *const words[] = { "rw", "paddr", "PROT=r", "prot", "paddr:0x0", "=", "0x0-0xfff" };
	char text[80], error[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), "0x1000-0x1fff %s", words[i]);
		snprintf(error, sizeof(error), "line 1: '%s': %s", words[i], behind);
		wrong(text, error);
	}
}

static void bad_paddr(void **state)
{
	(void)state;
	wrong("0x1000-0x1fff paddr=0x1800",
	      "line 1: paddr=0x1800 is not where a page of 4 KiB begins");
	wrong("0x1000-0x1fff paddr=0xffffffffffffffff",
	      "line 1: paddr=0xffffffffffffffff is not where a page of 4 KiB begins");
	wrong("0x1000-0x2fff paddr=0xfffffffffffff000",
	      "line 1: what begins at paddr=0xfffffffffffff000 would go on behind 2^64");
	wrong("0x0-0xffffffffffffffff paddr=0x1000",
	      "line 1: what begins at paddr=0x1000 would go on behind 2^64");
	wrong("0x1000-0x1fff paddr=0x0 paddr=0x0", "line 1: paddr= is there twice");
}

static void bad_prot(void **state)
{
	(void)state;
	wrong("0x1000-0x1fff prot=", "line 1: prot=: it may be r, w or rw");
	wrong("0x1000-0x1fff prot=wr", "line 1: prot=wr: it may be r, w or rw");
	wrong("0x1000-0x1fff prot=rwx", "line 1: prot=rwx: it may be r, w or rw");
	wrong("0x1000-0x1fff prot=R", "line 1: prot=R: it may be r, w or rw");
	wrong("0x1000-0x1fff prot=r prot=r", "line 1: prot= is there twice");
}

static void which_line(void **state)
{
	(void)state;
	wrong("\n# good\n0x1000-0x1fff\r\n  \nx\n0x\n", "line 5: 'x' is not a range, as 0x1000-0x1fff");
	wrong("\n\n\nx", "line 4: 'x' is not a range, as 0x1000-0x1fff");
}

/* One byte in common is enough; both lines are named, whichever is higher up. */
static void overlaps(void **state)
{
	struct file f;

	(void)state;
	wrong("0x1000-0x2fff\n0x2000-0x3fff\n",
	      "line 2: 0x2000-0x3fff overlaps 0x1000-0x2fff of line 1");
	wrong("0x2000-0x3fff\n\n0x1000-0x2fff\n",
	      "line 3: 0x1000-0x2fff overlaps 0x2000-0x3fff of line 1");
	wrong("0x1000-0x1fff\n0x8000-0x8fff\n0x1000-0x1fff",
	      "line 3: 0x1000-0x1fff overlaps 0x1000-0x1fff of line 1");
	wrong("0x8000-0x8fff\n0x5000-0x5fff\n0x0-0xffffffffffffffff",
	      "line 3: 0x0-0xffffffffffffffff overlaps 0x5000-0x5fff of line 2");
	wrong("0xfffffffffffff000-0xffffffffffffffff\n0x0-0xffffffffffffffff",
	      "line 2: 0x0-0xffffffffffffffff overlaps 0xfffffffffffff000-0xffffffffffffffff of line 1");
	good(&f, "0x2000-0x2fff\n0x1000-0x1fff\n0x3000-0xffffffffffffffff\n0x0-0xfff\n", 4);
	end(&f);
}

/* A line as long as is allowed, of which the end of the line is no part; and one byte more. */
static void long_lines(void **state)
{
	char text[EXPECT_LINE_BYTES + 16];
	size_t i;

	(void)state;
	memset(text, '#', sizeof(text));
	memcpy(text, "0x1000-0x1fff", 13);
	for (i = 0; i < 3; i++) {
		const char *const line_end = &"\r\n"[i];
		char whole[sizeof(text) + 4];

		snprintf(whole, sizeof(whole), "%.*s%s", EXPECT_LINE_BYTES, text, line_end);
		is(whole, 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, 0);
		snprintf(whole, sizeof(whole), "\n%.*s%s", EXPECT_LINE_BYTES + 1, text, line_end);
		wrong(whole, "line 2: longer than 256 bytes");
	}
}

/* What is quoted is printable and short. */
static void odd_bytes(void **state)
{
	char text[200];

	(void)state;
	wrong("\x1b[31mred\x7f", "line 1: '?[31mred?' is not a range, as 0x1000-0x1fff");
	wrong("\xef\xbb\xbf" "0x1000-0x1fff",
	      "line 1: '???0x1000' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-0x1fff\r0x2000-0x2fff",
	      "line 1: '0x1fff?0x2000-0x2fff' is not a hexadecimal number, as 0x1000");
	wrong("0x1000-0x1fff\r\r\n", "line 1: '0x1fff?' is not a hexadecimal number, as 0x1000");
	wrong_bytes("0x1000-0x1fff\0", 14, "line 1: '0x1fff?' is not a hexadecimal number, as 0x1000");
	wrong_bytes("\0", 1, "line 1: '?' is not a range, as 0x1000-0x1fff");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	wrong(text, "line 1: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is not a range, as "
	      "0x1000-0x1fff");
}

/* ---- contracts ---- */

static void short_error(void **state)
{
	struct reading r;
	char error[8];

	(void)state;
	reading_init(&r);
	assert_int_equal(expect_parse("x", 1, &r, error, sizeof(error)), -EBADMSG);
	assert_string_equal(error, "line 1:");
	assert_int_equal(expect_parse("x", 1, &r, error, 1), -EBADMSG);
	assert_string_equal(error, "");
	assert_int_equal(expect_parse("x", 1, &r, NULL, 0), -EBADMSG);
}

static void only_once(void **state)
{
	struct file f;

	(void)state;
	good(&f, "0x1000-0x1fff", 1);
	assert_int_equal(expect_parse("0x2000-0x2fff", 13, &f.r, f.error, sizeof(f.error)), -EEXIST);
	assert_string_equal(f.error, "there are expectations already");
	has(&f, 0, 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, 0);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_expected),
		cmocka_unit_test(one_range),
		cmocka_unit_test(ends_of_the_space),
		cmocka_unit_test(options),
		cmocka_unit_test(many_lines),
		cmocka_unit_test(sorted),
		cmocka_unit_test(expected_and_found),
		cmocka_unit_test(not_a_range),
		cmocka_unit_test(not_a_number),
		cmocka_unit_test(too_wide),
		cmocka_unit_test(bad_range),
		cmocka_unit_test(bad_option),
		cmocka_unit_test(bad_paddr),
		cmocka_unit_test(bad_prot),
		cmocka_unit_test(which_line),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(odd_bytes),
		cmocka_unit_test(short_error),
		cmocka_unit_test(only_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
