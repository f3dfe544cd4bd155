/* A request's body: JSON whose arrays of numbers were taken out first, by a scanner that is as fast as reading numbers
 * can be; the rest is Jansson's. */
#ifndef SERVE_BODY_H
#define SERVE_BODY_H

#include "problem.h"

typedef struct numbers { double *at; int64_t count; bool times; } numbers;  /* times: of texts, seconds since 1970 */

typedef struct body {
    json_t  *root;
    numbers *list;     /* that were taken out */
    int64_t  lists, capacity;
    struct body_kept *kept;
} body;

enum { BODY_DEPTH = 32, BODY_VALUES = 500000 };  /* values beside the numbers in arrays: a text's memory is bounded */

/* `text` ends with a 0 byte behind its length. 400, with the line, where it is no JSON. Then, too, body_free. */
bool  body_parse(const char *text, size_t length, body *out, problem *p);
void  body_free(body *b);
/* Is it an array of numbers (null: NaN)? Also an empty one. The numbers are the body's. */
bool  body_numbers(const body *b, const json_t *value, numbers *out);
/* Or of times, in an array called "time"? */
bool  body_times(const body *b, const json_t *value, numbers *out);
bool  body_is_numbers(const json_t *value);
/* Memory that lives as long as the body does, zeroed; NULL. */
void *body_keep(body *b, size_t bytes);

#endif
