// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Action: what the IOMMU core did. Exit programs write the record; entry programs only
 * leave the frame that gives it a begin and what runs inside it a context.
 * Functions and signatures: drivers/iommu/iommu.c of 6.1, 6.12 and 7.2.
 */
#include "caller.bpf.h"
#include "sg.bpf.h"
#include "object.bpf.h"
#include "frame.bpf.h"

/* (domain, iova, paddr, size, ...) */
static __always_inline void map_begin(void *ctx, u32 hook)
{
	call_begin(ctx, hook, false, arg(ctx, 0), arg(ctx, 1), arg(ctx, 3));
}

static __always_inline void map_end(void *ctx, u32 hook)
{
	struct ev_map *rec;
	struct emit e;
	struct call c;
	u64 domain = arg(ctx, 0);
	bool mapped;

	call_end(ctx, hook, &c);
	if (!wanted_key(domain) || !wanted_task(c.flags))
		return;
	rec = emit_op(&e, EV_MAP, sizeof(*rec), &c);
	if (!rec)
		return;
	rec->domain = domain;
	rec->iova = arg(ctx, 1);
	rec->paddr = arg(ctx, 2);
	rec->size = arg(ctx, 3);
	rec->prot = arg(ctx, 4);
	rec->ret = ret_of(ctx);
	mapped = !rec->ret;
	emit_submit(&e, rec);
	emit_stack(ctx, &e);
	if (mapped && config.frames)
		frames_mapped(arg(ctx, 2), arg(ctx, 3));
}

SEC("fentry")
int map_entry(void *ctx)
{
	map_begin(ctx, HOOK_MAP);
	return 0;
}

SEC("fexit")
int map_exit(void *ctx)
{
	map_end(ctx, HOOK_MAP);
	return 0;
}

SEC("fentry")
int map_atomic_entry(void *ctx)
{
	map_begin(ctx, HOOK_MAP_ATOMIC);
	return 0;
}

SEC("fexit")
int map_atomic_exit(void *ctx)
{
	map_end(ctx, HOOK_MAP_ATOMIC);
	return 0;
}

/* (domain, iova, sg, nents, prot, ...) */
static __always_inline void map_sg_begin(void *ctx, u32 hook)
{
	call_begin(ctx, hook, false, arg(ctx, 0), arg(ctx, 1), 0);
}

static __always_inline void map_sg_end(void *ctx, u32 hook)
{
	struct sg_map m = {};

	call_end(ctx, hook, &m.call);
	m.domain = arg(ctx, 0);
	if (!wanted_key(m.domain) || !wanted_task(m.call.flags))
		return;
	m.call.id = next_id();
	m.call.flags |= EVF_SG;
	m.iova = arg(ctx, 1);
	m.sg = arg_number(ctx, 2);
	m.nents = (u32)arg(ctx, 3);
	m.prot = arg(ctx, 4);
	m.ret = ret_of(ctx);
	emit_sg_map(&m);
	if (config.stacks && m.told)
		stack_emit(ctx, m.seq);	/* one for all pieces, behind the last */
}

SEC("fentry")
int map_sg_entry(void *ctx)
{
	map_sg_begin(ctx, HOOK_MAP_SG);
	return 0;
}

SEC("fexit")
int map_sg_exit(void *ctx)
{
	map_sg_end(ctx, HOOK_MAP_SG);
	return 0;
}

SEC("fentry")
int map_sg_atomic_entry(void *ctx)
{
	map_sg_begin(ctx, HOOK_MAP_SG_ATOMIC);
	return 0;
}

SEC("fexit")
int map_sg_atomic_exit(void *ctx)
{
	map_sg_end(ctx, HOOK_MAP_SG_ATOMIC);
	return 0;
}

static __always_inline bool hook_is_map(u32 hook)
{
	return hook >= HOOK_MAP && hook <= HOOK_MAP_SG_ATOMIC;
}

/* (domain, iova, size[, gather]) */
static __always_inline void unmap_end(void *ctx, u32 hook, u32 flags)
{
	struct ev_unmap *rec;
	struct emit e;
	struct call c;
	u64 domain = arg(ctx, 0);

	call_end(ctx, hook, &c);
	if (!wanted_key(domain) || !wanted_task(c.flags))
		return;
	c.flags |= flags;
	if (hook_is_map(c.enclosing))
		c.flags |= EVF_ROLLBACK;
	rec = emit_op(&e, EV_UNMAP, sizeof(*rec), &c);
	if (!rec)
		return;
	rec->domain = domain;
	rec->iova = arg(ctx, 1);
	rec->size = arg(ctx, 2);
	rec->done = ret_of(ctx);
	emit_submit(&e, rec);
	emit_stack(ctx, &e);
}

SEC("fentry")
int unmap_entry(void *ctx)
{
	call_begin(ctx, HOOK_UNMAP, false, arg(ctx, 0), arg(ctx, 1), arg(ctx, 2));
	return 0;
}

