#include "util.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"

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

const char *near_name(const char *word, char *const *names, int64_t count) {
    nearest n = { .word = word };
    for (int64_t i = 0; i < count; i++)
        if (names[i]) nearest_try(&n, names[i]);
    return n.found;
}

int64_t names_find(char *const *names, int64_t count, const char *name) {
    for (int64_t i = 0; i < count; i++)
        if (names[i] && !strcmp(names[i], name)) return i;
    return -1;
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
