// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random operations on the page tables of refiommu.ko, near the edges of windows and of tables,
 * against a list of leaves: every result, every lookup and the pages left are compared.
 *
 * A new format: a row in configs[].
 */
#include <stdio.h>

#include "table_test.h"

#define MAX_LEAVES 4096

/* Permissions that a format's leaves can have, as a mask of 1 << prot. */
#define ANY_PROT (1 << REFIOMMU_PROT_READ | 1 << REFIOMMU_PROT_WRITE | 1 << RW)
#define NO_WRITE_ONLY (1 << REFIOMMU_PROT_READ | 1 << RW)

/* Width 0 and page sizes 0: as the format likes. */
static const struct config {
	const struct ref_format *format;
	unsigned int width;
	u64 pgsizes;
	u32 prots;
} configs[] = {
	{ &ref_format_vtd, 39, 0, ANY_PROT },
	{ &ref_format_vtd, 0, 0, ANY_PROT },
	{ &ref_format_vtd, 57, 0, ANY_PROT },
	{ &ref_format_vtd, 48, 0x1000, ANY_PROT },
	{ &ref_format_vtd, 48, 0x201000, ANY_PROT },
	{ &ref_format_amdv1, 21, 0, ANY_PROT },
	{ &ref_format_amdv1, 30, 0, ANY_PROT },
	{ &ref_format_amdv1, 39, 0, ANY_PROT },
	{ &ref_format_amdv1, 48, 0, ANY_PROT },
	{ &ref_format_amdv1, 57, 0, ANY_PROT },
	{ &ref_format_amdv1, 0, 0, ANY_PROT },
	{ &ref_format_amdv1, 64, 0x1000, ANY_PROT },
	{ &ref_format_amdv1, 64, 0x403000, ANY_PROT },
	{ &ref_format_tce, 0, 0, ANY_PROT },
	{ &ref_format_tce, 0, 0x1000, ANY_PROT },
};

struct leaf {
	u64 first, paddr;
	unsigned int lg2;
	u32 prot;
};

/* Its leaves in no order: slow, and obviously right. */
struct model {
	struct ref_table table;
	u32 prots;
	struct leaf leaves[MAX_LEAVES];
	unsigned int nr;
};

static u64 last_byte(const struct leaf *leaf)
{
	return leaf->first + ((1ULL << leaf->lg2) - 1);
}

static struct leaf *model_find(struct model *m, u64 first, u64 last)
{
	struct leaf *best = NULL;
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		struct leaf *leaf = &m->leaves[i];

		if (leaf->first <= last && first <= last_byte(leaf) &&
		    (!best || leaf->first < best->first))
			best = leaf;
	}
	return best;
}

/* What a map must give. */
static int model_map(struct model *m, struct leaf leaf, size_t count, size_t *mapped)
{
	__uint128_t bytes = (__uint128_t)count << leaf.lg2;
	const struct ref_geometry *geo = &m->table.layout.geo;
	unsigned int i;

	if ((leaf.first | leaf.paddr) & ((1ULL << leaf.lg2) - 1))
		return -EINVAL;
	if (leaf.paddr + bytes - 1 > (geo->paddr_mask | 0xfff))
		return -ERANGE;
	for (i = 0; i < geo->nr_windows; i++)
		if (leaf.first >= geo->windows[i].first &&
		    leaf.first + bytes - 1 <= geo->windows[i].last)
			break;
	if (i == geo->nr_windows)
		return -ERANGE;

	for (; count--; leaf.first += 1ULL << leaf.lg2, leaf.paddr += 1ULL << leaf.lg2) {
		if (model_find(m, leaf.first, last_byte(&leaf)))
			return -EEXIST;
		m->leaves[m->nr++] = leaf;
		*mapped += 1ULL << leaf.lg2;
	}
	return 0;
}

static size_t model_unmap(struct model *m, u64 iova, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		struct leaf *leaf = model_find(m, iova + done, iova + done);
		u64 last;

		if (!leaf || leaf->first != iova + done)
			break;
		last = last_byte(leaf);
		*leaf = m->leaves[--m->nr];
		done = last - iova + 1;
		if (last == ~0ULL)
			break;
	}
	return done;
}

static u64 some_lg2(const struct ref_geometry *geo)
{
	unsigned int lg2;

	do
		lg2 = 12 + below(below(3) ? 10 : 40);
	while (!(geo->pgsizes >> lg2 & 1));
	return lg2;
}

static u32 some_prot(u32 prots)
{
	u32 prot;

	do
		prot = 1 + below(RW);
	while (!(prots >> prot & 1));
	return prot;
}

/* Near an edge of a window, or of a table of some level. */
static u64 some_iova(const struct ref_geometry *geo, unsigned int lg2)
{
	const struct ref_window *window = &geo->windows[below(geo->nr_windows)];
	unsigned int edge = 12 + window->index_lg2 * below(window->levels);
	u64 iova = below(2) ? window->first : window->last;

	if (!below(3))
		iova = window->first + (1ULL << edge);
	iova += (below(32) - 16) << (below(4) ? lg2 : 12);
	return below(50) ? iova >> lg2 << lg2 : iova & ~0xfffULL;
}

