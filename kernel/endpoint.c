// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endpoints: platform devices behind an instance, or devices of another IOMMU.
 *
 * A device of ours is known by its type; its platform data is a pointer to the endpoint, which
 * lives until the device is deleted. While the device is added and deleted the core calls our
 * iommu_ops with it: so the endpoint is complete and in the instance's list all that time.
 *
 * No driver matches our devices by name. The one that was asked for is attached by hand, and nobody
 * can unbind it in sysfs: an endpoint with a driver has it all its life.
 *
 * Everything here happens under ctx->lock. An endpoint holds a use of its instance and a reference
 * to its IOMMU group.
 */
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/pci.h>
#include <linux/property.h>
#include <linux/slab.h>
#include "ioas.h"

static DEFINE_IDA(ref_device_ids);

DEFINE_MUTEX(ref_bus_lock); /* see core.h */

static const struct device_type ref_endpoint_type = { .name = "refiommu-endpoint" };

struct ref_endpoint *ref_endpoint_of(struct device *dev)
{
	if (dev->type != &ref_endpoint_type)
		return NULL;
	return *(struct ref_endpoint **)dev_get_platdata(dev);
}

struct ref_endpoint *ref_endpoint_get(struct ref_ctx *ctx, u32 id)
{
	struct ref_object *object = ref_object_get(ctx, id, REF_ENDPOINT);

	if (IS_ERR(object))
		return ERR_CAST(object);
	return container_of(object, struct ref_endpoint, object);
}

/* ---- drivers ---- */

static int ref_dma_driver_probe(struct platform_device *pdev)
{
	return 0;
}

static int ref_vfio_driver_probe(struct platform_device *pdev)
{
	return ref_vfio_probe(ref_endpoint_of(&pdev->dev));
}

static void ref_vfio_driver_remove(struct platform_device *pdev)
{
	ref_vfio_remove(ref_endpoint_of(&pdev->dev));
}

/* The core takes the DMA ownership of the group for as long as this one is bound. */
static struct platform_driver ref_dma_driver = {
	.probe = ref_dma_driver_probe,
	.driver = {
		.name = "refiommu-dma",
		.suppress_bind_attrs = true,
	},
};

static struct platform_driver ref_vfio_driver = {
	.probe = ref_vfio_driver_probe,
	.remove = ref_vfio_driver_remove,
	.driver = {
		.name = "refiommu-vfio",
		.suppress_bind_attrs = true,
	},
	.driver_managed_dma = true,
};

int ref_endpoint_drivers_init(void)
{
	int err;

	err = platform_driver_register(&ref_dma_driver);
	if (err)
		return err;
	err = platform_driver_register(&ref_vfio_driver);
	if (err)
		platform_driver_unregister(&ref_dma_driver);
	return err;
}

void ref_endpoint_drivers_exit(void)
{
	platform_driver_unregister(&ref_vfio_driver);
	platform_driver_unregister(&ref_dma_driver);
}

/* -EBUSY: somebody else owns the group. */
static int driver_attach_to(struct ref_endpoint *endpoint)
{
	switch (endpoint->driver) {
	case REFIOMMU_DRIVER_DMA:
		return device_driver_attach(&ref_dma_driver.driver, endpoint->dev);
	case REFIOMMU_DRIVER_VFIO:
		return device_driver_attach(&ref_vfio_driver.driver, endpoint->dev);
	}
	return 0;
}

/* ---- groups ---- */

static struct ref_group *group_find(struct ref_ctx *ctx, struct iommu_group *iommu_group)
{
	struct ref_group *group;

	lockdep_assert_held(&ctx->lock);
	list_for_each_entry(group, &ctx->groups, link)
		if (group->group == iommu_group)
			return group;
	return NULL;
}

/* Makes @endpoint a member of its group. Takes over the reference @iommu_group in any case. */
static int group_join(struct ref_ctx *ctx, struct ref_endpoint *endpoint,
		      struct iommu_group *iommu_group)
{
	struct ref_group *group;

	lockdep_assert_held(&ctx->lock);
	group = group_find(ctx, iommu_group);
	if (group) {
		iommu_group_put(iommu_group);
	} else {
		group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
		if (!group) {
			iommu_group_put(iommu_group);
			return -ENOMEM;
		}
		group->group = iommu_group;
		INIT_LIST_HEAD(&group->hwpt_link);
		list_add_tail(&group->link, &ctx->groups);
	}
	group->members++;
	endpoint->group = group;
	return 0;
}

static void group_leave(struct ref_endpoint *endpoint)
{
	struct ref_group *group = endpoint->group;

	endpoint->group = NULL;
	if (!group || --group->members)
		return;
	list_del(&group->link);
	iommu_group_put(group->group);
	kfree(group);
}

/* ---- devices of ours ---- */

/*
 * Tells the core which IOMMU a device is behind that is not added yet. It stands for
 * iommu_fwspec_init(), which asserts a lock that modules cannot take (iommu_probe_device_lock) and
 * that is not needed here: nobody else sees @dev.
 */
