// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random operations on the page tables of refiommu.ko, near the edges of windows and of tables,
 * against a list of leaves: every result, every lookup and the pages left are compared.
 */
#include "table_test.h"

#define MAX_LEAVES 4096

struct leaf {
	u64 first, paddr;
	unsigned int lg2;
	u32 prot;
};

/* Its leaves in no order: slow, and obviously right. */
struct model {
	struct ref_table table;
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
	struct leaf leaf = { .lg2 = some_lg2(geo), .prot = 1 + below(3) };
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

static void random_operations(const struct ref_format *format, unsigned int width, u64 pgsizes)
{
	struct model *m = calloc(1, sizeof(*m));
	u64 pages;
	int i;

	assert_int_equal(ref_table_init(&m->table, format, width, pgsizes), 0);
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

static void random_vtd(void **state)
{
	(void)state;
	random_operations(&ref_format_vtd, 39, 0);
	random_operations(&ref_format_vtd, 0, 0);
	random_operations(&ref_format_vtd, 57, 0);
	random_operations(&ref_format_vtd, 48, 0x1000);
	random_operations(&ref_format_vtd, 48, 0x201000);
}

static void random_amdv1(void **state)
{
	unsigned int width;

	(void)state;
	for (width = 21; width <= 57; width += 9)
		random_operations(&ref_format_amdv1, width, 0);
	random_operations(&ref_format_amdv1, 0, 0);
	random_operations(&ref_format_amdv1, 64, 0x1000);
	random_operations(&ref_format_amdv1, 64, 0x403000);
}

static void random_tce(void **state)
{
	(void)state;
	random_operations(&ref_format_tce, 0, 0);
	random_operations(&ref_format_tce, 0, 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_vtd),
		cmocka_unit_test(random_amdv1),
		cmocka_unit_test(random_tce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
