/* The members' forecasts of the validation windows, side by side, and the weights that follow from their errors. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "ensemble.h"
#include "train/step.h"

_Static_assert((int)STACKING_MOST == (int)ENSEMBLE_MEMBERS && (int)FORECAST_MAX_MEMBERS == (int)ENSEMBLE_MEMBERS,
               "there is room for every member");

static const double LEAST_WEIGHT = 0.02; /* a member that has less in every column is not kept */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the weights of the members");
}

/* ---- errors ---- */

static tide_status add_batch(const trainer *t, window_program *p, const window_set *w, int64_t at, int64_t count,
                             stacking *s, float *truth, tide_failure *failure) {
    const model_config *c = &t->config;
    int32_t starts[MOST_BATCH];
    int     arch[ENSEMBLE_MEMBERS];
    int64_t each = ensemble_members(t->ensemble->trained, arch) * c->out_count * c->pred_len;
    for (int64_t i = 0; i < count; i++) starts[i] = (int32_t)window_start(w, at + i);
    tide_status status = run_windows(p, starts, count, failure);
    if (status != TIDE_OK) return status;
    const float *forecasts = tide_data(p->prediction);
    if (!forecasts) return train_unread(p->prediction.graph, "the forecasts of the members", failure);
    for (int64_t i = 0; i < count; i++) {
        dataset_truth(&t->data, starts[i], c->seq_len, c->pred_len, truth);
        stacking_add(s, at + i, forecasts + i * each, truth);
    }
    return TIDE_OK;
}

static tide_status add_windows(const trainer *t, window_program *p, window_set w, stacking **out,
                               tide_failure *failure) {
    const model_config *c = &t->config;
    int         arch[ENSEMBLE_MEMBERS], members = ensemble_members(t->ensemble->trained, arch);
    float      *truth  = malloc((size_t)(c->pred_len * c->out_count) * sizeof *truth + 1);
    stacking   *s      = *out = stacking_new(members, c->out_count, c->pred_len, w.count, window_set_apart(&w));
    tide_status status = truth && s ? TIDE_OK : no_memory(failure);
    for (int64_t at = 0; status == TIDE_OK && at < w.count; at += p->batch) {
        status = add_batch(t, p, &w, at, MIN2(p->batch, w.count - at), s, truth, failure);
        forecast_event event = { .stage = FORECAST_STAGE_SCORE, .batch = at / p->batch + 1,
                                 .batches = ceil_div(w.count, p->batch) };
        if (status == TIDE_OK && listener_tell(&t->listener, event))
            status = fail(failure, TIDE_ECANCELLED, "stopped while the members were weighed");
    }
    free(truth);
    return status;
}

/* All that were trained, as one network whose weights do not matter. */
static tide_status measure(trainer *t, stacking **val, stacking **test, tide_failure *failure) {
    ensemble_training *e = t->ensemble;
    window_program     p;
    session            s = { 0 };
    window_set         w = dataset_windows(&t->data, t->data.split.val, t->config.seq_len, t->config.pred_len);
    model_config all = t->config;
    all.members = e->trained;
    tide_status status = session_open(t->options, &all, &t->data, &s, failure);
    if (status == TIDE_OK) status = members_load(e, &s, failure);
    if (status == TIDE_OK) status = session_scoring_all(&s, w.count, WINDOW_MEMBERS, &p, failure);
    if (status == TIDE_OK) status = add_windows(t, &p, w, val, failure);
    if (status == TIDE_OK) status = add_windows(t, &p, trainer_test_windows(t), test, failure);
    session_free(&s);
    return status;
}

/* ---- weights ---- */

static int index_of(const ensemble_training *e, int arch) {
    int i = 0;
    while (e->arch[i] != arch) i++;
    return i;
}

/* What is told of each member: its errors, and its weights over the columns. */
static void tell_member(forecast_member *m, const stacking *val, const stacking *test, int place,
                        const float *weights, int64_t columns) {
    double sum = 0;
    m->validation_mse = stacking_mse(val, place), m->test_mse = stacking_mse(test, place);
    m->weight_low = (double)INFINITY, m->weight_high = 0;
    for (int64_t c = 0; c < columns; c++) {
        double w = (double)weights[place * columns + c];
        sum += w;
        m->weight_low = fmin(m->weight_low, w), m->weight_high = fmax(m->weight_high, w);
    }
    m->weight = sum / (double)columns;
}

/* By place among those that were trained. */
static unsigned with_weight(const float *weights, int members, int64_t columns) {
    unsigned kept = 0;
    for (int k = 0; k < members; k++)
        for (int64_t c = 0; c < columns; c++)
            if ((double)weights[k * columns + c] >= LEAST_WEIGHT) kept |= 1U << k;
    return kept;
}

static unsigned with_finite_errors(const stacking *val, int members) {
    unsigned used = 0;
    for (int k = 0; k < members; k++)
        if (isfinite(stacking_mse(val, k))) used |= 1U << k;
    return used;
}

/* Once among all, and once more among those that have any. */
static tide_status solve(trainer *t, const stacking *val, const stacking *test, tide_failure *failure) {
    ensemble_training *e = t->ensemble;
    int      arch[ENSEMBLE_MEMBERS], members = ensemble_members(e->trained, arch);
    int64_t  columns = t->config.out_count;
    unsigned used    = with_finite_errors(val, members);
    if (!used)
        return fail_at(failure, TIDE_EDATA, t->data.frame.path, 0, "val",
                       "no member's error on the validation windows is a number, so none can be given a weight");
    if (!(e->weights = calloc((size_t)(members * columns) + 1, sizeof *e->weights)) ||
        !stacking_solve(val, used, e->weights, &e->rule))
        return no_memory(failure);
    used = with_weight(e->weights, members, columns);
    if (!stacking_solve(val, used, e->weights, &e->rule)) return no_memory(failure);
    for (int k = 0, at = 0; k < members; k++) {
        tell_member(&e->told[index_of(e, arch[k])], val, test, k, e->weights, columns);
        if (!(used >> k & 1)) continue;
        e->kept |= 1U << arch[k];
        memmove(e->weights + at++ * columns, e->weights + k * columns, (size_t)columns * sizeof *e->weights);
    }
    return TIDE_OK;
}

tide_status members_weigh(trainer *t, tide_failure *failure) {
    stacking   *val = NULL, *test = NULL;
    tide_status status = measure(t, &val, &test, failure);
    if (status == TIDE_OK) status = solve(t, val, test, failure);
    stacking_free(val);
    stacking_free(test);
    return status;
}