static int device_set_fwspec(struct device *dev, struct fwnode_handle *iommu_fwnode)
{
	struct dev_iommu *param __free(kfree) = kzalloc(sizeof(*param), GFP_KERNEL);
	struct iommu_fwspec *fwspec;

	if (!param)
		return -ENOMEM;
	fwspec = kzalloc(struct_size(fwspec, ids, 1), GFP_KERNEL);
	if (!fwspec)
		return -ENOMEM;
	mutex_init(&param->lock);
	fwspec->iommu_fwnode = fwnode_handle_get(iommu_fwnode);
	param->fwspec = fwspec;
	dev->iommu = no_free_ptr(param);
	return 0;
}

/* A device that was never added is in no bus's care: nobody else frees what hangs on it. */
static void device_drop_fwspec(struct device *dev)
{
	struct dev_iommu *param = dev->iommu;

	if (!param)
		return;
	dev->iommu = NULL;
	if (param->fwspec)
		fwnode_handle_put(param->fwspec->iommu_fwnode);
	kfree(param->fwspec);
	kfree(param);
}

static struct platform_device *device_alloc(struct ref_endpoint *endpoint)
{
	struct platform_device *pdev;
	int id;

	id = ida_alloc(&ref_device_ids, GFP_KERNEL);
	if (id < 0)
		return NULL;
	pdev = platform_device_alloc("refiommu-endpoint", id);
	if (!pdev)
		goto err_id;
	if (platform_device_add_data(pdev, &endpoint, sizeof(endpoint)))
		goto err_device;
	pdev->dev.type = &ref_endpoint_type;
	pdev->platform_dma_mask = DMA_BIT_MASK(64);
	pdev->dev.dma_mask = &pdev->platform_dma_mask;
	pdev->dev.coherent_dma_mask = DMA_BIT_MASK(64);
	return pdev;

err_device:
	platform_device_put(pdev);
err_id:
	ida_free(&ref_device_ids, id);
	return NULL;
}

static void device_put_id(struct platform_device *pdev)
{
	int id = pdev->id;

	platform_device_put(pdev);
	ida_free(&ref_device_ids, id);
}

/* Adds the device: the core probes it with our ops meanwhile. */
static int device_make(struct ref_endpoint *endpoint)
{
	struct platform_device *pdev;
	int err;

	pdev = device_alloc(endpoint);
	if (!pdev)
		return -ENOMEM;
	endpoint->pdev = pdev;
	endpoint->dev = &pdev->dev;

	err = device_set_fwspec(&pdev->dev, dev_fwnode(&endpoint->instance->hardware->dev));
	if (!err) {
		guard(mutex)(&ref_bus_lock);
		err = platform_device_add(pdev);
	}
	if (err) {
		device_drop_fwspec(&pdev->dev);
		device_put_id(pdev);
		endpoint->pdev = NULL;
		endpoint->dev = NULL;
	}
	return err;
}

/* Whoever still holds the device afterwards finds no endpoint there. */
static void device_end(struct ref_endpoint *endpoint)
{
	struct ref_endpoint **back = dev_get_platdata(endpoint->dev);

	/* This may wait for a VFIO user: without the lock, which is everybody's. */
	device_release_driver(endpoint->dev);
	scoped_guard(mutex, &ref_bus_lock)
		platform_device_del(endpoint->pdev);
	*back = NULL;
	device_put_id(endpoint->pdev);
}

/* ---- endpoints ---- */

static struct ref_endpoint *endpoint_alloc(struct ref_ctx *ctx)
{
	struct ref_endpoint *endpoint = kzalloc(sizeof(*endpoint), GFP_KERNEL_ACCOUNT);

	if (!endpoint)
		return NULL;
	endpoint->object.ctx = ctx;
	INIT_LIST_HEAD(&endpoint->link);
	mutex_init(&endpoint->dma_lock);
	xa_init_flags(&endpoint->handles, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	return endpoint;
}

/* Also for what is half made: takes back whatever is there. */
void ref_endpoint_free(struct ref_endpoint *endpoint)
{
	lockdep_assert_held(&endpoint->object.ctx->lock);
	/* A switch that failed has left the group blocked, and ours. */
	if (endpoint->group && endpoint->group->members == 1)
		ref_group_detach(endpoint->object.ctx, endpoint->group);
	if (endpoint->pdev) {
		ref_dmaapi_close(endpoint);
		device_end(endpoint);
	} else if (endpoint->dev) {
		put_device(endpoint->dev);
	}
	group_leave(endpoint);
	list_del(&endpoint->link);
	if (endpoint->instance)
		ref_object_put(&endpoint->instance->object);
	ref_view_hide_endpoint(endpoint);
	xa_destroy(&endpoint->handles);
	mutex_destroy(&endpoint->dma_lock);
	kfree(endpoint);
}

/* From a new endpoint with an instance to one with a device, a group, a driver and an id. */
static int endpoint_start(struct ref_ctx *ctx, struct ref_endpoint *endpoint)
{
	struct iommu_group *iommu_group;
	int err;

	lockdep_assert_held(&ctx->lock);
	err = device_make(endpoint);
	if (err)
		return err;
	/* The core does not tell why it has none; it is in the kernel's log. */
	iommu_group = iommu_group_get(endpoint->dev);
	if (!iommu_group)
		return -EIO;
	err = group_join(ctx, endpoint, iommu_group);
	if (err)
		return err;
	err = driver_attach_to(endpoint);
	if (err)
		return err;
	return ref_object_add(ctx, &endpoint->object, REF_ENDPOINT);
}

static int endpoint_create(struct ref_ctx *ctx, struct ref_instance *instance,
			   struct refiommu_endpoint_create *arg)
{
	struct ref_endpoint *endpoint;
	int err;

