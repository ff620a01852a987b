// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Usage: matrix FILE [BUG...]
 *
 * For the matrix of planted bugs and findings: with each bug (and with none), on each format, all
 * that a user of VFIO, of the DMA API and of an own address space does that some bug could spoil.
 * It judges nothing: it says which case ran when, and iommuscope, which listens meanwhile, finds
 * what it finds. With a bug on, calls may fail: that is part of it.
 *
 * FILE is made, of lines 'case BUG FORMAT DRIVER BEGIN_NS END_NS'. Each case is a process of its own.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "container.h"
#include "ref.h"

#define PAGES(n) ((n) * REF_PAGE)
#define AT (REF_HUGE + 16 * REF_PAGE)
#define SMALL (1ULL << 12)
#define TOP (~(uint64_t)0 - PAGES(2) + 1)
#define SETTLE_US 20000
#define SYSFS_US 3000000	/* until the recorder has read what it heard of, on a busy machine too */

static FILE *cases;
static const char *planted;	/* the bug of this case, or "none" */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The recorder reads the ranges of a new device from sysfs. Only one bug is judged by them. */
static void let_it_read_ranges(void)
{
	usleep(strcmp(planted, "map-msi") ? SETTLE_US : SYSFS_US);
}

/* ---- own address spaces ---- */

/* Contiguous memory in small pages: ranges that are one unmap and one flush. */
static void ioas_ranges(const struct ref_kind *kind)
{
	uint8_t *mem = ref_huge(REF_HUGE);
	struct ref_world w;

	if (!mem || ref_world_make_with(&w, kind, SMALL, 0))
		return;
	ref_map(w.fd, w.ioas, AT, PAGES(8), mem);
	ref_probe(w.fd, w.endpoint, AT + PAGES(7), NULL);
	ref_unmap_exact(w.fd, w.ioas, AT, PAGES(8));
	ref_map(w.fd, w.ioas, AT, PAGES(8), mem);
	ref_unmap_exact(w.fd, w.ioas, AT, PAGES(8));
	/* Two pages from an odd one on do not lie in a block of two. */
	ref_map(w.fd, w.ioas, AT + PAGES(3), PAGES(2), mem);
	ref_unmap_exact(w.fd, w.ioas, AT + PAGES(3), PAGES(2));
	ref_map_prot(w.fd, w.ioas, AT, AT + REF_PAGE - 1, mem, REFIOMMU_PROT_READ);
	ref_unmap_all(w.fd, w.ioas);
	close(w.fd);
}

/* Tables come and go: one that a whole range empties, one that a large page replaces. */
static void ioas_tables(const struct ref_kind *kind)
{
	uint8_t *mem = ref_huge(REF_HUGE);
	struct ref_world w;

	if (!mem || ref_world_make_with(&w, kind, SMALL, 0))
		return;
	ref_map(w.fd, w.ioas, REF_HUGE, REF_HUGE, mem);
	ref_probe(w.fd, w.endpoint, REF_HUGE, NULL);
	ref_unmap_exact(w.fd, w.ioas, REF_HUGE, REF_HUGE);
	close(w.fd);
	if (ref_world_make(&w, kind))
		return;
	ref_map(w.fd, w.ioas, REF_HUGE, PAGES(1), w.mem);
	ref_unmap_exact(w.fd, w.ioas, REF_HUGE, PAGES(1));
	/* Beside it: the same table, and nothing that was ever mapped. */
	ref_probe(w.fd, w.endpoint, REF_HUGE + PAGES(1), NULL);
	ref_map(w.fd, w.ioas, REF_HUGE, REF_HUGE, mem);
	ref_probe(w.fd, w.endpoint, REF_HUGE, NULL);
	ref_map(w.fd, w.ioas, 4 * REF_HUGE, PAGES(4), w.mem);
	close(w.fd);	/* with everything mapped */
}

static void ioas_splits(const struct ref_kind *kind)
{
	uint8_t *mem = ref_huge(REF_HUGE);
	struct ref_world w;

	if (!mem || ref_world_make_with(&w, kind, 0, REFIOMMU_IOAS_SPLIT))
		return;
	ref_map(w.fd, w.ioas, REF_HUGE, REF_HUGE, mem);
	ref_unmap(w.fd, w.ioas, REFIOMMU_UNMAP_INEXACT, REF_HUGE + PAGES(5),
		  REF_HUGE + PAGES(6) - 1);
	ref_unmap_all(w.fd, w.ioas);
	close(w.fd);
}

