/* What is known of the rows to come. Every row must be there, by its stamp: nothing is filled. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/frame_reading.h"
#include "forecast/data/zoned.h"
#include "prediction.h"

/* What the series' own source says of them; NULL: nothing. */
static const double *own(const prediction *p) {
    return *p->options->data || p->given ? p->data.ahead : p->bundle->ahead;
}

/* Columns that somebody must say: holidays follow from the stamps, and what was issued is in a file of its own. */
static int64_t asked(const prediction *p) {
    return p->bundle->config.known - p->bundle->issued_columns - p->bundle->holiday_columns;
}

static tide_status no_future(const prediction *p, tide_failure *failure) {
    const bundle *b = p->bundle;
    char          names[200], first[40] = "", last[40] = "", when[120] = "";
    int64_t       seq = b->config.seq_len, pred = b->config.pred_len;
    list_columns(names, sizeof names, json_string_value(json_object_get(b->reading, "categorical")),
                 b->names + b->config.columns - b->config.known, asked(p));
    if (p->time) {
        zoned_print(first, p->data.frame.zone, p->time[seq], &p->data.frame.format);
        zoned_print(last, p->data.frame.zone, p->time[seq + pred - 1], &p->data.frame.format);
        snprintf(when, sizeof when, ", %s to %s", first, last);
    }
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "future",
                   "the model goes by what is known of the %" PRId64 " rows to come%s: `future` FILE with %s, or these "
                   "rows at the end of `data`, without values in the other columns", pred, when, names);
}

/* Does it say which instants its stamps are? */
static bool has_instants(const frame *f) { return f->zone || f->format.kind != 'd' || *f->format.offset; }

static int64_t moment(const frame *f, int64_t time, bool instant) {
    if (!instant) return zone_label(f->zone, time);
    return f->zone ? time : time - time_offset(&f->format);
}

/* The row of the file that has this stamp, from `from` on; -1: none has. Without stamps they go by their order. */
static int64_t row_at(const prediction *p, const frame *f, int64_t step, int64_t from) {
    if (!p->time) return step < f->file_rows ? step : -1;
    const frame *past    = &p->data.frame;
    bool         instant = has_instants(f) && has_instants(past);
    int64_t      wanted  = moment(past, p->time[p->bundle->config.seq_len + step], instant);
    for (int64_t i = from; f->time && i < f->file_rows; i++)
        if (moment(f, f->time[i], instant) == wanted) return i;
    return -1;
}

/* `name` NULL: the row itself is not there. */
static tide_status fail_row(const prediction *p, const frame *f, int64_t step, const char *name,
                            tide_failure *failure) {
    char which[60], what[100] = "there is no row";
    int64_t seq = p->bundle->config.seq_len;
    snprintf(which, sizeof which, "row %" PRId64 " to come", step + 1);
    if (p->time) zoned_print(which, p->data.frame.zone, p->time[seq + step], &p->data.frame.format);
    if (name) snprintf(what, sizeof what, "'%.60s' has no value", name);
    return fail_at(failure, TIDE_EDATA, f->path, 0, name,
                   "%s for %s, one of the %" PRId64 " rows that are forecast: what is known ahead is needed for each",
                   what, which, p->bundle->config.pred_len);
}

static tide_status match_rows(const prediction *p, const frame *f, double *known, tide_failure *failure) {
    int64_t at = -1, columns = asked(p), wide = p->bundle->config.known;
    if (p->time && !f->time)
        return fail_at(failure, TIDE_EDATA, f->path, 1, p->data.frame.time_name,
                       "there are no time stamps to tell by which rows are meant");
    for (int64_t s = 0; s < p->bundle->config.pred_len; s++) {
        at = row_at(p, f, s, at + 1);
        if (at < 0) return fail_row(p, f, s, NULL, failure);
        for (int64_t c = 0; c < columns; c++)
            if (isnan(known[s * wide + c] = f->values[at * columns + c]))
                return fail_row(p, f, s, f->names[c], failure);
    }
    return TIDE_OK;
}

