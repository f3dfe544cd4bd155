#include "reading.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOTES_MOST = 1 << 14 };  /* characters: nobody reads more */

static tide_status out_of_memory(reading *r) {
    return fail(r->failure, TIDE_ENOMEM, "out of memory for %s", r->path);
}

tide_status reading_add(reading *r, const point *p) {
    if (r->count == r->room) {
        int64_t room  = MAX2(2 * r->room, 256);
        point  *grown = realloc(r->point, (size_t)room * sizeof *grown);
        if (!grown) return out_of_memory(r);
        r->point = grown, r->room = room;
    }
    r->point[r->count]         = *p;
    r->point[r->count++].sweep = r->sweeps;
    return TIDE_OK;
}

tide_status reading_begin_sweep(reading *r, const char *label) {
    if (r->sweeps >= MOST_SWEEPS)
        return fail_at(r->failure, TIDE_EDATA, r->path, 0, NULL, "%s has more than %lld sweeps; as many are read",
                       r->path, (long long)MOST_SWEEPS);
    if (r->sweeps == r->label_room) {
        int64_t room = MAX2(2 * r->label_room, 16);
        void   *grown = realloc(r->label, (size_t)room * sizeof *r->label);
        if (!grown) return out_of_memory(r);
        r->label = grown, r->label_room = room;
    }
    snprintf(r->label[r->sweeps++], LABEL_SIZE, "%s", label);
    return TIDE_OK;
}

void reading_drop(reading *r) {
    free(r->point);
    free(r->label);
    text_free(&r->notes);
}

void reading_note(reading *r, const char *format, ...) {
    char    line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (r->notes.length > NOTES_MOST) return;
    if (!r->notes.data || !strstr(r->notes.data, line)) text_add(&r->notes, "%s\n", line);
}

tide_status reading_fail(reading *r, int64_t line, const char *column, const char *format, ...) {
    char    what[sizeof r->failure->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (line) return fail_at(r->failure, TIDE_EDATA, r->path, line, column, "%s, line %lld: %s", r->path,
                             (long long)line, what);
    return fail_at(r->failure, TIDE_EDATA, r->path, 0, column, "%s: %s", r->path, what);
}
