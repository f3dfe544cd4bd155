/* features.c's features of a fit, and fibre_kernel.c's circuits, for all spectra at once. Numbers of a spectrum are
 * (spectra, 1) here, of each Rsh of the grid (spectra, RSH_VALUES). */
#include <math.h>

#include "eis/circuit/stream.h"
#include "fibre_kernel.h"
#include "fits.h"

enum { N = QUICK_COUNT };

/* ---- the fit's numbers, the slower relaxation first ---- */

typedef struct ordered { int64_t spectra; tide_val x[N], misfit; fits_matrix cov; } ordered;

/* A pair of numbers changes places where the first relaxation is the faster. */
static tide_val pick(tide_val swap, tide_val own, tide_val other) { return tide_where(swap, other, own); }

static tide_val number(const fits_data *d, tide_val of) { return tide_reshape(of, TIDE_SHAPE(d->spectra, 1)); }

/* The inverse Hessian, column by column, then made symmetric. */
static void covariance(const fits_data *d, const fits_state *s, fits_matrix out) {
    tide_graph *g = d->re.graph;
    fits_matrix  l, inverse;
    fits_hessian(d, s, l, NULL);
    fits_cholesky(l);
    for (int k = 0; k < N; k++) {
        tide_val column[N];
        for (int i = 0; i < N; i++) column[i] = tide_scalar_of(g, TIDE_F64, i == k);
        fits_substitute(l, column);
        for (int i = 0; i < N; i++) inverse[i][k] = number(d, column[i]);
    }
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) out[a][b] = tide_mul_scalar(tide_add(inverse[a][b], inverse[b][a]), 0.5);
}

static ordered order(const fits_data *d, const fits_state *s) {
    static const int other[N] = { 2, 3, 0, 1 };
    ordered    o    = { .spectra = d->spectra, .misfit = number(d, tide_mul(s->of[FIT_SQUARE], d->over_noise)) };
    tide_val   swap = number(d, tide_lt(s->of[FIT_X + 1], s->of[FIT_X + 3]));
    fits_matrix cov;
    covariance(d, s, cov);
    for (int a = 0; a < N; a++) {
        o.x[a] = pick(swap, number(d, s->of[FIT_X + a]), number(d, s->of[FIT_X + other[a]]));
        for (int b = 0; b < N; b++) o.cov[a][b] = pick(swap, cov[a][b], cov[other[a]][other[b]]);
    }
    return o;
}

/* Lower triangular; what rounding leaves of a variance is at least a trifle. */
static void root_of(const fits_matrix cov, fits_matrix root) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) {
            tide_val sum = cov[i][j], least = tide_add_scalar(tide_mul_scalar(cov[i][i], 1e-14), 1e-300);
            for (int k = 0; k < j; k++) sum = tide_sub(sum, tide_mul(root[i][k], root[j][k]));
            root[i][j] = i == j ? tide_sqrt(tide_maximum(sum, least)) : tide_div(sum, root[j][j]);
        }
}

/* ---- circuits of the fit's fibre ---- */

typedef struct fibre_values { tide_val r, ln_product, m, n, spread, share_1, d1, d2; } fibre_values;

static fibre_values fibre_at(const tide_val x[N]) {
    tide_val r1 = tide_exp(x[QUICK_LN_R1]), r2 = tide_exp(x[QUICK_LN_R2]), t1 = tide_exp(x[QUICK_LN_TAU1]),
             t2 = tide_exp(x[QUICK_LN_TAU2]), r = tide_add(r1, r2), f1 = tide_div(r1, r), f2 = tide_div(r2, r);
    return (fibre_values){ .r = r, .share_1 = f1, .ln_product = tide_add(x[QUICK_LN_TAU1], x[QUICK_LN_TAU2]),
                           .m = tide_add(tide_mul(f1, t1), tide_mul(f2, t2)),
                           .n = tide_add(tide_mul(f1, t2), tide_mul(f2, t1)),
                           .spread = tide_mul(tide_mul(f1, f2), tide_square(tide_sub(t1, t2))),
                           .d1 = tide_add(t1, t2), .d2 = tide_mul(t1, t2) };
}

