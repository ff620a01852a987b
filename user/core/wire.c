// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Wire records to operations. One table says how long each type is and where its
 * range and its begin time stand; nothing else depends on the layout.
 */
#include <errno.h>
#include <string.h>

#include "wire.h"

struct shape {
	uint16_t len;
	uint16_t least;		/* what the first EVENT_ABI had; 0: @len */
	uint16_t iova_at;	/* 0: no range */
	uint16_t size_at;	/* 0: @last_at says where it ends */
	uint16_t last_at;
	uint16_t begin_at;	/* 0: instantaneous */
	bool is_op;		/* starts with struct ev_op */
};

#define STATE(type)		{ .len = sizeof(struct type) }
#define TIMED(type)		{ .len = sizeof(struct type), \
				  .begin_at = offsetof(struct type, begin_ns) }
#define OP(type)		{ .len = sizeof(struct type), .is_op = true, \
				  .begin_at = offsetof(struct ev_op, begin_ns) }
#define OP_SPAN(type)		{ .len = sizeof(struct type), .is_op = true, \
				  .begin_at = offsetof(struct ev_op, begin_ns), \
				  .iova_at = offsetof(struct type, first), \
				  .last_at = offsetof(struct type, last) }
#define OP_DMA			{ .len = sizeof(struct ev_dma), .is_op = true, \
				  .least = offsetof(struct ev_dma, caller), \
				  .begin_at = offsetof(struct ev_op, begin_ns), \
				  .iova_at = offsetof(struct ev_dma, addr), \
				  .size_at = offsetof(struct ev_dma, size) }
#define OP_RANGE(type, addr)	{ .len = sizeof(struct type), .is_op = true, \
				  .begin_at = offsetof(struct ev_op, begin_ns), \
				  .iova_at = offsetof(struct type, addr), \
				  .size_at = offsetof(struct type, size) }

static const struct shape shapes[] = {
	[EV_TASK] = STATE(ev_task),
	[EV_DEVICE] = STATE(ev_device),
	[EV_DOMAIN] = STATE(ev_domain),
	[EV_TAG] = STATE(ev_tag),
	[EV_UNBIND] = STATE(ev_unbind),
	[EV_MODULE] = STATE(ev_module),
	[EV_REF_TAG] = STATE(ev_ref_tag),
	[EV_IOMMU] = STATE(ev_iommu),
	[EV_RESV] = STATE(ev_resv),
	[EV_SYMBOL] = STATE(ev_symbol),
	[EV_ALIAS] = STATE(ev_alias),
	[EV_READ] = TIMED(ev_read),
	[EV_RUN] = STATE(ev_run),
	[EV_BOOK] = STATE(ev_book),
	[EV_SPAN] = STATE(ev_span),
	[EV_ROOT] = STATE(ev_root),
	[EV_AREA] = STATE(ev_area),
	[EV_TASK_STACK] = STATE(ev_task_stack),
	[EV_SG_LIMIT] = { .len = sizeof(struct ev_sg_limit),
			  .iova_at = offsetof(struct ev_sg_limit, addr),
			  .size_at = offsetof(struct ev_sg_limit, size) },
	[EV_HOOK] = STATE(ev_hook),
	[EV_MISSED] = STATE(ev_missed),
	[EV_SKIP] = { .len = sizeof(struct ev_skip), .iova_at = offsetof(struct ev_skip, iova),
		      .size_at = offsetof(struct ev_skip, size),
		      .begin_at = offsetof(struct ev_skip, begin_ns) },
	[EV_MARK] = STATE(ev_mark),
	[EV_STREAM_END] = STATE(ev_stream_end),
	[EV_ALLOC] = OP(ev_domain_op),
	[EV_FREE] = OP(ev_domain_op),
	[EV_ATTACH] = OP(ev_attach),
	[EV_MAP] = OP_RANGE(ev_map, iova),
	[EV_UNMAP] = OP_RANGE(ev_unmap, iova),
	[EV_VFIO_MAP] = OP_RANGE(ev_vfio, iova),
	[EV_VFIO_UNMAP] = OP_RANGE(ev_vfio, iova),
	[EV_VFIO_ATTACH] = OP(ev_vfio),
	[EV_VFIO_DETACH] = OP(ev_vfio),
	[EV_TABLE] = OP_SPAN(ev_table),
	[EV_PAGE_FREE] = STATE(ev_page_free),
	[EV_DMA_MAP] = OP_DMA,
	[EV_DMA_UNMAP] = OP_DMA,
	[EV_DMA_SYNC] = OP_DMA,
	[EV_REF_INTENT] = OP_SPAN(ev_ref_intent),
	[EV_REF_REPLAY] = OP(ev_ref_replay),
	[EV_QI] = TIMED(ev_qi),
	[EV_AMD_CMD] = TIMED(ev_amd),
	[EV_AMD_WAIT] = TIMED(ev_amd),
	[EV_REF_FLUSH] = TIMED(ev_ref_flush),
	[EV_FAULT] = { .len = sizeof(struct ev_fault), .least = offsetof(struct ev_fault, iommu) },
	[EV_REF_DMA] = STATE(ev_ref_dma),
	[EV_STACK] = STATE(ev_stack),
};

