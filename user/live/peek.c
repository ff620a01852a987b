// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Answers come through maps that the programs and we share. Walks announce the tables that they will ask
 * for; these are read PEEK_BATCH at a time, so that a call is little beside what it brings.
 */
#include "live/peek.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "live/live.h"
#include "live/loader.h"
#include "live/symbols.h"
#include "live/types.h"
#include "peek.skel.h"	/* only for the bytes of the object file */

#define DEVICE_TRIES 20	/* a group may be busy: ends of a millisecond */
#define DEVICE_WAIT_US 5000
#define FRAMES_ASKS 1000	/* corrupt tables may have any number of entries beyond */

struct peek {
	struct bpf_object *obj;
	struct bpf_config config;
	struct ops ops;
	int memory_fd, devices_fd, domain_fd, owner_fd, vfio_fd, iommufd_fd, iovas_fd, pins_fd;
	struct peek_want *wants;
	struct peek_page *pages;
	struct peek_device *found;
	struct peek_area *areas;
	struct peek_pin *pins;
	uint64_t frames;	/* of RAM, when it was asked last */
	uint32_t asks;		/* times that it may be asked again */
	uint64_t ahead[WALK_PAGE_ENTRIES];	/* physical addresses that will be asked for */
	uint32_t nahead;
	uint32_t at;		/* the next of them that was not read */
	uint64_t have[PEEK_BATCH];	/* what is in @pages */
	uint32_t nhave;
};

_Static_assert(PEEK_FORMAT_VTD_SECOND == WALK_VTD_SECOND && PEEK_FORMAT_X86 == WALK_X86 &&
	       PEEK_FORMAT_AMD_V1 == WALK_AMD_V1, "formats");
_Static_assert(PEEK_BYTES == WALK_PAGE_BYTES, "pages");

static int run(int fd, void *ctx, size_t bytes)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = bytes);

	return bpf_prog_test_run_opts(fd, &opts) ? -errno : 0;
}

/* ---- memory ---- */

static int read_wants(struct peek *p, uint32_t count)
{
	struct peek_batch batch = { .count = count };

	return run(p->memory_fd, &batch, sizeof(batch));
}

int peek_read(struct peek *p, uint64_t addr, void *to, size_t bytes)
{
	int err;

	if (!bytes || bytes > PEEK_BYTES)
		return -EINVAL;
	p->nhave = 0;
	p->wants[0] = (struct peek_want){ .addr = addr, .bytes = bytes, .err = -EFAULT };
	err = read_wants(p, 1) ?: p->wants[0].err;
	if (!err)
		memcpy(to, p->pages[0].bytes, bytes);
	return err;
}

#define ISA_FIRST 0xa0000ULL	/* video memory, ROMs: the kernel's map of memory has them, too */
#define ISA_LAST 0xfffffULL	/* arch/x86/mm/init.c, init_mem_mapping() */

static bool is_ram(const struct peek *p, uint64_t paddr)
{
	return paddr / PEEK_BYTES < p->frames && (paddr < ISA_FIRST || paddr > ISA_LAST);
}

/* Memory may be added while we read, and a table be in it. */
static bool is_ram_now(struct peek *p, uint64_t paddr)
{
	if (!is_ram(p, paddr) && p->asks) {
		p->asks--;
		p->frames = memory_frames();
	}
	return is_ram(p, paddr);
}

static void ahead(void *arg, const uint64_t *paddrs, uint32_t count)
{
	struct peek *p = arg;

	p->nahead = count < WALK_PAGE_ENTRIES ? count : WALK_PAGE_ENTRIES;
	memcpy(p->ahead, paddrs, p->nahead * sizeof(*paddrs));
	p->at = 0;
}

/* @paddr and what was announced behind it. */
static int fetch(struct peek *p, uint64_t paddr)
{
	uint32_t i = p->at, n = 0;

	while (i < p->nahead && p->ahead[i] != paddr)
		i++;
	if (i < p->nahead)
		p->at = i + 1;
	p->have[n++] = paddr;
	for (; n < PEEK_BATCH && i < p->nahead && p->at < p->nahead; p->at++)
		if (is_ram(p, p->ahead[p->at]))
			p->have[n++] = p->ahead[p->at];
	for (i = 0; i < n; i++)
		p->wants[i] = (struct peek_want){ .addr = p->config.page_offset + p->have[i],
						  .bytes = PEEK_BYTES, .err = -EFAULT };
	p->nhave = n;
	return read_wants(p, n);
}

