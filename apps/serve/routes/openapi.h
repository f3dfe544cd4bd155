/* The description of the interface, from the tables that decode it. */
#ifndef SERVE_OPENAPI_H
#define SERVE_OPENAPI_H

#include <jansson.h>

/* OpenAPI 3.1; NULL when out of memory. */
json_t *openapi_describe(void);

#endif
