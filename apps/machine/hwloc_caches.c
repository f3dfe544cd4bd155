#include <hwloc.h>
#include <inttypes.h>

#include "base/base.h"
#include "probe.h"

static bool load(hwloc_topology_t *topology) {
    if (hwloc_topology_init(topology) != 0) return false;
    hwloc_topology_set_io_types_filter(*topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_cache_types_filter(*topology, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (hwloc_topology_load(*topology) == 0) return true;
    hwloc_topology_destroy(*topology);
    return false;
}

char *probe_hwloc_caches(void) {
    hwloc_topology_t topology;
    text lines = { 0 };
    if (!load(&topology)) return NULL;
    hwloc_obj_t processor = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, 0);
    for (hwloc_obj_t o = processor; o; o = o->parent) {
        if (!hwloc_obj_type_is_dcache(o->type)) continue;
        text_add(&lines, "L%u%s %" PRIu64 "\n", o->attr->cache.depth, o->type == HWLOC_OBJ_L1CACHE ? "d" : "",
                 o->attr->cache.size);
    }
    hwloc_topology_destroy(topology);
    return lines.data;
}