static int read_page(void *arg, uint64_t paddr, uint64_t page[WALK_PAGE_ENTRIES])
{
	struct peek *p = arg;
	uint32_t i;
	int err = 0;

	if (!is_ram_now(p, paddr))
		return -EFAULT;
	for (i = 0; i < p->nhave && p->have[i] != paddr; i++)
		;
	if (i == p->nhave) {
		err = fetch(p, paddr);
		i = 0;
	}
	if (err || p->wants[i].err)
		return err ?: p->wants[i].err;
	memcpy(page, p->pages[i].bytes, PEEK_BYTES);
	p->have[i] = ~0ULL;	/* who asks again wants to know what is there now */
	return 0;
}

struct walk_memory peek_memory(struct peek *p)
{
	p->nahead = p->nhave = 0;
	return (struct walk_memory){ .read = read_page, .ahead = ahead, .arg = p };
}

uint64_t peek_paddr_ignore(const struct peek *p)
{
	return p->config.sme_mask;
}

uint64_t peek_phys(const struct peek *p, uint64_t addr)
{
	uint64_t paddr = addr - p->config.page_offset;

	return addr >= p->config.page_offset && is_ram(p, paddr) ? paddr : ~0ULL;
}

/* ---- devices and domains ---- */

/* Nothing is handed over twice: a walk that was not complete is begun again before anybody is told. */
static int ask_devices(struct peek *p, struct peek_devices *ask)
{
	int err, i;

	for (i = 0; i < DEVICE_TRIES; i++) {
		err = run(p->devices_fd, ask, sizeof(*ask));
		if (err || !ask->again)
			return err;
		usleep(DEVICE_WAIT_US);
	}
	return 0;
}

/* Of many devices each call begins with the last one of the call before: if that has another place now, some may be missing. */
int peek_devices(struct peek *p, peek_device_fn fn, void *arg)
{
	struct peek_devices ask = { 0 };
	uint64_t last = 0;
	bool again = false;
	uint32_t i, n;
	int err;

	do {
		err = ask_devices(p, &ask);
		again |= ask.again || (last && (ask.count <= ask.skip || p->found[0].dev != last));
		n = ask.count > ask.skip ? ask.count - ask.skip : 0;
		n = n < PEEK_DEVICES ? n : PEEK_DEVICES;
		for (i = last ? 1 : 0; i < n && !err; i++)
			err = fn(arg, &p->found[i]);
		last = p->found[PEEK_DEVICES - 1].dev;
		ask.skip += PEEK_DEVICES - 1;
	} while (n == PEEK_DEVICES && !err);
	return err ?: again ? -EAGAIN : 0;
}

int peek_domain(struct peek *p, struct peek_domain *d)
{
	return run(p->domain_fd, d, sizeof(*d));
}

/* ---- books ---- */

int peek_owner(struct peek *p, struct peek_owner *ask)
{
	return run(p->owner_fd, ask, sizeof(*ask));
}

static int read_areas(struct peek *p, int fd, struct peek_book *ask, peek_area_fn fn, void *arg)
{
	uint32_t i, busy = 0;
	int err;

	do {
		err = run(fd, ask, sizeof(*ask));
		busy |= ask->busy;
		for (i = 0; i < ask->count && !err; i++)
			err = fn(arg, &p->areas[i]);
		if (ask->full && ask->count)
			ask->from = p->areas[ask->count - 1].last + 1;
	} while (!err && ask->full && ask->count);
	ask->busy = busy;
	return err;
}

int peek_owned(struct peek *p, const struct peek_owner *owner, struct peek_book *ask, peek_area_fn fn,
	       void *arg)
{
	int fd = owner->kind == PEEK_OWNER_IOMMUFD ? p->iommufd_fd : p->vfio_fd;

	ask->book = owner->book;
	return read_areas(p, fd, ask, fn, arg);
}

int peek_iovas(struct peek *p, struct peek_book *ask, peek_area_fn fn, void *arg)
{
	return read_areas(p, p->iovas_fd, ask, fn, arg);
}

/* ---- pins ---- */

static int some_pins(struct peek *p, struct peek_pin *pins, uint32_t count)
{
	struct peek_pins ask = { .count = count };
	uint32_t i;
	int err;

	memcpy(p->pins, pins, count * sizeof(*pins));
	err = run(p->pins_fd, &ask, sizeof(ask));
	if (err)
		return err;
	memcpy(pins, p->pins, count * sizeof(*pins));
	for (i = 0; i < count; i++)
		if (pins[i].pfn >= p->frames)
			pins[i].flags = PEEK_PIN_UNKNOWN;
	return 0;
}

int peek_pins(struct peek *p, struct peek_pin *pins, size_t count)
{
	size_t i, n;
	int err = 0;

	for (i = 0; i < count && !err; i += n) {
		n = count - i < PEEK_PINS ? count - i : PEEK_PINS;
		err = some_pins(p, pins + i, n);
	}
	return err;
}

uint32_t peek_self(struct peek *p)
{
	struct peek_pins ask = { 0 };

	return run(p->pins_fd, &ask, sizeof(ask)) ? 0 : ask.tgid;
}

