// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Address spaces over other IOMMUs: a device behind (emulated) VT-d or AMD-Vi, $EDU_BDF, whose
 * tables are that driver's and not ours. There is no DMA engine, so lookups are what is looked at.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

#define AT REF_IOVA
#define PAGES(n) ((n) * REF_PAGE)

FIXTURE(foreign)
{
	struct ref_world w; /* one of ours, for company */
	int endpoint;
	int ioas;
};

static int add(int fd, const char *bus, const char *name)
{
	struct refiommu_device_add arg = { .size = sizeof(arg) };
	int err;

	strncpy(arg.bus, bus, sizeof(arg.bus) - 1);
	strncpy(arg.name, name, sizeof(arg.name) - 1);
	err = ref_call(fd, REFIOMMU_DEVICE_ADD, &arg);
	return err ? err : (int)arg.out_id;
}

static void unbind(const char *bdf)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", bdf);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return;
	if (write(fd, bdf, strlen(bdf)) < 0)
		perror(path);
	close(fd);
}

FIXTURE_SETUP(foreign)
{
	const struct ref_kind kind = REF_VTD48;
	const char *bdf = getenv("EDU_BDF");

	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(&self->w, &kind));
	if (!bdf)
		SKIP(return, "no $EDU_BDF: this machine has no device to own");
	unbind(bdf);
	self->endpoint = add(self->w.fd, "pci", bdf);
	if (self->endpoint == -ENODEV)
		SKIP(return, "no other IOMMU in front of %s", bdf);
	ASSERT_GT(self->endpoint, 0);
	self->ioas = ref_ioas(self->w.fd, 0);
	ASSERT_EQ(0, ref_attach(self->w.fd, self->ioas, self->endpoint));
}

FIXTURE_TEARDOWN(foreign)
{
}

TEST_F(foreign, map_lookup_unmap)
{
	const struct ref_world *w = &self->w;
	struct refiommu_lookup l;

	ASSERT_EQ(0, ref_map(w->fd, self->ioas, AT, PAGES(4), w->mem));
	EXPECT_EQ(-EEXIST, ref_map(w->fd, self->ioas, AT, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_lookup(w->fd, self->ioas, 0, AT + PAGES(3) + 5, &l));
	EXPECT_EQ(ref_paddr(w->mem + PAGES(3) + 5), l.out_paddr);
	EXPECT_EQ(0, l.out_flags & REFIOMMU_LOOKUP_LEVELS);
	EXPECT_EQ(REFIOMMU_LOOKUP_PRESENT | REFIOMMU_LOOKUP_MAPPING,
		  l.out_flags & (REFIOMMU_LOOKUP_PRESENT | REFIOMMU_LOOKUP_MAPPING));
	EXPECT_EQ(AT, l.out_map_first);
	EXPECT_EQ(ref_paddr(w->mem), ref_lookup_paddr(w->fd, self->endpoint, AT));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(w->fd, self->ioas, AT, PAGES(2)));
	EXPECT_EQ((int64_t)PAGES(4), ref_unmap_exact(w->fd, self->ioas, AT, PAGES(4)));
	EXPECT_EQ(~0ULL, ref_lookup_paddr(w->fd, self->ioas, AT));
	EXPECT_EQ(~0ULL, ref_lookup_paddr(w->fd, self->endpoint, AT + PAGES(3)));
}

TEST_F(foreign, large_pages)
{
	const struct ref_world *w = &self->w;
	uint8_t *mem = ref_huge(REF_HUGE);

	if (!mem)
		SKIP(return, "no huge page of 2 MiB is free");
	ASSERT_EQ(0, ref_map(w->fd, self->ioas, 4 * REF_HUGE, REF_HUGE, mem));
	EXPECT_EQ(ref_paddr(mem + 0x12345),
		  ref_lookup_paddr(w->fd, self->ioas, 4 * REF_HUGE + 0x12345));
	EXPECT_EQ((int64_t)REF_HUGE, ref_unmap_all(w->fd, self->ioas));
	EXPECT_EQ(~0ULL, ref_lookup_paddr(w->fd, self->ioas, 4 * REF_HUGE + 0x12345));
}

/* The other driver's limits and reserved ranges are respected: x86 has its MSI window. */
TEST_F(foreign, permitted_ranges)
{
	struct refiommu_range got[16];
	const struct ref_world *w = &self->w;
	int nr = ref_ranges(w->fd, self->ioas, REFIOMMU_RANGES_PERMITTED, got, 16);

	ASSERT_LE(2, nr);
	EXPECT_EQ(0, got[0].first);
	EXPECT_EQ(-ERANGE, ref_map(w->fd, self->ioas, 0xfee00000, PAGES(1), w->mem));
	if (got[nr - 1].last != ~0ULL)
		EXPECT_EQ(-ERANGE,
			  ref_map(w->fd, self->ioas, got[nr - 1].last + 1, PAGES(1), w->mem));
	EXPECT_EQ(0, ref_map(w->fd, self->ioas, got[nr - 1].last - 0xfff, PAGES(1), w->mem));
	EXPECT_EQ((int64_t)PAGES(1), ref_unmap_all(w->fd, self->ioas));
}

