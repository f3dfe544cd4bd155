#include "reading_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "train/run.h"

static const char *const names[] = { "sep",       "decimal",    "thousands", "missing",     "na", "aggregate",
                                     "skip-rows", "date-order", "sort",      "time-column", "id", "value",
                                     "freq",      "tz",         "categorical", "issued-at", "static-columns" };
enum { NAMES = sizeof names / sizeof *names };

/* As a list, or "" where it does not fit: then the next file is searched as this one was. */
static void take_names(char *const *names, int64_t count, char *out, size_t bytes) {
    size_t used = 0;
    for (int64_t i = 0; i < count && used < bytes; i++) {
        const char *quote = strchr(names[i], ',') ? "\"" : "";
        if (strchr(names[i], '"')) used = bytes; /* no list can name it */
        else used += (size_t)snprintf(out + used, bytes - used, "%s%s%s%s", i ? "," : "", quote, names[i], quote);
    }
    if (used >= bytes) *out = 0;
}

/* What a file was found to have counts as if it had been given: a later file may be too short to show it. */
static void take_found(const frame *f, forecast_options *o) {
    const long_form *form = &f->form;
    if (form->ids && !*o->id) take_names(form->names, form->ids, o->id, sizeof o->id);
    if (form->ids && !*o->value) take_names(form->names + form->ids, form->values, o->value, sizeof o->value);
    if (f->found_thousands && !*o->thousands) o->thousands[0] = f->found_thousands, o->thousands[1] = 0;
    if (f->found_decimal && !*o->decimal) o->decimal[0] = f->found_decimal, o->decimal[1] = 0;
}

bool reading_options_json(const forecast_options *given, const frame *f, json_t **out) {
    forecast_options *o = malloc(2 * sizeof *o), *usual = o + 1;
    bool fine = o && (*out = json_object()) != NULL;
    if (fine) *o = *given, forecast_options_default(usual), take_found(f, o);
    for (int i = 0; fine && i < NAMES; i++) {
        const tide_option *row = forecast_option_find(names[i]);
        char value[FORECAST_TEXT_SIZE], standard[FORECAST_TEXT_SIZE];
        forecast_option_get(o, row, value, sizeof value);
        if (strcmp(value, forecast_option_get(usual, row, standard, sizeof standard)) != 0)
            fine = json_object_set_new(*out, names[i], json_text(value)) == 0;
    }
    free(o);
    if (fine && json_object_size(*out)) return true;
    json_decref(*out);
    *out = NULL;
    return fine;
}

static bool is_reading(const char *name) {
    for (int i = 0; i < NAMES; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* Sets every member in `o`, or those alone that are not given there. */
static bool set_all(const json_t *reading, forecast_options *o, bool keep_given) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)reading, name, value) {
        if (!is_reading(name) || !json_is_string(value)) return false;
        if (keep_given && forecast_option_given(o, name)) continue;
        if (tide_option_put(forecast_table(), o, name, json_string_value(value), NULL) != TIDE_OK) return false;
    }
    return true;
}

bool reading_options_sound(const json_t *reading, bool *out_of_memory) {
    if (!reading) return true;
    forecast_options *o = malloc(sizeof *o);
    *out_of_memory = *out_of_memory || !o;
    if (!o) return false;
    forecast_options_default(o);
    bool sound = json_is_object(reading) && set_all(reading, o, false);
    free(o);
    return sound;
}

void reading_options_adopt(const json_t *reading, forecast_options *o) {
    if (reading) set_all(reading, o, true);
}
