/* Which networks may be asked about other columns, and the file's columns in the place of the run's. */
#include "other_columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "loaded.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the columns");
}

/* Every column an input and a target like every other: what one has taught holds for any. */
static tide_status check(const forecast_options *o, const bundle *b, tide_failure *failure) {
    const model_config *c = &b->config;
    const struct { bool is; const char *option, *why; } refused[] = {
        { c->arch == FORECAST_ARCH_AUTO, "other-columns",
          "the run is of `arch` auto, whose weights belong to its columns: its members, runs in the folder members, "
          "can be asked" },
        { c->known || b->blind || c->out_count != c->columns, "other-columns",
          "the run's columns have roles of their own (`targets`, `known`, `without-history` or `features`), and "
          "nothing tells which role another column has: train such a run for them (`from` takes its parameters)" },
        { !*o->data, "data", "`other-columns` needs the file that they are in: `data` FILE" },
        { !strcmp(o->data, "-"), "data", "`other-columns` reads `data` twice: give a file, not standard input" },
        { o->use == FORECAST_USE_BEST || o->use == FORECAST_USE_LINEAR, "use",
          "the scores and the linear baseline of the run are of its own columns: `use` model, last-value or "
          "seasonal-naive" },
        { *o->level != 0, "level",
          "prediction intervals come from errors of the run's own columns, and there are none for others: leave "
          "`level` out" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].is)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, refused[i].option, "%s", refused[i].why);
    return TIDE_OK;
}

/* The rows that a training on this file would scale by; all of a file that is too short to be split. */
static block scaled_by(const forecast_options *o, const bundle *b, const frame *f) {
    split_sizes sizes = { o->val, o->test };
    frame_kind  kind  = (frame_kind)(forecast_option_given(o, "kind") ? o->kind : b->kind);
    split       s;
    if (sizes.val == 0 && sizes.test == 0 && (int)kind == b->kind) sizes = b->record.sizes;
    tide_status status = split_sized(f, kind, sizes, b->config.seq_len, b->config.pred_len, &s, NULL);
    return status == TIDE_OK && s.train.rows > 0 ? s.train : (block){ 0, f->file_rows };
}

/* What is of its own columns alone. */
static void forget(bundle *b) {
    for (int64_t i = 0; i < b->config.columns; i++) free(b->names[i]);
    free(b->names);
    free(b->place);
    free(b->tail);
    scaler_free(&b->scaler);
    long_form_free(&b->form);
    bands_free(&b->bands);
    record_free(&b->record);
    b->names = NULL, b->place = NULL, b->tail = NULL;
    b->record = (training_record){ .sizes = b->record.sizes };
    b->config.columns = 0;
}

static tide_status take(bundle *b, frame *f, block rows, tide_failure *failure) {
    size_t bytes = (size_t)f->columns * sizeof *b->place;
    forget(b);
    b->names = f->names, b->config.columns = b->config.out_count = f->columns;
    f->names = NULL;
    b->config.out_first = 0, b->target = f->target;
    if (!(b->place = malloc(bytes + 1))) return no_memory(failure);
    for (int64_t i = 0; i < f->columns; i++) b->place[i] = f->place ? f->place[i] : i;
    if (!long_form_copy(&f->form, &b->form)) return no_memory(failure);
    return scaler_fit(f, rows, &b->scaler) == TIDE_OK ? TIDE_OK : no_memory(failure);
}

tide_status other_columns_take(const forecast_options *o, bundle *b, tide_failure *failure) {
    dataset       d    = { 0 };
    forecast_kind kind = b->kind == FORECAST_SOLAR || b->kind == FORECAST_PEMS ? (forecast_kind)b->kind
                                                                               : FORECAST_CUSTOM;
    tide_status status = check(o, b, failure);
    if (status == TIDE_OK) status = loaded_columns(o, b, kind, &d, failure);
    if (status == TIDE_OK) status = take(b, &d.frame, scaled_by(o, b, &d.frame), failure);
    if (status == TIDE_OK) status = loaded_statics(o, b, d.frame.statics, failure);
    dataset_free(&d);
    return status;
}

void other_columns_tell(const forecast_options *o, const bundle *b, const listener *l) {
    if (!o->other_columns) return;
    listener_note(l, FORECAST_STAGE_NOTE,
                  "the %" PRId64 " columns are those of %.200s, which the run has not learned: its test errors and "
                  "intervals do not hold for them, and evaluate with `other-columns` says how good it is there",
                  b->config.columns, o->data);
}

void other_columns_suggest(tide_failure *failure) {
    static const char begins[] = "the run's columns";
    if (!failure || strncmp(failure->message, begins, sizeof begins - 1) != 0) return;
    size_t used = strlen(failure->message);
    snprintf(failure->message + used, sizeof failure->message - used,
             "; `other-columns` forecasts the file's in their place");
}
