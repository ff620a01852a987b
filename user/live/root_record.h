/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the hardware does with a device's requests, as a record. Where a correct kernel has the hardware begin elsewhere
 * than its books say, or translate one to one, the record says what the books do: it is no difference.
 */
#ifndef IOMMUSCOPE_ROOT_RECORD_H
#define IOMMUSCOPE_ROOT_RECORD_H

#include "event.h"
#include "live/host.h"

/** root_record() - Fill @rec but for its device and domain. @domain: that the device is in */
void root_record(struct peek *p, const struct host_domain *domain, const struct root *root,
		 struct ev_root *rec);

#endif
