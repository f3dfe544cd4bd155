/* The rows that a forecast starts from: the end of a file, read as the training file was, or the rows that the run
 * keeps. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/base.h"
#include "forecast/data/gaps.h"
#include "forecast/data/origins.h"
#include "forecast/data/zone.h"
#include "forecast/data/zoned.h"
#include "prediction.h"

static bool seasonal(const prediction *p) { return p->use == FORECAST_USE_SEASONAL; }

/* The season before the forecast, from `rows` rows that end there. */
static tide_status take_season(prediction *p, const double *rows, int64_t count, tide_failure *failure) {
    int64_t columns = p->bundle->config.columns, first = count - p->season_rows;
    if (first < 0)
        return fail_at(failure, TIDE_EDATA, p->options->data, 0, "use",
                       "a season is %" PRId64 " rows, and there are only %" PRId64 " before the forecast: `data` FILE "
                                                                                   "with more, or another `use`",
                       p->season_rows, count);
    size_t  bytes = (size_t)(p->season_rows * columns) * sizeof *p->season;
    double *all   = malloc((size_t)(count * columns) * sizeof *all + 1);
    p->season     = malloc(bytes + 1);
    bool memory   = all && p->season;
    if (memory) {
        memcpy(all, rows, (size_t)(count * columns) * sizeof *all);
        gaps_repeat(all, count, columns, p->season_rows, p->data.scaler.mean);
        memcpy(p->season, all + first * columns, bytes);
    }
    free(all);
    return memory ? TIDE_OK : prediction_no_memory(failure);
}

/* What is known of the pred_len rows after the first `rows`: those that follow in the file, then what it says of rows
 * beyond them. Nothing where these are too few. */
static tide_status cut_ahead(prediction *p, int64_t rows, tide_failure *failure) {
    const model_config *c     = &p->bundle->config;
    const frame        *f     = &p->data.frame;
    int64_t             after = f->file_rows - rows, first = c->columns - c->known;
    double             *old   = p->data.ahead;
    size_t              row   = (size_t)c->known * sizeof *old;
    if (!c->known || !after) return TIDE_OK;
    p->data.ahead = NULL;
    bool    some = old || after >= c->pred_len;
    double *now  = some ? malloc((size_t)c->pred_len * row) : NULL;
    for (int64_t i = 0; now && i < c->pred_len; i++)
        memcpy(now + i * c->known, i < after ? f->values + (rows + i) * f->columns + first
                                             : old + (i - after) * c->known, row);
    free(old);
    p->data.ahead = now;
    return now || !some ? TIDE_OK : prediction_no_memory(failure);
}

/* Rows behind the newest origin are as if they were not there. */
static tide_status cut_to_origin(prediction *p, const origin_rules *rules, tide_failure *failure) {
    frame      *f      = &p->data.frame;
    int64_t     rows   = f->file_rows, least = p->bundle->config.seq_len;
    if (rows < least) return TIDE_OK; /* that is told with what the model needs */
    tide_status status = origins_check(f, rules, least - 1, rows - 1, failure);
    if (status != TIDE_OK) return status;
    while (!origin_at(f, rules, rows - 1)) rows--;
    status = cut_ahead(p, rows, failure);
    if (rows < f->file_rows) {
        char stamp[40];
        zoned_print(stamp, f->zone, f->time[rows - 1], &f->format);
        listener_note(&p->listener, FORECAST_STAGE_NOTE,
                      "the forecast starts from %s, the newest row at %s: the %" PRId64 " after it are passed over",
                      stamp, p->options->origins, f->file_rows - rows);
    }
    f->rows = f->file_rows = rows;
    return status;
}

/* A run that has learned from some rows of the day alone knows nothing of the others. */
static void tell_not_origin(const prediction *p) {
    const frame *f   = &p->data.frame;
    const char  *own = p->bundle->record.origins;
    origin_rules rules;
    if (!*own || !f->time || origins_parse(own, &rules, NULL) != TIDE_OK) return;
    char stamp[40];
    zoned_print(stamp, f->zone, f->time[f->file_rows - 1], &f->format);
    if (!origin_at(f, &rules, f->file_rows - 1))
        listener_note(&p->listener, FORECAST_STAGE_WARNING,
                      "the run has learned, and was measured, at %s alone, and the last row is %s: its errors and "
                      "intervals are not those of such a forecast; `data` FILE `origins` %s starts from the newest row "
                      "there", own, stamp, own);
}

