// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Address spaces whose page table a guest owns: this test is the guest. Its memory is one buffer,
 * which the parent maps at a guest-physical address; its table is built in it, in the variant's
 * format.
 */
#include <stdlib.h>
#include <string.h>
#include "ref.h"
#include "tables.h"
#include "test.h"

#define PAGES(n) ((n) * REF_PAGE)
#define GPA 0x40000000ULL /* of the guest's memory */
#define GUEST_PAGES 640ULL
#define DATA 600ULL /* pages from here on are no tables */
#define AT REF_IOVA

struct guest {
	struct ref_world w; /* w.ioas is the parent, nothing attached */
	struct ref_kind kind;
	uint8_t *mem;
	unsigned int levels;
	unsigned int used; /* pages of tables */
	int nested;
};

/* How many levels the format has for low addresses, from an own table where nobody else says it. */
static unsigned int levels_of(int fd, const struct ref_kind *kind)
{
	int endpoint = ref_endpoint(fd, ref_instance(fd, kind, 0), 0, REFIOMMU_DRIVER_NONE);
	int ioas = ref_ioas(fd, 0);
	struct refiommu_lookup lookup;

	if (tables_levels(kind))
		return tables_levels(kind);
	if (ref_attach(fd, ioas, endpoint) || ref_lookup(fd, ioas, 0, AT, &lookup) ||
	    !lookup.out_nr_levels)
		return 0;
	return lookup.out_levels[0].level;
}

static void guest_make(struct __test_metadata *_metadata, struct guest *g,
		       const struct ref_kind *kind)
{
	const struct ref_kind parent = REF_AMDV1;
	struct ref_world *w = &g->w;

	ASSERT_EQ(0, ref_world_make_with(w, &parent, 1ULL << 12, 0));
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	g->kind = *kind;
	g->levels = levels_of(w->fd, kind);
	ASSERT_LT(0, g->levels);
	g->mem = ref_pages(GUEST_PAGES);
	ASSERT_NE(NULL, g->mem);
	memset(g->mem, 0, PAGES(DATA));
	/* A root of one page, or of 2 MiB if the format has one level. */
	g->used = g->levels == 1 ? 512 : 1;
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, GPA, PAGES(GUEST_PAGES), g->mem));
	g->nested = ref_nest(w->fd, w->ioas, kind, GPA);
	ASSERT_GT(g->nested, 0);
	ASSERT_EQ(0, ref_attach(w->fd, g->nested, w->endpoint));
}

FIXTURE(nested) { struct guest g; };
FIXTURE_VARIANT(nested) { struct ref_kind kind; };
REF_VARIANTS(nested);

FIXTURE_SETUP(nested)
{
	REF_NEED_MODULE();
	guest_make(_metadata, &self->g, &variant->kind);
}

FIXTURE_TEARDOWN(nested)
{
}

/* Guests' tables with more than one level, and entries that may not be. */
FIXTURE(nested_large) { struct guest g; };
FIXTURE_VARIANT(nested_large) { struct ref_kind kind; };
REF_VARIANTS_LARGE(nested_large);

FIXTURE_SETUP(nested_large)
{
	REF_NEED_MODULE();
	guest_make(_metadata, &self->g, &variant->kind);
	ASSERT_LE(3, self->g.levels);
}

FIXTURE_TEARDOWN(nested_large)
{
}

/* The guest's entry for an IOVA in a table of @level; tables on the way are made. */
static uint64_t *guest_entry(struct guest *g, uint64_t iova, unsigned int level)
{
	unsigned int at = g->levels;
	uint64_t table = GPA, *entry;
	struct tables_entry old;

	for (;; at--) {
		entry = (uint64_t *)(g->mem + (table - GPA)) +
			tables_index(&g->kind, iova, at, g->levels);
		if (at == level)
			return entry;
		tables_decode(g->kind.format, *entry, at, &old);
		if (old.kind != TABLES_TABLE) {
			old.paddr = GPA + PAGES(g->used++);
			*entry = tables_table(g->kind.format, old.paddr, at);
		}
		table = old.paddr;
	}
}

/* Maps a page, @data pages after the tables; @prot 0 takes it away. */
static void guest_map(struct guest *g, uint64_t iova, unsigned int data, uint32_t prot)
{
	uint64_t gpa = GPA + PAGES(DATA + data);

	*guest_entry(g, iova, 1) = prot ? tables_leaf(g->kind.format, gpa, 1, prot) : 0;
}

