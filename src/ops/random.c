/* Random values. Each operation has a site of its own, given when it is built, so that numbers are a function of (seed,
 * step, site, sample, element): the same on every device, and made again rather than kept. */
#include <math.h>

#include "table.h"

tide_val tide_rng_step(tide_graph *g) {
    if (!g) return graph_val(g, -1);
    if (g->rng_step) return graph_val(g, g->rng_step);
    int32_t depth = g->depth;
    g->depth = 0;  /* its name does not depend on where it is first asked for */
    tide_val step = tide_variable(g, "rng.step", tide_scalar_of(g, TIDE_I32, 0));
    g->depth = depth;
    if (val_good(step)) g->rng_step = step.node;
    return step;
}

void tide_sample_offset(tide_graph *g, tide_val offset) {
    if (!g) return;
    g->sample_offset = 0;
    if (!offset.graph || !operand_good("sample_offset", offset)) return;
    if (offset.graph != g || tide_dtype_of(offset) != TIDE_I32 || tide_shape_of(offset).ndim)
        graph_fail(g, TIDE_ETYPE, "sample_offset: the offset is %s; it takes an i32 scalar of this graph",
                   tide_dtype_name(tide_dtype_of(offset)));
    else g->sample_offset = offset.node;
}

/* What numbers are a function of: the step, and the offset of samples where there is one. */
static int32_t counters(tide_graph *g, tide_val *in) {
    in[0] = tide_rng_step(g);
    if (g->sample_offset) in[1] = graph_val(g, g->sample_offset);
    return g->sample_offset ? 2 : 1;
}

static tide_val random_node(tide_graph *g, ir_op op, tide_shape shape, double number, double scale) {
    tide_val in[2];
    if (!g) return graph_val(g, -1);
    int32_t count = counters(g, in);
    ir_attr attr = { .site = g->sites++, .number = number, .scale = scale };
    return graph_add(g, op, TIDE_F32, shape, in, count, &attr);
}

/* [0, 1) in F32, a multiple of 2^-24. */
static tide_val unit_f32(tide_graph *g, tide_shape shape) { return random_node(g, OP_RANDOM, shape, 0, 0); }

/* [0, 1) in F64, a multiple of 2^-53: 24 bits, 24 bits and 5 bits. Every sum is exact. */
static tide_val unit_f64(tide_graph *g, tide_shape shape) {
    tide_val high = tide_cast(unit_f32(g, shape), TIDE_F64), middle = tide_cast(unit_f32(g, shape), TIDE_F64);
    tide_val low = tide_floor(tide_mul_scalar(tide_cast(unit_f32(g, shape), TIDE_F64), 32));
    return tide_add(high, tide_add(tide_mul_scalar(middle, 0x1p-24), tide_mul_scalar(low, 0x1p-53)));
}

static tide_val unit(tide_graph *g, tide_dtype type, tide_shape shape) {
    return type == TIDE_F64 ? unit_f64(g, shape) : unit_f32(g, shape);
}

static bool random_type(tide_graph *g, const char *op, tide_dtype type) {
    if (!type_good(g, op, type)) return false;
    if (type_floating(type)) return true;
    return graph_fail(g, TIDE_ETYPE, "%s: there are random numbers of floating types, not of %s", op,
                      tide_dtype_name(type)),
           false;
}

tide_val tide_random_uniform_of(tide_graph *g, tide_dtype type, tide_shape shape, double low, double high) {
    if (!random_type(g, "random_uniform", type)) return graph_val(g, -1);
    return tide_cast(tide_add_scalar(tide_mul_scalar(unit(g, type, shape), high - low), low), type);
}

/* 1 - u is in (0, 1], so the logarithm is finite. */
tide_val tide_random_normal_of(tide_graph *g, tide_dtype type, tide_shape shape, double mean, double sd) {
    if (!random_type(g, "random_normal", type)) return graph_val(g, -1);
    tide_val u = unit(g, type, shape), v = unit(g, type, shape);
    tide_val rest = tide_sub(tide_scalar_of(g, tide_dtype_of(u), 1), u);
    tide_val radius = tide_sqrt(tide_mul_scalar(tide_log(rest), -2));
    tide_val wave = tide_mul(radius, tide_cos(tide_mul_scalar(v, 6.283185307179586)));
    return tide_cast(tide_add_scalar(tide_mul_scalar(wave, sd), mean), type);
}

tide_val tide_random_uniform(tide_graph *g, tide_shape shape, double low, double high) {
    return tide_random_uniform_of(g, tide_default_type(g), shape, low, high);
}

tide_val tide_random_normal(tide_graph *g, tide_shape shape, double mean, double sd) {
    return tide_random_normal_of(g, tide_default_type(g), shape, mean, sd);
}

/* Numerics 1: a whole number for each element. */
static tide_val mask_of_24(tide_graph *g, tide_shape shape, double p, double scale) {
    tide_val u = random_node(g, OP_RANDOM, shape, 0, 0);
    return tide_where(tide_ge(u, full_like(u, p)), full_like(u, scale), full_like(u, 0));
}

static double in_16_bits(double p) { return fmin(round(p * 65536), 65535) / 65536; }

ir_attr dropout_mask(tide_graph *g, double p, tide_val *in, int32_t *count) {
    *count += counters(g, in);
    return (ir_attr){ .site = g->sites++, .number = in_16_bits(p), .scale = 1 / (1 - in_16_bits(p)) };
}

/* The mask is F32: for F64 it only chooses, so that the factor is not rounded. The factor is that of the
 * probability as 16 bits can say it, so that the mean is right however near to 1 that is. */
static tide_val dropped(tide_val x, double p) {
    tide_graph *g = x.graph;
    bool wide = tide_dtype_of(x) == TIDE_F64, old = g->numerics == 1;
    if (!old) p = in_16_bits(p);
    double scale = wide ? 1 : 1 / (1 - p);
    tide_val mask = old ? mask_of_24(g, tide_shape_of(x), p, scale)
                        : random_node(g, OP_DROPMASK, tide_shape_of(x), p, scale);
    tide_val kept = tide_mul(x, tide_cast(mask, tide_dtype_of(x)));
    return wide ? tide_mul_scalar(kept, 1 / (1 - p)) : kept;
}

bool dropout_draws(double p, tide_mode mode) { return mode != TIDE_EVAL && p != 0; }

bool dropout_good(tide_val x, double p, tide_mode mode) {
    if (!operand_good("dropout", x)) return false;
    if (mode != TIDE_EVAL && mode != TIDE_TRAIN)
        graph_fail(x.graph, TIDE_EINVAL, "dropout: %d is not a mode", (int)mode);
    else if (dropout_draws(p, mode) && !(p > 0 && p < 1))
        graph_fail(x.graph, TIDE_EINVAL, "dropout: p is %g; it must be at least 0 and below 1", p);
    else if (dropout_draws(p, mode) && !type_floating(tide_dtype_of(x)))
        graph_fail(x.graph, TIDE_ETYPE, "dropout: the operand is %s; it takes floating types",
                   tide_dtype_name(tide_dtype_of(x)));
    else return true;
    return false;
}

tide_val tide_dropout(tide_val x, double p, tide_mode mode) {
    if (!dropout_good(x, p, mode)) return graph_val(x.graph, -1);
    return dropout_draws(p, mode) ? dropped(x, p) : x;
}
