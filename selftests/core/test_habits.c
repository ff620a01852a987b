// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* unmap-nothing and left-mapped: notes, never more, and only where all is known. */
#include "story.h"

static void container_begins(struct story *s)
{
	struct ev_vfio r = { .container = BOX, .cmd = VFIO_SET_IOMMU };

	story_begin(s);
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	s->next.id = 600;
	op_fill(s, &r.op);
	SEND(s, EV_VFIO_ATTACH, r);
}

static void unmap_slot(struct story *s, uint64_t iova, uint64_t size, uint64_t id)
{
	struct ev_vfio r = { .container = BOX, .iova = iova, .size = size };

	s->next.id = id;
	op_fill(s, &r.op);
	SEND(s, EV_VFIO_UNMAP, r);
}

static void a_vfio_unmap_of_nothing(void **state)
{
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	unmap_slot(&s, 0x4000, PAGE, 52);
	unmap_slot(&s, 0x5000, PAGE, 53);
	assert_int_equal(found(&s, "unmap-nothing", GRADE_NOTE), 1);
	assert_int_equal(first(&s)->count, 2);
	expect(&s, NULL, 0);
	story_end(&s);
}

/* Half of it is there; size 0; a container that was there before. */
static void near_misses(void **state)
{
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	s.next.cause = 52;
	unmap(&s, 0x2000, PAGE);
	unmap_slot(&s, 0x1000, 2 * PAGE, 52);
	unmap_slot(&s, 0x8000, 0, 53);
	expect_clean(&s);
	story_end(&s);

	story_begin(&s);
	slot(&s, 0x2000, PAGE, 51);
	unmap_slot(&s, 0x4000, PAGE, 52);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

static void an_iommu_unmap_of_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, 0x2000, PAGE);
	unmap(&s, 0x3000, PAGE);
	unmap(&s, 0x4000, 0);
	assert_int_equal(found(&s, "unmap-nothing", GRADE_NOTE), 1);
	assert_int_equal(first(&s)->count, 1);
	expect(&s, NULL, 0);
	story_end(&s);
}

/* A replay that fails unmaps all slots, and of the last it had mapped nothing. */
static void the_undoing_of_a_replay(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	s.next = (struct next){ .cause = 70, .ret = -12 };
	map(&s, 0x2000, PAGE);
	s.next.cause = 70;
	unmap(&s, 0x2000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void a_domain_from_before(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	describe_domain(&s, DOM, DOMAIN_PAGING);
	unmap(&s, 0x3000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void a_container_closed_with_slots(void **state)
{
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	free_domain(&s, DOM);
	assert_int_equal(found(&s, "left-mapped", GRADE_NOTE), 1);
	expect(&s, NULL, 0);
	story_end(&s);

	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	s.next.cause = 52;
	unmap(&s, 0x2000, PAGE);
	s.next.id = 52;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	free_domain(&s, DOM);
	expect_clean(&s);
	story_end(&s);
}

/* A domain of two goes: the container is there still. */
static void not_the_last_domain(void **state)
{
	struct story s;

	(void)state;
	container_begins(&s);
	alloc_domain(&s, DOM2);
	s.next.cause = 51;
	map_prot(&s, DOM2, 0x2000, PAGE, 3);
	slot(&s, 0x2000, PAGE, 51);
	free_domain(&s, DOM2);
	expect_clean(&s);
	free_domain(&s, DOM);
	assert_int_equal(found(&s, "left-mapped", GRADE_NOTE), 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vfio_unmap_of_nothing),
		cmocka_unit_test(near_misses),
		cmocka_unit_test(an_iommu_unmap_of_nothing),
		cmocka_unit_test(the_undoing_of_a_replay),
		cmocka_unit_test(a_domain_from_before),
		cmocka_unit_test(a_container_closed_with_slots),
		cmocka_unit_test(not_the_last_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
