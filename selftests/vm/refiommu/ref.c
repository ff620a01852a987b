// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The calls of /dev/refiommu as functions.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "ref.h"

#define NAMED(arg, as, ...) { .name = #as, .kind = __VA_ARGS__ },

const struct ref_named_kind ref_formats[] = { REF_FORMATS(NAMED, none) };

uint32_t ref_prot(const struct ref_kind *kind, uint32_t prot)
{
	if (kind->flags & REF_KIND_NO_WRITE_ONLY && prot & REFIOMMU_PROT_WRITE)
		return REF_RW;
	return prot;
}

int ref_read_fault(const struct ref_kind *kind, uint32_t prot)
{
	return ref_prot(kind, prot) & REFIOMMU_PROT_READ ? 0 : REFIOMMU_FAULT_PERMISSION;
}

bool ref_here(void)
{
	return !access(REF_DEVICE, R_OK | W_OK);
}

int ref_open(void)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int fd;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	fd = open(REF_DEVICE, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ref_call(int fd, unsigned long call, void *arg)
{
	return ioctl(fd, call, arg) < 0 ? -errno : 0;
}

int ref_info(int fd, struct refiommu_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ref_call(fd, REFIOMMU_INFO, info);
}

bool ref_same_counters(const struct refiommu_info *a, const struct refiommu_info *b)
{
	return a->out_table_pages == b->out_table_pages &&
	       a->out_pinned_pages == b->out_pinned_pages && a->out_domains == b->out_domains &&
	       a->out_iotlb_entries == b->out_iotlb_entries;
}

bool ref_settles(int fd, const struct refiommu_info *before)
{
	struct refiommu_info now;
	int tries;

	for (tries = 0; tries < 200; tries++) {
		if (!ref_info(fd, &now) && ref_same_counters(before, &now))
			return true;
		usleep(10000);
	}
	printf("# table pages %llu -> %llu, pinned %llu -> %llu, domains %llu -> %llu, IOTLB %llu "
	       "-> %llu\n",
	       before->out_table_pages, now.out_table_pages, before->out_pinned_pages,
	       now.out_pinned_pages, before->out_domains, now.out_domains,
	       before->out_iotlb_entries, now.out_iotlb_entries);
	return false;
}

static int instance_create(int fd, struct refiommu_instance_create *arg)
{
	int err;

	arg->size = sizeof(*arg);
	err = ref_call(fd, REFIOMMU_INSTANCE_CREATE, arg);
	return err ? err : (int)arg->out_id;
}

int ref_instance(int fd, const struct ref_kind *kind, uint64_t pgsizes)
{
	struct refiommu_instance_create arg = {
		.format = kind->format, .addr_width = kind->width, .pgsizes = pgsizes,
	};

	return instance_create(fd, &arg);
}

int ref_instance_ranges(int fd, const struct ref_kind *kind, const struct refiommu_range *ranges,
			unsigned int nr)
{
	struct refiommu_instance_create arg = {
		.format = kind->format, .addr_width = kind->width,
		.ranges = (uintptr_t)ranges, .nr_ranges = nr,
	};

	return instance_create(fd, &arg);
}

int ref_instance_lazy(int fd, const struct ref_kind *kind)
{
	struct refiommu_instance_create arg = {
		.format = kind->format, .addr_width = kind->width, .flags = REFIOMMU_INSTANCE_LAZY,
	};

	return instance_create(fd, &arg);
}

int ref_endpoint(int fd, int instance, uint32_t group, uint32_t driver)
{
	struct refiommu_endpoint_create arg = {
		.size = sizeof(arg), .instance_id = instance, .group = group, .driver = driver,
	};
	int err;

	err = ref_call(fd, REFIOMMU_ENDPOINT_CREATE, &arg);
	return err ? err : (int)arg.out_id;
}

int ref_ioas(int fd, uint32_t flags)
{
	struct refiommu_ioas_alloc arg = { .size = sizeof(arg), .flags = flags };
	int err;

	err = ref_call(fd, REFIOMMU_IOAS_ALLOC, &arg);
	return err ? err : (int)arg.out_id;
}

int ref_nest(int fd, int parent, const struct ref_kind *kind, uint64_t root_gpa)
{
	struct refiommu_ioas_nest arg = {
		.size = sizeof(arg), .parent_id = parent, .format = kind->format,
		.addr_width = kind->width, .root_gpa = root_gpa,
	};
	int err;

	err = ref_call(fd, REFIOMMU_IOAS_NEST, &arg);
	return err ? err : (int)arg.out_id;
}

int ref_destroy(int fd, int id)
{
	struct refiommu_destroy arg = { .size = sizeof(arg), .id = id };

	return ref_call(fd, REFIOMMU_DESTROY, &arg);
}

int ref_inject(int fd, int endpoint, uint32_t nth)
{
	struct refiommu_inject arg = { .size = sizeof(arg), .endpoint_id = endpoint, .nth = nth };

	return ref_call(fd, REFIOMMU_INJECT, &arg);
}

int ref_map_prot(int fd, int ioas, uint64_t first, uint64_t last, const void *at, uint32_t prot)
{
	struct refiommu_ioas_map arg = {
		.size = sizeof(arg), .ioas_id = ioas, .prot = prot,
		.first = first, .last = last, .uaddr = (uintptr_t)at,
	};

	return ref_call(fd, REFIOMMU_IOAS_MAP, &arg);
}

int ref_map(int fd, int ioas, uint64_t iova, uint64_t bytes, const void *at)
{
	return ref_map_prot(fd, ioas, iova, iova + (bytes - 1), at, REF_RW);
}

int64_t ref_unmap(int fd, int ioas, uint32_t form, uint64_t first, uint64_t last)
{
	struct refiommu_ioas_unmap arg = {
		.size = sizeof(arg), .ioas_id = ioas, .form = form,
		.first = first, .last = last, .out_bytes = ~0ULL,
	};
	int err;

	err = ref_call(fd, REFIOMMU_IOAS_UNMAP, &arg);
	return err ? err : (int64_t)arg.out_bytes;
}

int64_t ref_unmap_exact(int fd, int ioas, uint64_t iova, uint64_t bytes)
{
	return ref_unmap(fd, ioas, REFIOMMU_UNMAP_EXACT, iova, iova + (bytes - 1));
}

int64_t ref_unmap_all(int fd, int ioas)
{
	return ref_unmap(fd, ioas, REFIOMMU_UNMAP_ALL, 0, ~0ULL);
}

int ref_attach(int fd, int ioas, int endpoint)
{
	struct refiommu_ioas_attach arg = {
		.size = sizeof(arg), .ioas_id = ioas, .endpoint_id = endpoint,
	};

	return ref_call(fd, REFIOMMU_IOAS_ATTACH, &arg);
}

int ref_detach(int fd, int endpoint)
{
	struct refiommu_ioas_detach arg = { .size = sizeof(arg), .endpoint_id = endpoint };

	return ref_call(fd, REFIOMMU_IOAS_DETACH, &arg);
}

int ref_reserve(int fd, int ioas, uint32_t type, uint64_t first, uint64_t last)
{
	bool direct = type == REFIOMMU_RANGE_DIRECT || type == REFIOMMU_RANGE_DIRECT_RELAXABLE;
	struct refiommu_ioas_reserve arg = {
		.size = sizeof(arg), .ioas_id = ioas, .type = type,
		.prot = direct ? REF_RW : 0, .first = first, .last = last,
	};

	return ref_call(fd, REFIOMMU_IOAS_RESERVE, &arg);
}

int ref_replay(int fd, int ioas, int endpoint, struct refiommu_ioas_replay *counts)
{
	*counts = (struct refiommu_ioas_replay){
		.size = sizeof(*counts), .ioas_id = ioas, .endpoint_id = endpoint,
	};
	return ref_call(fd, REFIOMMU_IOAS_REPLAY, counts);
}

int ref_invalidate(int fd, int ioas, uint64_t first, uint64_t last)
{
	struct refiommu_ioas_invalidate arg = {
		.size = sizeof(arg), .ioas_id = ioas, .first = first, .last = last,
	};

	return ref_call(fd, REFIOMMU_IOAS_INVALIDATE, &arg);
}

int ref_ranges(int fd, int ioas, uint32_t which, struct refiommu_range *ranges, uint32_t nr)
{
	struct refiommu_ioas_ranges arg = {
		.size = sizeof(arg), .ioas_id = ioas, .which = which,
		.nr = nr, .ranges = (uintptr_t)ranges,
	};
	int err;

	err = ref_call(fd, REFIOMMU_IOAS_RANGES, &arg);
	return err ? err : (int)arg.out_nr;
}

int ref_events(int fd, int ioas, struct refiommu_event *events, uint32_t nr)
{
	struct refiommu_ioas_events arg = {
		.size = sizeof(arg), .ioas_id = ioas, .nr = nr, .events = (uintptr_t)events,
	};
	int err;

	err = ref_call(fd, REFIOMMU_IOAS_EVENTS, &arg);
	return err ? err : (int)arg.out_nr;
}

int ref_lookup(int fd, int id, int endpoint, uint64_t iova, struct refiommu_lookup *out)
{
	*out = (struct refiommu_lookup){
		.size = sizeof(*out), .id = id, .endpoint_id = endpoint, .iova = iova,
	};
	return ref_call(fd, REFIOMMU_LOOKUP, out);
}

uint64_t ref_lookup_paddr(int fd, int id, uint64_t iova)
{
	struct refiommu_lookup out;

	if (ref_lookup(fd, id, 0, iova, &out) || !(out.out_flags & REFIOMMU_LOOKUP_PRESENT))
		return ~0ULL;
	return out.out_paddr;
}

int ref_dma(int fd, int endpoint, uint32_t op, uint64_t first, uint64_t last, uint64_t data,
	    struct refiommu_dma *out)
{
	*out = (struct refiommu_dma){
		.size = sizeof(*out), .endpoint_id = endpoint, .op = op,
		.first = first, .last = last, .data = data,
	};
	return ref_call(fd, REFIOMMU_DMA, out);
}

static int dma_result(int err, const struct refiommu_dma *dma)
{
	if (err)
		return err;
	return dma->out_flags & REFIOMMU_DMA_FAULTED ? (int)dma->out_reason : 0;
}

int ref_probe(int fd, int endpoint, uint64_t iova, struct refiommu_dma *out)
{
	struct refiommu_dma dma;
	int err;

	err = ref_dma(fd, endpoint, REFIOMMU_DMA_PROBE, iova, iova, 0, &dma);
	if (out)
		*out = dma;
	return dma_result(err, &dma);
}

int ref_fill(int fd, int endpoint, uint64_t first, uint64_t last, uint64_t value)
{
	struct refiommu_dma dma;

	return dma_result(ref_dma(fd, endpoint, REFIOMMU_DMA_FILL, first, last, value, &dma), &dma);
}

int ref_read64(int fd, int endpoint, uint64_t iova, uint64_t *value)
{
	struct refiommu_dma dma;
	int err;

	err = ref_dma(fd, endpoint, REFIOMMU_DMA_READ, iova, iova + (sizeof(*value) - 1),
		      (uintptr_t)value, &dma);
	return dma_result(err, &dma);
}

bool ref_sees(int fd, int endpoint, uint64_t iova, const void *at)
{
	uint64_t value, expected;

	memcpy(&expected, at, sizeof(expected));
	return !ref_read64(fd, endpoint, iova, &value) && value == expected;
}

bool ref_sees_nothing(int fd, int endpoint, uint64_t iova)
{
	return ref_probe(fd, endpoint, iova, NULL) > 0;
}

int ref_dmaapi(int fd, int endpoint, uint32_t op, uint32_t dir, uint64_t bytes,
	       struct refiommu_dmaapi *arg)
{
	arg->size = sizeof(*arg);
	arg->endpoint_id = endpoint;
	arg->op = op;
	arg->dir = dir;
	arg->bytes = bytes;
	return ref_call(fd, REFIOMMU_DMAAPI, arg);
}

int ref_bug(const char *name, bool on)
{
	char path[512];
	int fd, err;

	snprintf(path, sizeof(path), REF_BUGS "/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, on ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return err;
}

void ref_bugs_off(void)
{
	DIR *dir = opendir(REF_BUGS);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ref_bug(entry->d_name, false);
	if (dir)
		closedir(dir);
}

uint64_t ref_mark(const void *at)
{
	return 0x5245460000000000ULL | (uintptr_t)at >> 12;
}

static uint8_t *mark_pages(void *mem, size_t nr)
{
	uint64_t *word = mem;
	size_t at;

	if (mem == MAP_FAILED)
		return NULL;
	for (at = 0; at < nr * (REF_PAGE / sizeof(*word)); at++)
		word[at] = ref_mark(&word[at]);
	return mem;
}

uint8_t *ref_pages(size_t nr)
{
	void *mem;

	mem = mmap(NULL, nr * REF_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem != MAP_FAILED)
		madvise(mem, nr * REF_PAGE, MADV_NOHUGEPAGE);
	return mark_pages(mem, nr);
}

uint8_t *ref_huge(size_t bytes)
{
	return mark_pages(mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0),
			  bytes / REF_PAGE);
}

/*
 * New pages wait in a batch of the CPU that made them for their place in the LRU lists, and the
 * batch holds a reference; munmap() empties that of its own CPU only. Compaction begins with all
 * of them.
 */
int ref_drain(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = write(fd, "1", 1) == 1 ? 0 : -errno;
	close(fd);
	return err;
}

uint64_t ref_paddr(const void *at)
{
	uint64_t entry = 0;
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ~0ULL;
	if (pread(fd, &entry, sizeof(entry), ((uintptr_t)at >> 12) * 8) != sizeof(entry))
		entry = 0;
	close(fd);
	if (!(entry >> 63) || !(entry & ((1ULL << 55) - 1)))
		return ~0ULL;
	return (entry & ((1ULL << 55) - 1)) << 12 | ((uintptr_t)at & 0xfff);
}

int ref_world_make_with(struct ref_world *world, const struct ref_kind *kind, uint64_t pgsizes,
			uint32_t flags)
{
	world->fd = ref_open();
	if (world->fd < 0)
		return world->fd;
	world->instance = ref_instance(world->fd, kind, pgsizes);
	if (world->instance < 0)
		return world->instance;
	world->endpoint = ref_endpoint(world->fd, world->instance, 0, REFIOMMU_DRIVER_NONE);
	if (world->endpoint < 0)
		return world->endpoint;
	world->ioas = ref_ioas(world->fd, flags);
	if (world->ioas < 0)
		return world->ioas;
	world->mem = ref_pages(REF_WORLD_PAGES);
	if (!world->mem)
		return -ENOMEM;
	return ref_attach(world->fd, world->ioas, world->endpoint);
}

int ref_world_make(struct ref_world *world, const struct ref_kind *kind)
{
	return ref_world_make_with(world, kind, 0, 0);
}
