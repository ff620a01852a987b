// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* dma-unmap-mismatch: memory that must not be mapped, limits, syncs, callers. */
#include "story.h"

#define PID	100		/* of every operation of a story */
#define STACK	0x5000ULL	/* physical page of its stack */
#define TEXT	0x100000ULL
#define RODATA	0x200000ULL
#define CALLER	0xffffffffc0001234ULL

STORY void area(struct story *s, uint32_t kind, uint64_t first, uint64_t last)
{
	struct ev_area r = { .first = first, .last = last, .kind = kind };

	SEND(s, EV_AREA, r);
}

STORY void task_with_stack(struct story *s)
{
	struct ev_task t = { .pid = PID, .tgid = PID, .comm = "driver" };
	struct ev_task_stack k = { .pid = PID, .count = 1, .page = { STACK } };

	SEND(s, EV_TASK, t);
	SEND(s, EV_TASK_STACK, k);
}

STORY void begin(struct story *s)
{
	begin_translated(s);
	task_with_stack(s);
	area(s, EV_AREA_RAM, 0, 0xffffffff);
	area(s, EV_AREA_TEXT, TEXT, TEXT + PAGE - 1);
	area(s, EV_AREA_RODATA, RODATA, RODATA + PAGE - 1);
}

STORY void call(struct story *s, uint16_t type, struct ev_dma r)
{
	r.dev = DEV;
	op_fill(s, &r.op);
	SEND(s, type, r);
}

struct mapping {
	const char *name;
	uint64_t paddr, size;
	uint32_t dir, kind;
	uint16_t flags;
	uint64_t violations, notes;
};

static const struct mapping mappings[] = {
	{ "below the stack", STACK - 64, 64, 1, EV_DMA_PAGE, 0, 0, 0 },
	{ "its first byte", STACK - 64, 65, 1, EV_DMA_PAGE, 0, 1, 0 },
	{ "its last byte", STACK + PAGE - 1, 1, 1, EV_DMA_PAGE, 0, 1, 0 },
	{ "above it", STACK + PAGE, 64, 1, EV_DMA_PAGE, 0, 0, 0 },
	{ "in an interrupt", STACK, 64, 1, EV_DMA_PAGE, EV_CTX_SOFTIRQ, 0, 0 },
	{ "below the code", TEXT - 64, 64, 1, EV_DMA_PAGE, 0, 0, 0 },
	{ "code, to read", TEXT - 64, 65, 1, EV_DMA_PAGE, 0, 1, 0 },
	{ "code, to write", TEXT + PAGE - 1, 64, 2, EV_DMA_PAGE, 0, 1, 0 },
	{ "read-only data, to read: the zero page", RODATA, 64, 1, EV_DMA_PAGE, 0, 0, 0 },
	{ "read-only data, to write", RODATA, 64, 2, EV_DMA_PAGE, 0, 1, 0 },
	{ "memory as a resource", 0x80000, 64, 1, EV_DMA_RESOURCE, 0, 0, 1 },
	{ "a resource", 1ULL << 40, 64, 1, EV_DMA_RESOURCE, 0, 0, 0 },
};

static void memory_that_must_not_be_mapped(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
		const struct mapping *m = &mappings[i];
		struct story s;

		begin(&s);
		s.next.flags = m->flags;
		call(&s, EV_DMA_MAP, (struct ev_dma){ .addr = 0x9000, .paddr = m->paddr,
			.size = m->size, .dir = m->dir, .kind = m->kind });
		expect(&s, "dma-unmap-mismatch", m->violations);
		assert_int_equal(found(&s, NULL, GRADE_NOTE), m->violations + m->notes);
		story_end(&s);
	}
}

/* The number of a task is given away again: its stack is not. */
static void another_task_has_another_stack(void **state)
{
	struct ev_task t = { .pid = PID, .tgid = PID, .comm = "next" };
	struct story s;

	(void)state;
	begin(&s);
	SEND(&s, EV_TASK, t);
	call(&s, EV_DMA_MAP, (struct ev_dma){ .addr = 0x9000, .paddr = STACK, .size = 64, .dir = 1 });
	expect_clean(&s);
	story_end(&s);
}

