// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The schema: one row per record type, one entry per field.
 *
 * Invariants (selftests/trace/test_schema.c)
 * - Every type of enum ev_type has a row.
 * - The fields of a row tile the record from the end of struct ev_hdr to its last
 *   byte: ascending, no hole, no overlap. Padding is a field called "pad".
 */
#include "core/schema.h"

#include "bpf/event.h"

#define SIZEOF(s, f)	(sizeof(((struct s *)0)->f))
#define FIELD(s, f, k)	{ #f, offsetof(struct s, f), SIZEOF(s, f), k }
#define DEC(s, f)	FIELD(s, f, FIELD_DEC)
#define HEX(s, f)	FIELD(s, f, FIELD_HEX)
#define SIGNED(s, f)	FIELD(s, f, FIELD_SIGNED)
#define TEXT(s, f)	FIELD(s, f, FIELD_TEXT)

/* The fields of struct ev_op, which every operation starts with. */
#define OP_FIELDS							\
	DEC(ev_op, begin_ns), DEC(ev_op, id), DEC(ev_op, cause),	\
	DEC(ev_op, outer), DEC(ev_op, pid), DEC(ev_op, tgid)

static const struct schema_field task[] = {
	DEC(ev_task, pid), DEC(ev_task, tgid), TEXT(ev_task, comm),
};

static const struct schema_field device[] = {
	HEX(ev_device, dev), SIGNED(ev_device, group), DEC(ev_device, driver_kind),
	HEX(ev_device, flags), HEX(ev_device, sid),
	TEXT(ev_device, name), TEXT(ev_device, driver),
};

static const struct schema_field domain[] = {
	HEX(ev_domain, domain), HEX(ev_domain, ops), HEX(ev_domain, pgsize_bitmap),
	HEX(ev_domain, aperture_start), HEX(ev_domain, aperture_end),
	HEX(ev_domain, type), HEX(ev_domain, flags),
};

static const struct schema_field tag[] = {
	HEX(ev_tag, domain), HEX(ev_tag, dev), HEX(ev_tag, iommu),
	DEC(ev_tag, driver_kind), HEX(ev_tag, did), HEX(ev_tag, pasid),
	HEX(ev_tag, sid), DEC(ev_tag, ats), HEX(ev_tag, scalable),
};

static const struct schema_field unbind[] = {
	HEX(ev_unbind, dev), TEXT(ev_unbind, driver),
};

static const struct schema_field module[] = {
	DEC(ev_module, loaded), DEC(ev_module, pad), TEXT(ev_module, name),
};

static const struct schema_field hook[] = {
	DEC(ev_hook, hook), DEC(ev_hook, state),
	TEXT(ev_hook, name), TEXT(ev_hook, function),
};

static const struct schema_field missed[] = {
	DEC(ev_missed, from_ns), DEC(ev_missed, hook), DEC(ev_missed, entry),
	DEC(ev_missed, delta), DEC(ev_missed, total),
};

static const struct schema_field skip[] = {
	DEC(ev_skip, begin_ns), HEX(ev_skip, object), HEX(ev_skip, iova),
	HEX(ev_skip, size), DEC(ev_skip, hook), DEC(ev_skip, pad),
};

static const struct schema_field mark[] = {
	DEC(ev_mark, kind), DEC(ev_mark, pad), DEC(ev_mark, value),
};

static const struct schema_field stream_end[] = {
	DEC(ev_stream_end, next_seq), DEC(ev_stream_end, lost),
	DEC(ev_stream_end, late), DEC(ev_stream_end, cpu), DEC(ev_stream_end, pad),
};

static const struct schema_field domain_op[] = {
	OP_FIELDS,
	HEX(ev_domain_op, domain), HEX(ev_domain_op, type), DEC(ev_domain_op, pad),
};

static const struct schema_field attach[] = {
	OP_FIELDS,
	HEX(ev_attach, dev), HEX(ev_attach, domain), HEX(ev_attach, old),
	SIGNED(ev_attach, group), SIGNED(ev_attach, ret),
	HEX(ev_attach, pasid), DEC(ev_attach, hook),
};

static const struct schema_field map[] = {
	OP_FIELDS,
	HEX(ev_map, domain), HEX(ev_map, iova), HEX(ev_map, size),
	HEX(ev_map, paddr), HEX(ev_map, prot), SIGNED(ev_map, ret),
};

