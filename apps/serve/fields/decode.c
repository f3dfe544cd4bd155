/* From JSON to structs, by tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/words.h"
#include "record.h"

typedef struct place { body *b; const field *f; const char *pointer; char *to; problem *p; } place;

static bool out_of_memory(problem *p) { return problem_say(p, 503, "memory", "There is no memory at the moment."); }

/* "/spectrum" and "freq_hz": names with / and ~ as RFC 6901 has them. */
static void join(char out[PROBLEM_POINTER], const char *pointer, const char *name) {
    size_t n = (size_t)snprintf(out, PROBLEM_POINTER, "%.100s/", pointer);
    for (; *name && n + 3 < PROBLEM_POINTER; name++) {
        if (*name == '~' || *name == '/') out[n++] = '~', out[n++] = *name == '~' ? '0' : '1';
        else out[n++] = *name;
    }
    out[n] = 0;
}

static bool in_range(const field *f, double v) {
    return isfinite(v) && ((f->low == 0 && f->high == 0) || (v >= f->low && v <= f->high));
}

static bool refuse_range(const place *at, const char *pointer) {
    if (at->f->low == 0 && at->f->high == 0) return problem_at(at->p, pointer, "a finite number is wanted");
    return problem_at(at->p, pointer, "a number from %.10g to %.10g is wanted", at->f->low, at->f->high);
}

static bool decode_number(const place *at, const json_t *v) {
    if (!json_is_number(v)) return problem_at(at->p, at->pointer, "a number is wanted");
    double number = json_number_value(v);
    if (!in_range(at->f, number)) return refuse_range(at, at->pointer);
    if (at->f->type == FIELD_NUMBER) *(double *)at->to = number;
    else if (number != floor(number) || fabs(number) > 9e15)
        return problem_at(at->p, at->pointer, "a whole number is wanted");
    else *(int64_t *)at->to = (int64_t)number;
    return true;
}

static bool check_numbers(const place *at, const numbers *n) {
    char pointer[PROBLEM_POINTER];
    bool fine = true;
    if (at->f->most && n->count > at->f->most)
        return problem_at(at->p, at->pointer, "at most %lld numbers are taken", (long long)at->f->most);
    for (int64_t i = 0, told = 0; i < n->count && told < PROBLEM_ERRORS; i++) {
        if (in_range(at->f, n->at[i]) || (at->f->nullable && isnan(n->at[i]))) continue;
        snprintf(pointer, sizeof pointer, "%.120s/%lld", at->pointer, (long long)i);
        fine = refuse_range(at, pointer);
        told++;
    }
    return fine;
}

static bool decode_numbers(const place *at, const json_t *v) {
    numbers n;
    if (!body_numbers(at->b, v, &n)) return problem_at(at->p, at->pointer, "an array of numbers is wanted");
    *(numbers *)at->to = n;
    return check_numbers(at, &n);
}

static bool decode_record(const place *at, const json_t *v) {
    void *made = body_keep(at->b, at->f->of->size);
    if (!made) return out_of_memory(at->p);
    *(void **)at->to = made;
    return record_decode(at->b, v, at->f->of, at->pointer, made, at->p);
}

static bool decode_records(const place *at, const json_t *v) {
    record_list *list = (record_list *)at->to;
    size_t       count = json_array_size(v);
    char         pointer[PROBLEM_POINTER];
    bool         fine = true;
    if (!json_is_array(v)) return problem_at(at->p, at->pointer, "a list is wanted");
    if (at->f->most && count > (size_t)at->f->most)
        return problem_at(at->p, at->pointer, "at most %lld are taken", (long long)at->f->most);
    char *made = body_keep(at->b, count * at->f->of->size + 1);
    if (!made) return out_of_memory(at->p);
    *list = (record_list){ made, (int64_t)count };
    for (size_t i = 0; i < count && !problem_full(at->p); i++) {
        snprintf(pointer, sizeof pointer, "%.120s/%zu", at->pointer, i);
        fine &= record_decode(at->b, json_array_get(v, i), at->f->of, pointer, made + i * at->f->of->size, at->p);
    }
    return fine;
}

static bool decode_columns(const place *at, const json_t *v) {
    column_list *list = (column_list *)at->to;
    char        pointer[PROBLEM_POINTER];
    const char *name;
    json_t     *value;
    bool        fine = true;
    if (!json_is_object(v)) return problem_at(at->p, at->pointer, "an object of arrays is wanted, by column");
    list->at = body_keep(at->b, (json_object_size(v) + 1) * sizeof *list->at);
    if (!list->at) return out_of_memory(at->p);
    json_object_foreach((json_t *)(uintptr_t)v, name, value) {
        if (problem_full(at->p)) return false;
        column *c = &list->at[list->count++];
        join(pointer, at->pointer, name);
        c->name = name;
        place in = { at->b, at->f, pointer, (char *)&c->values, at->p };
        fine &= decode_numbers(&in, value);
    }
    return fine;
}

