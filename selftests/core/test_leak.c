// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* leak-on-free: what drivers leave, and domains that are freed under their devices. */
#include "story.h"

static void the_driver_left_a_mapping(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_MAP, 0x8000, 4096, EV_DMA_COHERENT, 0);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	unbind(&s, DEV);
	expect(&s, "leak-on-free", 1);
	assert_int_equal(first(&s)->iova, 0x8000);
	assert_int_equal(first(&s)->device, DEV);
	/* Told once; a late unmap of it is no crime. */
	unbind(&s, DEV);
	dma(&s, EV_DMA_UNMAP, 0x8000, 4096, EV_DMA_COHERENT, 0);
	expect(&s, "leak-on-free", 1);
	story_end(&s);
}

static void another_device_is_none_of_it(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	unbind(&s, DEV2);
	expect_clean(&s);
	story_end(&s);
}

struct rest {
	const char *name;
	uint64_t done;		/* by the IOMMU, of the one page asked */
	uint64_t leaks;
};

/* Four pages are mapped, and one is unmapped. */
static const struct rest rests[] = {
	{ "the IOMMU keeps three", PAGE, 1 },
	{ "it held them as one, and took all", 4 * PAGE, 0 },
};

static void the_rest_of_a_short_unmap(void **state)
{
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		begin_translated(&s);
		s.next.cause = 77;
		map(&s, 0x2000, 4 * PAGE);
		s.next.id = 77;
		dma(&s, EV_DMA_MAP, 0x2000, 4 * PAGE, EV_DMA_PAGE, 1);
		s.next.cause = 78;
		unmap_got(&s, 0x2000, PAGE, rests[i].done);
		s.next.id = 78;
		dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 1);
		assert_int_equal(found(&s, "dma-unmap-mismatch", GRADE_VIOLATION), 1);
		unbind(&s, DEV);
		assert_int_equal(found(&s, "leak-on-free", GRADE_VIOLATION), rests[i].leaks);
		story_end(&s);
	}
}

/* Without an IOMMU nothing is left behind that could be told apart. */
static void the_rest_without_an_iommu(void **state)
{
	struct story s;

	(void)state;
	begin_direct(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 4 * PAGE, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 1);
	assert_int_equal(found(&s, "dma-unmap-mismatch", GRADE_VIOLATION), 1);
	unbind(&s, DEV);
	assert_int_equal(found(&s, "leak-on-free", GRADE_VIOLATION), 0);
	story_end(&s);
}

static void many_leaks_are_listed_and_counted(void **state)
{
	struct story s;
	int i;

	(void)state;
	story_begin(&s);
	for (i = 0; i < 100; i++)
		dma(&s, EV_DMA_MAP, 0x2000 + i * PAGE, 512, EV_DMA_PAGE, 1);
	unbind(&s, DEV);
	expect(&s, "leak-on-free", 16);
	story_end(&s);
}

static void a_domain_freed_under_its_device(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	attach(&s, DEV, DOM);
	free_domain(&s, DOM);
	expect(&s, "leak-on-free", 1);
	story_end(&s);
}

/* Identity and blocked domains are singletons: freeing one device's use of it ends nothing. */
static void a_static_domain_stays(void **state)
{
	static const uint32_t types[] = { DOMAIN_PT, 0 };
	struct ev_domain_op r = { .domain = DOM };
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		story_begin(&s);
		describe_domain(&s, DOM, types[i]);
		attach(&s, DEV, DOM);
		attach(&s, DEV2, DOM);
		free_typed(&s, DOM, types[i]);
		r.type = types[i];
		op_fill(&s, &r.op);
		SEND(&s, EV_ALLOC, r);
		expect_clean(&s);
		assert_int_equal(bound_to(&s, DEV), DOM);
		assert_int_equal(bound_to(&s, DEV2), DOM);
		assert_int_equal(model_domain(engine_model(s.e), DOM)->gen, 1);
		story_end(&s);
	}
}

static void a_domain_freed_after_the_device_left(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	attach(&s, DEV, DOM);
	map(&s, 0x2000, PAGE);
	attach(&s, DEV, DOM2);
	free_domain(&s, DOM);
	expect_clean(&s);
	story_end(&s);
}

static void an_attach_that_failed_proves_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	attach(&s, DEV, DOM);
	s.next.ret = -16;
	attach(&s, DEV, DOM2);
	free_domain(&s, DOM);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_driver_left_a_mapping),
		cmocka_unit_test(another_device_is_none_of_it),
		cmocka_unit_test(the_rest_of_a_short_unmap),
		cmocka_unit_test(the_rest_without_an_iommu),
		cmocka_unit_test(many_leaks_are_listed_and_counted),
		cmocka_unit_test(a_domain_freed_under_its_device),
		cmocka_unit_test(a_static_domain_stays),
		cmocka_unit_test(a_domain_freed_after_the_device_left),
		cmocka_unit_test(an_attach_that_failed_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