static const struct schema_field unmap[] = {
	OP_FIELDS,
	HEX(ev_unmap, domain), HEX(ev_unmap, iova), HEX(ev_unmap, size),
	HEX(ev_unmap, done),
};

static const struct schema_field vfio[] = {
	OP_FIELDS,
	HEX(ev_vfio, container), HEX(ev_vfio, vaddr), HEX(ev_vfio, iova),
	HEX(ev_vfio, size), HEX(ev_vfio, done), HEX(ev_vfio, vfio_flags),
	HEX(ev_vfio, cmd), SIGNED(ev_vfio, ret),
};

static const struct schema_field dma[] = {
	OP_FIELDS,
	HEX(ev_dma, dev), HEX(ev_dma, addr), HEX(ev_dma, size), HEX(ev_dma, paddr),
	HEX(ev_dma, ptr), HEX(ev_dma, attrs), DEC(ev_dma, dir), DEC(ev_dma, kind),
	DEC(ev_dma, nents), DEC(ev_dma, mapped), HEX(ev_dma, caller),
};

static const struct schema_field iommu[] = {
	HEX(ev_iommu, iommu), HEX(ev_iommu, cap), HEX(ev_iommu, ecap),
	DEC(ev_iommu, driver_kind), HEX(ev_iommu, flags), TEXT(ev_iommu, name),
};

static const struct schema_field resv[] = {
	HEX(ev_resv, first), HEX(ev_resv, last), SIGNED(ev_resv, group), DEC(ev_resv, type),
	DEC(ev_resv, index), DEC(ev_resv, count),
};

static const struct schema_field symbol[] = {
	HEX(ev_symbol, addr), TEXT(ev_symbol, name),
};

static const struct schema_field area[] = {
	HEX(ev_area, first), HEX(ev_area, last), DEC(ev_area, kind), DEC(ev_area, pad),
};

static const struct schema_field reading[] = {
	HEX(ev_read, domain), DEC(ev_read, begin_ns), HEX(ev_read, root), DEC(ev_read, tables),
	DEC(ev_read, leaves), DEC(ev_read, phase), DEC(ev_read, format), DEC(ev_read, levels),
	HEX(ev_read, flags), HEX(ev_read, books), DEC(ev_read, pad),
};

static const struct schema_field run[] = {
	HEX(ev_run, domain), HEX(ev_run, iova), HEX(ev_run, last), HEX(ev_run, paddr),
	HEX(ev_run, raw), HEX(ev_run, entry_paddr), DEC(ev_run, level), DEC(ev_run, page_lg2),
	HEX(ev_run, prot), DEC(ev_run, kind),
};

static const struct schema_field book[] = {
	HEX(ev_book, domain), HEX(ev_book, first), HEX(ev_book, last), HEX(ev_book, paddr),
	HEX(ev_book, vaddr), DEC(ev_book, book), HEX(ev_book, prot), DEC(ev_book, tgid),
	HEX(ev_book, flags),
};

static const struct schema_field span[] = {
	HEX(ev_span, domain), HEX(ev_span, first), HEX(ev_span, last), DEC(ev_span, kind),
	DEC(ev_span, pad),
};

#define RAW_AT(n)	{ "raw" #n, offsetof(struct ev_root, raw) + 8 * (n), 8, FIELD_HEX }

static const struct schema_field root[] = {
	HEX(ev_root, dev), HEX(ev_root, domain), HEX(ev_root, root), HEX(ev_root, entry_paddr),
	RAW_AT(0), RAW_AT(1), RAW_AT(2), RAW_AT(3), DEC(ev_root, kind), HEX(ev_root, did),
	DEC(ev_root, format), DEC(ev_root, levels), HEX(ev_root, flags), DEC(ev_root, pad),
};

#define PAGE_AT(n)	{ "page" #n, offsetof(struct ev_task_stack, page) + 8 * (n), 8, FIELD_HEX }

static const struct schema_field task_stack[] = {
	DEC(ev_task_stack, pid), DEC(ev_task_stack, count),
	PAGE_AT(0), PAGE_AT(1), PAGE_AT(2), PAGE_AT(3),
	PAGE_AT(4), PAGE_AT(5), PAGE_AT(6), PAGE_AT(7),
};

