// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Intel's dump of a page table: good ones, of both kinds of header, parts of them, and what is none. */
#include <errno.h>
#include <string.h>

#include "core/dump.h"
#include "told_diffs.h"

#define TOP UINT64_MAX
#define DEVICE "0000:00:03.0"
#define ROOT 0x104562000ULL
#define COLUMNS "IOVA_PFN         \tPML5E             \tPML4E             \tPDPE              \n"
#define HEADER "Device " DEVICE " @0x104562000\n" COLUMNS
#define UPPER " |\t0x0000000000000000\t0x0000000000000000\t"
#define PDPE "0x0000000104563003\t"
#define PDE "0x0000000104564003\t"
#define PAGE_AT(pfn, entry) pfn UPPER PDPE PDE entry "\n"

static const char good[] =
	"DMA Remapping is not enabled on dmar1\n" HEADER
	PAGE_AT("0x0000000010000", "0x00000001aaaa0003")
	PAGE_AT("0x0000000010001", "0x00000001aaaa1003")
	PAGE_AT("0x0000000010002", "0x8000000000005003")
	"0x0000000010200" UPPER PDPE "0x0000000200000083\n"
	"0x0000000040000" UPPER "0x0000000240000083\n";

static int parse(const char *text, uint64_t first, uint64_t last, struct look *l)
{
	memset(l, 0, sizeof(*l));
	return dump_parse(text, strlen(text), DEVICE, ROOT, first, last, &l->r);
}

static void assert_area(const struct look *l, size_t i, uint64_t first, uint64_t last, uint64_t paddr)
{
	const struct book_area *a = &l->r.areas[BOOK_DEBUGFS][i];

	assert_true(i < l->r.nareas[BOOK_DEBUGFS]);
	assert_int_equal(a->first, first);
	assert_int_equal(a->last, last);
	assert_int_equal(a->paddr, paddr);
}

static void leaves_of_each_size(void **state)
{
	struct look l;

	(void)state;
	assert_int_equal(parse(good, 0, TOP, &l), 0);
	assert_int_equal(l.r.books, 1U << BOOK_DEBUGFS);
	assert_int_equal(l.r.nareas[BOOK_DEBUGFS], 4);
	assert_area(&l, 0, 0x10000000, 0x10001fff, 0x1aaaa0000);	/* two that lead on */
	assert_area(&l, 1, 0x10002000, 0x10002fff, 0x5000);		/* bit 63 is none of the address */
	assert_area(&l, 2, 0x10200000, 0x103fffff, 0x200000000);
	assert_area(&l, 3, 0x40000000, 0x7fffffff, 0x240000000);
	look_end(&l);
}

static void parts(void **state)
{
	struct look l;

	(void)state;
	assert_int_equal(parse(good, 0x10001000, 0x10300000, &l), 0);
	assert_int_equal(l.r.nareas[BOOK_DEBUGFS], 3);
	assert_area(&l, 0, 0x10001000, 0x10001fff, 0x1aaaa1000);
	assert_area(&l, 2, 0x10200000, 0x10300000, 0x200000000);
	look_end(&l);
	assert_int_equal(parse(good, 0x40000005, 0x40000005, &l), 0);
	assert_area(&l, 0, 0x40000005, 0x40000005, 0x240000005);
	look_end(&l);
	assert_int_equal(parse(good, 0, 0xfff, &l), 0);
	assert_int_equal(l.r.nareas[BOOK_DEBUGFS], 0);
	assert_int_equal(l.r.books, 1U << BOOK_DEBUGFS);
	look_end(&l);
}

/* Scalable mode; an empty table; another device before and behind. */
static void other_headers(void **state)
{
	struct look l;

	(void)state;
	assert_int_equal(parse("Device " DEVICE " with pasid 0 @0x104562000\n" COLUMNS, 0, TOP, &l), 0);
	assert_int_equal(l.r.books, 1U << BOOK_DEBUGFS);
	look_end(&l);
	assert_int_equal(parse("Device 0000:00:03.01 @0x1\n" COLUMNS "\n" HEADER "\n"
			       "Device 0000:00:04.0 @0x2\nnonsense", 0, TOP, &l), 0);
	look_end(&l);
	/* All five columns, as 6.1 has them. */
	assert_int_equal(parse(HEADER "0x0000000010200" UPPER PDPE "0x0000000200000083\t"
			       "0x0000000000000000\n", 0, TOP, &l), 0);
	assert_area(&l, 0, 0x10200000, 0x103fffff, 0x200000000);
	look_end(&l);
}

