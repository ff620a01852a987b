// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Lookup: physical address, permission, size, the raw entries, and which mapping made them. The raw
 * entries are read by tables.c, which has learnt the formats from the specifications.
 */
#include "ref.h"
#include "tables.h"
#include "test.h"

#define AT REF_IOVA
#define PAGES(n) ((n) * REF_PAGE)

FIXTURE(lookup)
{
	struct ref_world w;
	struct refiommu_lookup l;
};

FIXTURE_VARIANT(lookup)
{
	struct ref_kind kind;
};

REF_VARIANTS(lookup);

FIXTURE_SETUP(lookup)
{
	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(&self->w, &variant->kind));
}

FIXTURE_TEARDOWN(lookup)
{
}

/* The entries of a lookup, read by us, come to what the lookup says, and both to the memory. */
static void check(struct __test_metadata *_metadata, const struct ref_kind *kind,
		  const struct refiommu_lookup *l, const void *at)
{
	struct tables_walk walk = { };
	const char *wrong;
	uint32_t level;

	ASSERT_EQ(REFIOMMU_LOOKUP_PRESENT | REFIOMMU_LOOKUP_LEVELS,
		  l->out_flags & (REFIOMMU_LOOKUP_PRESENT | REFIOMMU_LOOKUP_LEVELS |
				  REFIOMMU_LOOKUP_NESTED | REFIOMMU_LOOKUP_RESERVED_BITS));
	wrong = tables_follow(kind, l->out_levels, l->out_nr_levels, l->iova, &walk);
	ASSERT_EQ(NULL, wrong) {
		TH_LOG("IOVA %llx: %s", l->iova, wrong);
	}
	EXPECT_EQ(walk.paddr, l->out_paddr);
	EXPECT_EQ(walk.bytes, l->out_page_bytes);
	EXPECT_EQ(walk.prot, l->out_prot);
	EXPECT_EQ(ref_paddr(at), l->out_paddr);
	for (level = 0; level < l->out_nr_levels; level++)
		EXPECT_EQ(1, l->out_levels[level].stage);
}

TEST_F(lookup, raw_entries)
{
	const struct ref_world *w = &self->w;
	uint64_t at;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(16), w->mem));
	for (at = 0; at < PAGES(16); at += 0x7fd) {
		ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, AT + at, &self->l));
		check(_metadata, &variant->kind, &self->l, w->mem + at);
		ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, 0, AT + at, &self->l));
		check(_metadata, &variant->kind, &self->l, w->mem + at);
		ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, w->endpoint, AT + at, &self->l));
		check(_metadata, &variant->kind, &self->l, w->mem + at);
	}
}

/* The first and the last page of the format, and a spot in each level's second entry. */
TEST_F(lookup, far_places)
{
	const struct ref_world *w = &self->w;
	const bool tce = variant->kind.format == REFIOMMU_FORMAT_TCE;
	unsigned int shift;
	uint64_t iova;

	for (shift = 12; shift < 64; shift++) {
		iova = (tce ? 1ULL << 59 : 0) + (1ULL << shift);
		if (iova > variant->kind.top || (tce && shift >= 45))
			break;
		ASSERT_EQ(0, ref_map(w->fd, w->ioas, iova, REF_PAGE, w->mem + PAGES(shift)));
		ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, iova, &self->l));
		check(_metadata, &variant->kind, &self->l, w->mem + PAGES(shift));
	}
	iova = variant->kind.top - 0xfff;
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, iova, REF_PAGE, w->mem));
	ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, iova, &self->l));
	check(_metadata, &variant->kind, &self->l, w->mem);
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, 0, REF_PAGE, w->mem + PAGES(1)));
	ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, 0, &self->l));
	check(_metadata, &variant->kind, &self->l, w->mem + PAGES(1));
}

/* A read-only page is so in the entries, too. */
TEST_F(lookup, permissions)
{
	const struct ref_world *w = &self->w;
	uint32_t prot;

	for (prot = 1; prot <= REF_RW; prot++) {
		uint64_t iova = AT + PAGES(prot);

		ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, iova, iova + 0xfff, w->mem, prot));
		ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, iova, &self->l));
		check(_metadata, &variant->kind, &self->l, w->mem);
		EXPECT_EQ(ref_prot(&variant->kind, prot), self->l.out_prot);
	}
}

