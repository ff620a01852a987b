// SPDX-License-Identifier: GPL-2.0-only
/*
 * refiommu.ko: starts and ends the parts. The call device comes last and goes first, so that nobody
 * calls a part that is not there. While a file or an endpoint lives, the module cannot go.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include "compat.h"
#include "core.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init ref_init(void)
{
	int err;

	ref_bugs_init();
	err = ref_endpoint_drivers_init();
	if (err)
		goto err_bugs;
	err = ref_ctl_init();
	if (err)
		goto err_drivers;
	return 0;

err_drivers:
	ref_endpoint_drivers_exit();
err_bugs:
	ref_bugs_exit();
	return err;
}

static void __exit ref_exit(void)
{
	ref_ctl_exit();
	ref_endpoint_drivers_exit();
	ref_instance_wait();
	ref_bugs_exit();
}

module_init(ref_init);
module_exit(ref_exit);

MODULE_DESCRIPTION("Reference IOMMU backend");
MODULE_AUTHOR("The iommuscope maintainers");
MODULE_LICENSE("GPL");
