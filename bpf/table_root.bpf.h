/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where a domain's page table begins, by the books of its driver. Only of paging domains: nested and
 * SVA domains keep other things in the same place.
 */
#ifndef IOMMUSCOPE_TABLE_ROOT_BPF_H
#define IOMMUSCOPE_TABLE_ROOT_BPF_H

#include "who.bpf.h"
#include "peek_abi.h"

struct table_root {
	u64 table;		/* kernel address; 0: none */
	u32 levels;
	u32 format;		/* PEEK_FORMAT_* */
	u32 did;
	u32 pad;
};

#define PT_TOP_LEVEL_MASK 7ULL	/* include/linux/generic_pt/common.h, from 6.19 on */

/* The address of the top table and its level, counted from 0, are one word: never torn. */
static __always_inline void generic_root(u64 top_of_table, u32 format, struct table_root *root)
{
	root->table = top_of_table & ~PT_TOP_LEVEL_MASK;
	root->levels = (top_of_table & PT_TOP_LEVEL_MASK) + 1;
	root->format = format;
}

#define VTD_AGAW_LEVELS 2	/* agaw 0 is 30 bits in two levels: drivers/iommu/intel/iommu.h */

static __always_inline void vtd_table_root(struct iommu_domain *domain, struct table_root *root)
{
	struct dmar_domain *dd = (void *)domain - bpf_core_field_offset(struct dmar_domain, domain);
	struct dmar_domain___generic *generic = (void *)dd;
	struct dmar_domain___own *own = (void *)dd;
	bool first = vtd_first_stage(domain, dd);

	root->did = ~0U;
	if (!(BPF_CORE_READ(domain, type) & DOMAIN_PAGING))
		return;
	if (bpf_core_field_exists(own->pgd)) {
		root->table = (u64)BPF_CORE_READ(own, pgd);
		root->levels = BPF_CORE_READ(own, agaw) + VTD_AGAW_LEVELS;
		root->format = first ? PEEK_FORMAT_X86 : PEEK_FORMAT_VTD_SECOND;
	} else if (bpf_core_field_exists(generic->sspt)) {
		if (first)
			generic_root(BPF_CORE_READ(generic, fspt.x86_64_pt.common.top_of_table),
				     PEEK_FORMAT_X86, root);
		else
			generic_root(BPF_CORE_READ(generic, sspt.vtdss_pt.common.top_of_table),
				     PEEK_FORMAT_VTD_SECOND, root);
	}
}

/* 6.1: PD_IOMMUV2_MASK of protection_domain.flags; 6.2 and newer: enum protection_domain_mode */
#define AMD_FLAG_IOMMUV2 8

static __always_inline bool amd_is_v2(struct protection_domain *pd)
{
	struct protection_domain___pd_mode *mode = (void *)pd;
	struct protection_domain___6_1 *old = (void *)pd;

	if (bpf_core_field_exists(mode->pd_mode))
		return BPF_CORE_READ(mode, pd_mode) != AMD_PD_MODE_V1;
	return bpf_core_field_exists(old->flags) && BPF_CORE_READ(old, flags) & AMD_FLAG_IOMMUV2;
}

#define AMD_V2_LEVELS 4
#define FOUR_LEVELS_FROM 0xffff800000000000ULL	/* kernel addresses, where the CPU's own tables have four */

/*
 * Where the kernel has five levels, 6.12's amd_iommu_gpt_level may be 4 or 5 (drivers/iommu/amd/init.c), and no structure
 * says which: then the table is not known. 6.1 has always 4.
 */
static __always_inline bool amd_v2_is_known(void)
{
	return config.page_offset >= FOUR_LEVELS_FROM;
}

/* The root of a v1 table grows; it and the mode change one after the other: read both until they stay. */
static __always_inline void amd_own_root(struct protection_domain___own *own, bool v2,
					 struct table_root *root)
{
	int levels;
	int i;

	if (v2) {
		if (!amd_v2_is_known())
			return;
		root->table = (u64)BPF_CORE_READ(own, iop.pgd);
		root->levels = AMD_V2_LEVELS;
		root->format = PEEK_FORMAT_X86;
		return;
	}
	for (i = 0; i < 4; i++) {
		levels = BPF_CORE_READ(own, iop.mode);
		root->table = (u64)BPF_CORE_READ(own, iop.root);
		if (levels == BPF_CORE_READ(own, iop.mode))
			break;
	}
	root->levels = levels;
	root->format = PEEK_FORMAT_AMD_V1;
}

static __always_inline void amd_table_root(struct iommu_domain *domain, struct table_root *root)
{
	struct protection_domain *pd =
		(void *)domain - bpf_core_field_offset(struct protection_domain, domain);
	struct protection_domain___generic *generic = (void *)pd;
	struct protection_domain___own *own = (void *)pd;
	bool v2 = amd_is_v2(pd);

	root->did = BPF_CORE_READ(pd, id);
	if (!(BPF_CORE_READ(domain, type) & DOMAIN_PAGING))
		return;
	if (bpf_core_field_exists(own->iop.root)) {
		amd_own_root(own, v2, root);
	} else if (bpf_core_field_exists(generic->amdv1)) {
		if (v2)
			generic_root(BPF_CORE_READ(generic, amdv2.x86_64_pt.common.top_of_table),
				     PEEK_FORMAT_X86, root);
		else
			generic_root(BPF_CORE_READ(generic, amdv1.amdpt.common.top_of_table),
				     PEEK_FORMAT_AMD_V1, root);
	}
}

#endif
