// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What 'lookup' makes of a table, the hardware's way and a book; and how it says it. */
#include <stdio.h>

#include "core/wire.h"
#include "event.h"
#include "image.h"
#include "out/lookup.h"

#define SLOT 0x10000000ULL
#define PAGE 0x105400000ULL
#define SLOT_VADDR 0x7f0000000000ULL

struct fix {
	struct image m;
	struct lookup l;
	char *text;
	size_t len;
};

/* A VFIO user's domain with 4 MiB at SLOT; the hardware goes to its table. */
static void begin(struct fix *f, uint32_t levels)
{
	struct lookup_place *p = &f->l.place;

	memset(f, 0, sizeof(*f));
	image_begin(&f->m);
	*p = (struct lookup_place){
		.device = "0000:00:04.0", .driver = "vfio-pci", .iommu = "dmar0", .group = 3, .sid = 0x20,
		.kind = EV_DRIVER_VTD, .domain = 0xffff888000001000, .type = DOMAIN_PAGING, .did = ~0U,
		.last = (1ULL << (12 + 9 * levels)) - 1, .root_known = true, .owned = true,
	};
	p->table = walk_vtd_second(image_pages(&f->m, 1), levels);
	p->root = (struct root){
		.kind = ROOT_TABLE, .did = 5, .prot = RW, .table = p->table, .nsteps = 1,
		.steps = { { "context entry", 0x7000, { 0x8001, 0x501 }, 2, 0 } },
	};
	plant(&f->m, &p->table, SLOT, PAGE, 21, RW);
	plant(&f->m, &p->table, SLOT + 2 * MB, PAGE + 8 * MB, 12, WALK_READ);
	f->l.book = LOOKUP_VFIO;
}

static void end(struct fix *f)
{
	free(f->text);
	image_end(&f->m);
}

static void look(struct fix *f, uint64_t iova)
{
	struct walk_memory mem = image_memory(&f->m);
	const struct walk_table *hw = &f->l.place.root.table;

	f->l.iova = iova;
	f->l.walked = f->l.place.table.format && !walk_lookup(&f->l.place.table, &mem, iova, &f->l.path);
	f->l.hw_walked = false;
	lookup_judge(&f->l);
	if (f->l.way == LOOKUP_WAY_DIFFERS && hw->format)
		f->l.hw_walked = !walk_lookup(hw, &mem, iova, &f->l.hw_path);
	lookup_judge(&f->l);
}

static const char *said(struct fix *f, bool json, const struct lookup *before)
{
	FILE *to;

	free(f->text);
	to = open_memstream(&f->text, &f->len);
	assert_non_null(to);
	if (json)
		json_lookup(to, &f->l);
	else
		text_lookup(to, &f->l, before);
	fclose(to);
	return f->text;
}

static void says(struct fix *f, const char *text)
{
	if (!strstr(said(f, false, NULL), text))
		fail_msg("'%s' is not in: %s", text, f->text);
}

static void says_json(struct fix *f, const char *text)
{
	if (!strstr(said(f, true, NULL), text))
		fail_msg("'%s' is not in: %s", text, f->text);
	assert_int_equal(f->text[f->len - 1], '\n');
	assert_ptr_equal(strchr(f->text, '\n'), f->text + f->len - 1);
}

static void mapped(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	look(&f, SLOT + 0x1234);
	f.l.holds = (struct lookup_area){ SLOT, SLOT + 4 * MB - 1, SLOT_VADDR, RW, 77, true, "dpdk" };
	assert_int_equal(f.l.status, LOOKUP_MAPPED);
	assert_int_equal(f.l.way, LOOKUP_WAY_SAME);
	assert_true(lookup_answered(&f.l));
	says(&f, "0000:00:04.0  vfio-pci, group 3, requester 00:04.0, VT-d dmar0\n");
	says(&f, "unmanaged, [0x0, 0x7fffffffff], VT-d second stage table of 3 levels at 0x");
	says(&f, ", domain id 5: as the domain says\n    context entry at 0x7000: 0x0000000000008001 0x0000000000000501\n");
	says(&f, "\n0x10001234  physical 0x105401234, in a page of 2M, rw\n    level 3 entry at 0x");
	says(&f, "  2M page\n  VFIO's list: [0x10000000, 0x103fffff] rw, process address 0x7f0000001234, pid 77 (dpdk)\n");
	says_json(&f, "{\"schema\":\"iommuscope.lookup/1\",\"lookup\":\"mapped\",\"iova\":\"0x10001234\",\"flux\":false,"
		      "\"paddr\":\"0x105401234\",\"page_bytes\":2097152,\"prot\":\"rw\",\"entries\":[{\"level\":3,");
	says_json(&f, "\"is\":\"table\"},{\"level\":2,");
	says_json(&f, "\"hardware\":{\"agrees\":\"same\",\"leads_to\":\"table\",\"did\":5,");
	says_json(&f, "\"area\":{\"first\":\"0x10000000\",\"last\":\"0x103fffff\",\"prot\":\"rw\","
		      "\"vaddr\":\"0x7f0000001234\",\"pid\":77,\"comm\":\"dpdk\"}}");

	look(&f, SLOT + 2 * MB + 4095);
	says(&f, "physical 0x105c00fff, in a page of 4K, r\n");
	f.l.flux = true;
	says(&f, "0x10200fff  in flux; last seen: physical");
	assert_false(lookup_answered(&f.l));
	end(&f);
}