static uint8_t *data_at(struct guest *g, unsigned int page)
{
	return g->mem + PAGES(DATA + page);
}

TEST_F(nested, two_stages)
{
	const struct ref_world *w = &self->g.w;
	uint64_t value;

	guest_map(&self->g, AT, 3, REF_RW);
	guest_map(&self->g, AT + PAGES(1), 1, REF_RW);
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, data_at(&self->g, 3)));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(1), data_at(&self->g, 1)));
	ASSERT_EQ(0, ref_fill(w->fd, w->endpoint, AT, AT + 7, 0x4242));
	memcpy(&value, data_at(&self->g, 3), sizeof(value));
	EXPECT_EQ(0x4242, value);
	EXPECT_EQ(REFIOMMU_FAULT_NOT_PRESENT, ref_probe(w->fd, w->endpoint, AT + PAGES(2), NULL));
	/* Guest-physical addresses are no IOVAs. */
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, GPA + PAGES(DATA)));
}

/* Both stages in one answer: the guest's entries, then the parent's. */
TEST_F(nested, lookup_shows_both_stages)
{
	const struct ref_kind parent = REF_AMDV1;
	const struct ref_world *w = &self->g.w;
	struct tables_walk first, second;
	struct refiommu_lookup l;
	uint32_t nr = 0;

	guest_map(&self->g, AT, 5, REFIOMMU_PROT_READ);
	ASSERT_EQ(0, ref_lookup(w->fd, self->g.nested, 0, AT + 0x123, &l));
	EXPECT_EQ(REFIOMMU_LOOKUP_PRESENT | REFIOMMU_LOOKUP_LEVELS | REFIOMMU_LOOKUP_NESTED,
		  l.out_flags & ~REFIOMMU_LOOKUP_MAPPING);
	EXPECT_EQ(GPA + PAGES(DATA + 5) + 0x123, l.out_gpa);
	EXPECT_EQ(ref_paddr(data_at(&self->g, 5)) + 0x123, l.out_paddr);
	EXPECT_EQ(REFIOMMU_PROT_READ, l.out_prot);
	EXPECT_EQ(REF_PAGE, l.out_page_bytes);
	while (nr < l.out_nr_levels && l.out_levels[nr].stage == 1)
		nr++;
	ASSERT_EQ(NULL, tables_follow(&variant->kind, l.out_levels, nr, AT + 0x123, &first));
	EXPECT_EQ(l.out_gpa, first.paddr);
	EXPECT_EQ(GPA, l.out_levels[0].entry_addr & ~0xfffULL &
			       -(1ULL << (self->g.levels == 1 ? 21 : 12)));
	EXPECT_EQ(*guest_entry(&self->g, AT, 1), l.out_levels[nr - 1].entry);
	ASSERT_EQ(NULL, tables_follow(&parent, l.out_levels + nr, l.out_nr_levels - nr, first.paddr,
				      &second));
	EXPECT_EQ(2, l.out_levels[nr].stage);
	EXPECT_EQ(l.out_paddr, second.paddr);
	/* The device's own view is the same. */
	EXPECT_EQ(l.out_paddr, ref_lookup_paddr(w->fd, w->endpoint, AT + 0x123));
}

/* A device may do what both stages allow. */
TEST_F(nested, permissions_of_both)
{
	const struct ref_world *w = &self->g.w;
	const uint64_t gpa = GPA + PAGES(GUEST_PAGES);
	uint64_t value;

	guest_map(&self->g, AT, 0, REFIOMMU_PROT_READ);
	EXPECT_EQ(0, ref_read64(w->fd, w->endpoint, AT, &value));
	EXPECT_EQ(REFIOMMU_FAULT_PERMISSION, ref_fill(w->fd, w->endpoint, AT, AT + 7, 0));
	/* The page behind the guest's memory is read-only in the parent. */
	ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, gpa, gpa + 0xfff, w->mem, REFIOMMU_PROT_READ));
	guest_map(&self->g, AT + PAGES(1), GUEST_PAGES - DATA, REF_RW);
	EXPECT_EQ(0, ref_read64(w->fd, w->endpoint, AT + PAGES(1), &value));
	EXPECT_LT(0, ref_fill(w->fd, w->endpoint, AT + PAGES(1), AT + PAGES(1) + 7, 0));
}

