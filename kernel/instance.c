// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances: IOMMUs that exist only here. A platform device "refiommu.N" stands for the hardware,
 * and its firmware node is how the core finds the IOMMU in front of an endpoint. The node is a
 * bare one: a software node of the kernel is put once too often when its links cannot be made
 * (software_node_notify(), 6.12; seen with fault injection).
 *
 * Format, geometry and ranges are checked once, here, and never change. The object ends with its
 * file or by REFIOMMU_DESTROY, and leaves the core then; the memory lives until the last of its
 * domains is gone.
 */
#include <linux/fwnode.h>
#include <linux/idr.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include "ioas.h"

static DEFINE_IDA(ref_instance_nrs);
static atomic_t ref_instances_alive = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(ref_instances_gone);

/* ---- reserved ranges ---- */

/* All of it in one window: the rest is never translated, whatever the range says. */
static bool ref_range_in_window(const struct ref_geometry *geo, const struct refiommu_range *range)
{
	for (unsigned int i = 0; i < geo->nr_windows; i++)
		if (geo->windows[i].first <= range->first && range->last <= geo->windows[i].last)
			return true;
	return false;
}

static int ref_range_check_direct(const struct ref_geometry *geo,
				  const struct refiommu_range *range)
{
	if (!range->prot || range->prot & ~(REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE))
		return -EINVAL;
	/* IOVAs that are physical addresses must be such as an entry can hold. */
	if (range->last & PAGE_MASK & ~geo->paddr_mask)
		return -EINVAL;
	return ref_direct_check(range->first, range->last);
}

static int ref_range_check(const struct ref_geometry *geo, const struct refiommu_range *range)
{
	if (range->first > range->last)
		return -EOVERFLOW;
	if (range->first & ~PAGE_MASK || ~range->last & ~PAGE_MASK)
		return -EINVAL;
	/* The core counts in bytes: 2^64 of them is none. */
	if (!range->first && range->last == U64_MAX)
		return -EINVAL;
	if (!ref_range_in_window(geo, range))
		return -EINVAL;

	switch (range->type) {
	case REFIOMMU_RANGE_DIRECT:
	case REFIOMMU_RANGE_DIRECT_RELAXABLE:
		return ref_range_check_direct(geo, range);
	case REFIOMMU_RANGE_RESERVED:
	case REFIOMMU_RANGE_MSI:
	case REFIOMMU_RANGE_SW_MSI:
		return range->prot ? -EINVAL : 0;
	}
	return -EINVAL;
}

