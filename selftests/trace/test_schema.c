// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The schema describes every byte of every record, and the document names them all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/schema.h"
#include "util.h"

/* Each field begins where the one before ended; the last ends with the record. */
static void fields_tile_the_record(void **state)
{
	const struct schema_field *f;
	const struct schema *s;
	size_t i, j, end;

	(void)state;
	for (i = 0; (s = schema_at(i)); i++) {
		end = sizeof(struct ev_hdr);
		for (j = 0; j < s->nfields; j++) {
			f = &s->fields[j];
			assert_int_equal(f->offset, end);
			end += f->size;
		}
		assert_int_equal(end, s->len);
		assert_true(s->len <= EV_LEN_MAX && s->len % 8 == 0);
	}
}

static void fields_are_sane(void **state)
{
	const struct schema_field *f;
	const struct schema *s;
	size_t i, j, k;

	(void)state;
	for (i = 0; (s = schema_at(i)); i++) {
		for (j = 0; j < s->nfields; j++) {
			f = &s->fields[j];
			assert_true(f->kind <= FIELD_TEXT);
			if (f->kind != FIELD_TEXT) {
				assert_true(f->size == 2 || f->size == 4 || f->size == 8);
				assert_int_equal(f->offset % f->size, 0);
			}
			for (k = 0; k < j; k++)
				assert_string_not_equal(f->name, s->fields[k].name);
		}
	}
}

/* All types of bpf/event.h; a type that is added there must be added here. */
static void every_type_is_known(void **state)
{
	static const struct { unsigned int type, len; } all[] = {
		{ EV_TASK, sizeof(struct ev_task) },
		{ EV_DEVICE, sizeof(struct ev_device) },
		{ EV_DOMAIN, sizeof(struct ev_domain) },
		{ EV_TAG, sizeof(struct ev_tag) },
		{ EV_UNBIND, sizeof(struct ev_unbind) },
		{ EV_MODULE, sizeof(struct ev_module) },
		{ EV_REF_TAG, sizeof(struct ev_ref_tag) },
		{ EV_HOOK, sizeof(struct ev_hook) },
		{ EV_MISSED, sizeof(struct ev_missed) },
		{ EV_SKIP, sizeof(struct ev_skip) },
		{ EV_MARK, sizeof(struct ev_mark) },
		{ EV_STREAM_END, sizeof(struct ev_stream_end) },
		{ EV_IOMMU, sizeof(struct ev_iommu) },
		{ EV_RESV, sizeof(struct ev_resv) },
		{ EV_SYMBOL, sizeof(struct ev_symbol) },
		{ EV_ALLOC, sizeof(struct ev_domain_op) },
		{ EV_FREE, sizeof(struct ev_domain_op) },
		{ EV_ATTACH, sizeof(struct ev_attach) },
		{ EV_MAP, sizeof(struct ev_map) },
		{ EV_UNMAP, sizeof(struct ev_unmap) },
		{ EV_TABLE, sizeof(struct ev_table) },
		{ EV_PAGE_FREE, sizeof(struct ev_page_free) },
		{ EV_ALIAS, sizeof(struct ev_alias) },
		{ EV_READ, sizeof(struct ev_read) },
		{ EV_RUN, sizeof(struct ev_run) },
		{ EV_BOOK, sizeof(struct ev_book) },
		{ EV_SPAN, sizeof(struct ev_span) },
		{ EV_ROOT, sizeof(struct ev_root) },
		{ EV_AREA, sizeof(struct ev_area) },
		{ EV_TASK_STACK, sizeof(struct ev_task_stack) },
		{ EV_SG_LIMIT, sizeof(struct ev_sg_limit) },
		{ EV_VFIO_MAP, sizeof(struct ev_vfio) },
		{ EV_VFIO_UNMAP, sizeof(struct ev_vfio) },
		{ EV_VFIO_ATTACH, sizeof(struct ev_vfio) },
		{ EV_VFIO_DETACH, sizeof(struct ev_vfio) },
		{ EV_DMA_MAP, sizeof(struct ev_dma) },
		{ EV_DMA_UNMAP, sizeof(struct ev_dma) },
		{ EV_REF_INTENT, sizeof(struct ev_ref_intent) },
		{ EV_REF_REPLAY, sizeof(struct ev_ref_replay) },
		{ EV_DMA_SYNC, sizeof(struct ev_dma) },
		{ EV_STACK, sizeof(struct ev_stack) },
		{ EV_QI, sizeof(struct ev_qi) },
		{ EV_AMD_CMD, sizeof(struct ev_amd) },
		{ EV_AMD_WAIT, sizeof(struct ev_amd) },
		{ EV_REF_FLUSH, sizeof(struct ev_ref_flush) },
		{ EV_FAULT, sizeof(struct ev_fault) },
		{ EV_REF_DMA, sizeof(struct ev_ref_dma) },
	};
	const size_t n = sizeof(all) / sizeof(all[0]);
	const struct schema *s;
	size_t i;

	(void)state;
	for (i = 0; i < n; i++) {
		s = schema_find(all[i].type);
		assert_non_null(s);
		assert_int_equal(s->type, all[i].type);
		assert_int_equal(s->len, all[i].len);
		assert_ptr_equal(s, schema_at(i));
	}
	assert_null(schema_at(n));
}

static void other_types_are_unknown(void **state)
{
	unsigned int type, known = 0;

	(void)state;
	for (type = 0; type < 0x20000; type++)
		known += !!schema_find(type);
	assert_int_equal(known, 47);
	assert_null(schema_find(0));
	assert_null(schema_find(~0u));
}

/* A heading with name, type and length; up to the next one a table of the fields. */
static void the_document_names_all(void **state)
{
	const struct schema *s;
	char *doc, *at, *end, word[64];
	size_t i, j;

	(void)state;
	doc = util_load("docs/trace-format.md", &i);
	for (i = 0; (s = schema_at(i)); i++) {
		snprintf(word, sizeof(word), "`%s` (%u, %u bytes)", s->name, s->type, s->len);
		at = strstr(doc, word);
		if (!at)
			fail_msg("docs/trace-format.md lacks %s", word);
		end = strstr(at, "\n#");
		for (j = 0; j < s->nfields; j++) {
			snprintf(word, sizeof(word), "\n| `%s` | %u |", s->fields[j].name,
				 s->fields[j].offset);
			at = strstr(at, word);
			if (!at || (end && at > end))
				fail_msg("docs/trace-format.md: %s lacks %s", s->name, word + 1);
		}
	}
	free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_tile_the_record),
		cmocka_unit_test(fields_are_sane),
		cmocka_unit_test(every_type_is_known),
		cmocka_unit_test(other_types_are_unknown),
		cmocka_unit_test(the_document_names_all),
	};

	return cmocka_run_group_tests_name("trace.schema", tests, NULL, NULL);
}
