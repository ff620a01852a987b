// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What is printed around a finding: each id has its words and its section; causes are kept. */
#include "out/explain.h"
#include "story.h"

static char *load(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *f = fopen(path, "r");

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

/* A line "## a, b" that has @name as one of its words. */
static bool has_section(const char *doc, const char *name)
{
	size_t len = strlen(name);
	const char *at = doc, *line;

	while ((at = strstr(at, name))) {
		for (line = at; line > doc && line[-1] != '\n'; line--)
			;
		if (!strncmp(line, "## ", 3) && (at[-1] == ' ' || at[-1] == '`') &&
		    strchr(",\n` ", at[len]))
			return true;
		at += len;
	}
	return false;
}

static void every_id_is_explained(void **state)
{
	char *doc = load("docs/findings.md");
	int id;

	(void)state;
	for (id = 0; id < FINDING_COUNT; id++) {
		if (strlen(explain_expected(id)) < 20 || strlen(explain_source(id)) < 10)
			fail_msg("user/out/explain.c lacks %s", finding_name(id));
		if (!has_section(doc, finding_name(id)))
			fail_msg("docs/findings.md lacks a section of %s", finding_name(id));
	}
	assert_string_equal(explain_expected(FINDING_COUNT), "");
	assert_string_equal(explain_source(FINDING_COUNT), "");
	free(doc);
}

/* An intent's record comes at its end; thousands may follow before anything is printed. */
static void causes_of_findings_are_kept(void **state)
{
	const struct intent *i;
	struct story s;
	uint64_t n;

	(void)state;
	begin_translated(&s);
	s.next.cause = 5;
	map(&s, 0x4000, PAGE);
	s.next.id = 5;
	dma(&s, EV_DMA_MAP, 0x4000, PAGE, EV_DMA_PAGE, 1);
	s.next.cause = 6;
	map(&s, 0x4000, PAGE);	/* map-overlap inside 6, which goes on */
	i = model_intent(engine_model(s.e), 6);
	assert_non_null(i);
	assert_int_equal(i->kind, 0);
	s.next.id = 6;
	dma(&s, EV_DMA_MAP, 0x4000, PAGE, EV_DMA_PAGE, 2);
	for (n = 0; n < 3 * INTENTS; n++) {
		s.next.id = 100 + n;
		dma(&s, EV_DMA_MAP, 0x100000 + n * PAGE, 512, EV_DMA_PAGE, 1);
	}
	i = model_intent(engine_model(s.e), 5);
	assert_non_null(i);
	assert_int_equal(i->kind, EV_DMA_MAP);
	assert_int_equal(i->object, DEV);
	i = model_intent(engine_model(s.e), 6);
	assert_non_null(i);
	assert_int_equal(i->kind, EV_DMA_MAP);
	assert_null(model_intent(engine_model(s.e), 100));	/* nobody named it */
	assert_null(model_intent(engine_model(s.e), 0));
	story_end(&s);
}

struct unmapped {
	const char *name;
	bool born, gap;
	uint64_t known, unheard, lost;
};

static const struct unmapped unmappeds[] = {
	{ "a new domain", true, false, 2, 0, 0 },
	{ "one that was there before", false, false, 1, 1, 0 },
	{ "beside a loss", true, true, 0, 0, 2 },
};

/* One page is mapped; two unmaps, of it and of the next page, which is not heard of. */
static void unmaps_are_counted_by_what_was_known(void **state)
{
	const struct known *k;
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unmappeds) / sizeof(unmappeds[0]); i++) {
		story_begin(&s);
		if (unmappeds[i].born)
			alloc_domain(&s, DOM);
		map(&s, 0x4000, PAGE);
		if (unmappeds[i].gap)
			gap(&s, s.now, s.now + 1000);
		unmap(&s, 0x4000, PAGE);
		unmap(&s, 0x5000, PAGE);
		k = &engine_model(s.e)->known;
		if (k->judged != unmappeds[i].known || k->unheard != unmappeds[i].unheard ||
		    k->lost + k->unsure != unmappeds[i].lost)
			fail_msg("%s: %d %d %d %d", unmappeds[i].name, (int)k->judged,
				 (int)k->unheard, (int)k->unsure, (int)k->lost);
		story_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_id_is_explained),
		cmocka_unit_test(causes_of_findings_are_kept),
		cmocka_unit_test(unmaps_are_counted_by_what_was_known),
	};

	return cmocka_run_group_tests_name("core.explain", tests, NULL, NULL);
}
