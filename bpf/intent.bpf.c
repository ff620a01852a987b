// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Intent: VFIO type1 ioctls. They are heard at the system call, not in the module: so
 * the first one after vfio_iommu_type1 was loaded is heard too, no module is pinned,
 * and iommufd's compatibility ioctls look the same. The file must belong to the
 * module vfio or iommufd (or to the kernel itself, when they are built in).
 * include/uapi/linux/vfio.h.
 */
#include "caller.bpf.h"

#define VFIO_GROUP_SET_CONTAINER	0x3b68
#define VFIO_SET_IOMMU			0x3b66
#define VFIO_IOMMU_MAP_DMA		0x3b71
#define VFIO_IOMMU_UNMAP_DMA		0x3b72

/* The first bytes of a module's name, NUL included, as a little-endian word. */
#define NAME_VFIO	0x6f696676ULL
#define NAME_VFIO_MASK	0xffffffffffULL
#define NAME_IOMMUFD	0x6466756d6d6f69ULL

struct vfio_map_args {
	u32 argsz;
	u32 flags;
	u64 vaddr;
	u64 iova;
	u64 size;
};

struct vfio_unmap_args {
	u32 argsz;
	u32 flags;
	u64 iova;
	u64 size;
};

static __always_inline bool cmd_is_ours(u32 cmd)
{
	return cmd == VFIO_IOMMU_MAP_DMA || cmd == VFIO_IOMMU_UNMAP_DMA || cmd == VFIO_SET_IOMMU ||
	       cmd == VFIO_GROUP_SET_CONTAINER;
}

static __always_inline struct file *file_of(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table, *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &table[fd]);
	return file;
}

#define MINOR_BITS 20		/* include/linux/kdev_t.h */
#define MISC_MAJOR 10

/*
 * Ioctl numbers are shared: 0x3b71 on a device of VFIO's is a hot reset. Containers,
 * /dev/vfio/vfio and /dev/iommu, are misc devices; a group is not.
 */
static __always_inline bool file_is_vfio(struct file *file, u32 cmd)
{
	struct module *owner = BPF_CORE_READ(file, f_op, owner);
	bool misc = BPF_CORE_READ(file, f_inode, i_rdev) >> MINOR_BITS == MISC_MAJOR;
	u64 name = 0;

	if (misc == (cmd == VFIO_GROUP_SET_CONTAINER))
		return false;
	if (!owner)
		return true;
	bpf_core_read(&name, sizeof(name), &owner->name);
	return (name & NAME_VFIO_MASK) == NAME_VFIO || name == NAME_IOMMUFD;
}

/* A group names its container by a descriptor, all others are the container's own calls. */
static __always_inline u64 container_of_call(struct pt_regs *regs, struct file *file)
{
	s32 fd = -1;

	if ((u32)BPF_CORE_READ(regs, si) == VFIO_GROUP_SET_CONTAINER) {
		if (bpf_probe_read_user(&fd, sizeof(fd), (void *)BPF_CORE_READ(regs, dx)))
			return 0;
		file = file_of(fd);
		if (!file || !file_is_vfio(file, VFIO_SET_IOMMU))
			return 0;
	}
	return (u64)BPF_CORE_READ(file, private_data);
}

/* __x64_sys_ioctl(regs): fd, cmd, arg */
SEC("fentry")
int vfio_ioctl_entry(u64 *ctx)
{
	struct pt_regs *regs = (void *)arg(ctx, 0);
	u32 cmd = BPF_CORE_READ(regs, si);
	struct vfio_map_args map = {};
	struct file *file;

	if (!cmd_is_ours(cmd))
		return 0;
	file = file_of(BPF_CORE_READ(regs, di));
	if (!file || !file_is_vfio(file, cmd))
		return 0;
	if (cmd == VFIO_IOMMU_MAP_DMA) {
		bpf_probe_read_user(&map, sizeof(map), (void *)BPF_CORE_READ(regs, dx));
	} else if (cmd == VFIO_IOMMU_UNMAP_DMA) {
		struct vfio_unmap_args unmap = {};

		bpf_probe_read_user(&unmap, sizeof(unmap), (void *)BPF_CORE_READ(regs, dx));
		map.iova = unmap.iova;
		map.size = unmap.size;
	}
	call_begin(ctx, HOOK_VFIO_IOCTL, true, container_of_call(regs, file), map.iova, map.size);
	return 0;
}

/* At exit the container is what the entry saw: the descriptor may be another one now. */
static __always_inline void vfio_fill(struct ev_vfio *rec, u32 cmd, u64 uarg)
{
	struct vfio_map_args map = {};
	struct vfio_unmap_args unmap = {};

	rec->vaddr = 0;
	rec->iova = 0;
	rec->size = 0;
	rec->done = 0;
	rec->vfio_flags = 0;
	rec->cmd = cmd;
	if (cmd == VFIO_IOMMU_MAP_DMA) {
		bpf_probe_read_user(&map, sizeof(map), (void *)uarg);
		rec->vaddr = map.vaddr;
		rec->iova = map.iova;
		rec->size = map.size;
		rec->vfio_flags = map.flags;
	} else if (cmd == VFIO_IOMMU_UNMAP_DMA) {
		bpf_probe_read_user(&unmap, sizeof(unmap), (void *)uarg);
		rec->iova = unmap.iova;
		rec->done = unmap.size;
		rec->vfio_flags = unmap.flags;
	}
}

static __always_inline u32 vfio_type(u32 cmd)
{
	if (cmd == VFIO_IOMMU_MAP_DMA)
		return EV_VFIO_MAP;
	if (cmd == VFIO_IOMMU_UNMAP_DMA)
		return EV_VFIO_UNMAP;
	return EV_VFIO_ATTACH;
}

/*
 * Without a frame it was no ioctl of VFIO's, or its entry was skipped: then the
 * descriptor still tells whose it is, unless another thread has just reused it.
 */
static __always_inline bool container_late(struct pt_regs *regs, struct call *c)
{
	struct file *file = file_of(BPF_CORE_READ(regs, di));

	if (!file || !file_is_vfio(file, BPF_CORE_READ(regs, si)))
		return false;
	c->object = container_of_call(regs, file);
	return true;
}

SEC("fexit")
int vfio_ioctl_exit(u64 *ctx)
{
	struct pt_regs *regs = (void *)arg(ctx, 0);
	u32 cmd = BPF_CORE_READ(regs, si);
	struct ev_vfio *rec;
	struct emit e;
	struct call c;

	if (!cmd_is_ours(cmd))
		return 0;
	call_end(ctx, HOOK_VFIO_IOCTL, &c);
	if (!c.object && !container_late(regs, &c))
		return 0;
	if (!wanted_task(c.flags))
		return 0;
	rec = emit_op(&e, vfio_type(cmd), sizeof(*rec), &c);
	if (!rec)
		return 0;
	vfio_fill(rec, cmd, BPF_CORE_READ(regs, dx));
	rec->container = c.object;
	if (cmd == VFIO_IOMMU_UNMAP_DMA)
		rec->size = c.flags & (EVF_NOENTRY | EVF_NOCTX) ? rec->done : c.size;
	rec->ret = ret_of(ctx);
	emit_submit(&e, rec);
	emit_stack(ctx, &e);
	return 0;
}
