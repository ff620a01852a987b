// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Planted bugs of address spaces: switch, replay, reserved ranges, pins.
 */
#include <sys/mman.h>
#include "planted.h"

FIXTURE(bugs_ioas) { };
FIXTURE_VARIANT(bugs_ioas) { struct ref_kind kind; };
REF_VARIANTS(bugs_ioas);

FIXTURE_SETUP(bugs_ioas)
{
	BUGS_NEED_SWITCHES();
}

FIXTURE_TEARDOWN(bugs_ioas)
{
	ref_bugs_off();
}

/* After a switch from A to B: is A's page still there, beside B's? */
static int look_at_union(const struct ref_kind *kind)
{
	struct ref_world w;
	int err, b, seen;

	err = ref_world_make(&w, kind);
	if (err)
		return err;
	b = ref_ioas(w.fd, 0);
	if (ref_map(w.fd, w.ioas, AT, PAGES(1), w.mem) ||
	    ref_map(w.fd, b, AT + PAGES(2), PAGES(1), w.mem + PAGES(1)) ||
	    ref_attach(w.fd, b, w.endpoint) ||
	    !ref_sees(w.fd, w.endpoint, AT + PAGES(2), w.mem + PAGES(1)))
		return bug_seen(&w, -EIO);
	seen = ref_sees(w.fd, w.endpoint, AT, w.mem);
	if (seen != (ref_lookup_paddr(w.fd, w.endpoint, AT) == ref_paddr(w.mem)))
		seen = -EIO;
	return bug_seen(&w, seen);
}

TEST_F(bugs_ioas, switch_keeps_old)
{
	off_on_off(_metadata, "switch-keeps-old", look_at_union, &variant->kind);
}

/* Two mappings are replayed for a second IOMMU: makes it, and says its endpoint. */
static int replayed_world(struct ref_world *w, const struct ref_kind *kind)
{
	int err, endpoint;

	err = ref_world_make(w, kind);
	if (err)
		return err;
	endpoint = ref_endpoint(w->fd, ref_instance(w->fd, kind, SMALL), 0, REFIOMMU_DRIVER_NONE);
	err = ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem);
	err = err ? err : ref_map(w->fd, w->ioas, AT + PAGES(8), PAGES(2), w->mem + PAGES(2));
	err = err ? err : ref_attach(w->fd, w->ioas, endpoint);
	if (err)
		close(w->fd);
	return err ? err : endpoint;
}

/* The replay call finds what is missing, and mends it. */
static int look_at_first_mapping(const struct ref_kind *kind)
{
	struct refiommu_ioas_replay counts;
	struct ref_world w;
	int seen, endpoint = replayed_world(&w, kind);

	if (endpoint < 0)
		return endpoint;
	seen = ref_sees_nothing(w.fd, endpoint, AT) && ref_sees(w.fd, w.endpoint, AT, w.mem);
	if (!ref_sees(w.fd, endpoint, AT + PAGES(8), w.mem + PAGES(2)))
		seen = -EIO;
	ref_bug("replay-skips-one", false);
	if (ref_replay(w.fd, w.ioas, endpoint, &counts) ||
	    counts.out_mapped != (seen ? PAGES(2) : 0) || !ref_sees(w.fd, endpoint, AT, w.mem))
		seen = -EIO;
	return bug_seen(&w, seen);
}

TEST_F(bugs_ioas, replay_skips_one)
{
	off_on_off(_metadata, "replay-skips-one", look_at_first_mapping, &variant->kind);
}

static int look_behind_last_mapping(const struct ref_kind *kind)
{
	struct ref_world w;
	int seen, endpoint = replayed_world(&w, kind);

	if (endpoint < 0)
		return endpoint;
	seen = !ref_sees_nothing(w.fd, endpoint, AT + PAGES(10));
	if (!ref_sees(w.fd, endpoint, AT, w.mem) ||
	    !ref_sees(w.fd, endpoint, AT + PAGES(9), w.mem + PAGES(3)) ||
	    !ref_sees_nothing(w.fd, w.endpoint, AT + PAGES(10)))
		seen = -EIO;
	return bug_seen(&w, seen);
}

TEST_F(bugs_ioas, replay_adds_one)
{
	off_on_off(_metadata, "replay-adds-one", look_behind_last_mapping, &variant->kind);
}

/* A mapping where the device's interrupts go. */
static int look_into_msi(const struct ref_kind *kind)
{
	static const struct refiommu_range msi = { AT, AT + 0xffff, REFIOMMU_RANGE_MSI, 0 };
	struct ref_world w;
	int err, endpoint, ioas;

	err = ref_world_make(&w, kind);
	if (err)
		return err;
	endpoint = ref_endpoint(w.fd, ref_instance_ranges(w.fd, kind, &msi, 1), 0,
				REFIOMMU_DRIVER_NONE);
	ioas = ref_ioas(w.fd, 0);
	err = ref_attach(w.fd, ioas, endpoint);
	if (err)
		return bug_seen(&w, err);
	err = ref_map(w.fd, ioas, AT, PAGES(1), w.mem);
	if (!err)
		return bug_seen(&w, ref_sees(w.fd, endpoint, AT, w.mem) ? 1 : -EIO);
	return bug_seen(&w, err == -ERANGE ? 0 : err);
}

TEST_F(bugs_ioas, map_msi)
{
	off_on_off(_metadata, "map-msi", look_into_msi, &variant->kind);
}

/* A device reaches a page that is nobody's any more. */
static int look_at_freed_page(const struct ref_kind *kind)
{
	const uint32_t flags = REFIOMMU_DMA_STALE_IOTLB | REFIOMMU_DMA_FREED;
	const uint64_t iova = AT + PAGES(3);
	struct refiommu_dma dma;
	struct ref_world w;
	int err, seen = 0;
	uint64_t word;

	err = ref_world_make_with(&w, kind, SMALL, 0);
	if (err)
		return err;
	if (ref_map(w.fd, w.ioas, AT, PAGES(8), w.mem) ||
	    ref_map(w.fd, w.ioas, AT + PAGES(16), PAGES(1), w.mem + PAGES(16)) ||
	    !ref_sees(w.fd, w.endpoint, iova, w.mem + PAGES(3)) ||
	    /* Now, while the pages are pinned: it must not move them. */
	    ref_drain() ||
	    ref_unmap_exact(w.fd, w.ioas, AT, PAGES(8)) != (int64_t)PAGES(8))
		return bug_seen(&w, -EIO);
	munmap(w.mem, PAGES(8));
	err = ref_dma(w.fd, w.endpoint, REFIOMMU_DMA_READ, iova, iova + 7, (uintptr_t)&word, &dma);
	if (err || dma.out_flags != REFIOMMU_DMA_FAULTED)
		seen = err ? err : (dma.out_flags & flags) == flags ? 1 : -1000 - dma.out_flags;
	/* The next unmap pays the flush. */
	ref_unmap_all(w.fd, w.ioas);
	return bug_seen(&w, ref_sees_nothing(w.fd, w.endpoint, iova) ? seen : -EIO);
}

TEST_F(bugs_ioas, unpin_early)
{
	off_on_off(_metadata, "unpin-early", look_at_freed_page, &variant->kind);
}

TEST_HARNESS_MAIN
