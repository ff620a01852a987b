/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The random machine: what lies where in its memory. */
#ifndef IOMMUSCOPE_RANDOM_MEMORY_H
#define IOMMUSCOPE_RANDOM_MEMORY_H

#define MEMORY_TEXT	0x1000000ULL
#define MEMORY_RODATA	0x2000000ULL
#define MEMORY_STACK	0x3000000ULL	/* one page */
#define MEMORY_BUFFERS	0x40000000ULL
#define MEMORY_END	0xffffffffffULL	/* inclusive */
#define MEMORY_DEVICES	0x10000000000ULL	/* to be added */

#endif
