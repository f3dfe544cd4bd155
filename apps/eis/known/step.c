/* The known network on its rows: what a step computes, and how a set of samples is scored. */
#include "step.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

/* ---- the step ---- */

typedef struct batch_values { tide_val x, unknown, label, target, real; } batch_values;  /* unknown, label: (b, 5) */

static batch_values gather(tide_val table, tide_val index) {
    tide_val rows = tide_gather(table, 0, index), mask = tide_slice(rows, 1, SAMPLE_MASK, SAMPLE_LABEL);
    return (batch_values){ .x = tide_slice(rows, 1, 0, KNOWN_FEATURES), .unknown = tide_add_scalar(tide_neg(mask), 1),
                           .label  = tide_slice(rows, 1, SAMPLE_LABEL, SAMPLE_TARGET),
                           .target = tide_squeeze(tide_slice(rows, 1, SAMPLE_TARGET, SAMPLE_REAL), 1),
                           .real   = tide_squeeze(tide_slice(rows, 1, SAMPLE_REAL, SAMPLE_WIDTH), 1) };
}

/* What follows is of the samples `b`, each mean over the whole batch `all`: what parts of a batch give adds up.
 *
 * The mean over the parameters that are missing anywhere of the mean over where they are. */
static tide_val cross_entropy(const known_session *s, tide_val logits, const batch_values *b, const batch_values *all) {
    tide_graph *g      = s->graph;
    tide_val classes = tide_cast(tide_arange(g, TIDE_I32, s->network.sizes.points), TIDE_F32), zero = tide_scalar(g, 0),
             one = tide_scalar(g, 1);
    tide_val    chosen = tide_eq(tide_expand_dims(b->label, -1), classes);
    tide_val    logit  = tide_sum(tide_where(chosen, logits, zero), TIDE_AXES(-1));
    tide_val    each   = tide_mul(tide_sub(tide_logsumexp(logits, TIDE_AXES(-1)), logit), b->unknown);
    tide_val    count  = tide_sum(all->unknown, TIDE_AXES(0));
    tide_val    means  = tide_div(tide_sum(each, TIDE_AXES(0)), tide_maximum(count, one));
    tide_val    seen   = tide_sum(tide_cast(tide_gt(count, zero), TIDE_F32), TIDE_ALL);
    return tide_div(tide_sum(means, TIDE_ALL), tide_maximum(seen, one));
}

static tide_val share_right(tide_val logits, const batch_values *b, const batch_values *all) {
    tide_val right = tide_cast(tide_eq(tide_cast(tide_argmax(logits, -1), TIDE_F32), b->label), TIDE_F32);
    return tide_div(tide_sum(tide_mul(right, b->unknown), TIDE_ALL),
                    tide_maximum(tide_sum(all->unknown, TIDE_ALL), tide_scalar(logits.graph, 1)));
}

static tide_val square_error(tide_val resnorm, const batch_values *b, const batch_values *all) {
    return tide_div(tide_sum(tide_mul(tide_square(tide_sub(resnorm, b->target)), b->real), TIDE_ALL),
                    tide_sum(all->real, TIDE_ALL));
}

static train_loss loss_of(const known_session *s, tide_val table) {
    batch_values b      = gather(table, s->index), whole = s->all.graph ? gather(table, s->all) : b;
    tide_val     resnorm, logits = known_network_apply(&s->network, b.x, TIDE_TRAIN, &resnorm);
    tide_val     entropy = cross_entropy(s, logits, &b, &whole), error = square_error(resnorm, &b, &whole);
    return (train_loss){ .numerator = tide_add(entropy, tide_mul_scalar(error, 0.5)),
                         .metric    = share_right(logits, &b, &whole) };
}

static tide_status make_step(const known_settings *o, const known_samples *train, known_session *s,
                             tide_failure *failure) {
    tide_graph *g     = s->graph;
    train_rule  rule  = o->rule;
    tide_shape  shape = TIDE_SHAPE(rule.ranks ? s->batch + 1 : train->held + 1, SAMPLE_WIDTH);
    tide_val    table = rule.ranks ? tide_input(g, "rows", TIDE_F32, shape)
                                   : tide_constant(g, TIDE_F32, shape, train->row);
    tide_status status = train_parts_check(s->batch, rule.parts, rule.ranks, failure);
    if (status != TIDE_OK) return status;
    rule.scaled = tide_precision_here(g, rule.compile.precision, NULL) == TIDE_PRECISION_F16;
    if (rule.ranks) s->rows = table;
    train_step_begin(&s->step, g, s->network.params, s->batch, &rule);
    s->index = tide_input(g, "samples", TIDE_I32, TIDE_SHAPE(s->step.samples));
    if (s->step.parts > 1) s->all = tide_input(g, "all", TIDE_I32, TIDE_SHAPE(s->batch));
    return train_step_end(&s->step, loss_of(s, table), failure);
}

