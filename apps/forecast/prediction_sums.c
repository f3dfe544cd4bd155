/* --sum and --sum-horizon: series that are sums of others, and sums over the rows that are forecast (score/sums.h). */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/score/sums.h"
#include "prediction.h"

/* What is written has the stamps, and paths their numbers, in columns of their own. */
static tide_status check_names(const prediction *p, tide_failure *failure) {
    const time_columns *t = &p->bundle->time_columns;
    for (int64_t k = 0; k < p->sums.count; k++)
        for (int i = 0; i < t->count; i++)
            if (!strcmp(p->sums.name[k], t->of[i].name))
                return fail_at(failure, TIDE_EINVAL, NULL, 0, "sum",
                               "a sum cannot be called '%.80s', as the time stamps are: another name", t->of[i].name);
    for (int64_t k = 0; p->options->paths && k < p->series; k++)
        if (!strcmp(prediction_name(p, k), PATH_COLUMN))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "paths",
                           "the file of paths has their numbers in a column '" PATH_COLUMN "', and a series or sum is "
                           "called so, too: leave `paths` out");
    return TIDE_OK;
}

static sum_plan plan_of(const prediction *p) {
    const model_config *c = &p->bundle->config;
    return (sum_plan){ .h = &p->sums, .columns = c->out_count, .count = c->pred_len,
                       .over_rows = p->options->sum_horizon };
}

tide_status prediction_read_sums(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    tide_status status = hierarchy_read(p->options->sum, p->bundle->names + c->out_first, c->out_count, &p->sums,
                                        failure);
    sum_plan plan = plan_of(p);
    p->series = sums_series(&plan), p->rows = sums_rows(&plan);
    return status == TIDE_OK ? check_names(p, failure) : status;
}

bool prediction_adds(const prediction *p) { return p->sums.count || p->options->sum_horizon; }

const char *prediction_name(const prediction *p, int64_t series) {
    const model_config *c = &p->bundle->config;
    return series < c->out_count ? p->bundle->names[c->out_first + series] : p->sums.name[series - c->out_count];
}

void prediction_round(double *values, int64_t count) {
    char text[40];
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        num_format(text, values[i], true);
        values[i] = num_parse(text, NULL);
    }
}

void prediction_add_up(const prediction *p, const double *cells, double *out) {
    sum_plan plan = plan_of(p);
    sums_add_up(&plan, cells, out);
}

/* ---- bounds ---- */

/* Of the sums alone or, over the horizon, of everything: series from `first` on. `of` (rows, wide, count):
 * what evenly spread paths add up to, the same ones whatever the seed. */
typedef struct samples { int64_t first, wide, count; double *of; } samples;

static bool samples_take(const prediction *p, samples *s) {
    enum { MOST_PATHS = 1000, FEWEST_PATHS = 200, MOST_NUMBERS = 16 << 20 };
    const model_config *c = &p->bundle->config;
    s->first = p->options->sum_horizon ? 0 : c->out_count, s->wide = p->series - s->first;
    s->count = MAX2(FEWEST_PATHS, MIN2(MOST_PATHS, MOST_NUMBERS / MAX2(p->rows * s->wide, 1)));
    double *cells = malloc((size_t)(c->pred_len * c->out_count + p->rows * p->series) * sizeof *cells + 1);
    s->of         = malloc((size_t)(p->rows * s->wide * s->count) * sizeof *s->of + 1);
    bool memory   = cells && s->of;
    for (int64_t i = 0; memory && i < s->count; i++) {
        double *sums = cells + c->pred_len * c->out_count;
        prediction_path(p, path_spread(i, s->count), cells);
        prediction_add_up(p, cells, sums);
        for (int64_t k = 0; k < p->rows * s->wide; k++)
            s->of[k * s->count + i] = sums[k / s->wide * p->series + s->first + k % s->wide];
    }
    free(cells);
    return memory;
}

/* Of the series that are no sums the bounds stay, but over the horizon. */
static tide_status sum_bands(prediction *p, tide_failure *failure) {
    int64_t sides = 2 * p->levels.count, columns = p->bundle->config.out_count;
    samples s     = { 0 };
    double *bands = malloc((size_t)(p->rows * p->series * sides) * sizeof *bands + 1);
    bool    memory = bands && samples_take(p, &s);
    for (int64_t row = 0; memory && row < p->rows; row++)
        for (int64_t k = 0; k < p->series; k++) {
            double *out = bands + (row * p->series + k) * sides;
            if (k < s.first) memcpy(out, p->bands + (row * columns + k) * sides, (size_t)sides * sizeof *out);
            else
                sums_bounds(s.of + (row * s.wide + k - s.first) * s.count, s.count, p->levels.of, p->levels.count, out);
        }
    free(s.of);
    if (!memory) return free(bands), prediction_no_memory(failure);
    free(p->bands);
    p->bands = bands;
    return TIDE_OK;
}

tide_status prediction_sum(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    if (!prediction_adds(p)) return TIDE_OK;
    double *values = malloc((size_t)(p->rows * p->series) * sizeof *values + 1);
    if (!values) return prediction_no_memory(failure);
    prediction_round(p->values, c->pred_len * c->out_count);
    prediction_add_up(p, p->values, values);
    free(p->values);
    p->values = values;
    return p->levels.count ? sum_bands(p, failure) : TIDE_OK;
}