static void ioas_top(const struct ref_kind *kind)
{
	struct ref_world w;

	if (kind->top != ~0ULL || ref_world_make(&w, kind))
		return;
	ref_map(w.fd, w.ioas, TOP, PAGES(2), w.mem);
	ref_unmap_exact(w.fd, w.ioas, TOP, PAGES(2));
	close(w.fd);
}

/* From A to B, alone, and while another device stays in A. */
static void ioas_switches(const struct ref_kind *kind)
{
	struct ref_world w;
	int b, stays;

	if (ref_world_make(&w, kind))
		return;
	b = ref_ioas(w.fd, 0);
	ref_map(w.fd, w.ioas, AT, PAGES(1), w.mem);
	ref_map(w.fd, b, AT + PAGES(2), PAGES(1), w.mem + PAGES(1));
	ref_sees(w.fd, w.endpoint, AT, w.mem);
	ref_attach(w.fd, b, w.endpoint);
	stays = ref_endpoint(w.fd, w.instance, 0, REFIOMMU_DRIVER_NONE);
	ref_attach(w.fd, b, stays);
	ref_attach(w.fd, w.ioas, w.endpoint);
	close(w.fd);
}

/* B's mappings where A's are. Only who keeps A's can write over them. */
static void ioas_collides(const struct ref_kind *kind)
{
	struct ref_world w;
	int b;

	if (ref_world_make(&w, kind))
		return;
	b = ref_ioas(w.fd, 0);
	ref_map(w.fd, w.ioas, AT, PAGES(1), w.mem);
	ref_map(w.fd, b, AT, PAGES(1), w.mem + PAGES(1));
	if (!strcmp(planted, "overwrite"))
		ref_bug("switch-keeps-old", true);
	ref_attach(w.fd, b, w.endpoint);
	ref_bug("switch-keeps-old", !strcmp(planted, "switch-keeps-old"));
	close(w.fd);
}

/* A second IOMMU is given what the first one has. */
static void ioas_replays(const struct ref_kind *kind)
{
	struct refiommu_ioas_replay counts;
	struct ref_world w;
	int endpoint;

	if (ref_world_make(&w, kind))
		return;
	ref_map(w.fd, w.ioas, AT, PAGES(2), w.mem);
	ref_map(w.fd, w.ioas, AT + PAGES(8), PAGES(2), w.mem + PAGES(2));
	endpoint = ref_endpoint(w.fd, ref_instance(w.fd, kind, SMALL), 0, REFIOMMU_DRIVER_NONE);
	ref_attach(w.fd, w.ioas, endpoint);
	ref_replay(w.fd, w.ioas, w.endpoint, &counts);
	close(w.fd);
}

/* A domain dies, and another one is given its id. */
static void ioas_succeeds(const struct ref_kind *kind)
{
	struct ref_world w;
	int b;

	if (ref_world_make(&w, kind))
		return;
	b = ref_ioas(w.fd, 0);
	ref_map(w.fd, w.ioas, AT, PAGES(1), w.mem);
	ref_sees(w.fd, w.endpoint, AT, w.mem);
	ref_detach(w.fd, w.endpoint);
	ref_destroy(w.fd, w.ioas);
	ref_attach(w.fd, b, w.endpoint);
	close(w.fd);
}

static const struct refiommu_range msi = { AT, AT + 0xffff, REFIOMMU_RANGE_MSI, 0 };

static void ioas_msi(const struct ref_kind *kind)
{
	struct ref_world w;
	int endpoint, ioas;

	if (ref_world_make(&w, kind))
		return;
	endpoint = ref_endpoint(w.fd, ref_instance_ranges(w.fd, kind, &msi, 1), 0,
				REFIOMMU_DRIVER_NONE);
	ioas = ref_ioas(w.fd, 0);
	ref_attach(w.fd, ioas, endpoint);
	let_it_read_ranges();
	ref_map(w.fd, ioas, AT, PAGES(1), w.mem);
	close(w.fd);
}

