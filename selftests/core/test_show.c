// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What 'show' prints of records, links and users: the tree and its lines of JSON. */
#include "out/show.h"
#include "story.h"

#define LAZY (DOMAIN_PAGING | DOMAIN_DMA_API | DOMAIN_DMA_FQ)

struct tree {
	struct story story;
	struct show_facts facts;
	struct show_link links[8];
	struct show_user users[4];
	struct show show;
	char *text;
	size_t len;
};

static void tree_begin(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	story_begin(&t->story);
	t->facts.links = t->links;
	t->facts.users = t->users;
	t->show = (struct show){
		.model = engine_model(t->story.e),
		.facts = &t->facts,
		.group = -1,
	};
}

/* What is printed now, in t->text. */
static const char *print(struct tree *t, void (*how)(const struct show *))
{
	free(t->text);
	free(t->show.rows);
	t->show.to = open_memstream(&t->text, &t->len);
	assert_non_null(t->show.to);
	assert_int_equal(show_rows(&t->show), 0);
	how(&t->show);
	fclose(t->show.to);
	return t->text;
}

static void tree_end(struct tree *t)
{
	free(t->text);
	free(t->show.rows);
	story_end(&t->story);
}

static void link_device(struct tree *t, const char *unit, const char *device)
{
	struct show_link *l = &t->links[t->facts.nlinks++];

	snprintf(l->unit, sizeof(l->unit), "%s", unit);
	snprintf(l->device, sizeof(l->device), "%s", device);
}

static void user(struct tree *t, int32_t group, uint32_t pid, const char *comm)
{
	struct show_user *u = &t->users[t->facts.nusers++];

	u->group = group;
	u->pid = pid;
	snprintf(u->comm, sizeof(u->comm), "%s", comm);
}

static void unit(struct tree *t, uint64_t ptr, uint32_t kind, const char *name, uint32_t flags,
		 uint64_t cap, uint64_t ecap)
{
	struct ev_iommu r = { .iommu = ptr, .driver_kind = kind, .flags = flags, .cap = cap,
			      .ecap = ecap };

	snprintf(r.name, sizeof(r.name), "%s", name);
	SEND(&t->story, EV_IOMMU, r);
}

struct place {
	uint64_t dev;
	const char *name;
	const char *driver;
	int32_t group;
	uint64_t domain;
	uint32_t kind;
	uint32_t sid;
	uint32_t flags;
};

/* A device as the reader of the state says it; its domain was described before. */
static void device(struct tree *t, struct place p)
{
	struct ev_device r = { .dev = p.dev, .group = p.group, .driver_kind = p.kind, .sid = p.sid,
			       .flags = p.flags };
	struct ev_attach a = { .dev = p.dev, .domain = p.domain, .group = p.group,
			       .pasid = EV_TAG_NO_PASID };

	snprintf(r.name, sizeof(r.name), "%s", p.name);
	snprintf(r.driver, sizeof(r.driver), "%s", p.driver);
	t->story.next.flags = EVF_STATE;
	SEND(&t->story, EV_DEVICE, r);
	t->story.next.flags = EVF_STATE;
	op_fill(&t->story, &a.op);
	SEND(&t->story, EV_ATTACH, a);
}

static void domain(struct tree *t, uint64_t ptr, uint32_t type)
{
	t->story.next.flags = EVF_STATE;
	describe_domain(&t->story, ptr, type);
}

static void alias(struct tree *t, uint64_t dev, uint32_t sid)
{
	struct ev_alias r = { .dev = dev, .sid = sid };

	SEND(&t->story, EV_ALIAS, r);
}

static void reserve(struct tree *t, int32_t group, uint64_t first, uint64_t last, uint32_t type)
{
	struct ev_resv r = { .first = first, .last = last, .group = group, .type = type, .count = 1 };

	SEND(&t->story, EV_RESV, r);
}

/* Two devices of group 3 in a lazy domain behind dmar0, with its id. */
static void tree_lazy(struct tree *t)
{
	tree_begin(t);
	unit(t, MMU, EV_DRIVER_VTD, "dmar0", EV_IOMMU_CACHING, 0x00d2008c22260286, 0xf42);
	domain(t, DOM, LAZY);
	device(t, (struct place){ DEV2, "0000:00:04.1", "", 3, DOM, EV_DRIVER_VTD, 0x21, 0 });
	device(t, (struct place){ DEV, "0000:00:04.0", "nvme", 3, DOM, EV_DRIVER_VTD, 0x20,
				  EV_DEV_ATS | EV_DEV_UNTRUSTED });
	tag(&t->story, DOM, DEV);
	link_device(t, "dmar0", "");
	link_device(t, "dmar0", "0000:00:04.0");
	link_device(t, "dmar0", "0000:00:04.1");
}