SEC("fexit")
int unmap_exit(void *ctx)
{
	unmap_end(ctx, HOOK_UNMAP, 0);
	return 0;
}

SEC("fentry")
int unmap_fast_entry(void *ctx)
{
	call_begin(ctx, HOOK_UNMAP_FAST, false, arg(ctx, 0), arg(ctx, 1), arg(ctx, 2));
	return 0;
}

SEC("fexit")
int unmap_fast_exit(void *ctx)
{
	struct iommu_iotlb_gather *gather = (void *)arg(ctx, 3);
	u32 flags = EVF_FAST;

	if (!gather)
		flags |= EVF_NOGATHER;
	else if (gather->queued)
		flags |= EVF_QUEUED;
	unmap_end(ctx, HOOK_UNMAP_FAST, flags);
	return 0;
}

static __always_inline void emit_domain_op(void *ctx, u32 type, const struct call *c,
					   struct iommu_domain *domain)
{
	struct ev_domain_op *rec;
	struct emit e;

	if (!wanted_key((u64)domain))
		return;
	rec = emit_op(&e, type, sizeof(*rec), c);
	if (!rec)
		return;
	rec->domain = (u64)domain;
	rec->type = BPF_CORE_READ(domain, type);
	rec->pad = 0;
	emit_submit(&e, rec);
	emit_stack(ctx, &e);
}

static __always_inline void alloc_end(void *ctx)
{
	struct iommu_domain *domain = (void *)ret_of(ctx);
	struct call c = { .enclosing = HOOK_COUNT, .flags = context_now() };

	if (!domain || (u64)domain >= (u64)-4095)
		return;
	c.begin_ns = bpf_ktime_get_ns();
	emit_domain_op(ctx, EV_ALLOC, &c, domain);
}

/* Default domains; the compiler may put it into the function below as well. */
SEC("fexit")
int domain_alloc_exit(void *ctx)
{
	alloc_end(ctx);
	return 0;
}

/* Domains for VFIO and iommufd */
SEC("fexit")
int paging_alloc_exit(void *ctx)
{
	alloc_end(ctx);
	return 0;
}

/* At entry: once it is freed, another CPU may be handed the same pointer. */
SEC("fentry")
int domain_free_entry(void *ctx)
{
	struct iommu_domain *domain = (void *)arg(ctx, 0);
	struct call c = { .enclosing = HOOK_COUNT, .flags = context_now() };

	if (!domain)
		return 0;
	c.begin_ns = bpf_ktime_get_ns();
	emit_domain_op(ctx, EV_FREE, &c, domain);
	if (config.filter_device)
		bpf_map_delete_elem(&wanted, &domain);
	return 0;
}

struct move {
	struct device *dev;
	struct iommu_domain *domain;
	u64 old;
	u32 pasid;
	u32 hook;
	s32 ret;
};

static __always_inline void emit_attach(void *ctx, const struct call *c, const struct move *m)
{
	struct ev_attach *rec;
	struct emit e;

	rec = emit_op(&e, EV_ATTACH, sizeof(*rec), c);
	if (!rec)
		return;
	rec->dev = (u64)m->dev;
	rec->domain = (u64)m->domain;
	rec->old = m->old;
	rec->group = device_group(m->dev);
	rec->ret = m->ret;
	rec->pasid = m->pasid;
	rec->hook = m->hook;
	emit_submit(&e, rec);
	emit_stack(ctx, &e);
}

/* The group's domain at entry is the old one: it changes after all devices moved. */
static __always_inline void attach_begin(void *ctx, u32 hook, struct device *dev)
{
	u64 old = (u64)BPF_CORE_READ(dev, iommu_group, domain);

	call_begin(ctx, hook, true, (u64)dev, 0, old);
}

static __always_inline void attach_end(void *ctx, u32 hook, struct move *m)
{
	struct call c;

	call_end(ctx, hook, &c);
	m->hook = hook;
	m->old = c.size;
	if (!want_device(m->dev, m->domain))
		return;
	emit_device(m->dev, 0);
	if (m->domain)
		emit_domain(m->domain, device_driver_kind(m->dev), 0);
	emit_attach(ctx, &c, m);
}

/* __iommu_attach_device(domain, dev[, old]) */
SEC("fentry")
int attach_entry(void *ctx)
{
	attach_begin(ctx, HOOK_ATTACH, (void *)arg(ctx, 1));
	return 0;
}

SEC("fexit")
int attach_exit(void *ctx)
{
	struct move m = {
		.domain = (void *)arg(ctx, 0),
		.dev = (void *)arg(ctx, 1),
		.pasid = EV_TAG_NO_PASID,
		.ret = (s32)ret_of(ctx),
	};

	attach_end(ctx, HOOK_ATTACH, &m);
	return 0;
}

