/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading an I/O page table: which IOVAs it translates, and how.
 *
 * A walk knows nothing of where the table is: it asks for pages by their physical address. So the same
 * walk serves a live kernel (BPF reads the pages), a saved image and a guest's memory. The table may
 * change under it, and may be anything: a walk ends whatever it reads, and what the format does not
 * allow is told as such. Whether what it read can be trusted is not decided here (settle.h).
 *
 * One file for each format (walk_*.c) with one struct walk_ops: it says what 64 bits mean, and nothing else.
 */
#ifndef IOMMUSCOPE_WALK_H
#define IOMMUSCOPE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#define WALK_PAGE_BYTES 4096
#define WALK_PAGE_ENTRIES 512
#define WALK_LEVELS_MAX 6
#define WALK_WINDOWS_MAX 2

#define WALK_READ 0x1
#define WALK_WRITE 0x2

/* Numbers are in snapshots: append only. */
enum walk_format {
	WALK_NONE = 0,
	WALK_VTD_SECOND = 1,	/* VT-d specification 5.1, 9.8: second stage */
	WALK_X86 = 2,		/* VT-d specification 9.9, AMD v2: first stage, the CPU's format */
	WALK_AMD_V1 = 3,	/* AMD 48882, 2.2.3: host page tables */
	WALK_TCE = 4,		/* POWER TCE as refiommu has it (kernel/table_tce.c): big-endian */
	WALK_FORMATS
};

/**
 * struct walk_window - A span of IOVAs with a root table
 * @first, @last: IOVAs, inclusive
 * @root: physical address of the root table
 * @levels: of tables, 1 ... WALK_LEVELS_MAX; the root's level is this, a leaf table's is 1
 * @index_lg2: log2 of the entries of a table, 9 ... 18; an index is cut from the IOVA's low bits, so that a root may
 *	use fewer, and two windows may share a root (both halves of a canonical space)
 *
 * A window lies within what one root translates, and one entry of the root spans at most 2^63 bytes.
 */
struct walk_window {
	uint64_t first;
	uint64_t last;
	uint64_t root;
	uint32_t levels;
	uint32_t index_lg2;
};

/**
 * struct walk_table - A page table
 * @format: enum walk_format
 * @nwindows: 0: it translates nothing
 * @paddr_ignore: bits of addresses in entries that are not part of the address: AMD's memory encryption sets one
 * @windows: in rising order of IOVAs, disjoint
 */
struct walk_table {
	enum walk_format format;
	uint32_t nwindows;
	uint64_t paddr_ignore;
	struct walk_window windows[WALK_WINDOWS_MAX];
};

/**
 * struct walk_memory - Where tables are
 * @read:  fills @page with WALK_PAGE_ENTRIES words as a little-endian machine reads them, from the physical (or
 *	guest-physical) address @paddr, a multiple of WALK_PAGE_BYTES. 0 or -errno: no memory there
 * @ahead: these pages, at most WALK_PAGE_ENTRIES, will be asked for soon, in this order; may name a page twice, and
 *	pages where no memory is. May be NULL
 * @arg:   for both
 */
struct walk_memory {
	int (*read)(void *arg, uint64_t paddr, uint64_t page[WALK_PAGE_ENTRIES]);
	void (*ahead)(void *arg, const uint64_t *paddrs, uint32_t count);
	void *arg;
};

enum walk_kind {
	WALK_LEAF,		/* translated */
	WALK_BAD_RESERVED,	/* an entry that the format does not allow: reserved bits, sizes, levels */
	WALK_BAD_LOOP,		/* a table that was reached before: a circle, or two ways to one table */
	WALK_BAD_MEMORY,	/* a table where there is no memory */
	WALK_KINDS
};

