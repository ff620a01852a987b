// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random tables against the slow reader: good ones as a driver writes them, then with words that are anything. A word
 * may lead to a table only if nothing else does: of two ways the slow one knows nothing.
 */
#include "image.h"
#include "rnd.h"

#define PLANTED 40
#define ROUNDS 150

/* Near one of few places, so that neighbours meet; some at the ends. */
static uint64_t rnd_iova(const struct walk_table *t)
{
	const struct walk_window *win = &t->windows[rnd(t->nwindows)];
	uint64_t offset = 0, span = win->last - win->first;

	switch (rnd(5)) {
	case 0:
		offset = rnd(4) * GB;
		break;
	case 1:
		offset = span - rnd(4) * 2 * MB;
		break;
	case 2:
		offset = rnd(8) << (30 + rnd(26));
		break;
	}
	offset += (rnd(6) * 2 * MB) + (rnd(16) << 12);
	return win->first + (span == UINT64_MAX ? offset : offset % (span + 1));
}

static uint32_t rnd_lg2(enum walk_format format)
{
	switch (format) {
	case WALK_TCE:
		return 12;
	case WALK_AMD_V1:
		return rnd(2) ? 12 : 12 + rnd(27);
	default:
		return rnd(3) ? 12 : rnd(2) ? 21 : 30;
	}
}

static bool is_free(struct image *m, const struct walk_table *t, uint64_t iova, uint32_t lg2)
{
	uint64_t last = iova | ((1ULL << lg2) - 1), i;
	struct translated x;

	for (i = 0; i <= 64; i++) {
		x = translate(m, t, iova + (last - iova) / 64 * i);
		if (x.is != HOLE || (lg2 > 20 && x.level < 2) || (lg2 > 29 && x.level < 3))
			return false;
	}
	return true;
}

static void plant_one(struct image *m, const struct walk_table *t, uint64_t *iova, uint64_t *paddr)
{
	uint32_t lg2 = rnd_lg2(t->format);
	uint64_t mask = (1ULL << lg2) - 1;

	/* Often goes on where the last one ended. */
	if (rnd(3)) {
		*iova += 0x1000;
		*paddr += 0x1000;
	} else {
		*iova = rnd_iova(t);
		*paddr = rnd(1ULL << 39) & ~0xfffULL;
	}
	*iova &= ~mask;
	*paddr &= ~mask;
	if (translate(m, t, *iova).is == OUTSIDE || translate(m, t, *iova | mask).is == OUTSIDE ||
	    !is_free(m, t, *iova, lg2))
		return;
	plant(m, t, *iova, *paddr, lg2, t->format == WALK_X86 ? RW : 1 + rnd(3));
	*iova += mask & ~0xfffULL;
	*paddr += mask & ~0xfffULL;
}

static bool leads_to_memory(struct image *m, const struct walk_table *t, uint64_t word)
{
	uint64_t value = t->format == WALK_TCE ? plant_swap(word) : word;

	return image_word(m, value & 0xffffffffff000ULL) || image_word(m, value & ~0xfffULL);
}

/* Some word of some table: a bit of it, or all. */
static void spoil(struct image *m, const struct walk_table *t)
{
	uint64_t *word = image_word(m, 0x100000 + rnd((m->next - 0x100000) / 8) * 8), was;

	for (;;) {
		if (*word || !rnd(8))
			break;
		word = image_word(m, 0x100000 + rnd((m->next - 0x100000) / 8) * 8);
	}
	was = *word;
	if (t->format == WALK_AMD_V1 && rnd(2)) {
		*word = (was & ~(7ULL << 9)) | rnd(8) << 9;	/* levels left out */
		return;
	}
	*word ^= rnd(4) ? 1ULL << rnd(64) : rnd_step(&rnd_state);
	if (leads_to_memory(m, t, *word))
		*word = was;
}

static void compare(struct image *m, const struct walk_table *t)
{
	uint64_t a = rnd_iova(t), b = rnd_iova(t);
	struct told told;
	int i;

	told_walk(&told, m, t, 0, ~0ULL);
	told_agrees(&told, m, t, 0, ~0ULL);
	told_free(&told);
	for (i = 0; i < 4; i++) {
		uint64_t first = a < b ? a : b, last = a < b ? b : a;

		told_walk(&told, m, t, first, last);
		told_agrees(&told, m, t, first, last);
		told_free(&told);
		a += rnd(0x3000) - 0x1800;
		b = rnd(2) ? a + rnd(4 * GB) : rnd_iova(t);
	}
}

static void rounds(struct walk_table (*make)(struct image *m))
{
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		struct image m;
		struct walk_table t;
		uint64_t iova = 0, paddr = 0;

		image_begin(&m);
		t = make(&m);
		for (i = 0; i < PLANTED; i++)
			plant_one(&m, &t, &iova, &paddr);
		compare(&m, &t);
		for (i = rnd(20); i; i--)
			spoil(&m, &t);
		compare(&m, &t);
		image_end(&m);
	}
}

static struct walk_table make_vtd(struct image *m)
{
	return walk_vtd_second(image_pages(m, 1), 3 + rnd(3));
}

static void vtd(void **state)
{
	(void)state;
	rounds(make_vtd);
}

static struct walk_table make_x86(struct image *m)
{
	return walk_x86(image_pages(m, 1), 4 + rnd(2));
}

static void x86(void **state)
{
	(void)state;
	rounds(make_x86);
}

static struct walk_table make_amd(struct image *m)
{
	return walk_amd_v1(image_pages(m, 1), 3 + rnd(4));
}

static void amd(void **state)
{
	(void)state;
	rounds(make_amd);
}

static void tce(void **state)
{
	(void)state;
	rounds(plant_tce);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtd),
		cmocka_unit_test(x86),
		cmocka_unit_test(amd),
		cmocka_unit_test(tce),
	};

	rnd_state = 88172645463325252ULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