static size_t some_count(void)
{
	return 1 + below(below(20) ? 5 : 600);
}

static void random_map(struct model *m)
{
	const struct ref_geometry *geo = &m->table.layout.geo;
	struct leaf leaf = { .lg2 = some_lg2(geo), .prot = some_prot(m->prots) };
	size_t count = some_count(), mapped = 0, expected = 0;
	int err;

	if (m->nr + count > MAX_LEAVES)
		return;
	leaf.first = some_iova(geo, leaf.lg2);
	leaf.paddr = (u64)below(1 << 20) << 12;
	if (leaf.lg2 > 12)
		leaf.paddr = (u64)below(8) << leaf.lg2;

	err = ref_table_map(&m->table, leaf.first, leaf.paddr, 1ULL << leaf.lg2, count, leaf.prot,
			    GFP_KERNEL, &mapped);
	assert_int_equal(err, model_map(m, leaf, count, &expected));
	assert_int_equal(mapped, expected);
	if (mapped && ref_table_owes_flush(&m->table, leaf.first, leaf.first + mapped - 1))
		flushed(&m->table, leaf.first, leaf.first + mapped - 1);
}

static void random_unmap(struct model *m)
{
	const struct ref_geometry *geo = &m->table.layout.geo;
	unsigned int lg2 = some_lg2(geo);
	size_t bytes = some_count() << lg2, done;
	u64 iova = some_iova(geo, lg2);

	if (m->nr && below(3))
		iova = m->leaves[below(m->nr)].first;
	if (m->nr && !below(10))
		bytes = ~0ULL << 12;
	done = ref_table_unmap(&m->table, iova, bytes);
	assert_int_equal(done, model_unmap(m, iova, bytes));
	/* Its flush frees what it retired; some come late, at once. */
	if (done && below(4)) {
		flushed(&m->table, iova, iova + done - 1);
		assert_false(ref_table_owes_flush(&m->table, iova, iova + done - 1));
	}
	if (!below(100))
		flushed(&m->table, 0, ~0ULL);
}

static void expect_walk(struct model *m, u64 iova, const struct ref_walk *walk)
{
	struct leaf *leaf = model_find(m, iova, iova);

	if (!leaf) {
		assert_int_not_equal(walk->fault, 0);
		return;
	}
	assert_int_equal(walk->fault, 0);
	assert_int_equal(walk->paddr, leaf->paddr + (iova - leaf->first));
	assert_int_equal(walk->size_lg2, leaf->lg2);
	assert_int_equal(walk->prot, leaf->prot);
}

static void random_look(struct model *m)
{
	const struct ref_geometry *geo = &m->table.layout.geo;
	u64 iova = some_iova(geo, 12) + below(4096);
	u64 last = below(2) ? ~0ULL : iova + below(1 << 22);
	struct ref_walk walk;
	struct leaf *leaf;
	u64 next;

	if (m->nr && below(2))
		iova = last_byte(&m->leaves[below(m->nr)]);
	if (last < iova)
		last = iova;
	ref_table_walk(&m->table, iova, &walk);
	expect_walk(m, iova, &walk);

	leaf = model_find(m, iova, last);
	assert_int_equal(ref_table_next(&m->table, iova, last, &next, &walk), !!leaf);
	if (leaf) {
		assert_int_equal(next, leaf->first < iova ? iova : leaf->first);
		expect_walk(m, next, &walk);
	}
}

static void unmap_all(struct model *m)
{
	struct ref_walk walk;
	u64 iova;

	while (ref_table_next(&m->table, 0, ~0ULL, &iova, &walk)) {
		size_t done = ref_table_unmap(&m->table, iova, 1);

		assert_int_equal(done, 1ULL << walk.size_lg2);
		assert_int_equal(done, model_unmap(m, iova, 1));
	}
	assert_int_equal(m->nr, 0);
}

static void random_operations(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	const struct config *config = *state;
	u64 pages;
	int i;

	assert_int_equal(ref_table_init(&m->table, config->format, config->width, config->pgsizes),
			 0);
	m->prots = config->prots;
	pages = ref_table_pages();
	for (i = 0; i < 20000; i++) {
		switch (below(4)) {
		case 0:
			random_map(m);
			break;
		case 1:
			random_unmap(m);
			break;
		default:
			random_look(m);
		}
		if (!below(2000))
			unmap_all(m);
	}
	assert_true(ref_table_pages() >= pages);
	ref_table_destroy(&m->table);
	assert_int_equal(ref_table_pages(), 0);
	free(m);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(configs)];
	char names[ARRAY_SIZE(configs)][64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(configs); i++) {
		snprintf(names[i], sizeof(names[i]), "random_%s width %u sizes %#llx prots %#x",
			 configs[i].format->name, configs[i].width, configs[i].pgsizes,
			 configs[i].prots);
		tests[i] = (struct CMUnitTest){
			.name = names[i],
			.test_func = random_operations,
			.initial_state = (void *)&configs[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
