// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/refiommu: files, objects, and the way of arguments in and out.
 *
 * An object is found by id under the lock of ctx->objects and used with a reference; it ends under
 * ctx->lock, when its id is all that uses it. So a handler that holds ctx->lock may look at any
 * object, and one that holds a reference at this object.
 *
 * When a file is closed its objects end in a work item: the end of an endpoint waits until its VFIO
 * user has closed the device, and the exiting task may be that user. close() waits for the work all
 * the same, but no longer than until it comes to wait for a VFIO user.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include "ioas.h"

static struct workqueue_struct *ref_wq;

/* ---- objects ---- */

int ref_object_add(struct ref_ctx *ctx, struct ref_object *object, enum ref_kind kind)
{
	int err;

	lockdep_assert_held(&ctx->lock);
	object->ctx = ctx;
	object->kind = kind;
	refcount_set(&object->users, 1);
	err = xa_alloc(&ctx->objects, &object->id, object, xa_limit_31b, GFP_KERNEL);
	return err ? -ENOMEM : 0;
}

struct ref_object *ref_object_get(struct ref_ctx *ctx, u32 id, enum ref_kind kind)
{
	struct ref_object *object;

	xa_lock(&ctx->objects);
	object = xa_load(&ctx->objects, id);
	if (object && object->kind == kind)
		refcount_inc(&object->users);
	else
		object = ERR_PTR(-ENOENT);
	xa_unlock(&ctx->objects);
	return object;
}

void ref_object_put(struct ref_object *object)
{
	refcount_dec(&object->users);
}

int ref_object_remove(struct ref_object *object)
{
	struct ref_ctx *ctx = object->ctx;
	bool last;

	lockdep_assert_held(&ctx->lock);
	xa_lock(&ctx->objects);
	last = refcount_dec_if_one(&object->users);
	if (last)
		__xa_erase(&ctx->objects, object->id);
	xa_unlock(&ctx->objects);
	return last ? 0 : -EBUSY;
}

/* ---- calls of ours ---- */

static u32 formats(void)
{
	u32 id, mask = 0;

	for (id = 1; id < 32; id++)
		if (ref_format_find(id))
			mask |= 1U << id;
	return mask;
}

int ref_info(struct ref_ctx *ctx, struct refiommu_info *arg)
{
	unsigned int bug;

	if (arg->flags)
		return -EOPNOTSUPP;

	arg->out_version = REFIOMMU_VERSION;
	arg->out_formats = formats();
	arg->out_table_pages = ref_table_pages();
	arg->out_pinned_pages = ref_pinned_pages();
	arg->out_domains = ref_domains_alive();
	arg->out_iotlb_entries = ref_tlb_entries();
	arg->out_bugs = 0;
	for (bug = 0; bug < NR_REF_BUGS; bug++)
		if (ref_bug(bug))
			arg->out_bugs |= 1ULL << bug;
	return 0;
}

static int destroy_instance(struct ref_instance *instance)
{
	int err;

	lockdep_assert_held(&instance->object.ctx->lock);
	err = ref_object_remove(&instance->object);
	if (!err)
		ref_instance_free(instance);
	return err;
}

static int destroy_endpoint(struct ref_endpoint *endpoint)
{
	int err;

	lockdep_assert_held(&endpoint->object.ctx->lock);
	if (endpoint->group->ioas)
		return -EBUSY;
	err = ref_vfio_block(endpoint);
	if (err)
		return err;
	err = ref_object_remove(&endpoint->object);
	if (err)
		ref_vfio_unblock(endpoint);
	else
		ref_endpoint_free(endpoint);
	return err;
}

static int destroy_ioas(struct ref_ioas *ioas)
{
	struct ref_group *group;
	int err;

	lockdep_assert_held(&ioas->object.ctx->lock);
	list_for_each_entry(group, &ioas->object.ctx->groups, link)
		if (group->ioas == ioas)
			return -EBUSY;
	err = ref_object_remove(&ioas->object);
	if (!err)
		ref_ioas_free(ioas);
	return err;
}

