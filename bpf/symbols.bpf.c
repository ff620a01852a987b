// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Addresses of the kernel's data symbols that have no type information, asked of the kernel one by
 * one. An object of its own, because the others need the answers to load. As typeless ksyms
 * libbpf would look for them in all of /proc/kallsyms, once for each object.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include "shared.h"

static __always_inline void find_symbol(struct symbol_query *q)
{
	char name[SYMBOL_NAME_BYTES];
	u64 addr = 0, value = 0;
	u32 i;

	for (i = 0; i < sizeof(name) / sizeof(u64); i++)
		((u64 *)name)[i] = ((volatile u64 *)q->name)[i];
	bpf_kallsyms_lookup_name(name, sizeof(name), 0, &addr);
	if (addr)
		bpf_probe_read_kernel(&value, sizeof(value), (void *)addr);
	q->addr = addr;
	q->value = value;
}

SEC("syscall")
int find_symbols(struct symbol_query *queries)
{
	u32 i;

#pragma unroll
	for (i = 0; i < SYMBOL_COUNT; i++)
		find_symbol(&queries[i]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
