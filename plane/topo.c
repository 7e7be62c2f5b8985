/* SPDX-License-Identifier: MIT */
#include "topo.h"

#include <errno.h>
#include <hwloc.h>
#include <stdlib.h>

static int index_of(const struct hwloc_obj *obj)
{
	return obj ? (int)obj->logical_index : -1;
}

/* Caches that a CPU has to itself, or shares with its siblings alone, are not what is meant: the
 * outermost is. */
static hwloc_obj_t last_level_cache(hwloc_obj_t obj)
{
	hwloc_obj_t last = NULL;

	for (; obj; obj = obj->parent) {
		if (hwloc_obj_type_is_dcache(obj->type))
			last = obj;
	}
	return last;
}

/* Nodes hang off the tree: the nearest ancestor that has some. */
static hwloc_obj_t node_of(hwloc_obj_t obj)
{
	while (obj && !obj->memory_arity)
		obj = obj->parent;
	for (obj = obj ? obj->memory_first_child : NULL; obj && obj->type != HWLOC_OBJ_NUMANODE;)
		obj = obj->memory_first_child; /* behind a cache of the memory's own */
	return obj;
}

static struct topo_cpu find_cpu(hwloc_topology_t machine, unsigned cpu)
{
	hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(machine, cpu);

	if (!pu)
		return (struct topo_cpu){-1, -1, -1, -1};
	return (struct topo_cpu){
		.core = index_of(hwloc_get_ancestor_obj_by_type(machine, HWLOC_OBJ_CORE, pu)),
		.cache = index_of(last_level_cache(pu)),
		.package = index_of(hwloc_get_ancestor_obj_by_type(machine, HWLOC_OBJ_PACKAGE, pu)),
		.node = index_of(node_of(pu)),
	};
}

int topo_init(struct topo *topo, unsigned n_cpus)
{
	hwloc_topology_t machine = NULL;
	bool known = hwloc_topology_init(&machine) == 0 && hwloc_topology_load(machine) == 0;

	topo->n_cpus = n_cpus;
	topo->cpu = calloc(n_cpus, sizeof(*topo->cpu));
	for (unsigned i = 0; topo->cpu && i < n_cpus; i++)
		topo->cpu[i] = known ? find_cpu(machine, i) : (struct topo_cpu){-1, -1, -1, -1};
	if (machine)
		hwloc_topology_destroy(machine);
	return topo->cpu ? 0 : -ENOMEM;
}

void topo_fini(struct topo *topo)
{
	free(topo->cpu);
	topo->cpu = NULL;
}

static bool same(int a, int b)
{
	return a == b && a >= 0;
}

uint16_t topo_distance(const void *arg, unsigned a, unsigned b)
{
	const struct topo *topo = arg;
	const struct topo_cpu *x, *y;

	if (a == b)
		return LEAT_ARFS_SAME;
	if (a >= topo->n_cpus || b >= topo->n_cpus)
		return LEAT_ARFS_FAR;
	x = &topo->cpu[a];
	y = &topo->cpu[b];
	if (same(x->core, y->core))
		return LEAT_ARFS_SIBLING;
	if (same(x->cache, y->cache) || same(x->package, y->package))
		return LEAT_ARFS_CACHE;
	return same(x->node, y->node) ? LEAT_ARFS_NODE : LEAT_ARFS_FAR;
}
