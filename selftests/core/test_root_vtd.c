// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* VT-d: from the root register to the table, in both modes; each entry on the way absent, bad, or nowhere. */
#include "core/root.h"
#include "image.h"

#define SID 0x4281	/* bus 0x42, devfn 0x81: the upper context table */
#define LOW_SID 0x427f
#define SCALABLE (1ULL << 10)

struct fix {
	struct image m;
	struct walk_memory mem;
	uint64_t rtaddr;
	uint64_t root, context, directory, pasids;	/* where the entries are */
	struct root r;
};

static void begin(struct fix *f)
{
	memset(f, 0, sizeof(*f));
	image_begin(&f->m);
	f->mem = image_memory(&f->m);
	f->rtaddr = image_pages(&f->m, 1);
	f->root = f->rtaddr + (SID >> 8) * 16;
}

static void begin_legacy(struct fix *f)
{
	uint64_t table;

	begin(f);
	table = image_pages(&f->m, 1);
	image_set(&f->m, f->root, table | 1);
	f->context = table + (SID & 0xff) * 16;
	image_set(&f->m, f->context, 0xabc000 | 1);
	image_set(&f->m, f->context + 8, 2 | 0x1234 << 8);
}

/* PASID 0 is at the head of the first page; PASIDs up to 2^(7 + 6 + 1). */
static void begin_scalable(struct fix *f)
{
	uint64_t table;

	begin(f);
	f->rtaddr |= SCALABLE;
	table = image_pages(&f->m, 1);
	image_set(&f->m, f->root + 8, table | 1);
	f->context = table + (SID & 0x7f) * 32;
	f->directory = image_pages(&f->m, 1);
	image_set(&f->m, f->context, f->directory | 1 << 9 | 1);
	f->pasids = image_pages(&f->m, 1);
	image_set(&f->m, f->directory, f->pasids | 1);
}

static void pasid_entry(struct fix *f, uint64_t w0, uint64_t w1, uint64_t w2)
{
	image_set(&f->m, f->pasids, w0);
	image_set(&f->m, f->pasids + 8, w1);
	image_set(&f->m, f->pasids + 16, w2);
}

static void end(struct fix *f)
{
	image_end(&f->m);
}

static enum root_kind kind_of(struct fix *f, uint16_t sid, uint32_t pasid)
{
	root_vtd(f->rtaddr, &f->mem, sid, pasid, &f->r);
	return f->r.kind;
}

static enum root_kind kind(struct fix *f)
{
	return kind_of(f, SID, ROOT_NO_PASID);
}

static void table_is(const struct walk_table *t, const struct walk_table *want)
{
	assert_memory_equal(t, want, sizeof(*t));
}

static void legacy_table(void **state)
{
	struct walk_table want;
	struct fix f;
	uint32_t width;

	(void)state;
	begin_legacy(&f);
	for (width = 0; width < 8; width++) {
		image_set(&f.m, f.context + 8, width | 0x1234 << 8);
		if (width < 1 || width > 3) {
			assert_int_equal(kind(&f), ROOT_BAD);
			continue;
		}
		assert_int_equal(kind(&f), ROOT_TABLE);
		want = walk_vtd_second(0xabc000, width + 2);
		table_is(&f.r.table, &want);
		assert_int_equal(f.r.did, 0x1234);
		assert_int_equal(f.r.prot, RW);
		assert_false(f.r.scalable || f.r.first_stage);
	}
	assert_int_equal(f.r.nsteps, 2);
	assert_string_equal(f.r.steps[0].name, "root entry");
	assert_int_equal(f.r.steps[0].entry_paddr, f.root);
	assert_int_equal(f.r.steps[1].entry_paddr, f.context);
	assert_int_equal(f.r.steps[1].raw[0], 0xabc000 | 1);
	assert_int_equal(f.r.steps[1].words, 2);

	/* The neighbours, and requests with a PASID. */
	assert_int_equal(kind_of(&f, SID - 1, ROOT_NO_PASID), ROOT_ABSENT);
	assert_int_equal(kind_of(&f, SID + 1, ROOT_NO_PASID), ROOT_ABSENT);
	assert_int_equal(kind_of(&f, SID + 256, ROOT_NO_PASID), ROOT_ABSENT);
	assert_int_equal(kind_of(&f, SID, 0), ROOT_ABSENT);
	end(&f);
}

