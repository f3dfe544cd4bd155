#include "util.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tide_status forecast_fail(tide_failure *f, tide_status status, const char *file, int64_t row, const char *column,
                          const char *format, ...) {
    if (!f || f->status != TIDE_OK) return status;
    f->status = status;
    f->row = row;
    snprintf(f->file, sizeof f->file, "%s", file ? file : "");
    snprintf(f->column, sizeof f->column, "%s", column ? column : "");
    va_list args;
    va_start(args, format);
    vsnprintf(f->message, sizeof f->message, format, args);
    va_end(args);
    return status;
}

bool notes_add(char **notes, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t old = *notes ? strlen(*notes) : 0;
    int added = vsnprintf(NULL, 0, format, args);
    char *grown = added < 0 ? NULL : realloc(*notes, old + (size_t)added + 1);
    if (grown) {
        vsnprintf(grown + old, (size_t)added + 1, format, again);
        *notes = grown;
    }
    va_end(again);
    va_end(args);
    return grown != NULL;
}

static int fold(char c) { return tolower((unsigned char)c); }

enum { LONGEST_NAME = 63 };

/* Levenshtein's distance without regard to case; names longer than LONGEST_NAME are never near. */
static int edit_distance(const char *a, const char *b) {
    size_t na = strlen(a), nb = strlen(b);
    if (na > LONGEST_NAME || nb > LONGEST_NAME) return LONGEST_NAME + 1;
    int row[LONGEST_NAME + 2];
    for (size_t j = 0; j <= nb; j++) row[j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int replaced = diagonal + (fold(a[i - 1]) != fold(b[j - 1]));
            int shifted = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = replaced < shifted ? replaced : shifted;
        }
    }
    return row[nb];
}

const char *near_name(const char *word, char *const *names, int64_t count) {
    int best = (int)strlen(word) / 3 + 1;
    const char *found = NULL;
    for (int64_t i = 0; i < count; i++) {
        if (!names[i]) continue;
        int distance = edit_distance(word, names[i]);
        bool shares_a_letter = distance < (int)strlen(names[i]);
        if (distance <= best && shares_a_letter && (!found || distance < best)) {
            best = distance;
            found = names[i];
        }
    }
    return found;
}

void names_list(char *buffer, size_t bytes, char *const *names, int64_t count) {
    size_t used = 0, reserve = 32;  /* for the count of a list that is cut */
    buffer[0] = 0;
    int64_t shown = 0, all = 0;
    for (int64_t i = 0; i < count; i++) all += names[i] != NULL;
    for (int64_t i = 0; i < count; i++) {
        if (!names[i]) continue;
        if (used + strlen(names[i]) + 2 + reserve > bytes) break;
        used += (size_t)snprintf(buffer + used, bytes - used, "%s%s", shown ? ", " : "", names[i]);
        shown++;
    }
    if (shown < all) snprintf(buffer + used, bytes - used, "%s... (%" PRId64 " in all)", shown ? ", " : "", all);
}
