/* Values of options from text and as text. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "base/words.h"
#include "options.h"

/* ---- from text ---- */

/* 1, 0, or -1 for what is neither yes nor no. */
static int truth(const char *text) {
    static const char *const words[2][4] = { { "false", "no", "off", "0" }, { "true", "yes", "on", "1" } };
    for (int i = 0; i < 8; i++)
        if (!strcasecmp(text, words[i / 4][i % 4])) return i / 4;
    return -1;
}

static tide_status set_bool(bool *out, const tide_option *row, const char *text, tide_failure *failure) {
    int value = text ? truth(text) : 1;
    if (value < 0)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "`%s` is yes or no, not '%s'", row->name, text);
    *out = value;
    return TIDE_OK;
}

/* `_` in what was written equals '-' in a table's word. */
static bool same_letters(const char *text, const char *word, size_t length) {
    size_t same = 0;
    while (same < length && (text[same] == '_' ? '-' : text[same]) == word[same]) same++;
    return same == length;
}

/* The index of the word; -1: there is none. */
static int index_of(const char *choices, const char *text, size_t length) {
    const char *word;
    for (int i = 0, n; (n = option_word(choices, i, &word)); i++)
        if ((size_t)n == length && same_letters(text, word, length)) return i;
    return -1;
}

/* What stands behind "word=" among the pairs, of *length then; NULL: there is no such word. */
static const char *pair_of(const char *pairs, const char *word, size_t *length) {
    const char *pair;
    for (int i = 0, n; (n = option_word(pairs, i, &pair)); i++) {
        size_t before = strcspn(pair, "=");
        if (before != *length || !same_letters(word, pair, before)) continue;
        *length = (size_t)n - before - 1;
        return pair + before + 1;
    }
    return NULL;
}

/* What "word=choice" among the synonyms makes of the word; itself: it is none. */
static const char *meaning(const tide_option *row, const char *word, size_t *length) {
    const char *means = pair_of(row->synonyms, word, length);
    return means ? means : word;
}

size_t option_plain(const tide_option *row, const char *text, char *buffer, size_t size) {
    size_t length = 0;
    for (;; text++) {
        size_t given = strcspn(text, ","), n = given;
        const char *word = meaning(row, text, &n);
        if (length + n < size) memmove(buffer + length, word, n), buffer[length + n] = *(text + given);
        text += given, length += n;
        if (!*text) return length;
        length++;
    }
}

static tide_status not_a_word(const tide_option *row, const char *given, tide_failure *failure) {
    text        words = { 0 };
    const char *word;
    for (int i = 0, length; (length = option_word(row->choices, i, &word)); i++)
        text_add(&words, "%s%.*s", i ? ", " : "", length, word);
    size_t      rest    = strlen(given);
    const char *instead = pair_of(row->refused, given, &rest);
    fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "`%s` is one of %s, not '%s'%s%.*s", row->name,
            words.data ? words.data : row->choices, given, instead ? ": use " : "", instead ? (int)rest : 0,
            instead ? instead : "");
    text_free(&words);
    return TIDE_EINVAL;
}

static tide_status set_choice(int *out, const tide_option *row, const char *text, tide_failure *failure) {
    const char *given = text ? text : row->bare;
    size_t      length = strlen(given);
    const char *word = meaning(row, given, &length);
    int         index = index_of(row->choices, word, length), yes = row->bare && text ? truth(text) : -1;
    if (index < 0 && yes >= 0) index = yes ? index_of(row->choices, row->bare, strlen(row->bare)) : 0;
    if (index < 0)
        return not_a_word(row, given, failure);
    *out = index;
    return TIDE_OK;
}

static tide_status set_number(void *field, const tide_option *row, const char *text, tide_failure *failure) {
    char  *end;
    double value = num_parse(text, &end);
    bool   whole = row->type == TIDE_OPTION_IS_INT, number = end != text && !*end && isfinite(value);
    if (!number || value < row->low || value > row->high || (whole && value != floor(value)))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "`%s` is %s from %g to %g, not '%s'", row->name,
                       whole ? "a whole number" : "a number", row->low, row->high, text);
    if (whole) *(int64_t *)field = (int64_t)value;
    else *(double *)field = value;
    return TIDE_OK;
}

static tide_status set_text(char *field, const tide_option *row, const char *text, tide_failure *failure) {
    if (option_plain(row, text, NULL, 0) >= row->size)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "`%s` is longer than %zu bytes", row->name,
                       row->size - 1);
    option_plain(row, text, field, row->size);
    return TIDE_OK;
}

static tide_status add_line(char *field, const tide_option *row, const char *text, tide_failure *failure) {
    size_t used = strlen(field), length = strlen(text);
    if (strchr(text, '\n'))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "`%s` cannot hold a line break", row->name);
    if (used + length + 2 > row->size)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name,
                       "`%s`: too many names at once: %zu characters at most, all together", row->name, row->size - 1);
    if (used) field[used++] = '\n';
    memcpy(field + used, text, length + 1);
    return TIDE_OK;
}

tide_status option_put(void *options, const tide_option *row, const char *text, tide_failure *failure) {
    void *field = option_field(options, row);
    if (row->type == TIDE_OPTION_IS_BOOL) return set_bool(field, row, text, failure);
    if (!text && !row->bare) return fail_at(failure, TIDE_EINVAL, NULL, 0, row->name, "`%s` needs a value", row->name);
    switch (row->type) {
    case TIDE_OPTION_IS_CHOICE: return set_choice(field, row, text, failure);
    case TIDE_OPTION_IS_TEXT: return set_text(field, row, text, failure);
    case TIDE_OPTION_IS_LIST: return add_line(field, row, text, failure);
    default: return set_number(field, row, text, failure);
    }
}

tide_status tide_option_put(const tide_option_table *t, void *options, const char *name, const char *text,
                            tide_failure *failure) {
    failure_clear(failure);
    if (!t || !options || !name)
        return fail(failure, TIDE_EINVAL, t && options ? "there is no name of an option"
                                                       : "there are no options to set");
    const tide_option *row = tide_option_find(t, name);
    if (row) return option_put(options, row, text, failure);
    const char *near = tide_option_nearest(t, name, ~0u);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "there is no option '%s'%s%s%s", name,
                   near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

void options_leave_places(const tide_option_table *t, void *options) {
    for (int64_t i = 0; i < t->count; i++) {
        const tide_option *row = &t->rows[i];
        if (row->flags & TIDE_OPTION_PLACE) option_put(options, row, row->standard ? row->standard : "", NULL);
    }
}

/* ---- as text ---- */

const char *tide_option_get(const void *options, const tide_option *row, char *buffer, size_t size) {
    const char *word = "";
    char        number[32];
    if (!options || !row || !buffer || !size) return "";
    const void *field = option_field(options, row);
    switch (row->type) {
    case TIDE_OPTION_IS_BOOL: snprintf(buffer, size, "%s", *(const bool *)field ? "true" : "false"); break;
    case TIDE_OPTION_IS_INT: snprintf(buffer, size, "%" PRId64, *(const int64_t *)field); break;
    case TIDE_OPTION_IS_REAL:
        num_format(number, *(const double *)field, false);
        snprintf(buffer, size, "%s", number);
        break;
    case TIDE_OPTION_IS_CHOICE: {
        int index = *(const int *)field, length = index < 0 ? 0 : option_word(row->choices, index, &word);
        snprintf(buffer, size, "%.*s", length, word);
        break;
    }
    default: snprintf(buffer, size, "%.*s", (int)row->size, (const char *)field);
    }
    return buffer;
}
