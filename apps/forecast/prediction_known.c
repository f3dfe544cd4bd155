/* What is known of the rows to come. Every row must be there, by its stamp: nothing is filled. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/util.h"
#include "forecast/data/zoned.h"
#include "prediction.h"

/* What the series' own source says of them; NULL: nothing. */
static const double *own(const prediction *p) { return *p->options->data ? p->data.ahead : p->bundle->ahead; }

static tide_status no_future(const prediction *p, tide_failure *failure) {
    const bundle *b = p->bundle;
    char          names[200], first[40] = "", last[40] = "", when[120] = "";
    int64_t       seq = b->config.seq_len, pred = b->config.pred_len;
    names_list(names, sizeof names, b->names + b->config.columns - b->config.known, b->config.known);
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
    int64_t at = -1, columns = p->bundle->config.known;
    if (p->time && !f->time)
        return fail_at(failure, TIDE_EDATA, f->path, 1, p->data.frame.time_name,
                       "there are no time stamps to tell by which rows are meant");
    for (int64_t s = 0; s < p->bundle->config.pred_len; s++) {
        at = row_at(p, f, s, at + 1);
        if (at < 0) return fail_row(p, f, s, NULL, failure);
        for (int64_t c = 0; c < columns; c++)
            if (isnan(known[s * columns + c] = f->values[at * columns + c]))
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

tide_status prediction_known(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    int64_t numbers = c->pred_len * c->known, first = c->columns - c->known;
    if (!c->known && !*p->options->future) return TIDE_OK;
    if (!c->known)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "future",
                       "no column of this run is known ahead: `known` names them in training");
    if (!*p->options->future && !own(p)) return no_future(p, failure);
    double *known = malloc((size_t)numbers * sizeof *known + 1);
    p->known      = malloc((size_t)numbers * sizeof *p->known + 1);
    tide_status status = known && p->known ? TIDE_OK : prediction_no_memory(failure);
    if (status == TIDE_OK && *p->options->future) status = read_future(p, known, failure);
    else if (status == TIDE_OK) memcpy(known, own(p), (size_t)numbers * sizeof *known);
    for (int64_t i = 0; status == TIDE_OK && i < numbers; i++) {
        int64_t column = first + i % c->known;
        p->known[i] = (float)((known[i] - p->data.scaler.mean[column]) / p->data.scaler.std[column]);
        if (isnan(p->known[i])) status = fail_row(p, &p->data.frame, i / c->known, p->bundle->names[column], failure);
    }
    free(known);
    return status;
}