static const struct schema_field sg_limit[] = {
	HEX(ev_sg_limit, dev), DEC(ev_sg_limit, intent), HEX(ev_sg_limit, addr),
	HEX(ev_sg_limit, size), HEX(ev_sg_limit, boundary), HEX(ev_sg_limit, caller),
	DEC(ev_sg_limit, length), DEC(ev_sg_limit, max_length),
};

static const struct schema_field alias[] = {
	HEX(ev_alias, dev), HEX(ev_alias, sid), DEC(ev_alias, pad),
};

static const struct schema_field table[] = {
	OP_FIELDS,
	HEX(ev_table, domain), HEX(ev_table, first), HEX(ev_table, last), HEX(ev_table, paddr),
	DEC(ev_table, unlinked_ns), HEX(ev_table, call_first), HEX(ev_table, call_last),
	DEC(ev_table, call_begin_ns), HEX(ev_table, what), DEC(ev_table, count),
};

#define IP(n)	{ "ip" #n, offsetof(struct ev_stack, ip) + 8 * (n), 8, FIELD_HEX }

static const struct schema_field stack[] = {
	DEC(ev_stack, of_seq), DEC(ev_stack, count), DEC(ev_stack, pad),
	IP(0), IP(1), IP(2), IP(3), IP(4), IP(5), IP(6), IP(7), IP(8), IP(9), IP(10), IP(11),
	IP(12), IP(13), IP(14), IP(15), IP(16), IP(17), IP(18), IP(19), IP(20), IP(21),
};

static const struct schema_field page_free[] = {
	HEX(ev_page_free, paddr), HEX(ev_page_free, bytes), DEC(ev_page_free, pid),
	DEC(ev_page_free, pad),
};

static const struct schema_field qi[] = {
	DEC(ev_qi, begin_ns), HEX(ev_qi, iommu), HEX(ev_qi, qw0), HEX(ev_qi, qw1),
	DEC(ev_qi, index), DEC(ev_qi, count), SIGNED(ev_qi, ret), DEC(ev_qi, pad),
};

static const struct schema_field amd[] = {
	DEC(ev_amd, begin_ns), HEX(ev_amd, iommu), HEX(ev_amd, qw0),
	HEX(ev_amd, qw1), SIGNED(ev_amd, ret), DEC(ev_amd, pad),
};

static const struct schema_field ref_tag[] = {
	HEX(ev_ref_tag, domain), HEX(ev_ref_tag, dev), DEC(ev_ref_tag, instance),
	HEX(ev_ref_tag, did), DEC(ev_ref_tag, assigned), DEC(ev_ref_tag, pad),
};

static const struct schema_field ref_intent[] = {
	OP_FIELDS,
	HEX(ev_ref_intent, dev), HEX(ev_ref_intent, first), HEX(ev_ref_intent, last),
	HEX(ev_ref_intent, uaddr), HEX(ev_ref_intent, bytes), DEC(ev_ref_intent, kind),
	DEC(ev_ref_intent, ioas), HEX(ev_ref_intent, prot), SIGNED(ev_ref_intent, ret),
};

static const struct schema_field ref_replay[] = {
	OP_FIELDS,
	HEX(ev_ref_replay, domain), HEX(ev_ref_replay, first), HEX(ev_ref_replay, last),
	HEX(ev_ref_replay, mapped), DEC(ev_ref_replay, ioas), DEC(ev_ref_replay, step),
	DEC(ev_ref_replay, type), DEC(ev_ref_replay, action), SIGNED(ev_ref_replay, ret),
	DEC(ev_ref_replay, pad),
};

static const struct schema_field ref_flush[] = {
	DEC(ev_ref_flush, begin_ns), HEX(ev_ref_flush, domain), HEX(ev_ref_flush, dev),
	HEX(ev_ref_flush, first), HEX(ev_ref_flush, last), DEC(ev_ref_flush, instance),
	HEX(ev_ref_flush, did), DEC(ev_ref_flush, kind), DEC(ev_ref_flush, pad),
};

static const struct schema_field fault[] = {
	HEX(ev_fault, dev), HEX(ev_fault, domain), HEX(ev_fault, iova), HEX(ev_fault, prot),
	DEC(ev_fault, reason), DEC(ev_fault, driver_kind), HEX(ev_fault, flags),
	HEX(ev_fault, iommu), HEX(ev_fault, raw),
};

static const struct schema_field ref_dma[] = {
	HEX(ev_ref_dma, dev), HEX(ev_ref_dma, first), HEX(ev_ref_dma, last),
	HEX(ev_ref_dma, done), DEC(ev_ref_dma, kind), HEX(ev_ref_dma, result),
};