/* What was read is cached, until the guest says what it changed. */
TEST_F(nested, stale_until_invalidated)
{
	const struct ref_world *w = &self->g.w;
	struct refiommu_dma dma;

	guest_map(&self->g, AT, 1, REF_RW);
	guest_map(&self->g, AT + PAGES(1), 2, REF_RW);
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, data_at(&self->g, 1)));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(1), data_at(&self->g, 2)));
	guest_map(&self->g, AT, 3, REF_RW);
	guest_map(&self->g, AT + PAGES(1), 0, 0);
	EXPECT_EQ(0, ref_probe(w->fd, w->endpoint, AT, &dma));
	EXPECT_EQ(REFIOMMU_DMA_STALE_IOTLB, dma.out_flags);
	EXPECT_EQ(ref_paddr(data_at(&self->g, 1)), dma.out_paddr);
	EXPECT_EQ(ref_paddr(data_at(&self->g, 3)), ref_lookup_paddr(w->fd, self->g.nested, AT));
	/* One page, then the other. */
	ASSERT_EQ(0, ref_invalidate(w->fd, self->g.nested, AT, AT + 0xfff));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, data_at(&self->g, 3)));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(1), data_at(&self->g, 2)));
	ASSERT_EQ(0, ref_invalidate(w->fd, self->g.nested, AT + PAGES(1), AT + PAGES(1)));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT + PAGES(1)));
}

TEST_F(nested, invalidate_everything)
{
	const struct ref_world *w = &self->g.w;
	const struct ref_kind other = REF_VTD48;
	int own = ref_ioas(w->fd, 0);
	int endpoint = ref_endpoint(w->fd, ref_instance(w->fd, &other, 0), 0, REFIOMMU_DRIVER_NONE);

	guest_map(&self->g, AT, 1, REF_RW);
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, data_at(&self->g, 1)));
	guest_map(&self->g, AT, 2, REF_RW);
	ASSERT_EQ(0, ref_invalidate(w->fd, self->g.nested, 0, ~0ULL));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, data_at(&self->g, 2)));
	EXPECT_EQ(-EOVERFLOW, ref_invalidate(w->fd, self->g.nested, AT, AT - 1));
	/* Own tables: the whole space only, and it changes nothing that is right. */
	ASSERT_EQ(0, ref_attach(w->fd, own, endpoint));
	ASSERT_EQ(0, ref_map(w->fd, own, AT, PAGES(1), w->mem));
	EXPECT_TRUE(ref_sees(w->fd, endpoint, AT, w->mem));
	EXPECT_EQ(-EINVAL, ref_invalidate(w->fd, own, AT, AT + 0xfff));
	EXPECT_EQ(0, ref_invalidate(w->fd, own, 0, ~0ULL));
	EXPECT_TRUE(ref_sees(w->fd, endpoint, AT, w->mem));
}

/* The parent takes memory away: the guest's device cannot reach it, cached or not. */
TEST_F(nested, parent_unmap_reaches_the_guest)
{
	const struct ref_world *w = &self->g.w;
	const uint64_t gpa = GPA + PAGES(GUEST_PAGES);
	struct refiommu_dma dma;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, gpa, PAGES(1), w->mem));
	guest_map(&self->g, AT, GUEST_PAGES - DATA, REF_RW);
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, w->mem));
	ASSERT_EQ((int64_t)PAGES(1), ref_unmap_exact(w->fd, w->ioas, gpa, PAGES(1)));
	EXPECT_EQ(REFIOMMU_FAULT_STAGE2, ref_probe(w->fd, w->endpoint, AT, &dma));
	EXPECT_EQ(AT, dma.out_fault_iova);
	EXPECT_EQ(~0ULL, ref_lookup_paddr(w->fd, self->g.nested, AT));
	/* Other memory in its place is seen. */
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, gpa, PAGES(1), w->mem + PAGES(2)));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, w->mem + PAGES(2)));
	/* Even the guest's tables may go. */
	ASSERT_EQ((int64_t)PAGES(GUEST_PAGES + 1), ref_unmap_all(w->fd, w->ioas));
	EXPECT_EQ(REFIOMMU_FAULT_STAGE2, ref_probe(w->fd, w->endpoint, AT, NULL));
}

