/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What somebody says that a domain should map (--expect FILE): text becomes the areas of BOOK_FILE.
 * docs/expect-format.md has the format.
 *
 * Invariants
 * - The text is untrusted: any bytes, any length, no NUL at its end.
 * - What is not understood is an error, never left out: an area that is missing is a finding.
 * - Areas begin and end with pages of 4 KiB, which no table divides.
 */
#ifndef IOMMUSCOPE_EXPECT_H
#define IOMMUSCOPE_EXPECT_H

#include <stddef.h>

#include "reading.h"

#define EXPECT_LINE_BYTES 256	/* a longer line is refused */
#define EXPECT_ERROR_BYTES 256	/* no error is longer, with the NUL */

/**
 * expect_parse() - Areas from text
 * @text: @len bytes; may be NULL if @len is 0
 * @r: gets the areas in rising order, and the bit of BOOK_FILE in @r->books even if there are none;
 *	untouched on error
 * @error: what is wrong, and in which line ("line 3: ..."), printable, without a newline; "" on success
 * @error_len: room in @error, cut to fit; 0: not wanted
 *
 * Return: 0; -EBADMSG: the text is not in the format; -EEXIST: @r has read this book already; -ENOMEM.
 */
int expect_parse(const char *text, size_t len, struct reading *r, char *error, size_t error_len);

#endif
