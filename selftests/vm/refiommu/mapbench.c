// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Usage: mapbench [SECONDS]
 *
 * Pairs of map and unmap per second through our backend, as tools/testing/selftests/dma does it for
 * the DMA API of real drivers. Each map and each unmap is a system call of its own, which is part
 * of what is measured: compare rows with rows, not with numbers of a loop inside of the kernel. It
 * measures, and judges nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "container.h"
#include "ref.h"

#define AT 0x10000000ULL

struct bench {
	int fd;
	int device;
	int space;
	int container;
	uint64_t bytes;
	uint8_t *mem;
};

static int pair_call(struct bench *b)
{
	struct refiommu_info info;

	return ref_info(b->fd, &info) || ref_info(b->fd, &info);
}

static int pair_dma_api(struct bench *b)
{
	struct refiommu_dmaapi map = { }, unmap = { };
	int err;

	err = ref_dmaapi(b->fd, b->device, REFIOMMU_DMAAPI_MAP, 0, b->bytes, &map);
	if (err)
		return err;
	unmap.handle = map.out_handle;
	return ref_dmaapi(b->fd, b->device, REFIOMMU_DMAAPI_UNMAP, 0, 0, &unmap);
}

static int pair_space(struct bench *b)
{
	int err = ref_map(b->fd, b->space, AT, b->bytes, b->mem);

	return err ? err : ref_unmap_exact(b->fd, b->space, AT, b->bytes) != (int64_t)b->bytes;
}

static int pair_vfio(struct bench *b)
{
	int err = container_map(b->container, AT, b->bytes, b->mem);

	return err ? err : container_unmap(b->container, AT, b->bytes) != (int64_t)b->bytes;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int run(const char *what, const char *format, struct bench *b, int (*pair)(struct bench *),
	       double seconds)
{
	double begin = now(), used;
	unsigned long pairs = 0;
	int err = 0;

	do {
		err = pair(b);
		pairs++;
		used = now() - begin;
	} while (!err && used < seconds);
	if (err)
		printf("%-10s %-6s %6llu failed: %d\n", what, format, (unsigned long long)b->bytes,
		       err);
	else
		printf("%-10s %-6s %6llu %12.0f %10.2f\n", what, format,
		       (unsigned long long)b->bytes, pairs / used, used / pairs * 1e6);
	return err;
}

/* All ways over one format. */
static int run_format(const char *name, const struct ref_kind *kind, double seconds)
{
	static const uint64_t sizes[] = { REF_PAGE, 16 * REF_PAGE };
	struct container_device vfio;
	struct bench b = { .fd = ref_open(), .mem = ref_pages(16) };
	int instance = ref_instance(b.fd, kind, 0), owned, err = 0;
	unsigned int at;

	b.device = ref_endpoint(b.fd, instance, 0, REFIOMMU_DRIVER_DMA);
	owned = ref_endpoint(b.fd, instance, 0, REFIOMMU_DRIVER_NONE);
	b.space = ref_ioas(b.fd, 0);
	if (instance < 0 || b.device < 0 || ref_attach(b.fd, b.space, owned))
		return 1;
	b.container = container_open();
	if (b.container >= 0 && (container_device(b.fd, instance, &vfio) ||
				 container_add(b.container, &vfio)))
		return 1;
	for (at = 0; at < sizeof(sizes) / sizeof(sizes[0]); at++) {
		b.bytes = sizes[at];
		err |= run("dma-api", name, &b, pair_dma_api, seconds);
		err |= run("space", name, &b, pair_space, seconds);
		if (b.container >= 0)
			err |= run("vfio", name, &b, pair_vfio, seconds);
	}
	if (b.container >= 0)
		close(vfio.group_fd), close(b.container);
	close(b.fd);
	return err;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	struct bench empty = { .fd = ref_open() };
	unsigned int at;
	int err = 0;

	if (empty.fd < 0) {
		fprintf(stderr, "mapbench: no %s\n", REF_DEVICE);
		return 4;
	}
	printf("%-10s %-6s %6s %12s %10s\n", "way", "format", "bytes", "pairs/s", "us/pair");
	run("two calls", "-", &empty, pair_call, seconds);
	for (at = 0; at < REF_NR_FORMATS; at++)
		err |= run_format(ref_formats[at].name, &ref_formats[at].kind, seconds);
	return err ? 1 : 0;
}