	guard(mutex)(&ctx->lock);
	endpoint = endpoint_alloc(ctx);
	if (!endpoint)
		return -ENOMEM;
	refcount_inc(&instance->object.users);
	endpoint->instance = instance;
	endpoint->group_key = arg->group;
	endpoint->driver = arg->driver;
	ref_view_show_endpoint(endpoint);
	list_add_tail(&endpoint->link, &instance->endpoints);

	err = endpoint_start(ctx, endpoint);
	if (err) {
		ref_endpoint_free(endpoint);
		return err;
	}
	arg->out_id = endpoint->object.id;
	arg->out_group = iommu_group_id(endpoint->group->group);
	arg->out_device = endpoint->pdev->id;
	return 0;
}

int ref_endpoint_create(struct ref_ctx *ctx, struct refiommu_endpoint_create *arg)
{
	struct ref_object *object;
	int err;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->driver > REFIOMMU_DRIVER_VFIO)
		return -EINVAL;

	object = ref_object_get(ctx, arg->instance_id, REF_INSTANCE);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = endpoint_create(ctx, container_of(object, struct ref_instance, object), arg);
	ref_object_put(object);
	return err;
}

/* ---- devices of others ---- */

bool ref_endpoint_is_here(struct ref_endpoint *endpoint)
{
	struct iommu_group *iommu_group;

	if (endpoint->instance)
		return true;
	iommu_group = iommu_group_get(endpoint->dev);
	iommu_group_put(iommu_group);
	return iommu_group && endpoint->dev->iommu && endpoint->dev->iommu->iommu_dev;
}

/* The device with a reference; ERR_PTR: -EINVAL, -ENODEV, -EPERM. */
static struct device *foreign_find(const struct refiommu_device_add *arg)
{
	struct device *dev = NULL;

	if (strnlen(arg->bus, sizeof(arg->bus)) == sizeof(arg->bus) ||
	    strnlen(arg->name, sizeof(arg->name)) == sizeof(arg->name))
		return ERR_PTR(-EINVAL);

	if (!strcmp(arg->bus, "platform"))
		dev = bus_find_device_by_name(&platform_bus_type, NULL, arg->name);
	else if (IS_ENABLED(CONFIG_PCI) && !strcmp(arg->bus, "pci"))
		dev = bus_find_device_by_name(&pci_bus_type, NULL, arg->name);
	else
		return ERR_PTR(-EINVAL);

	if (!dev)
		return ERR_PTR(-ENODEV);
	if (dev->type == &ref_endpoint_type) {
		put_device(dev);
		return ERR_PTR(-EPERM);
	}
	return dev;
}

int ref_device_add(struct ref_ctx *ctx, struct refiommu_device_add *arg)
{
	struct ref_endpoint *endpoint;
	struct iommu_group *iommu_group;
	int err;

	if (arg->flags)
		return -EOPNOTSUPP;

	guard(mutex)(&ctx->lock);
	endpoint = endpoint_alloc(ctx);
	if (!endpoint)
		return -ENOMEM;
	endpoint->dev = foreign_find(arg);
	if (IS_ERR(endpoint->dev)) {
		err = PTR_ERR(endpoint->dev);
		endpoint->dev = NULL;
		goto err_free;
	}

	/* VFIO's groups without an IOMMU are groups, too. */
	iommu_group = iommu_group_get(endpoint->dev);
	if (!iommu_group || !endpoint->dev->iommu || !endpoint->dev->iommu->iommu_dev) {
		iommu_group_put(iommu_group);
		err = -ENODEV;
		goto err_free;
	}
	err = group_join(ctx, endpoint, iommu_group);
	if (!err)
		err = ref_object_add(ctx, &endpoint->object, REF_ENDPOINT);
	if (err)
		goto err_free;

	arg->out_id = endpoint->object.id;
	arg->out_group = iommu_group_id(endpoint->group->group);
	return 0;

err_free:
	ref_endpoint_free(endpoint);
	return err;
}

int ref_inject(struct ref_ctx *ctx, struct refiommu_inject *arg)
{
	struct ref_endpoint *endpoint;
	int err = 0;

	if (arg->padding || arg->nth > INT_MAX)
		return -EINVAL;
	endpoint = ref_endpoint_get(ctx, arg->endpoint_id);
	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	if (endpoint->instance)
		atomic_set(&endpoint->fail_attach, arg->nth);
	else
		err = -EOPNOTSUPP;
	ref_object_put(&endpoint->object);
	return err;
}
