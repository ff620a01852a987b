// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VFIO device of an endpoint: no regions, no interrupts, a reset that does nothing. What VFIO
 * is here for is the container around it.
 *
 * The state says who may come: CLOSED to OPEN and back by VFIO's user, CLOSED to BLOCKED and back
 * by who wants to end the endpoint. So an end that began with ref_vfio_block() waits for no user.
 */
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include "core.h"

enum { VFIO_CLOSED, VFIO_OPEN, VFIO_BLOCKED };

/**
 * struct ref_vfio - VFIO's side of an endpoint
 * @vdev: first; VFIO frees it
 * @endpoint: alive while the device is registered
 * @state: VFIO_*
 */
struct ref_vfio {
	struct vfio_device vdev;
	struct ref_endpoint *endpoint;
	atomic_t state;
};

static struct ref_vfio *to_ref_vfio(struct vfio_device *vdev)
{
	return container_of(vdev, struct ref_vfio, vdev);
}

static int ref_vfio_open(struct vfio_device *vdev)
{
	struct ref_vfio *vfio = to_ref_vfio(vdev);

	if (atomic_cmpxchg(&vfio->state, VFIO_CLOSED, VFIO_OPEN) != VFIO_CLOSED)
		return -ENODEV;
	return 0;
}

static void ref_vfio_close(struct vfio_device *vdev)
{
	atomic_set(&to_ref_vfio(vdev)->state, VFIO_CLOSED);
}

static int ref_vfio_get_info(struct vfio_device_info __user *uarg)
{
	const size_t min_size = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, uarg, min_size))
		return -EFAULT;
	if (info.argsz < min_size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PLATFORM | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = 0;
	info.num_irqs = 0;
	return copy_to_user(uarg, &info, min_size) ? -EFAULT : 0;
}

static long ref_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return ref_vfio_get_info((struct vfio_device_info __user *)arg);
	case VFIO_DEVICE_RESET:
		return 0;
	}
	return -ENOTTY;
}

/* The end of the device waits for its user. If it is the end of the file, close() must not. */
static void ref_vfio_request(struct vfio_device *vdev, unsigned int count)
{
	complete_all(&to_ref_vfio(vdev)->endpoint->object.ctx->ended);
}

static const struct vfio_device_ops ref_vfio_ops = {
	.name = "refiommu",
	.open_device = ref_vfio_open,
	.close_device = ref_vfio_close,
	.ioctl = ref_vfio_ioctl,
	.request = ref_vfio_request,
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
};

int ref_vfio_probe(struct ref_endpoint *endpoint)
{
	struct ref_vfio *vfio;
	int err;

	vfio = vfio_alloc_device(ref_vfio, vdev, endpoint->dev, &ref_vfio_ops);
	if (IS_ERR(vfio))
		return PTR_ERR(vfio);
	vfio->endpoint = endpoint;
	atomic_set(&vfio->state, VFIO_CLOSED);

	err = vfio_register_group_dev(&vfio->vdev);
	if (err) {
		vfio_put_device(&vfio->vdev);
		return err;
	}
	endpoint->vfio = vfio;
	return 0;
}

void ref_vfio_remove(struct ref_endpoint *endpoint)
{
	vfio_unregister_group_dev(&endpoint->vfio->vdev);
	vfio_put_device(&endpoint->vfio->vdev);
	endpoint->vfio = NULL;
}

int ref_vfio_block(struct ref_endpoint *endpoint)
{
	struct ref_vfio *vfio = endpoint->vfio;

	lockdep_assert_held(&endpoint->object.ctx->lock);
	if (!vfio)
		return 0;
	if (atomic_cmpxchg(&vfio->state, VFIO_CLOSED, VFIO_BLOCKED) != VFIO_CLOSED)
		return -EBUSY;
	/* /dev/vfio/devices/vfioN is open and not bound: VFIO would wait for it. */
	if (refcount_read(&vfio->vdev.refcount) > 1) {
		atomic_set(&vfio->state, VFIO_CLOSED);
		return -EBUSY;
	}
	return 0;
}

void ref_vfio_unblock(struct ref_endpoint *endpoint)
{
	lockdep_assert_held(&endpoint->object.ctx->lock);
	if (endpoint->vfio)
		atomic_set(&endpoint->vfio->state, VFIO_CLOSED);
}