/* The device is said once for many addresses, and again if it changed. */
static void once(void **state)
{
	struct lookup before;
	struct fix f;

	(void)state;
	begin(&f, 3);
	look(&f, SLOT);
	before = f.l;
	look(&f, SLOT + 1);
	assert_null(strstr(said(&f, false, &before), "vfio-pci"));
	before.place.domain++;
	assert_non_null(strstr(said(&f, false, &before), "vfio-pci"));
	end(&f);
}

static void hole(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	look(&f, SLOT + 2 * MB + 4096);
	f.l.below = (struct lookup_area){ .first = SLOT, .last = SLOT + 0xfff, .valid = true };
	assert_int_equal(f.l.status, LOOKUP_HOLE);
	assert_true(lookup_answered(&f.l));
	says(&f, "not mapped: a hole at level 1\n");
	says(&f, "hole\n  VFIO's list: nothing here; nearest below [0x10000000, 0x10000fff]\n");
	f.l.above = (struct lookup_area){ .first = TB, .last = ~0ULL, .valid = true };
	says(&f, "; nearest above [0x10000000000, 0xffffffffffffffff]\n");
	says_json(&f, "\"below\":{\"first\":\"0x10000000\",\"last\":\"0x10000fff\"},\"above\":{");
	f.l.book = LOOKUP_IOMMUFD;
	says(&f, "hole\n  iommufd's areas: nothing here; nearest below [0x10000000, 0x10000fff]; nearest above");
	says_json(&f, "\"book\":\"iommufd\",\"below\"");
	f.l.holds = (struct lookup_area){ .first = SLOT, .last = ~0ULL, .prot = WALK_READ, .tgid = 77, .valid = true };
	says(&f, "  iommufd's areas: [0x10000000, 0xffffffffffffffff] r, pid 77\n");
	says_json(&f, "\"book\":\"iommufd\",\"area\":{\"first\":\"0x10000000\",\"last\":\"0xffffffffffffffff\","
		      "\"prot\":\"r\",\"pid\":77}");
	f.l.holds.valid = false;
	f.l.book = LOOKUP_DMA_API;
	says(&f, "DMA API: not allocated; nearest below");
	f.l.holds = f.l.below;
	says(&f, "DMA API: allocated or reserved [0x10000000, 0x10000fff]\n");
	memcpy(f.l.reserved, "msi", 4);
	f.l.reserved_last = 0xfff;
	says(&f, "  reserved range [0x0, 0xfff] msi\n");
	end(&f);
}

/* The last byte inside, the first outside: of the aperture, and of a table that can grow. */
static void limits(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	look(&f, (1ULL << 39) - 1);
	assert_int_equal(f.l.status, LOOKUP_HOLE);
	look(&f, 1ULL << 39);
	assert_int_equal(f.l.status, LOOKUP_OUTSIDE);
	says(&f, "outside of what the domain translates: [0x0, 0x7fffffffff]\n");
	says_json(&f, "\"lookup\":\"outside\"");
	f.l.place.last = ~0ULL;
	look(&f, ~0ULL);
	assert_int_equal(f.l.status, LOOKUP_HOLE);
	says(&f, "above what the table has levels for now");
	f.l.place.first = 0x1000;
	look(&f, 0xfff);
	assert_int_equal(f.l.status, LOOKUP_OUTSIDE);
	end(&f);
}

static void malformed(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	image_set(&f.m, plant_at(&f.m, &f.l.place.table, GB, 2), ~0ULL);
	look(&f, GB);
	assert_int_equal(f.l.status, LOOKUP_BAD);
	says(&f, "malformed: an entry that the format does not allow\n");
	says_json(&f, "\"is\":\"malformed\"");
	image_set(&f.m, plant_at(&f.m, &f.l.place.table, GB, 2), 0xfff0000000ULL | 3);
	look(&f, GB);
	says(&f, "malformed: the next table is where no memory is\n");
	says_json(&f, "\"is\":\"table\"}]");
	image_set(&f.m, plant_at(&f.m, &f.l.place.table, GB, 2), f.l.place.table.windows[0].root | 3);
	look(&f, GB);
	says(&f, "malformed: the tables lead in a circle\n");
	end(&f);
}