static tide_status make_score(known_session *s, tide_failure *failure) {
    s->x        = tide_input(s->graph, "x", TIDE_F32, TIDE_SHAPE(SCORE_BATCH, KNOWN_FEATURES));
    s->log_p    = tide_log_softmax(known_network_apply(&s->network, s->x, TIDE_EVAL, &s->resnorm), -1);
    s->score    = tide_compile(TIDE_LIST(s->log_p, s->resnorm), NULL);
    return train_compiled(s->graph, s->score, failure);
}

tide_status known_session_open(const known_settings *o, const known_samples *train, known_session *s,
                               tide_failure *failure) {
    *s = (known_session){ .batch = o->batch, .filling = o->rule.ranks ? o->batch : train->held };
    s->full = malloc((size_t)o->batch * sizeof *s->full + 1);
    s->row  = calloc((size_t)(o->rule.ranks ? o->batch + 1 : 1) * SAMPLE_WIDTH, sizeof *s->row);
    if (!s->full || !s->row) return fail(failure, TIDE_ENOMEM, "out of memory for a batch");
    tide_status status = TIDE_OK;
    if (o->rule.ranks) {
        memcpy(s->row + o->batch * SAMPLE_WIDTH, train->row + train->held * SAMPLE_WIDTH,
               SAMPLE_WIDTH * sizeof *s->row);
        status = known_shared_new(o->rule.ranks, train, o->batch, &s->shared, failure);
    }
    if (status == TIDE_OK) status = train_graph_new(&o->graph, &s->graph, failure);
    if (status != TIDE_OK) return status;
    known_network_new(s->graph, known_sizes_of(o->hidden, o->points), &s->network);
    status = make_step(o, train, s, failure);
    return status == TIDE_OK ? make_score(s, failure) : status;
}

void known_session_close(known_session *s) {
    train_step_free(&s->step);
    tide_graph_free(s->graph);
    free(s->full);
    free(s->row);
    known_shared_free(&s->shared);
    *s = (known_session){ 0 };
}

tide_status known_session_feeds(known_session *s, const int32_t *samples, int64_t count, train_feed *feeds, int *fed,
                                tide_failure *failure) {
    bool brought = s->rows.graph != NULL;
    for (int64_t i = 0; i < s->batch; i++)
        s->full[i] = i >= count ? (int32_t)s->filling : brought ? (int32_t)i : samples[i];
    *fed          = 0;
    feeds[(*fed)++] = (train_feed){ s->index, s->full, false };
    if (s->all.graph) feeds[(*fed)++] = (train_feed){ s->all, s->full, true };
    if (brought) feeds[(*fed)++] = (train_feed){ s->rows, s->row, true };
    return brought ? known_shared_rows(&s->shared, samples, count, s->row, failure) : TIDE_OK;
}

tide_status known_session_step(known_session *s, const int32_t *samples, int64_t count, double rate, train_result *out,
                               tide_failure *failure) {
    train_feed  feeds[TRAIN_FEEDS];
    int         fed;
    tide_status status = known_session_feeds(s, samples, count, feeds, &fed, failure);
    if (status == TIDE_OK && train_step_rate(&s->step, rate) != TIDE_OK)
        status = fail(failure, TIDE_ENOMEM, "the learning rate could not be set");
    return status == TIDE_OK ? train_step_run(&s->step, feeds, fed, out, failure) : status;
}

static tide_status failed(const tide_program *p, tide_status status, const char *what, tide_failure *failure) {
    if (status != TIDE_OK && failure && !failure->status) *failure = *tide_program_error(p);
    return status == TIDE_OK ? status : fail(failure, status, "%s failed", what);
}

/* ---- scoring ---- */

typedef struct score_sums {
    double entropy[EIS_COUNT], entries[EIS_COUNT], hits1, hits5, pairs, pair1, pair5;
    double error2, target, target2, samples;
} score_sums;

