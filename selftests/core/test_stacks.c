// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Call stacks of the records that findings name: of pieces of one scatterlist, all have the last one's. */
#include "out/stacks.h"
#include "story.h"

#define LIST 77		/* id of the scatterlist's pieces */

static void want(struct report *rep, uint16_t cpu, uint64_t seq)
{
	struct finding f = { .id = FINDING_MAP_OVERLAP, .grade = GRADE_VIOLATION, .iova = seq };

	finding_ref(&f, "map", &(struct ref){ .kind = EV_MAP, .cpu = cpu, .seq = seq });
	assert_int_equal(report_add(rep, &f), 0);
}

static void piece(struct stacks *t, uint16_t cpu, uint64_t seq, uint64_t id)
{
	struct ev_map r = { .op.h = { .type = EV_MAP, .len = sizeof(r), .flags = EVF_SG,
				      .cpu = cpu, .seq = seq }, .op.id = id };

	stacks_take(t, &r.op.h);
}

static void stack(struct stacks *t, uint16_t cpu, uint64_t seq, uint64_t of)
{
	struct ev_stack r = { .h = { .type = EV_STACK, .len = sizeof(r), .cpu = cpu, .seq = seq },
			      .of_seq = of, .count = 30, .ip = { of } };

	stacks_take(t, &r.h);
}

static struct stacks *wanting(uint64_t first, uint64_t last)
{
	struct stacks *t = NULL;
	struct report rep;

	report_init(&rep);
	for (; first <= last; first++)
		want(&rep, 1, first);
	assert_int_equal(stacks_new(&rep, &t), 0);
	report_drain(&rep);
	return t;
}

static void a_record_has_its_own(void **state)
{
	struct stacks *t = wanting(5, 6);

	(void)state;
	stack(t, 1, 6, 5);
	stack(t, 2, 7, 6);	/* another CPU's */
	assert_non_null(stacks_find(t, 1, 5));
	assert_int_equal(stacks_find(t, 1, 5)->count, EV_STACK_DEPTH);
	assert_null(stacks_find(t, 1, 6));
	assert_null(stacks_find(t, 1, 7));
	stacks_free(t);
}

/* 10, 11 and 12 are pieces of one list; 13 of the next, 14 its stack. */
static void pieces_share_the_last_ones(void **state)
{
	struct stacks *t = wanting(10, 13);

	(void)state;
	piece(t, 1, 10, LIST);
	piece(t, 1, 11, LIST);
	piece(t, 2, 11, LIST + 9);
	piece(t, 1, 12, LIST);
	stack(t, 1, 13, 12);
	piece(t, 1, 13, LIST + 1);
	stack(t, 1, 15, 12);
	assert_int_equal(stacks_find(t, 1, 10)->ip[0], 12);
	assert_int_equal(stacks_find(t, 1, 11)->ip[0], 12);
	assert_int_equal(stacks_find(t, 1, 12)->ip[0], 12);
	assert_null(stacks_find(t, 1, 13));
	stacks_free(t);
}

/* An interrupt's list came between: whose stack follows is not known by its number. */
static void a_list_in_between(void **state)
{
	struct stacks *t = wanting(10, 11);

	(void)state;
	piece(t, 1, 10, LIST);
	piece(t, 1, 11, LIST + 1);
	stack(t, 1, 12, 11);
	assert_null(stacks_find(t, 1, 10));
	assert_non_null(stacks_find(t, 1, 11));
	stacks_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_has_its_own),
		cmocka_unit_test(pieces_share_the_last_ones),
		cmocka_unit_test(a_list_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
