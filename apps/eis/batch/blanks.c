/* From words of the plate to blanks, each read once. */
#include "blanks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the blanks");
}

/* ---- one ---- */

/* What is wrong with the file is a matter of the spectra that it is of. */
static tide_status add(blanks *b, const char *path, const eis_fit_options *fit, const eis_options *options,
                       tide_failure *failure) {
    batch_blank **of = realloc(b->of, (size_t)(b->count + 1) * sizeof(batch_blank *));
    if (of) b->of = of;
    batch_blank *added = of ? calloc(1, sizeof *added) : NULL;
    if (!added) return out_of_memory(failure);
    b->of[b->count++] = added;
    added->path = path;
    tide_status status = blank_read(path, options, &added->is, &added->why);
    if (status != TIDE_OK && (status != TIDE_EDATA || b->count == 1)) return *failure = added->why, status;
    return status == TIDE_OK && !fit_is_auto(fit) ? fit_circuit(fit, &added->is, &added->circuit, failure) : TIDE_OK;
}

tide_status blanks_begin(const eis_fit_options *fit, const eis_options *options, blanks *out, tide_failure *failure) {
    *out = (blanks){ 0 };
    return add(out, fit->blank, fit, options, failure);
}

/* ---- of the plate ---- */

static tide_status refuse(const plate *p, const plate_row *row, const char *why, const char *more,
                          tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, p->path, row->line, "blank", "%s, line %lld, column blank: %.200s %s%.400s",
                   p->path, (long long)row->line, row->blank, why, more);
}

static tide_status find_file(const plate *p, const plate_row *row, const measured *m, const char **path,
                             tide_failure *failure) {
    *path = NULL;
    for (int64_t i = 0; i < m->files; i++) {
        if (!plate_names_file(row->blank, m->path[i])) continue;
        if (*path)
            return refuse(p, row, "is two files; write as much of the path as tells them apart: ", *path, failure);
        *path = m->path[i];
    }
    if (!*path && access(row->blank, R_OK) == 0) *path = row->blank;
    return *path ? TIDE_OK
                 : refuse(p, row, "is none of the files that were read, and there is no such file", "", failure);
}

static tide_status take_row(blanks *b, const eis_fit_options *fit, const eis_options *options, const plate *p,
                            const plate_row *row, const measured *m, tide_failure *failure) {
    const char *path;
    if (options->screen)
        return refuse(p, row, "is a blank, and `screen` is without fits: leave the column out", "", failure);
    tide_status status = find_file(p, row, m, &path, failure);
    if (status != TIDE_OK) return status;
    int64_t k = 1;
    while (k < b->count && strcmp(b->of[k]->path, path) != 0) k++;
    if (k == b->count) status = add(b, path, fit, options, failure);
    for (int64_t i = 0; status == TIDE_OK && i < m->count; i++)
        if (p->item[i] == row) b->item[i] = b->of[k];
    return status;
}

static bool is_blank(const blanks *b, const char *path) {
    int64_t k = 1;
    while (k < b->count && strcmp(b->of[k]->path, path) != 0) k++;
    return k < b->count;
}

static void leave_out(blanks *b, plate *p, measured *m) {
    int64_t kept = 0;
    for (int64_t i = 0; i < m->count; i++) {
        if (!p->item[i] && is_blank(b, m->item[i].path)) continue;
        m->item[kept] = m->item[i], p->item[kept] = p->item[i], b->item[kept++] = b->item[i];
    }
    m->count = kept;
}

tide_status blanks_of_plate(blanks *b, const eis_fit_options *fit, const eis_options *options, plate *p, measured *m,
                            tide_failure *failure) {
    tide_status status = TIDE_OK;
    b->item = malloc((size_t)MAX2(m->count, 1) * sizeof(const batch_blank *));
    if (!b->item) return out_of_memory(failure);
    for (int64_t i = 0; i < m->count; i++) b->item[i] = b->count ? b->of[0] : NULL;
    for (int64_t i = 0; status == TIDE_OK && i < p->count; i++)
        if (*p->of[i].blank) status = take_row(b, fit, options, p, &p->of[i], m, failure);
    if (status == TIDE_OK) leave_out(b, p, m);
    return status;
}

const batch_blank *blanks_item(const blanks *b, int64_t item) {
    return b->item ? b->item[item] : b->count ? b->of[0] : NULL;
}

void blanks_free(blanks *b) {
    for (int64_t i = 0; i < b->count; i++) free(b->of[i]);
    free(b->of), free(b->item);
    *b = (blanks){ 0 };
}