typedef struct turned_values { tide_val share_1, share_2, tau_1; } turned_values;

static turned_values turn(tide_val m, tide_val n, tide_val spread, tide_val k) {
    tide_val a = tide_sub(tide_mul(k, m), n),
             b = tide_mul(k, tide_add(spread, tide_mul_scalar(tide_mul(m, n), FIBRE_TINY)));
    tide_val root = tide_sqrt(tide_add(tide_square(a), tide_mul_scalar(b, 4)));
    tide_val big  = tide_mul_scalar(tide_add(root, tide_abs(a)), 0.5), small = tide_div(b, big);
    tide_val positive = tide_gt_scalar(a, 0), above = tide_where(positive, big, small),
             below = tide_where(positive, small, big);
    return (turned_values){ tide_div(above, root), tide_div(below, root), tide_add(n, above) };
}

static tide_val coordinate(tide_val ln, double low, double step) {
    return tide_clamp(tide_mul_scalar(tide_sub_scalar(ln, low), 1 / step), FIBRE_U_LEAST, FIBRE_U_MOST);
}

/* Grid coordinates of Ra, Rb, Ca, Cb at each Rsh. */
static void coordinates(const fibre_values *f, tide_val rsh, tide_val u[4]) {
    tide_val left = tide_add_scalar(tide_neg(tide_div(f->r, rsh)), 1);
    tide_val k    = tide_reciprocal(tide_clamp(left, 1 / FIBRE_K_MOST, 1)), whole = tide_mul(k, f->r);
    turned_values t = turn(f->m, f->n, f->spread, k);
    tide_val ln_1 = tide_log(tide_mul(whole, t.share_1)), ln_2 = tide_log(tide_mul(whole, t.share_2)),
             ln_tau = tide_log(t.tau_1), ln_other = tide_sub(tide_add(f->ln_product, tide_log(k)), ln_tau);
    u[0] = coordinate(ln_1, FIBRE_LN_10, FIBRE_STEP_R);
    u[1] = coordinate(ln_2, FIBRE_LN_10, FIBRE_STEP_R);
    u[2] = coordinate(tide_sub(ln_tau, ln_1), FIBRE_LN_LOW_C, FIBRE_STEP_C);
    u[3] = coordinate(tide_sub(ln_other, ln_2), FIBRE_LN_LOW_C, FIBRE_STEP_C);
}

/* ln of the standard deviation of u: its spread over one of x each way along the columns of the covariance's root. */
static void spreads(const ordered *o, const fits_matrix root, tide_val rsh, tide_val ln_sd[4]) {
    for (int column = 0; column < N; column++) {
        tide_val plus[N], minus[N], up[4], down[4];
        for (int k = 0; k < N; k++) {
            plus[k] = minus[k] = o->x[k];
            if (k < column) continue;
            tide_val step = tide_clamp(root[k][column], -20, 20);
            plus[k] = tide_add(o->x[k], step), minus[k] = tide_sub(o->x[k], step);
        }
        fibre_values ahead = fibre_at(plus), behind = fibre_at(minus);
        coordinates(&ahead, rsh, up);
        coordinates(&behind, rsh, down);
        for (int j = 0; j < 4; j++) {
            tide_val square = tide_mul_scalar(tide_square(tide_sub(up[j], down[j])), 0.25);
            ln_sd[j] = column ? tide_add(ln_sd[j], square) : square;
        }
    }
    for (int j = 0; j < 4; j++) ln_sd[j] = tide_log(tide_add_scalar(tide_sqrt(ln_sd[j]), FIBRE_SD_LEAST));
}

/* ---- the grid circuits nearest to the fibre ---- */

