/* What the inputs are called, and whose forecasts are explained one by one. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "explaining.h"
#include "forecast/data/frame_reading.h"
#include "forecast/data/marks.h"

enum { MOST_TARGETS = 16, LEAST_TARGETS = 4, MOST_PAIRS = 1024 };
static const int64_t MOST_NUMBERS = 16000000; /* of by_row, all targets together */

tide_status explaining_inputs(explaining *e, tide_failure *failure) {
    const model_config *c   = explained_config(e);
    forecast_inputs    *out = e->out;
    out->seq_len = c->seq_len, out->pred_len = c->pred_len, out->targets = c->out_count;
    out->input = calloc((size_t)(c->columns + c->marks) + 1, sizeof *out->input);
    if (!out->input) return explaining_no_memory(failure);
    out->count = c->columns + c->marks;
    for (int64_t i = 0; i < out->count; i++) {
        bool        mark = i >= c->columns, known = i >= c->columns - c->known;
        const char *name = mark ? mark_name(marks_of(e->data->mark_step)[i - c->columns]) : e->data->frame.names[i];
        out->input[i] = (forecast_input){ strdup(name), mark    ? FORECAST_INPUT_CALENDAR
                                                        : known ? FORECAST_INPUT_KNOWN
                                                                : FORECAST_INPUT_SERIES, 0, 0 };
        if (!out->input[i].name) return explaining_no_memory(failure);
    }
    return TIDE_OK;
}

/* ---- targets ---- */

/* Fewer where inputs are many: the time of each grows with them. */
static int64_t usual_targets(const explaining *e) {
    const model_config *c    = explained_config(e);
    int64_t             room = MOST_NUMBERS / (e->out->count * (c->seq_len + c->pred_len));
    int64_t             some = MAX2(LEAST_TARGETS, MIN2(MOST_TARGETS, MOST_PAIRS / e->out->count));
    return MAX2(1, MIN2(MIN2(some, room), c->out_count));
}

static int64_t target_named(const explaining *e, const char *name, size_t length) {
    const model_config *c = explained_config(e);
    for (int64_t i = 0; i < c->out_count; i++) {
        const char *own = e->data->frame.names[c->out_first + i];
        if (strlen(own) == length && !memcmp(own, name, length)) return i;
    }
    return -1;
}

static tide_status not_a_target(const explaining *e, const char *name, size_t length, tide_failure *failure) {
    const model_config *c = explained_config(e);
    char list[200];
    names_list(list, sizeof list, e->data->frame.names + c->out_first, c->out_count);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "targets", "'%.*s' is no column that the run forecasts: %s",
                   (int)MIN2(length, 100), name, list);
}

static bool chosen(const explaining *e, int64_t count, int64_t target) {
    for (int64_t i = 0; i < count; i++)
        if (e->target[i] == target) return true;
    return false;
}

/* A comma-separated list; blanks around a name do not count, but for a column whose own name has them. */
static tide_status choose(explaining *e, const char *wanted, int64_t *count, tide_failure *failure) {
    for (size_t length; *wanted; wanted += length + (wanted[length] == ',')) {
        const char *from = wanted;
        length           = strcspn(wanted, ",");
        size_t  size     = length;
        int64_t found    = target_named(e, from, size);
        while (found < 0 && size && *from == ' ') from++, size--;
        while (found < 0 && size && from[size - 1] == ' ') size--;
        if (!size) continue;
        if (found < 0 && (found = target_named(e, from, size)) < 0) return not_a_target(e, from, size, failure);
        if (!chosen(e, *count, found)) e->target[(*count)++] = found;
    }
    return TIDE_OK;
}

static bool explained_new(const explaining *e, int64_t target, forecast_explained *out) {
    const model_config *c = explained_config(e);
    size_t rows = (size_t)(e->out->count * (c->seq_len + c->pred_len));
    *out = (forecast_explained){ .name   = strdup(e->data->frame.names[c->out_first + target]),
                                 .of     = calloc((size_t)e->out->count + 1, sizeof *out->of),
                                 .by_row = calloc(rows + 1, sizeof *out->by_row) };
    return out->name && out->of && out->by_row;
}

tide_status explaining_targets(explaining *e, const char *wanted, tide_failure *failure) {
    forecast_inputs *out   = e->out;
    int64_t          count = 0, most = usual_targets(e);
    e->target = malloc((size_t)explained_config(e)->out_count * sizeof *e->target + 1);
    if (!e->target) return explaining_no_memory(failure);
    tide_status status = choose(e, wanted, &count, failure);
    if (status != TIDE_OK) return status;
    for (int64_t i = 0; !count && i < most; i++) e->target[i] = i;
    if (!count) count = most;
    out->explained = calloc((size_t)count + 1, sizeof *out->explained);
    if (!out->explained) return explaining_no_memory(failure);
    for (; out->explained_count < count; out->explained_count++)
        if (!explained_new(e, e->target[out->explained_count], &out->explained[out->explained_count])) {
            out->explained_count++; /* what of it is there is freed with the others */
            return explaining_no_memory(failure);
        }
    return TIDE_OK;
}
