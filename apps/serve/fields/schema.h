/* Tables as JSON Schema (2020-12), as OpenAPI 3.1 has it. */
#ifndef SERVE_SCHEMA_H
#define SERVE_SCHEMA_H

#include "record.h"

/* NULL when out of memory. Records within are references, "#/components/schemas/NAME". */
json_t *schema_of_record(const record *r);
json_t *schema_of_options(const option_door *door);
json_t *schema_of_query(const tide_option *row);  /* of one of them, as a query has it */
/* Adds the record, and those within, to `schemas`, by name; NULL, and it is gone, when out of memory. */
json_t *schema_add(json_t *schemas, const record *r);

#endif
