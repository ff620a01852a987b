/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the loader and the programs agree on besides the records: configuration and
 * the per-CPU counters. Never in a trace.
 */
#ifndef IOMMUSCOPE_SHARED_H
#define IOMMUSCOPE_SHARED_H

/* Written by the loader before the programs load; constant afterwards. */
struct bpf_config {
	__u32 cpus;		/* possible CPUs */
	__u32 filter_device;	/* 1: only the device of that name and its domains */
	__u32 filter_tgid;	/* 0: any */
	__u32 wake_bytes;	/* unread bytes in a ring that wake the consumer */
	__u32 chunks_lg2;	/* 2^this chunks make a ring */
	__u32 stacks;		/* 1: a call stack behind each operation */
	char symbol_format[4];	/* "%pB": how bpf_snprintf() names an address */
	char device[32];	/* dev_name(), padded with NULs */
	__u32 sg_limits;	/* 1: limits of the device behind each scatterlist */
	__u32 type_list_head;	/* ids in the kernel's BTF, for bpf_rdonly_cast() (6.2+); 0: there is none */
	__u32 type_file;
	__u32 preempt;		/* enum preempt_place */
	__u32 pad;
	__u64 ring_bytes;	/* as much may be unread in a ring */
	__u64 frames;		/* page frames of RAM that are followed; 0: none */
	__u64 vmemmap;		/* value of vmemmap_base */
	__u64 page_offset;	/* value of page_offset_base: where physical memory begins */
	__u64 sme_mask;		/* value of sme_me_mask: AMD's memory encryption, a bit of physical addresses; or 0 */
	__u64 group_kset;	/* addresses; 0: this kernel has no such symbol */
	__u64 intel_ops;
	__u64 intel_fs_ops;	/* 6.19+ */
	__u64 amd_ops;
	__u64 pci_bus;
};

/* Which per-CPU variable has the preemption counter: it moved twice. */
enum preempt_place {
	PREEMPT_UNKNOWN,
	PREEMPT_OWN,		/* __preempt_count: before 6.2, from 6.15 on */
	PREEMPT_HOT,		/* pcpu_hot.preempt_count */
};

/* In and out of find_symbols(). */
#define SYMBOL_NAME_BYTES 32

enum {
	SYMBOL_VMEMMAP_BASE,
	SYMBOL_VMEMMAP_POPULATE,
	SYMBOL_PAGE_OFFSET,
	SYMBOL_SME_MASK,
	SYMBOL_GROUP_KSET,
	SYMBOL_INTEL_OPS,
	SYMBOL_INTEL_FS_OPS,
	SYMBOL_AMD_OPS,
	SYMBOL_PCI_BUS,
	SYMBOL_COUNT
};

struct symbol_query {
	char name[SYMBOL_NAME_BYTES];	/* padded with NULs */
	__u64 addr;		/* 0: there is none */
	__u64 value;		/* the word there */
};

/*
 * A ring is made of chunks, because 6.1 has no array values above 4 MiB. A
 * record that begins in a chunk may end in its slack: none is split, and none is padded.
 */
#define RING_CHUNK 65536
#define RING_SLACK 256		/* EV_LEN_MAX */

struct ring_chunk {
	__u8 bytes[RING_CHUNK + RING_SLACK];
};

/* A cache line per CPU and one of its reader: no line of the hot path is written by two CPUs. */
struct cpu_state {
	__u64 seq;		/* next sequence number */
	__u64 lost;		/* records for which the ring had no room */
	__u64 ids;		/* intents begun */
	__u64 no_scope;		/* entries for which no scope storage was to be had */
	__u64 overflow;		/* entries nested deeper than a scope holds */
	__u32 listening;	/* 0: nothing is written; set once all hooks are attached */
	__u32 freer;		/* thread that was introduced last because it freed a page */
	__u64 head;		/* bytes ever reserved in the ring */
	__u64 pad;
	__u64 tail;		/* bytes ever read; written by userspace */
	__u64 tail_pad[7];
};
_Static_assert(sizeof(struct cpu_state) == 128, "two cache lines");

#endif
