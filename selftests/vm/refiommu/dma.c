// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The DMA engine of an endpoint: what moves, how far, and what a fault says.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include "ref.h"
#include "test.h"

#define AT REF_IOVA
#define PAGES(n) ((n) * REF_PAGE)

FIXTURE(dma)
{
	struct ref_world w;
	struct refiommu_dma dma;
	uint8_t buffer[4 * REF_PAGE];
};

FIXTURE_VARIANT(dma)
{
	struct ref_kind kind;
};

REF_VARIANTS(dma);

/* Pages 0 … 7 for reading and writing, page 8 for reading, page 9 for writing. */
FIXTURE_SETUP(dma)
{
	struct ref_world *w = &self->w;

	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(w, &variant->kind));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, AT + PAGES(8), AT + PAGES(9) - 1,
				  w->mem + PAGES(8), REFIOMMU_PROT_READ));
	ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, AT + PAGES(9), AT + PAGES(10) - 1,
				  w->mem + PAGES(9), REFIOMMU_PROT_WRITE));
}

FIXTURE_TEARDOWN(dma)
{
}

/* Any byte to any byte, across pages. */
TEST_F(dma, read_any_bytes)
{
	static const struct { uint64_t at, bytes; } parts[] = {
		{ 0, 1 }, { 1, 1 }, { 4095, 1 }, { 4095, 2 }, { 5, 4096 }, { 4090, 8200 },
		{ 0, 16384 }, { 32767, 1 },
	};
	const struct ref_world *w = &self->w;
	uint32_t at;

	for (at = 0; at < ARRAY_SIZE(parts); at++) {
		memset(self->buffer, 0xee, sizeof(self->buffer));
		ASSERT_EQ(0, ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_READ, AT + parts[at].at,
				     AT + parts[at].at + parts[at].bytes - 1,
				     (uintptr_t)self->buffer, &self->dma));
		EXPECT_EQ(0, self->dma.out_flags);
		EXPECT_EQ(0, self->dma.out_reason);
		EXPECT_EQ(parts[at].bytes, self->dma.out_done);
		EXPECT_EQ(ref_paddr(w->mem + parts[at].at), self->dma.out_paddr);
		EXPECT_EQ(0, memcmp(self->buffer, w->mem + parts[at].at, parts[at].bytes));
	}
}

TEST_F(dma, write_any_bytes)
{
	const struct ref_world *w = &self->w;

	memset(self->buffer, 0x5a, sizeof(self->buffer));
	ASSERT_EQ(0, ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_WRITE, AT + 4000, AT + 8999,
			     (uintptr_t)self->buffer, &self->dma));
	EXPECT_EQ(0, self->dma.out_flags);
	EXPECT_EQ(5000, self->dma.out_done);
	EXPECT_EQ(0, memcmp(self->buffer, w->mem + 4000, 5000));
	EXPECT_EQ(ref_mark(w->mem + 9000), *(uint64_t *)(w->mem + 9000));
	EXPECT_EQ(ref_mark(w->mem), *(uint64_t *)(w->mem + 3992));
}

TEST_F(dma, fill_repeats_a_value)
{
	const struct ref_world *w = &self->w;
	uint64_t *word = (uint64_t *)w->mem, at;

	ASSERT_EQ(0,
		  ref_fill(w->fd, w->endpoint, AT + 8, AT + PAGES(2) + 7, 0x0123456789abcdefULL));
	EXPECT_EQ(ref_mark(w->mem), word[0]);
	for (at = 1; at <= 1024; at++)
		ASSERT_EQ(0x0123456789abcdefULL, word[at]);
	EXPECT_EQ(ref_mark(w->mem + PAGES(2)), word[1025]);
}

TEST_F(dma, copy_moves_memory)
{
	const struct ref_world *w = &self->w;

	self->dma = (struct refiommu_dma){
		.size = sizeof(self->dma), .endpoint_id = w->endpoint, .op = REFIOMMU_DMA_COPY,
		.first = AT + PAGES(2) + 100, .last = AT + PAGES(4) + 99, .to = AT + PAGES(5) + 7,
	};
	ASSERT_EQ(0, ref_call(w->fd, REFIOMMU_DMA, &self->dma));
	EXPECT_EQ(0, self->dma.out_flags);
	EXPECT_EQ(PAGES(2), self->dma.out_done);
	EXPECT_EQ(0, memcmp(w->mem + PAGES(2) + 100, w->mem + PAGES(5) + 7, PAGES(2)));
	/* To where nothing is: a fault at the target. */
	self->dma.to = AT + PAGES(7);
	ASSERT_EQ(0, ref_call(w->fd, REFIOMMU_DMA, &self->dma));
	EXPECT_EQ(REFIOMMU_DMA_FAULTED, self->dma.out_flags);
	EXPECT_EQ(REFIOMMU_FAULT_PERMISSION, self->dma.out_reason);
	EXPECT_EQ(AT + PAGES(8), self->dma.out_fault_iova);
}

