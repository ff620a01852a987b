// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * State at the start: every IOMMU group's devices, their domain and cache tags, read
 * from the kernel's own list of groups. Run on demand; the records carry EVF_STATE.
 */
#include "object.bpf.h"

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

/* PREEMPT_RT's mutex looks different: there the 10 ms rule of the reader must do. */
static __always_inline bool group_is_busy(struct iommu_group *group)
{
	return bpf_core_field_exists(group->mutex.owner) &&
	       BPF_CORE_READ(group, mutex.owner.counter);
}

static __always_inline struct iommu_domain *group_domain(struct iommu_group *group)
{
	return BPF_CORE_READ(group, domain);
}

/* Verified once, for any numbers, and not in each turn of the walk. */
__attribute__((noinline)) int state_device(u64 at, u64 in_group, u64 in_domain)
{
	struct device *dev = (void *)at;
	struct iommu_group *group = (void *)in_group;
	struct iommu_domain *domain = (void *)in_domain;
	u32 kind = device_driver_kind(dev);
	struct ev_attach *rec;
	struct emit e;

	emit_device(dev, EVF_STATE);
	if (!domain)
		return 0;
	emit_domain(domain, kind, EVF_STATE);
	if (group_is_busy(group) || group_domain(group) != domain)
		return 0;	/* moved meanwhile: that is heard */
	/* Those of refiommu are known from their trace event only: the module has no BTF. */
	if (kind == EV_DRIVER_VTD || kind == EV_DRIVER_AMD)
		emit_tag(domain, dev, kind, EV_TAG_NO_PASID, EVF_STATE);
	rec = emit_reserve(&e, EV_ATTACH, sizeof(*rec), EVF_STATE);
	if (!rec)
		return 0;
	__builtin_memset((void *)rec + sizeof(struct ev_hdr), 0,
			 sizeof(*rec) - sizeof(struct ev_hdr));
	rec->dev = (u64)dev;
	rec->domain = (u64)domain;
	rec->group = device_group(dev);
	rec->pasid = EV_TAG_NO_PASID;
	rec->hook = HOOK_NONE;
	emit_submit(&e, rec);
	return 0;
}

static __always_inline bool device_is_parked(struct group_device *gd)
{
	struct group_device___reset *r = (void *)gd;

	return bpf_core_field_exists(r->blocked) && BPF_CORE_READ(r, blocked);
}

static long device_step(u32 i, struct group_walk *w)
{
	struct group_device *gd;
	struct iommu_domain *domain;
	struct device *dev;

	if (w->pos == w->head || !w->pos)
		return 1;
	gd = (void *)w->pos - bpf_core_field_offset(struct group_device, list);
	dev = BPF_CORE_READ(gd, dev);
	if (!dev)
		return 1;	/* the entry went away under the walk */
	domain = group_domain(w->group);
	if (!device_is_parked(gd) && want_device(dev, domain))
		state_device((u64)dev, (u64)w->group, (u64)domain);
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

/* Run on each CPU after a loss: a gap lasts until its CPU's next record. */
SEC("raw_tp")
int cpu_mark(void *ctx)
{
	struct ev_mark *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_MARK, sizeof(*rec), EVF_STATE);
	if (!rec)
		return 0;
	rec->kind = EV_MARK_CPU;
	rec->pad = 0;
	rec->value = 0;
	emit_submit(&e, rec);
	return 0;
}

SEC("syscall")
int state_read(void *ctx)
{
	struct kset_walk w = {};
	struct kset *kset = NULL;

	bpf_probe_read_kernel(&kset, sizeof(kset), (void *)config.group_kset);
	if (!kset)
		return 0;
	w.head = (u64)kset + bpf_core_field_offset(struct kset, list);
	w.pos = (u64)BPF_CORE_READ(kset, list.next);
	bpf_loop(GROUPS_MAX, group_step, &w, 0);
	return w.pos != w.head || w.busy;	/* not all was read: try again */
}