/* How many are more probable than the right one. */
static int64_t rank_of(const float *log_p, int64_t points, int64_t right) {
    int64_t rank = 0;
    for (int64_t i = 0; i < points; i++) rank += log_p[i] > log_p[right] || (log_p[i] == log_p[right] && i < right);
    return rank;
}

static int64_t pair_rank(const float *a, const float *b, int64_t points, int64_t right_a, int64_t right_b) {
    int64_t rank  = 0;
    float   right = a[right_a] + b[right_b];
    for (int64_t i = 0; i < points; i++)
        for (int64_t j = 0; j < points; j++)
            rank += a[i] + b[j] > right || (a[i] + b[j] == right && i * points + j < right_a * points + right_b);
    return rank;
}

/* log_p: (EIS_COUNT, points). */
static void add_sample(score_sums *s, const float *row, const float *log_p, int64_t points, double resnorm) {
    int    missing[EIS_COUNT], count = 0;
    double target = (double)row[SAMPLE_TARGET];
    for (int k = 0; k < EIS_COUNT; k++)
        if (row[SAMPLE_MASK + k] == 0) missing[count++] = k;
    for (int i = 0; i < count; i++) {
        int          k     = missing[i];
        const float *mine  = log_p + k * points;
        int64_t      right = (int64_t)row[SAMPLE_LABEL + k], rank = rank_of(mine, points, right);
        s->entropy[k] -= (double)mine[right];
        s->entries[k]++;
        s->hits1 += rank < 1, s->hits5 += rank < 5;
    }
    if (count == 2) {
        int64_t rank = pair_rank(log_p + missing[0] * points, log_p + missing[1] * points, points,
                                 (int64_t)row[SAMPLE_LABEL + missing[0]],
                                 (int64_t)row[SAMPLE_LABEL + missing[1]]);
        s->pairs++, s->pair1 += rank < 1, s->pair5 += rank < 5;
    }
    s->error2 += (resnorm - target) * (resnorm - target);
    s->target += target, s->target2 += target * target, s->samples++;
}

static known_score score_of(const score_sums *s) {
    double entries = 0, entropy = 0, seen = 0, spread = s->target2 - s->target * s->target / s->samples;
    for (int k = 0; k < EIS_COUNT; k++) {
        entries += s->entries[k];
        if (s->entries[k] > 0) entropy += s->entropy[k] / s->entries[k], seen++;
    }
    known_score out = { .cross_entropy = entropy / seen, .mse = s->error2 / s->samples, .r2 = 1 - s->error2 / spread,
                        .accuracy = { s->hits1 / entries, s->hits5 / entries, s->pair1 / s->pairs,
                                      s->pair5 / s->pairs } };
    out.loss = out.cross_entropy + 0.5 * out.mse;
    return out;
}

tide_status known_session_score(known_session *s, const known_samples *samples, known_score *out,
                                tide_failure *failure) {
    int64_t     points = s->network.sizes.points;
    score_sums  sums   = { 0 };
    tide_status status = TIDE_OK;
    float      *x      = calloc(SCORE_BATCH * KNOWN_FEATURES, sizeof *x);
    if (!x) return fail(failure, TIDE_ENOMEM, "out of memory for scoring");
    for (int64_t at = 0; status == TIDE_OK && at < samples->count; at += SCORE_BATCH) {
        int64_t count = MIN2(SCORE_BATCH, samples->count - at);
        for (int64_t i = 0; i < count; i++)
            memcpy(x + i * KNOWN_FEATURES, samples->row + (at + i) * SAMPLE_WIDTH, KNOWN_FEATURES * sizeof *x);
        status = failed(s->score, tide_run(s->score, (tide_feed[]){ { s->x, x } }, 1), "scoring", failure);
        const float *log_p = status == TIDE_OK ? tide_data(s->log_p) : NULL,
                    *resnorm = status == TIDE_OK ? tide_data(s->resnorm) : NULL;
        if (status == TIDE_OK && (!log_p || !resnorm)) status = train_unread(s->log_p.graph, "scoring", failure);
        for (int64_t i = 0; status == TIDE_OK && i < count; i++)
            add_sample(&sums, samples->row + (at + i) * SAMPLE_WIDTH, log_p + i * EIS_COUNT * points, points,
                       (double)resnorm[i]);
    }
    free(x);
    *out = score_of(&sums);
    return status;
}
