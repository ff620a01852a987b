// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* AMD-Vi: the device table's entry as Linux writes it, v1, v2 and nested; GCR3 tables of each depth. */
#include "core/root.h"
#include "image.h"

#define SID 0x0081
#define V 1ULL
#define TV 2ULL
#define GIOV (1ULL << 54)
#define GV (1ULL << 55)
#define IR (1ULL << 61)
#define IW (1ULL << 62)
#define MODE(n) ((uint64_t)(n) << 9)
#define DID 0x4321ULL
#define C_BIT (1ULL << 47)

struct fix {
	struct image m;
	struct walk_memory mem;
	uint64_t devtab, ignore, dte;
	struct root r;
};

/* A device table of two pages: 256 devices. */
static void begin(struct fix *f)
{
	memset(f, 0, sizeof(*f));
	image_begin(&f->m);
	f->mem = image_memory(&f->m);
	f->devtab = image_pages(&f->m, 2) | 1;
	f->dte = (f->devtab & ~0xfffULL) + SID * 32;
	image_set(&f->m, f->dte + 8, DID);
}

static void end(struct fix *f)
{
	image_end(&f->m);
}

static enum root_kind kind_of(struct fix *f, uint64_t w0, uint32_t pasid)
{
	image_set(&f->m, f->dte, w0);
	root_amd(f->devtab, f->ignore, &f->mem, SID, pasid, &f->r);
	return f->r.kind;
}

static enum root_kind kind(struct fix *f, uint64_t w0)
{
	return kind_of(f, w0, ROOT_NO_PASID);
}

/* As set_dte_entry() spreads it. */
static uint64_t gcr3(struct fix *f, uint64_t table, uint64_t glx)
{
	image_set(&f->m, f->dte + 8,
		  DID | ((table >> 15) & 0xffff) << 16 | ((table >> 31) & 0x1fffff) << 43);
	return V | TV | GV | IR | IW | glx << 56 | ((table >> 12) & 7) << 58;
}

static void table_is(const struct walk_table *t, const struct walk_table *want)
{
	assert_memory_equal(t, want, sizeof(*t));
}

static void v1(void **state)
{
	struct walk_table want;
	struct fix f;
	uint32_t mode;

	(void)state;
	begin(&f);
	for (mode = 1; mode <= 6; mode++) {
		want = walk_amd_v1(0xfedcba9876000ULL, mode);
		assert_int_equal(kind(&f, 0xfedcba9876000ULL | V | TV | IR | IW | MODE(mode)),
				 ROOT_TABLE);
		table_is(&f.r.table, &want);
		assert_int_equal(f.r.did, DID);
		assert_int_equal(f.r.prot, RW);
		assert_false(f.r.first_stage || f.r.scalable);
	}
	assert_int_equal(f.r.nsteps, 1);
	assert_string_equal(f.r.steps[0].name, "device table entry");
	assert_int_equal(f.r.steps[0].entry_paddr, f.dte);
	assert_int_equal(f.r.steps[0].words, 4);
	assert_int_equal(f.r.steps[0].raw[1], DID);
	assert_int_equal(kind(&f, V | TV | MODE(7) | IR | IW), ROOT_BAD);
	assert_int_equal(kind(&f, 0xabc000 | V | TV | MODE(3) | IR), ROOT_TABLE);
	assert_int_equal(f.r.prot, WALK_READ);

	/* Requests with a PASID need a guest's table. */
	assert_int_equal(kind_of(&f, 0xabc000 | V | TV | MODE(3) | IR | IW, 0), ROOT_ABSENT);
	end(&f);
}

static void without_a_table(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	assert_int_equal(kind(&f, 0), ROOT_PASS);
	assert_int_equal(f.r.did, ~0U);
	assert_int_equal(f.r.prot, RW);
	assert_int_equal(kind(&f, V | TV | IR | IW), ROOT_PASS);
	assert_int_equal(f.r.did, DID);
	assert_int_equal(kind(&f, V | TV | IW), ROOT_PASS);
	assert_int_equal(f.r.prot, WALK_WRITE);
	assert_int_equal(kind(&f, V | TV), ROOT_BLOCKED);
	/* With SNP. */
	assert_int_equal(kind(&f, V), ROOT_BLOCKED);
	assert_int_equal(kind(&f, V | IR | IW), ROOT_PASS);
	end(&f);
}

static void size_of_the_device_table(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	root_amd(f.devtab, 0, &f.mem, 255, ROOT_NO_PASID, &f.r);
	assert_int_equal(f.r.kind, ROOT_PASS);
	root_amd(f.devtab, 0, &f.mem, 256, ROOT_NO_PASID, &f.r);
	assert_int_equal(f.r.kind, ROOT_ABSENT);
	assert_int_equal(f.r.nsteps, 0);
	root_amd(f.devtab | 0x1ff, 0, &f.mem, 0xffff, ROOT_NO_PASID, &f.r);
	assert_int_equal(f.r.kind, ROOT_BAD);
	root_amd(0x7777000, 0, &f.mem, 0, ROOT_NO_PASID, &f.r);
	assert_int_equal(f.r.kind, ROOT_BAD);
	end(&f);
}