#define ROW(type, name, s, f) \
	[type] = { type, sizeof(struct s), sizeof(f) / sizeof((f)[0]), name, f }

/* Indexed by type: schema_find() is on the path of every record. */
static const struct schema rows[] = {
	ROW(EV_TASK, "task", ev_task, task),
	ROW(EV_DEVICE, "device", ev_device, device),
	ROW(EV_DOMAIN, "domain", ev_domain, domain),
	ROW(EV_TAG, "tag", ev_tag, tag),
	ROW(EV_UNBIND, "unbind", ev_unbind, unbind),
	ROW(EV_MODULE, "module", ev_module, module),
	ROW(EV_REF_TAG, "ref_tag", ev_ref_tag, ref_tag),
	ROW(EV_IOMMU, "iommu", ev_iommu, iommu),
	ROW(EV_RESV, "resv", ev_resv, resv),
	ROW(EV_SYMBOL, "symbol", ev_symbol, symbol),
	ROW(EV_ALIAS, "alias", ev_alias, alias),
	ROW(EV_READ, "read", ev_read, reading),
	ROW(EV_RUN, "run", ev_run, run),
	ROW(EV_BOOK, "book", ev_book, book),
	ROW(EV_SPAN, "span", ev_span, span),
	ROW(EV_ROOT, "root", ev_root, root),
	ROW(EV_AREA, "area", ev_area, area),
	ROW(EV_TASK_STACK, "task_stack", ev_task_stack, task_stack),
	ROW(EV_SG_LIMIT, "sg_limit", ev_sg_limit, sg_limit),
	ROW(EV_HOOK, "hook", ev_hook, hook),
	ROW(EV_MISSED, "missed", ev_missed, missed),
	ROW(EV_SKIP, "skip", ev_skip, skip),
	ROW(EV_MARK, "mark", ev_mark, mark),
	ROW(EV_STREAM_END, "stream_end", ev_stream_end, stream_end),
	ROW(EV_ALLOC, "alloc", ev_domain_op, domain_op),
	ROW(EV_FREE, "free", ev_domain_op, domain_op),
	ROW(EV_ATTACH, "attach", ev_attach, attach),
	ROW(EV_MAP, "map", ev_map, map),
	ROW(EV_UNMAP, "unmap", ev_unmap, unmap),
	ROW(EV_TABLE, "table", ev_table, table),
	ROW(EV_PAGE_FREE, "page_free", ev_page_free, page_free),
	ROW(EV_VFIO_MAP, "vfio_map", ev_vfio, vfio),
	ROW(EV_VFIO_UNMAP, "vfio_unmap", ev_vfio, vfio),
	ROW(EV_VFIO_ATTACH, "vfio_attach", ev_vfio, vfio),
	ROW(EV_VFIO_DETACH, "vfio_detach", ev_vfio, vfio),
	ROW(EV_DMA_MAP, "dma_map", ev_dma, dma),
	ROW(EV_DMA_UNMAP, "dma_unmap", ev_dma, dma),
	ROW(EV_DMA_SYNC, "dma_sync", ev_dma, dma),
	ROW(EV_STACK, "stack", ev_stack, stack),
	ROW(EV_REF_INTENT, "ref_intent", ev_ref_intent, ref_intent),
	ROW(EV_REF_REPLAY, "ref_replay", ev_ref_replay, ref_replay),
	ROW(EV_QI, "qi", ev_qi, qi),
	ROW(EV_AMD_CMD, "amd_cmd", ev_amd, amd),
	ROW(EV_AMD_WAIT, "amd_wait", ev_amd, amd),
	ROW(EV_REF_FLUSH, "ref_flush", ev_ref_flush, ref_flush),
	ROW(EV_FAULT, "fault", ev_fault, fault),
	ROW(EV_REF_DMA, "ref_dma", ev_ref_dma, ref_dma),
};

#define NROWS	(sizeof(rows) / sizeof(rows[0]))

const struct schema *schema_find(unsigned int type)
{
	return type < NROWS && rows[type].name ? &rows[type] : NULL;
}

const struct schema *schema_at(size_t i)
{
	size_t type;

	for (type = 0; type < NROWS; type++) {
		if (rows[type].name && !i--)
			return &rows[type];
	}
	return NULL;
}
