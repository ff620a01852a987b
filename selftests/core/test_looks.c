// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What verify prints of readings and of what was found in them. */
#include "out/out.h"
#include "story_reading.h"

struct printed {
	char *text;
	size_t len;
	struct out_looks sum;
};

static struct printed print(const struct story *s, void (*how)(const struct out *, struct out_looks *))
{
	struct printed p = { 0 };
	struct out o = { .to = open_memstream(&p.text, &p.len), .engine = s->e,
			 .model = engine_model(s->e), .report = engine_report(s->e) };

	assert_non_null(o.to);
	how(&o, &p.sum);
	fclose(o.to);
	return p;
}

/* DOM is checked, with a page too much and one in flux; DOM2 blocks. */
static void tell_two_domains(struct story *s)
{
	begin_reading(s);
	area(s, 0x4000, 2);
	area(s, 0x9000, 1);
	span(s, 0x9000, 1, EV_SPAN_FLUX);
	run(s, 0x4000, 3);
	ends(s);
	root_is(s, ROOT_TABLE, ROOT, 3, 0);
	describe_domain(s, DOM2, DOMAIN_BLOCKED);
	read_is(s, DOM2, EV_READ_BEGIN, 0, EV_READ_NO_TABLE);
	read_is(s, DOM2, EV_READ_END, 0, EV_READ_NO_TABLE);
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
}

static void text_of_readings(void **state)
{
	struct printed p;
	struct story s;

	(void)state;
	tell_two_domains(&s);
	p = print(&s, text_looks);
	assert_has(p.text, "domain 0xd000  unmanaged\n");
	assert_has(p.text, "VT-d second stage, 3 levels, at 0x104562000: 4 entries in 3 pages\n");
	assert_has(p.text, "VFIO's list              2 pages of 4 KiB compared\n");
	assert_has(p.text, "0000:00:02.0 (nvme)\n");
	assert_has(p.text, "compared for 1 devices\n");
	assert_has(p.text, "domain 0xd200  blocked\n");
	assert_has(p.text, "unchecked                no table\n");
	assert_has(p.text, "\ndomains        2: 1 checked, 1 without a table, 0 unchecked\n");
	assert_has(p.text, "\nfindings       1\n");
	free(p.text);
	story_end(&s);
}

static void json_of_readings(void **state)
{
	struct printed p;
	struct story s;

	(void)state;
	tell_two_domains(&s);
	p = print(&s, json_looks);
	assert_string_equal(p.text,
		"{\"schema\":\"iommuscope.verify/1\",\"domain\":\"0xd000\",\"type\":\"unmanaged\","
		"\"format\":\"VT-d second stage\",\"levels\":3,\"root\":\"0x104562000\","
		"\"tables\":3,\"entries\":4,\"devices\":[\"0000:00:02.0\"],\"books\":{\"vfio\":2},\"flux\":1,\"roots\":1,"
		"\"unchecked\":\"\"}\n"
		"{\"schema\":\"iommuscope.verify/1\",\"domain\":\"0xd200\",\"type\":\"blocked\","
		"\"format\":\"VT-d second stage\",\"levels\":3,\"root\":\"0x104562000\","
		"\"tables\":3,\"entries\":4,\"devices\":[],\"books\":{},\"flux\":0,\"roots\":0,"
		"\"unchecked\":\"no table\"}\n"
		"{\"schema\":\"iommuscope.verify/1\",\"summary\":{\"domains\":2,\"checked\":1,"
		"\"without_table\":1,\"unchecked\":0,\"entries\":8,\"pages\":2,\"flux\":1,"
		"\"roots\":1,\"findings\":1}}\n");
	free(p.text);
	story_end(&s);
}

/* Of two areas of iommufd's the process has said where one page is. */
static void iommufd_and_its_process(void **state)
{
	struct printed p;
	struct story s;

	(void)state;
	begin(&s);
	begins(&s, 1U << BOOK_IOMMUFD | 1U << BOOK_PROCESS);
	area_is(&s, DOM, BOOK_IOMMUFD, 0x4000, 2, AREA_PADDR_UNKNOWN, 3);
	area_is(&s, DOM, BOOK_IOMMUFD, 0x9000, 1, AREA_PADDR_UNKNOWN, 3);
	area_is(&s, DOM, BOOK_PROCESS, 0x5000, 1, 0x805000, 0);
	run(&s, 0x4000, 2);
	run(&s, 0x9000, 1);
	ends(&s);
	p = print(&s, text_looks);
	assert_has(p.text, "iommufd's areas          3 pages of 4 KiB compared\n");
	assert_has(p.text, "process's pages          1 pages of 4 KiB compared, 2 unknown\n");
	assert_has(p.text, "\nfindings       0\n");
	assert_int_equal(p.sum.no_process, 0);
	free(p.text);
	p = print(&s, json_looks);
	assert_has(p.text, "\"books\":{\"iommufd\":3,\"process\":1},\"process_unknown\":2,");
	free(p.text);
	story_end(&s);
}

static void iommufd_without_its_process(void **state)
{
	struct printed p;
	struct story s;

	(void)state;
	begin(&s);
	begins(&s, 1U << BOOK_IOMMUFD);
	area_is(&s, DOM, BOOK_IOMMUFD, 0x4000, 1, AREA_PADDR_UNKNOWN, 3);
	run(&s, 0x4000, 1);
	ends(&s);
	p = print(&s, text_looks);
	assert_has(p.text, "process's pages          not read");
	assert_int_equal(p.sum.no_process, 1);
	free(p.text);
	story_end(&s);
}

/* The first finding as people read it; its evidence is the table itself. */
static void text_of_a_finding(void **state)
{
	struct story s;
	char *text;
	size_t len;
	struct out o;

	(void)state;
	begin_reading(&s);
	area_is(&s, DOM, BOOK_VFIO, 0x4000, 2, AREA_PADDR_UNKNOWN, 1);
	run(&s, 0x4000, 2);
	ends(&s);
	o = (struct out){ .to = open_memstream(&text, &len), .engine = s.e,
			  .model = engine_model(s.e), .report = engine_report(s.e) };
	assert_non_null(o.to);
	text_finding(&o, first(&s));
	fclose(o.to);
	assert_has(text, "violation: table-differs  device 0000:00:02.0 (nvme)  [0x4000, 0x5fff]  domain 0xd000.1\n"
			 "    what           more permission\n"
			 "    book           VFIO's list\n"
			 "    book_prot      r\n"
			 "    vaddr          0x7f0000004000\n"
			 "    pid            100\n"
			 "    table_paddr    0x804000\n"
			 "    table_prot     rw\n"
			 "    entry          0x804003\n"
			 "    entry_paddr    0x1045c7000\n"
			 "    level          1\n"
			 "    expected       An entry leads");
	free(text);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_readings),
		cmocka_unit_test(json_of_readings),
		cmocka_unit_test(iommufd_and_its_process),
		cmocka_unit_test(iommufd_without_its_process),
		cmocka_unit_test(text_of_a_finding),
	};

	return cmocka_run_group_tests_name("core.looks", tests, NULL, NULL);
}
