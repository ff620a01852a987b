// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Words of 'show' that need no story: kinds of page tables, capability registers. */
#include "out/show.h"
#include "story.h"

static const char *format_of(uint32_t kind, uint64_t pages, bool tagged, uint32_t flags)
{
	const struct device dev = { .driver_kind = kind };
	const struct domain d = { .type = DOMAIN_PAGING, .pgsize_bitmap = pages, .tagged = tagged,
				  .tag_flags = flags };
	const struct show_row row = { .dev = &dev, .domain = &d };

	return show_format(&row) ?: "";
}

static void formats(void **state)
{
	(void)state;
	assert_string_equal(format_of(EV_DRIVER_VTD, 0x40201000, false, 0), "");
	assert_string_equal(format_of(EV_DRIVER_VTD, 0x40201000, true, EV_TAG_SCALABLE), "VT-d second stage");
	assert_string_equal(format_of(EV_DRIVER_VTD, 0x40201000, true, EV_TAG_SCALABLE | EV_TAG_FIRST_STAGE),
			    "VT-d first stage");
	assert_string_equal(format_of(EV_DRIVER_AMD, ~0xfffULL & ~(1ULL << 39), false, 0), "AMD v1");
	assert_string_equal(format_of(EV_DRIVER_AMD, 0x40201000, false, 0), "AMD v2");
	assert_string_equal(format_of(EV_DRIVER_AMD, 0x1000, true, 0), "");
	assert_string_equal(format_of(EV_DRIVER_REF, 0x40201000, false, 0), "");
}

static bool can(const struct show_caps *c, const char *what)
{
	unsigned int i;

	for (i = 0; c->more[i]; i++) {
		if (!strcmp(c->more[i], what))
			return true;
	}
	return false;
}

/* VT-d specification 11.4.2, 11.4.3: each field by itself. */
static void vtd_registers(void **state)
{
	struct iommu u = { .driver_kind = EV_DRIVER_VTD };
	struct show_caps c;

	(void)state;
	show_caps(&u, &c);
	assert_true(c.known && !c.widths[0] && !c.device_tlb && !c.pasid_bits && !c.more[0]);
	assert_int_equal(c.domains, 16);
	assert_int_equal(c.pages, 0x1000);
	assert_int_equal(c.max_width, 1);

	u.cap = 6 | 0xeULL << 8 | 56ULL << 16 | 3ULL << 34;
	u.ecap = 1ULL << 2 | 1ULL << 40 | 19ULL << 35 | 1ULL << 26;
	show_caps(&u, &c);
	assert_int_equal(c.domains, 65536);
	assert_int_equal(c.widths[0], 39);
	assert_int_equal(c.widths[1], 48);
	assert_int_equal(c.widths[2], 57);
	assert_int_equal(c.widths[3], 0);
	assert_int_equal(c.pages, 0x40201000);
	assert_int_equal(c.max_width, 57);
	assert_int_equal(c.pasid_bits, 20);
	assert_true(c.device_tlb && can(&c, "nested translation") && !c.first_widths[0]);

	u.ecap = 1ULL << 47 | 1ULL << 35;
	show_caps(&u, &c);
	assert_int_equal(c.pasid_bits, 0);
	assert_int_equal(c.first_widths[0], 48);
	assert_int_equal(c.first_widths[1], 0);
	assert_int_equal(c.first_pages, 0x201000);
	u.cap |= 1ULL << 60 | 1ULL << 56;
	show_caps(&u, &c);
	assert_int_equal(c.first_widths[1], 57);
	assert_int_equal(c.first_pages, 0x40201000);

	u.cap = u.ecap = TOP;	/* nothing overflows */
	show_caps(&u, &c);
	assert_int_equal(c.pasid_bits, 32);
	assert_int_equal(c.domains, 1 << 18);
}

static void amd_registers(void **state)
{
	struct iommu u = { .driver_kind = EV_DRIVER_AMD };
	struct show_caps c;

	(void)state;
	show_caps(&u, &c);
	assert_false(c.known);
	u.ecap = 1 << 6 | 2 << 10;
	show_caps(&u, &c);
	assert_true(c.known && can(&c, "invalidate all") && !c.first_widths[0] && !c.pasid_bits);
	assert_int_equal(c.widths[0], 64);
	u.ecap = 1 << 4 | 1 << 10 | 1 << 12 | 15ULL << 32;
	show_caps(&u, &c);
	assert_int_equal(c.widths[0], 57);
	assert_int_equal(c.first_widths[0], 57);
	assert_int_equal(c.pasid_bits, 16);
	u.ecap = 1 << 4 | 2 << 12;
	show_caps(&u, &c);
	assert_int_equal(c.widths[0], 48);
	assert_int_equal(c.first_widths[0], 48);
	u.ecap = TOP;
	show_caps(&u, &c);
	assert_int_equal(c.widths[0], 0);
	show_caps(NULL, &c);
	assert_false(c.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(vtd_registers),
		cmocka_unit_test(amd_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
