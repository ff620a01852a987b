/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How the tests of the core tell a story: a beginning, the records of story_events.h, an end, and
 * what must have been found.
 */
#ifndef IOMMUSCOPE_TEST_STORY_H
#define IOMMUSCOPE_TEST_STORY_H

#include "story_events.h"

/* Some hooks hear already, others do not yet. */
STORY void story_begin_unattached(struct story *s)
{
	memset(s, 0, sizeof(*s));
	s->now = 1000;
	assert_int_equal(engine_new(&s->e), 0);
}

STORY void story_begin(struct story *s)
{
	story_begin_unattached(s);
	mark(s, EV_MARK_ATTACHED, 0);
}

/* DOM is new, DEV is attached to it behind a VT-d unit. */
STORY void story_begin_attached(struct story *s)
{
	story_begin(s);
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	describe_device(s, DEV, EV_DRIVER_VTD);
	tag(s, DOM, DEV);
	attach(s, DEV, DOM);
}

/* The same behind an instance of refiommu. */
STORY void story_begin_ref(struct story *s)
{
	story_begin(s);
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	describe_device(s, DEV, EV_DRIVER_REF);
	ref_tag(s, DOM, DEV, 1);
	attach(s, DEV, DOM);
}

/* DEV in a DMA domain: addresses belong to one mapping at a time. */
STORY void begin_translated(struct story *s)
{
	story_begin(s);
	describe_domain(s, DOM, DOMAIN_PAGING | DOMAIN_DMA_API);
	attach(s, DEV, DOM);
}

/* DEV without an IOMMU, it and its driver heard from the beginning. */
STORY void begin_direct(struct story *s)
{
	story_begin(s);
	describe_device(s, DEV, EV_DRIVER_OTHER);
	unbind(s, DEV);
}

STORY void story_end(struct story *s)
{
	assert_int_equal(engine_finish(s->e), 0);
	engine_free(s->e);
}

STORY uint64_t found(const struct story *s, const char *name, enum grade grade)
{
	const struct report *rep = engine_report(s->e);
	const struct finding *f;
	uint64_t n = 0;

	for (f = report_next(rep, NULL); f; f = report_next(rep, f))
		n += f->grade >= grade && (!name || !strcmp(finding_name(f->id), name));
	return n;
}

/* Return: the domain that @dev surely or unsurely is in, or 0. */
STORY uint64_t bound_to(const struct story *s, uint64_t dev)
{
	const struct device *d = model_device(engine_model(s->e), dev);
	const struct binding *b = d ? device_binding(d, EV_TAG_NO_PASID) : NULL;

	return b && b->domain ? b->domain->ptr : 0;
}

/* How many changes of a device's domain were looked at. */
STORY uint64_t judged(const struct story *s)
{
	return report_tally(engine_report(s->e))->switches;
}

STORY uint64_t unknowns(const struct story *s)
{
	return report_tally(engine_report(s->e))->unknown;
}

/* Exactly @n violations called @name, and no other. */
STORY void expect(struct story *s, const char *name, uint64_t n)
{
	assert_int_equal(found(s, name, GRADE_VIOLATION), n);
	assert_int_equal(found(s, NULL, GRADE_VIOLATION), n);
}

STORY void expect_clean(struct story *s)
{
	assert_int_equal(found(s, NULL, GRADE_NOTE), 0);
}

STORY const struct finding *first(const struct story *s)
{
	const struct finding *f = report_next(engine_report(s->e), NULL);

	assert_non_null(f);
	return f;
}

/* Is @what one of the finding's details? */
STORY bool says(const struct finding *f, const char *what)
{
	unsigned int i;

	for (i = 0; i < f->ndetails; i++) {
		if (f->details[i].text && !strcmp(f->details[i].text, what))
			return true;
	}
	return false;
}

#endif
