#include "spread.h"

#include <math.h>

#include "forecast/models/head.h"

/* Phi^-1(p) for p within 0.5 to 1, by halving: asked a few times for a model. */
static double normal_score(double p) {
    double low = 0, high = 40;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (erfc(middle / sqrt(2.0)) > 2 * (1 - p)) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

spread_shape spread_of(const model_config *c) {
    spread_shape s      = { .widths = (int)head_widths(c) };
    int          median = head_median(c), above = s.widths - median;
    if (c->head == FORECAST_HEAD_STUDENT_T) s.side[0] = s.side[1] = (spread_side){ .count = 1, .node = { 1 } };
    if (c->head != FORECAST_HEAD_QUANTILE) return s;
    s.side[0] = (spread_side){ .count = median, .first = median - 1, .step = -1 };
    s.side[1] = (spread_side){ .count = above, .first = median, .step = 1 };
    for (int i = 0; i < median; i++) s.side[0].node[i] = normal_score(1 - c->quantile[median - 1 - i]);
    for (int i = 0; i < above; i++) s.side[1].node[i] = normal_score(c->quantile[median + 1 + i]);
    return s;
}

/* Along the gaps of one side to `at`, which is a size of an error, or of a score: the size of the other. */
static double follow(const spread_side *s, const float *widths, double at, bool to_score) {
    double error = 0, score = 0;
    for (int i = 0;; i++) {
        double width = (double)widths[s->first + i * s->step], node = s->node[i] - score;
        double from = to_score ? error : score, gap = to_score ? width : node, other = to_score ? node : width;
        if (i + 1 == s->count || at <= from + gap) return (to_score ? score : error) + (at - from) / gap * other;
        error += width, score = s->node[i];
    }
}

double spread_score(const spread_shape *s, const float *widths, double error) {
    return error < 0 ? -follow(&s->side[0], widths, -error, true) : follow(&s->side[1], widths, error, true);
}

double spread_error(const spread_shape *s, const float *widths, double score) {
    return score < 0 ? -follow(&s->side[0], widths, -score, false) : follow(&s->side[1], widths, score, false);
}
