// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Programs that are run on demand and read: kernel memory by address, where devices and domains have
 * their tables. They write nothing but their answers and take no locks: whoever asks must be
 * ready for what changes meanwhile. An object of its own, which loads in a fraction of the
 * time of the programs that listen.
 */
#include "groups.bpf.h"
#include "peek_abi.h"
#include "table_root.bpf.h"
#include "books.bpf.h"
#include "iommufd.bpf.h"
#include "owners.bpf.h"
#include "ops.bpf.h"
#include "pages.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PEEK_BATCH);
	__type(key, u32);
	__type(value, struct peek_want);
} peek_wants SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PEEK_BATCH);
	__type(key, u32);
	__type(value, struct peek_page);
} peek_pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PEEK_DEVICES);
	__type(key, u32);
	__type(value, struct peek_device);
} peek_found SEC(".maps");

/* ---- memory ---- */

static long memory_step(u32 i, void *unused)
{
	struct peek_want *want = bpf_map_lookup_elem(&peek_wants, &i);
	struct peek_page *page = bpf_map_lookup_elem(&peek_pages, &i);
	u32 bytes;

	if (!want || !page)
		return 1;
	bytes = want->bytes;
	if (!bytes || bytes > PEEK_BYTES)
		return 1;
	want->err = bpf_probe_read_kernel(page, bytes, (void *)want->addr);
	return 0;
}

SEC("syscall")
int peek_memory(struct peek_batch *batch)
{
	bpf_loop(batch->count, memory_step, NULL, 0);
	return 0;
}

/* ---- devices ---- */

static u32 devices_skip, devices_seen;

/*
 * A device may go while it is looked at, and its memory be another's. IOMMUs stay: what names the driver's operations
 * before and after its registers were taken is one, and only then userspace will read there.
 */
static __always_inline void peek_vtd(struct peek_device *row, struct device *dev)
{
	struct intel_iommu *iommu = (void *)BPF_CORE_READ(dev, iommu, iommu_dev) -
				    bpf_core_field_offset(struct intel_iommu, iommu);
	u64 regs = (u64)BPF_CORE_READ(iommu, reg);

	if ((u64)BPF_CORE_READ(iommu, iommu.ops) != config.intel_ops)
		return;
	row->iommu = (u64)iommu;
	row->regs = regs;
	bpf_core_read(row->iommu_name, 13, &iommu->name);
}

static __always_inline void peek_amd(struct peek_device *row, struct device *dev)
{
	struct amd_iommu *iommu = (void *)BPF_CORE_READ(dev, iommu, iommu_dev) -
				  bpf_core_field_offset(struct amd_iommu, iommu);

	u64 regs = (u64)BPF_CORE_READ(iommu, mmio_base);

	if ((u64)BPF_CORE_READ(iommu, iommu.ops) != config.amd_ops)
		return;
	row->iommu = (u64)iommu;
	row->regs = regs;
	amd_iommu_name(row->iommu_name, BPF_CORE_READ(iommu, index));
}

static __always_inline void peek_device(struct peek_device *row, struct device *dev,
					struct iommu_group *group, bool parked)
{
	__builtin_memset(row, 0, sizeof(*row));
	row->dev = (u64)dev;
	row->group_at = (u64)group;
	row->group = BPF_CORE_READ(group, id);
	row->domain = (u64)group_domain(group);
	row->default_domain = (u64)BPF_CORE_READ(group, default_domain);
	row->owner = (u64)BPF_CORE_READ(group, owner);
	row->kind = device_driver_kind(dev);
	row->priv = (u64)BPF_CORE_READ(dev, iommu, priv);
	row->sid = device_sid(dev, row->kind);
	row->ev_flags = device_flags(dev, row->kind);
	row->flags = parked ? PEEK_DEV_PARKED : 0;
	if (row->kind == EV_DRIVER_VTD)
		peek_vtd(row, dev);
	else if (row->kind == EV_DRIVER_AMD)
		peek_amd(row, dev);
	read_name(row->name, sizeof(row->name), BPF_CORE_READ(dev, kobj.name));
	read_driver_name(row->driver, sizeof(row->driver), dev);
}

static __always_inline long group_device(struct group_device *gd, struct device *dev,
					 struct iommu_group *group)
{
	u32 at = devices_seen - devices_skip;
	struct peek_device *row;

	if (devices_seen++ < devices_skip)
		return 0;
	row = bpf_map_lookup_elem(&peek_found, &at);
	if (row)
		peek_device(row, dev, group, device_is_parked(gd));
	return 0;
}

SEC("syscall")
int peek_devices(struct peek_devices *ask)
{
	devices_skip = ask->skip;
	devices_seen = 0;
	ask->again = groups_walk();
	ask->count = devices_seen;
	return 0;
}

/* ---- domains ---- */

SEC("syscall")
int peek_domain(struct peek_domain *ask)
{
	struct iommu_domain *domain = (void *)ask->domain;
	struct table_root root = {};
	u32 kind = ask->kind;

	ask->type = BPF_CORE_READ(domain, type);
	ask->ops = (u64)BPF_CORE_READ(domain, ops);
	ask->pgsize_bitmap = BPF_CORE_READ(domain, pgsize_bitmap);
	ask->aperture_start = BPF_CORE_READ(domain, geometry.aperture_start);
	ask->aperture_end = BPF_CORE_READ(domain, geometry.aperture_end);
	ask->cookie = ask->type & DOMAIN_DMA_API ? (u64)BPF_CORE_READ(domain, iova_cookie) : 0;
	ask->behind = ask->domain + bpf_core_type_size(struct iommu_domain);
	ask->width = domain_width(domain, kind);
	if (kind == EV_DRIVER_VTD)
		vtd_table_root(domain, &root);
	else if (kind == EV_DRIVER_AMD)
		amd_table_root(domain, &root);
	ask->table = root.table;
	ask->levels = root.levels;
	ask->format = root.format;
	ask->did = root.did;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
