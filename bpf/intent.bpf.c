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

/* A number becomes a pointer whose fields are loads (6.2+): a probing read costs a hundred of those. */
extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym __weak;

/* The loader knows the type's id: CO-RE sees a part of the kernel's BTF, with other ids. */
#define AS(type, number) ((struct type *)bpf_rdonly_cast((void *)(number), config.type_##type))

static __always_inline struct file *table_entry(struct file **at)
{
	struct file *file = NULL;

	if (config.type_list_head)	/* any structure that begins with a pointer */
		return (void *)AS(list_head, at)->next;
	bpf_probe_read_kernel(&file, sizeof(file), at);
	return file;
}

static __always_inline u64 file_ops(struct file *file)
{
	return (u64)(config.type_file ? AS(file, file)->f_op : BPF_CORE_READ(file, f_op));
}

static __always_inline u64 file_private(struct file *file)
{
	return (u64)(config.type_file ? AS(file, file)->private_data :
					BPF_CORE_READ(file, private_data));
}

static __always_inline struct file *file_of(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct fdtable *fdt = task->files->fdt;

	if (fd >= fdt->max_fds)
		return NULL;
	return table_entry(&fdt->fd[fd]);
}

#define MINOR_BITS 20		/* include/linux/kdev_t.h */
#define MISC_MAJOR 10

/*
 * Ioctl numbers are shared: 0x3b71 on a device of VFIO's is a hot reset. Containers,
 * /dev/vfio/vfio and /dev/iommu, are misc devices; a group is not.
 */
static __always_inline bool file_is_vfio(struct file *file, u32 cmd)
{
	const struct file_operations *ops = (void *)file_ops(file);
	bool of_group = cmd == VFIO_GROUP_SET_CONTAINER;
	struct module *owner;
	u64 name = 0;

	if (!of_group && (u64)ops == container_ops)
		return true;
	if (of_group == (BPF_CORE_READ(file, f_inode, i_rdev) >> MINOR_BITS == MISC_MAJOR))
		return false;
	owner = BPF_CORE_READ(ops, owner);
	if (!owner)
		return true;
	bpf_core_read(&name, sizeof(name), &owner->name);
	if ((name & NAME_VFIO_MASK) != NAME_VFIO && name != NAME_IOMMUFD)
		return false;
	if (!of_group)
		container_ops = (u64)ops;
	return true;
}

/* A group names its container by a descriptor, all others are the container's own calls. */
static __always_inline struct file *container_of_call(u32 cmd, u64 uarg, struct file *file)
{
	s32 fd = -1;

	if (cmd == VFIO_GROUP_SET_CONTAINER) {
		if (bpf_probe_read_user(&fd, sizeof(fd), (void *)uarg))
			return NULL;
		file = file_of(fd);
		if (!file || !file_is_vfio(file, VFIO_SET_IOMMU))
			return NULL;
	}
	return file;
}

static __always_inline void vfio_read_args(struct vfio_map_args *args, u32 cmd, u64 uarg)
{
	struct vfio_unmap_args unmap = {};

	if (cmd == VFIO_IOMMU_MAP_DMA)
		bpf_probe_read_user(args, sizeof(*args), (void *)uarg);
	if (cmd != VFIO_IOMMU_UNMAP_DMA)
		return;
	bpf_probe_read_user(&unmap, sizeof(unmap), (void *)uarg);
	args->flags = unmap.flags;
	args->iova = unmap.iova;
	args->size = unmap.size;
}

/* __x64_sys_ioctl(regs): fd, cmd, arg */
SEC("fentry")
int vfio_ioctl_entry(u64 *ctx)
{
	struct pt_regs *regs = (void *)arg(ctx, 0);
	u32 cmd = regs->si;
	struct vfio_map_args args = {};
	struct file *file;
	struct frame *f;
	u64 container;

	if (!cmd_is_ours(cmd))
		return 0;
	file = file_of(regs->di);
	if (!file || !file_is_vfio(file, cmd))
		return 0;
	vfio_read_args(&args, cmd, regs->dx);
	file = container_of_call(cmd, regs->dx, file);
	container = file ? file_private(file) : 0;
	f = call_open(ctx, HOOK_VFIO_IOCTL, true);
	if (!f)
		return 0;
	f->object = container;
	f->iova = args.iova;
	f->size = args.size;
	f->vaddr = args.vaddr;
	f->prot = args.flags;
	return 0;
}

/*
 * Does the frame have what was asked? At the entry a page of the caller's that was not there reads as
 * zeroes; the kernel has then waited for it, and a map's structure is still in it as it was. An
 * unmap's is not: its result stands in the size.
 */
static __always_inline bool args_heard(u32 cmd, const struct call *c)
{
	if (c->flags & (EVF_NOENTRY | EVF_NOCTX))
		return false;
	return cmd != VFIO_IOMMU_MAP_DMA || c->size;
}

/* What was asked stands in the frame, as the kernel read it. */
static __always_inline void vfio_fill(struct ev_vfio *rec, u32 cmd, u64 uarg, const struct call *c)
{
	struct vfio_map_args args = {
		.vaddr = c->vaddr, .iova = c->iova, .size = c->size, .flags = c->prot,
	};
	u64 done = 0;

	if (!args_heard(cmd, c))
		vfio_read_args(&args, cmd, uarg);
	if (cmd == VFIO_IOMMU_UNMAP_DMA)
		bpf_probe_read_user(&done, sizeof(done),
				    (void *)uarg + __builtin_offsetof(struct vfio_unmap_args, size));
	rec->vaddr = args.vaddr;
	rec->iova = args.iova;
	rec->size = args.size;
	rec->done = done;
	rec->vfio_flags = args.flags;
	rec->cmd = cmd;
}

static __always_inline u32 vfio_type(u32 cmd)
{
	if (cmd == VFIO_IOMMU_MAP_DMA)
		return EV_VFIO_MAP;
	if (cmd == VFIO_IOMMU_UNMAP_DMA)
		return EV_VFIO_UNMAP;
	return EV_VFIO_ATTACH;
}

#define NOT_OURS (~0ULL)

/*
 * Without a frame it was no ioctl of VFIO's, or its entry was skipped: then the
 * descriptor still tells whose it is, unless another thread has just reused it.
 */
__attribute__((noinline)) u64 container_late(u32 fd, u32 cmd, u64 uarg)
{
	struct file *file = file_of(fd);

	if (!file || !file_is_vfio(file, cmd))
		return NOT_OURS;
	/* A probing read gives a number; 7.x knows what a load gives for a pointer, and refuses to return it. */
	file = container_of_call(cmd, uarg, file);
	return file ? (u64)BPF_CORE_READ(file, private_data) : 0;
}

SEC("fexit")
int vfio_ioctl_exit(u64 *ctx)
{
	struct pt_regs *regs = (void *)arg(ctx, 0);
	u32 cmd = regs->si;
	struct ev_vfio *rec;
	struct emit e;
	struct call c;

	if (!cmd_is_ours(cmd))
		return 0;
	call_end(ctx, HOOK_VFIO_IOCTL, &c);
	if (!c.object)
		c.object = container_late(regs->di, cmd, regs->dx);
	if (c.object == NOT_OURS)
		return 0;
	if (!wanted_task(c.flags))
		return 0;
	rec = emit_op(&e, vfio_type(cmd), sizeof(*rec), &c);
	if (!rec)
		return 0;
	vfio_fill(rec, cmd, regs->dx, &c);
	rec->container = c.object;
	rec->ret = ret_of(ctx);
	emit_submit(&e, rec);
	emit_stack(ctx, &e);
	return 0;
}
