/* The description of the interface, from the tables that decode it. */
#ifndef SERVE_OPENAPI_H
#define SERVE_OPENAPI_H

#include <stdbool.h>

#include <jansson.h>

/* OpenAPI 3.1; NULL when out of memory. `token`: the service asks for one. */
json_t *openapi_describe(bool token);

#endif