static void one_cache_line_twice(void **state)
{
	static const struct {
		uint64_t paddr;
		uint32_t dir, attrs;
		uint64_t notes;
	} second[] = {
		{ 0x80000, 2, 0, 1 },
		{ 0x8003f, 0, 0, 1 },
		{ 0x80040, 2, 0, 0 },
		{ 0x80000, 1, 0, 0 },		/* the device only reads */
		{ 0x80000, 2, 1 << 5, 0 },	/* who syncs by himself knows what he does */
	};
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		begin(&s);
		call(&s, EV_DMA_MAP, (struct ev_dma){ .addr = 0x9000, .paddr = 0x80000, .size = 64,
						      .dir = 2 });
		call(&s, EV_DMA_MAP, (struct ev_dma){ .addr = 0xa000, .paddr = second[i].paddr,
			.size = 1, .dir = second[i].dir, .attrs = second[i].attrs });
		expect(&s, NULL, 0);
		assert_int_equal(found(&s, "dma-unmap-mismatch", GRADE_NOTE), second[i].notes);
		story_end(&s);
	}
	begin(&s);
	for (i = 0; i < 3; i++) {
		call(&s, EV_DMA_MAP, (struct ev_dma){ .addr = 0x9000, .paddr = 0x80000, .size = 64,
						      .dir = 2 });
		dma(&s, EV_DMA_UNMAP, 0x9000, 64, EV_DMA_PAGE, 2);
	}
	expect_clean(&s);
	story_end(&s);
}

static void beyond_the_limits(void **state)
{
	struct ev_sg_limit r = { .dev = DEV, .addr = 0x9000, .size = PAGE, .length = PAGE,
				 .max_length = PAGE, .boundary = 0xffffffff };
	struct story s;

	(void)state;
	begin(&s);
	call(&s, EV_DMA_MAP, (struct ev_dma){ .addr = 0x9000, .size = PAGE, .kind = EV_DMA_SG,
					      .nents = 1, .mapped = 1, .dir = 1 });
	SEND(&s, EV_SG_LIMIT, r);
	expect_clean(&s);
	r.length = PAGE + 1;
	SEND(&s, EV_SG_LIMIT, r);
	r.length = PAGE;
	r.boundary = PAGE - 1;
	SEND(&s, EV_SG_LIMIT, r);
	expect(&s, NULL, 0);
	assert_int_equal(found(&s, NULL, GRADE_NOTE), 1);
	r.addr = 0x9800;
	SEND(&s, EV_SG_LIMIT, r);
	assert_int_equal(found(&s, NULL, GRADE_NOTE), 2);
	story_end(&s);
}

struct syncing {
	const char *name;
	uint64_t addr, size;
	uint32_t dir;
	uint64_t findings;
};

/* Mapped: 0x2000, 512 bytes, to the device. */
static const struct syncing syncings[] = {
	{ "all of it", 0x2000, 512, 1, 0 },
	{ "its last byte", 0x21ff, 1, 1, 0 },
	{ "a byte more", 0x2000, 513, 1, 1 },
	{ "from the device", 0x2000, 512, 2, 1 },
	{ "both ways", 0x2000, 512, 0, 1 },
	{ "nobody knows what", 0x2200, 1, 1, 0 },
};

static void syncs_that_do_not_fit(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(syncings) / sizeof(syncings[0]); i++) {
		const struct syncing *y = &syncings[i];
		struct story s;

		begin_translated(&s);
		dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
		dma(&s, EV_DMA_SYNC, y->addr, y->size, EV_DMA_PAGE, y->dir);
		expect(&s, "dma-unmap-mismatch", y->findings);
		story_end(&s);
	}
}

/* Mapped both ways: any direction will do. */
static void a_sync_may_do_less(void **state)
{
	struct story s;
	uint32_t dir;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 0);
	for (dir = 0; dir < 3; dir++)
		dma(&s, EV_DMA_SYNC, 0x2000, 64, EV_DMA_PAGE, dir);
	expect_clean(&s);
	story_end(&s);
}

