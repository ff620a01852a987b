// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tables as drivers write them. */
#include "image.h"

uint64_t plant_swap(uint64_t word)
{
	uint8_t bytes[8];
	uint64_t out = 0;
	int i;

	memcpy(bytes, &word, sizeof(bytes));
	for (i = 0; i < 8; i++)
		out = out << 8 | bytes[i];
	return out;
}

uint64_t plant_table_word(enum walk_format format, uint32_t next_level, uint64_t paddr)
{
	switch (format) {
	case WALK_VTD_SECOND:
		return paddr | 3;
	case WALK_X86:
		return paddr | 0x27;
	case WALK_AMD_V1:
		return paddr | 1 | next_level << 9 | 3ULL << 61;
	default:
		return plant_swap(paddr | 3);
	}
}

static uint64_t amd_leaf(uint32_t level, uint64_t paddr, uint32_t lg2, uint32_t prot)
{
	uint64_t word = paddr | 1 | (uint64_t)prot << 61 | 1ULL << 60;
	uint32_t bit;

	if (lg2 == 12 + 9 * (level - 1))
		return word;
	for (bit = 12; bit < lg2 - 1; bit++)
		word |= 1ULL << bit;
	return word | 7 << 9;
}

uint64_t plant_leaf_word(enum walk_format format, uint32_t level, uint64_t paddr, uint32_t lg2,
			 uint32_t prot)
{
	switch (format) {
	case WALK_VTD_SECOND:
		return paddr | prot | (level > 1 ? 0x80 : 0);
	case WALK_X86:
		return paddr | 0x25 | (prot & WALK_WRITE ? 0x42 : 0) | (level > 1 ? 0x80 : 0);
	case WALK_AMD_V1:
		return amd_leaf(level, paddr, lg2, prot);
	default:
		return plant_swap(paddr | prot);
	}
}

static const struct walk_window *window_for(const struct walk_table *t, uint64_t iova)
{
	uint32_t i;

	for (i = 0; i < t->nwindows; i++)
		if (iova >= t->windows[i].first && iova <= t->windows[i].last)
			return &t->windows[i];
	fail_msg("no window");
	return NULL;
}

static uint64_t address_in(enum walk_format format, uint64_t word)
{
	return format == WALK_TCE ? plant_swap(word) & ~0xfffULL : word & 0xffffffffff000ULL;
}

uint64_t plant_at(struct image *m, const struct walk_table *t, uint64_t iova, uint32_t level)
{
	const struct walk_window *win = window_for(t, iova);
	uint64_t table = win->root, entry;
	uint32_t l;

	for (l = win->levels;; l--) {
		uint64_t index = iova >> (12 + win->index_lg2 * (l - 1));

		entry = table + index % (1ULL << win->index_lg2) * 8;
		if (l == level)
			return entry;
		if (!image_get(m, entry)) {
			table = image_pages(m, (8ULL << win->index_lg2) / WALK_PAGE_BYTES);
			image_set(m, entry, plant_table_word(t->format, l - 1, table));
		}
		table = address_in(t->format, image_get(m, entry));
	}
}

uint64_t plant(struct image *m, const struct walk_table *t, uint64_t iova, uint64_t paddr,
	       uint32_t lg2, uint32_t prot)
{
	uint32_t level = (lg2 - 12) / window_for(t, iova)->index_lg2 + 1;
	uint32_t n = 1U << (lg2 - 12 - window_for(t, iova)->index_lg2 * (level - 1)), i;
	uint64_t entry = plant_at(m, t, iova, level);

	for (i = 0; i < n; i++)
		image_set(m, entry + i * 8,
			  plant_leaf_word(t->format, level, paddr, lg2, prot));
	return entry;
}

/* As kernel/table_tce.c has them. */
struct walk_table plant_tce(struct image *m)
{
	struct walk_table t = { .format = WALK_TCE, .nwindows = 2 };

	t.windows[0] = (struct walk_window) {
		.last = GB - 1, .root = image_pages(m, 512), .levels = 1, .index_lg2 = 18,
	};
	t.windows[1] = (struct walk_window) {
		.first = 1ULL << 59, .last = (1ULL << 59) + 32 * TB - 1,
		.root = image_pages(m, 4), .levels = 3, .index_lg2 = 11,
	};
	return t;
}