/* How far it came, where it stopped, why. */
TEST_F(dma, faults_say_where)
{
	const struct ref_world *w = &self->w;
	const uint64_t gone = AT + PAGES(10);

	ASSERT_EQ(0, ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_FILL, AT + PAGES(7) + 8,
			     AT + PAGES(11) - 1, 7, &self->dma));
	EXPECT_EQ(REFIOMMU_DMA_FAULTED, self->dma.out_flags);
	EXPECT_EQ(REFIOMMU_FAULT_PERMISSION, self->dma.out_reason);
	EXPECT_EQ(AT + PAGES(8), self->dma.out_fault_iova);
	EXPECT_EQ(PAGES(1) - 8, self->dma.out_done);
	EXPECT_EQ(7, *(uint64_t *)(w->mem + PAGES(8) - 8));
	EXPECT_EQ(ref_mark(w->mem + PAGES(8)), *(uint64_t *)(w->mem + PAGES(8)));

	ASSERT_EQ(0, ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_READ, AT + PAGES(9), AT + PAGES(9),
			     (uintptr_t)self->buffer, &self->dma));
	EXPECT_EQ(ref_read_fault(&variant->kind, REFIOMMU_PROT_WRITE), self->dma.out_reason);
	ASSERT_EQ(0, ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_FILL, gone - 8, gone + 7, 1,
			     &self->dma));
	EXPECT_EQ(REFIOMMU_FAULT_NOT_PRESENT, self->dma.out_reason);
	EXPECT_EQ(gone, self->dma.out_fault_iova);
	EXPECT_EQ(8, self->dma.out_done);
	ASSERT_EQ(0, ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_PROBE, gone, gone, 0, &self->dma));
	EXPECT_EQ(~0ULL, self->dma.out_paddr);
}

/* Outside of what the format translates is another reason than not present. */
TEST_F(dma, width_faults)
{
	const struct ref_world *w = &self->w;
	const uint64_t top = variant->kind.top;

	EXPECT_EQ(REFIOMMU_FAULT_NOT_PRESENT, ref_probe(w->fd, w->endpoint, top, NULL));
	if (top != ~0ULL) {
		EXPECT_EQ(REFIOMMU_FAULT_WIDTH, ref_probe(w->fd, w->endpoint, top + 1, NULL));
		EXPECT_EQ(REFIOMMU_FAULT_WIDTH, ref_probe(w->fd, w->endpoint, ~0ULL, NULL));
	}
	if (variant->kind.format == REFIOMMU_FORMAT_TCE) {
		EXPECT_EQ(REFIOMMU_FAULT_WIDTH, ref_probe(w->fd, w->endpoint, 1ULL << 30, NULL));
		EXPECT_EQ(REFIOMMU_FAULT_WIDTH,
			  ref_probe(w->fd, w->endpoint, (1ULL << 59) - 1, NULL));
	}
}

TEST_F(dma, arguments)
{
	const struct ref_world *w = &self->w;
	const int fd = w->fd, ep = w->endpoint;
	struct refiommu_dma *out = &self->dma;

	EXPECT_EQ(-EINVAL, ref_dma(fd, ep, 0, AT, AT, 0, out));
	EXPECT_EQ(-EINVAL, ref_dma(fd, ep, 6, AT, AT, 0, out));
	EXPECT_EQ(-EOVERFLOW, ref_dma(fd, ep, REFIOMMU_DMA_FILL, AT, AT - 1, 0, out));
	EXPECT_EQ(-EINVAL, ref_dma(fd, ep, REFIOMMU_DMA_FILL, 0, REFIOMMU_DMA_MAX, 0, out));
	EXPECT_EQ(-EINVAL, ref_dma(fd, ep, REFIOMMU_DMA_FILL, 0, ~0ULL, 0, out));
	EXPECT_EQ(-EINVAL, ref_dma(fd, ep, REFIOMMU_DMA_PROBE, AT + 4095, AT + 4096, 0, out));
	EXPECT_EQ(-EINVAL, ref_dma(fd, ep, REFIOMMU_DMA_PROBE, AT, AT, 1, out));
	EXPECT_EQ(-EFAULT, ref_dma(fd, ep, REFIOMMU_DMA_READ, AT, AT + 99, 8, out));
	EXPECT_EQ(-EFAULT, ref_dma(fd, ep, REFIOMMU_DMA_WRITE, AT, AT + 99, ~0xfffULL, out));
	EXPECT_EQ(0, ref_dma(fd, ep, REFIOMMU_DMA_FILL, 0, REFIOMMU_DMA_MAX - 1, 0, out));
	EXPECT_EQ(0, ref_dma(fd, ep, REFIOMMU_DMA_PROBE, AT, AT + 4095, 0, out));
	EXPECT_EQ(4096, out->out_done);
}