static int destroy_object(struct ref_object *object)
{
	lockdep_assert_held(&object->ctx->lock);
	switch (object->kind) {
	case REF_INSTANCE:
		return destroy_instance(container_of(object, struct ref_instance, object));
	case REF_ENDPOINT:
		return destroy_endpoint(container_of(object, struct ref_endpoint, object));
	case REF_IOAS:
		return destroy_ioas(container_of(object, struct ref_ioas, object));
	}
	return -ENOENT;
}

static int ref_destroy(struct ref_ctx *ctx, struct refiommu_destroy *arg)
{
	struct ref_object *object;

	guard(mutex)(&ctx->lock);
	object = xa_load(&ctx->objects, arg->id);
	return object ? destroy_object(object) : -ENOENT;
}

/* ---- the way in and out ---- */

union ref_arg {
	u32 size;
	struct refiommu_info info;
	struct refiommu_destroy destroy;
	struct refiommu_instance_create instance_create;
	struct refiommu_endpoint_create endpoint_create;
	struct refiommu_device_add device_add;
	struct refiommu_dma dma;
	struct refiommu_dmaapi dmaapi;
	struct refiommu_inject inject;
	struct refiommu_lookup lookup;
	struct refiommu_iova_to_phys iova_to_phys;
	struct refiommu_ioas_alloc alloc;
	struct refiommu_ioas_map map;
	struct refiommu_ioas_unmap unmap;
	struct refiommu_ioas_attach attach;
	struct refiommu_ioas_detach detach;
	struct refiommu_ioas_ranges ranges;
	struct refiommu_ioas_reserve reserve;
	struct refiommu_ioas_replay replay;
	struct refiommu_ioas_events events;
	struct refiommu_ioas_invalidate invalidate;
	struct refiommu_ioas_nest nest;
};

/**
 * struct ref_call - What is copied for a call
 * @cmd: its number
 * @size: of its struct, as this module knows it
 * @min: of its first version: never changes
 */
struct ref_call {
	unsigned int cmd;
	u32 size;
	u32 min;
};

static const struct ref_call ref_calls[] = {
	{ REFIOMMU_INFO, sizeof(struct refiommu_info), 56 },
	{ REFIOMMU_DESTROY, sizeof(struct refiommu_destroy), 8 },
	{ REFIOMMU_INSTANCE_CREATE, sizeof(struct refiommu_instance_create), 40 },
	{ REFIOMMU_ENDPOINT_CREATE, sizeof(struct refiommu_endpoint_create), 32 },
	{ REFIOMMU_DEVICE_ADD, sizeof(struct refiommu_device_add), 64 },
	{ REFIOMMU_DMA, sizeof(struct refiommu_dma), 80 },
	{ REFIOMMU_DMAAPI, sizeof(struct refiommu_dmaapi), 64 },
	{ REFIOMMU_INJECT, sizeof(struct refiommu_inject), 16 },
	{ REFIOMMU_LOOKUP, sizeof(struct refiommu_lookup), 376 },
	{ REFIOMMU_IOVA_TO_PHYS, sizeof(struct refiommu_iova_to_phys), 40 },
	{ REFIOMMU_IOAS_ALLOC, sizeof(struct refiommu_ioas_alloc), 16 },
	{ REFIOMMU_IOAS_MAP, sizeof(struct refiommu_ioas_map), 40 },
	{ REFIOMMU_IOAS_UNMAP, sizeof(struct refiommu_ioas_unmap), 40 },
	{ REFIOMMU_IOAS_ATTACH, sizeof(struct refiommu_ioas_attach), 16 },
	{ REFIOMMU_IOAS_DETACH, sizeof(struct refiommu_ioas_detach), 8 },
	{ REFIOMMU_IOAS_RANGES, sizeof(struct refiommu_ioas_ranges), 32 },
	{ REFIOMMU_IOAS_RESERVE, sizeof(struct refiommu_ioas_reserve), 32 },
	{ REFIOMMU_IOAS_REPLAY, sizeof(struct refiommu_ioas_replay), 40 },
	{ REFIOMMU_IOAS_EVENTS, sizeof(struct refiommu_ioas_events), 24 },
	{ REFIOMMU_IOAS_INVALIDATE, sizeof(struct refiommu_ioas_invalidate), 24 },
	{ REFIOMMU_IOAS_NEST, sizeof(struct refiommu_ioas_nest), 32 },
};