static void legacy_types(void **state)
{
	static const enum root_kind kinds[] = { ROOT_TABLE, ROOT_TABLE, ROOT_PASS, ROOT_BAD };
	struct fix f;
	uint64_t type;

	(void)state;
	begin_legacy(&f);
	for (type = 0; type < 4; type++) {
		image_set(&f.m, f.context, 0xabc000 | type << 2 | 1);
		assert_int_equal(kind(&f), kinds[type]);
		assert_int_equal(f.r.did, 0x1234);
	}
	/* Faults are not reported: that is all. */
	image_set(&f.m, f.context, 0xabc000 | 3);
	assert_int_equal(kind(&f), ROOT_TABLE);
	image_set(&f.m, f.context, 0xabc000);
	assert_int_equal(kind(&f), ROOT_ABSENT);
	assert_int_equal(f.r.did, ~0U);
	end(&f);
}

/* One bit after the other of each word. */
static void legacy_reserved(void **state)
{
	struct fix f;
	uint32_t bit;
	uint64_t was;

	(void)state;
	begin_legacy(&f);
	for (bit = 1; bit < 12; bit++) {
		was = image_get(&f.m, f.root);
		image_set(&f.m, f.root, was | 1ULL << bit);
		assert_int_equal(kind(&f), ROOT_BAD);
		image_set(&f.m, f.root, was);
		was = image_get(&f.m, f.context);
		image_set(&f.m, f.context, was | 1ULL << bit);
		assert_int_equal(kind(&f), bit < 3 ? ROOT_TABLE : bit == 3 ? ROOT_PASS : ROOT_BAD);
		image_set(&f.m, f.context, was);
	}
	for (bit = 3; bit < 64; bit++) {
		image_set(&f.m, f.root + 8, 1ULL << bit);
		assert_int_equal(kind(&f), ROOT_BAD);
		image_set(&f.m, f.root + 8, 0);
		image_set(&f.m, f.context + 8, 2 | 1ULL << bit);
		assert_int_equal(kind(&f), bit == 7 || bit >= 24 ? ROOT_BAD : ROOT_TABLE);
	}
	end(&f);
}

static void modes(void **state)
{
	struct fix f;

	(void)state;
	begin_legacy(&f);
	f.rtaddr |= 2ULL << 10;
	assert_int_equal(kind(&f), ROOT_BAD);
	assert_int_equal(f.r.nsteps, 0);
	f.rtaddr |= 3ULL << 10;
	assert_int_equal(kind(&f), ROOT_BLOCKED);
	end(&f);
}

static void no_memory(void **state)
{
	struct fix f;

	(void)state;
	begin_legacy(&f);
	image_set(&f.m, f.root, 0x7777000 | 1);
	assert_int_equal(kind(&f), ROOT_BAD);
	assert_int_equal(f.r.nsteps, 1);
	f.rtaddr = 0x7777000;
	assert_int_equal(kind(&f), ROOT_BAD);
	assert_int_equal(f.r.nsteps, 0);
	end(&f);

	begin_scalable(&f);
	image_set(&f.m, f.directory, 0x7777000 | 1);
	assert_int_equal(kind(&f), ROOT_BAD);
	assert_int_equal(f.r.nsteps, 3);
	image_set(&f.m, f.context, 0x7777000 | 1);
	assert_int_equal(kind(&f), ROOT_BAD);
	assert_int_equal(f.r.nsteps, 2);
	image_set(&f.m, f.root + 8, 0x7777000 | 1);
	assert_int_equal(kind(&f), ROOT_BAD);
	f.rtaddr = 0x7777000 | SCALABLE;
	assert_int_equal(kind(&f), ROOT_BAD);
	end(&f);
}

static void scalable_types(void **state)
{
	struct walk_table second = walk_vtd_second(0xabc000, 4), first = walk_x86(0xdef000, 4);
	struct fix f;
	uint64_t type;

	(void)state;
	begin_scalable(&f);
	for (type = 0; type < 8; type++) {
		static const enum root_kind kinds[] = {
			[1] = ROOT_TABLE, [2] = ROOT_TABLE, [3] = ROOT_NESTED, [4] = ROOT_PASS,
		};

		pasid_entry(&f, 0xabc000 | type << 6 | 2 << 2 | 1, 0x77, 0xdef000);
		assert_int_equal(kind(&f), type >= 1 && type <= 4 ? kinds[type] : ROOT_BAD);
		assert_int_equal(f.r.did, 0x77);
		assert_true(f.r.scalable);
		assert_int_equal(f.r.first_stage, type == 1);
		if (type == 1)
			table_is(&f.r.table, &first);
		if (type == 2 || type == 3)
			table_is(&f.r.table, &second);
		if (type == 3)
			table_is(&f.r.guest, &first);
	}
	assert_int_equal(f.r.nsteps, 4);
	assert_string_equal(f.r.steps[2].name, "PASID directory entry");
	assert_int_equal(f.r.steps[2].words, 1);
	assert_int_equal(f.r.steps[3].entry_paddr, f.pasids);
	assert_int_equal(f.r.steps[3].words, 8);
	assert_int_equal(f.r.steps[3].raw[2], 0xdef000);
	pasid_entry(&f, 0xabc000 | 2 << 6 | 2 << 2, 0x77, 0);
	assert_int_equal(kind(&f), ROOT_ABSENT);
	end(&f);
}

