// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Capability registers in words. VT-d specification 4.1: capability register 11.4.2, extended 11.4.3.
 * AMD I/O Virtualization Technology (48882, 3.08): extended feature register 3.4.9.
 */
#include <string.h>

#include "event.h"
#include "out/show.h"

#define PAGES_4K	(1ULL << 12)
#define PAGES_2M	(1ULL << 21)
#define PAGES_1G	(1ULL << 30)

struct feature {
	unsigned int bit;
	const char *name;
};

static unsigned int field(uint64_t reg, unsigned int high, unsigned int low)
{
	return reg >> low & ((1ULL << (high - low + 1)) - 1);
}

static bool has(uint64_t reg, unsigned int bit)
{
	return reg >> bit & 1;
}

static void add_width(uint32_t *widths, uint32_t bits)
{
	unsigned int i;

	for (i = 0; i < SHOW_WIDTHS - 1 && widths[i]; i++)
		;
	if (i < SHOW_WIDTHS - 1)
		widths[i] = bits;
}

static void add_features(struct show_caps *c, uint64_t reg, const struct feature *f, unsigned int n)
{
	unsigned int i, at = 0;

	while (c->more[at])
		at++;
	for (i = 0; i < n; i++) {
		if (has(reg, f[i].bit) && at < sizeof(c->more) / sizeof(c->more[0]) - 1)
			c->more[at++] = f[i].name;
	}
}

#define ADD_FEATURES(c, reg, f) add_features(c, reg, f, sizeof(f) / sizeof((f)[0]))

/* SAGAW: a bit each for tables of 3, 4 and 5 levels. */
static void vtd_second_stage(const struct iommu *u, struct show_caps *c)
{
	unsigned int sagaw = field(u->cap, 12, 8), i;

	for (i = 1; i <= 3; i++) {
		if (sagaw >> i & 1)
			add_width(c->widths, 30 + 9 * i);
	}
	c->pages = PAGES_4K | (has(u->cap, 34) ? PAGES_2M : 0) | (has(u->cap, 35) ? PAGES_1G : 0);
	c->max_width = field(u->cap, 21, 16) + 1;
}

static void vtd_first_stage(const struct iommu *u, struct show_caps *c)
{
	if (!has(u->ecap, 47))
		return;
	add_width(c->first_widths, 48);
	if (has(u->cap, 60))
		add_width(c->first_widths, 57);
	c->first_pages = PAGES_4K | PAGES_2M | (has(u->cap, 56) ? PAGES_1G : 0);
}

static void vtd_caps(const struct iommu *u, struct show_caps *c)
{
	static const struct feature cap[] = {
		{ 59, "posted interrupts" },
	};
	static const struct feature ecap[] = {
		{ 1, "queued invalidation" }, { 0, "coherent walks" }, { 7, "snoop control" },
		{ 6, "pass-through" }, { 26, "nested translation" }, { 29, "page requests" },
		{ 45, "dirty tracking" }, { 3, "interrupt remapping" },
	};

	c->known = true;
	c->rwbf = u->flags & EV_IOMMU_RWBF;
	vtd_second_stage(u, c);
	vtd_first_stage(u, c);
	c->domains = 1U << (4 + 2 * field(u->cap, 2, 0));
	c->pasid_bits = has(u->ecap, 40) ? field(u->ecap, 39, 35) + 1 : 0;
	c->device_tlb_known = true;
	c->device_tlb = has(u->ecap, 2);
	ADD_FEATURES(c, u->ecap, ecap);
	ADD_FEATURES(c, u->cap, cap);
}

/*
 * HATS: 0 is tables of 4 levels, 3 is reserved; six levels translate all 64 bits. GATS: 1 is 5 levels; QEMU says
 * 2 and cannot; Linux takes 4 then (6.12, amd/init.c).
 */
static void amd_caps(const struct iommu *u, struct show_caps *c)
{
	static const struct feature efr[] = {
		{ 0, "prefetch" }, { 1, "page requests" }, { 6, "invalidate all" },
		{ 52, "dirty tracking" }, { 7, "guest virtual APIC" },
	};
	static const uint32_t level_widths[] = { 48, 57, 64, 0 };

	c->known = u->ecap;	/* none: an IOMMU from before there was that register */
	if (!c->known)
		return;
	add_width(c->widths, level_widths[field(u->ecap, 11, 10)]);
	if (has(u->ecap, 4)) {
		add_width(c->first_widths, field(u->ecap, 13, 12) == 1 ? 57 : 48);
		c->first_pages = PAGES_4K | PAGES_2M | PAGES_1G;
		c->pasid_bits = field(u->ecap, 36, 32) + 1;
	}
	ADD_FEATURES(c, u->ecap, efr);
}

void show_caps(const struct iommu *u, struct show_caps *c)
{
	memset(c, 0, sizeof(*c));
	if (!u)
		return;
	c->caching = u->flags & EV_IOMMU_CACHING;
	if (u->driver_kind == EV_DRIVER_VTD)
		vtd_caps(u, c);
	else if (u->driver_kind == EV_DRIVER_AMD)
		amd_caps(u, c);
}
