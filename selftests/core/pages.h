/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Stories of pages that go back to the allocator. */
#ifndef IOMMUSCOPE_SELFTESTS_PAGES_H
#define IOMMUSCOPE_SELFTESTS_PAGES_H

#include "story.h"

#define PADDR(iova) (0x100000000ULL + (iova))	/* of map() */

STORY void begin_pages(struct story *s)
{
	story_begin_attached(s);
	hook(s, HOOK_PAGE_FREE, EV_HOOK_HEARD);
}

/* Removed by way of a queue: the flush comes some time. */
STORY void unmap_queued(struct story *s, uint64_t iova, uint64_t size)
{
	s->next.flags = EVF_QUEUED;
	unmap_fast(s, iova, size);
}

STORY uint64_t detail(const struct finding *f, const char *key)
{
	unsigned int i;

	for (i = 0; i < f->ndetails; i++)
		if (!strcmp(f->details[i].key, key))
			return f->details[i].value;
	fail_msg("no detail %s", key);
	return 0;
}

#endif
