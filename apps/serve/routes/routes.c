/* The table of routes. */
#include "service.h"

const http_route routes[] = {
    { "GET", "/healthz", route_healthz, true, 0 },
    { "GET", "/health", route_healthz, true, 0 },
    { "GET", "/readyz", route_readyz, true, 0 },
    { "GET", "/metrics", route_metrics, false, 0 },
    { "GET", "/openapi.json", route_openapi, true, 0 },
    { "GET", "/docs", route_docs, true, 0 },
    { "GET", "/api/v1/models", route_models, false, 0 },
    { "GET", "/api/v1/models/{id}", route_model, false, 0 },
    { "POST", "/api/v1/eis/complete", route_eis_complete, false, 0 },
    { "POST", "/api/v1/eis/check", route_eis_check, false, 0 },
    { "POST", "/api/v1/eis/fit", route_eis_fit, false, 0 },
    { "POST", "/api/v1/eis/drt", route_eis_drt, false, 0 },
    { "POST", "/api/v1/eis/read", route_eis_read, false, 0 },
    { "POST", "/api/v1/eis/simulate", route_eis_simulate, false, 0 },
    { "POST", "/api/v1/forecast/predict", route_forecast_predict, false, 0 },
    { "POST", "/api/v1/forecast/read", route_forecast_read, false, 0 },
    { NULL, NULL, NULL, false, 0 },
};

int routes_index(const http_route *route) { return route ? (int)(route - routes) : -1; }