/* {"Rsh": 460, "Ca": "3.7uF"} as the options spell it. */
static bool decode_values(const place *at, const json_t *v) {
    char        pointer[PROBLEM_POINTER];
    const char *name;
    json_t     *value;
    text        t = { 0 };
    bool        fine = true;
    if (!json_is_object(v)) return problem_at(at->p, at->pointer, "an object of values is wanted, or \"Rsh=460,...\"");
    text_add(&t, "%s", "");
    json_object_foreach((json_t *)(uintptr_t)v, name, value) {
        if (json_is_null(value)) continue;
        if (problem_full(at->p)) break;
        join(pointer, at->pointer, name);
        if (json_is_number(value)) text_add(&t, "%s%s=%.17g", t.length ? "," : "", name, json_number_value(value));
        else if (json_is_string(value) && !body_is_numbers(value))
            text_add(&t, "%s%s=%s", t.length ? "," : "", name, json_string_value(value));
        else fine = problem_at(at->p, pointer, "a number is wanted, or a text with a unit");
    }
    char *kept = t.failed ? NULL : body_keep(at->b, t.length + 1);
    if (kept) memcpy(kept, t.data, t.length);
    text_free(&t);
    *(const char **)at->to = kept;
    return kept ? fine : out_of_memory(at->p);
}

static bool decode_text(const place *at, const json_t *v) {
    if (at->f->type == FIELD_VALUES && !json_is_string(v)) return decode_values(at, v);
    if (!json_is_string(v) || body_is_numbers(v)) return problem_at(at->p, at->pointer, "a text is wanted");
    *(const char **)at->to = json_string_value(v);
    return true;
}

static bool decode_times(const place *at, const json_t *v) {
    numbers *n = (numbers *)at->to;
    char     pointer[PROBLEM_POINTER];
    if (body_times(at->b, v, n)) return check_numbers(at, n);
    if (!json_is_array(v)) return problem_at(at->p, at->pointer, "an array of times is wanted");
    n->at = body_keep(at->b, (json_array_size(v) + 1) * sizeof *n->at);
    if (!n->at) return out_of_memory(at->p);
    for (size_t i = 0; i < json_array_size(v); i++) {
        const char *one = json_string_value(json_array_get(v, i));
        if (one && request_time_scan(one, &n->at[n->count])) n->count++;
        else {
            snprintf(pointer, sizeof pointer, "%.120s/%zu", at->pointer, i);
            return problem_at(at->p, pointer, "a time is wanted, such as \"2026-12-01 13:00\", or seconds since 1970");
        }
    }
    return true;
}

static bool decode_field(const place *at, const json_t *v) {
    switch (at->f->type) {
    case FIELD_NUMBER:
    case FIELD_WHOLE: return decode_number(at, v);
    case FIELD_BOOL:
        if (!json_is_boolean(v)) return problem_at(at->p, at->pointer, "true or false is wanted");
        *(bool *)at->to = json_is_true(v);
        return true;
    case FIELD_NUMBERS: return decode_numbers(at, v);
    case FIELD_RECORD:  return decode_record(at, v);
    case FIELD_RECORDS: return decode_records(at, v);
    case FIELD_COLUMNS: return decode_columns(at, v);
    case FIELD_TIMES:   return decode_times(at, v);
    case FIELD_OPTIONS:
        if (!json_is_object(v)) return problem_at(at->p, at->pointer, "an object of options is wanted");
        *(const json_t **)at->to = v;
        return true;
    default: return decode_text(at, v);
    }
}

static const field *find(const record *r, const char *name) {
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->rows[i].name, name) == 0) return &r->rows[i];
    return NULL;
}

static bool refuse_name(const record *r, const char *name, const char *pointer, problem *p) {
    nearest n = { .word = name };
    for (int i = 0; i < r->count; i++) nearest_try(&n, r->rows[i].name);
    if (n.found) return problem_at(p, pointer, "there is no such field; did you mean \"%s\"?", n.found);
    return problem_at(p, pointer, "there is no such field");
}

static void set_absent(const record *r, char *out) {
    for (int i = 0; i < r->count; i++)
        if (r->rows[i].type == FIELD_NUMBER) *(double *)(out + r->rows[i].offset) = NAN;
}

static bool check_required(const record *r, const json_t *value, const char *pointer, problem *p) {
    char at[PROBLEM_POINTER];
    bool fine = true;
    for (int i = 0; i < r->count; i++) {
        const json_t *v = json_object_get(value, r->rows[i].name);
        if (!r->rows[i].required || (v && !json_is_null(v))) continue;
        join(at, pointer, r->rows[i].name);
        fine = problem_at(p, at, "it is missing");
    }
    return fine;
}

bool record_decode(body *b, const json_t *value, const record *r, const char *pointer, void *out, problem *p) {
    const char *name;
    json_t     *v;
    bool        fine = true;
    if (!json_is_object(value)) return problem_at(p, pointer, "an object is wanted");
    set_absent(r, out);
    json_object_foreach((json_t *)(uintptr_t)value, name, v) {
        char         at[PROBLEM_POINTER];
        const field *f = find(r, name);
        if (problem_full(p)) return false;
        join(at, pointer, name);
        if (!f) fine = refuse_name(r, name, at, p);
        else if (!json_is_null(v)) fine &= decode_field(&(place){ b, f, at, (char *)out + f->offset, p }, v);
    }
    return check_required(r, value, pointer, p) && fine;
}