static void a_sync_after_the_unmap(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_SYNC, 0x2000, 512, EV_DMA_PAGE, 1);
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
	/* Pages of dma_alloc_pages() are not heard, but their mapping is. */
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	map(&s, 0x2000, PAGE);
	dma(&s, EV_DMA_SYNC, 0x2000, 512, EV_DMA_PAGE, 1);
	expect(&s, "dma-unmap-mismatch", 0);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

static void a_sync_of_fewer_entries(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_SG, 2);
	dma(&s, EV_DMA_SYNC, 0x2000, 0, EV_DMA_SG, 2);
	expect_clean(&s);
	call(&s, EV_DMA_SYNC, (struct ev_dma){ .addr = 0x2000, .kind = EV_DMA_SG, .nents = 3,
					       .dir = 2 });
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
}

/* With shared addresses another mapping of the same memory may be meant. */
static void a_sync_without_an_iommu(void **state)
{
	struct story s;

	(void)state;
	begin_direct(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_SYNC, 0x2000, 512, EV_DMA_PAGE, 2);
	dma(&s, EV_DMA_SYNC, 0x9000, 512, EV_DMA_PAGE, 2);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 2);
	story_end(&s);
}

static void the_address_of_a_failed_map(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	describe_device(&s, DEV, EV_DRIVER_VTD);
	dma(&s, EV_DMA_UNMAP, EV_DMA_ERROR, 512, EV_DMA_PAGE, 1);
	assert_int_equal(s.ret, 0);
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
}

static void another_cpu_address(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, PAGE, EV_DMA_COHERENT, 0);
	call(&s, EV_DMA_UNMAP, (struct ev_dma){ .addr = 0x2000, .size = PAGE, .ptr = 0x123000,
						.kind = EV_DMA_COHERENT });
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
}

/* Only what must be repeated counts: SKIP_CPU_SYNC and NO_WARN need not. */
static void other_attributes(void **state)
{
	static const struct {
		uint32_t mapped, unmapped;
		uint64_t notes;
	} cases[] = { { 1 << 9, 0, 1 }, { 0, 1 << 4, 1 }, { 1 << 5, 1 << 8, 0 } };
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_translated(&s);
		call(&s, EV_DMA_MAP, (struct ev_dma){ .addr = 0x2000, .size = 64, .dir = 1,
						      .attrs = cases[i].mapped });
		call(&s, EV_DMA_UNMAP, (struct ev_dma){ .addr = 0x2000, .size = 64, .dir = 1,
							.attrs = cases[i].unmapped });
		expect(&s, NULL, 0);
		assert_int_equal(found(&s, "dma-unmap-mismatch", GRADE_NOTE), cases[i].notes);
		story_end(&s);
	}
}

static void callers_have_names(void **state)
{
	struct ev_symbol r = { .addr = CALLER, .name = "bad+0x34/0x80 [driver]" };
	struct story s;

	(void)state;
	begin_translated(&s);
	SEND(&s, EV_SYMBOL, r);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	call(&s, EV_DMA_UNMAP, (struct ev_dma){ .addr = 0x2000, .size = 512, .dir = 2,
						.caller = CALLER });
	expect(&s, "dma-unmap-mismatch", 1);
	assert_int_equal(first(&s)->refs[0].caller, 0);
	assert_int_equal(first(&s)->refs[1].caller, CALLER);
	assert_string_equal(model_symbol(engine_model(s.e), CALLER), "bad+0x34/0x80 [driver]");
	assert_null(model_symbol(engine_model(s.e), 0));
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_must_not_be_mapped),
		cmocka_unit_test(another_task_has_another_stack),
		cmocka_unit_test(one_cache_line_twice),
		cmocka_unit_test(beyond_the_limits),
		cmocka_unit_test(syncs_that_do_not_fit),
		cmocka_unit_test(a_sync_may_do_less),
		cmocka_unit_test(a_sync_after_the_unmap),
		cmocka_unit_test(a_sync_of_fewer_entries),
		cmocka_unit_test(a_sync_without_an_iommu),
		cmocka_unit_test(the_address_of_a_failed_map),
		cmocka_unit_test(another_cpu_address),
		cmocka_unit_test(other_attributes),
		cmocka_unit_test(callers_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
