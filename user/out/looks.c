// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What was read of page tables and compared, domain by domain. */
#include <inttypes.h>

#include "core/walk.h"
#include "out/out.h"

/* Of books that say what somebody meant; or of second readings. */
static uint64_t pages_of(const struct look_result *l, bool of_oracles)
{
	uint64_t pages = 0;
	unsigned int book;

	for (book = 0; book < BOOK_COUNT; book++)
		if (book_is_oracle(book) == of_oracles)
			pages += l->pages[book];
	return pages;
}

/* Why nothing was compared; NULL: something was. */
static const char *unchecked(const struct look_result *l)
{
	if (l->flags & EV_READ_NO_TABLE)
		return "no table";
	if (l->flags & EV_READ_UNKNOWN)
		return "the format of its table is not known";
	if (l->flags & EV_READ_CUT)
		return "its table could not be read to the end";
	if (!l->books)
		return "no book of this kernel says what should be in it";
	if (!l->leaves)
		return "nothing is mapped";
	return pages_of(l, false) || pages_of(l, true) ? NULL : "table and books have nothing in common";
}

static bool has_book(const struct look_result *l, enum book book)
{
	return l->books >> book & 1;
}

/* VFIO or iommufd has the addresses of a process, and nobody told which pages are there. */
static bool lacks_process(const struct look_result *l)
{
	return (has_book(l, BOOK_VFIO) || has_book(l, BOOK_IOMMUFD)) && !has_book(l, BOOK_PROCESS);
}

/* Pages of the list of VFIO or iommufd of which the process did not say where they are. */
static uint64_t untold(const struct look_result *l)
{
	uint64_t all = l->pages[BOOK_VFIO] + l->pages[BOOK_IOMMUFD], told = l->pages[BOOK_PROCESS];

	return has_book(l, BOOK_PROCESS) && all > told ? all - told : 0;
}

/* Second readings, asked for: how many there were. */
static unsigned int oracles(const struct look_result *l)
{
	return has_book(l, BOOK_IOVA_TO_PHYS) + has_book(l, BOOK_DEBUGFS);
}

static void add(struct out_looks *sum, const struct look_result *l)
{
	sum->domains++;
	if (l->flags & EV_READ_NO_TABLE)
		sum->without++;
	else if (unchecked(l))
		sum->unchecked++;
	else
		sum->checked++;
	sum->pages += pages_of(l, false);
	sum->leaves += l->leaves;
	sum->flux += l->flux;
	sum->roots += l->roots;
	sum->no_process += lacks_process(l);
	sum->asked += !!(l->flags & EV_READ_ORACLE);
	sum->oracles += oracles(l);
}

/* From @dev on, the first device that is in @d without a PASID. */
static const struct device *device_in(const struct device *dev, const struct domain *d)
{
	const struct binding *b;

	for (; dev; dev = dev->next) {
		b = device_binding(dev, EV_TAG_NO_PASID);
		if (b && b->domain == d)
			break;
	}
	return dev;
}

static void text_devices(const struct out *o, const struct domain *d)
{
	const struct device *dev = o->model->first_device;

	for (; (dev = device_in(dev, d)); dev = dev->next) {
		fprintf(o->to, "    %-24s ", "device");
		put_plain(o->to, dev->name);
		if (dev->driver[0]) {
			fputs(" (", o->to);
			put_plain(o->to, dev->driver);
			fputc(')', o->to);
		}
		fputc('\n', o->to);
	}
}

static void text_books(const struct out *o, const struct look_result *l)
{
	unsigned int book;

	for (book = 0; book < BOOK_COUNT; book++) {
		if (!has_book(l, book))
			continue;
		fprintf(o->to, "    %-24s %" PRIu64 " %s compared", book_name(book), l->pages[book],
			book == BOOK_IOVA_TO_PHYS ? "addresses" : "pages of 4 KiB");
		if (book == BOOK_PROCESS)
			fprintf(o->to, ", %" PRIu64 " unknown", untold(l));
		fputc('\n', o->to);
	}
	if (l->flags & EV_READ_ORACLE && !oracles(l))
		fprintf(o->to, "    %-24s none: nobody else could be asked about this table\n",
			"second reading");
	if (lacks_process(l))
		fprintf(o->to, "    %-24s not read: only CAP_SYS_ADMIN is told\n",
			book_name(BOOK_PROCESS));
}

/* What a recording did not know, or knew wrong. */
static void text_healed(const struct out *o, const struct look_result *l)
{
	if (l->healed)
		fprintf(o->to, "    %-24s %" PRIu64 " ranges (%" PRIu64 " pages of 4 KiB) learned from its page table, in %"
			       PRIu64 " readings\n", "healed", l->healed, l->healed_pages, l->heals);
	if (l->corrected)
		fprintf(o->to, "    %-24s %" PRIu64 " ranges: table and the kernel's books agree against the trace\n",
			"corrected", l->corrected);
}

static void text_domain(const struct out *o, const struct domain *d)
{
	const struct look_result *l = &d->look;

	fprintf(o->to, "domain 0x%" PRIx64 "  %s\n", d->ptr, word_domain_type(d->type));
	text_devices(o, d);
	if (!(l->flags & (EV_READ_NO_TABLE | EV_READ_UNKNOWN)))
		fprintf(o->to, "    %-24s %s, %u levels, at 0x%" PRIx64 ": %" PRIu64
			       " entries in %" PRIu64 " pages\n",
			"table", walk_format_name(l->format), l->levels, l->root, l->leaves,
			l->tables);
	text_books(o, l);
	if (l->flux)
		fprintf(o->to, "    %-24s %" PRIu64 " differences never held still: not judged\n",
			"in flux", l->flux);
	text_healed(o, l);
	if (l->roots)
		fprintf(o->to, "    %-24s compared for %" PRIu64 " devices\n", "hardware's root",
			l->roots);
	if (unchecked(l))
		fprintf(o->to, "    %-24s %s\n", "unchecked", unchecked(l));
}

