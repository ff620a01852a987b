/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The part of event.h about page tables that were read. All of it is written by userspace.
 *
 * A reading of a domain is EV_READ (begin), then what was found in any order of types, each type in rising
 * order of addresses, then EV_READ (end). Readings do not overlap. In a recording the first record has the time
 * before anything was read, and the others one after everything was; else all have that of the end.
 */
#ifndef IOMMUSCOPE_EVENT_READ_H
#define IOMMUSCOPE_EVENT_READ_H

enum ev_read_phase {
	EV_READ_BEGIN = 0,
	EV_READ_END = 1,
	EV_READ_TABLE = 2,	/* behind a begin that came before anything was known: the rest of it */
};

#define EV_READ_CUT	0x1	/* the table was too large or went away: not all of it was read */
#define EV_READ_NO_TABLE 0x2	/* the domain has none: identity, blocked */
#define EV_READ_UNKNOWN	0x4	/* it has one, in a format or of a driver that is not known */
#define EV_READ_TRACED	0x8	/* beside a recording: whatever changes the table meanwhile is heard */
#define EV_READ_CALM	0x10	/* END: at one moment since the begin no call that changes the table was under way */
#define EV_READ_ORACLE	0x20	/* second readings were asked for; @books says which there are */

struct ev_read {
	struct ev_hdr h;
	__u64 domain;
	__u64 begin_ns;
	__u64 root;		/* physical address of the (first) root table */
	__u64 tables;		/* END: pages of 4 KiB that were read */
	__u64 leaves;		/* END: entries that translate */
	__u32 phase;		/* enum ev_read_phase */
	__u32 format;		/* enum walk_format, user/core/walk.h */
	__u32 levels;
	__u32 flags;		/* EV_READ_* */
	__u32 books;		/* bits of enum book, user/core/reading.h: those that were read */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_read) == 88, "wire ABI");

/* Neighbouring IOVAs that are translated alike: struct walk_run of user/core/walk.h. */
struct ev_run {
	struct ev_hdr h;
	__u64 domain;
	__u64 iova;
	__u64 last;		/* inclusive */
	__u64 paddr;
	__u64 raw;		/* the first entry */
	__u64 entry_paddr;	/* and where it is */
	__u32 level;
	__u32 page_lg2;
	__u32 prot;		/* 1 read, 2 write */
	__u32 kind;		/* enum walk_kind */
};
_Static_assert(sizeof(struct ev_run) == 88, "wire ABI");

#define EV_BOOK_DROPPED	0x1	/* the page that the table has there instead is not pinned for it */
#define EV_BOOK_HOLE	0x2	/* a second reading: nothing is mapped here */

/* What somebody's book says should be mapped: struct book_area of user/core/reading.h. */
struct ev_book {
	struct ev_hdr h;
	__u64 domain;
	__u64 first;
	__u64 last;		/* inclusive */
	__u64 paddr;		/* ~0 unknown */
	__u64 vaddr;		/* 0 none */
	__u32 book;		/* enum book */
	__u32 prot;		/* 1 read, 2 write; 0 unknown */
	__u32 tgid;		/* 0 unknown */
	__u32 flags;		/* EV_BOOK_* */
};
_Static_assert(sizeof(struct ev_book) == 80, "wire ABI");

enum ev_span_kind {
	EV_SPAN_FLUX = 0,	/* it never settled while it was read: nothing can be said */
	EV_SPAN_DIRECT = 1,	/* reserved: mapped one to one, whoever asked */
};

struct ev_span {
	struct ev_hdr h;
	__u64 domain;
	__u64 first;
	__u64 last;		/* inclusive */
	__u32 kind;		/* enum ev_span_kind */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_span) == 56, "wire ABI");

#define EV_ROOT_FIRST_STAGE	0x1
#define EV_ROOT_SCALABLE	0x2
#define EV_ROOT_FLUX		0x4	/* the device was moved meanwhile: nothing can be said */
#define EV_ROOT_DEFERRED	0x8	/* kexec: it is still in the table of the kernel before */

/* What the hardware does with requests of @dev, and what the kernel's books say. */
struct ev_root {
	struct ev_hdr h;
	__u64 dev;
	__u64 domain;		/* by the books; 0 none */
	__u64 root;		/* physical address of the table that the hardware uses */
	__u64 entry_paddr;	/* of the last entry on the way there */
	__u64 raw[4];		/* its first words */
	__u32 kind;		/* enum root_kind, user/core/root.h */
	__u32 did;		/* ~0 none */
	__u32 format;		/* enum walk_format */
	__u32 levels;
	__u32 flags;		/* EV_ROOT_* */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_root) == 112, "wire ABI");

#endif
