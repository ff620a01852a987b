// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A second, independent reading of the invalidation commands: the slow obvious one.
 * Device TLBs are not looked at; the tests' devices have none.
 */
#include <inttypes.h>
#include <stdio.h>

#include "flushes.h"

#define PAGE_SHIFT 12

struct flush {
	uint64_t iommu;
	uint32_t did;
	bool every_did;
	uint64_t first;
	uint64_t last;
};

/* A block of 2^@order pages, aligned to its size; 64 - 12 and more is everything. */
static void set_block(struct flush *f, uint64_t addr, unsigned int order)
{
	uint64_t mask = order >= 64 - PAGE_SHIFT ? ~0ULL : (1ULL << (order + PAGE_SHIFT)) - 1;

	f->first = addr & ~mask;
	f->last = addr | mask;
}

/* VT-d specification, 6.5.2: IOTLB (2) and PASID-based IOTLB (6) invalidation. */
static bool read_qi(const struct ev_qi *qi, struct flush *f)
{
	unsigned int type = (qi->qw0 & 0xf) | ((qi->qw0 >> 5) & 0x70);
	unsigned int granularity = (qi->qw0 >> 4) & 3;
	bool pages = granularity == 3;

	if (qi->ret || (type != 2 && type != 6))
		return false;
	f->iommu = qi->iommu;
	f->did = (qi->qw0 >> 16) & 0xffff;
	f->every_did = type == 2 && granularity == 1;
	set_block(f, qi->qw1 & ~0xfffULL, pages ? qi->qw1 & 0x3f : 64);
	return true;
}

/*
 * AMD IOMMU specification, 2.4.3: INVALIDATE_IOMMU_PAGES (3). With S set, the lowest
 * zero bit of the address from bit 12 on says the size; bit 63 never does.
 */
static bool read_amd(const struct ev_amd *cmd, struct flush *f)
{
	uint64_t addr = cmd->qw1 & ~0xfffULL;
	unsigned int order = 0;

	if (cmd->ret || (cmd->qw0 >> 60) != 3)
		return false;
	if (cmd->qw1 & 1)
		for (order = 1; order < 51 && (addr >> (PAGE_SHIFT + order - 1)) & 1; order++)
			;
	f->iommu = cmd->iommu;
	f->did = (cmd->qw0 >> 32) & 0xffff;
	f->every_did = false;
	set_block(f, addr, order >= 51 ? 64 : order);
	return true;
}

static bool read_flush(const union record *rec, uint64_t *begin_ns, struct flush *f)
{
	if (rec->h.type == EV_QI) {
		*begin_ns = rec->qi.begin_ns;
		return read_qi(&rec->qi, f);
	}
	*begin_ns = rec->amd.begin_ns;
	return rec->h.type == EV_AMD_CMD && read_amd(&rec->amd, f);
}

/* The first flush in time that covers @iova in @tag's cache; its end in *@last. */
static bool covered_at(const struct records *r, const struct flush_need *need,
		       const struct ev_tag *tag, uint64_t iova, uint64_t *last)
{
	const union record *rec;
	uint64_t begin_ns;
	struct flush f;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (!read_flush(rec, &begin_ns, &f) || begin_ns < need->from_ns ||
		    rec->h.time_ns > need->to_ns)
			continue;
		if (f.iommu == tag->iommu && (f.every_did || f.did == tag->did) &&
		    f.first <= iova && iova <= f.last) {
			*last = f.last;
			return true;
		}
	}
	return false;
}

static bool cache_covered(const struct records *r, const struct flush_need *need,
			  const struct ev_tag *tag, size_t *used)
{
	uint64_t at = need->first, last;

	while (covered_at(r, need, tag, at, &last)) {
		++*used;
		if (last >= need->last)
			return true;
		at = last + 1;
	}
	printf("domain 0x%" PRIx64 " id %u: 0x%" PRIx64 " not flushed in time\n",
	       need->domain, tag->did, at);
	return false;
}

bool flushes_cover(const struct records *r, const struct flush_need *need, size_t *used)
{
	const union record *rec;
	size_t caches = 0;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (rec->h.type != EV_TAG || rec->tag.domain != need->domain ||
		    rec->h.time_ns > need->to_ns)
			continue;
		caches++;
		if (!cache_covered(r, need, &rec->tag, used))
			return false;
	}
	if (!caches)
		printf("domain 0x%" PRIx64 " has no cache tag\n", need->domain);
	return caches;
}