/* Nothing there: no address, but how far the walk came. */
TEST_F(lookup, not_present)
{
	const struct ref_world *w = &self->w;
	struct tables_entry entry;
	const struct refiommu_level *last;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, AT + PAGES(1), &self->l));
	EXPECT_EQ(0, self->l.out_flags & (REFIOMMU_LOOKUP_PRESENT | REFIOMMU_LOOKUP_MAPPING));
	ASSERT_LT(0, self->l.out_nr_levels);
	last = &self->l.out_levels[self->l.out_nr_levels - 1];
	tables_decode(variant->kind.format, last->entry, last->level, &entry);
	EXPECT_EQ(TABLES_NONE, entry.kind);
	EXPECT_EQ(1, last->level);
	if (variant->kind.top != ~0ULL) {
		ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, ~0ULL, &self->l));
		EXPECT_EQ(0, self->l.out_flags & REFIOMMU_LOOKUP_PRESENT);
		EXPECT_EQ(0, self->l.out_nr_levels);
	}
}

TEST_F(lookup, attribution)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem + PAGES(7)));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(2), PAGES(3), w->mem));
	ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, 0, AT + PAGES(2) - 1, &self->l));
	EXPECT_EQ(REFIOMMU_LOOKUP_MAPPING, self->l.out_flags & REFIOMMU_LOOKUP_MAPPING);
	EXPECT_EQ(AT, self->l.out_map_first);
	EXPECT_EQ(AT + PAGES(2) - 1, self->l.out_map_last);
	EXPECT_EQ((uintptr_t)w->mem + PAGES(7), self->l.out_map_uaddr);
	ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, 0, AT + PAGES(2), &self->l));
	EXPECT_EQ(AT + PAGES(2), self->l.out_map_first);
	EXPECT_EQ(AT + PAGES(5) - 1, self->l.out_map_last);
	EXPECT_EQ((uintptr_t)w->mem, self->l.out_map_uaddr);
}

/* Contiguous memory becomes the largest leaves that fit, and each byte of them is right. */
TEST_F(lookup, large_pages)
{
	const struct ref_world *w = &self->w;
	const bool small = variant->kind.flags & REF_KIND_SMALL;
	uint8_t *mem = ref_huge(2 * REF_HUGE);
	uint64_t at;

	if (!mem)
		SKIP(return, "no huge pages of 2 MiB are free");
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, 4 * REF_HUGE, 2 * REF_HUGE, mem));
	for (at = 0; at < 2 * REF_HUGE; at += 0x31007) {
		ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, 4 * REF_HUGE + at, &self->l));
		check(_metadata, &variant->kind, &self->l, mem + at);
		EXPECT_EQ(small, self->l.out_page_bytes < REF_HUGE);
		EXPECT_TRUE(ref_sees(w->fd, w->endpoint, 4 * REF_HUGE + (at & ~7ULL),
				     mem + (at & ~7ULL)));
	}
	EXPECT_EQ((int64_t)(2 * REF_HUGE),
		  ref_unmap_exact(w->fd, w->ioas, 4 * REF_HUGE, 2 * REF_HUGE));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, 6 * REF_HUGE - 1));
}

/* Contiguous, but not aligned to it: smaller leaves, never a wrong one. */
TEST_F(lookup, unaligned_large_memory)
{
	const struct ref_world *w = &self->w;
	const uint64_t iova = 4 * REF_HUGE + PAGES(3);
	uint8_t *mem = ref_huge(REF_HUGE);
	uint64_t at;

	if (!mem)
		SKIP(return, "no huge page of 2 MiB is free");
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, iova, REF_HUGE, mem));
	for (at = 0; at < REF_HUGE; at += PAGES(1)) {
		ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, iova + at, &self->l));
		ASSERT_EQ(ref_paddr(mem) + at, self->l.out_paddr);
		ASSERT_LT(self->l.out_page_bytes, REF_HUGE);
	}
	check(_metadata, &variant->kind, &self->l, mem + REF_HUGE - PAGES(1));
}

/* An endpoint of its own: blocked or in the default domain; a lookup tells, and does not fail. */
TEST_F(lookup, endpoint_without_address_space)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, AT, &self->l));
	EXPECT_EQ(0, self->l.out_flags & REFIOMMU_LOOKUP_MAPPING);
	EXPECT_EQ(-ENODEV, ref_lookup(w->fd, w->ioas, 0, AT, &self->l));
}

/* A second format behind the same address space: two tables, one memory. */
TEST_F(lookup, two_formats)
{
	const struct ref_kind other = REF_VTD48;
	const struct ref_world *w = &self->w;
	int instance = ref_instance(w->fd, &other, 0);
	int endpoint = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, endpoint));
	ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, endpoint, AT + 0x1234, &self->l));
	check(_metadata, &other, &self->l, w->mem + 0x1234);
	ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, w->endpoint, AT + 0x1234, &self->l));
	check(_metadata, &variant->kind, &self->l, w->mem + 0x1234);
	EXPECT_EQ(-ENOENT, ref_lookup(w->fd, w->ioas, 4711, AT, &self->l));
}

TEST_HARNESS_MAIN