static int ref_dispatch(struct ref_ctx *ctx, unsigned int cmd, union ref_arg *arg)
{
	switch (cmd) {
	case REFIOMMU_INFO:
		return ref_info(ctx, &arg->info);
	case REFIOMMU_DESTROY:
		return ref_destroy(ctx, &arg->destroy);
	case REFIOMMU_INSTANCE_CREATE:
		return ref_instance_create(ctx, &arg->instance_create);
	case REFIOMMU_ENDPOINT_CREATE:
		return ref_endpoint_create(ctx, &arg->endpoint_create);
	case REFIOMMU_DEVICE_ADD:
		return ref_device_add(ctx, &arg->device_add);
	case REFIOMMU_DMA:
		return ref_dma(ctx, &arg->dma);
	case REFIOMMU_DMAAPI:
		return ref_dmaapi(ctx, &arg->dmaapi);
	case REFIOMMU_INJECT:
		return ref_inject(ctx, &arg->inject);
	case REFIOMMU_LOOKUP:
		return ref_lookup(ctx, &arg->lookup);
	case REFIOMMU_IOVA_TO_PHYS:
		return ref_iova_to_phys(ctx, &arg->iova_to_phys);
	case REFIOMMU_IOAS_ALLOC:
		return ref_ioas_alloc(ctx, &arg->alloc);
	case REFIOMMU_IOAS_MAP:
		return ref_ioas_map(ctx, &arg->map);
	case REFIOMMU_IOAS_UNMAP:
		return ref_ioas_unmap(ctx, &arg->unmap);
	case REFIOMMU_IOAS_ATTACH:
		return ref_ioas_attach(ctx, &arg->attach);
	case REFIOMMU_IOAS_DETACH:
		return ref_ioas_detach(ctx, &arg->detach);
	case REFIOMMU_IOAS_RANGES:
		return ref_ioas_ranges(ctx, &arg->ranges);
	case REFIOMMU_IOAS_RESERVE:
		return ref_ioas_reserve(ctx, &arg->reserve);
	case REFIOMMU_IOAS_REPLAY:
		return ref_ioas_replay(ctx, &arg->replay);
	case REFIOMMU_IOAS_EVENTS:
		return ref_ioas_events(ctx, &arg->events);
	case REFIOMMU_IOAS_INVALIDATE:
		return ref_ioas_invalidate(ctx, &arg->invalidate);
	case REFIOMMU_IOAS_NEST:
		return ref_ioas_nest(ctx, &arg->nest);
	}
	return -ENOTTY;
}

static const struct ref_call *ref_call_find(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ref_calls); i++)
		if (ref_calls[i].cmd == cmd)
			return &ref_calls[i];
	return NULL;
}

/* Calls that write their results on failure, too. */
static bool writes_back(unsigned int cmd, int err)
{
	return !err || cmd == REFIOMMU_IOAS_UNMAP ||
	       (cmd == REFIOMMU_IOAS_RANGES && err == -EMSGSIZE) ||
	       (cmd == REFIOMMU_LOOKUP && err == -ENODEV);
}

static int arg_copy_in(const struct ref_call *call, union ref_arg *arg, u32 size,
		       const void __user *uarg)
{
	int err;

	if (size < call->min)
		return -EINVAL;
	/* As system calls have it: no struct is that long, and zeros take time to read. */
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, call->size, uarg, size);
	/* It was read twice, and may have changed. */
	arg->size = size;
	return err;
}