/* What was unmapped is given back to the machine at once. */
static void ioas_gives_back(const struct ref_kind *kind)
{
	struct ref_world w;

	if (ref_world_make_with(&w, kind, SMALL, 0))
		return;
	ref_map(w.fd, w.ioas, AT, PAGES(8), w.mem);
	ref_map(w.fd, w.ioas, AT + PAGES(16), PAGES(1), w.mem + PAGES(16));
	ref_drain();
	ref_unmap_exact(w.fd, w.ioas, AT, PAGES(8));
	munmap(w.mem, PAGES(8));
	usleep(SETTLE_US);
	ref_unmap_all(w.fd, w.ioas);
	close(w.fd);
}

static void use_ioas(const struct ref_kind *kind)
{
	ioas_ranges(kind);
	ioas_tables(kind);
	ioas_splits(kind);
	ioas_top(kind);
	ioas_switches(kind);
	ioas_collides(kind);
	ioas_replays(kind);
	ioas_succeeds(kind);
	ioas_msi(kind);
	ioas_gives_back(kind);
}

/* ---- VFIO ---- */

/* A container over a new device of @instance; -errno. */
static int box(int fd, int instance, struct container_device *device)
{
	int err = container_device(fd, instance, device), container;

	if (err)
		return err;
	container = container_open();
	if (container < 0)
		return container;
	err = container_add(container, device);
	return err ? err : container;
}

static void map_and_unmap(int container, uint64_t iova, uint64_t bytes, const void *mem)
{
	container_map(container, iova, bytes, mem);
	container_unmap(container, iova, bytes);
}

static void vfio_ranges(int container, const struct ref_kind *kind, const uint8_t *mem)
{
	map_and_unmap(container, AT, PAGES(8), mem);
	map_and_unmap(container, AT, PAGES(8), mem);
	map_and_unmap(container, AT + PAGES(3), PAGES(2), mem);
	map_and_unmap(container, REF_HUGE, PAGES(1), mem);
	map_and_unmap(container, REF_HUGE, REF_HUGE, mem);
	if (kind->top == ~0ULL)
		container_map(container, 1ULL << 32, PAGES(1), mem);
}

/* An IOMMU with large pages: one takes the place of a table that a small one left. */
static void vfio_large(int fd, const struct ref_kind *kind, const uint8_t *mem)
{
	struct container_device device;
	int container = box(fd, ref_instance(fd, kind, 0), &device);

	if (container < 0)
		return;
	map_and_unmap(container, REF_HUGE, PAGES(1), mem);
	map_and_unmap(container, REF_HUGE, REF_HUGE, mem);
	close(device.group_fd);
	close(container);
}

/* A second IOMMU joins: type1 replays; then all of it goes, mapped as it is. */
static void vfio_replays(int fd, int container, const struct ref_kind *kind, const uint8_t *mem)
{
	struct container_device second;

	container_map(container, AT, PAGES(2), mem);
	if (!container_device(fd, ref_instance(fd, kind, SMALL), &second))
		container_add(container, &second);
	container_unmap_all(container);
	container_map(container, AT, PAGES(2), mem);
}

static void vfio_msi(int fd, const struct ref_kind *kind, const uint8_t *mem)
{
	struct container_device device;
	int container = box(fd, ref_instance_ranges(fd, kind, &msi, 1), &device);

	if (container < 0)
		return;
	let_it_read_ranges();
	container_map(container, AT, PAGES(1), mem);
}

static void use_vfio(const struct ref_kind *kind)
{
	struct container_device device, next;
	int fd = ref_open(), instance = ref_instance(fd, kind, SMALL), container;
	uint8_t *mem = ref_huge(REF_HUGE);

	container = mem ? box(fd, instance, &device) : -ENOMEM;
	if (container < 0)
		return;
	vfio_ranges(container, kind, mem);
	vfio_replays(fd, container, kind, mem);
	close(device.group_fd);
	close(container);
	/* Another container on the same IOMMU: another domain, perhaps with the same id. */
	box(fd, instance, &next);
	vfio_large(fd, kind, mem);
	vfio_msi(fd, kind, mem);
}

/* ---- the DMA API ---- */

static void dma_pair(int fd, int endpoint, uint32_t op, uint32_t dir, uint64_t bytes)
{
	struct refiommu_dmaapi map = { .nents = bytes / REF_PAGE }, unmap = { };

	if (ref_dmaapi(fd, endpoint, op, dir, bytes, &map))
		return;
	ref_probe(fd, endpoint, map.out_addr, NULL);
	unmap.handle = map.out_handle;
	ref_dmaapi(fd, endpoint, REFIOMMU_DMAAPI_UNMAP, 0, 0, &unmap);
}