static void v2(void **state)
{
	struct walk_table want;
	struct fix f;
	uint64_t w0, levels;

	(void)state;
	begin(&f);
	f.m.next = 0xfedcba9876000ULL;	/* bits in all three places */
	w0 = gcr3(&f, image_pages(&f.m, 1), 0);
	image_set(&f.m, 0xfedcba9876000ULL, 0xabc000 | 1);
	for (levels = 4; levels <= 7; levels++) {
		image_set(&f.m, f.dte + 16, (levels - 4) << 54 | 0xf00000000000ULL);
		assert_int_equal(kind(&f, w0 | GIOV), levels < 6 ? ROOT_TABLE : ROOT_BAD);
		if (levels > 5)
			continue;
		want = walk_x86(0xabc000, levels);
		table_is(&f.r.table, &want);
		assert_true(f.r.first_stage);
		assert_int_equal(f.r.did, DID);
	}
	image_set(&f.m, f.dte + 16, 0);
	assert_int_equal(kind_of(&f, w0, 0), ROOT_TABLE);
	assert_int_equal(f.r.nsteps, 2);
	assert_string_equal(f.r.steps[1].name, "GCR3 table entry");
	assert_int_equal(f.r.steps[1].words, 1);

	/* SVA beside an identity domain: without a PASID there is no table. */
	assert_int_equal(kind(&f, w0), ROOT_PASS);
	/* Guest translation counts only where translation is valid. */
	assert_int_equal(kind(&f, (w0 | GIOV) & ~TV), ROOT_PASS);
	image_set(&f.m, 0xfedcba9876000ULL, 0xabc000);
	assert_int_equal(kind(&f, w0 | GIOV), ROOT_ABSENT);
	end(&f);
}

/* The last PASID of each depth, and one beyond. */
static void gcr3_levels(void **state)
{
	struct fix f;
	uint64_t glx, w0, table, level;

	(void)state;
	for (glx = 0; glx < 3; glx++) {
		uint32_t last = (1U << 9 * (glx + 1)) - 1;

		begin(&f);
		table = image_pages(&f.m, 1);
		w0 = gcr3(&f, table, glx);
		for (level = 0; level < glx; level++) {
			uint64_t next = image_pages(&f.m, 1);

			image_set(&f.m, table + 511 * 8, next | 1);
			table = next;
		}
		image_set(&f.m, table + 511 * 8, 0xabc000 | 1);
		assert_int_equal(kind_of(&f, w0, last), ROOT_TABLE);
		assert_int_equal(f.r.nsteps, 2 + glx);
		assert_int_equal(f.r.table.windows[0].root, 0xabc000);
		assert_int_equal(kind_of(&f, w0, last - 1), ROOT_ABSENT);
		assert_int_equal(kind_of(&f, w0, last + 1), ROOT_ABSENT);
		assert_int_equal(kind_of(&f, w0 | 3ULL << 56, 0), ROOT_BAD);
		end(&f);
	}

	begin(&f);
	assert_int_equal(kind_of(&f, gcr3(&f, 0x7777000, 1), 0), ROOT_BAD);
	end(&f);
}

/* The GCR3 table is where v1 says. */
static void nested(void **state)
{
	struct walk_table host, guest;
	struct fix f;
	uint64_t w0, table, gpa = 0x40005000;

	(void)state;
	begin(&f);
	host = walk_amd_v1(image_pages(&f.m, 1), 3);
	table = image_pages(&f.m, 1);
	plant(&f.m, &host, gpa, table, 12, RW);
	image_set(&f.m, table, 0xabc000 | 1);
	guest = walk_x86(0xabc000, 4);
	w0 = gcr3(&f, gpa, 0) | GIOV | MODE(3) | host.windows[0].root;
	assert_int_equal(kind(&f, w0), ROOT_NESTED);
	table_is(&f.r.table, &host);
	table_is(&f.r.guest, &guest);
	assert_false(f.r.first_stage);
	assert_int_equal(f.r.steps[1].entry_paddr, table);
	assert_int_equal(kind_of(&f, w0 & ~GIOV, ROOT_NO_PASID), ROOT_TABLE);
	table_is(&f.r.table, &host);

	/* Nothing is there in the guest's memory. */
	assert_int_equal(kind(&f, gcr3(&f, gpa + 0x1000, 0) | GIOV | MODE(3) |
				  host.windows[0].root), ROOT_BAD);
	assert_int_equal(f.r.nsteps, 1);
	end(&f);
}

/* Memory encryption's bit is in the register, the entry, and the GCR3 table. */
static void encrypted(void **state)
{
	struct fix f;
	uint64_t table;

	(void)state;
	begin(&f);
	f.devtab |= C_BIT;
	f.ignore = C_BIT;
	assert_int_equal(kind(&f, 0xabc000 | C_BIT | V | TV | IR | IW | MODE(3)), ROOT_TABLE);
	assert_int_equal(f.r.table.windows[0].root, 0xabc000);
	assert_int_equal(f.r.table.paddr_ignore, C_BIT);
	table = image_pages(&f.m, 1);
	image_set(&f.m, table, 0xdef000 | C_BIT | 1);
	assert_int_equal(kind(&f, gcr3(&f, table | C_BIT, 0) | GIOV), ROOT_TABLE);
	assert_int_equal(f.r.table.windows[0].root, 0xdef000);
	assert_int_equal(f.r.table.paddr_ignore, C_BIT);
	f.ignore = 0;
	assert_int_equal(kind(&f, 0), ROOT_BAD);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1),
		cmocka_unit_test(without_a_table),
		cmocka_unit_test(size_of_the_device_table),
		cmocka_unit_test(v2),
		cmocka_unit_test(gcr3_levels),
		cmocka_unit_test(nested),
		cmocka_unit_test(encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
