#include <math.h>

#include "base/base.h"
#include "fit_parts.h"

typedef struct line { text header, row; } line;

static void add(line *l, const char *name, double value, bool whole, bool known) {
    char        number[32] = "";
    const char *comma = l->header.length ? "," : "";
    if (known) num_format(number, value, !whole);
    text_add(&l->header, "%s%s", comma, name);
    text_add(&l->row, "%s%s", comma, number);
}

/* What is not known is empty; a loss that is no number is one. */
static void add_column(line *l, const fit_column *c, const double row[FIT_VALUES]) {
    double value = row[c->value];
    bool   known = !isnan(value) || c->value == FIT_TRAIN_LOSS || c->value == FIT_VAL_LOSS || c->value == FIT_GRAD_NORM;
    add(l, c->name, value, c->value == FIT_EPOCH || c->value == FIT_STEP, known);
}

tide_status fit_log(fit *f, const double row[FIT_VALUES], tide_failure *failure) {
    line        l = { 0 };
    double      scale;
    int64_t     skipped;
    if (!f->folder) return TIDE_OK;
    tide_status status = train_step_scale(f->model.step, &scale, &skipped, failure);
    for (int i = 0; i < f->model.column_count; i++) add_column(&l, &f->model.columns[i], row);
    if (scale > 0) add(&l, "loss_scale", scale, false, true), add(&l, "skipped_steps", (double)skipped, true, true);
    text_add(&l.header, "\n");
    text_add(&l.row, "\n");
    if (status == TIDE_OK && (l.header.failed || l.row.failed))
        status = fail(failure, TIDE_ENOMEM, "out of memory for metrics.csv");
    if (status == TIDE_OK)
        status = run_metrics_append(f->folder, l.header.data, l.row.data, &f->at.metrics_bytes, failure);
    text_free(&l.header);
    text_free(&l.row);
    return status;
}
