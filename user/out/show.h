/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who is where: IOMMUs, domains, groups, devices. What the kernel's structures say is in the model;
 * what only sysfs and /proc know comes as struct show_facts. Nothing is printed of which neither
 * spoke.
 */
#ifndef IOMMUSCOPE_OUT_SHOW_H
#define IOMMUSCOPE_OUT_SHOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/model.h"

#define SHOW_SCHEMA "iommuscope.show/1"

/* A link from /sys/class/iommu: @device is behind IOMMU @unit; "" one without devices. */
struct show_link {
	char unit[33];
	char device[33];
};

/* A process that holds a file of VFIO open. */
struct show_user {
	int32_t group;		/* -1: the container file only, which does not tell the group */
	uint32_t pid;
	char comm[17];
};

struct show_facts {
	struct show_link *links;
	size_t nlinks;
	struct show_user *users;
	size_t nusers;
};

/* A device in its place. Rows of one group, domain and IOMMU follow each other. */
struct show_row {
	const struct device *dev;
	const struct domain *domain;
	const char *unit;	/* its IOMMU's name; "" unknown */
	int32_t first_group;	/* lowest one of that domain behind that IOMMU */
};

struct show {
	FILE *to;
	const struct model *model;
	const struct show_facts *facts;
	const char *device;	/* only this one; NULL: all */
	int32_t group;		/* only this one; -1: all */
	bool resv;		/* text: reserved ranges of the groups, too */
	struct show_row *rows;	/* made by show_rows() */
	size_t nrows;
};

/**
 * show_rows() - Find out what there is to print, and in which order
 * @s: all but @rows, @nrows is set; those are the caller's to free
 *
 * Listed are devices that surely or unsurely are in a domain.
 *
 * Return: 0 or -ENOMEM.
 */
int show_rows(struct show *s);

/** show_group_begins() - Is row @i the first of its group? A group may be behind several IOMMUs. */
bool show_group_begins(const struct show *s, size_t i);

/** show_driver() - The next driver of group @nr, each once, from row *@from on; NULL: no more. */
const char *show_driver(const struct show *s, int32_t nr, size_t *from);

/** show_groups() - Return: how many groups the rows are of. */
size_t show_groups(const struct show *s);

void text_show(const struct show *s);
void json_show(const struct show *s);

/* ---- shared by the two ---- */

/** show_idle() - Return: does the model or sysfs know IOMMU @unit, but no row is behind it? */
bool show_idle(const struct show *s, const char *unit);

/** show_unit() - Return: what was heard of the IOMMU called @name, or NULL. */
const struct iommu *show_unit(const struct show *s, const char *name);

/** show_did() - Return: id of @row's domain in its IOMMU, or -1 if it is not known. */
int64_t show_did(const struct show_row *row);

/** show_format() - Return: which kind of page table, or NULL if the records do not tell. */
const char *show_format(const struct show_row *row);

/** show_last() - Return: last address that domain @d translates. */
uint64_t show_last(const struct domain *d);

/** show_type() - Return: as word_domain_type(), with words for the rarer types. */
const char *show_type(const struct domain *d);

/**
 * show_user() - The next process that holds a file of VFIO for group @nr
 * @from: index to look from; moves behind the one found
 *
 * Return: the process or NULL. With @nr -1 those that hold a container only.
 */
const struct show_user *show_user(const struct show *s, int32_t nr, size_t *from);

/** show_vfio() - Is @driver one that gives devices to processes: vfio-pci, mlx5_vfio_pci, ...? */
bool show_vfio(const char *driver);

/** show_maybe() - Group of @row has no user of its own, but may belong to a container's. */
bool show_maybe(const struct show *s, const struct show_row *row);

/* ---- registers ---- */

enum show_scalable { SCALABLE_UNKNOWN, SCALABLE_NONE, SCALABLE_OFF, SCALABLE_ON };

#define SHOW_WIDTHS 4

/* What the capability registers of an IOMMU say. */
struct show_caps {
	bool known;
	bool caching;
	bool rwbf;
	uint32_t widths[SHOW_WIDTHS];	/* bits, of second-stage (VT-d) or v1 (AMD-Vi) tables; 0 ends */
	uint32_t first_widths[SHOW_WIDTHS];	/* first-stage or v2 tables */
	uint64_t pages;		/* sizes of second-stage tables, a bit each; 0 not told */
	uint64_t first_pages;
	uint32_t max_width;	/* of a request's address; 0 not told */
	uint32_t pasid_bits;	/* 0: no PASIDs */
	uint32_t domains;	/* ids; 0 not told */
	bool device_tlb_known;
	bool device_tlb;
	const char *more[12];	/* other things it can do; NULL ends */
};

/** show_caps() - Decode the registers of @u, which may be NULL. */
void show_caps(const struct iommu *u, struct show_caps *c);

/** show_scalable() - Is IOMMU @u in scalable mode? A device behind it tells. */
enum show_scalable show_scalable(const struct show *s, const struct iommu *u);

/** word_resv() - Type of a reserved range, as sysfs spells it. */
const char *word_resv(uint32_t type);

#endif
