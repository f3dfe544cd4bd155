#include "lambda.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

enum { LAMBDAS = 33, A_DECADE = 4 };
/* With less, normal equations in double precision leave ripples of their own. */
static const double first_exponent = -7, least = 1e-8, most = 1e6;

tide_status lambda_parse(const char *word, lambda_wish *out, tide_failure *failure) {
    char *end;
    *out = (lambda_wish){ .by = EIS_LAMBDA_GCV };
    if (!*word || strcmp(word, "gcv") == 0) return TIDE_OK;
    out->by = strcmp(word, "l-curve") == 0 ? EIS_LAMBDA_LCURVE : EIS_LAMBDA_GIVEN;
    if (out->by == EIS_LAMBDA_LCURVE) return TIDE_OK;
    out->given = num_parse(word, &end);
    if (end != word && !*end && out->given >= least && out->given <= most) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "lambda",
                   "`lambda` is \"%s\"; gcv, l-curve or a number from %g to %g is taken", word, least, most);
}

static double gcv(const trial *t, int64_t rows) {
    double left = 1 - t->trace / (double)rows, xi = rows < 100 ? 0.2 : 0.3;
    if (isnan(t->square) || !(left > 0)) return INFINITY;
    return t->square / (left * left) * (xi + (1 - xi) * t->trace_square / (double)rows);
}

/* The curvature at the middle of three points at even steps of ln lambda, positive at the corner. */
static double bend(const trial t[3]) {
    double x[3], y[3];
    for (int i = 0; i < 3; i++) x[i] = log(t[i].square), y[i] = log(t[i].roughness);
    double dx = (x[2] - x[0]) / 2, dy = (y[2] - y[0]) / 2, ddx = x[2] - 2 * x[1] + x[0], ddy = y[2] - 2 * y[1] + y[0];
    return (dx * ddy - ddx * dy) / pow(dx * dx + dy * dy, 1.5);
}

static int lowest_gcv(const trial *t, int64_t rows) {
    int best = LAMBDAS - 1;
    for (int i = LAMBDAS - 1; i >= 0; i--)
        if (gcv(&t[i], rows) < gcv(&t[best], rows)) best = i;
    return best;
}

static int sharpest_bend(const trial *t) {
    int best = LAMBDAS / 2;
    double sharpest = -INFINITY;
    for (int i = 1; i + 1 < LAMBDAS; i++) {
        double now = bend(t + i - 1);
        if (now > sharpest) sharpest = now, best = i;
    }
    return best;
}

trial lambda_choose(const inverse *v, lambda_wish wish, double *scratch) {
    trial t[LAMBDAS];
    if (wish.by == EIS_LAMBDA_GIVEN) return inverse_try(v, wish.given, scratch);
    for (int i = 0; i < LAMBDAS; i++) t[i] = inverse_try(v, pow(10, first_exponent + (double)i / A_DECADE), scratch);
    return t[wish.by == EIS_LAMBDA_GCV ? lowest_gcv(t, v->rows) : sharpest_bend(t)];
}