static void a_tree(void **state)
{
	struct tree t;

	(void)state;
	tree_lazy(&t);
	alias(&t, DEV, 0x100);
	assert_string_equal(print(&t, text_show),
		"dmar0  VT-d, legacy mode, caching mode\n"
		"  second-stage tables: addresses of 39 bits, pages 4K 2M 1G\n"
		"  requests have addresses of 39 bits\n"
		"  can: 65536 domain ids, queued invalidation, pass-through\n"
		"  cannot: device TLBs, PASIDs\n"
		"  domain 0xd000.1  DMA lazy (flush queue), domain id 7, VT-d second stage, pages 4K 2M 1G, "
		"[0x0, 0xffffffffffffffff]\n"
		"    group 3  driver nvme\n"
		"      0000:00:04.0  nvme  requester 00:04.0, also 01:00.0  ATS, untrusted\n"
		"      0000:00:04.1  no driver  requester 00:04.1\n");
	tree_end(&t);
}

static void a_tree_in_json(void **state)
{
	struct tree t;

	(void)state;
	tree_lazy(&t);
	reserve(&t, 3, 0xfee00000, 0xfeefffff, EV_RESV_MSI);
	t.show.device = "0000:00:04.0";
	user(&t, 3, 12, "a \"name\"");
	assert_string_equal(print(&t, json_show),
		"{\"schema\":\"iommuscope.show/1\",\"iommu\":\"VT-d\",\"iommu_name\":\"dmar0\","
		"\"cap\":\"0xd2008c22260286\",\"ecap\":\"0xf42\",\"caching\":true,\"scalable\":\"none\","
		"\"widths\":[39],\"page_sizes\":[4096,2097152,1073741824],\"first_stage_widths\":[],"
		"\"first_stage_page_sizes\":[],\"request_width\":39,\"device_tlb\":false,\"pasid_bits\":0,"
		"\"domain_ids\":65536,\"features\":[\"queued invalidation\",\"pass-through\"]}\n"
		"{\"schema\":\"iommuscope.show/1\",\"domain\":\"0xd000\",\"generation\":1,\"type\":\"DMA-FQ\","
		"\"aperture_start\":\"0x0\",\"aperture_end\":\"0xffffffffffffffff\","
		"\"page_sizes\":[4096,2097152,1073741824],\"format\":\"VT-d second stage\","
		"\"behind\":[{\"iommu_name\":\"dmar0\",\"did\":7}]}\n"
		"{\"schema\":\"iommuscope.show/1\",\"group\":3,\"type\":\"DMA-FQ\",\"domain\":\"0xd000\","
		"\"generation\":1,\"drivers\":[\"nvme\"],"
		"\"users\":[{\"pid\":12,\"comm\":\"a \\\"name\\\"\",\"holds\":\"group\"}],"
		"\"reserved\":[{\"first\":\"0xfee00000\",\"last\":\"0xfeefffff\",\"type\":\"msi\"}]}\n"
		"{\"schema\":\"iommuscope.show/1\",\"device\":\"0000:00:04.0\",\"driver\":\"nvme\",\"group\":3,"
		"\"iommu\":\"VT-d\",\"iommu_name\":\"dmar0\",\"type\":\"DMA-FQ\",\"domain\":\"0xd000\","
		"\"generation\":1,\"sid\":32,\"aliases\":[],\"ats\":true,\"pasid\":false,\"untrusted\":true,"
		"\"deferred\":false,\"proxied\":false}\n");
	tree_end(&t);
}

/* Does @what begin in what was printed, and how often? */
static int times(const struct tree *t, const char *what)
{
	const char *at = t->text;
	int n = 0;

	while ((at = strstr(at, what))) {
		at += strlen(what);
		n++;
	}
	return n;
}

/* One domain behind two units: under each of them, with the groups that are there. */
static void a_domain_behind_two(void **state)
{
	struct tree t;

	(void)state;
	tree_begin(&t);
	domain(&t, DOM, DOMAIN_PT);
	device(&t, (struct place){ DEV, "a", "x", 10, DOM, EV_DRIVER_VTD, ~0U, 0 });
	device(&t, (struct place){ DEV2, "b", "x", 9, DOM, EV_DRIVER_VTD, ~0U, 0 });
	device(&t, (struct place){ 0xe300, "c", "y", 9, DOM, EV_DRIVER_VTD, ~0U, 0 });
	link_device(&t, "dmar10", "a");
	link_device(&t, "dmar2", "b");
	link_device(&t, "dmar2", "c");
	assert_string_equal(print(&t, text_show), "dmar2  VT-d\n"
						  "  domain 0xd000.1  identity\n"
						  "    group 9  driver x, y\n"
						  "      b  x\n"
						  "      c  y\n"
						  "dmar10  VT-d\n"
						  "  domain 0xd000.1  identity\n"
						  "    group 10  driver x\n"
						  "      a  x\n");
	print(&t, json_show);
	assert_int_equal(times(&t, "show/1\",\"domain\":"), 1);
	assert_int_equal(times(&t, "\"behind\":[{\"iommu_name\":\"dmar2\"},{\"iommu_name\":\"dmar10\"}]"), 1);
	assert_int_equal(times(&t, "show/1\",\"group\":"), 2);
	assert_int_equal(show_groups(&t.show), 2);
	tree_end(&t);
}

