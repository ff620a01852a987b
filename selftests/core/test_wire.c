// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Bytes to operations: lengths, ranges, and what a hostile file may try. */
#include "story.h"
#include "core/schema.h"
#include "core/wire.h"

static struct ev_map page(uint64_t iova, uint64_t size)
{
	struct ev_map r = { .op.h = { .type = EV_MAP, .len = sizeof(r), .time_ns = 20 },
			    .op.begin_ns = 10, .domain = DOM, .iova = iova, .size = size };

	return r;
}

static void lengths_agree_with_the_schema(void **state)
{
	const struct schema *sc;
	size_t i;

	(void)state;
	for (i = 0; (sc = schema_at(i)); i++)
		assert_true(wire_len(sc->type) <= sc->len && sc->len - wire_len(sc->type) <= 16);
	for (i = 0; i < 70000; i++)
		assert_int_equal(!wire_len(i), !schema_find(i));
}

/* Traces of EVENT_ABI 1: nobody said who called. */
static void an_old_record_is_filled_up(void **state)
{
	struct ev_dma r = { .op.h = { .type = EV_DMA_MAP, .len = sizeof(r) - 8, .time_ns = 20 },
			    .size = 0x1000, .mapped = 3, .caller = 1 };
	struct op op;

	(void)state;
	assert_int_equal(wire_len(EV_DMA_MAP), sizeof(r) - 8);
	assert_int_equal(wire_next(&r, sizeof(r) - 8, &op), sizeof(r) - 8);
	assert_int_equal(op.u.dma.mapped, 3);
	assert_int_equal(op.u.dma.caller, 0);
}

static void a_range_becomes_inclusive(void **state)
{
	struct ev_map r = page(0x1000, 0x1000);
	struct op op;

	(void)state;
	assert_int_equal(wire_next(&r, sizeof(r), &op), sizeof(r));
	assert_int_equal(op.iova, 0x1000);
	assert_int_equal(op.last, 0x1fff);
	assert_int_equal(op.begin, 10);
	assert_false(op.empty);
}

static void the_last_byte_is_legal(void **state)
{
	struct ev_map r = page(-0x1000ULL, 0x1000);
	struct op op;

	(void)state;
	assert_int_equal(wire_next(&r, sizeof(r), &op), sizeof(r));
	assert_int_equal(op.last, UINT64_MAX);
	r.size = 0x1001;
	assert_int_equal(wire_next(&r, sizeof(r), &op), -EOVERFLOW);
	assert_int_equal(op.last, UINT64_MAX);
}

static void no_bytes_is_empty(void **state)
{
	struct ev_map r = page(0x1000, 0);
	struct op op;

	(void)state;
	assert_true(wire_next(&r, sizeof(r), &op) > 0);
	assert_true(op.empty);
}

static void unmap_all_is_everything(void **state)
{
	struct ev_vfio r = { .op.h = { .type = EV_VFIO_UNMAP, .len = sizeof(r) },
			     .vfio_flags = VFIO_UNMAP_ALL };
	struct op op;

	(void)state;
	assert_true(wire_next(&r, sizeof(r), &op) > 0);
	assert_false(op.empty);
	assert_int_equal(op.iova, 0);
	assert_int_equal(op.last, UINT64_MAX);
}

static void a_failed_dma_map_has_no_range(void **state)
{
	struct ev_dma r = { .op.h = { .type = EV_DMA_MAP, .len = sizeof(r) },
			    .addr = EV_DMA_ERROR, .size = 4096 };
	struct op op;

	(void)state;
	assert_true(wire_next(&r, sizeof(r), &op) > 0);
	assert_true(op.empty);
}

static void short_input_waits(void **state)
{
	struct ev_map r = page(0x1000, 0x1000);
	char one[sizeof(r)];
	struct op op;
	size_t len;

	(void)state;
	memcpy(one, &r, sizeof(r));
	for (len = 0; len < sizeof(r); len++) {
		char *exact = malloc(len + 1);

		memcpy(exact, one, len);
		assert_int_equal(wire_next(exact, len, &op), 0);
		free(exact);
	}
}

static void bad_headers_are_refused(void **state)
{
	static const uint16_t lengths[] = { 0, 8, 24, 96, 103, 105, 108, 264, 65528 };
	struct ev_map r = page(0x1000, 0x1000);
	struct op op;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		r.op.h.len = lengths[i];
		assert_int_equal(wire_next(&r, sizeof(r), &op), -EBADMSG);
	}
	r.op.h.len = sizeof(r);
	r.op.h.type = 60;
	assert_int_equal(wire_next(&r, sizeof(r), &op), -EBADMSG);
	r.op.h.type = 65535;
	assert_int_equal(wire_next(&r, sizeof(r), &op), -EBADMSG);
}

static void a_longer_record_of_a_newer_abi_is_read(void **state)
{
	char buf[EV_LEN_MAX] = { 0 };
	struct ev_map r = page(0x1000, 0x1000);
	struct op op;

	(void)state;
	r.op.h.len = EV_LEN_MAX;
	memcpy(buf, &r, sizeof(r));
	assert_int_equal(wire_next(buf, sizeof(buf), &op), EV_LEN_MAX);
	assert_int_equal(op.last, 0x1fff);
}

static void any_alignment_will_do(void **state)
{
	char buf[sizeof(struct ev_map) + 8];
	struct ev_map r = page(0x1000, 0x1000);
	struct op op;
	size_t at;

	(void)state;
	for (at = 0; at < 8; at++) {
		memcpy(buf + at, &r, sizeof(r));
		assert_int_equal(wire_next(buf + at, sizeof(r), &op), sizeof(r));
		assert_int_equal(op.u.map.domain, DOM);
	}
}

static void a_begin_behind_the_end_is_unknown(void **state)
{
	struct ev_map r = page(0x1000, 0x1000);
	struct op op;

	(void)state;
	r.op.begin_ns = 21;
	assert_true(wire_next(&r, sizeof(r), &op) > 0);
	assert_int_equal(op.begin, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_agree_with_the_schema),
		cmocka_unit_test(an_old_record_is_filled_up),
		cmocka_unit_test(a_range_becomes_inclusive),
		cmocka_unit_test(the_last_byte_is_legal),
		cmocka_unit_test(no_bytes_is_empty),
		cmocka_unit_test(unmap_all_is_everything),
		cmocka_unit_test(a_failed_dma_map_has_no_range),
		cmocka_unit_test(short_input_waits),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(a_longer_record_of_a_newer_abi_is_read),
		cmocka_unit_test(any_alignment_will_do),
		cmocka_unit_test(a_begin_behind_the_end_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
