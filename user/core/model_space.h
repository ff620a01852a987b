/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of the model: address spaces as their users mean them (VFIO containers, /dev/refiommu), and
 * the reserved ranges that they must leave alone. Included by model.h.
 */
#ifndef IOMMUSCOPE_MODEL_SPACE_H
#define IOMMUSCOPE_MODEL_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "omap.h"
#include "range.h"

struct device;
struct domain;
struct model;

/* A reserved range of a device that is in the domain. */
struct resv {
	uint64_t first;
	uint64_t last;
	uint64_t since_ns;	/* known from here on */
	uint32_t type;		/* enum ev_resv_type */
	int32_t group;
	struct device *dev;	/* one of that group's */
	bool alone;		/* the group has no other device, and had none */
};

/* An IOMMU group's reserved ranges, as last read. */
struct group {
	int32_t nr;
	bool known;		/* all of them were read, and no device came or went since */
	uint32_t count;		/* that the reader announced */
	uint32_t n;
	uint64_t since_ns;
	uint64_t turn;		/* of domain_resv_update() that met it last */
	uint32_t ndevices;	/* that say that they are in it */
	bool shared;		/* it had several at a time, since it had none */
	struct resv *ranges;
	struct group *next;
};

/* What a VFIO_MAP asked for and got, until it is unmapped. */
struct slot {
	uint64_t iova;
	uint64_t last;
	uint64_t vaddr;
	uint64_t id;
	uint64_t begin;
	uint64_t end;
	uint64_t seq;
	uint32_t flags;		/* VFIO_MAP_* */
	uint32_t tgid;
	uint32_t pid;
	uint32_t epoch;
	uint16_t cpu;
};

#define CONTAINER_DOMAINS 16

struct container {
	uint64_t ptr;
	struct omap slots;	/* iova -> struct slot */
	uint64_t nslots;
	uint64_t bytes;
	uint64_t maps;
	uint64_t unmaps;
	uint32_t sure_epoch;
	uint32_t whole_epoch;	/* its begin was heard, and every slot since; 0: no */
	struct domain *domains[CONTAINER_DOMAINS];
	unsigned int ndomains;
	struct container *next;
};

/* An address space of /dev/refiommu. Only those whose EV_REF_ALLOC was heard are here. */
struct ioas {
	uint64_t nr;
	bool dead;
	uint32_t sure_epoch;
	uint32_t whole_epoch;	/* as above */
	struct ranges areas;	/* what its users want mapped */
	struct ranges fixed;	/* what the running replay says of reserved ranges: mapped, or set up */
	struct domain *domains[CONTAINER_DOMAINS];
	unsigned int ndomains;
	struct ioas *next;
};

struct container *model_container(const struct model *m, uint64_t ptr);

/** model_group() - Return: IOMMU group number @nr if it was ever heard of, or NULL. */
struct group *model_group(const struct model *m, int32_t nr);

/** model_ioas() - Return: the address space of refiommu with that number, alive, or NULL. */
struct ioas *model_ioas(const struct model *m, uint64_t nr);

/** slot_first() - Return: the lowest slot of @c that intersects [@iova, @last], or NULL. */
struct slot *slot_first(const struct container *c, uint64_t iova, uint64_t last);

/** slot_after() - Return: the slot above @s that intersects [.., @last], or NULL. */
struct slot *slot_after(const struct container *c, const struct slot *s, uint64_t last);

/* A part of physical memory. */
struct area {
	uint64_t first;
	uint64_t last;
	uint32_t kind;		/* enum ev_area_kind */
};

#define AREAS 256

#endif
