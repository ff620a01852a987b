// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Planted bugs of what the hardware remembers: a device reaches what it must not reach any more.
 */
#include "planted.h"

FIXTURE(bugs_tlb) { };
FIXTURE_VARIANT(bugs_tlb) { struct ref_kind kind; };
REF_VARIANTS(bugs_tlb);

FIXTURE_SETUP(bugs_tlb)
{
	BUGS_NEED_SWITCHES();
}

FIXTURE_TEARDOWN(bugs_tlb)
{
	ref_bugs_off();
}

/* Maps pages, lets the device use them, unmaps them: how many can it still use? */
static int count_stale(const struct ref_kind *kind, uint64_t iova, unsigned int pages)
{
	struct ref_world w;
	struct refiommu_dma dma;
	unsigned int at;
	int stale = 0, err;

	err = ref_world_make_with(&w, kind, SMALL, 0);
	if (err)
		return err;
	err = ref_map(w.fd, w.ioas, iova, PAGES(pages), w.mem);
	for (at = 0; !err && at < pages; at++)
		err = ref_probe(w.fd, w.endpoint, iova + PAGES(at), NULL);
	if (!err && ref_unmap_exact(w.fd, w.ioas, iova, PAGES(pages)) != (int64_t)PAGES(pages))
		err = -EIO;
	for (at = 0; !err && at < pages; at++) {
		if (!ref_probe(w.fd, w.endpoint, iova + PAGES(at), &dma))
			stale += dma.out_flags & REFIOMMU_DMA_STALE_IOTLB &&
				 dma.out_paddr == ref_paddr(w.mem + PAGES(at));
	}
	return bug_seen(&w, err ? err : stale);
}

static int look_all_stale(const struct ref_kind *kind)
{
	int stale = count_stale(kind, AT, 4);

	return stale > 0 ? stale == 4 : stale;
}

static int look_last_stale(const struct ref_kind *kind)
{
	return count_stale(kind, AT, 4);
}

TEST_F(bugs_tlb, no_flush)
{
	off_on_off(_metadata, "no-flush", look_all_stale, &variant->kind);
}

TEST_F(bugs_tlb, flush_short)
{
	off_on_off(_metadata, "flush-short", look_last_stale, &variant->kind);
}

TEST_F(bugs_tlb, flush_wrong_domain)
{
	off_on_off(_metadata, "flush-wrong-domain", look_all_stale, &variant->kind);
}

/* Two pages from an odd one on do not lie in a block of two. */
static int look_unaligned(const struct ref_kind *kind)
{
	return count_stale(kind, AT + PAGES(3), 2);
}

static int look_aligned(const struct ref_kind *kind)
{
	return count_stale(kind, AT, 4);
}

TEST_F(bugs_tlb, flush_mask_small)
{
	off_on_off(_metadata, "flush-mask-small", look_unaligned, &variant->kind);
	/* An aligned range hides it. */
	ASSERT_EQ(0, ref_bug("flush-mask-small", true));
	EXPECT_EQ(0, look_aligned(&variant->kind));
}

/* After a switch, while another device keeps the old domain alive. */
static int look_at_old_context(const struct ref_kind *kind)
{
	struct refiommu_dma dma;
	struct ref_world w;
	int err, stays, b, seen = 0;

	err = ref_world_make(&w, kind);
	if (err)
		return err;
	stays = ref_endpoint(w.fd, w.instance, 0, REFIOMMU_DRIVER_NONE);
	b = ref_ioas(w.fd, 0);
	if (ref_attach(w.fd, w.ioas, stays) || ref_map(w.fd, w.ioas, AT, PAGES(1), w.mem) ||
	    ref_map(w.fd, b, AT, PAGES(1), w.mem + PAGES(1)) ||
	    !ref_sees(w.fd, w.endpoint, AT, w.mem) || ref_attach(w.fd, b, w.endpoint))
		return bug_seen(&w, -EIO);
	if (!ref_probe(w.fd, w.endpoint, AT, &dma))
		seen = dma.out_flags & REFIOMMU_DMA_STALE_CONTEXT &&
		       ref_sees(w.fd, w.endpoint, AT, w.mem);
	/* The tables are innocent. */
	if (ref_lookup_paddr(w.fd, w.endpoint, AT) != ref_paddr(w.mem + PAGES(1)))
		seen = -EIO;
	return bug_seen(&w, seen);
}

TEST_F(bugs_tlb, no_context_flush)
{
	off_on_off(_metadata, "no-context-flush", look_at_old_context, &variant->kind);
}

/* A dead domain's translations, under the name of the next one. */
static int look_through_reused_id(const struct ref_kind *kind)
{
	struct ref_world w;
	int err, b, seen;

	err = ref_world_make(&w, kind);
	if (err)
		return err;
	b = ref_ioas(w.fd, 0);
	if (ref_map(w.fd, w.ioas, AT, PAGES(1), w.mem) || !ref_sees(w.fd, w.endpoint, AT, w.mem) ||
	    ref_detach(w.fd, w.endpoint) || ref_destroy(w.fd, w.ioas) ||
	    ref_attach(w.fd, b, w.endpoint))
		return bug_seen(&w, -EIO);
	seen = !ref_sees_nothing(w.fd, w.endpoint, AT) &&
	       ref_lookup_paddr(w.fd, w.endpoint, AT) == ~0ULL;
	return bug_seen(&w, seen);
}

TEST_F(bugs_tlb, did_reuse)
{
	off_on_off(_metadata, "did-reuse", look_through_reused_id, &variant->kind);
}

TEST_HARNESS_MAIN