static tide_status settle_origin(prediction *p, tide_failure *failure) {
    const forecast_options *o = p->options;
    const frame            *f = &p->data.frame;
    origin_rules            rules;
    tide_status             status = origins_parse(o->origins, &rules, failure);
    if (status == TIDE_OK && rules.count && (*o->data || !f->time)) status = cut_to_origin(p, &rules, failure);
    else if (status == TIDE_OK && rules.count && !origin_at(f, &rules, f->file_rows - 1))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "origins",
                       "the last of the rows that the run keeps is not at %s: `data` FILE with those up to the newest "
                       "such row", o->origins);
    if (status == TIDE_OK && strcasecmp(o->origins, "all")) tell_not_origin(p);
    return status;
}

/* Moves the last seq_len rows to the front. An ETT file's unused end counts: the future begins after the file. */
static tide_status keep_last_rows(prediction *p, tide_failure *failure) {
    frame  *f    = &p->data.frame;
    int64_t rows = p->bundle->config.seq_len, from = f->file_rows - rows;
    if (from < 0)
        return fail_at(failure, TIDE_EDATA, p->options->data, 0, NULL,
                       "the series has %" PRId64 " rows; the model needs %" PRId64, f->file_rows, rows);
    if (seasonal(p)) {
        tide_status status = take_season(p, f->values, f->file_rows, failure);
        if (status != TIDE_OK) return status;
    }
    memmove(f->values, f->values + from * f->columns, (size_t)(rows * f->columns) * sizeof *f->values);
    if (f->time) memmove(f->time, f->time + from, (size_t)rows * sizeof *f->time);
    f->rows = f->file_rows = rows;
    if (f->gaps) f->gaps = frame_gaps(f);
    return TIDE_OK;
}

/* Of gaps among the rows that the forecast starts from, and of columns that have nothing else where a past is asked
 * for: not of those that are forecast without one, nor of what is known ahead. */
static void tell_gaps(const prediction *p) {
    const frame *f       = &p->data.frame;
    int64_t      columns = f->columns, empty = -1, others = -1;
    for (int64_t c = 0; c < columns - p->bundle->config.known; c++) {
        int64_t row = 0;
        if (p->data.blind && p->data.blind[c] > 0) continue;
        while (row < f->rows && isnan(f->values[row * columns + c])) row++;
        if (row == f->rows) others++, empty = empty < 0 ? c : empty;
    }
    if (f->gaps)
        listener_note(&p->listener, FORECAST_STAGE_NOTE,
                      "of the %" PRId64 " rows that the forecast starts from %" PRId64 " cells are missing: %s",
                      f->rows, f->gaps, p->bundle->config.masked ? "the model is told which"
                                                                 : "filled with lines between their neighbours, for "
                                                                   "the model did not learn around gaps");
    if (empty < 0) return;
    char more[48] = "";
    if (others) snprintf(more, sizeof more, " (and %" PRId64 " more)", others);
    listener_note(&p->listener, FORECAST_STAGE_WARNING,
                  "'%.60s'%s holds no value in them: its forecast is little more than the mean of the training rows",
                  p->bundle->names[empty], more);
}

/* Gaps of PEMS files take the value before them, at the start the mean, as in training. */
static void fill_gaps(prediction *p) {
    frame  *f     = &p->data.frame;
    int64_t cells = f->file_rows * f->columns;
    for (int64_t i = 0; i < cells && !f->gaps; i++)
        if (isnan(f->values[i])) f->values[i] = i >= f->columns ? f->values[i - f->columns] : p->data.scaler.mean[i];
}

