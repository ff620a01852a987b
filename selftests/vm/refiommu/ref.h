/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tests of refiommu share: the calls of /dev/refiommu as functions, and a small world
 * (one IOMMU, one device, one address space, some memory) that most tests begin with.
 *
 * Calls return 0 or what they make (an id, a number of bytes), or -errno. Each test runs in a
 * process of its own, so nothing here is shared or cleaned up: closing the file ends all objects.
 *
 * A new page-table format needs:
 *   here      a line in REF_FORMATS_TOP, REF_FORMATS_LARGE or REF_FORMATS
 *   tables.c  a row in formats[], with its functions; without it the tests that read tables fail
 * No other test has a list of formats. What a test says of one format (its hole, its widths) it
 * says by that format's name.
 */
#ifndef REF_H
#define REF_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "refiommu.h"

#define REF_DEVICE "/dev/refiommu"
#define REF_BUGS "/sys/kernel/debug/refiommu/bugs"
#define REF_PAGE 4096ULL
#define REF_HUGE (2ULL << 20)
#define REF_RW (REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE)

/* A format, and how: as a variant of a fixture, and in ref_formats[]. */
struct ref_kind {
	uint32_t format;
	uint32_t width; /* as in struct refiommu_instance_create */
	uint64_t top; /* last byte that is translated */
	uint64_t edge; /* pages before and behind it have no table in common but the root */
	uint32_t flags; /* REF_KIND_* */
};

#define REF_KIND_SMALL 1 /* no large pages */
#define REF_KIND_NO_WRITE_ONLY 2 /* a page that can be written can be read */

#define REF_VTD39 { REFIOMMU_FORMAT_VTD, 39, (1ULL << 39) - 1, 1ULL << 30 }
#define REF_VTD48 { REFIOMMU_FORMAT_VTD, 48, (1ULL << 48) - 1, 1ULL << 39 }
#define REF_VTD57 { REFIOMMU_FORMAT_VTD, 57, (1ULL << 57) - 1, 1ULL << 48 }
#define REF_AMDV1 { REFIOMMU_FORMAT_AMDV1, 64, ~0ULL, 1ULL << 57 }
#define REF_TCE { REFIOMMU_FORMAT_TCE, 0, (1ULL << 59) + (1ULL << 45) - 1, \
		  (1ULL << 59) + (1ULL << 44), REF_KIND_SMALL }

/*
 * The formats, each in the first list that it fits into: row(arg, name, struct ref_kind).
 *
 * Those that have large pages and, at low addresses, tables below the root, and translate up to
 * 2^64.
 */
#define REF_FORMATS_TOP(row, arg) \
	row(arg, amdv1, REF_AMDV1)

/* Those that have large pages and, at low addresses, tables below the root. */
#define REF_FORMATS_LARGE(row, arg) \
	row(arg, vtd39, REF_VTD39) \
	row(arg, vtd48, REF_VTD48) \
	row(arg, vtd57, REF_VTD57) \
	REF_FORMATS_TOP(row, arg)

/* All of them. */
#define REF_FORMATS(row, arg) \
	REF_FORMATS_LARGE(row, arg) \
	row(arg, tce, REF_TCE)

/*
 * The lists as variants of a fixture whose variant has a member "kind". A test that means nothing
 * for a format does not exist for it, rather than being skipped.
 */
#define REF_VARIANT(fixture, name, ...) FIXTURE_VARIANT_ADD(fixture, name) { .kind = __VA_ARGS__ };
#define REF_VARIANTS_TOP(fixture) REF_FORMATS_TOP(REF_VARIANT, fixture)
#define REF_VARIANTS_LARGE(fixture) REF_FORMATS_LARGE(REF_VARIANT, fixture)
#define REF_VARIANTS(fixture) REF_FORMATS(REF_VARIANT, fixture)

/* REF_FORMATS as a table. */
#define REF_COUNT(arg, name, ...) + 1
#define REF_NR_FORMATS (0 REF_FORMATS(REF_COUNT, none))

struct ref_named_kind {
	const char *name;
	struct ref_kind kind;
};

extern const struct ref_named_kind ref_formats[REF_NR_FORMATS];

/* What the format makes of REFIOMMU_PROT_*: @prot, or more if it cannot say just that. */
uint32_t ref_prot(const struct ref_kind *kind, uint32_t prot);
/* What reading comes to where @prot was asked for: 0 or REFIOMMU_FAULT_PERMISSION. */
int ref_read_fault(const struct ref_kind *kind, uint32_t prot);

/* First lines of a FIXTURE_SETUP. */
#define REF_NEED_MODULE() do { \
	if (!ref_here()) \
		SKIP(return, "no " REF_DEVICE ": run the script load first"); \
} while (0)

bool ref_here(void);
int ref_open(void);
int ref_call(int fd, unsigned long call, void *arg);
int ref_info(int fd, struct refiommu_info *info);

