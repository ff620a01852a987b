/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Invalidation commands decoded: which caches of which IOMMU forget which range.
 * VT-d: specification 6.5.2. AMD-Vi: specification 2.4. refiommu: kernel/trace.h.
 */
#ifndef IOMMUSCOPE_FLUSH_H
#define IOMMUSCOPE_FLUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/** ref_iommu() - What names @instance of refiommu among the IOMMUs: no kernel pointer is that small. */
static inline uint64_t ref_iommu(uint32_t instance)
{
	return instance + 1ULL;
}

enum flush_scope {
	FLUSH_NONE,	/* forgets no translation: waits, interrupt entries */
	FLUSH_ENTRY,	/* context, PASID or device-table entries */
	FLUSH_GLOBAL,	/* every IOTLB entry of the IOMMU; of AMD-Vi entries of @table as well */
	FLUSH_DOMAIN,	/* IOTLB entries of @did in [iova, last] */
	FLUSH_PASID,	/* the same, of @pasid only */
	FLUSH_DEVICE,	/* device TLB of @sid in [iova, last] */
	FLUSH_UNKNOWN,	/* may have covered anything */
};

/* FLUSH_ENTRY, FLUSH_GLOBAL: whose entries. Bits, so that a search can ask for several. */
enum entry_table {
	ENTRY_CONTEXT = 0x1,	/* VT-d context cache */
	ENTRY_PASID = 0x2,	/* VT-d PASID cache */
	ENTRY_DEVTAB = 0x4,	/* AMD-Vi device table */
	ENTRY_REF = 0x8,	/* context cache of refiommu */
};

enum entry_grain {
	GRAIN_ALL,	/* every entry */
	GRAIN_DOMAIN,	/* those with @did */
	GRAIN_ONE,	/* that of one device; PASID cache: of @did and @pasid */
};

struct flush {
	enum flush_scope scope;
	enum entry_table table;	/* FLUSH_ENTRY, FLUSH_GLOBAL; 0 none */
	enum entry_grain grain;	/* FLUSH_ENTRY */
	uint32_t sid_free;	/* FLUSH_ENTRY: bits of @sid that do not count (function mask) */
	uint64_t dev;		/* ENTRY_REF: the device */
	bool failed;		/* the hardware did not confirm it */
	bool leaf_only;		/* VT-d IH, AMD without PDE: tables may stay cached */
	bool any_pasid;		/* FLUSH_DEVICE: entries of every PASID */
	uint16_t cpu;
	uint16_t kind;		/* enum ev_type */
	uint32_t did;
	uint32_t pasid;
	uint32_t sid;
	uint64_t iommu;
	uint64_t iova;
	uint64_t last;
	uint64_t begin;		/* never 0: the end if unknown */
	uint64_t end;
	uint64_t seq;
};

/**
 * flush_vtd() - Decode a VT-d descriptor
 * @qw0: low quadword
 * @qw1: high quadword
 * @f:   scope and what belongs to it are set
 */
void flush_vtd(uint64_t qw0, uint64_t qw1, struct flush *f);

/** flush_amd() - Decode an AMD-Vi command; as flush_vtd(). */
void flush_amd(uint64_t qw0, uint64_t qw1, struct flush *f);

/** flush_from() - Decode EV_QI, EV_AMD_CMD or EV_REF_FLUSH @op into @f. */
void flush_from(const struct op *op, struct flush *f);

/* The entry of a device in a table that the IOMMU caches. */
#define DID_UNKNOWN 0xffffffff

struct entry {
	unsigned int tables;	/* bits of enum entry_table: a flush of any will do */
	uint32_t sid;
	uint32_t did;		/* that it named; or DID_UNKNOWN */
	uint32_t pasid;		/* or EV_TAG_NO_PASID */
	uint64_t dev;
};

/** flush_names_entries() - Does @f forget entries of devices, that we know of? */
static inline bool flush_names_entries(const struct flush *f)
{
	return f->scope == FLUSH_ENTRY || (f->scope == FLUSH_GLOBAL && f->table);
}

/**
 * flush_covers_entry() - Does the IOMMU forget @e with @f?
 *
 * The domain id of a device-selective context flush does not count: it is 0 when what was not
 * present may be cached, and scalable mode ignores it (VT-d specification 6.5.2.1; 6.12,
 * context_present_cache_flush()).
 */
bool flush_covers_entry(const struct flush *f, const struct entry *e);

/** flush_covers_pasid() - Does @f reach entries that are tagged with @pasid? */
bool flush_covers_pasid(const struct flush *f, uint32_t pasid);

#endif
