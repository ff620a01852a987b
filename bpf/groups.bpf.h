/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's own list of IOMMU groups and their devices, walked on demand. Who includes this says with
 * group_device() what is done with each. Nothing is locked: a group that is being changed is left out and
 * told, as is a list that moved under the walk.
 */
#ifndef IOMMUSCOPE_GROUPS_BPF_H
#define IOMMUSCOPE_GROUPS_BPF_H

#include "who.bpf.h"

#define GROUPS_MAX 65536
#define GROUP_DEVICES_MAX 4096

static __always_inline u64 list_next(u64 pos)
{
	struct list_head *at = (void *)pos;

	return (u64)BPF_CORE_READ(at, next);
}

struct group_walk {
	u64 pos;		/* struct list_head * */
	u64 head;
	struct iommu_group *group;
};

struct kset_walk {
	u64 pos;
	u64 head;
	u64 busy;		/* 1: a group was being changed, and left out */
};

static __always_inline bool mutex_is_held(struct mutex *mutex)
{
	struct mutex___rt *rt = (void *)mutex;

	if (bpf_core_field_exists(rt->rtmutex))
		return BPF_CORE_READ(rt, rtmutex.owner);
	return bpf_core_field_exists(mutex->owner) && BPF_CORE_READ(mutex, owner.counter);
}

static __always_inline bool group_is_busy(struct iommu_group *group)
{
	return mutex_is_held((void *)group + bpf_core_field_offset(struct iommu_group, mutex));
}

static __always_inline struct iommu_domain *group_domain(struct iommu_group *group)
{
	return BPF_CORE_READ(group, domain);
}

static __always_inline bool device_is_parked(struct group_device *gd)
{
	struct group_device___reset *r = (void *)gd;

	return bpf_core_field_exists(r->blocked) && BPF_CORE_READ(r, blocked);
}

/* Of who includes this; not 0 ends the walk of the group. */
static __always_inline long group_device(struct group_device *gd, struct device *dev,
					 struct iommu_group *group);

static long device_step(u32 i, struct group_walk *w)
{
	struct group_device *gd;
	struct device *dev;

	if (w->pos == w->head || !w->pos)
		return 1;
	gd = (void *)w->pos - bpf_core_field_offset(struct group_device, list);
	dev = BPF_CORE_READ(gd, dev);
	if (!dev)
		return 1;	/* the entry went away under the walk */
	if (group_device(gd, dev, w->group))
		return 1;
	w->pos = list_next(w->pos);
	return 0;
}

static long group_step(u32 i, struct kset_walk *w)
{
	struct group_walk g = {};
	struct iommu_group *group;
	u64 next;

	if (w->pos == w->head || !w->pos)
		return 1;
	group = (void *)w->pos - bpf_core_field_offset(struct kobject, entry) -
		bpf_core_field_offset(struct iommu_group, kobj);
	if (group_is_busy(group)) {
		w->busy = 1;	/* a counter would never settle in the verifier */
		goto next;
	}
	g.group = group;
	g.head = (u64)group + bpf_core_field_offset(struct iommu_group, devices);
	g.pos = (u64)BPF_CORE_READ(group, devices.next);
	bpf_loop(GROUP_DEVICES_MAX, device_step, &g, 0);
next:
	next = list_next(w->pos);
	if (next == w->pos)
		return 1;	/* taken off the list under the walk */
	w->pos = next;
	return 0;
}

/* Return: not 0: not all was seen; try again. */
static __always_inline int groups_walk(void)
{
	struct kset_walk w = {};
	struct kset *kset = NULL;

	bpf_probe_read_kernel(&kset, sizeof(kset), (void *)config.group_kset);
	if (!kset)
		return 0;
	w.head = (u64)kset + bpf_core_field_offset(struct kset, list);
	w.pos = (u64)BPF_CORE_READ(kset, list.next);
	bpf_loop(GROUPS_MAX, group_step, &w, 0);
	return w.pos != w.head || w.busy;
}

#endif