static void scalable_levels(void **state)
{
	struct fix f;
	uint64_t n;

	(void)state;
	begin_scalable(&f);
	for (n = 0; n < 8; n++) {
		pasid_entry(&f, 0xabc000 | 2 << 6 | n << 2 | 1, 0, 0);
		assert_int_equal(kind(&f), n >= 1 && n <= 3 ? ROOT_TABLE : ROOT_BAD);
		if (f.r.kind == ROOT_TABLE)
			assert_int_equal(f.r.table.windows[0].levels, n + 2);
	}
	for (n = 0; n < 4; n++) {
		pasid_entry(&f, 1 << 6 | 1, 0, 0xdef000 | n << 2);
		assert_int_equal(kind(&f), n < 2 ? ROOT_TABLE : ROOT_BAD);
		if (f.r.kind == ROOT_TABLE)
			assert_int_equal(f.r.table.windows[1].levels, n + 4);
		pasid_entry(&f, 3 << 6 | 2 << 2 | 1, 0, 0xdef000 | n << 2);
		assert_int_equal(kind(&f), n < 2 ? ROOT_NESTED : ROOT_BAD);
	}
	end(&f);
}

/* Devices 0 to 0x7f are in the lower table. */
static void scalable_halves(void **state)
{
	struct fix f;
	uint64_t table;

	(void)state;
	begin_scalable(&f);
	pasid_entry(&f, 4 << 6 | 1, 0, 0);
	assert_int_equal(kind(&f), ROOT_PASS);
	assert_int_equal(kind_of(&f, LOW_SID, ROOT_NO_PASID), ROOT_ABSENT);
	assert_int_equal(f.r.nsteps, 1);
	table = image_pages(&f.m, 1);
	image_set(&f.m, f.root, table | 1);
	assert_int_equal(kind_of(&f, LOW_SID, ROOT_NO_PASID), ROOT_ABSENT);
	assert_int_equal(f.r.nsteps, 2);
	image_set(&f.m, table + 0x7f * 32, image_get(&f.m, f.context));
	assert_int_equal(kind_of(&f, LOW_SID, ROOT_NO_PASID), ROOT_PASS);
	end(&f);
}

static void pasids(void **state)
{
	struct fix f;
	uint64_t page, entry;

	(void)state;
	begin_scalable(&f);
	pasid_entry(&f, 4 << 6 | 1, 5, 0);

	/* Not without the context entry's leave. */
	assert_int_equal(kind_of(&f, SID, 0), ROOT_ABSENT);
	image_set(&f.m, f.context, image_get(&f.m, f.context) | 1 << 3);
	assert_int_equal(kind_of(&f, SID, 0), ROOT_PASS);
	assert_int_equal(kind_of(&f, SID, 1), ROOT_ABSENT);
	assert_int_equal(f.r.nsteps, 4);
	assert_int_equal(kind_of(&f, SID, 64), ROOT_ABSENT);
	assert_int_equal(f.r.nsteps, 3);

	/* The last PASID of the directory, and one beyond. */
	page = image_pages(&f.m, 1);
	image_set(&f.m, f.directory + 255 * 8, page | 1);
	entry = page + 63 * 64;
	image_set(&f.m, entry, 4 << 6 | 1);
	image_set(&f.m, entry + 8, 6);
	assert_int_equal(kind_of(&f, SID, (1 << 14) - 1), ROOT_PASS);
	assert_int_equal(f.r.did, 6);
	assert_int_equal(f.r.steps[3].entry_paddr, entry);
	assert_int_equal(kind_of(&f, SID, 1 << 14), ROOT_ABSENT);
	assert_int_equal(f.r.nsteps, 2);
	assert_int_equal(kind_of(&f, SID, 1 << 20), ROOT_ABSENT);

	/* Requests without one use what the context entry says. */
	image_set(&f.m, f.context + 8, (1 << 14) - 1);
	assert_int_equal(kind(&f), ROOT_PASS);
	assert_int_equal(f.r.did, 6);
	end(&f);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(root_kind_name(ROOT_PASS), "pass-through");
	assert_string_equal(root_kind_name(ROOT_BLOCKED), "blocked");
	assert_string_equal(root_kind_name(99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legacy_table),
		cmocka_unit_test(legacy_types),
		cmocka_unit_test(legacy_reserved),
		cmocka_unit_test(modes),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(scalable_types),
		cmocka_unit_test(scalable_levels),
		cmocka_unit_test(scalable_halves),
		cmocka_unit_test(pasids),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
