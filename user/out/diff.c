// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Two snapshots, for people: only what is different, or could not be compared. */
#include "out/diff.h"

#include <inttypes.h>
#include <string.h>

#include "core/walk.h"
#include "out/out.h"

/* ---- counting ---- */

bool diff_differs(const struct diff_sum *sum)
{
	return sum->domains_changed || sum->devices_changed;
}

bool diff_unsure(const struct diff_sum *sum)
{
	return sum->uncompared || sum->pages.flux;
}

void diff_sum_domain(struct diff_sum *sum, const struct domain_pair *p,
		     const struct delta_count *pages)
{
	unsigned int kind;

	if (!p->changes && (!p->before || !p->after))
		return;		/* only one of both looked at it */
	sum->domains++;
	sum->domains_changed += p->changes || pages->told;
	sum->uncompared += !!pair_obstacle(p);
	sum->pages.told += pages->told;
	sum->pages.same += pages->same;
	sum->pages.flux += pages->flux;
	for (kind = 0; kind < DELTA_KINDS; kind++)
		sum->pages.pages[kind] += pages->pages[kind];
}

void diff_sum_device(struct diff_sum *sum, const struct device_pair *p)
{
	sum->devices += p->changes || (p->before && p->after);
	sum->devices_changed += !!p->changes;
}

const char *diff_kind_word(enum delta_kind kind)
{
	static const char *const words[] = {
		[DELTA_MAPPED] = "mapped",
		[DELTA_UNMAPPED] = "unmapped",
		[DELTA_ELSEWHERE] = "leads elsewhere",
		[DELTA_PROT] = "permission",
		[DELTA_MALFORMED] = "malformed",
	};

	return words[kind];
}

const char *diff_change_word(uint32_t bit)
{
	switch (bit) {
	case DELTA_CAME:
		return "came";
	case DELTA_WENT:
		return "went";
	case DELTA_REPLACED:
		return "replaced";
	case DELTA_TYPE:
		return "type";
	case DELTA_TABLE:
		return "table";
	case DELTA_MOVED:
		return "moved";
	case DELTA_DRIVER:
		return "driver";
	default:
		return "group";
	}
}

/* ---- one domain ---- */

struct printing {
	const struct out_diff *o;
	const struct domain_pair *p;
	bool begun;		/* its first line was printed */
	bool holds;
	bool scattered;		/* what is held leads to more than one place */
	struct delta held;
};

static void print_devices(const struct printing *pr)
{
	const struct device_pair *d;
	FILE *to = pr->o->to;

	for (d = pr->p->devices; d; d = d->next) {
		const struct snap_device *dev = d->after ? d->after : d->before;

		fprintf(to, "    %-16s ", "device");
		put_plain(to, dev->name);
		if (dev->driver[0]) {
			fputs(" (", to);
			put_plain(to, dev->driver);
			fputc(')', to);
		}
		fputc('\n', to);
	}
}

static void begin(struct printing *pr)
{
	const struct domain_pair *p = pr->p;
	const struct snap_domain *d = p->after ? p->after : p->before;

	if (pr->begun)
		return;
	pr->begun = true;
	fprintf(pr->o->to, "domain 0x%" PRIx64 "  %s", d->ptr, word_domain_type(d->type));
	if (p->changes & (DELTA_CAME | DELTA_WENT))
		fprintf(pr->o->to, "  %s", diff_change_word(p->changes));
	fputc('\n', pr->o->to);
	print_devices(pr);
}

static void print_table(FILE *to, const struct snap_domain *d)
{
	if (d->state == SNAP_NONE)
		fputs("none", to);
	else
		fprintf(to, "%s, %u levels, at 0x%" PRIx64, walk_format_name(d->format), d->levels,
			d->root);
}

static void print_changes(struct printing *pr)
{
	const struct snap_domain *was = pr->p->before, *is = pr->p->after;
	FILE *to = pr->o->to;

	if (pr->p->changes & (DELTA_CAME | DELTA_WENT))
		fprintf(to, "    %-16s %" PRIu64 "\n", "entries", (is ? is : was)->leaves);
	if (pr->p->changes & DELTA_REPLACED)
		fprintf(to, "    %-16s was domain 0x%" PRIx64 "\n", "replaced", was->ptr);
	if (pr->p->changes & DELTA_TYPE)
		fprintf(to, "    %-16s %s -> %s\n", "type", word_domain_type(was->type),
			word_domain_type(is->type));
	if (pr->p->changes & DELTA_TABLE) {
		fprintf(to, "    %-16s ", "table");
		print_table(to, was);
		fputs(" -> ", to);
		print_table(to, is);
		fputc('\n', to);
	}
}

static void print_side(FILE *to, const struct walk_run *run, uint64_t iova)
{
	if (!run)
		fputs("nothing", to);
	else if (run->kind == WALK_LEAF)
		fprintf(to, "0x%" PRIx64 " %s", delta_paddr(run, iova), walk_prot_name(run->prot));
	else
		fprintf(to, "malformed entry 0x%" PRIx64 " at 0x%" PRIx64, run->raw,
			run->entry_paddr);
}