/* A unit that has nothing behind it is there all the same, but not when one device is asked for. */
static void a_unit_without_devices(void **state)
{
	struct tree t;

	(void)state;
	tree_lazy(&t);
	link_device(&t, "dmar1", "");
	print(&t, text_show);
	assert_int_equal(times(&t, "\ndmar1  (no devices)\n"), 1);
	print(&t, json_show);
	assert_int_equal(times(&t, "{\"schema\":\"iommuscope.show/1\",\"iommu\":\"other\",\"iommu_name\":\"dmar1\"}\n"), 1);
	t.show.device = "0000:00:04.0";
	print(&t, text_show);
	assert_int_equal(times(&t, "dmar1"), 0);
	assert_int_equal(times(&t, "0000:00:04.1"), 0);
	assert_int_equal(times(&t, "0000:00:04.0"), 1);
	tree_end(&t);
}

static void only_what_was_asked(void **state)
{
	struct tree t;

	(void)state;
	tree_lazy(&t);
	domain(&t, DOM2, LAZY);
	device(&t, (struct place){ 0xe300, "other", "y", 4, DOM2, EV_DRIVER_VTD, ~0U, 0 });
	t.show.group = 3;
	print(&t, text_show);
	assert_int_equal(times(&t, "group 3"), 1);
	assert_int_equal(times(&t, "group 4"), 0);
	assert_int_equal(times(&t, "0000:00:04."), 2);
	t.show.group = 5;
	assert_string_equal(print(&t, text_show), "");
	assert_string_equal(print(&t, json_show), "");
	assert_int_equal(show_groups(&t.show), 0);
	tree_end(&t);
}

/* A device without a domain, one without a group, and one that left: nowhere. */
static void nowhere(void **state)
{
	struct tree t;

	(void)state;
	tree_begin(&t);
	domain(&t, DOM, LAZY);
	device(&t, (struct place){ DEV, "a", "", 1, 0, EV_DRIVER_VTD, ~0U, 0 });
	device(&t, (struct place){ DEV2, "b", "", -1, DOM, EV_DRIVER_VTD, ~0U, 0 });
	describe_device(&t.story, 0xe300, EV_DRIVER_VTD);
	assert_string_equal(print(&t, text_show), "");
	tree_end(&t);
}

/* ---- owners ---- */

static void tree_vfio(struct tree *t, uint32_t type)
{
	tree_begin(t);
	domain(t, DOM, type);
	device(t, (struct place){ DEV, "a", "vfio-pci", 7, DOM, EV_DRIVER_VTD, ~0U, 0 });
	link_device(t, "dmar0", "a");
}

static void expect_owner(struct tree *t, const char *words)
{
	print(t, text_show);
	if (times(t, words) != 1)
		fail_msg("not '%s' in:\n%s", words, t->text);
}

static void owners(void **state)
{
	struct tree t;

	(void)state;
	tree_vfio(&t, LAZY);
	expect_owner(&t, "    group 7  driver vfio-pci, not in use\n");
	user(&t, 8, 5, "other");
	expect_owner(&t, "    group 7  driver vfio-pci, not in use\n");
	user(&t, 7, 6, "qemu");
	user(&t, 7, 9, "child\n");
	expect_owner(&t, "    group 7  VFIO user qemu (pid 6), child? (pid 9); driver vfio-pci\n");
	tree_end(&t);
}

/* Only a container is held: whose groups are in it, /proc does not tell. */
static void perhaps(void **state)
{
	struct tree t;

	(void)state;
	tree_vfio(&t, DOMAIN_PAGING);
	user(&t, -1, 6, "dpdk");
	expect_owner(&t, "    group 7  driver vfio-pci; perhaps used through /dev/vfio/vfio by dpdk (pid 6)\n");
	print(&t, json_show);
	assert_int_equal(times(&t, "\"users\":[{\"pid\":6,\"comm\":\"dpdk\",\"holds\":\"container\"}]"), 1);
	user(&t, 7, 8, "qemu");
	expect_owner(&t, "    group 7  VFIO user qemu (pid 8); driver vfio-pci\n");
	tree_end(&t);

	tree_vfio(&t, LAZY);
	user(&t, -1, 6, "dpdk");
	expect_owner(&t, "    group 7  driver vfio-pci, not in use\n");
	tree_end(&t);
}