/* R1, tau1, R2, tau2 of circuits. */
static void relaxations(tide_val rsh, const tide_val p[4], tide_val value[N]) {
    tide_val ra = p[0], rb = p[1], ta = tide_mul(ra, p[2]), tb = tide_mul(rb, p[3]), r = tide_add(ra, rb);
    tide_val fa = tide_div(ra, r), fb = tide_div(rb, r), k = tide_reciprocal(tide_add_scalar(tide_div(r, rsh), 1));
    turned_values t = turn(tide_add(tide_mul(fa, ta), tide_mul(fb, tb)), tide_add(tide_mul(fa, tb), tide_mul(fb, ta)),
                           tide_mul(tide_mul(fa, fb), tide_square(tide_sub(ta, tb))), k);
    value[QUICK_LN_R1]   = tide_mul(tide_mul(k, r), t.share_1);
    value[QUICK_LN_R2]   = tide_mul(tide_mul(k, r), t.share_2);
    value[QUICK_LN_TAU1] = t.tau_1;
    value[QUICK_LN_TAU2] = tide_div(tide_mul(k, tide_mul(ta, tb)), t.tau_1);
}

/* |L^-1 (y - x)|^2. */
static tide_val distance(const ordered *o, const fits_matrix root, const tide_val value[N]) {
    tide_val apart[N], sum = { 0 };
    for (int k = 0; k < N; k++) {
        apart[k] = tide_sub(tide_log(value[k]), o->x[k]);
        for (int l = 0; l < k; l++) apart[k] = tide_sub(apart[k], tide_mul(root[k][l], apart[l]));
        apart[k] = tide_div(apart[k], root[k][k]);
        sum = k ? tide_add(sum, tide_square(apart[k])) : tide_square(apart[k]);
    }
    return sum;
}

static tide_val misfit(const fits_data *d, const tide_val value[N]) {
    tide_val of[N];
    for (int k = 0; k < N; k++) of[k] = tide_expand_dims(value[k], 2);
    tide_val a = tide_mul(d->omega, of[1]), b = tide_mul(d->omega, of[3]), x = tide_mul(of[0], fits_pole(a)),
             y = tide_mul(of[2], fits_pole(b));
    tide_val er = tide_sub(tide_add(x, y), d->re),
             ei = tide_neg(tide_add(tide_add(tide_mul(a, x), tide_mul(b, y)), d->im));
    tide_val weight = tide_mul(d->weight, d->over_noise);
    return tide_sum(tide_mul(weight, tide_add(tide_square(er), tide_square(ei))), TIDE_AXES(2));
}

/* CELL_FEATURES: how much worse than the fit, and how far from it. */
static void cells(const fits_data *d, const ordered *o, const fits_matrix root, tide_val rsh, const tide_val u[4],
                  tide_val out[CELL_FEATURES]) {
    tide_val p[4], value[N];
    for (int j = 0; j < 4; j++) {
        double   low = j < 2 ? FIBRE_LN_10 : FIBRE_LN_LOW_C, step = j < 2 ? FIBRE_STEP_R : FIBRE_STEP_C;
        tide_val place = tide_round(tide_clamp(u[j], 0, RSH_VALUES - 1));
        p[j] = tide_exp(tide_add_scalar(tide_mul_scalar(place, step), low));
    }
    relaxations(rsh, p, value);
    out[0] = tide_log1p(tide_relu(tide_sub(misfit(d, value), o->misfit)));
    out[1] = tide_log1p(distance(o, root, value));
}

/* ---- the row ---- */

static tide_val asinh_of(tide_val x) {
    tide_val size = tide_abs(x), root = tide_sqrt(tide_add_scalar(tide_square(size), 1));
    return tide_mul(tide_sign(x), tide_log(tide_add(size, root)));
}