static void print_held(struct printing *pr)
{
	const struct delta *d = &pr->held;
	FILE *to = pr->o->to;

	if (!pr->holds)
		return;
	pr->holds = false;
	begin(pr);
	fprintf(to, "    %-16s [0x%" PRIx64 ", 0x%" PRIx64 "]  ", diff_kind_word(d->kind), d->first,
		d->last);
	if (d->kind == DELTA_MAPPED) {
		print_side(to, d->after, d->first);
	} else {
		print_side(to, d->before, d->first);
		if (d->kind != DELTA_UNMAPPED) {
			fputs(" -> ", to);
			print_side(to, d->after, d->first);
		}
	}
	fputs(pr->scattered ? " and elsewhere\n" : "\n", to);
}

/* What is only there on one side is one line as far as it reaches, wherever it leads. */
static bool joins(const struct printing *pr, const struct delta *d)
{
	const struct walk_run *was = pr->held.before ? pr->held.before : pr->held.after;
	const struct walk_run *is = d->before ? d->before : d->after;

	return pr->holds && d->kind == pr->held.kind &&
	       (d->kind == DELTA_MAPPED || d->kind == DELTA_UNMAPPED) &&
	       pr->held.last + 1 == d->first && was->prot == is->prot;
}

static int text_delta(void *arg, const struct delta *d)
{
	struct printing *pr = arg;

	if (joins(pr, d)) {
		pr->held.last = d->last;
		pr->scattered = true;
		return 0;
	}
	print_held(pr);
	pr->held = *d;
	pr->holds = true;
	pr->scattered = false;
	return 0;
}

static void text_domain(const struct out_diff *o, const struct domain_pair *p, struct diff_sum *sum)
{
	struct printing pr = { .o = o, .p = p };
	struct delta_count count = { 0 };

	if (p->changes || pair_obstacle(p)) {
		begin(&pr);
		print_changes(&pr);
	}
	if (pair_obstacle(p))
		fprintf(o->to, "    %-16s %s\n", "not compared", pair_obstacle(p));
	if (pair_has_tables(p))
		readings_delta(&p->before->table, &p->after->table, text_delta, &pr, &count);
	print_held(&pr);
	if (count.flux) {
		begin(&pr);
		fprintf(o->to, "    %-16s %" PRIu64 " pages differ that never held still: not judged\n",
			"in flux", count.flux);
	}
	diff_sum_domain(sum, p, &count);
}

/* ---- one device ---- */

static void print_place(FILE *to, const struct snap_device *dev)
{
	if (dev->domain)
		fprintf(to, "0x%" PRIx64, dev->domain->ptr);
	else
		fputs("no domain", to);
}

static void print_driver(FILE *to, const struct snap_device *dev)
{
	put_plain(to, dev->driver[0] ? dev->driver : "none");
}

static void text_device(const struct out_diff *o, const struct device_pair *p, struct diff_sum *sum)
{
	const struct snap_device *was = p->before, *is = p->after;

	diff_sum_device(sum, p);
	if (!p->changes)
		return;
	fputs("device ", o->to);
	put_plain(o->to, (is ? is : was)->name);
	if (p->changes & (DELTA_CAME | DELTA_WENT))
		fprintf(o->to, "  %s", diff_change_word(p->changes));
	fputc('\n', o->to);
	if (p->changes & DELTA_MOVED) {
		fprintf(o->to, "    %-16s ", "domain");
		print_place(o->to, was);
		fputs(" -> ", o->to);
		print_place(o->to, is);
		fputc('\n', o->to);
	}
	if (p->changes & DELTA_DRIVER) {
		fprintf(o->to, "    %-16s ", "driver");
		print_driver(o->to, was);
		fputs(" -> ", o->to);
		print_driver(o->to, is);
		fputc('\n', o->to);
	}
	if (p->changes & DELTA_GROUP)
		fprintf(o->to, "    %-16s %d -> %d\n", "group", was->group, is->group);
}

/* ---- all ---- */

static void text_sum(const struct out_diff *o, const struct diff_sum *sum)
{
	unsigned int kind;

	fprintf(o->to, "\n%-14s %" PRIu64 ": %" PRIu64 " different, %" PRIu64 " not compared\n", "domains",
		sum->domains, sum->domains_changed, sum->uncompared);
	fprintf(o->to, "%-14s %" PRIu64 ": %" PRIu64 " different\n", "devices", sum->devices,
		sum->devices_changed);
	fprintf(o->to, "%-14s %" PRIu64 " of 4 KiB alike", "pages", sum->pages.same);
	for (kind = 0; kind < DELTA_KINDS; kind++)
		fprintf(o->to, ", %s %" PRIu64, diff_kind_word(kind), sum->pages.pages[kind]);
	fprintf(o->to, ", in flux %" PRIu64 "\n", sum->pages.flux);
}

void text_diff(const struct out_diff *o, struct diff_sum *sum)
{
	const struct matched *m = o->matched;
	size_t i;

	*sum = (struct diff_sum){ 0 };
	for (i = 0; i < m->ndomains; i++)
		text_domain(o, &m->domains[i], sum);
	for (i = 0; i < m->ndevices; i++)
		text_device(o, &m->devices[i], sum);
	text_sum(o, sum);
}
