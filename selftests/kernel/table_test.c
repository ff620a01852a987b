// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "table_test.h"

unsigned long ref_bugs[BITS_TO_LONGS(NR_REF_BUGS)];
int shim_allocations = -1;

u64 random64(void)
{
	static u64 x = 88172645463325252ULL; /* xorshift64 */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

u64 below(u64 n)
{
	return (random64() >> 16) % n;
}

size_t map(struct ref_table *t, u64 iova, u64 paddr, size_t pgsize, size_t pgcount, u32 prot)
{
	size_t mapped = 0;

	assert_int_equal(ref_table_map(t, iova, paddr, pgsize, pgcount, prot, GFP_KERNEL, &mapped),
			 0);
	return mapped;
}

void flushed(struct ref_table *t, u64 first, u64 last)
{
	LIST_HEAD(pages);

	ref_table_take_retired(t, first, last, &pages);
	ref_table_free_retired(t, &pages);
}
