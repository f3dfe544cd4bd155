/* A frame made ready: columns chosen, split, scaled by the training rows, with calendar marks. */
#include "dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "gaps.h"
#include "util.h"
#include "zone.h"

static const char *given(const char *text) { return *text ? text : NULL; }

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the series");
}

static tide_status check_character(const char *text, const char *option, char *out, tide_failure *failure) {
    const char *one = strcmp(text, "\\t") ? text : "\t";
    if (strlen(one) > 1)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "`%s` is one character, not '%s'", option, text);
    *out = *one;
    return TIDE_OK;
}

static frame_options reading_of(const forecast_options *o, forecast_kind kind, const run_columns *run) {
    return (frame_options){ .kind = (frame_kind)kind, .features = (frame_features)o->features,
                            .target = given(o->target), .columns = given(o->columns), .ignore = given(o->ignore),
                            .categorical = given(o->categorical),
                            .static_columns = given(o->static_columns),
                            .attributes = *o->statics || *o->static_columns,
                            .targets = given(o->targets), .known = given(o->known),
                            .time_column = given(o->time_column), .run_time = run ? run->time : NULL,
                            .freq = given(o->freq), .missing = (frame_missing)o->missing,
                            .aggregate = (frame_aggregate)o->aggregate,
                            .strict_dates = o->strict_dates, .date_order = (date_shape)o->date_order, .sort = o->sort,
                            .tz = given(o->tz),
                            .na = given(o->na), .skip_rows = o->skip_rows, .look_back = o->seq_len,
                            .run_step = run ? run->step : NULL,
                            .id = given(o->id), .value = given(o->value), .sizes = { o->val, o->test },
                            .window = run ? 0 : o->seq_len + o->pred_len,
                            .run_names = run ? run->names : NULL, .run_count = run ? run->count : 0 };
}

tide_status dataset_read(const forecast_options *o, forecast_kind kind, const run_columns *run, dataset *d,
                         tide_failure *failure) {
    frame_options f = reading_of(o, kind, run);
    if (!*o->data) return fail_at(failure, TIDE_EINVAL, NULL, 0, "data", "no series is given: `data` FILE");
    if (strcmp(o->data, "-") && access(o->data, R_OK))
        return fail_at(failure, TIDE_EDATA, o->data, 0, NULL, "cannot be read: %s", strerror(errno));
    struct stat info;
    if (strcmp(o->data, "-") && stat(o->data, &info) == 0 && S_ISDIR(info.st_mode))
        return fail_at(failure, TIDE_EDATA, o->data, 0, NULL, "this is a folder: give a file in it");
    tide_status status = check_character(o->sep, "sep", &f.separator, failure);
    if (status == TIDE_OK) status = check_character(o->decimal, "decimal", &f.decimal, failure);
    if (status == TIDE_OK) status = check_character(o->thousands, "thousands", &f.thousands, failure);
    return status == TIDE_OK ? frame_read(o->data, &f, &d->frame, failure) : status;
}

/* Which time features: "auto" those of the series' own step, "none", or those of the step named. */
static tide_status choose_marks(const forecast_options *o, unsigned compat, dataset *d, tide_failure *failure) {
    bool chosen = strcmp(o->marks, "auto") != 0;
    if (!strcmp(o->marks, "none")) return TIDE_OK;
    if (!chosen) d->mark_step = (time_step){ .unit = d->frame.step.unit, .count = d->frame.step.count };
    else if (!step_parse(o->marks, &d->mark_step))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "marks",
                       "`marks` is auto, none or a step such as h or 15min, not '%s'", o->marks);
    if (compat & FORECAST_COMPAT_MARKS_HOURLY) d->mark_step = (time_step){ UNIT_HOUR, 1 };
    if (d->frame.time) d->mark_count = marks_count(d->mark_step);
    else if (chosen)
        return fail_at(failure, TIDE_EDATA, d->frame.path, d->frame.path != NULL, NULL,
                       "`marks` %s needs time stamps, and no column holds any; `marks` none goes without", o->marks);
    if (!d->mark_count) d->mark_step = (time_step){ UNIT_NONE, 0 };
    return TIDE_OK;
}

tide_status dataset_scale(dataset *d, int64_t rows, tide_failure *failure) {
    int64_t columns = d->frame.columns;
    d->scaled = malloc((size_t)(rows * columns + 1) * sizeof *d->scaled);
    d->marks  = malloc((size_t)(rows * d->mark_count + 1) * sizeof *d->marks);
    if (!d->scaled || !d->marks) return no_memory(failure);
    (d->frame.gaps ? scaler_apply_gapped : scaler_apply)(&d->scaler, d->frame.values, rows, d->scaled);
    for (int64_t r = 0; d->mark_count && r < rows; r++)
        marks_fill(zone_label(d->frame.zone, d->frame.time[r]), d->mark_step, d->marks + r * d->mark_count);
    return TIDE_OK;
}

tide_status dataset_rescale(dataset *d, scaler by, tide_failure *failure) {
    free(d->scaled);
    free(d->marks);
    scaler_free(&d->scaler);
    d->scaled = d->marks = NULL, d->scaler = by;
    return dataset_scale(d, d->frame.rows, failure);
}

tide_status dataset_read_frame(const forecast_options *o, forecast_kind kind, const run_columns *run,
                               const tide_frame *from, dataset *d, tide_failure *failure) {
    frame_options f = reading_of(o, kind, run);
    if (*o->data)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "data",
                       "there are two series, a frame and the file `data`: give one of them");
    f.time_column = NULL;
    return frame_from_memory(from, &f, &d->frame, failure);
}