static const struct shape *shape_of(unsigned int type)
{
	if (type >= sizeof(shapes) / sizeof(shapes[0]) || !shapes[type].len)
		return NULL;

	return &shapes[type];
}

size_t wire_len(unsigned int type)
{
	const struct shape *s = shape_of(type);

	return s ? s->least ?: s->len : 0;
}

int wire_range(uint64_t iova, uint64_t size, uint64_t *last)
{
	uint64_t end;

	if (__builtin_add_overflow(iova, size - 1, &end))
		return -EOVERFLOW;

	*last = end;
	return 0;
}

static uint64_t get64(const void *buf, size_t at)
{
	uint64_t v;

	memcpy(&v, (const char *)buf + at, sizeof(v));
	return v;
}

static bool is_unmap_all(const void *buf, unsigned int type)
{
	uint32_t flags;

	if (type != EV_VFIO_UNMAP)
		return false;

	memcpy(&flags, (const char *)buf + offsetof(struct ev_vfio, vfio_flags), sizeof(flags));
	return flags & VFIO_UNMAP_ALL;
}

/* Of intents only maps and unmaps have one, and only if their begin was heard, which knew it. */
static bool span_is_given(const void *buf, unsigned int type)
{
	struct ev_ref_intent r;

	if (type != EV_REF_INTENT)
		return true;
	memcpy(&r, buf, sizeof(r));
	return (r.kind == EV_REF_MAP || r.kind == EV_REF_UNMAP) && r.op.begin_ns;
}

/* What the record says of its range, before anything is written to the caller's op. */
static int range_of(const void *buf, unsigned int type, const struct shape *s,
		    uint64_t *iova, uint64_t *last)
{
	uint64_t size;

	*iova = get64(buf, s->iova_at);
	if (s->last_at) {
		*last = get64(buf, s->last_at);
		if (!span_is_given(buf, type))
			return 0;
		return *iova <= *last ? 1 : -EOVERFLOW;
	}
	size = get64(buf, s->size_at);
	if (is_unmap_all(buf, type)) {
		*iova = 0;
		*last = UINT64_MAX;
		return 1;
	}
	if (!size)
		return 0;
	if (*iova == EV_DMA_ERROR && (type == EV_DMA_MAP || type == EV_DMA_UNMAP))
		return 0;

	if (!wire_range(*iova, size, last))
		return 1;
	if (type != EV_SKIP)
		return -EOVERFLOW;
	*last = UINT64_MAX;	/* a loss is never smaller for being odd */
	return 1;
}

static int header_ok(const struct ev_hdr *h, const struct shape *s)
{
	return s && h->len >= (s->least ?: s->len) && h->len % 8 == 0 && h->len <= EV_LEN_MAX;
}

static void fill_op(struct op *op, const struct ev_op *o)
{
	op->id = o->id;
	op->cause = o->cause;
	op->outer = o->outer;
	op->pid = o->pid;
	op->tgid = o->tgid;
}

static void fill(struct op *op, const struct ev_hdr *h, const void *buf, const struct shape *s)
{
	op->kind = h->type;
	op->cpu = h->cpu;
	op->flags = h->flags;
	op->seq = h->seq;
	op->end = h->time_ns;
	op->begin = s->begin_at ? get64(buf, s->begin_at) : h->time_ns;
	if (h->len < s->len)
		memset(&op->u, 0, s->len);
	memcpy(&op->u, buf, h->len < s->len ? h->len : s->len);
	if (s->is_op) {
		fill_op(op, &op->u.op);
		return;
	}
	op->id = 0;
	op->cause = 0;
	op->outer = 0;
	op->pid = 0;
	op->tgid = 0;
}

ssize_t wire_next(const void *buf, size_t len, struct op *op)
{
	uint64_t iova = 0, last = 0;
	const struct shape *s;
	struct ev_hdr h;
	int ranged = 0;

	if (len < sizeof(h))
		return 0;
	memcpy(&h, buf, sizeof(h));
	s = shape_of(h.type);
	if (!header_ok(&h, s))
		return -EBADMSG;
	if (len < h.len)
		return 0;

	if (s->iova_at)
		ranged = range_of(buf, h.type, s, &iova, &last);
	if (ranged < 0)
		return ranged;

	fill(op, &h, buf, s);
	op->iova = iova;
	op->last = last;
	op->empty = !ranged;
	/* A clock that ran backwards says nothing about the begin. */
	if (op->begin > op->end)
		op->begin = 0;
	return h.len;
}