/* The hardware has fewer levels than the table: no matter where both lead to the same. */
static void below(void **state)
{
	struct fix f;
	uint64_t entry;

	(void)state;
	begin(&f, 4);
	entry = plant_at(&f.m, &f.l.place.table, 0, 3);
	f.l.place.root.table = walk_vtd_second(entry & ~0xfffULL, 3);
	look(&f, SLOT);
	assert_int_equal(f.l.way, LOOKUP_WAY_BELOW);
	says(&f, "a lower level of the domain's table");
	look(&f, 1ULL << 39);
	assert_int_equal(f.l.way, LOOKUP_WAY_DIFFERS);
	end(&f);
}

static void differs(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	f.l.place.root.table = walk_vtd_second(image_pages(&f.m, 1), 3);
	plant(&f.m, &f.l.place.root.table, SLOT, 3 * GB, 30, WALK_READ);
	look(&f, SLOT);
	assert_int_equal(f.l.way, LOOKUP_WAY_DIFFERS);
	says(&f, "NOT as the domain says (another table)\n");
	says(&f, "  by the hardware's table: physical 0xd0000000, in a page of 1G, r\n");
	says_json(&f, "\"agrees\":\"differs\",\"difference\":\"another table\"");
	says_json(&f, "\"by_hardware\":{\"lookup\":\"mapped\",\"paddr\":\"0xd0000000\"");
	look(&f, 8 * GB);
	says(&f, "  by the hardware's table: not mapped: a hole at level 3\n");
	f.l.place.root = (struct root){ .kind = ROOT_ABSENT, .did = ~0U };
	look(&f, SLOT);
	says(&f, "no entry: DMA is blocked: NOT as the domain says");
	f.l.place.root_known = false;
	look(&f, SLOT);
	assert_int_equal(f.l.way, LOOKUP_WAY_UNKNOWN);
	says(&f, "hardware: not read\n");
	end(&f);
}

/* AMD-Vi: the device's entry can take a permission away that the table gives. */
static void permission(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	f.l.place.root.prot = WALK_READ;
	look(&f, SLOT);
	says(&f, "in a page of 2M, r\n");
	end(&f);
}

/* Domains without a table of ours. */
static void without(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	f.l.place.table = (struct walk_table){ .format = WALK_NONE };
	f.l.book = LOOKUP_NO_BOOK;
	look(&f, SLOT);
	assert_int_equal(f.l.status, LOOKUP_UNKNOWN);
	assert_int_equal(f.l.way, LOOKUP_WAY_UNKNOWN);
	assert_false(lookup_answered(&f.l));
	says(&f, "not known: page tables of this kind (VT-d, unmanaged) are not read\n  its owner");

	f.l.place.type = DOMAIN_PT;
	f.l.place.root = (struct root){ .kind = ROOT_PASS, .did = 1 };
	look(&f, SLOT);
	assert_int_equal(f.l.way, LOOKUP_WAY_SAME);
	says(&f, "untranslated: IOVA is the physical address, 0x10000000\n");
	says_json(&f, "\"lookup\":\"identity\",\"iova\":\"0x10000000\",\"flux\":false,\"paddr\":\"0x10000000\"");

	f.l.place.type = DOMAIN_BLOCKED;
	f.l.place.root.kind = ROOT_ABSENT;
	look(&f, SLOT);
	assert_int_equal(f.l.way, LOOKUP_WAY_SAME);
	assert_true(lookup_answered(&f.l));
	says(&f, "blocked: the domain lets no DMA through\n");

	f.l.place.type = DOMAIN_SVA;
	look(&f, SLOT);
	assert_false(lookup_answered(&f.l));
	says(&f, "not known: a process's table is not read\n");
	f.l.place.type = DOMAIN_NESTED;
	look(&f, SLOT);
	says(&f, "not known: a guest's table is not read\n");
	f.l.place.type = 0x20;
	look(&f, SLOT);
	assert_int_equal(f.l.status, LOOKUP_UNKNOWN);
	end(&f);
}

/* VT-d without pass-through: the identity is a table. */
static void identity_table(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	f.l.place.type = DOMAIN_PT;
	f.l.place.table = (struct walk_table){ .format = WALK_NONE };
	plant(&f.m, &f.l.place.root.table, 2 * GB, 2 * GB, 30, RW);
	look(&f, 2 * GB + 5);
	assert_int_equal(f.l.way, LOOKUP_WAY_SAME);
	look(&f, SLOT);
	assert_int_equal(f.l.way, LOOKUP_WAY_DIFFERS);
	end(&f);
}

static void names_are_plain(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	look(&f, SLOT);
	f.l.holds = (struct lookup_area){ SLOT, SLOT, 0, RW, 1, true, "a\"\n\x1b" };
	says(&f, "pid 1 (a\"?" "?)\n");
	says_json(&f, "\"comm\":\"a\\\"\\u000a\\u001b\"");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped),
		cmocka_unit_test(once),
		cmocka_unit_test(hole),
		cmocka_unit_test(limits),
		cmocka_unit_test(malformed),
		cmocka_unit_test(below),
		cmocka_unit_test(differs),
		cmocka_unit_test(permission),
		cmocka_unit_test(without),
		cmocka_unit_test(identity_table),
		cmocka_unit_test(names_are_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