/* A to B and back, and to the kernel: never the union. */
TEST_F(foreign, switch_between_spaces)
{
	const struct ref_world *w = &self->w;
	int b = ref_ioas(w->fd, 0), turn;

	ASSERT_EQ(0, ref_map(w->fd, self->ioas, AT, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, b, AT + PAGES(1), PAGES(1), w->mem + PAGES(1)));
	for (turn = 0; turn < 3; turn++) {
		EXPECT_EQ(ref_paddr(w->mem), ref_lookup_paddr(w->fd, self->endpoint, AT));
		EXPECT_EQ(~0ULL, ref_lookup_paddr(w->fd, self->endpoint, AT + PAGES(1)));
		ASSERT_EQ(0, ref_attach(w->fd, b, self->endpoint));
		EXPECT_EQ(~0ULL, ref_lookup_paddr(w->fd, self->endpoint, AT));
		EXPECT_EQ(ref_paddr(w->mem + PAGES(1)),
			  ref_lookup_paddr(w->fd, self->endpoint, AT + PAGES(1)));
		ASSERT_EQ(0, ref_attach(w->fd, self->ioas, self->endpoint));
	}
	ASSERT_EQ(0, ref_detach(w->fd, self->endpoint));
	EXPECT_EQ(0, ref_destroy(w->fd, self->ioas));
}

/* One of ours beside it in one address space: two drivers, one intent. */
TEST_F(foreign, together_with_ours)
{
	const struct ref_world *w = &self->w;
	struct refiommu_ioas_replay counts;

	ASSERT_EQ(0, ref_map(w->fd, self->ioas, AT, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_attach(w->fd, self->ioas, w->endpoint));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(1), w->mem + PAGES(1)));
	ASSERT_EQ(0, ref_map(w->fd, self->ioas, AT + PAGES(8), PAGES(1), w->mem + PAGES(8)));
	EXPECT_EQ(ref_paddr(w->mem + PAGES(8)),
		  ref_lookup_paddr(w->fd, self->endpoint, AT + PAGES(8)));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(8), w->mem + PAGES(8)));
	ASSERT_EQ(0, ref_replay(w->fd, self->ioas, 0, &counts));
	EXPECT_EQ(0, counts.out_mapped);
	EXPECT_EQ(PAGES(6), counts.out_present);
	EXPECT_EQ((int64_t)PAGES(3), ref_unmap_all(w->fd, self->ioas));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT));
	EXPECT_EQ(~0ULL, ref_lookup_paddr(w->fd, self->endpoint, AT));
}

/* What only our own devices can do. */
TEST_F(foreign, refused)
{
	const struct ref_kind kind = REF_VTD48;
	const struct ref_world *w = &self->w;
	struct refiommu_dmaapi arg = { };
	int nested = ref_nest(w->fd, self->ioas, &kind, AT);

	EXPECT_EQ(-EOPNOTSUPP, ref_probe(w->fd, self->endpoint, AT, NULL));
	EXPECT_EQ(-EOPNOTSUPP,
		  ref_dmaapi(w->fd, self->endpoint, REFIOMMU_DMAAPI_MAP, 0, 4096, &arg));
	EXPECT_EQ(-EOPNOTSUPP, ref_attach(w->fd, nested, self->endpoint));
	EXPECT_EQ(-EOPNOTSUPP,
		  ref_attach(w->fd, ref_ioas(w->fd, REFIOMMU_IOAS_UNTRACKED), self->endpoint));
	/* Refused before anything was begun: still there. */
	EXPECT_EQ(-EALREADY, ref_attach(w->fd, self->ioas, self->endpoint));
}

/* Names that name nothing, or one of ours; needs no other IOMMU. */
FIXTURE(device_add)
{
	struct ref_world w;
};

FIXTURE_SETUP(device_add)
{
	const struct ref_kind kind = REF_VTD48;

	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(&self->w, &kind));
}

FIXTURE_TEARDOWN(device_add)
{
}

TEST_F(device_add, refused)
{
	struct refiommu_endpoint_create own = {
		.size = sizeof(own), .instance_id = self->w.instance,
	};
	struct refiommu_device_add arg = { .size = sizeof(arg) };
	char name[32];
	const int fd = self->w.fd;

	ASSERT_EQ(0, ref_call(fd, REFIOMMU_ENDPOINT_CREATE, &own));
	snprintf(name, sizeof(name), "refiommu-endpoint.%u", own.out_device);
	EXPECT_EQ(-EPERM, add(fd, "platform", name));
	EXPECT_EQ(-ENODEV, add(fd, "pci", "ffff:ff:1f.7"));
	EXPECT_EQ(-ENODEV, add(fd, "platform", "there is no such thing"));
	EXPECT_GT(0, add(fd, "usb", "1-1"));
	/* Not ended by a zero byte. */
	memset(arg.bus, 'p', sizeof(arg.bus));
	EXPECT_EQ(-EINVAL, ref_call(fd, REFIOMMU_DEVICE_ADD, &arg));
	strcpy(arg.bus, "pci");
	memset(arg.name, '0', sizeof(arg.name));
	EXPECT_EQ(-EINVAL, ref_call(fd, REFIOMMU_DEVICE_ADD, &arg));
}

TEST_HARNESS_MAIN