static int ref_range_compare(const void *a, const void *b)
{
	const struct refiommu_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* The hole between two windows; ranges of the user cannot be in it. */
static void ref_instance_add_hole(struct ref_instance *instance)
{
	const struct ref_geometry *geo = &instance->layout.geo;

	BUILD_BUG_ON(REF_MAX_WINDOWS != 2);
	if (geo->nr_windows < 2 || geo->windows[0].last + 1 == geo->windows[1].first)
		return;
	instance->ranges[instance->nr_ranges++] = (struct refiommu_range){
		.first = geo->windows[0].last + 1,
		.last = geo->windows[1].first - 1,
		.type = REFIOMMU_RANGE_RESERVED,
	};
}

static int ref_instance_copy_ranges(struct ref_instance *instance,
				    const struct refiommu_instance_create *arg)
{
	struct refiommu_range *ranges = instance->ranges;
	int err;

	if (arg->nr_ranges > REFIOMMU_MAX_RANGES)
		return -EINVAL;
	if (copy_from_user(ranges, u64_to_user_ptr(arg->ranges),
			   arg->nr_ranges * sizeof(*ranges)))
		return -EFAULT;
	for (u32 i = 0; i < arg->nr_ranges; i++) {
		err = ref_range_check(&instance->layout.geo, &ranges[i]);
		if (err)
			return err;
	}

	instance->nr_ranges = arg->nr_ranges;
	ref_instance_add_hole(instance);
	sort(ranges, instance->nr_ranges, sizeof(*ranges), ref_range_compare, NULL);
	for (unsigned int i = 1; i < instance->nr_ranges; i++)
		if (ranges[i].first <= ranges[i - 1].last)
			return -EINVAL;
	return 0;
}

static enum iommu_resv_type ref_resv_type(u32 type)
{
	switch (type) {
	case REFIOMMU_RANGE_DIRECT:
		return IOMMU_RESV_DIRECT;
	case REFIOMMU_RANGE_DIRECT_RELAXABLE:
		return IOMMU_RESV_DIRECT_RELAXABLE;
	case REFIOMMU_RANGE_MSI:
		return IOMMU_RESV_MSI;
	case REFIOMMU_RANGE_SW_MSI:
		return IOMMU_RESV_SW_MSI;
	default:
		return IOMMU_RESV_RESERVED;
	}
}

void ref_instance_resv_regions(struct device *dev, struct list_head *list)
{
	struct ref_instance *instance = ref_endpoint_of(dev)->instance;

	for (unsigned int i = 0; i < instance->nr_ranges; i++) {
		const struct refiommu_range *range = &instance->ranges[i];
		struct iommu_resv_region *region;

		region = iommu_alloc_resv_region(range->first, range->last - range->first + 1,
						 ref_prot_to_iommu(range->prot),
						 ref_resv_type(range->type), GFP_KERNEL);
		/* The core has no way to hear of a failure: as other drivers, go without. */
		if (region)
			list_add_tail(&region->list, list);
	}
}

/* ---- life ---- */

static int ref_instance_setup(struct ref_instance *instance,
			      const struct refiommu_instance_create *arg)
{
	const struct ref_format *format;
	int err;

	if (arg->flags & ~REFIOMMU_INSTANCE_LAZY)
		return -EOPNOTSUPP;
	format = ref_format_find(arg->format);
	if (!format)
		return -EINVAL;
	err = format->geometry(&instance->layout.geo, arg->addr_width, arg->pgsizes);
	if (err)
		return err;

	instance->layout.format = format;
	instance->width = arg->addr_width;
	instance->pgsizes = arg->pgsizes;
	instance->lazy = arg->flags & REFIOMMU_INSTANCE_LAZY;
	return ref_instance_copy_ranges(instance, arg);
}

static struct ref_instance *ref_instance_alloc(void)
{
	struct ref_instance *instance = kzalloc(sizeof(*instance), GFP_KERNEL_ACCOUNT);
	int nr;

	if (!instance)
		return NULL;
	nr = ida_alloc(&ref_instance_nrs, GFP_KERNEL);
	if (nr < 0) {
		kfree(instance);
		return NULL;
	}

	instance->nr = nr;
	kref_init(&instance->ref);
	spin_lock_init(&instance->lock);
	/* Ids are given in process context, but taken back under instance->lock. */
	xa_init_flags(&instance->domains, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ);
	INIT_LIST_HEAD(&instance->iotlb);
	INIT_LIST_HEAD(&instance->endpoints);
	atomic_inc(&ref_instances_alive);
	return instance;
}

void ref_instance_release(struct kref *ref)
{
	struct ref_instance *instance = container_of(ref, struct ref_instance, ref);

	WARN_ON(!xa_empty(&instance->domains) || !list_empty(&instance->iotlb));
	xa_destroy(&instance->domains);
	ida_free(&ref_instance_nrs, instance->nr);
	kfree(instance);
	if (atomic_dec_and_test(&ref_instances_alive))
		wake_up_all(&ref_instances_gone);
}

void ref_instance_wait(void)
{
	wait_event(ref_instances_gone, !atomic_read(&ref_instances_alive));
}

static const struct fwnode_operations ref_fwnode_ops = {};

static struct platform_device *ref_hardware_add(struct ref_instance *instance)
{
	const struct platform_device_info info = {
		.name = "refiommu",
		.id = instance->nr,
		.fwnode = &instance->fwnode,
	};

	fwnode_init(&instance->fwnode, &ref_fwnode_ops);
	return platform_device_register_full(&info);
}

static int ref_instance_register(struct ref_instance *instance)
{
	struct platform_device *hardware = ref_hardware_add(instance);
	int err;

	if (IS_ERR(hardware))
		return PTR_ERR(hardware);
	instance->hardware = hardware;

	err = iommu_device_sysfs_add(&instance->iommu, &hardware->dev, NULL, "refiommu.%u",
				     instance->nr);
	if (err)
		goto err_hardware;
	/* It probes whole buses: no device of ours may come or go meanwhile. */
	scoped_guard(mutex, &ref_bus_lock)
		err = iommu_device_register(&instance->iommu, &ref_iommu_ops, &hardware->dev);
	if (err)
		goto err_sysfs;
	return 0;

err_sysfs:
	iommu_device_sysfs_remove(&instance->iommu);
err_hardware:
	platform_device_unregister(hardware);
	return err;
}

static void ref_instance_unregister(struct ref_instance *instance)
{
	scoped_guard(mutex, &ref_bus_lock)
		iommu_device_unregister(&instance->iommu);
	iommu_device_sysfs_remove(&instance->iommu);
	platform_device_unregister(instance->hardware);
}

void ref_instance_free(struct ref_instance *instance)
{
	lockdep_assert_held(&instance->object.ctx->lock);

	WARN_ON(!list_empty(&instance->endpoints));
	ref_instance_unregister(instance);
	ref_tlb_free(instance);
	kref_put(&instance->ref, ref_instance_release);
}

int ref_instance_create(struct ref_ctx *ctx, struct refiommu_instance_create *arg)
{
	struct ref_instance *instance = ref_instance_alloc();
	int err;

	if (!instance)
		return -ENOMEM;
	err = ref_instance_setup(instance, arg);
	if (err)
		goto err_put;

	/* Before the core shows it, so that nothing fails afterwards. */
	err = ref_instance_register(instance);
	if (err)
		goto err_put;
	scoped_guard(mutex, &ctx->lock) {
		err = ref_object_add(ctx, &instance->object, REF_INSTANCE);
		if (err)
			goto err_unregister;
		arg->out_id = instance->object.id;
	}
	return 0;

err_unregister:
	ref_instance_unregister(instance);
err_put:
	kref_put(&instance->ref, ref_instance_release);
	return err;
}