/* Without a value there is neither a mean nor a deviation to scale by, and nothing to learn. */
static bool tell_untrained(frame *f, block train) {
    bool memory = true;
    for (int64_t c = 0; f->gaps && c < f->columns; c++) {
        int64_t row = train.start, end = train.start + train.rows;
        while (row < end && isnan(f->values[row * f->columns + c])) row++;
        if (row == end)
            memory &= notes_add(&f->warnings, "'%.60s' holds no value in the %" PRId64 " rows that are trained on: the "
                                              "model learns nothing of it, and its scaled errors are in its own units; "
                                              "`ignore` leaves it out\n", f->names[c], train.rows);
    }
    return memory;
}

/* Where no column has a role of its own. */
static void choose_outputs(const forecast_options *o, unsigned compat, dataset *d) {
    d->out_count = d->frame.columns;
    if (o->features != FORECAST_MS) return;
    d->out_first = compat & FORECAST_COMPAT_MS_LAST_COLUMN ? d->frame.columns - 1 : d->frame.target;
    d->out_count = 1;
}

static tide_status prepare(const forecast_options *o, unsigned compat, dataset *d, tide_failure *failure) {
    d->out_count = 0;
    tide_status status = *o->issued ? dataset_add_issued(o, NULL, 0, d, failure) : TIDE_OK;
    if (status == TIDE_OK && *o->holidays) status = dataset_add_holidays(o, d, failure);
    if (status == TIDE_OK) status = dataset_roles(o, d, failure);
    if (status == TIDE_OK) status = dataset_take_ahead(d, o->pred_len, failure);
    if (status == TIDE_OK) status = dataset_tabulate_issued(d, o->pred_len, failure);
    issues_free(&d->issues);
    if (status == TIDE_OK)
        status = split_sized(&d->frame, (frame_kind)o->kind, (split_sizes){ o->val, o->test }, o->seq_len, o->pred_len,
                             &d->split, failure);
    if (status == TIDE_OK)
        status = split_require(&d->frame, (frame_kind)o->kind, d->split, o->seq_len, o->pred_len, failure);
    if (status == TIDE_OK) status = dataset_choose_origins(o->origins, o->seq_len, o->pred_len, d, failure);
    if (status == TIDE_OK) status = dataset_require_origins(d, o->seq_len, o->pred_len, failure);
    if (status == TIDE_OK) status = choose_marks(o, compat, d, failure);
    if (status == TIDE_OK && !tell_untrained(&d->frame, d->split.train)) status = no_memory(failure);
    if (status == TIDE_OK && scaler_fit(&d->frame, d->split.train, &d->scaler) != TIDE_OK) status = no_memory(failure);
    if (status == TIDE_OK) status = dataset_scale(d, d->frame.rows, failure);
    if (!d->out_count) choose_outputs(o, compat, d);
    return status == TIDE_OK ? dataset_add_statics(o, d, failure) : status;
}

tide_status dataset_load(const forecast_options *o, unsigned compat, dataset *d, tide_failure *failure) {
    tide_status status = dataset_read(o, (forecast_kind)o->kind, NULL, d, failure);
    return status == TIDE_OK ? prepare(o, compat, d, failure) : status;
}

tide_status dataset_take(const forecast_options *o, const tide_frame *from, unsigned compat, dataset *d,
                         tide_failure *failure) {
    tide_status status = dataset_read_frame(o, (forecast_kind)o->kind, NULL, from, d, failure);
    return status == TIDE_OK ? prepare(o, compat, d, failure) : status;
}

float *dataset_repeated(const dataset *d, int64_t season) {
    const frame *f = &d->frame;
    size_t  cells  = (size_t)(f->rows * f->columns);
    double *values = malloc(cells * sizeof *values + 1);
    float  *scaled = malloc(cells * sizeof *scaled + 1);
    if (values && scaled) {
        memcpy(values, f->values, cells * sizeof *values);
        gaps_repeat(values, f->rows, f->columns, season, d->scaler.mean);
        scaler_apply(&d->scaler, values, f->rows, scaled);
    }
    free(values);
    if (values) return scaled;
    free(scaled);
    return NULL;
}

float *dataset_lines(const dataset *d) {
    float *filled = malloc((size_t)(d->frame.rows * d->frame.columns) * sizeof *filled + 1);
    if (filled) gaps_fill(d->scaled, d->frame.rows, d->frame.columns, filled, NULL);
    return filled;
}

void dataset_free(dataset *d) {
    frame_free(&d->frame);
    scaler_free(&d->scaler);
    free(d->scaled);
    free(d->marks);
    free(d->starts);
    free(d->blind);
    free(d->ahead);
    holidays_free(&d->holidays);
    issues_free(&d->issues);
    free(d->issued);
    free(d->informed);
    statics_free(&d->statics);
    *d = (dataset){ 0 };
}

bool scaler_copy(const scaler *from, scaler *out) {
    size_t bytes = (size_t)from->columns * sizeof(double);
    *out         = (scaler){ from->columns, malloc(bytes), malloc(bytes) };
    if (!out->mean || !out->std) {
        scaler_free(out);
        return false;
    }
    memcpy(out->mean, from->mean, bytes);
    memcpy(out->std, from->std, bytes);
    return true;
}

void dataset_truth(const dataset *d, int64_t start, int64_t seq_len, int64_t pred_len, float *out) {
    const float *from = d->scaled + (start + seq_len) * d->frame.columns + d->out_first;
    for (int64_t s = 0; s < pred_len; s++)
        memcpy(out + s * d->out_count, from + s * d->frame.columns, (size_t)d->out_count * sizeof *out);
    bool informed = !d->informed || d->informed[start + seq_len - 1] > 0;
    for (int64_t i = 0; !informed && i < pred_len * d->out_count; i++) out[i] = NAN;
}
