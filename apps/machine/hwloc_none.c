/* A build without hwloc: the caches are those that the system's files name. */
#include "probe.h"

char *probe_hwloc_caches(void) { return NULL; }
