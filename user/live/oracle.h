/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Second readings of a table: others who read the same memory.
 *
 * - iommu_iova_to_phys(), which the module refiommu calls for us if it is loaded, of domains that it can keep alive: its
 *   own, and those that its address spaces have behind other IOMMUs (kernel/phys.c).
 * - Intel's dump in debugfs, where the kernel was built with it. While it is written the IOMMU's lock is held; against unmaps,
 *   which may free pages of the table meanwhile, it is not protected (drivers/iommu/intel/debugfs.c,
 *   domain_translation_struct_show()): who asks for it takes that risk.
 *
 * Each only on request: both take time of the kernel. What cannot be asked is no book, and no error.
 */
#ifndef IOMMUSCOPE_ORACLE_H
#define IOMMUSCOPE_ORACLE_H

#include "core/asked.h"
#include "live/host.h"

struct oracle {
	bool phys;		/* the user's wishes: ask iommu_iova_to_phys() */
	bool debugfs;		/* read Intel's dump */
	int module;		/* /dev/refiommu; -1: there is none for us */
	uint32_t random;	/* addresses by chance, for each domain */
	struct asked asked;	/* of the domain that is being read */
	char device[32];	/* in it, behind VT-d; "": none */
	unsigned int dumps;	/* that were read of it */
	uint32_t books;		/* that there are of it: bits of enum book */
};

/** oracle_open() - Look for those that are wished for (filled, with @o->random); never fails. oracle_close() */
void oracle_open(struct oracle *o);
void oracle_close(struct oracle *o);

/** oracle_begin() - Another domain will be read; @device is in it, behind VT-d, or NULL */
void oracle_begin(struct oracle *o, const char *device);

/**
 * oracle_read() - Add what they say of [@first, @last] to @r, which has its runs
 *
 * The first call for a domain is about all of it, and chooses the addresses that are asked, then and later; which books it
 * reads are those that there are. A table that makes the dump be read again and again has no dump any more:
 * @o->books says so.
 *
 * Return: 0; 1: not now; -ENOMEM.
 */
int oracle_read(struct oracle *o, const struct host_domain *d, uint64_t first, uint64_t last,
		struct reading *r);

#endif
