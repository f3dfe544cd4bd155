/* Random graphs of every operation with shapes that fit, the same for the same seed. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_ELEMENTS = 12000, MOST_SIZE = 40 };

/* SplitMix64 (Steele et al. 2014). */
static uint64_t next(maker *m) {
    uint64_t z = (m->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The same numbers of the graph's own state are drawn, whatever the leaves get. */
static double number(maker *m) {
    uint64_t drawn = next(m), kept = m->state;
    if (!m->numbers) return (double)(drawn >> 11) * 0x1p-53;
    m->state = m->numbers;
    drawn = next(m);
    m->numbers = m->state, m->state = kept;
    return (double)(drawn >> 11) * 0x1p-53;
}

static int    below(maker *m, int n) { return (int)(next(m) % (uint64_t)n); }
static bool   chance(maker *m, int percent) { return below(m, 100) < percent; }

static int        ndim(item x) { return tide_shape_of(x.v).ndim; }
static int64_t    size(item x, int axis) { return tide_shape_of(x.v).dim[axis]; }
static const item none = { { 0, -1, 0 }, false };

/* Sizes that kernels treat apart come up often: 1, vector widths and one beside them. */
static int64_t random_size(maker *m) {
    static const int64_t special[] = { 1, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33 };
    return chance(m, 50) ? special[below(m, (int)(sizeof special / sizeof *special))] : 1 + below(m, MOST_SIZE);
}

static tide_shape random_shape(maker *m) {
    tide_shape s = { .ndim = below(m, 6) };
    int64_t count = 1;
    for (int i = 0; i < s.ndim; i++) {
        s.dim[i] = random_size(m);
        if (count * s.dim[i] > MOST_ELEMENTS) s.dim[i] = 1;
        count *= s.dim[i];
    }
    return s;
}

/* ---- leaves: F32 in [-2, 2], cast to the graph's type ---- */

static float *random_data(maker *m, tide_shape s) {
    int64_t count = tide_shape_count(s);
    float *data = malloc(sizeof *data * (size_t)(count + 1));
    for (int64_t i = 0; i < count; i++) data[i] = (float)(4 * number(m) - 2);
    return data;
}

static tide_val new_input(maker *m, tide_shape s, float *data) {
    char name[16];
    snprintf(name, sizeof name, "x%d", m->n_feeds);
    tide_val v = tide_input(m->g, name, TIDE_F32, s);
    m->feeds[m->n_feeds++] = (tide_feed){ v, data };
    return tide_cast(v, m->type);
}

static item leaf(maker *m, tide_shape s) {
    float *data = random_data(m, s);
    int kind = below(m, 4);
    if (kind == 0 && !m->fixed && m->n_feeds < FEEDS) return (item){ new_input(m, s, data), true };
    tide_val fixed = tide_cast(tide_constant(m->g, TIDE_F32, s, data), m->type);
    free(data);
    if (kind < 3 && m->n_variables < VARIABLES) {
        char name[16];
        snprintf(name, sizeof name, "w%d", m->n_variables);
        tide_val there = m->fixed ? tide_find_variable(m->g, name) : none.v;
        m->variables[m->n_variables] = tide_ok(there) ? there : tide_variable(m->g, name, fixed);
        return (item){ m->variables[m->n_variables++], true };
    }
    if (kind == 3 && chance(m, 20)) return (item){ tide_fill(m->g, m->type, s, 0.25 * (int)(9 * number(m)) - 1), true };
    return (item){ fixed, true };
}

static item pick(maker *m) { return m->pool[below(m, m->count)]; }

static item pick_exact(maker *m) {
    for (int i = 0, at = below(m, m->count); i < m->count; i++) {
        item x = m->pool[(at + i) % m->count];
        if (x.exact) return x;
    }
    return leaf(m, random_shape(m));
}

static bool broadcasts(tide_shape a, tide_shape b) {
    for (int i = 1; i <= a.ndim && i <= b.ndim; i++) {
        int64_t x = a.dim[a.ndim - i], y = b.dim[b.ndim - i];
        if (x != y && x != 1 && y != 1) return false;
    }
    return true;
}

static bool too_large(tide_shape a, tide_shape b) {
    int64_t count = 1;
    for (int i = 1; i <= a.ndim || i <= b.ndim; i++) {
        int64_t x = i <= a.ndim ? a.dim[a.ndim - i] : 1, y = i <= b.ndim ? b.dim[b.ndim - i] : 1;
        count *= x == 1 ? y : x;
    }
    return count > MOST_ELEMENTS;
}

/* Something that broadcasts with x: from the pool, or new with some axes of 1 and some left out. */
static item partner(maker *m, item x, bool exact) {
    tide_shape s = tide_shape_of(x.v);
    for (int i = 0, at = below(m, m->count); i < m->count && !chance(m, 10); i++) {
        item y = m->pool[(at + i) % m->count];
        if ((y.exact || !exact) && broadcasts(s, tide_shape_of(y.v)) && !too_large(s, tide_shape_of(y.v))) return y;
    }
    int drop = chance(m, 40) ? below(m, s.ndim + 1) : 0;
    tide_shape own = { .ndim = s.ndim - drop };
    for (int i = 0; i < own.ndim; i++) own.dim[i] = chance(m, 30) ? 1 : s.dim[i + drop];
    return leaf(m, own);
}

static tide_val add1(tide_val x) { return tide_add_scalar(x, 1); }
static tide_val square1(tide_val x) { return add1(tide_square(x)); }

/* ---- operations; each keeps its result near 1, so that rounding errors do not grow ---- */

static item smooth(maker *m, item x) {
    tide_val v = x.v;
    switch (below(m, 16)) {
    case 0: v = tide_tanh(v); break;
    case 1: v = tide_sin(v); break;
    case 2: v = tide_cos(v); break;
    case 3: v = tide_erf(v); break;
    case 4: v = tide_sigmoid(v); break;
    case 5: v = tide_gelu(v); break;
    case 6: v = tide_softplus(v); break;
    case 7: v = tide_silu(v); break;
    case 8: v = tide_exp(tide_tanh(v)); break;
    case 9: v = tide_log(square1(v)); break;
    case 10: v = tide_rsqrt(square1(v)); break;
    case 11: v = tide_sqrt(square1(v)); break;
    case 12: v = tide_expm1(tide_tanh(v)); break;
    case 13: v = tide_log1p(tide_square(v)); break;
    case 14: v = tide_reciprocal(square1(v)); break;
    default: v = tide_mul_scalar(tide_square(tide_tanh(v)), 0.25); break;
    }
    return (item){ v, false };
}

static item stepped(maker *m, item x) {
    static tide_val (*const ops[])(tide_val) = { tide_abs,  tide_relu,  tide_sign, tide_floor,
                                                 tide_ceil, tide_round, tide_neg,  tide_stop_gradient };
    int i = below(m, 9);
    if (!x.exact) return (item){ tide_neg(x.v), false };
    return (item){ i < 8 ? ops[i](x.v) : tide_clamp(x.v, -0.5, 1), true };
}

static item arithmetic(maker *m, item x) {
    tide_val y = partner(m, x, false).v, v = x.v;
    bool swap = chance(m, 30);
    switch (below(m, 5)) {
    case 0: return (item){ tide_mul_scalar(swap ? tide_add(y, v) : tide_add(v, y), 0.5), false };
    case 1: return (item){ tide_mul_scalar(swap ? tide_sub(y, v) : tide_sub(v, y), 0.5), false };
    case 2: return (item){ tide_mul(tide_tanh(v), y), false };
    case 3: return (item){ tide_div(v, square1(y)), false };
    default: return (item){ tide_pow(tide_sqrt(square1(tide_tanh(v))), tide_tanh(y)), false };
    }
}

static item extreme(maker *m, item x) {
    if (!x.exact) x = pick_exact(m);
    item y = partner(m, x, true);
    return (item){ chance(m, 50) ? tide_maximum(x.v, y.v) : tide_minimum(x.v, y.v), true };
}

static item choice(maker *m, item x) {
    static tide_val (*const ops[])(tide_val, tide_val) = { tide_lt, tide_le, tide_gt, tide_ge, tide_eq, tide_ne };
    item a = pick_exact(m);
    if (!broadcasts(tide_shape_of(a.v), tide_shape_of(x.v)) || too_large(tide_shape_of(a.v), tide_shape_of(x.v)))
        a = leaf(m, tide_shape_of(x.v));
    tide_val y = tide_mul_scalar(a.v, 0.5), condition = ops[below(m, 6)](a.v, y);
    if (chance(m, 30)) condition = tide_or(tide_not(condition), tide_and(condition, tide_is_finite(y)));
    return (item){ chance(m, 50) ? tide_where(condition, x.v, a.v) : tide_where(condition, tide_tanh(a.v), x.v),
                   false };
}

static tide_axes random_axes(maker *m, item x) {
    tide_axes axes = { .keep = chance(m, 40) };
    for (int i = 0; i < ndim(x); i++)
        if (chance(m, 45)) axes.axis[axes.count++] = chance(m, 30) ? i - ndim(x) : i;
    return axes;
}

static item reduction(maker *m, item x) {
    tide_axes axes = random_axes(m, x);
    int kind = below(m, 6);
    if (kind >= 4 && !x.exact) x = pick_exact(m), axes = random_axes(m, x);
    double count = (double)tide_shape_count(tide_shape_of(x.v));
    switch (kind) {
    case 0: return (item){ tide_mul_scalar(tide_sum(x.v, axes), count > 4 ? 2 / count : 0.5), false };
    case 1: return (item){ tide_mean(x.v, axes), false };
    case 2: return (item){ tide_variance(x.v, axes), false };
    case 3: return (item){ tide_mul_scalar(tide_logsumexp(x.v, axes), 0.2), false };
    case 4: return (item){ tide_max(x.v, axes), true };
    default: return (item){ tide_min(x.v, axes), true };
    }
}

static item along(maker *m, item x) {
    if (ndim(x) == 0) return none;
    int axis = below(m, ndim(x));
    switch (below(m, 4)) {
    case 0: return (item){ tide_mul_scalar(tide_cumsum(x.v, axis), 1.0 / (double)size(x, axis)), false };
    case 1: return (item){ tide_softmax(x.v, axis), false };
    case 2: return (item){ tide_log_softmax(x.v, axis - ndim(x)), false };
    default: {
        tide_shape one = TIDE_SHAPE(size(x, ndim(x) - 1));
        return (item){ tide_layer_norm(x.v, leaf(m, one).v, leaf(m, one).v, 0.1), false };
    }
    }
}

/* The other matrix comes plain, turned, strided or flipped. */
static tide_val matrix(maker *m, tide_shape batch, int64_t rows, int64_t cols) {
    tide_shape s = batch;
    int form = below(m, 4), at = batch.ndim;
    s.ndim += 2;
    s.dim[at] = form == 1 ? cols : form == 2 ? 2 * rows : rows, s.dim[at + 1] = form == 1 ? rows : cols;
    tide_val v = leaf(m, s).v;
    return form == 1   ? tide_transpose(v, -1, -2)
           : form == 2 ? tide_slice_step(v, -2, 0, 2 * rows, 2)
           : form == 3 ? tide_flip(v, -1)
                       : v;
}

static item product(maker *m, item x) {
    if (ndim(x) < 2) return none;
    int last = ndim(x) - 1;
    bool left = chance(m, 30);
    tide_shape batch = { .ndim = chance(m, 50) ? last - 1 : 0 };
    int64_t k = size(x, left ? last - 1 : last), other = random_size(m),
            all = tide_shape_count(tide_shape_of(x.v)) / k * other;
    for (int i = 0; i < batch.ndim; i++) batch.dim[i] = chance(m, 60) ? size(x, i) : 1;
    if (all > MOST_ELEMENTS || k * other > MOST_ELEMENTS || tide_shape_count(batch) * k * other > MOST_ELEMENTS)
        return none;
    bool     biased = chance(m, 50);  /* then nothing stands between the product and the bias */
    tide_val from = biased ? tide_mul_scalar(x.v, 1 / (double)k) : x.v;
    tide_val y = left ? tide_matmul(matrix(m, batch, other, k), from) : tide_matmul(from, matrix(m, batch, k, other));
    if (!biased) return (item){ tide_mul_scalar(y, 1 / (double)k), false };
    return (item){ tide_add(y, leaf(m, TIDE_SHAPE(tide_shape_of(y).dim[last])).v), false };
}

static item regroup(maker *m, item x) {
    tide_shape s = tide_shape_of(x.v), to = { .ndim = 0 };
    for (int i = 0; i < s.ndim; i++) {
        int64_t split = s.dim[i] % 2 == 0 ? 2 : s.dim[i] % 3 == 0 ? 3 : 1;
        if (to.ndim && chance(m, 50)) to.dim[to.ndim - 1] *= s.dim[i];
        else if (split > 1 && to.ndim < 5 && chance(m, 50))
            to.dim[to.ndim++] = split, to.dim[to.ndim++] = s.dim[i] / split;
        else if (to.ndim < 7) to.dim[to.ndim++] = s.dim[i];
        else return none;
    }
    return (item){ tide_reshape(x.v, to), x.exact };
}

static item permuted(maker *m, item x) {
    int order[TIDE_MAX_DIMS];
    for (int i = 0; i < ndim(x); i++) order[i] = i;
    for (int i = ndim(x) - 1; i > 0; i--) {
        int j = below(m, i + 1), t = order[i];
        order[i] = order[j], order[j] = t;
    }
    return (item){ tide_permute(x.v, order), x.exact };
}

static item sliced(maker *m, item x) {
    if (ndim(x) == 0) return none;
    int axis = below(m, ndim(x));
    int64_t n = size(x, axis), from = below(m, (int)n), to = from + 1 + below(m, (int)(n - from));
    switch (below(m, 4)) {
    case 0: return (item){ tide_slice(x.v, axis, from, to), x.exact };
    case 1: return (item){ tide_slice_step(x.v, axis, from, to, 1 + below(m, 3)), x.exact };
    case 2: return (item){ tide_flip(x.v, axis), x.exact };
    default: return (item){ tide_pad(x.v, axis, below(m, 4), below(m, 4), 0.5), x.exact };
    }
}

static item widened(maker *m, item x) {
    tide_shape s = tide_shape_of(x.v);
    if (s.ndim >= 6) return none;
    item wide = { tide_expand_dims(x.v, below(m, s.ndim + 1)), x.exact };
    tide_shape to = tide_shape_of(wide.v);
    for (int i = 0; i < to.ndim; i++)
        if (to.dim[i] == 1 && tide_shape_count(to) * 5 < MOST_ELEMENTS && chance(m, 70)) to.dim[i] = 1 + below(m, 5);
    return (item){ tide_broadcast(wide.v, to), x.exact };
}

static item joined(maker *m, item x) {
    if (ndim(x) == 0 || ndim(x) > 6 || 3 * tide_shape_count(tide_shape_of(x.v)) > MOST_ELEMENTS) return none;
    int axis = below(m, ndim(x));
    tide_val parts[3] = { x.v, chance(m, 50) ? tide_flip(x.v, axis) : leaf(m, tide_shape_of(x.v)).v,
                          chance(m, 50) ? x.v : tide_neg(x.v) };
    tide_list list = { parts, 2 + below(m, 2) };
    return (item){ chance(m, 30) ? tide_stack(m->g, list, axis) : tide_concat(m->g, list, axis), x.exact };
}

/* Whole numbers below n, as a constant or computed. */
static tide_val indices(maker *m, tide_shape s, int64_t n) {
    int64_t count = tide_shape_count(s);
    int32_t *data = malloc(sizeof *data * (size_t)(count + 1));
    for (int64_t i = 0; i < count; i++) data[i] = below(m, (int)n);
    tide_val v = tide_constant(m->g, TIDE_I32, s, data);
    free(data);
    return chance(m, 30) ? tide_sub(tide_scalar_of(m->g, TIDE_I32, (double)(n - 1)), v) : v;
}

static item by_index(maker *m, item x) {
    if (ndim(x) == 0 || ndim(x) > 6) return none;
    int axis = below(m, ndim(x));
    int64_t n = size(x, axis), k = 1 + below(m, 6);
    tide_shape s = tide_shape_of(x.v);
    if (tide_shape_count(s) / n * k * 3 > MOST_ELEMENTS) return none;
    switch (below(m, 5)) {
    case 0: return (item){ tide_gather(x.v, axis, indices(m, TIDE_SHAPE(k), n)), x.exact };
    case 1: return (item){ tide_gather(x.v, axis, indices(m, TIDE_SHAPE(k, 2), n)), x.exact };
    case 2:
        s.dim[axis] = k;
        return (item){ tide_take_along(x.v, axis, indices(m, s, n)), x.exact };
    case 3:
        s.dim[axis] = k;
        return (item){ tide_mul_scalar(tide_scatter_add(x.v, axis, indices(m, TIDE_SHAPE(k), n), leaf(m, s).v), 0.5),
                       false };
    default:
        return (item){ tide_windows(x.v, indices(m, TIDE_SHAPE(k), MOST_SIZE > n - 1 ? 1 : n - 1), 1 + (n > 2)),
                       x.exact };
    }
}

static item ordered(maker *m, item x) {
    if (!x.exact) x = pick_exact(m);
    if (ndim(x) == 0) return none;
    tide_val values, order;
    int axis = below(m, ndim(x));
    switch (below(m, 5)) {
    case 0: tide_sort(x.v, chance(m, 50), &values, NULL); return (item){ values, true };
    case 1: tide_top_k(x.v, 1 + below(m, (int)size(x, ndim(x) - 1)), &values, NULL); return (item){ values, true };
    case 2: tide_sort(x.v, chance(m, 50), NULL, &order); break;
    case 3: order = tide_argmax(x.v, axis); break;
    default: order = tide_argmin(x.v, axis); break;
    }
    return (item){ tide_mul_scalar(tide_cast(order, m->type), 0.125), m->type == TIDE_F32 || m->type == TIDE_F64 };
}

static item whole(maker *m, item x) {
    static tide_val (*const ops[])(tide_val, tide_val) = { tide_add, tide_sub,     tide_mul,
                                                           tide_div, tide_maximum, tide_minimum };
    static const tide_dtype types[] = { TIDE_I32, TIDE_I64, TIDE_U8 };
    if (m->type == TIDE_F16 || m->type == TIDE_BF16) return none;  /* what is cut to whole numbers must not be rounded
                                                                      before */
    if (!x.exact) x = pick_exact(m);
    tide_dtype type = types[below(m, 3)];
    tide_val i = tide_cast(tide_add_scalar(tide_clamp(tide_abs(x.v), 0, 4), 1), type);
    if (chance(m, 20) && ndim(x)) i = tide_cast(tide_one_hot(tide_cast(i, TIDE_I32), 5, TIDE_U8), type);
    i = ops[below(m, 6)](i, chance(m, 50) ? i : tide_scalar_of(m->g, type, 2));
    if (chance(m, 30)) i = tide_max(i, TIDE_ALL);
    if (!tide_ok(i) || tide_shape_of(i).ndim > 6 || tide_shape_count(tide_shape_of(i)) > MOST_ELEMENTS) return none;
    return (item){ tide_mul_scalar(tide_cast(i, m->type), 0.03125), true };
}

static item drawn(maker *m, item x) {
    tide_shape s = tide_shape_of(x.v);
    switch (below(m, 3)) {
    case 0: return (item){ tide_mul_scalar(tide_dropout(x.v, 0.25, TIDE_TRAIN), 0.5), false };
    case 1: return (item){ tide_mul(x.v, tide_cast(tide_random_uniform(m->g, s, -1, 1), m->type)), false };
    default: return (item){ tide_sub(x.v, tide_cast(tide_tanh(tide_random_normal(m->g, s, 0, 1)), m->type)), false };
    }
}

static item recast(maker *m, item x) {
    tide_dtype type = chance(m, 50) ? TIDE_F64 : TIDE_F32;
    return (item){ tide_cast(tide_tanh(tide_cast(x.v, type)), m->type), false };
}

static item (*const ops[])(maker *m, item x) = {
    smooth, smooth, smooth, stepped, arithmetic, arithmetic, arithmetic, extreme, choice, reduction, reduction, along,
    along, product, product,
    regroup, permuted, sliced, widened, joined, by_index, ordered, whole, drawn, recast,
};

static void add_random(maker *m) {
    item y = ops[below(m, (int)(sizeof ops / sizeof *ops))](m, pick(m));
    if (!tide_ok(y.v) || tide_shape_of(y.v).ndim > 6 || tide_shape_count(tide_shape_of(y.v)) > MOST_ELEMENTS) return;
    m->pool[m->count < POOL ? m->count++ : below(m, POOL)] = y;
}

/* ---- what is asked for ---- */

static void want(maker *m, tide_val v) {
    if (m->n_values < WANTED - VARIABLES - 1) m->wanted[m->n_values++] = tide_cast(v, TIDE_F64);
}

/* Sums of values times fixed numbers: each element has a derivative of its own. */
static tide_val make_loss(maker *m) {
    tide_val loss = tide_scalar_of(m->g, TIDE_F64, 0);
    for (int i = 0; i < 4; i++) {
        item x = m->pool[m->count - 1 - below(m, m->count < 8 ? m->count : 8)];
        float *data = random_data(m, tide_shape_of(x.v));
        tide_val weights = tide_constant(m->g, TIDE_F32, tide_shape_of(x.v), data);
        free(data);
        loss = tide_add(loss, tide_sum(tide_cast(tide_mul(tide_cast(x.v, TIDE_F32), weights), TIDE_F64), TIDE_ALL));
        if (i < 3) want(m, x.v);
    }
    return loss;
}

/* A new value for the variable: from its gradient, from itself in another order, or what another one gets. */
static tide_val new_value(maker *m, int i, tide_val gradient, const tide_val *values) {
    tide_val w = m->variables[i], moved = tide_sub(w, tide_mul_scalar(gradient, 0.01));
    int dims = tide_shape_of(w).ndim, other = i ? below(m, i) : 0;
    if (i && chance(m, 40) && tide_shape_equal(tide_shape_of(w), tide_shape_of(m->variables[other])))
        return chance(m, 50) ? values[other] : m->variables[other];
    switch (below(m, 5)) {
    case 0: return dims ? tide_flip(w, below(m, dims)) : w;
    case 1:
        return dims ? tide_add(tide_mul_scalar(tide_flip(w, below(m, dims)), 0.5), tide_mul_scalar(gradient, 0.01))
                    : moved;
    case 2: return dims ? tide_softmax(w, below(m, dims)) : moved;
    default: return moved;
    }
}

static void build(maker *m, uint64_t seed, int n_ops) {
    m->state = seed * 0x9e3779b97f4a7c15u + 1;
    int sort = below(m, 10);
    m->type = sort < 7 ? TIDE_F32 : sort < 9 ? TIDE_F64 : chance(m, 50) ? TIDE_BF16 : TIDE_F16;
    for (int i = 0; i < 3; i++) m->pool[m->count++] = leaf(m, random_shape(m));
    for (int i = 0; i < n_ops; i++) add_random(m);
    tide_val loss = make_loss(m), wrt[FEEDS + VARIABLES], values[VARIABLES];
    want(m, loss);
    int n = 0;
    for (int i = 0; i < m->n_variables; i++) wrt[n++] = m->variables[i];
    for (int i = 0; i < m->n_feeds; i++) wrt[n++] = m->feeds[i].input;
    tide_list gradients = tide_grad(loss, (tide_list){ wrt, n });
    for (int i = 0; i < n; i++) want(m, gradients.items[i]);
    m->n_wanted = m->n_values;
    for (int i = 0; i < m->n_variables; i++) {
        values[i] = new_value(m, i, gradients.items[i], values);
        m->wanted[m->n_wanted++] = tide_assign(m->variables[i], values[i]);
    }
}

void maker_build(maker *m, tide_graph *g, uint64_t seed, int n_ops) {
    *m = (maker){ .g = g };
    build(m, seed, n_ops);
}

void maker_build_fixed(maker *m, tide_graph *g, uint64_t seed, int n_ops, uint64_t numbers) {
    *m = (maker){ .g = g, .fixed = true, .numbers = numbers };
    build(m, seed, n_ops);
}

void maker_free(maker *m) {
    for (int i = 0; i < m->n_feeds; i++) free((void *)m->feeds[i].data);
}
