#include "../../include/tidemill/optim.h"

#include <math.h>

static bool counts(tide_dtype type) { return type >= TIDE_I32; }

/* A counter in the graph's default type; a floating step as it is. */
static tide_val as_float(tide_val step) {
    return counts(tide_dtype_of(step)) ? tide_cast(step, tide_default_type(step.graph)) : step;
}

/* Poison where a length in steps is none; then the schedule goes on with it. */
static tide_val checked(tide_val step, double steps) {
    if (steps > 0 && steps < INFINITY) return step;
    return tide_poison(step.graph, TIDE_EINVAL, "learning rate: a number of steps must be above 0");
}

static tide_val power_of(double base, double factor, tide_val exponent) {
    return tide_mul_scalar(tide_pow(tide_scalar(exponent.graph, factor), exponent), base);
}

tide_val tide_lr_step(tide_val step, double base, double factor, double every) {
    step = checked(step, every);
    /* exact at multiples */
    return power_of(base, factor, tide_floor(tide_div(as_float(step), tide_scalar(step.graph, every))));
}

tide_val tide_lr_exponential(tide_val step, double base, double factor) {
    return power_of(base, factor, as_float(step));
}

tide_val tide_lr_cosine(tide_val step, double base, double last, double steps) {
    step = checked(step, steps);
    tide_val share = tide_clamp(tide_mul_scalar(as_float(step), 1 / steps), 0, 1);
    tide_val wave  = tide_add_scalar(tide_cos(tide_mul_scalar(share, acos(-1.0))), 1);
    return tide_add_scalar(tide_mul_scalar(wave, 0.5 * (base - last)), last);
}

tide_val tide_lr_warmup(tide_val step, double steps, tide_val after) {
    step = checked(step, steps);
    tide_val share = tide_mul_scalar(tide_add_scalar(as_float(step), 1), 1 / steps);
    return tide_mul(after, tide_minimum(share, tide_scalar(after.graph, 1)));
}
