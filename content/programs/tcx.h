/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a tcx program answers. <linux/bpf.h> has these since Linux 6.6; the
 * values are ABI, so headers of a stable distribution will do with this file.
 * Include it after <linux/bpf.h>.
 */
#ifndef HEADROOM_TCX_H
#define HEADROOM_TCX_H

#define TCX_NEXT -1
#define TCX_PASS 0
#define TCX_DROP 2

#endif
