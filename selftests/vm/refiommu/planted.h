/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How a planted bug is tested: something that must not be seen is not there, is there with the bug,
 * and is gone again without it. Each look makes a world of its own, so that nothing of a broken one
 * remains.
 */
#ifndef REF_PLANTED_H
#define REF_PLANTED_H

#include <unistd.h>
#include "ref.h"
#include "test.h"

/* 1: what only the bug makes is seen; 0: all is right; -errno: it could not be tried. */
typedef int (*bug_look)(const struct ref_kind *kind);

#define PAGES(n) ((n) * REF_PAGE)
#define AT (REF_HUGE + 16 * REF_PAGE)

/* Pages of 4 KiB only, where the place of a page matters. */
#define SMALL (1ULL << 12)

static inline void off_on_off(struct __test_metadata *_metadata, const char *name, bug_look look,
			      const struct ref_kind *kind)
{
	struct refiommu_info info;
	int fd = ref_open();

	EXPECT_EQ(0, look(kind)) {
		TH_LOG("%s is off", name);
	}
	ASSERT_EQ(0, ref_bug(name, true));
	ASSERT_EQ(0, ref_info(fd, &info));
	EXPECT_NE(0, info.out_bugs);
	EXPECT_EQ(1, look(kind)) {
		TH_LOG("%s is on", name);
	}
	ASSERT_EQ(0, ref_bug(name, false));
	ASSERT_EQ(0, ref_info(fd, &info));
	EXPECT_EQ(0, info.out_bugs);
	EXPECT_EQ(0, look(kind)) {
		TH_LOG("%s is off again", name);
	}
	close(fd);
}

#define BUGS_NEED_SWITCHES() do { \
	REF_NEED_MODULE(); \
	if (access(REF_BUGS, F_OK)) \
		SKIP(return, "no " REF_BUGS ": debugfs is not mounted"); \
	ref_bugs_off(); \
} while (0)

/* @err as a look's result, the world ended. */
static inline int bug_seen(const struct ref_world *world, int err)
{
	close(world->fd);
	return err;
}

#endif /* REF_PLANTED_H */
