/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which pages are behind the process addresses of slots, VFIO's and iommufd's: /proc/PID/pagemap, which needs
 * CAP_SYS_ADMIN to tell page numbers. What is not there (never touched, swapped, under migration, poisoned) or is no
 * memory (VM_PFNMAP) is told as not there: unknown.
 *
 * Whose addresses? The kernel gives the number of the slot's process only if that still has the slot's address space
 * (bpf/books.bpf.h, iommufd.bpf.h), and the file means the address space of when it was opened. A process never comes back to an
 * address space that it left, and the slot holds on to its task: if the number is there before and after, the file
 * meant the right one. So who finds a difference reads all of it again.
 */
#ifndef IOMMUSCOPE_PROCESS_H
#define IOMMUSCOPE_PROCESS_H

#include <stdbool.h>

#include "core/reading.h"
#include "live/peek.h"

struct process {
	bool asked;
	bool denied;		/* page numbers are not told to us: nothing is known, and is read no more */
};

/**
 * process_read() - BOOK_PROCESS of @r, for all areas of reading_slots()
 *
 * @r->books has BOOK_PROCESS afterwards, but if @s->denied.
 *
 * Return: 0 or -ENOMEM.
 */
int process_read(struct peek *p, struct process *s, struct reading *r);

/**
 * process_judge() - Ask for the pins of pages where table and process differ, and divide BOOK_PROCESS by that
 *
 * Return: 0 or -errno.
 */
int process_judge(struct peek *p, struct reading *r);

#endif