TEST_F(nested_large, a_table_outside_of_memory)
{
	const struct ref_world *w = &self->g.w;
	const unsigned int root = self->g.levels;

	*guest_entry(&self->g, AT, root) =
		tables_table(self->g.kind.format, GPA + (1ULL << 31), root);
	EXPECT_EQ(REFIOMMU_FAULT_STAGE2, ref_probe(w->fd, w->endpoint, AT, NULL));
}

/* What an address space with a guest's table cannot do. */
TEST_F(nested, refused_calls)
{
	const struct ref_world *w = &self->g.w;
	const int fd = w->fd, nested = self->g.nested;
	struct refiommu_ioas_replay counts;
	struct refiommu_event event;
	struct ref_kind bad = { 1000, 0 };

	EXPECT_EQ(-EOPNOTSUPP, ref_map(fd, nested, AT, PAGES(1), w->mem));
	EXPECT_EQ(-EOPNOTSUPP, ref_unmap_all(fd, nested));
	EXPECT_EQ(-EOPNOTSUPP, ref_reserve(fd, nested, REFIOMMU_RANGE_MSI, 0, 0xfff));
	EXPECT_EQ(-EOPNOTSUPP, ref_replay(fd, nested, 0, &counts));
	EXPECT_EQ(-EOPNOTSUPP, ref_events(fd, nested, &event, 1));
	EXPECT_GT(0, ref_nest(fd, nested, &variant->kind, GPA));
	EXPECT_GT(0, ref_nest(fd, ref_ioas(fd, REFIOMMU_IOAS_UNTRACKED), &variant->kind, GPA));
	EXPECT_EQ(-EINVAL, ref_nest(fd, w->ioas, &bad, GPA));
	EXPECT_EQ(-EINVAL, ref_nest(fd, w->ioas, &variant->kind, GPA + 8));
	EXPECT_EQ(-EINVAL, ref_nest(fd, w->ioas, &variant->kind, 0));
	EXPECT_EQ(-EBUSY, ref_destroy(fd, nested));
	EXPECT_EQ(-EBUSY, ref_destroy(fd, w->ioas));
}

/* From the parent to the guest's view and back: never both. */
TEST_F(nested, switch_with_the_parent)
{
	const struct ref_world *w = &self->g.w;
	const uint64_t gpa = GPA + PAGES(DATA);
	int turn;

	guest_map(&self->g, AT, 1, REF_RW);
	for (turn = 0; turn < 4; turn++) {
		EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, data_at(&self->g, 1)));
		EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, gpa));
		ASSERT_EQ(0, ref_attach(w->fd, w->ioas, w->endpoint));
		EXPECT_TRUE(ref_sees(w->fd, w->endpoint, gpa, data_at(&self->g, 0)));
		EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT));
		ASSERT_EQ(0, ref_attach(w->fd, self->g.nested, w->endpoint));
	}
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT));
	EXPECT_EQ(0, ref_destroy(w->fd, self->g.nested));
	EXPECT_EQ(0, ref_destroy(w->fd, w->ioas));
}

/* Is this physical address in the guest's memory? Pages do not move while they are pinned. */
static bool is_guests(struct guest *g, const uint64_t *paddr, uint64_t what)
{
	unsigned int page;

	for (page = 0; page < GUEST_PAGES; page++)
		if (paddr[page] == (what & ~0xfffULL))
			return true;
	return false;
}

/* Random bits; or tables in the guest's memory, of all levels; or those with a few bits wrong. */
static uint64_t hostile_entry(struct guest *g, unsigned int turn, unsigned int at)
{
	uint64_t bits = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ random();
	uint64_t gpa = GPA + PAGES(random() % 16);

	if (turn % 3 == 0)
		return bits;
	if (turn % 3 == 1)
		return tables_table(g->kind.format, gpa, 1 + at % 6);
	return tables_table(g->kind.format, gpa, 1) ^ (bits & (bits >> 7) & 0xfff);
}

