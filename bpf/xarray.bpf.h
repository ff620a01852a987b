/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's arrays of pointers (lib/xarray.c), read without their lock. */
#ifndef IOMMUSCOPE_XARRAY_BPF_H
#define IOMMUSCOPE_XARRAY_BPF_H

#include "config.bpf.h"

/* The entry at @index, for arrays without multi-index entries. */
static __always_inline void *xarray_load(void *head, u32 index)
{
	u64 entry = (u64)head;
	int i;

	for (i = 0; i < 4; i++) {
		struct xa_node *node;
		u32 shift;

		if ((entry & 3) != 2)
			return index && !i ? NULL : (void *)entry;
		node = (void *)(entry - 2);
		shift = BPF_CORE_READ(node, shift);
		bpf_probe_read_kernel(&entry, sizeof(entry),
				      (void *)node + bpf_core_field_offset(struct xa_node, slots) +
					      ((index >> (shift & 31)) & 63) * sizeof(void *));
		if (!shift)
			return (void *)entry;
	}
	return NULL;
}

/* Marks of the array's own: an index that is reserved, a walk that should be begun again. */
static __always_inline bool xarray_is_pointer(void *entry)
{
	return entry && !((u64)entry & 3);
}

/* No index above has an entry. */
static __always_inline u32 xarray_last(void *head)
{
	struct xa_node *node;
	u64 entry = (u64)head;
	u32 shift;

	if ((entry & 3) != 2)
		return 0;
	node = (void *)(entry - 2);
	shift = BPF_CORE_READ(node, shift);
	return shift > 24 ? ~0U : (64U << shift) - 1;
}

#endif