bool out_has_looks(const struct out *o)
{
	const struct domain *d;

	for (d = o->model->first_domain; d; d = d->next)
		if (d->look.time_ns)
			return true;
	return false;
}

void text_looks(const struct out *o, struct out_looks *sum)
{
	const struct domain *d;

	*sum = (struct out_looks){ 0 };
	for (d = o->model->first_domain; d; d = d->next) {
		if (!d->look.time_ns)
			continue;
		add(sum, &d->look);
		text_domain(o, d);
	}
	fprintf(o->to, "\n%-14s %" PRIu64 ": %" PRIu64 " checked, %" PRIu64 " without a table, %" PRIu64
		       " unchecked\n", "domains", sum->domains, sum->checked, sum->without,
		sum->unchecked);
	fprintf(o->to, "%-14s %" PRIu64 " entries, %" PRIu64 " pages of 4 KiB compared with books, %" PRIu64
		       " differences in flux\n", "tables", sum->leaves, sum->pages, sum->flux);
	if (sum->asked)
		fprintf(o->to, "%-14s %" PRIu64 ", of %" PRIu64 " tables\n", "oracles",
			sum->oracles, sum->asked);
	fprintf(o->to, "%-14s %" PRIu64 " devices compared\n", "roots", sum->roots);
	fprintf(o->to, "%-14s %" PRIu64 "\n", "findings", report_count(o->report, GRADE_NOTE));
}

/* ---- JSON ---- */

#define VERIFY_SCHEMA "iommuscope.verify/1"

static void json_devices(const struct out *o, const struct domain *d)
{
	const struct device *dev = o->model->first_device;
	const char *comma = "";

	fputs(",\"devices\":[", o->to);
	for (; (dev = device_in(dev, d)); dev = dev->next) {
		fputs(comma, o->to);
		put_json(o->to, dev->name);
		comma = ",";
	}
	fputc(']', o->to);
}

static void json_books(const struct out *o, const struct look_result *l)
{
	static const char *const keys[BOOK_COUNT] = {
		[BOOK_VFIO] = "vfio", [BOOK_IOVA] = "allocator", [BOOK_IOMMUFD] = "iommufd",
		[BOOK_MODEL] = "trace", [BOOK_FILE] = "file",
		[BOOK_PROCESS] = "process", [BOOK_IOVA_TO_PHYS] = "iova_to_phys",
		[BOOK_DEBUGFS] = "debugfs",
	};
	const char *comma = "";
	unsigned int book;

	fputs(",\"books\":{", o->to);
	for (book = 0; book < BOOK_COUNT; book++) {
		if (!(l->books >> book & 1))
			continue;
		fprintf(o->to, "%s\"%s\":%" PRIu64, comma, keys[book], l->pages[book]);
		comma = ",";
	}
	fputc('}', o->to);
}

static void json_domain(const struct out *o, const struct domain *d)
{
	const struct look_result *l = &d->look;

	fprintf(o->to, "{\"schema\":\"" VERIFY_SCHEMA "\",\"domain\":\"0x%" PRIx64 "\",\"type\":\"%s\","
		       "\"format\":\"%s\",\"levels\":%u,\"root\":\"0x%" PRIx64 "\",\"tables\":%" PRIu64
		       ",\"entries\":%" PRIu64,
		d->ptr, word_domain_type(d->type), walk_format_name(l->format), l->levels, l->root,
		l->tables, l->leaves);
	json_devices(o, d);
	json_books(o, l);
	if (has_book(l, BOOK_PROCESS))
		fprintf(o->to, ",\"process_unknown\":%" PRIu64, untold(l));
	if (has_book(l, BOOK_MODEL))
		fprintf(o->to, ",\"healed\":%" PRIu64 ",\"healed_pages\":%" PRIu64 ",\"heals\":%" PRIu64
			       ",\"corrected\":%" PRIu64, l->healed, l->healed_pages, l->heals,
			l->corrected);
	fprintf(o->to, ",\"flux\":%" PRIu64 ",\"roots\":%" PRIu64 ",\"unchecked\":", l->flux, l->roots);
	put_json(o->to, unchecked(l) ? unchecked(l) : "");
	fputs("}\n", o->to);
}

void json_looks(const struct out *o, struct out_looks *sum)
{
	const struct domain *d;

	*sum = (struct out_looks){ 0 };
	for (d = o->model->first_domain; d; d = d->next) {
		if (!d->look.time_ns)
			continue;
		add(sum, &d->look);
		json_domain(o, d);
	}
	fprintf(o->to, "{\"schema\":\"" VERIFY_SCHEMA "\",\"summary\":{\"domains\":%" PRIu64
		       ",\"checked\":%" PRIu64 ",\"without_table\":%" PRIu64 ",\"unchecked\":%" PRIu64
		       ",\"entries\":%" PRIu64 ",\"pages\":%" PRIu64 ",\"flux\":%" PRIu64
		       ",\"roots\":%" PRIu64,
		sum->domains, sum->checked, sum->without, sum->unchecked, sum->leaves, sum->pages,
		sum->flux, sum->roots);
	if (sum->asked)
		fprintf(o->to, ",\"oracles\":%" PRIu64, sum->oracles);
	fprintf(o->to, ",\"findings\":%" PRIu64 "}}\n", report_count(o->report, GRADE_NOTE));
}