/* A guest writes what it likes: the walk ends, and never leaves the guest's memory. */
TEST_F(nested, hostile_tables)
{
	const struct ref_world *w = &self->g.w;
	uint64_t paddr[GUEST_PAGES], *word = (uint64_t *)self->g.mem, iova, seen;
	struct refiommu_lookup l;
	struct refiommu_dma dma;
	unsigned int turn, at;

	srandom(3);
	for (at = 0; at < GUEST_PAGES; at++)
		paddr[at] = ref_paddr(self->g.mem + PAGES(at));
	for (turn = 0; turn < 200; turn++) {
		for (at = 0; at < PAGES(8) / 8; at++)
			word[at] = hostile_entry(&self->g, turn, at);
		ASSERT_EQ(0, ref_invalidate(w->fd, self->g.nested, 0, ~0ULL));
		for (at = 0; at < 16; at++) {
			iova = ((uint64_t)random() << 30 ^ random()) >> random() % 48;
			ASSERT_EQ(0, ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_PROBE, iova, iova, 0,
					     &dma));
			seen = dma.out_flags & REFIOMMU_DMA_FAULTED ? ~0ULL : dma.out_paddr;
			ASSERT_TRUE(seen == ~0ULL || is_guests(&self->g, paddr, seen));
			ASSERT_EQ(0, ref_lookup(w->fd, self->g.nested, 0, iova, &l));
			ASSERT_LE(l.out_nr_levels, 2 * REFIOMMU_MAX_LEVELS);
			ASSERT_EQ(seen,
				  l.out_flags & REFIOMMU_LOOKUP_PRESENT ? l.out_paddr : ~0ULL);
		}
	}
}

/* Every entry of the root points at the root. */
TEST_F(nested, self_pointing_root)
{
	const struct ref_world *w = &self->g.w;
	uint64_t *word = (uint64_t *)self->g.mem;
	struct refiommu_lookup l;
	unsigned int level, at;

	for (level = 1; level <= 7; level++) {
		for (at = 0; at < 512; at++)
			word[at] = tables_table(self->g.kind.format, GPA, level);
		ASSERT_EQ(0, ref_invalidate(w->fd, self->g.nested, 0, ~0ULL));
		EXPECT_LE(0, ref_probe(w->fd, w->endpoint, AT, NULL));
		ASSERT_EQ(0, ref_lookup(w->fd, self->g.nested, 0, AT, &l));
		EXPECT_LE(l.out_nr_levels, 2 * REFIOMMU_MAX_LEVELS);
	}
}

/* An entry that the format does not allow is told apart from one that is not there. */
TEST_F(nested_large, reserved_bits)
{
	const struct ref_world *w = &self->g.w;
	struct refiommu_lookup l;
	uint64_t *entry;

	entry = guest_entry(&self->g, AT, self->g.levels);
	*entry = tables_bad(self->g.kind.format, GPA, self->g.levels);
	EXPECT_EQ(REFIOMMU_FAULT_RESERVED_BITS, ref_probe(w->fd, w->endpoint, AT, NULL));
	ASSERT_EQ(0, ref_lookup(w->fd, self->g.nested, 0, AT, &l));
	EXPECT_EQ(REFIOMMU_LOOKUP_RESERVED_BITS,
		  l.out_flags & (REFIOMMU_LOOKUP_RESERVED_BITS | REFIOMMU_LOOKUP_PRESENT));
}

/* The guest's large pages; stage 2 has small ones, so the answer is the smaller. */
TEST_F(nested_large, large_pages_of_the_guest)
{
	const struct ref_world *w = &self->g.w;
	uint8_t *mem = ref_pages(512);
	struct refiommu_lookup l;
	uint64_t at;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, 4 * REF_HUGE, REF_HUGE, mem));
	*guest_entry(&self->g, 0, 2) = tables_leaf(self->g.kind.format, 4 * REF_HUGE, 2, REF_RW);
	for (at = 0; at < REF_HUGE; at += 0x7018)
		EXPECT_TRUE(ref_sees(w->fd, w->endpoint, at, mem + at));
	ASSERT_EQ(0, ref_lookup(w->fd, self->g.nested, 0, REF_HUGE - 1, &l));
	EXPECT_EQ(REF_PAGE, l.out_page_bytes);
	EXPECT_EQ(5 * REF_HUGE - 1, l.out_gpa);
	EXPECT_EQ(ref_paddr(mem + REF_HUGE - 1), l.out_paddr);
}

TEST_HARNESS_MAIN
