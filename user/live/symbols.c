// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Symbols without type information, by a program that asks the kernel (bpf/symbols.bpf.c):
 * reading /proc/kallsyms takes a second under emulation.
 */
#include "live/symbols.h"

#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "symbols.skel.h"	/* only for the bytes of the object file */

static int ask(struct bpf_object *obj, struct symbol_query *queries, size_t bytes)
{
	/* What a program of this kind writes into its context comes back where it was read. */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = queries, .ctx_size_in = bytes);
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "find_symbols");
	int err = bpf_object__load(obj);

	if (err)
		return err;
	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ? -errno : 0;
}

int symbols_find(struct bpf_config *config)
{
	struct symbol_query q[SYMBOL_COUNT] = {
		[SYMBOL_VMEMMAP_BASE] = { .name = "vmemmap_base" },
		[SYMBOL_VMEMMAP_POPULATE] = { .name = "vmemmap_populate" },
		[SYMBOL_PAGE_OFFSET] = { .name = "page_offset_base" },
		[SYMBOL_SME_MASK] = { .name = "sme_me_mask" },
		[SYMBOL_GROUP_KSET] = { .name = "iommu_group_kset" },
		[SYMBOL_INTEL_OPS] = { .name = "intel_iommu_ops" },
		[SYMBOL_INTEL_FS_OPS] = { .name = "intel_fs_paging_domain_ops" },
		[SYMBOL_AMD_OPS] = { .name = "amd_iommu_ops" },
		[SYMBOL_PCI_BUS] = { .name = "pci_bus_type" },
	};
	struct bpf_object *obj;
	const void *bytes;
	size_t len;
	int err;

	bytes = programs__elf_bytes(&len);
	obj = bpf_object__open_mem(bytes, len, NULL);
	if (!obj)
		return -errno;
	err = ask(obj, q, sizeof(q));
	bpf_object__close(obj);
	if (err)
		return err;
	/* vmemmap_base is there without CONFIG_SPARSEMEM_VMEMMAP as well, but then pages are not. */
	if (!q[SYMBOL_VMEMMAP_BASE].addr || !q[SYMBOL_VMEMMAP_POPULATE].addr ||
	    !q[SYMBOL_GROUP_KSET].addr)
		return -ESRCH;
	config->vmemmap = q[SYMBOL_VMEMMAP_BASE].value;
	config->page_offset = q[SYMBOL_PAGE_OFFSET].value;
	config->sme_mask = q[SYMBOL_SME_MASK].value;
	config->group_kset = q[SYMBOL_GROUP_KSET].addr;
	config->intel_ops = q[SYMBOL_INTEL_OPS].addr;
	config->intel_fs_ops = q[SYMBOL_INTEL_FS_OPS].addr;
	config->amd_ops = q[SYMBOL_AMD_OPS].addr;
	config->pci_bus = q[SYMBOL_PCI_BUS].addr;
	return 0;
}
