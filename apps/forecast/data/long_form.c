#include "long_form.h"

#include <stdlib.h>
#include <string.h>

bool long_form_new(long_form *out, int64_t ids, int64_t values, int64_t columns) {
    *out       = (long_form){ .ids = ids, .values = values, .columns = columns };
    out->names = calloc((size_t)(ids + values + 1), sizeof *out->names);
    out->place = calloc((size_t)(ids + values + 1), sizeof *out->place);
    out->id    = calloc((size_t)(columns * ids + 1), sizeof *out->id);
    out->value = calloc((size_t)columns + 1, sizeof *out->value);
    return out->names && out->place && out->id && out->value;
}

static void free_texts(char **texts, int64_t count) {
    for (int64_t i = 0; texts && i < count; i++) free(texts[i]);
    free(texts);
}

void long_form_free(long_form *f) {
    free_texts(f->names, f->ids + f->values);
    free_texts(f->id, f->columns * f->ids);
    free(f->place);
    free(f->value);
    *f = (long_form){ 0 };
}

static bool copy_text(char **to, const char *from) { return (*to = strdup(from)) != NULL; }

bool long_form_take(const long_form *f, const int64_t *from, int64_t count, long_form *out) {
    *out = (long_form){ 0 };
    if (!f->ids) return true;
    bool fine = long_form_new(out, f->ids, f->values, count);
    for (int64_t i = 0; fine && i < f->ids + f->values; i++) {
        out->place[i] = f->place[i];
        fine          = copy_text(&out->names[i], f->names[i]);
    }
    for (int64_t c = 0; fine && c < count; c++) {
        int64_t at    = from ? from[c] : c;
        out->value[c] = f->value[at];
        for (int64_t i = 0; fine && i < f->ids; i++) fine = copy_text(&out->id[c * f->ids + i], f->id[at * f->ids + i]);
    }
    if (!fine) long_form_free(out);
    return fine;
}

bool long_form_copy(const long_form *f, long_form *out) { return long_form_take(f, NULL, f->columns, out); }