/*
 * iommu_deinit_device(dev), 6.1: iommu_release_device(dev): the device leaves the IOMMU.
 * Told at entry: the call frees the group's domain when the last device goes.
 */
SEC("fentry")
int release_entry(void *ctx)
{
	struct device *dev = (void *)arg(ctx, 0);
	struct move m = {
		.dev = dev,
		.pasid = EV_TAG_NO_PASID,
		.hook = HOOK_RELEASE,
	};
	struct call c = { .enclosing = HOOK_COUNT, .flags = context_now() };

	if (!want_device(dev, NULL))
		return 0;
	c.begin_ns = bpf_ktime_get_ns();
	m.old = (u64)BPF_CORE_READ(dev, iommu_group, domain);
	emit_device(dev, 0);
	emit_attach(ctx, &c, &m);
	return 0;
}

/* (domain, dev, pasid, handle): from now on the PASID's translations are @domain's */
static __always_inline void pasid_entered(void *ctx, u32 hook)
{
	struct move m = {
		.domain = (void *)arg(ctx, 0),
		.dev = (void *)arg(ctx, 1),
		.pasid = arg(ctx, 2),
		.ret = (s32)ret_of(ctx),
	};

	/* The domain's id is that of all its attachments to one IOMMU. AMD-Vi: no tags of v2 tables. */
	if (!m.ret && device_driver_kind(m.dev) == EV_DRIVER_VTD && want_device(m.dev, m.domain))
		emit_tag(m.domain, m.dev, EV_DRIVER_VTD, m.pasid, context_now());
	attach_end(ctx, hook, &m);
}

/* iommu_attach_device_pasid(domain, dev, pasid, handle) */
SEC("fentry")
int pasid_attach_entry(void *ctx)
{
	call_begin(ctx, HOOK_PASID_ATTACH, true, arg(ctx, 1), 0, 0);
	return 0;
}

SEC("fexit")
int pasid_attach_exit(void *ctx)
{
	pasid_entered(ctx, HOOK_PASID_ATTACH);
	return 0;
}

/* iommu_replace_device_pasid(domain, dev, pasid, handle), 7.x: one domain in another's place */
SEC("fentry")
int pasid_replace_entry(void *ctx)
{
	call_begin(ctx, HOOK_PASID_REPLACE, true, arg(ctx, 1), 0, 0);
	return 0;
}

SEC("fexit")
int pasid_replace_exit(void *ctx)
{
	pasid_entered(ctx, HOOK_PASID_REPLACE);
	return 0;
}

/* iommu_detach_device_pasid(domain, dev, pasid) */
SEC("fentry")
int pasid_detach_entry(void *ctx)
{
	call_begin(ctx, HOOK_PASID_DETACH, true, arg(ctx, 1), 0, arg(ctx, 0));
	return 0;
}

SEC("fexit")
int pasid_detach_exit(void *ctx)
{
	struct move m = { .dev = (void *)arg(ctx, 1), .pasid = arg(ctx, 2) };

	attach_end(ctx, HOOK_PASID_DETACH, &m);
	return 0;
}

/*
 * devres_release_all(dev) runs after the driver's remove, and after a failed probe;
 * nothing that the driver mapped may be left behind it. dev->driver is still set.
 */
SEC("fexit")
int unbind_exit(void *ctx)
{
	struct device *dev = (void *)arg(ctx, 0);
	struct ev_unbind *rec;
	struct emit e;

	if (!wanted_key((u64)dev) || !BPF_CORE_READ(dev, iommu_group))
		return 0;
	rec = emit_reserve(&e, EV_UNBIND, sizeof(*rec), context_now());
	if (!rec)
		return 0;
	rec->dev = (u64)dev;
	read_driver_name(rec->driver, sizeof(rec->driver), dev);
	emit_submit(&e, rec);
	return 0;
}

static __always_inline void emit_module(struct module *mod, u32 loaded)
{
	struct ev_module *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_MODULE, sizeof(*rec), context_now());
	if (!rec)
		return;
	__builtin_memset(rec->name, 0, sizeof(rec->name));
	BPF_CORE_READ_STR_INTO(&rec->name, mod, name);
	rec->loaded = loaded;
	rec->pad = 0;
	emit_submit_now(&e, rec);
}

SEC("tp_btf/module_load")
int BPF_PROG(module_load, struct module *mod)
{
	emit_module(mod, 1);
	return 0;
}

SEC("tp_btf/module_free")
int BPF_PROG(module_free, struct module *mod)
{
	container_ops = 0;
	emit_module(mod, 0);
	return 0;
}

/* The task is dead and gone: nobody else writes to its place. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(task_free, struct task_struct *task)
{
	struct near_scope *near = near_place(task);
	u64 key = task_key(task);

	if (!near || near->owner != key)
		return 0;
	near->scope.depth = 0;
	near->scope.introduced = 0;
	__sync_val_compare_and_swap(&near->owner, key, 0);
	return 0;
}