/* Standard deviation of ln TER. */
static tide_val ter_sd(const ordered *o, const fibre_values *f) {
    tide_val f1 = f->share_1, f2 = tide_add_scalar(tide_neg(f1), 1);
    tide_val variance = tide_add(tide_add(tide_mul(tide_square(f1), o->cov[QUICK_LN_R1][QUICK_LN_R1]),
                                          tide_mul(tide_square(f2), o->cov[QUICK_LN_R2][QUICK_LN_R2])),
                                 tide_mul_scalar(tide_mul(tide_mul(f1, f2), o->cov[QUICK_LN_R1][QUICK_LN_R2]), 2));
    return tide_sqrt(tide_clamp(variance, 1e-18, INFINITY));
}

/* FIT_FEATURES. */
static void put_fit(const ordered *o, const fibre_values *f, tide_val out[FIT_FEATURES]) {
    tide_val sd[N];
    int      at = 0;
    for (int k = 0; k < N; k++) sd[k] = tide_sqrt(o->cov[k][k]), out[at++] = o->x[k];
    out[at++] = tide_log(f->r);
    out[at++] = tide_log(f->n);
    out[at++] = tide_log(f->d1);
    out[at++] = tide_log(f->d2);
    out[at++] = tide_log(tide_div(f->d2, tide_mul(f->r, f->n)));
    out[at++] = tide_log(tide_add_scalar(o->misfit, 1));
    for (int k = 0; k < N; k++) out[at++] = tide_log(sd[k]);
    for (int a = 0; a < N; a++)
        for (int b = a + 1; b < N; b++) out[at++] = tide_div(o->cov[a][b], tide_mul(sd[a], sd[b]));
}

static tide_val single(tide_val of) { return tide_cast(of, TIDE_F32); }

/* RSH_FEATURES and CELL_FEATURES: (spectra, RSH_VALUES, both). */
static tide_val rsh_rows(const fits_data *d, const ordered *o, const fibre_values *f) {
    tide_graph *g = d->re.graph;
    double      axis[RSH_VALUES];
    tide_val    row[RSH_FEATURES + CELL_FEATURES], u[4], ln_sd[4], cell[CELL_FEATURES];
    fits_matrix  root;
    for (int i = 0; i < RSH_VALUES; i++) axis[i] = eis_grid_value(EIS_RSH, i, RSH_VALUES);
    tide_val rsh = tide_constant(g, TIDE_F64, TIDE_SHAPE(1, RSH_VALUES), axis);
    root_of(o->cov, root);
    coordinates(f, rsh, u);
    spreads(o, root, rsh, ln_sd);
    cells(d, o, root, rsh, u, cell);
    row[0] = tide_cast(tide_gt(rsh, f->r), TIDE_F32);
    row[1] = single(asinh_of(tide_div(tide_sub_scalar(tide_div(rsh, f->r), 1), ter_sd(o, f))));
    for (int j = 0; j < 4; j++) {
        tide_val angle = tide_mul_scalar(tide_sub(u[j], tide_round(u[j])), TWO_PI);
        row[2 + j]  = single(u[j]);
        row[6 + j]  = single(tide_cos(angle));
        row[10 + j] = single(tide_sin(angle));
        row[14 + j] = single(ln_sd[j]);
    }
    for (int j = 0; j < CELL_FEATURES; j++) row[RSH_FEATURES + j] = single(cell[j]);
    return tide_stack(g, (tide_list){ row, RSH_FEATURES + CELL_FEATURES }, 2);
}

tide_val fits_features(const fits_data *d, const fits_state *s) {
    tide_graph  *g = d->re.graph;
    ordered      o = order(d, s);
    fibre_values f = fibre_at(o.x);
    tide_val     head[FIT_FEATURES];
    put_fit(&o, &f, head);
    for (int i = 0; i < FIT_FEATURES; i++) head[i] = single(head[i]);
    tide_val rows = tide_reshape(rsh_rows(d, &o, &f), TIDE_SHAPE(d->spectra, GRID_WIDTH - FIT_FEATURES));
    return tide_concat(g, TIDE_LIST(tide_concat(g, (tide_list){ head, FIT_FEATURES }, 1), rows), 1);
}
