// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Intent: groups entering and leaving a VFIO type1 container, which happens in ioctls
 * and also when a process closes its files or dies. Functions of the module
 * vfio_iommu_type1: pending until it is loaded, and it stays pinned while we listen.
 */
#include "caller.bpf.h"

static __always_inline void group_end(void *ctx, u32 hook, u32 type, s64 ret)
{
	struct ev_vfio *rec;
	struct emit e;
	struct call c;

	call_end(ctx, hook, &c);
	if (!wanted_task(c.flags))
		return;
	rec = emit_op(&e, type, sizeof(*rec), &c);
	if (!rec)
		return;
	rec->container = 0;	/* iommu_data, which is what we have, is another identity */
	rec->vaddr = 0;
	rec->iova = 0;
	rec->size = 0;
	rec->done = 0;
	rec->vfio_flags = 0;
	rec->cmd = 0;
	rec->ret = ret;
	emit_submit(&e, rec);
	emit_stack(ctx, &e);
}

/* vfio_iommu_type1_attach_group(iommu_data, group, type) */
SEC("fentry")
int vfio_attach_group_entry(void *ctx)
{
	call_begin(ctx, HOOK_VFIO_ATTACH_GROUP, true, arg(ctx, 0), 0, 0);
	return 0;
}

SEC("fexit")
int vfio_attach_group_exit(void *ctx)
{
	group_end(ctx, HOOK_VFIO_ATTACH_GROUP, EV_VFIO_ATTACH, (s32)ret_of(ctx));
	return 0;
}

/* vfio_iommu_type1_detach_group(iommu_data, group) */
SEC("fentry")
int vfio_detach_group_entry(void *ctx)
{
	call_begin(ctx, HOOK_VFIO_DETACH_GROUP, true, arg(ctx, 0), 0, 0);
	return 0;
}

SEC("fexit")
int vfio_detach_group_exit(void *ctx)
{
	group_end(ctx, HOOK_VFIO_DETACH_GROUP, EV_VFIO_DETACH, 0);
	return 0;
}
