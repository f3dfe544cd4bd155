/* Building and writing JSON where memory may end, and from text that need not be UTF-8. */
#ifndef TIDE_BASE_JSON_H
#define TIDE_BASE_JSON_H

#include <jansson.h>

/* The object or list with one value more, which it takes; NULL, and all of it released, if that fails: a part of an
 * answer is no answer. */
json_t *json_with(json_t *o, const char *key, json_t *value);
json_t *json_with_item(json_t *list, json_t *value);

/* As json_dumps, malloc'ed; json_dumps itself passes over a key for which there is no memory. NULL for NULL. */
char *json_whole(const json_t *o, size_t flags);

/* Text from outside, a file name say: each byte that is not UTF-8 becomes U+FFFD. NULL when out of memory or `text` is
 * NULL. */
json_t *json_text(const char *text);
/* A number; null where it is none or infinite. */
json_t *json_finite(double value);

#endif
