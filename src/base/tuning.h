/* Choices made by timing: a table of named whole numbers. Whoever prepares something asks for the name of its question;
 * the answer was found before (by this graph, in the file, in the text of a run that is resumed), or may be found
 * with a clock, or is not available: then the fixed table of whoever asks decides. */
#ifndef TIDE_TUNING_H
#define TIDE_TUNING_H

#include "base.h"

typedef struct choice { char *name; int32_t value; } choice;
typedef struct choices { choice *items; int32_t count, capacity; } choices;  /* in malloc memory */

bool choices_find(const choices *c, const char *name, int32_t *value);
bool choices_find_like(const choices *c, const char *beginning, int32_t *value);  /* the first whose name begins so */
bool choices_put(choices *c, const char *name, int32_t value);  /* replaces an earlier one; false: out of memory */
void choices_free(choices *c);
/* As a JSON object of whole numbers. Reading adds them to `c`, up to the first that is malformed; false if there is
 * one. */
void choices_print(text *out, const choices *c);
bool choices_parse(choices *c, const char *json);

typedef struct tuning {
    choices used;      /* what the graph's programs were made with */
    choices kept;      /* in the file */
    bool    clock;     /* what is not known may be timed */
    int64_t timed, from_file;
    double  seconds;   /* that timing took */
    char    note[240]; /* why something could not be tried at all, a clause; "" */
} tuning;

/* The answer to `name`, if it is known. `t` may be NULL: nothing is. */
bool tuning_known(tuning *t, const char *name, int32_t *value);
/* Whether to time the answer: then `otherwise` stands for it until tuning_found. Only if it is not known. */
bool tuning_begin(tuning *t, const char *name, int32_t otherwise);
void tuning_found(tuning *t, const char *name, int32_t value, double seconds);

#endif
