/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What readers of page tables ask the kernel for (bpf/peek.bpf.c, user/live/peek.c): pages of its memory,
 * and where devices and domains have their tables. Never in a trace.
 */
#ifndef IOMMUSCOPE_PEEK_ABI_H
#define IOMMUSCOPE_PEEK_ABI_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* ---- memory ---- */

#define PEEK_BATCH 64		/* of one call */
#define PEEK_BYTES 4096

/* Wanted: @bytes at kernel address @addr; they come to the page of the same number. */
struct peek_want {
	__u64 addr;
	__u32 bytes;		/* 1 ... PEEK_BYTES */
	__s32 err;		/* out: 0 or -errno: nothing can be read there */
};

struct peek_page {
	__u8 bytes[PEEK_BYTES];
};

/* Context of the program. */
struct peek_batch {
	__u32 count;		/* wants from the first on */
	__u32 pad;
};

/* ---- devices ---- */

#define PEEK_DEVICES 512	/* of one call */

#define PEEK_DEV_PARKED	0x1	/* in the blocking domain during a reset (7.x) */

struct peek_device {
	__u64 dev;		/* struct device * */
	__u64 domain;		/* of its group; 0 none */
	__u64 default_domain;
	__u64 owner;		/* of the group's DMA: struct vfio_group *, struct iommufd_ctx *; 0 the kernel */
	__u64 group_at;		/* struct iommu_group * */
	__u64 iommu;		/* struct intel_iommu *, struct amd_iommu *; 0 another driver's */
	__u64 regs;		/* kernel address of its registers; 0 unknown */
	__u64 priv;		/* dev->iommu->priv */
	__s32 group;
	__u32 kind;		/* enum ev_driver */
	__u32 sid;		/* ~0 unknown */
	__u32 ev_flags;		/* EV_DEV_* */
	__u32 flags;		/* PEEK_DEV_* */
	__u32 pad;
	char iommu_name[16];
	char name[32];
	char driver[24];
};

/* Context of the program; devices come to their map from the first place on. */
struct peek_devices {
	__u32 skip;		/* so many were read by calls before */
	__u32 count;		/* out: seen by all calls, of which PEEK_DEVICES at most are new */
	__u32 again;		/* out: 1: groups were being changed, not all was seen */
	__u32 pad;
};

/* ---- domains ---- */

/* Numbers of enum walk_format (user/core/walk.h). */
#define PEEK_FORMAT_NONE	0
#define PEEK_FORMAT_VTD_SECOND	1
#define PEEK_FORMAT_X86		2
#define PEEK_FORMAT_AMD_V1	3

/* Context of the program. */
struct peek_domain {
	__u64 domain;		/* in: struct iommu_domain * */
	__u32 kind;		/* in: enum ev_driver */
	__u32 type;		/* IOMMU_DOMAIN_* bits */
	__u64 ops;
	__u64 pgsize_bitmap;
	__u64 aperture_start;
	__u64 aperture_end;
	__u64 cookie;		/* struct iommu_dma_cookie * of a DMA API domain, else 0 */
	__u64 table;		/* kernel address of the root table; 0: no table, or not known */
	__u64 behind;		/* first byte behind struct iommu_domain: a module without BTF may say more there */
	__u32 format;		/* PEEK_FORMAT_* */
	__u32 levels;
	__u32 width;		/* address bits that the driver really has; 0 unknown */
	__u32 did;		/* VT-d: not here, but by IOMMU; AMD-Vi: domain id; ~0 unknown */
};

/* ---- books: what the kernel keeps of who asked for what ---- */

#define PEEK_AREAS 4096		/* of one call */

#define PEEK_AREA_GROWS	0x1	/* VFIO: the map is going on; [first, last] is what is done so far */
#define PEEK_AREA_EMPTY	0x2	/* and nothing is: @first only; iommufd: all of it was revoked */
#define PEEK_AREA_NO_VADDR 0x4	/* VFIO: the process addresses are being changed (live update) */
#define PEEK_AREA_UNSURE 0x8	/* iommufd: it is being filled or emptied just now */

struct peek_area {
	__u64 first;
	__u64 last;		/* inclusive */
	__u64 vaddr;		/* of @first in the process; 0 none */
	__u64 mm;		/* struct mm_struct * that @vaddr is in; 0 none */
	__u32 prot;		/* IOMMU_READ 1, IOMMU_WRITE 2 */
	__u32 flags;		/* PEEK_AREA_* */
	__u32 tgid;		/* process that mapped it, if it still has that mm; else 0 */
	__u32 pad;
};

enum peek_owner_kind {
	PEEK_OWNER_NONE = 0,	/* the kernel's own, or not to be told */
	PEEK_OWNER_VFIO = 1,	/* a group of VFIO's, with a container of type1 */
	PEEK_OWNER_IOMMUFD = 2,
};

/* Context of the program: who owns a group's DMA. */
struct peek_owner {
	__u64 owner;		/* in: of struct peek_device */
	__u64 group_at;		/* in */
	__u64 domain;		/* in: that the group is in; iommufd: who has it says which book */
	__u32 kind;		/* out: enum peek_owner_kind */
	__u32 pad;
	__u64 book;		/* out: struct vfio_iommu * of the container, struct io_pagetable * of the IOAS; 0 none */
};

/* Context of the program; areas come to their map from the first place on, in rising order. */
struct peek_book {
	__u64 book;		/* in: struct vfio_iommu *, io_pagetable *, or iommu_dma_cookie * */
	__u64 domain;		/* in: VFIO, iommufd: is it filled from this book? */
	__u64 from;		/* in: first address of interest */
	__u64 to;		/* in: last one */
	__u32 count;		/* out: areas */
	__u32 full;		/* out: there are more */
	__u32 busy;		/* out: it was being changed at the begin, or at the end */
	__u32 has_domain;	/* out */
};

/* ---- pages of RAM: are they pinned? ---- */

#define PEEK_PINS 512		/* of one call */

#define PEEK_PIN_UNKNOWN 0x1	/* reserved, without a struct page, or just changing: never pinned by that */
#define PEEK_PIN_LARGE	0x2	/* of a folio of several pages: @pins are of all of them */

struct peek_pin {
	__u64 pfn;		/* in */
	__u32 pins;		/* out */
	__u32 flags;		/* out: PEEK_PIN_* */
};

/* Context of the program. */
struct peek_pins {
	__u32 count;		/* in: pages from the first place of the map on */
	__u32 tgid;		/* out: who asks, as the kernel numbers it */
};

/* ---- calls that change tables ---- */

#define PEEK_OPS_DOMAINS 4096

/* Calls of iommu_map(), iommu_unmap() and the like for one domain, or that change the areas of one of iommufd's address
 * spaces, since it is being watched. */
struct peek_ops {
	__u64 begun;
	__u64 ended;		/* of those */
	__u64 watch;		/* number of the watch: what began in another one does not count */
	__u64 lost;		/* calls that could not be counted */
};

#endif
