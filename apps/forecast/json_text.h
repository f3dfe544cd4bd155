/* Text from outside as JSON, which must be UTF-8: file names and messages that quote them need not be. */
#ifndef FORECAST_JSON_TEXT_H
#define FORECAST_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>

/* A new string; each byte that is not UTF-8 becomes U+FFFD. NULL when out of memory or `text` is NULL. */
json_t *json_text(const char *text);

#endif