static void no_owner(void **state)
{
	struct tree t;

	(void)state;
	tree_begin(&t);
	domain(&t, DOM, 0);
	device(&t, (struct place){ DEV, "a", "", 7, DOM, EV_DRIVER_OTHER, ~0U, 0 });
	expect_owner(&t, "unknown IOMMU  of another kind\n  domain 0xd000.1  blocked\n    group 7  owner none\n      a  no driver\n");
	tree_end(&t);
}

static void reserved_ranges(void **state)
{
	struct tree t;

	(void)state;
	tree_lazy(&t);
	t.show.resv = true;
	expect_owner(&t, "      reserved ranges unknown\n");
	reserve(&t, 3, 0, 0xffffff, EV_RESV_RELAXABLE);
	expect_owner(&t, "      reserved [0x0, 0xffffff] direct-relaxable\n");
	tree_end(&t);
}

/* ---- domains ---- */

static void domain_types(void **state)
{
	static const struct {
		uint32_t type;
		const char *words;
	} types[] = {
		{ LAZY, "DMA lazy (flush queue)" },
		{ DOMAIN_PAGING | DOMAIN_DMA_API, "DMA strict" },
		{ DOMAIN_PAGING, "unmanaged" },
		{ DOMAIN_PT, "identity" },
		{ 0, "blocked" },
		{ DOMAIN_SVA, "SVA" },
		{ DOMAIN_NESTED, "nested" },
		{ 0x20, "other" },
	};
	char words[64];
	struct tree t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		tree_vfio(&t, types[i].type);
		snprintf(words, sizeof(words), "  domain 0xd000.1  %s", types[i].words);
		expect_owner(&t, words);
		tree_end(&t);
	}
}

static void describe(struct tree *t, uint64_t pages, uint64_t end, uint32_t width)
{
	struct ev_domain r = { .domain = DOM, .type = DOMAIN_PAGING, .pgsize_bitmap = pages,
			       .aperture_end = end, .flags = width };

	SEND(&t->story, EV_DOMAIN, r);
}

/* The aperture says 57 bits, the driver maps 48; a page of every size but 512G. */
static void apertures_and_pages(void **state)
{
	struct tree t;

	(void)state;
	tree_vfio(&t, DOMAIN_PAGING);
	describe(&t, 0x1000, 0x1ffffffffffffff, 48);
	expect_owner(&t, ", pages 4K, [0x0, 0xffffffffffff]\n");
	describe(&t, 0x3000, 0xffffff, 48);
	expect_owner(&t, ", pages 4K 8K, [0x0, 0xffffff]\n");
	describe(&t, 0xfffffffffffff000ULL & ~(1ULL << 39), TOP, 64);
	expect_owner(&t, ", pages 4K..256G 1T..8E, [0x0, 0xffffffffffffffff]\n");
	describe(&t, 0, TOP, 0);
	expect_owner(&t, "unmanaged, [0x0, 0xffffffffffffffff]\n");
	tree_end(&t);
}

/* Scalable mode is what a device behind it says; the register says only that it may be. */
static void scalable_mode(void **state)
{
	struct ev_tag r = { .domain = DOM, .dev = DEV, .iommu = MMU, .driver_kind = EV_DRIVER_VTD,
			    .did = DID, .pasid = EV_TAG_NO_PASID };
	struct tree t;

	(void)state;
	tree_lazy(&t);
	unit(&t, MMU, EV_DRIVER_VTD, "dmar0", EV_IOMMU_SCALABLE, 0, 1ULL << 43);
	expect_owner(&t, "dmar0  VT-d, legacy mode (scalable mode is off)\n");
	r.scalable = EV_TAG_SCALABLE | EV_TAG_FIRST_STAGE;
	SEND(&t.story, EV_TAG, r);
	expect_owner(&t, "dmar0  VT-d, scalable mode\n");
	assert_int_equal(times(&t, "VT-d first stage"), 1);
	tree_end(&t);

	tree_vfio(&t, DOMAIN_PT);
	unit(&t, MMU, EV_DRIVER_VTD, "dmar0", EV_IOMMU_SCALABLE | EV_IOMMU_RWBF, 0, 1ULL << 43);
	expect_owner(&t, "dmar0  VT-d, can be in scalable mode, write buffers need flushes\n");
	tree_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree),
		cmocka_unit_test(a_tree_in_json),
		cmocka_unit_test(a_domain_behind_two),
		cmocka_unit_test(a_unit_without_devices),
		cmocka_unit_test(only_what_was_asked),
		cmocka_unit_test(nowhere),
		cmocka_unit_test(owners),
		cmocka_unit_test(perhaps),
		cmocka_unit_test(no_owner),
		cmocka_unit_test(reserved_ranges),
		cmocka_unit_test(domain_types),
		cmocka_unit_test(apertures_and_pages),
		cmocka_unit_test(scalable_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
