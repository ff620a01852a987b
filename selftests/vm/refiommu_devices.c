// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The IOMMUs and devices of refiommu_user, and who owns them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "refiommu_user.h"
#include "type1.h"

void call(struct user *u, unsigned long nr, void *arg, const char *what)
{
	if (ioctl(u->ref, nr, arg))
		die(what);
}

/* "msi": as a PC has it. "relaxable": low, where nothing is. */
static uint32_t instance_ranges(const char *format, struct refiommu_range *ranges)
{
	uint32_t nr = 0;

	if (strstr(format, "relaxable"))
		ranges[nr++] = (struct refiommu_range){
			.first = 0xe0000,
			.last = 0xe3fff,
			.type = REFIOMMU_RANGE_DIRECT_RELAXABLE,
			.prot = RW,
		};
	if (strstr(format, "msi"))
		ranges[nr++] = (struct refiommu_range){
			.first = 0xfee00000,
			.last = 0xfeefffff,
			.type = REFIOMMU_RANGE_MSI,
		};
	return nr;
}

static uint32_t make_instance(struct user *u, const char *format)
{
	struct refiommu_instance_create arg = { .size = sizeof(arg) };
	struct refiommu_range ranges[2];

	if (!strcmp(format, "same") && u->instance)
		return u->instance;
	arg.format = !strncmp(format, "amd", 3) ? REFIOMMU_FORMAT_AMDV1 : REFIOMMU_FORMAT_VTD;
	arg.flags = strstr(format, "lazy") ? REFIOMMU_INSTANCE_LAZY : 0;
	arg.nr_ranges = instance_ranges(format, ranges);
	arg.ranges = (uintptr_t)ranges;
	call(u, REFIOMMU_INSTANCE_CREATE, &arg, "REFIOMMU_INSTANCE_CREATE");
	u->instance = arg.out_id;
	return arg.out_id;
}

static struct refiommu_endpoint_create make_endpoint(struct user *u, const char *format,
						     uint32_t driver)
{
	struct refiommu_endpoint_create arg = {
		.size = sizeof(arg),
		.instance_id = make_instance(u, format),
		.driver = driver,
	};

	call(u, REFIOMMU_ENDPOINT_CREATE, &arg, "REFIOMMU_ENDPOINT_CREATE");
	u->endpoint = arg.out_id;
	return arg;
}

static void keep(struct user *u, int fd)
{
	errno = EMFILE;
	if (u->nfds == FDS)
		die("devices");
	u->fds[u->nfds++] = fd;
}

/* The first device brings the container's IOMMU; each later one is replayed into. */
int do_vfio(struct user *u, char **words)
{
	struct refiommu_endpoint_create e = make_endpoint(u, words[1], REFIOMMU_DRIVER_VFIO);
	int group, fresh = u->container < 0;
	char text[64];

	if (fresh)
		u->container = type1_open();
	group = type1_group(e.out_group);
	keep(u, group);
	type1_join(u->container, group);
	if (fresh)
		type1_choose(u->container);
	snprintf(text, sizeof(text), "refiommu-endpoint.%u", e.out_device);
	keep(u, type1_device(group, text));
	printf("vfio device=%s group=%u\n", text, e.out_group);
	return 2;
}

/* From now on mappings are this one's. */
int do_space(struct user *u, char **words)
{
	struct refiommu_ioas_alloc arg = { .size = sizeof(arg) };

	(void)words;
	call(u, REFIOMMU_IOAS_ALLOC, &arg, "REFIOMMU_IOAS_ALLOC");
	u->ioas = arg.out_id;
	printf("space\n");
	return 1;
}

/* The last device, into the address space that is used now. */
int do_attach(struct user *u, char **words)
{
	struct refiommu_ioas_attach arg = {
		.size = sizeof(arg),
		.ioas_id = u->ioas,
		.endpoint_id = u->endpoint,
	};

	(void)words;
	call(u, REFIOMMU_IOAS_ATTACH, &arg, "REFIOMMU_IOAS_ATTACH");
	printf("attach\n");
	return 1;
}

int do_detach(struct user *u, char **words)
{
	struct refiommu_ioas_detach arg = { .size = sizeof(arg), .endpoint_id = u->endpoint };

	(void)words;
	call(u, REFIOMMU_IOAS_DETACH, &arg, "REFIOMMU_IOAS_DETACH");
	printf("detach\n");
	return 1;
}

int do_replay(struct user *u, char **words)
{
	struct refiommu_ioas_replay arg = { .size = sizeof(arg), .ioas_id = u->ioas };

	(void)words;
	call(u, REFIOMMU_IOAS_REPLAY, &arg, "REFIOMMU_IOAS_REPLAY");
	printf("replay mapped=%llu present=%llu\n", (unsigned long long)arg.out_mapped,
	       (unsigned long long)arg.out_present);
	return 1;
}

/* A device without a driver, in the address space; the first makes that. */
int do_ioas(struct user *u, char **words)
{
	struct refiommu_endpoint_create e = make_endpoint(u, words[1], REFIOMMU_DRIVER_NONE);

	if (!u->ioas)
		do_space(u, words);
	do_attach(u, words);
	printf("ioas device=refiommu-endpoint.%u group=%u\n", e.out_device, e.out_group);
	return 2;
}

/* A PCI device of another IOMMU, which has no driver, in the address space; the first makes that. */
int do_device(struct user *u, char **words)
{
	struct refiommu_device_add arg = { .size = sizeof(arg), .bus = "pci" };

	snprintf(arg.name, sizeof(arg.name), "%s", words[1]);
	call(u, REFIOMMU_DEVICE_ADD, &arg, "REFIOMMU_DEVICE_ADD");
	u->endpoint = arg.out_id;
	if (!u->ioas)
		do_space(u, words);
	do_attach(u, words);
	printf("device device=%s group=%u\n", arg.name, arg.out_group);
	return 2;
}

/* A device whose kernel driver uses the DMA API. */
int do_driver(struct user *u, char **words)
{
	struct refiommu_endpoint_create e = make_endpoint(u, words[1], REFIOMMU_DRIVER_DMA);

	printf("driver device=refiommu-endpoint.%u group=%u\n", e.out_device, e.out_group);
	return 2;
}

/* ---- devices that move ---- */

/* The last device goes from its address space into a new one, which the words go on with. */
int do_switch(struct user *u, char **words)
{
	struct refiommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct refiommu_ioas_attach arg = { .size = sizeof(arg), .endpoint_id = u->endpoint };

	(void)words;
	call(u, REFIOMMU_IOAS_ALLOC, &ioas, "REFIOMMU_IOAS_ALLOC");
	u->ioas = arg.ioas_id = ioas.out_id;
	call(u, REFIOMMU_IOAS_ATTACH, &arg, "REFIOMMU_IOAS_ATTACH");
	printf("switch ioas=%u\n", u->ioas);
	return 1;
}

/* The last device is gone; its IOMMU stays. */
int do_destroy(struct user *u, char **words)
{
	struct refiommu_destroy arg = { .size = sizeof(arg), .id = u->endpoint };

	(void)words;
	call(u, REFIOMMU_DESTROY, &arg, "REFIOMMU_DESTROY");
	printf("destroy\n");
	return 1;
}
