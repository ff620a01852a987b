/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the tests of the page tables share; see shim/kernel.h for the kernel they run in. */
#ifndef TABLE_TEST_H
#define TABLE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel.h"
#include "kernel/bugs.h"
#include "kernel/table_priv.h"

#define PAGE 0x1000ULL
#define TOP (~0ULL << 12)
#define RW (REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE)

u64 random64(void); /* the same in each run */
u64 below(u64 n);

/* Maps, which must work; returns the bytes. */
size_t map(struct ref_table *t, u64 iova, u64 paddr, size_t pgsize, size_t pgcount, u32 prot);

/* A flush of [first, last] begins and ends: here are no caches. */
void flushed(struct ref_table *t, u64 first, u64 last);

#endif /* TABLE_TEST_H */