struct ops *peek_ops(struct peek *p)
{
	return &p->ops;
}

/* ---- loading ---- */

static int read_types(struct types **out)
{
	struct types *t = NULL;
	struct bpf_object *obj;
	const void *bytes;
	size_t len;
	int err = types_new(&t);

	if (err)
		return err;
	*out = t;
	bytes = programs__elf_bytes(&len);
	obj = bpf_object__open_mem(bytes, len, NULL);
	if (!obj)
		return -errno;
	err = types_want_structs(t, bpf_object__btf(obj)) ?: ops_want(t) ?: types_read(t) ?:
	      types_read_module(t, "vfio") ?: types_read_module(t, "vfio_iommu_type1") ?:
	      types_read_module(t, "iommufd");
	bpf_object__close(obj);
	return err;
}

static int load(struct peek *p, struct types *t, bool watch)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "iommuscope_peek",
		    .btf_custom_path = types_part(t));
	struct bpf_map *map;
	const void *bytes;
	size_t len;
	int err;

	bytes = programs__elf_bytes(&len);
	p->obj = bpf_object__open_mem(bytes, len, &opts);
	if (!p->obj)
		return -errno;
	map = bpf_object__find_map_by_name(p->obj, ".rodata.config");
	err = map ? bpf_map__set_initial_value(map, &p->config, sizeof(p->config)) : -ENOENT;
	err = err ?: ops_prepare(&p->ops, p->obj, t, watch) ?: bpf_object__load(p->obj);
	return err || !watch ? err : ops_attach(&p->ops, p->obj);
}

static int program_fd(const struct peek *p, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(p->obj, name));
}

static void *map_memory(const struct peek *p, const char *name, size_t bytes)
{
	int fd = bpf_object__find_map_fd_by_name(p->obj, name);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

#define WANTS_BYTES (PEEK_BATCH * sizeof(struct peek_want))
#define PAGES_BYTES (PEEK_BATCH * sizeof(struct peek_page))
#define FOUND_BYTES (PEEK_DEVICES * sizeof(struct peek_device))
#define AREAS_BYTES (PEEK_AREAS * sizeof(struct peek_area))
#define PINS_BYTES (PEEK_PINS * sizeof(struct peek_pin))

static int share(struct peek *p)
{
	p->memory_fd = program_fd(p, "peek_memory");
	p->devices_fd = program_fd(p, "peek_devices");
	p->domain_fd = program_fd(p, "peek_domain");
	p->owner_fd = program_fd(p, "peek_owner");
	p->vfio_fd = program_fd(p, "peek_vfio");
	p->iommufd_fd = program_fd(p, "peek_iommufd");
	p->iovas_fd = program_fd(p, "peek_iovas");
	p->pins_fd = program_fd(p, "peek_pins");
	p->wants = map_memory(p, "peek_wants", WANTS_BYTES);
	p->pages = map_memory(p, "peek_pages", PAGES_BYTES);
	p->found = map_memory(p, "peek_found", FOUND_BYTES);
	p->areas = map_memory(p, "peek_areas", AREAS_BYTES);
	p->pins = map_memory(p, "peek_pins_map", PINS_BYTES);
	return p->wants && p->pages && p->found && p->areas && p->pins ? 0 : -ENOMEM;
}

int peek_open(bool watch, bool verbose, struct peek **out, char *text, size_t len)
{
	struct peek *p = calloc(1, sizeof(*p));
	struct types *t = NULL;
	bool symbolless;
	int err;

	snprintf(text, len, "out of memory");
	if (!p)
		return -ENOMEM;
	loader_set_print(verbose);
	p->frames = memory_frames();
	p->asks = FRAMES_ASKS;
	err = ops_init(&p->ops);
	if (!err)
		err = symbols_find(&p->config);
	symbolless = err == -ESRCH;
	if (!err)
		err = read_types(&t);
	if (!err)
		err = load(p, t, watch) ?: share(p);
	types_free(t);
	if (!err) {
		*out = p;
		return 0;
	}
	if (symbolless)
		live_missing_symbol(text, len);
	else
		live_cannot_load("the programs that read", err, text, len);
	peek_free(p);
	return err;
}

static void unmap(void *at, size_t bytes)
{
	if (at)
		munmap(at, bytes);
}

void peek_free(struct peek *p)
{
	if (!p)
		return;
	unmap(p->wants, WANTS_BYTES);
	unmap(p->pages, PAGES_BYTES);
	unmap(p->found, FOUND_BYTES);
	unmap(p->areas, AREAS_BYTES);
	unmap(p->pins, PINS_BYTES);
	ops_free(&p->ops);
	bpf_object__close(p->obj);
	free(p);
}