static const struct {
	int err;
	const char *text;
} bad[] = {
	{ -ENOENT, "" },
	{ -ENOENT, "DMA Remapping is not enabled on dmar0\n" },
	{ -ENOENT, "Device " DEVICE " with pasid 1 @0x104562000\n" COLUMNS },
	{ -ENOENT, "Device 0000:00:03.01 @0x104562000\n" COLUMNS },
	{ -ESTALE, "Device " DEVICE " @0x104563000\n" COLUMNS },
	{ -EBADMSG, "Device " DEVICE " @0x104562000" },
	{ -EBADMSG, "Device " DEVICE " @0x104562000\n" },
	{ -EBADMSG, "Device " DEVICE " @0x104562000 \n" COLUMNS },
	{ -EBADMSG, "Device " DEVICE " 0x104562000\n" COLUMNS },
	{ -EBADMSG, HEADER "0x0000000010000 |\t0x0" },			/* cut off */
	{ -EBADMSG, HEADER "0x0000000010000 |\n" },			/* no entries */
	{ -EBADMSG, HEADER "0x0000000010000 |\t0x0\t0x0\t0x0\n" },
	{ -EBADMSG, HEADER "0x0000000010000 |\t0x0\t0x3\n" },		/* a leaf of 512 GiB */
	{ -EBADMSG, HEADER "0x0000000010000 |\t0x0\t0x0\t0x1\t0x1\t0x1\t0x1\n" },
	{ -EBADMSG, HEADER "0x0000000010000\t0x0\t0x0\t0x1\t0x1\t0x1003\n" },
	{ -EBADMSG, HEADER "0x0000000010001 |\t0x0\t0x0\t0x1\t0x1003\n" },	/* no address of 2 MiB */
	{ -EBADMSG, HEADER "0x10000000000000 |\t0x0\t0x0\t0x1\t0x1\t0x1003\n" },	/* above 2^64 */
	{ -EBADMSG, HEADER "0x1 |\t0x0\t0x0\t0x1\t0x1\t0x10000000000001003\n" },	/* 68 bits */
	{ -EBADMSG, HEADER "0x2 |\t0x0\t0x0\t0x1\t0x1\t0x1003\n0x1 |\t0x0\t0x0\t0x1\t0x1\t0x2003\n" },
	{ -EBADMSG, HEADER "0x1 |\t0x0\t0x0\t0x1\t0x1\t0x1003\n0x1 |\t0x0\t0x0\t0x1\t0x1\t0x2003\n" },
};

/* Nothing of them is taken. */
static void bad_dumps(void **state)
{
	struct look l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i].text, 0, TOP, &l) != bad[i].err)
			fail_msg("%zu: %s", i, bad[i].text);
		assert_int_equal(l.r.books, 0);
		assert_int_equal(l.r.nareas[BOOK_DEBUGFS], 0);
		look_end(&l);
	}
}

/* Cut anywhere behind its header, it is never taken for a whole one but where a line ends. */
static void cut_anywhere(void **state)
{
	size_t len;
	struct look l;
	int err;

	(void)state;
	for (len = 0; len < sizeof(good) - 1; len++) {
		memset(&l, 0, sizeof(l));
		err = dump_parse(good, len, DEVICE, ROOT, 0, TOP, &l.r);
		if (len && good[len - 1] != '\n')
			assert_int_equal(err, -EBADMSG);
		look_end(&l);
	}
}

/* The last page of the space. */
static void top_of_space(void **state)
{
	struct look l;

	(void)state;
	assert_int_equal(parse(HEADER "0xfffffffffffff |\t0x1\t0x1\t0x1\t0x1\t0x1003\n", 0, TOP, &l), 0);
	assert_area(&l, 0, TOP - 0xfff, TOP, 0x1000);
	look_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_of_each_size),
		cmocka_unit_test(parts),
		cmocka_unit_test(other_headers),
		cmocka_unit_test(bad_dumps),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(top_of_space),
	};

	return cmocka_run_group_tests_name("dump", tests, NULL, NULL);
}
