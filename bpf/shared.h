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
	__u32 stacks;		/* 1: a call stack behind each operation */
	char symbol_format[4];	/* "%pB": how bpf_snprintf() names an address */
	char device[32];	/* dev_name(), padded with NULs */
	__u32 sg_limits;	/* 1: limits of the device behind each scatterlist */
	__u32 casts;		/* 1: the kernel has bpf_rdonly_cast() (6.2+) */
	__u64 frames;		/* page frames of RAM that are followed; 0: none */
};

/* One cache line per CPU: no line of the hot path is written by two CPUs. */
struct cpu_state {
	__u64 seq;		/* next sequence number */
	__u64 lost;		/* records for which the ring had no room */
	__u64 ids;		/* intents begun */
	__u64 no_scope;		/* entries for which no scope storage was to be had */
	__u64 overflow;		/* entries nested deeper than a scope holds */
	__u32 listening;	/* 0: nothing is written; set once all hooks are attached */
	__u32 freer;		/* thread that was introduced last because it freed a page */
	__u32 pad[4];
};
_Static_assert(sizeof(struct cpu_state) == 64, "one cache line");

#endif
