// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What diff prints, for people and for programs. */
#include <stdio.h>
#include <stdlib.h>

#include "snap_story.h"
#include "out/diff.h"

#define P1 0x1000
#define P2 0x2000

struct shown {
	struct snapshot a, b;
	struct diff_sum sum;
	char *text;
};

/* @n pages from @iova on, each leading where it wants. */
static void domain(struct snapshot *s, uint64_t ptr, uint64_t iova, size_t n, uint64_t paddr,
		   uint64_t stride)
{
	struct walk_run run = { .prot = RW, .level = 1 };
	size_t i;

	snap_domain(s, ptr, DOMAIN_PAGING);
	snap_read(s, ptr, EV_READ_BEGIN, 0x9000, 0);
	for (i = 0; i < n; i++) {
		run.iova = iova + i * 0x1000;
		run.last = run.iova + 0xfff;
		run.paddr = paddr + i * stride;
		snap_run(s, ptr, &run);
	}
	snap_read(s, ptr, EV_READ_END, 0x9000, 0);
}

static void show(struct shown *t, void (*print)(const struct out_diff *, struct diff_sum *))
{
	struct matched m;
	struct out_diff o = { .before = "x", .after = "y\"", .matched = &m };
	size_t len;

	snap_end(&t->a);
	snap_end(&t->b);
	assert_int_equal(snapshots_match(&t->a, &t->b, false, &m), 0);
	o.to = open_memstream(&t->text, &len);
	print(&o, &t->sum);
	fclose(o.to);
	matched_drain(&m);
}

static void has(const struct shown *t, const char *words)
{
	if (!strstr(t->text, words))
		fail_msg("no '%s' in:\n%s", words, t->text);
}

static void end(struct shown *t)
{
	free(t->text);
	snapshot_drain(&t->a);
	snapshot_drain(&t->b);
}

static void nothing(void **state)
{
	struct shown t = { 0 };

	(void)state;
	snap_device(&t.a, 1, "dev", "", P1);
	domain(&t.a, P1, 0, 3, 0x5000, 0x1000);
	snap_device(&t.b, 1, "dev", "", P1);
	domain(&t.b, P1, 0, 3, 0x5000, 0x1000);
	show(&t, text_diff);
	assert_null(strstr(t.text, "dev\n"));
	has(&t, "domains        1: 0 different, 0 not compared\n");
	has(&t, "3 of 4 KiB alike");
	assert_false(diff_differs(&t.sum) || diff_unsure(&t.sum));
	end(&t);
}

/* Three pages that lead to three places: one line; what is mapped elsewhere is another one. */
static void neighbours(void **state)
{
	struct shown t = { 0 };

	(void)state;
	snap_device(&t.a, 1, "dev", "drv", P1);
	domain(&t.a, P1, 0x1000, 3, 0x50000, 0x8000);
	snap_device(&t.b, 1, "dev", "drv", P1);
	domain(&t.b, P1, 0x4000, 1, 0x70000, 0);
	show(&t, text_diff);
	has(&t, "domain 0x1000  unmanaged\n    device           dev (drv)\n");
	has(&t, "    unmapped         [0x1000, 0x3fff]  0x50000 rw and elsewhere\n");
	has(&t, "    mapped           [0x4000, 0x4fff]  0x70000 rw\n");
	assert_true(diff_differs(&t.sum));
	assert_int_equal(t.sum.pages.pages[DELTA_UNMAPPED], 3);
	end(&t);
}

/* Each page that leads elsewhere says where. */
static void elsewhere(void **state)
{
	struct shown t = { 0 };

	(void)state;
	snap_device(&t.a, 1, "dev", "", P1);
	domain(&t.a, P1, 0x1000, 2, 0x50000, 0x8000);
	snap_device(&t.b, 1, "dev", "", P1);
	domain(&t.b, P1, 0x1000, 2, 0x60000, 0x8000);
	show(&t, text_diff);
	has(&t, "    leads elsewhere  [0x1000, 0x1fff]  0x50000 rw -> 0x60000 rw\n");
	has(&t, "    leads elsewhere  [0x2000, 0x2fff]  0x58000 rw -> 0x68000 rw\n");
	end(&t);
}

static void another_domain(void **state)
{
	struct shown t = { 0 };

	(void)state;
	snap_device(&t.a, 1, "dev", "nvme", P1);
	domain(&t.a, P1, 0x1000, 1, 0, 0);
	snap_device(&t.b, 1, "dev", "", P2);
	snap_domain(&t.b, P2, DOMAIN_PT);
	snap_read(&t.b, P2, EV_READ_BEGIN, 0, EV_READ_NO_TABLE);
	snap_read(&t.b, P2, EV_READ_END, 0, EV_READ_NO_TABLE);
	snap_device(&t.b, 2, "new", "", 0);
	show(&t, text_diff);
	has(&t, "    replaced         was domain 0x1000\n");
	has(&t, "    type             unmanaged -> identity\n");
	has(&t, "    table            VT-d second stage, 4 levels, at 0x9000 -> none\n");
	has(&t, "device dev\n    driver           nvme -> none\n");
	has(&t, "device new  came\n");
	end(&t);
}

/* Nothing is different, and something is not known: neither equal nor different. */
static void unsure(void **state)
{
	struct shown t = { 0 };

	(void)state;
	snap_device(&t.a, 1, "dev", "", P1);
	domain(&t.a, P1, 0x1000, 1, 0, 0);
	snap_device(&t.b, 1, "dev", "", P1);
	snap_domain(&t.b, P1, DOMAIN_PAGING);
	show(&t, json_diff);
	has(&t, "\"not_compared\":\"its table was not read\"}\n");
	has(&t, "\"equal\":null");
	assert_false(diff_differs(&t.sum));
	assert_true(diff_unsure(&t.sum));
	end(&t);
}

static void as_json(void **state)
{
	struct shown t = { 0 };

	(void)state;
	snap_device(&t.a, 1, "dev", "", P1);
	domain(&t.a, P1, 0x1000, 2, 0x50000, 0x8000);
	snap_device(&t.b, 1, "dev", "", P1);
	domain(&t.b, P1, 0x1000, 1, 0x50000, 0);
	show(&t, json_diff);
	has(&t, "{\"schema\":\"iommuscope.diff/1\",\"range\":\"unmapped\",\"domain\":\"0x1000\",\"domain_before\":\"0x1000\","
		"\"iova\":\"0x2000\",\"last\":\"0x2fff\",\"before\":{\"paddr\":\"0x58000\",\"prot\":\"rw\",");
	has(&t, "\"changes\":[],\"devices\":[\"dev\"],\"type_before\":\"unmanaged\"");
	has(&t, "\"summary\":\"y\\\"\",\"before\":\"x\",\"equal\":false");
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(neighbours),
		cmocka_unit_test(elsewhere),
		cmocka_unit_test(another_domain),
		cmocka_unit_test(unsure),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
