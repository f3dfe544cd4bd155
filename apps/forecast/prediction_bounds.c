/* --lower and --upper: what no forecast, no bound of an interval and no sample path goes beyond. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/util.h"
#include "prediction.h"

static int64_t column_named(const prediction *p, const char *name, size_t length) {
    const model_config *c = &p->bundle->config;
    for (int64_t i = 0; i < c->out_count; i++) {
        const char *own = p->bundle->names[c->out_first + i];
        if (strlen(own) == length && !strncmp(own, name, length)) return i;
    }
    return -1;
}

static tide_status refuse_name(const prediction *p, const char *option, const char *name, int length,
                               tide_failure *failure) {
    char list[200];
    names_list(list, sizeof list, p->bundle->names + p->bundle->config.out_first, p->bundle->config.out_count);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "`%s` names '%.*s', which is not forecast; these are: %s", option, MIN2(length, 80), name, list);
}

/* "X" for all columns or "NAME=X" for one; what follows the last '=' is the number. */
static tide_status put_item(const prediction *p, const char *option, const char *item, size_t length, double *limit,
                            tide_failure *failure) {
    const char *number = item;
    char       *end;
    for (size_t i = 0; i < length; i++)
        if (item[i] == '=') number = item + i + 1;
    double value = num_parse(number, &end);
    end += strspn(end, " ");
    if (end == number || end != item + length || !isfinite(value))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                       "`%s` is a number for all columns, or NAME=X,... for some, not '%.80s'", option, item);
    size_t  name = number > item ? (size_t)(number - item) - 1 : 0;
    int64_t one  = number > item ? column_named(p, item, name) : -1;
    if (number > item && one < 0) return refuse_name(p, option, item, (int)name, failure);
    for (int64_t i = 0; i < p->bundle->config.out_count; i++)
        if (one < 0 || i == one) limit[i] = value;
    return TIDE_OK;
}

static tide_status read_limits(const prediction *p, const char *option, const char *text, double *limit,
                               tide_failure *failure) {
    tide_status status = TIDE_OK;
    while (*text && status == TIDE_OK) {
        size_t length = strcspn(text, ",");
        status = put_item(p, option, text, length, limit, failure);
        text += length + (text[length] == ',');
    }
    return status;
}

tide_status prediction_read_bounds(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    if (!*p->options->lower && !*p->options->upper) return TIDE_OK;
    if (!(p->lower = malloc((size_t)(2 * c->out_count) * sizeof *p->lower + 1))) return prediction_no_memory(failure);
    p->upper = p->lower + c->out_count;
    for (int64_t i = 0; i < c->out_count; i++) p->lower[i] = -INFINITY, p->upper[i] = INFINITY;
    tide_status status = read_limits(p, "lower", p->options->lower, p->lower, failure);
    if (status == TIDE_OK) status = read_limits(p, "upper", p->options->upper, p->upper, failure);
    for (int64_t i = 0; status == TIDE_OK && i < c->out_count; i++)
        if (p->lower[i] > p->upper[i])
            status = fail_at(failure, TIDE_EINVAL, NULL, 0, "lower",
                             "`lower` %.9g of '%.80s' is above its `upper`, %.9g", p->lower[i],
                             p->bundle->names[c->out_first + i], p->upper[i]);
    return status;
}

/* How many were beyond. */
static int64_t clamp(double *values, int64_t count, double lower, double upper) {
    int64_t beyond = 0;
    for (int64_t i = 0; i < count; i++) {
        beyond += values[i] < lower || values[i] > upper;
        if (values[i] < lower) values[i] = lower;
        else if (values[i] > upper) values[i] = upper;
    }
    return beyond;
}

void prediction_clamp_path(const prediction *p, double *path) {
    const model_config *c = &p->bundle->config;
    for (int64_t i = 0; p->lower && i < c->pred_len * c->out_count; i++)
        clamp(path + i, 1, p->lower[i % c->out_count], p->upper[i % c->out_count]);
}

void prediction_clamp(prediction *p) {
    const model_config *c = &p->bundle->config;
    int64_t numbers = c->pred_len * c->out_count, sides = 2 * p->levels.count;
    if (!p->lower) return;
    for (int64_t i = 0; i < numbers; i++) {
        double lower = p->lower[i % c->out_count], upper = p->upper[i % c->out_count];
        p->clamped += clamp(p->values + i, 1, lower, upper);
        if (p->bands) p->clamped_bounds += clamp(p->bands + i * sides, sides, lower, upper);
    }
    char bounds[80] = "";
    if (p->bands)
        snprintf(bounds, sizeof bounds, " and %" PRId64 " of %" PRId64 " bounds of intervals", p->clamped_bounds,
                 numbers * sides);
    if (p->clamped + p->clamped_bounds)
        listener_note(&p->listener, FORECAST_STAGE_NOTE,
                      "%" PRId64 " of %" PRId64 " forecasts%s lay beyond `lower` or `upper` and were set to it",
                      p->clamped, numbers, bounds);
}
