/* Options of the commands in a request: rows of their tables, without what names a path or a part of the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/words.h"
#include "record.h"

static const unsigned never = TIDE_OPTION_RESOURCE | TIDE_OPTION_PLACE | TIDE_OPTION_HIDDEN | TIDE_OPTION_NO_EFFECT |
                              TIDE_OPTION_COMMAND_ON;

bool options_open(const option_door *door, const tide_option *row) {
    if (row->flags & never) return false;
    if (door->with && !(row->flags & door->with)) return false;
    return !(door->not_group && row->group && strcmp(row->group, door->not_group) == 0);
}

static bool refuse_option(const option_door *door, const char *name, const char *pointer, problem *p) {
    const tide_option_table *t = door->table();
    const tide_option *row = tide_option_find(t, name);
    nearest n = { .word = name };
    if (row) return problem_at(p, pointer, "this option is not for requests");
    for (int64_t i = 0; i < t->count; i++)
        if (options_open(door, &t->rows[i])) nearest_try(&n, t->rows[i].name);
    if (n.found) return problem_at(p, pointer, "there is no such option; did you mean \"%s\"?", n.found);
    return problem_at(p, pointer, "there is no such option");
}

bool options_apply_text(const option_door *door, const char *name, const char *value, const char *pointer,
                        void *options, problem *p) {
    char               at[PROBLEM_POINTER];
    tide_failure       failure = { 0 };
    const tide_option *row = tide_option_find(door->table(), name);
    snprintf(at, sizeof at, "%.60s/%.90s", pointer, name);
    if (!row || !options_open(door, row)) return refuse_option(door, name, at, p);
    if (tide_option_set(door->table(), options, name, value, &failure) == TIDE_OK) return true;
    return problem_of(p, &failure, pointer);
}

/* [80, 95] as "80,95". */
static void list_text(const body *b, const json_t *v, text *t) {
    numbers n;
    if (body_times(b, v, &n)) {
        t->failed = t->failed || n.times; /* rows, which no option takes */
        for (int64_t i = 0; i < n.count; i++) text_add(t, "%s%.17g", i ? "," : "", n.at[i]);
        return;
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        const char *one = json_string_value(json_array_get(v, i));
        if (one) text_add(t, "%s%s", i ? "," : "", one);
        else t->failed = true;
    }
}

bool options_value_text(const body *b, const json_t *v, text *t) {
    text_add(t, "%s", "");
    if (json_is_boolean(v)) text_add(t, "%s", json_is_true(v) ? "true" : "false");
    else if (json_is_integer(v)) text_add(t, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v)) text_add(t, "%.17g", json_real_value(v));
    else if (body_is_numbers(v) || json_is_array(v)) list_text(b, v, t);
    else if (json_is_string(v)) text_add(t, "%s", json_string_value(v));
    else t->failed = true;
    return !t->failed;
}

bool options_apply(const body *b, const option_door *door, const json_t *object, const char *pointer, void *options,
                   problem *p) {
    const char *name;
    json_t     *v;
    bool        fine = true;
    json_object_foreach((json_t *)(uintptr_t)object, name, v) {
        text t = { 0 };
        if (json_is_null(v)) continue;
        if (problem_full(p)) return false;
        char at[PROBLEM_POINTER];
        snprintf(at, sizeof at, "%.60s/%.90s", pointer, name);
        if (!options_value_text(b, v, &t))
            fine = problem_at(p, at, "a number, a text, true, false or a list of these is wanted");
        else fine &= options_apply_text(door, name, t.data, pointer, options, p);
        text_free(&t);
    }
    return fine;
}
