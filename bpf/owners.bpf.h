/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who owns the DMA of a group (iommu_group.owner), and where its book is. The owner is only a pointer: it is taken for
 * what it may be if what is read there names the group back.
 */
#ifndef IOMMUSCOPE_OWNERS_BPF_H
#define IOMMUSCOPE_OWNERS_BPF_H

#include "iommufd.bpf.h"

static __always_inline bool owner_is_vfio(const struct peek_owner *ask)
{
	struct vfio_group *group = (void *)ask->owner;

	/* A book that cannot be read (vfio_iommu_type1 came after us) would be one that is never still. */
	return bpf_core_type_exists(struct vfio_group) && bpf_core_type_exists(struct vfio_container) &&
	       bpf_core_type_exists(struct vfio_iommu) &&
	       (u64)BPF_CORE_READ(group, iommu_group) == ask->group_at;
}

SEC("syscall")
int peek_owner(struct peek_owner *ask)
{
	struct vfio_group *group = (void *)ask->owner;
	u32 kind = PEEK_OWNER_NONE;
	u64 book = 0;

	if (group && owner_is_vfio(ask)) {
		kind = PEEK_OWNER_VFIO;
		book = (u64)BPF_CORE_READ(group, container, iommu_data);
	} else if (group && owner_is_iommufd(ask)) {
		kind = PEEK_OWNER_IOMMUFD;
		book = iommufd_book((void *)ask->owner, ask->domain);
	}
	/* In one place: only constant offsets may be written. */
	ask->kind = kind;
	ask->book = book;
	return 0;
}

#endif
