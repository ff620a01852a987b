/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How one IOVA of one device is translated: what was read, and what it means. Three answers that know nothing of
 * each other are put side by side: the domain's table by the kernel's books, the table that the
 * hardware is led to, and the book of who asked for the mapping.
 */
#ifndef IOMMUSCOPE_LOOKUP_H
#define IOMMUSCOPE_LOOKUP_H

#include "root.h"

enum lookup_status {
	LOOKUP_MAPPED,
	LOOKUP_HOLE,		/* no entry: the IOMMU stops it */
	LOOKUP_BAD,		/* an entry that the format does not allow */
	LOOKUP_OUTSIDE,		/* of what the domain translates */
	LOOKUP_IDENTITY,	/* the address is the physical address */
	LOOKUP_BLOCKED,		/* the domain stops everything */
	LOOKUP_FOREIGN,		/* a process's or a guest's own table: not read */
	LOOKUP_UNKNOWN,		/* of a driver whose tables are not known */
	LOOKUP_STATUSES
};

/* Does the hardware's way lead to the domain's table? */
enum lookup_way {
	LOOKUP_WAY_UNKNOWN,	/* it cannot be read */
	LOOKUP_WAY_SAME,
	LOOKUP_WAY_BELOW,	/* to a lower level of it, on the way to this IOVA: levels that do not matter are skipped */
	LOOKUP_WAY_DIFFERS,
};

/* What of it is the same for all IOVAs. Zeroed before it is filled: two are compared as bytes. */
struct lookup_place {
	char device[32];
	char driver[24];
	char iommu[16];
	int32_t group;
	uint32_t sid;		/* ~0 unknown */
	uint32_t kind;		/* enum ev_driver */
	uint32_t dev_flags;	/* EV_DEV_* */
	uint64_t domain;
	uint32_t type;		/* IOMMU_DOMAIN_* bits */
	uint32_t did;		/* ~0 unknown */
	uint64_t first;		/* that the domain translates */
	uint64_t last;
	struct walk_table table;	/* by the books; WALK_NONE: not known */
	struct root root;	/* the hardware's; valid with @root_known */
	bool root_known;
	bool owned;		/* by VFIO, iommufd, ...: not the DMA API's */
};

/* A range that a book has. */
struct lookup_area {
	uint64_t first;
	uint64_t last;
	uint64_t vaddr;		/* of @first; 0 unknown */
	uint32_t prot;		/* WALK_*; 0 unknown */
	uint32_t tgid;		/* 0 unknown */
	bool valid;
	char comm[16];		/* empty: unknown */
};

enum lookup_book {
	LOOKUP_NO_BOOK,
	LOOKUP_VFIO,		/* VFIO type1's list */
	LOOKUP_IOMMUFD,		/* iommufd's areas */
	LOOKUP_DMA_API,		/* its allocator: what it gave away, or keeps from being given away */
};

struct lookup {
	struct lookup_place place;
	uint64_t iova;
	bool flux;		/* it was changed all the time: this is what was seen last */
	bool walked;		/* @path is valid */
	struct walk_path path;
	bool hw_walked;		/* of another table than the domain's: @hw_path is valid */
	struct walk_path hw_path;
	enum lookup_status status;
	enum lookup_way way;
	const char *difference;	/* with DIFFERS: a constant */
	enum lookup_book book;
	struct lookup_area holds;	/* that has @iova in it */
	struct lookup_area below, above;	/* the nearest, if none holds it */
	uint64_t reserved_first, reserved_last;	/* of the group, around @iova */
	char reserved[24];	/* its kind; empty: none */
};

/**
 * lookup_judge() - Fill @l->status, @l->way and @l->difference from all that was read
 * @l: place, iova, path and @walked are filled
 */
void lookup_judge(struct lookup *l);

/** lookup_has_slots() - Is its book one of who maps memory of processes? */
static inline bool lookup_has_slots(const struct lookup *l)
{
	return l->book == LOOKUP_VFIO || l->book == LOOKUP_IOMMUFD;
}

/** lookup_paddr() - Where @path leads @iova, which it has a leaf for. */
uint64_t lookup_paddr(const struct walk_path *path, uint64_t iova);

/** lookup_answered() - Is it known what becomes of the address? */
bool lookup_answered(const struct lookup *l);

#endif
