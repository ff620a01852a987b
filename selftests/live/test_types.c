// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The part of a kernel's types that CO-RE is shown: each test builds a small kernel, says what programs
 * want of it, and reads the part back from its file.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "live/types.h"

/* Ids in the small kernel. */
struct kernel {
	struct btf *btf;
	int u32, pointer, array, inner, outer, alone;
};

static struct kernel kernel_new(void)
{
	struct kernel k = { .btf = btf__new_empty() };
	int modified;

	k.u32 = btf__add_int(k.btf, "unsigned int", 4, 0);
	k.alone = btf__add_struct(k.btf, "alone", 4);
	btf__add_field(k.btf, "a", k.u32, 0, 0);
	k.pointer = btf__add_ptr(k.btf, k.alone);
	k.array = btf__add_array(k.btf, k.u32, k.u32, 3);
	k.inner = btf__add_struct(k.btf, "inner", 24);
	btf__add_field(k.btf, "three", k.array, 0, 0);
	btf__add_field(k.btf, "to", k.pointer, 128, 0);
	modified = btf__add_const(k.btf, btf__add_typedef(k.btf, "inner_t", k.inner));
	k.outer = btf__add_struct(k.btf, "outer", 32);
	btf__add_field(k.btf, "bits", k.u32, 5, 3);
	btf__add_field(k.btf, "in", modified, 64, 0);
	return k;
}

/* What programs with a structure called @name want of @kernel. */
static int read_for(struct btf *kernel, const char *name, struct types **out)
{
	struct btf *programs = btf__new_empty();
	int err;

	btf__add_struct(programs, name, 4);
	err = types_of(kernel, out);
	assert_int_equal(err, 0);
	err = types_want_structs(*out, programs);
	btf__free(programs);
	return err ? err : types_read(*out);
}

static struct btf *part_of(const struct types *t)
{
	struct btf *part = btf__parse_raw(types_part(t));

	assert_non_null(part);
	return part;
}

static const struct btf_type *member(const struct btf *part, const struct btf_type *type,
				     const char *name, unsigned int i)
{
	const struct btf_member *m = btf_members(type) + i;

	assert_true(i < btf_vlen(type));
	assert_string_equal(btf__name_by_offset(part, m->name_off), name);
	return btf__type_by_id(part, m->type);
}

static const struct btf_type *structure(const struct btf *part, const char *name)
{
	int id = btf__find_by_name_kind(part, name, BTF_KIND_STRUCT);

	assert_true(id > 0);
	return btf__type_by_id(part, id);
}

/* What is held by value comes along, without names for it; what is pointed to does not. */
static void embedded(void **state)
{
	const struct btf_type *outer, *inner, *three;
	struct kernel k = kernel_new();
	struct types *t;
	struct btf *part;

	(void)state;
	assert_int_equal(read_for(k.btf, "outer", &t), 0);
	part = part_of(t);
	outer = structure(part, "outer");
	assert_int_equal(outer->size, 32);
	member(part, outer, "bits", 0);
	assert_int_equal(btf_member_bit_offset(outer, 0), 5);
	assert_int_equal(btf_member_bitfield_size(outer, 0), 3);
	inner = member(part, outer, "in", 1);
	assert_ptr_equal(inner, structure(part, "inner"));
	assert_int_equal(btf_member_bit_offset(outer, 1), 64);
	three = member(part, inner, "three", 0);
	assert_true(btf_is_array(three));
	assert_int_equal(btf_array(three)->nelems, 3);
	assert_true(btf_is_ptr(member(part, inner, "to", 1)));
	assert_int_equal(btf_member_bit_offset(inner, 1), 128);
	assert_true(btf__find_by_name_kind(part, "alone", BTF_KIND_STRUCT) < 0);
	btf__free(part);
	types_free(t);
}

/* A flavour asks for what stands before its three underscores. */
static void flavours(void **state)
{
	static const struct {
		const char *asked;
		bool there;
	} cases[] = {
		{ "alone", true }, { "alone___6_1", true }, { "alone__6_1", false },
		{ "alone_", false }, { "alon", false }, { "___alone", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct types *t;
		struct btf *part;

		assert_int_equal(read_for(kernel_new().btf, cases[i].asked, &t), 0);
		part = part_of(t);
		if ((btf__find_by_name_kind(part, "alone", BTF_KIND_STRUCT) > 0) != cases[i].there)
			fail_msg("%s", cases[i].asked);
		assert_true(btf__find_by_name_kind(part, "outer", BTF_KIND_STRUCT) < 0);
		btf__free(part);
		types_free(t);
	}
}

/* Pointers may go round; a structure within itself is no structure, and the copying ends. */
static void circles(void **state)
{
	struct btf *round = btf__new_empty(), *endless = btf__new_empty();
	struct types *t;
	struct btf *part;

	(void)state;
	btf__add_struct(round, "list", 8);
	btf__add_field(round, "next", 2, 0, 0);
	btf__add_ptr(round, 1);
	assert_int_equal(read_for(round, "list", &t), 0);
	part = part_of(t);
	assert_true(btf_is_ptr(member(part, structure(part, "list"), "next", 0)));
	btf__free(part);
	types_free(t);

	btf__add_struct(endless, "a", 8);
	btf__add_field(endless, "b", 2, 0, 0);
	btf__add_struct(endless, "b", 8);
	btf__add_field(endless, "a", 1, 0, 0);
	assert_int_equal(read_for(endless, "a", &t), -EINVAL);
	types_free(t);
}

/* A name is found in its class only; the first of it counts; who did not ask is not told. */
static void classes(void **state)
{
	struct kernel k = kernel_new();
	int proto = btf__add_func_proto(k.btf, 0);
	int function = btf__add_func(k.btf, "alone", BTF_FUNC_GLOBAL, proto);
	int handler = btf__add_typedef(k.btf, "btf_trace_it", btf__add_ptr(k.btf, proto));
	struct types *t;

	(void)state;
	btf__add_struct(k.btf, "alone", 8);
	assert_int_equal(types_of(k.btf, &t), 0);
	assert_int_equal(types_want(t, "alone"), 0);
	assert_int_equal(types_want(t, "alone"), 0);
	assert_int_equal(types_want(t, "btf_trace_it"), 0);
	assert_int_equal(types_want(t, NULL), 0);
	assert_int_equal(types_read(t), 0);
	assert_int_equal(types_find(t, TYPE_STRUCT, "alone"), k.alone);
	assert_int_equal(types_find(t, TYPE_FUNCTION, "alone"), function);
	assert_int_equal(types_find(t, TYPE_TYPEDEF, "btf_trace_it"), handler);
	assert_int_equal(types_find(t, TYPE_FUNCTION, "btf_trace_it"), 0);
	assert_int_equal(types_find(t, TYPE_STRUCT, "outer"), 0);
	assert_int_equal(types_find(t, TYPE_STRUCT, NULL), 0);
	types_free(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(embedded),
		cmocka_unit_test(flavours),
		cmocka_unit_test(circles),
		cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