/* Solar and PEMS files have a layout of their own; ETT's are plain tables. */
static tide_status rows_of_file(prediction *p, tide_failure *failure) {
    forecast_kind kind = p->bundle->kind == FORECAST_SOLAR || p->bundle->kind == FORECAST_PEMS
                             ? (forecast_kind)p->bundle->kind
                             : FORECAST_CUSTOM;
    tide_status   status = loaded_data(p->options, p->bundle, kind, p->given, &p->data, failure);
    if (status != TIDE_OK) return status;
    tell_warnings(&p->listener, &p->data.frame);
    status = settle_origin(p, failure);
    if (status != TIDE_OK) return status;
    if (p->compat & FORECAST_COMPAT_SCALER_REFIT) {
        scaler_free(&p->data.scaler);
        if (scaler_fit(&p->data.frame, (block){ 0, p->data.frame.file_rows }, &p->data.scaler) != TIDE_OK)
            return prediction_no_memory(failure);
    }
    fill_gaps(p);
    return keep_last_rows(p, failure);
}

/* Marks of missing values among the rows kept in the run; a file's own are noted as it is read. */
static void tell_sentinels(const prediction *p) {
    const model_config *c = &p->bundle->config;
    for (int64_t i = 0; i < c->columns; i++) {
        sentinel one;
        char     text[320];
        if (!sentinels_find(p->bundle->tail + i, c->seq_len, c->columns, &one, 1)) continue;
        sentinel_text(text, sizeof text, p->bundle->names[i], &one);
        listener_note(&p->listener, FORECAST_STAGE_WARNING,
                      "in the %" PRId64 " rows that the forecast starts from, %s (in a new training)", c->seq_len,
                      text);
    }
}

static void *copied(const void *from, size_t bytes) {
    void *to = from ? malloc(bytes + 1) : NULL;
    return to ? memcpy(to, from, bytes) : NULL;
}

static bool copy_kept_rows(const bundle *b, frame *f) {
    size_t rows = (size_t)b->config.seq_len, columns = (size_t)b->config.columns;
    f->values    = copied(b->tail, rows * columns * sizeof *f->values);
    f->time      = copied(b->tail_time, rows * sizeof *f->time);
    f->place     = copied(b->place, columns * sizeof *f->place);
    f->time_name = b->time_name ? strdup(b->time_name) : NULL;
    f->zone      = zone_copy(b->zone);
    return f->values && !b->zone == !f->zone && !b->tail_time == !f->time && !b->place == !f->place &&
           !b->time_name == !f->time_name && time_columns_copy(&b->time_columns, &f->time_columns) &&
           long_form_copy(&b->form, &f->form);
}

/* Instants can be shown in another zone than the run's; of labels nobody knows which instants they are. */
static tide_status show_in_zone(const forecast_options *o, frame *f, tide_failure *failure) {
    if (!*o->tz || !f->time) return TIDE_OK;
    if (!f->zone)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "tz",
                       "the run keeps its last rows by local times of no zone: give `tz` with `data` FILE, or train "
                       "with it");
    zone_free(f->zone);
    return zone_open(o->tz, &f->zone, failure);
}

static tide_status rows_of_run(prediction *p, tide_failure *failure) {
    const bundle *b = p->bundle;
    frame  *f = &p->data.frame;
    tell_sentinels(p);
    f->rows = f->file_rows = b->config.seq_len, f->columns = b->config.columns;
    f->step = b->step, f->format = b->format, f->target = b->target, f->time_place = b->time_place;
    if (!copy_kept_rows(b, f)) return prediction_no_memory(failure);
    f->gaps = frame_gaps(f);
    tide_status status = show_in_zone(p->options, f, failure);
    if (status != TIDE_OK) return status;
    if (!dataset_adopt(&p->data, b)) return prediction_no_memory(failure);
    status = loaded_issued(p->options, b, &p->data, failure);
    if (status == TIDE_OK) status = loaded_holidays(p->options, b, &p->data, failure);
    if (status == TIDE_OK) status = settle_origin(p, failure);
    if (status != TIDE_OK) return status;
    bool kept = b->record.season_rows && p->season_rows <= b->record.season;
    if (!seasonal(p)) return TIDE_OK;
    return take_season(p, kept ? b->record.season_rows : f->values, kept ? b->record.season : f->rows, failure);
}

tide_status prediction_rows(prediction *p, tide_failure *failure) {
    bool        own    = !*p->options->data && !p->given;
    tide_status status = own ? rows_of_run(p, failure) : rows_of_file(p, failure);
    if (status == TIDE_OK) tell_gaps(p);
    return status;
}
