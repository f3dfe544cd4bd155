/* The table of routes. */
#include "service.h"

const http_route routes[] = {
    { "GET", "/healthz", route_healthz, true, 0 },
    { "GET", "/health", route_healthz, true, 0 },
    { "GET", "/readyz", route_readyz, true, 0 },
    { "GET", "/metrics", route_metrics, false, 0 },
    { NULL, NULL, NULL, false, 0 },
};

int routes_index(const http_route *route) { return route ? (int)(route - routes) : -1; }
