// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "out/out.h"

#include <string.h>


#include "core/schema.h"
#include "event.h"

const char *word_domain_type(uint32_t type)
{
	if (!(type & DOMAIN_PAGING))
		return type & DOMAIN_PT ? "identity" : type ? "other" : "blocked";
	if (!(type & DOMAIN_DMA_API))
		return "unmanaged";
	return type & DOMAIN_DMA_FQ ? "DMA-FQ" : "DMA";
}

const char *word_driver_kind(uint32_t kind)
{
	switch (kind) {
	case EV_DRIVER_VTD:
		return "VT-d";
	case EV_DRIVER_AMD:
		return "AMD-Vi";
	case EV_DRIVER_REF:
		return "refiommu";
	default:
		return "other";
	}
}

const char *word_hook_state(uint32_t state)
{
	static const char *const names[] = {
		[EV_HOOK_HEARD] = "heard",     [EV_HOOK_PENDING] = "pending",
		[EV_HOOK_MISSING] = "missing", [EV_HOOK_REFUSED] = "refused",
		[EV_HOOK_OFF] = "off",	       [EV_HOOK_COVERED] = "covered",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

const char *word_event(unsigned int type)
{
	const struct schema *s = schema_find(type);

	return s ? s->name : "?";
}

void put_plain(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, to);
}

const char *out_device_name(const struct out *o, uint64_t dev)
{
	const struct device *d = dev ? model_device(o->model, dev) : NULL;

	return d && d->name[0] ? d->name : "?";
}

double out_seconds(const struct out *o, uint64_t time_ns)
{
	return (double)(int64_t)(time_ns - o->model->attached_ns) / 1e9;
}

bool out_lost(const struct out *o)
{
	const struct tally *t = report_tally(o->report);

	return !o->source->complete || o->source->lost || o->source->cut || t->lost || t->missed || t->malformed ||
	       t->cut_short;
}

bool out_off_first(const struct out *o, size_t i, struct checker_status *st)
{
	struct checker_status before;
	size_t j;

	if (engine_checker(o->engine, i, st) || !st->off)
		return false;
	for (j = 0; j < i; j++) {
		engine_checker(o->engine, j, &before);
		if (before.off && !strcmp(before.name, st->name))
			return false;
	}
	return true;
}