static tide_status read_future(const prediction *p, double *known, tide_failure *failure) {
    frame       f      = { 0 };
    tide_status status = loaded_future(p->options, p->bundle, &f, failure);
    if (status == TIDE_OK) tell_warnings(&p->listener, &f);
    if (status == TIDE_OK) status = match_rows(p, &f, known, failure);
    frame_free(&f);
    return status;
}

/* The newest that had been issued by the last row of the past. */
static tide_status fill_issued(const prediction *p, double *known, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    int64_t             count = p->bundle->issued_columns, first = asked(p);
    for (int64_t i = 0; i < c->pred_len * count; i++) {
        int64_t     step = i / count, column = first + i % count, origin = p->time[c->seq_len - 1];
        const char *name = p->bundle->names[c->columns - c->known + column];
        char        row[60], at[60];
        known[step * c->known + column] = issues_value(&p->data.issues, p->time[c->seq_len + step], origin, i % count);
        if (!isnan(known[step * c->known + column])) continue;
        zoned_print(row, p->data.frame.zone, p->time[c->seq_len + step], &p->data.frame.format);
        zoned_print(at, p->data.frame.zone, origin, &p->data.frame.format);
        return fail_at(failure, TIDE_EDATA, p->options->issued, 0, name,
                       "no value of '%.60s' for %s had been issued by %s, the last row before the forecast: what is "
                       "known ahead is needed for each of the %" PRId64 " rows", name, row, at, c->pred_len);
    }
    return TIDE_OK;
}

/* By the stamps of the rows to come; says where these come after the last holiday that is known. */
static void fill_holidays(const prediction *p, double *known) {
    const model_config *c = &p->bundle->config;
    const dataset      *d = &p->data;
    const struct zone  *zone = d->frame.zone;
    char                last[40];
    for (int64_t i = 0; i < c->pred_len * d->holiday_columns; i++) {
        int64_t step = i / d->holiday_columns, column = c->known - d->holiday_columns + i % d->holiday_columns;
        known[step * c->known + column] = holidays_value(&d->holidays, p->bundle->names[c->columns - c->known + column],
                                                         zone_label(zone, p->time[c->seq_len + step]),
                                                         p->bundle->step);
    }
    if (!d->holiday_columns ||
        !holidays_end_before(&d->holidays, zone_label(zone, p->time[c->seq_len + c->pred_len - 1])))
        return;
    holidays_last(&d->holidays, last);
    listener_note(&p->listener, FORECAST_STAGE_WARNING,
                  "the forecast goes on after the last holiday that is known, %s: no day counts as one from there on; "
                  "`holidays` FILE with later ones takes the place of those that the run keeps", last);
}

tide_status prediction_known(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    int64_t numbers = c->pred_len * c->known, first = c->columns - c->known;
    if (!c->known && !*p->options->future) return TIDE_OK;
    if (!asked(p) && *p->options->future)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "future",
                       "no column of this run is known ahead: `known` names them in training");
    if (asked(p) && !*p->options->future && !own(p)) return no_future(p, failure);
    double *known = malloc((size_t)numbers * sizeof *known + 1);
    p->known      = malloc((size_t)numbers * sizeof *p->known + 1);
    tide_status status = known && p->known ? TIDE_OK : prediction_no_memory(failure);
    if (status == TIDE_OK && *p->options->future) status = read_future(p, known, failure);
    else if (status == TIDE_OK && asked(p)) memcpy(known, own(p), (size_t)numbers * sizeof *known);
    if (status == TIDE_OK) status = fill_issued(p, known, failure);
    if (status == TIDE_OK) fill_holidays(p, known);
    for (int64_t i = 0; status == TIDE_OK && i < numbers; i++) {
        int64_t column = first + i % c->known;
        p->known[i] = (float)((known[i] - p->data.scaler.mean[column]) / p->data.scaler.std[column]);
        if (isnan(p->known[i])) status = fail_row(p, &p->data.frame, i / c->known, p->bundle->names[column], failure);
    }
    free(known);
    return status;
}
