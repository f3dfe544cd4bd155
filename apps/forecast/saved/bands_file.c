/* The tables of prediction intervals, and the windows of sample paths, to a model file and back with care. */
#include "bands_file.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

static const char *const tables[FORECASTERS] = { "bands.model", "bands.last_value", "bands.seasonal_naive",
                                                 "bands.linear" };

tide_status bands_add(tide_archive *a, const band_tables *b) {
    if (!bands_any(b)) return TIDE_OK;
    tide_status status = tide_archive_add(a, "bands.steps", TIDE_I64, TIDE_SHAPE(b->knots), b->step);
    if (status == TIDE_OK)
        status = tide_archive_add(a, "bands.probabilities", TIDE_F64, TIDE_SHAPE(b->points), b->probability);
    if (status == TIDE_OK) status = tide_archive_add(a, "bands.unit", TIDE_F64, TIDE_SHAPE(b->columns), b->unit);
    if (status == TIDE_OK)
        status = tide_archive_add(a, "bands.effective", TIDE_F64, TIDE_SHAPE(FORECASTERS, b->knots), b->effective);
    for (int i = 0; status == TIDE_OK && i < FORECASTERS; i++)
        if (b->quantile[i])
            status = tide_archive_add(a, tables[i], TIDE_F32, TIDE_SHAPE(b->knots, b->columns, b->points),
                                      b->quantile[i]);
    if (status == TIDE_OK && b->windows)
        status = tide_archive_add(a, "bands.windows", TIDE_F32, TIDE_SHAPE(b->pred_len, b->columns, b->windows),
                                  b->window);
    return status;
}

/* ---- reading ---- */

typedef struct reader { const tide_archive *archive; bool out_of_memory; } reader;

static void *copied(reader *r, const char *name, tide_dtype type, tide_shape shape) {
    const tide_tensor *t = tide_archive_find(r->archive, name);
    if (!t || t->type != type || !tide_shape_equal(t->shape, shape)) return NULL;
    size_t bytes = (size_t)tide_shape_count(shape) * tide_dtype_size(type);
    void  *copy  = malloc(bytes + 1);
    r->out_of_memory = r->out_of_memory || !copy;
    return copy ? memcpy(copy, t->data, bytes) : NULL;
}

static int64_t length_of(const tide_archive *a, const char *name) {
    const tide_tensor *t = tide_archive_find(a, name);
    return t && t->shape.ndim == 1 ? t->shape.dim[0] : 0;
}

static bool steps_fine(const band_tables *b) {
    bool fine = b->step[0] == 0 && b->step[b->knots - 1] == b->pred_len - 1;
    for (int64_t k = 1; k < b->knots; k++) fine = fine && b->step[k] > b->step[k - 1];
    return fine;
}

static bool probabilities_fine(const band_tables *b) {
    bool fine = b->probability[0] > 0 && b->probability[b->points - 1] < 1;
    for (int64_t p = 1; p < b->points; p++) fine = fine && b->probability[p] > b->probability[p - 1];
    return fine;
}

static bool numbers_fine(const band_tables *b) {
    bool fine = true;
    for (int64_t c = 0; c < b->columns; c++) fine = fine && isfinite(b->unit[c]) && b->unit[c] > 0;
    for (int64_t i = 0; i < FORECASTERS * b->knots; i++)
        fine = fine && isfinite(b->effective[i]) && b->effective[i] >= 0;
    return fine;
}

/* Each row ascends, or is a column's without truths. */
static bool table_fine(const band_tables *b, const float *q) {
    bool fine = true;
    for (int64_t row = 0; row < b->knots * b->columns; row++, q += b->points)
        for (int64_t p = 0; p < b->points; p++)
            fine = fine && (isnan(q[0]) ? isnan(q[p]) : isfinite(q[p]) && (!p || q[p] >= q[p - 1]));
    return fine;
}

static bool read_tables(reader *r, band_tables *b) {
    bool fine = true;
    for (int i = 0; fine && i < FORECASTERS; i++) {
        if (!tide_archive_find(r->archive, tables[i])) continue;
        b->quantile[i] = copied(r, tables[i], TIDE_F32, TIDE_SHAPE(b->knots, b->columns, b->points));
        fine = b->quantile[i] && table_fine(b, b->quantile[i]);
    }
    return fine;
}

/* A window misses truths, or has a residual that is a number. */
static bool read_windows(reader *r, band_tables *b) {
    const tide_tensor *t = tide_archive_find(r->archive, "bands.windows");
    if (!t) return true;
    b->windows = t->shape.ndim == 3 ? t->shape.dim[2] : 0;
    if (b->windows < 2 || !b->quantile[0]) return false;
    b->window = copied(r, "bands.windows", TIDE_F32, TIDE_SHAPE(b->pred_len, b->columns, b->windows));
    bool fine = b->window != NULL;
    for (int64_t i = 0; fine && i < b->pred_len * b->columns * b->windows; i++) fine = !isinf(b->window[i]);
    return fine;
}

bool bands_read(const tide_archive *a, const model_config *c, band_tables *out, bool *out_of_memory) {
    reader      r = { a, false };
    band_tables b = { .pred_len = c->pred_len, .columns = c->out_count, .knots = length_of(a, "bands.steps"),
                      .points = length_of(a, "bands.probabilities"), .shape = spread_of(c) };
    *out = (band_tables){ 0 };
    if (!tide_archive_find(a, "bands.steps")) return true;
    if (b.knots < 1 || b.points < 2) return false;
    b.step        = copied(&r, "bands.steps", TIDE_I64, TIDE_SHAPE(b.knots));
    b.probability = copied(&r, "bands.probabilities", TIDE_F64, TIDE_SHAPE(b.points));
    b.unit        = copied(&r, "bands.unit", TIDE_F64, TIDE_SHAPE(b.columns));
    b.effective   = copied(&r, "bands.effective", TIDE_F64, TIDE_SHAPE(FORECASTERS, b.knots));
    bool fine = b.step && b.probability && b.unit && b.effective && steps_fine(&b) && probabilities_fine(&b) &&
                numbers_fine(&b) && read_tables(&r, &b) && read_windows(&r, &b);
    *out_of_memory = *out_of_memory || r.out_of_memory;
    if (fine) *out = b;
    else bands_free(&b);
    return fine;
}
