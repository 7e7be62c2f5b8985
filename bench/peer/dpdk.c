/* SPDX-License-Identifier: MIT */
#include "dpdk.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_version.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

/* Large pages all the same, where the kernel gives them to whom asks: our frames have them. */
static int advise(const struct rte_memseg_list *list, const struct rte_memseg *seg, size_t len,
		  void *arg)
{
	(void)list;
	(void)arg;
	madvise(seg->addr, len, MADV_HUGEPAGE);
	return 0;
}

/* Neither huge pages nor devices nor files: anyone can run it. It pins the thread, as it always
 * does, here to the CPU that it is on. */
static int open_eal(char *err, size_t err_len)
{
	static char words[][24] = {"leat",
				   "--no-huge",
				   "-m",
				   "512",
				   "--no-pci",
				   "--no-shconf",
				   "--no-telemetry",
				   "--iova-mode=va",
				   "--log-level=*:4",
				   "-l",
				   "" /* the CPU */};
	enum { WORDS = sizeof(words) / sizeof(words[0]) };
	char *args[WORDS + 1] = {NULL};

	for (int i = 0; i < WORDS; i++)
		args[i] = words[i];
	snprintf(words[WORDS - 1], sizeof(words[0]), "%d", sched_getcpu());
	if (rte_eal_init(WORDS, args) < 0) {
		snprintf(err, err_len, "DPDK: %s", rte_strerror(rte_errno));
		return -1;
	}
	rte_memseg_contig_walk(advise, NULL);
	return 0;
}

static char name[64];

static int open_peer(char *err, size_t err_len)
{
	snprintf(name, sizeof(name), "%s", rte_version());
	return open_eal(err, err_len);
}

const struct peer leat_bench_peer = {
	.version = PEER_VERSION,
	.name = name,
	.open = open_peer,
	.gro = dpdk_gro,
	.gso = dpdk_gso,
	.hash = dpdk_hash,
	.csum = dpdk_csum,
	.ring = &dpdk_ring,
};