static void dma_work(int fd, int instance)
{
	int endpoint = ref_endpoint(fd, instance, 0, REFIOMMU_DRIVER_DMA), i;

	for (i = 0; i < 3; i++) {
		dma_pair(fd, endpoint, REFIOMMU_DMAAPI_MAP, 0, PAGES(1));
		dma_pair(fd, endpoint, REFIOMMU_DMAAPI_MAP, 1, PAGES(8));
		dma_pair(fd, endpoint, REFIOMMU_DMAAPI_ALLOC, 0, PAGES(4));
		dma_pair(fd, endpoint, REFIOMMU_DMAAPI_MAP_SG, 2, PAGES(6));
	}
	ref_destroy(fd, endpoint);
}

/*
 * A whole table's worth, alone in its address space: IOVAs are aligned to their size. In small
 * pages its table goes with it; of what lay at its place before, a large page takes the table.
 * (Up to 32 pages the IOVA would stay in a magazine, and its place taken.)
 */
static void dma_table(int fd, const struct ref_kind *kind, uint64_t pgsizes)
{
	int endpoint = ref_endpoint(fd, ref_instance(fd, kind, pgsizes), 0, REFIOMMU_DRIVER_DMA);

	dma_pair(fd, endpoint, REFIOMMU_DMAAPI_MAP, 0, PAGES(64));
	dma_pair(fd, endpoint, REFIOMMU_DMAAPI_MAP, 0, REF_HUGE);
	ref_destroy(fd, endpoint);
}

/* The second device's domain comes after the first one's has gone. */
static void use_dmaapi(const struct ref_kind *kind)
{
	int fd = ref_open(), instance = ref_instance(fd, kind, 0);

	dma_work(fd, instance);
	dma_work(fd, instance);
	dma_work(fd, ref_instance_lazy(fd, kind));
	dma_table(fd, kind, SMALL);
	dma_table(fd, kind, 0);
}

/* ---- cases ---- */

static const struct {
	const char *name;
	void (*use)(const struct ref_kind *kind);
} drivers[] = {
	{ "ioas", use_ioas },
	{ "vfio", use_vfio },
	{ "dmaapi", use_dmaapi },
};

/* One of each layout; widths do not matter to any bug. */
static const char *const formats[] = { "vtd48", "amdv1", "tce" };

static const struct ref_kind *kind_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < REF_NR_FORMATS; i++)
		if (!strcmp(ref_formats[i].name, name))
			return &ref_formats[i].kind;
	abort();
}

static void run(const char *bug, const char *format, unsigned int driver)
{
	uint64_t begin_ns = now_ns();
	pid_t pid;

	planted = bug;
	if (strcmp(bug, "none"))
		ref_bug(bug, true);
	pid = fork();
	if (!pid) {
		drivers[driver].use(kind_of(format));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	usleep(SETTLE_US);	/* files that were closed end in the background */
	ref_bugs_off();
	fprintf(cases, "case %s %s %s %llu %llu\n", bug, format, drivers[driver].name,
	       (unsigned long long)begin_ns, (unsigned long long)now_ns());
	fflush(cases);
}

static void run_all(const char *bug)
{
	unsigned int format, driver;

	for (driver = 0; driver < sizeof(drivers) / sizeof(drivers[0]); driver++)
		for (format = 0; format < sizeof(formats) / sizeof(formats[0]); format++)
			run(bug, formats[format], driver);
}

static int run_each(void)
{
	DIR *dir = opendir(REF_BUGS);
	struct dirent *entry;

	if (!dir) {
		fprintf(stderr, "matrix: no " REF_BUGS ": run the script load first\n");
		return 1;
	}
	run_all("none");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			run_all(entry->d_name);
	closedir(dir);
	return 0;
}

int main(int argc, char **argv)
{
	int i;

	cases = argc > 1 ? fopen(argv[1], "we") : NULL;
	if (!cases) {
		fprintf(stderr, "Usage: matrix FILE [BUG...]\n");
		return 2;
	}
	if (argc < 3)
		return run_each();
	for (i = 2; i < argc; i++)
		run_all(argv[i]);
	return 0;
}
