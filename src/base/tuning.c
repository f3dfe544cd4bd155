/* Choices by timing as a table: names, answers, and where each came from; and its text, as files and run.json keep
 * it. */
#include "tuning.h"

#include <limits.h>
#include <stdlib.h>

/* ---- the table ---- */

static choice *find(const choices *c, const char *name) {
    for (int32_t i = 0; i < c->count; i++)
        if (!strcmp(c->items[i].name, name)) return &c->items[i];
    return NULL;
}

bool choices_find(const choices *c, const char *name, int32_t *value) {
    const choice *found = find(c, name);
    if (found) *value = found->value;
    return found != NULL;
}

bool choices_find_like(const choices *c, const char *beginning, int32_t *value) {
    for (int32_t i = 0; i < c->count; i++)
        if (!strncmp(c->items[i].name, beginning, strlen(beginning))) return *value = c->items[i].value, true;
    return false;
}

static bool grow(choices *c) {
    int32_t capacity = MAX2(64, c->capacity * 2);
    choice *more = realloc(c->items, sizeof *more * (size_t)capacity);
    if (!more) return false;
    c->items = more, c->capacity = capacity;
    return true;
}

bool choices_put(choices *c, const char *name, int32_t value) {
    choice *found = find(c, name);
    if (found) return found->value = value, true;
    if (c->count == c->capacity && !grow(c)) return false;
    char *copy = strdup(name);
    if (copy) c->items[c->count++] = (choice){ copy, value };
    return copy != NULL;
}

void choices_free(choices *c) {
    for (int32_t i = 0; i < c->count; i++) free(c->items[i].name);
    free(c->items);
    *c = (choices){ 0 };
}

/* ---- as text: names are of our own making, without quotes and backslashes ---- */

void choices_print(text *out, const choices *c) {
    text_add(out, "{");
    for (int32_t i = 0; i < c->count; i++)
        text_add(out, "%s\n  \"%s\": %d", i ? "," : "", c->items[i].name, (int)c->items[i].value);
    text_add(out, "\n}\n");
}

static const char *past_blanks(const char *at) { return at + strspn(at, " \t\r\n"); }

/* After `mark`, or NULL. */
static const char *past(const char *at, char mark) {
    at = past_blanks(at);
    return *at == mark ? past_blanks(at + 1) : NULL;
}

/* One "name": number; what follows it, or NULL. */
static const char *parse_one(choices *c, const char *at) {
    char name[160], *end;
    size_t length = *at == '"' ? strcspn(at + 1, "\"\\") : 0;
    if (length == 0 || length >= sizeof name || at[length + 1] != '"') return NULL;
    memcpy(name, at + 1, length);
    name[length] = 0;
    if (!(at = past(at + length + 2, ':'))) return NULL;
    long value = strtol(at, &end, 10);
    bool whole = end > at && value >= INT32_MIN && value <= INT32_MAX && !strchr(".eE", *end);
    return whole && choices_put(c, name, (int32_t)value) ? past_blanks(end) : NULL;
}

bool choices_parse(choices *c, const char *json) {
    const char *at = past(json, '{');
    if (at && *at == '}') return !*past_blanks(at + 1);
    while (at && (at = parse_one(c, at)) && *at == ',') at = past_blanks(at + 1);
    return at && *at == '}' && !*past_blanks(at + 1);
}

/* ---- asking ---- */

bool tuning_known(tuning *t, const char *name, int32_t *value) {
    if (!t) return false;
    if (choices_find(&t->used, name, value)) return true;
    if (!choices_find(&t->kept, name, value) || !choices_put(&t->used, name, *value)) return false;
    t->from_file++;
    return true;
}

bool tuning_begin(tuning *t, const char *name, int32_t otherwise) {
    return t && t->clock && choices_put(&t->used, name, otherwise);
}

void tuning_found(tuning *t, const char *name, int32_t value, double seconds) {
    choices_put(&t->used, name, value); /* its place was made when it began */
    t->timed++;
    t->seconds += seconds;
}
