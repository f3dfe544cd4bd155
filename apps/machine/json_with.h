/* Building and writing JSON where memory may end: a part of an answer is no answer. */
#ifndef MACHINE_JSON_WITH_H
#define MACHINE_JSON_WITH_H

#include <jansson.h>

/* The object or list with one value more, which it takes; NULL, and all of it released, if that fails. */
json_t *json_with(json_t *o, const char *key, json_t *value);
json_t *json_with_item(json_t *list, json_t *value);

/* As json_dumps, malloc'ed; json_dumps itself passes over a key for which there is no memory. NULL for NULL. */
char *json_whole(const json_t *o, size_t flags);

#endif