/**
 * struct walk_run - Neighbouring IOVAs that are translated alike
 * @iova, @last: inclusive
 * @paddr: WALK_LEAF: where @iova leads; the whole run is contiguous. Else: of the table that could not be read, or 0
 * @raw: the first entry, as a little-endian machine reads it
 * @entry_paddr: where that entry is
 * @level: of the table that it is in, from 1; 0: there is no entry, the root itself is bad (@raw and @entry_paddr are 0)
 * @page_lg2: WALK_LEAF: log2 of the bytes that one leaf maps
 * @prot: WALK_READ, WALK_WRITE: what all levels together allow
 * @kind: enum walk_kind
 *
 * Leaves are merged into a run if level, size, permission and all other bits but the address and those that
 * hardware sets (accessed, dirty) are equal. What is bad is not merged: each run names one entry.
 *
 * Of AMD v1's large leaves each of the equal entries is its own piece: one that is missing is a hole.
 */
struct walk_run {
	uint64_t iova;
	uint64_t last;
	uint64_t paddr;
	uint64_t raw;
	uint64_t entry_paddr;
	uint32_t level;
	uint32_t page_lg2;
	uint32_t prot;
	uint32_t kind;
};

/* What a walk came across. */
struct walk_count {
	uint64_t tables;	/* pages of 4 KiB that were read */
	uint64_t leaves;	/* entries that translate (AMD v1: each of the equal entries of one large leaf) */
	uint64_t runs;
	uint64_t bad;		/* runs that are not WALK_LEAF */
	bool cut;		/* more tables than @tables_max: what follows was not read */
};

/* Told about each run, in rising order of IOVAs; not 0 ends the walk. */
typedef int (*walk_fn)(void *arg, const struct walk_run *run);

/**
 * walk_range() - All that [@first, @last] translates to
 * @t:	   the table; anything goes, but windows outside of the limits above are -EINVAL
 * @mem:   its memory
 * @first, @last: IOVAs, inclusive
 * @tables_max: give up after as many pages of tables, readable or not; 0: 2^24 (64 GiB of tables)
 * @fn:	   told about each run; runs are clipped to [@first, @last]
 * @arg:   for @fn
 * @count: added to; may be NULL
 *
 * Return: 0; -EINVAL; -ENOMEM; or what @fn returned.
 */
int walk_range(const struct walk_table *t, const struct walk_memory *mem, uint64_t first,
	       uint64_t last, uint64_t tables_max, walk_fn fn, void *arg,
	       struct walk_count *count);

/* One entry on the way to an IOVA. */
struct walk_step {
	uint64_t entry_paddr;
	uint64_t raw;
	uint32_t level;
	uint32_t pad;
};

/**
 * struct walk_path - How one IOVA is translated, level by level
 * @run:   the leaf that holds it, whole (not clipped, not merged), with @run.paddr that of its first byte; or what was
 *	bad. Not valid if @present and @bad are false: a hole
 */
struct walk_path {
	struct walk_step steps[WALK_LEVELS_MAX];
	uint32_t nsteps;
	bool present;
	bool bad;
	struct walk_run run;
};

/**
 * walk_lookup() - The way to one IOVA
 *
 * Says what walk_range() says, but for a table that has two ways to it: only a whole walk sees that.
 *
 * Return: 0, @path is filled; -EINVAL as above; -ERANGE: no window holds @iova.
 */
int walk_lookup(const struct walk_table *t, const struct walk_memory *mem, uint64_t iova,
		struct walk_path *path);

/** walk_format_name() - "VT-d second stage", ...; "unknown" for any other number. */
const char *walk_format_name(uint32_t format);

/** walk_prot_name() - "r", "w", "rw", "-" */
const char *walk_prot_name(uint32_t prot);

/** walk_vtd_second() - The table of @levels (3 ... 5) at @root: [0, 2^(12 + 9 * @levels) - 1] */
struct walk_table walk_vtd_second(uint64_t root, uint32_t levels);

/** walk_x86() - The table of @levels (4, 5) at @root: both halves of the canonical space */
struct walk_table walk_x86(uint64_t root, uint32_t levels);

/** walk_amd_v1() - The table of @levels (1 ... 6) at @root; 6 levels: all 2^64 addresses */
struct walk_table walk_amd_v1(uint64_t root, uint32_t levels);

#endif