/* A range that ends at the last byte of the space ends. */
TEST_F(dma, to_the_last_byte)
{
	const struct ref_world *w = &self->w;
	const uint64_t top = variant->kind.top;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, top - 0x1fff, PAGES(2), w->mem + PAGES(16)));
	ASSERT_EQ(0,
		  ref_dma(w->fd, w->endpoint, REFIOMMU_DMA_FILL, top - 0x1007, top, 1, &self->dma));
	EXPECT_EQ(0, self->dma.out_flags);
	EXPECT_EQ(0x1008, self->dma.out_done);
	EXPECT_EQ(1, *(uint64_t *)(w->mem + PAGES(18) - 8));
	EXPECT_EQ(1, *(uint64_t *)(w->mem + PAGES(17) - 8));
	EXPECT_NE(1, *(uint64_t *)(w->mem + PAGES(17) - 16));
}

/* More places than the IOTLB has entries: the right page each time, nothing stale. */
TEST_F(dma, more_than_the_cache_holds)
{
	const struct ref_world *w = &self->w;
	struct refiommu_dma dma;
	int round, at;

	for (at = 0; at < 700; at++)
		ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(64 + 2 * at), PAGES(1),
				     w->mem + PAGES(at % REF_WORLD_PAGES)));
	for (round = 0; round < 2; round++) {
		for (at = 0; at < 700; at++) {
			ASSERT_EQ(0, ref_probe(w->fd, w->endpoint, AT + PAGES(64 + 2 * at), &dma));
			ASSERT_EQ(0, dma.out_flags);
			ASSERT_EQ(ref_paddr(w->mem + PAGES(at % REF_WORLD_PAGES)), dma.out_paddr);
		}
	}
}

struct prober {
	const struct ref_world *w;
	atomic_bool stop;
	unsigned long probes, odd;
};

static void *probe_all_the_time(void *arg)
{
	struct prober *p = arg;
	struct refiommu_dma dma;

	while (!atomic_load(&p->stop)) {
		ref_probe(p->w->fd, p->w->endpoint, AT + PAGES(32 + p->probes % 8), &dma);
		p->odd += !!(dma.out_flags & (REFIOMMU_DMA_FREED | REFIOMMU_DMA_STALE_CONTEXT));
		p->probes++;
	}
	return NULL;
}

/*
 * DMA while its mappings come and go: between the table and the flush a cached translation may be
 * used, that is what a flush is for. But no unmap returns before nothing is cached, and no page is
 * free then.
 */
TEST_F(dma, during_map_and_unmap)
{
	struct prober p = { .w = &self->w };
	const struct ref_world *w = &self->w;
	const uint64_t iova = AT + PAGES(32);
	struct refiommu_dma dma;
	pthread_t thread;
	int turn, stale = 0, found = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, probe_all_the_time, &p));
	for (turn = 0; turn < 500; turn++) {
		ASSERT_EQ(0, ref_map(w->fd, w->ioas, iova, PAGES(8), w->mem + PAGES(16)));
		found += !ref_probe(w->fd, w->endpoint, iova + PAGES(turn % 8), &dma);
		stale += !!(dma.out_flags & REFIOMMU_DMA_STALE_IOTLB);
		ASSERT_EQ((int64_t)PAGES(8), ref_unmap_exact(w->fd, w->ioas, iova, PAGES(8)));
		found -= !ref_probe(w->fd, w->endpoint, iova + PAGES(turn % 8), &dma);
		stale += !!(dma.out_flags & REFIOMMU_DMA_STALE_IOTLB);
	}
	atomic_store(&p.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(500, found);
	EXPECT_EQ(0, stale);
	EXPECT_EQ(0, p.odd);
}

TEST_HARNESS_MAIN
