/* Which columns of a file are read at all, where only some are asked for: of the others neither cells nor numbers are
 * kept. What may tell the time, or series apart, stays, so that nothing is understood otherwise than in the whole
 * file. */
#include <stdlib.h>
#include <string.h>

#include "frame_time.h"

enum { FIRST_COLUMNS = 16 };  /* ids stand there: words, or numbers without a fraction */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

tide_status reading_sort_run_names(reading *r) {
    int64_t count = r->options->run_count;
    if (!r->options->run_names) return TIDE_OK;
    r->run_names = malloc((size_t)(count + 1) * sizeof *r->run_names);
    if (!r->run_names) return reading_no_memory(r);
    memcpy(r->run_names, r->options->run_names, (size_t)count * sizeof *r->run_names);
    qsort(r->run_names, (size_t)count, sizeof *r->run_names, by_text);
    return TIDE_OK;
}

bool reading_in_run(const reading *r, const char *name) {
    return bsearch(&name, r->run_names, (size_t)r->options->run_count, sizeof *r->run_names, by_text) != NULL;
}

/* ---- all that is asked for is there: else the message about it lists the columns of the file ---- */

static bool is_there(const char *name, size_t length, int64_t count, char *const *names) {
    for (int64_t c = 0; c < count; c++)
        if (!strncmp(names[c], name, length) && !names[c][length]) return true;
    return false;
}

static bool all_there(const char *list, int64_t count, char *const *names) {
    size_t length;
    for (const char *item; list && (item = list_next(&list, &length));)
        if (!is_there(item, length, count, names)) return false;
    return true;
}

static bool knows_all(const reading *r, int64_t count, char *const *names) {
    const frame_options *o = r->options;
    int64_t found = 0;
    for (int64_t c = 0; r->run_names && c < count; c++) found += reading_in_run(r, names[c]);
    return found >= o->run_count && all_there(o->columns, count, names) && all_there(o->ignore, count, names) &&
           all_there(o->targets, count, names) && all_there(o->known, count, names) &&
           all_there(o->time_column, count, names) &&
           (!o->target || is_there(o->target, strlen(o->target), count, names));
}

/* ---- one column ---- */

static bool asked_for(const reading *r, const char *name) {
    const frame_options *o = r->options;
    return (r->run_names && reading_in_run(r, name)) || reading_asked(r, name) || list_has(o->ignore, name) ||
           list_has(o->time_column, name) || (o->run_time && !strcmp(o->run_time, name));
}

/* A number, and none that could be a year, a date in digits or an epoch. */
static bool is_plain(const number_reader *number, const char *text) {
    double value;
    const char *digits = text + strspn(text, "+-");
    size_t whole = strspn(digits, "0123456789");
    return (digits > text || whole < 4 || whole == 5) && number_parse(number, text, &value);
}

void reading_narrow(void *user, int64_t count, char *const *names, char *const *first, bool *keep) {
    reading *r = user;
    const frame_options *o = r->options;
    bool some = o->columns || r->run_names || (o->target && o->features == FEATURES_S);
    number_reader number;
    if (!some || o->id || o->value || !knows_all(r, count, names)) return;
    if (!number_reader_open(&number, reading_decimal(o))) return;
    for (int64_t c = 0; c < count; c++)
        keep[c] = asked_for(r, names[c]) || reading_names_part(names[c]) || !is_plain(&number, first[c]) ||
                  (c < FIRST_COLUMNS && !strchr(first[c], number.decimal));
    number_reader_close(&number);
}