/* Counters that must be as before when all objects are gone. */
bool ref_same_counters(const struct refiommu_info *a, const struct refiommu_info *b);

/* Waits (2 s at most) for the counters of @before: objects end in the background after a close. */
bool ref_settles(int fd, const struct refiommu_info *before);

/* ---- objects ---- */

int ref_instance(int fd, const struct ref_kind *kind, uint64_t pgsizes);
int ref_instance_ranges(int fd, const struct ref_kind *kind, const struct refiommu_range *ranges,
			unsigned int nr);
int ref_instance_lazy(int fd, const struct ref_kind *kind);
int ref_endpoint(int fd, int instance, uint32_t group, uint32_t driver);
int ref_ioas(int fd, uint32_t flags);
int ref_nest(int fd, int parent, const struct ref_kind *kind, uint64_t root_gpa);
int ref_destroy(int fd, int id);
int ref_inject(int fd, int endpoint, uint32_t nth);

/* ---- address spaces ---- */

int ref_map(int fd, int ioas, uint64_t iova, uint64_t bytes, const void *at);
int ref_map_prot(int fd, int ioas, uint64_t first, uint64_t last, const void *at, uint32_t prot);
/* Bytes removed, or -errno. */
int64_t ref_unmap(int fd, int ioas, uint32_t form, uint64_t first, uint64_t last);
int64_t ref_unmap_exact(int fd, int ioas, uint64_t iova, uint64_t bytes);
int64_t ref_unmap_all(int fd, int ioas);
int ref_attach(int fd, int ioas, int endpoint);
int ref_detach(int fd, int endpoint);
int ref_reserve(int fd, int ioas, uint32_t type, uint64_t first, uint64_t last);
int ref_replay(int fd, int ioas, int endpoint, struct refiommu_ioas_replay *counts);
int ref_invalidate(int fd, int ioas, uint64_t first, uint64_t last);
/* Number of ranges, or -errno; room for @nr. */
int ref_ranges(int fd, int ioas, uint32_t which, struct refiommu_range *ranges, uint32_t nr);
/* Number of events taken, or -errno. */
int ref_events(int fd, int ioas, struct refiommu_event *events, uint32_t nr);
int ref_lookup(int fd, int id, int endpoint, uint64_t iova, struct refiommu_lookup *out);
/* Physical address that an endpoint's or address space's tables give; ~0 if not present. */
uint64_t ref_lookup_paddr(int fd, int id, uint64_t iova);

/* ---- DMA ---- */

int ref_dma(int fd, int endpoint, uint32_t op, uint64_t first, uint64_t last, uint64_t data,
	    struct refiommu_dma *out);
/* 0, REFIOMMU_FAULT_*, or -errno; @out may be NULL. */
int ref_probe(int fd, int endpoint, uint64_t iova, struct refiommu_dma *out);
int ref_fill(int fd, int endpoint, uint64_t first, uint64_t last, uint64_t value);
int ref_read64(int fd, int endpoint, uint64_t iova, uint64_t *value);
/* Does DMA see the memory at @at there? */
bool ref_sees(int fd, int endpoint, uint64_t iova, const void *at);
/* Does DMA see nothing there? */
bool ref_sees_nothing(int fd, int endpoint, uint64_t iova);
int ref_dmaapi(int fd, int endpoint, uint32_t op, uint32_t dir, uint64_t bytes,
	       struct refiommu_dmaapi *arg);

/* ---- planted bugs ---- */

/* 0, or -errno: -ENOENT without debugfs or without such a bug. */
int ref_bug(const char *name, bool on);
/* All of them off. */
void ref_bugs_off(void);

/* ---- memory ---- */

/* @nr pages of anonymous memory; each 64-bit word says which page it is in. NULL: none. */
uint8_t *ref_pages(size_t nr);
/* Memory of 2 MiB pages, marked the same way. NULL: the machine has none left. */
uint8_t *ref_huge(size_t bytes);
/*
 * Lists of the kernel that hold pages for a while are emptied: a page of ours that nobody has
 * pinned is then free as soon as it is unmapped. 0 or -errno.
 */
int ref_drain(void);
/* What ref_pages() wrote into a page. */
uint64_t ref_mark(const void *at);
/* Physical address of memory of this process (needs root); ~0 if unknown. */
uint64_t ref_paddr(const void *at);

/* ---- a world ---- */

#define REF_WORLD_PAGES 64
#define REF_IOVA 0x100000ULL /* where tests map if the place does not matter */

struct ref_world {
	int fd;
	int instance;
	int endpoint;
	int ioas;
	uint8_t *mem; /* REF_WORLD_PAGES pages */
};

/* Everything of it, the endpoint attached. -errno. Closing the file ends it, all but the memory. */
int ref_world_make(struct ref_world *world, const struct ref_kind *kind);
/* The same with pages of these sizes only, and flags for the address space. */
int ref_world_make_with(struct ref_world *world, const struct ref_kind *kind, uint64_t pgsizes,
			uint32_t flags);

#endif /* REF_H */