static long ref_ioctl(struct file *file, unsigned int cmd, unsigned long uaddr)
{
	const struct ref_call *call = ref_call_find(cmd);
	void __user *uarg = (void __user *)uaddr;
	union ref_arg arg;
	u32 size;
	int err;

	if (!call)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	err = arg_copy_in(call, &arg, size, uarg);
	if (err)
		return err;

	if (cmd == REFIOMMU_IOAS_UNMAP)
		arg.unmap.out_bytes = 0;
	err = ref_dispatch(file->private_data, cmd, &arg);
	if (writes_back(cmd, err) && copy_to_user(uarg, &arg, min(size, call->size)))
		return -EFAULT;
	return err;
}

/* ---- files ---- */

static void ctx_put(struct ref_ctx *ctx)
{
	if (!refcount_dec_and_test(&ctx->users))
		return;
	xa_destroy(&ctx->objects);
	mutex_destroy(&ctx->lock);
	kfree(ctx);
}

static bool is_nested(struct ref_object *object)
{
	return object->kind == REF_IOAS && container_of(object, struct ref_ioas, object)->parent;
}

/* Ends all objects of a kind; of address spaces only the nested ones if @nested. */
static void end_objects(struct ref_ctx *ctx, enum ref_kind kind, bool nested)
{
	struct ref_object *object;
	unsigned long id;

	lockdep_assert_held(&ctx->lock);
	xa_for_each(&ctx->objects, id, object) {
		if (object->kind != kind || (nested && !is_nested(object)))
			continue;
		/* A VFIO user does not count here: the end of the endpoint waits for him. */
		if (WARN_ON(ref_object_remove(object)))
			continue;
		if (kind == REF_IOAS)
			ref_ioas_free(container_of(object, struct ref_ioas, object));
		else if (kind == REF_ENDPOINT)
			ref_endpoint_free(container_of(object, struct ref_endpoint, object));
		else
			ref_instance_free(container_of(object, struct ref_instance, object));
	}
}

/* What stands on others goes first. */
static void ctx_end(struct work_struct *work)
{
	struct ref_ctx *ctx = container_of(work, struct ref_ctx, end);
	struct ref_group *group;

	scoped_guard(mutex, &ctx->lock) {
		list_for_each_entry(group, &ctx->groups, link)
			ref_group_detach(ctx, group);
		end_objects(ctx, REF_IOAS, true);
		end_objects(ctx, REF_IOAS, false);
		end_objects(ctx, REF_ENDPOINT, false);
		end_objects(ctx, REF_INSTANCE, false);
	}
	complete_all(&ctx->ended);
	ctx_put(ctx);
}

static int ref_open(struct inode *inode, struct file *file)
{
	struct ref_ctx *ctx;
	int err;

	/* An endpoint in an identity domain reaches all memory that somebody owns. */
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	err = security_locked_down(LOCKDOWN_DEV_MEM);
	if (err)
		return err;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	mutex_init(&ctx->lock);
	INIT_LIST_HEAD(&ctx->groups);
	INIT_WORK(&ctx->end, ctx_end);
	init_completion(&ctx->ended);
	refcount_set(&ctx->users, 2);
	file->private_data = ctx;
	ref_ctx_show(ctx);
	return 0;
}

static int ref_release(struct inode *inode, struct file *file)
{
	struct ref_ctx *ctx = file->private_data;

	ref_ctx_hide(ctx);
	queue_work(ref_wq, &ctx->end);
	wait_for_completion(&ctx->ended);
	ctx_put(ctx);
	return 0;
}

static const struct file_operations ref_fops = {
	.owner = THIS_MODULE,
	.open = ref_open,
	.release = ref_release,
	.unlocked_ioctl = ref_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice ref_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "refiommu",
	.fops = &ref_fops,
	.mode = 0600,
};

int ref_ctl_init(void)
{
	int err;

	/* No limit of one: a file that waits for a VFIO user must not hold up the others. */
	ref_wq = alloc_workqueue("refiommu", WQ_UNBOUND, 0);
	if (!ref_wq)
		return -ENOMEM;
	err = misc_register(&ref_misc);
	if (err)
		destroy_workqueue(ref_wq);
	return err;
}

void ref_ctl_exit(void)
{
	misc_deregister(&ref_misc);
	destroy_workqueue(ref_wq);
}
