/* Finding rows, their defaults, and whether a struct holds what they accept. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/words.h"

/* ---- lists of words: "a|b|c" ---- */

int option_word(const char *list, int i, const char **word) {
    for (; list && *list; i--) {
        int length = (int)strcspn(list, "|");
        if (i == 0) return *word = list, length;
        list += length + (list[length] == '|');
    }
    return 0;
}

int option_words(const char *list) {
    int count = list && *list;
    for (; list && *list; list++) count += *list == '|';
    return count;
}

const char *tide_word_nearest(const char *word, const char *list, char *buffer, size_t size) {
    char        candidate[64], found[64];
    const char *at;
    nearest     n = { .word = word };
    if (!word || !list || !buffer || !size) return NULL;
    for (int i = 0, length; (length = option_word(list, i, &at)); i++) {
        snprintf(candidate, sizeof candidate, "%.*s", length, at);
        nearest_try(&n, candidate);
        if (n.found == candidate) n.found = strcpy(found, candidate);
    }
    if (n.found) snprintf(buffer, size, "%s", found);
    return n.found ? buffer : NULL;
}

/* ---- rows ---- */

static bool has_name(const tide_option *row, const char *name) {
    const char *alias;
    size_t      length = strlen(name);
    if (same_name(name, length, row->name)) return true;
    for (int i = 0, n; (n = option_word(row->aliases, i, &alias)); i++)
        if ((size_t)n == length && same_name(alias, length, name)) return true;
    return false;
}

const tide_option *tide_option_find(const tide_option_table *t, const char *name) {
    for (int64_t i = 0; t && name && *name && i < t->count; i++)
        if (has_name(&t->rows[i], name)) return &t->rows[i];
    return NULL;
}

const char *tide_option_nearest(const tide_option_table *t, const char *name, unsigned flags) {
    nearest n = { .word = name };
    for (int64_t i = 0; t && name && i < t->count; i++)
        if ((t->rows[i].flags & flags) && !(t->rows[i].flags & TIDE_OPTION_HIDDEN)) nearest_try(&n, t->rows[i].name);
    return n.found;
}

static bool *given_of(const tide_option_table *t, const void *options) {
    return t->given ? (bool *)((char *)options + t->given) : NULL;
}

bool tide_option_given(const tide_option_table *t, const void *options, const char *name) {
    const tide_option *row = options ? tide_option_find(t, name) : NULL;
    return row && t->given && given_of(t, options)[row - t->rows];
}

/* ---- values ---- */

void tide_options_default(const tide_option_table *t, void *options) {
    if (!t || !options) return;
    memset(options, 0, t->size);
    for (int64_t i = 0; i < t->count; i++)
        if (t->rows[i].standard) option_put(options, &t->rows[i], t->rows[i].standard, NULL);
}

tide_status tide_option_set(const tide_option_table *t, void *options, const char *name, const char *text,
                            tide_failure *failure) {
    tide_status status = tide_option_put(t, options, name, text, failure);
    if (status == TIDE_OK && t->given) given_of(t, options)[tide_option_find(t, name) - t->rows] = true;
    return status;
}

static bool fits(const tide_option *row, const void *field) {
    switch (row->type) {
    case TIDE_OPTION_IS_INT:
        return (double)*(const int64_t *)field >= row->low && (double)*(const int64_t *)field <= row->high;
    case TIDE_OPTION_IS_REAL: return *(const double *)field >= row->low && *(const double *)field <= row->high;
    case TIDE_OPTION_IS_CHOICE: return *(const int *)field >= 0 && *(const int *)field < option_words(row->choices);
    case TIDE_OPTION_IS_BOOL: return true;
    default: return memchr(field, 0, row->size) != NULL;
    }
}

tide_status tide_options_check(const tide_option_table *t, const void *options, tide_failure *failure) {
    failure_clear(failure);
    if (!t || !options) return fail(failure, TIDE_EINVAL, "there are no options");
    for (int64_t i = 0; i < t->count; i++)
        if (!fits(&t->rows[i], option_field(options, &t->rows[i])))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, t->rows[i].name,
                           "the option `%s` is outside what is accepted: start from the defaults, which are sound",
                           t->rows[i].name);
    return TIDE_OK;
}
