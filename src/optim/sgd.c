/* Gradient descent and its relatives without a second moment's bias: SGD, RMSprop, Lion. */
#include "moments.h"

/* The momentum buffer begins as the first gradient itself (no dampening), as PyTorch has it. */
static tide_val sgd_buffer(const tide_sgd_opts *o, tide_val buffer, tide_val g, tide_val first) {
    tide_val next = blend(o->momentum, buffer, 1 - o->dampening, g);
    return first.graph ? tide_where(first, g, next) : next;
}

tide_val tide_sgd(tide_list params, tide_list gradients, const tide_sgd_opts *o) {
    effects e = effects_new(params, gradients, o ? &o->lr : NULL, 2);
    if (!e.items) return effects_group(&e);
    bool      moving = o->momentum != 0;
    tide_list buffer = moving ? moments_new(params, o->name, "momentum") : params;
    tide_val  first  = { 0 };
    if (moving && o->dampening != 0) {
        step_counter counter = step_counter_new(params, o->name);
        first                = tide_eq(counter.next, tide_scalar_of(e.graph, TIDE_I32, 1));
        e.items[e.count++]   = counter.effect;
    }
    for (int64_t i = 0; i < params.count; i++) {
        tide_val p = params.items[i], g = gradients.items[i], move = g;
        if (o->weight_decay != 0) move = g = tide_add(g, tide_mul_scalar(p, o->weight_decay));
        if (moving) {
            tide_val next = sgd_buffer(o, buffer.items[i], g, first);
            move          = o->nesterov ? tide_add(g, tide_mul_scalar(next, o->momentum)) : next;
            effects_add(&e, buffer.items[i], next);
        }
        effects_add(&e, p, tide_sub(p, tide_mul(move, scalar_like(p, o->lr))));
    }
    return effects_group(&e);
}

/* The root of the running mean square; centred: of the running variance, which rounding may take below 0. */
static tide_val rms_root(const tide_rmsprop_opts *o, tide_val square, tide_val mean) {
    if (o->centered) square = tide_maximum(tide_sub(square, tide_square(mean)), number_like(square, 0));
    return tide_add_scalar(tide_sqrt(square), or_default(o->eps, 1e-8));
}

tide_val tide_rmsprop(tide_list params, tide_list gradients, const tide_rmsprop_opts *o) {
    effects e = effects_new(params, gradients, o ? &o->lr : NULL, 4);
    if (!e.items) return effects_group(&e);
    double    alpha  = or_default(o->alpha, 0.99);
    tide_list square = moments_new(params, o->name, "square");
    tide_list mean   = o->centered ? moments_new(params, o->name, "mean") : params;
    tide_list buffer = o->momentum != 0 ? moments_new(params, o->name, "momentum") : params;
    for (int64_t i = 0; i < params.count; i++) {
        tide_val p = params.items[i], g = gradients.items[i], mean_new = g;
        if (o->weight_decay != 0) g = tide_add(g, tide_mul_scalar(p, o->weight_decay));
        tide_val square_new = blend(alpha, square.items[i], 1 - alpha, tide_square(g));
        effects_add(&e, square.items[i], square_new);
        if (o->centered) effects_add(&e, mean.items[i], mean_new = blend(alpha, mean.items[i], 1 - alpha, g));
        tide_val move = tide_div(g, rms_root(o, square_new, mean_new));
        if (o->momentum != 0) {
            move = blend(o->momentum, buffer.items[i], 1, move);
            effects_add(&e, buffer.items[i], move);
        }
        effects_add(&e, p, tide_sub(p, tide_mul(move, scalar_like(p, o->lr))));
    }
    return effects_group(&e);
}

tide_val tide_lion(tide_list params, tide_list gradients, const tide_lion_opts *o) {
    effects e = effects_new(params, gradients, o ? &o->lr : NULL, 2);
    if (!e.items) return effects_group(&e);
    double    beta1 = or_default(o->beta1, 0.9), beta2 = or_default(o->beta2, 0.99);
    tide_list moment = moments_new(params, o->name, "m");
    for (int64_t i = 0; i < params.count; i++) {
        tide_val p = params.items[i], g = gradients.items[i], m = moment.items[i];
        tide_val move = tide_sign(blend(beta1, m, 1 - beta1, g));
        if (o->weight_decay != 0) move = tide_add(move, tide_mul_scalar(p, o->weight_decay));
        effects_add(&e, p, tide_sub(p, tide_mul(move, scalar_like(p, o->lr))));
        effects_add(&e, m, blend(beta2, m, 1 - beta2, g));
    }
    return effects_group(&e);
}
