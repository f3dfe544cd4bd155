#include <stdio.h>
#include <stdlib.h>

#include "../base/base.h"

#include "moments.h"

/* The scale stays between these powers of 2, so that it and its reciprocal are exact. */
#define LEAST_SCALE 0x1p-24
#define MOST_SCALE 0x1p24

static tide_val f32(tide_graph *g, double number) { return tide_scalar_of(g, TIDE_F32, number); }

static tide_val state_variable(tide_graph *g, const char *name, const char *part, tide_val initial) {
    char full[320];
    if (!name) return tide_poison(g, TIDE_EINVAL, "grad scaler: there is no name");
    snprintf(full, sizeof full, "%s.%s", name, part);
    return tide_variable(g, full, initial);
}

tide_grad_scaler tide_grad_scaler_new(tide_graph *g, const char *name, const tide_grad_scaler_opts *opts) {
    tide_grad_scaler_opts o = opts ? *opts : (tide_grad_scaler_opts){ 0 };
    o.initial = or_default(o.initial, 65536), o.growth = or_default(o.growth, 2),
    o.backoff = or_default(o.backoff, 0.5);
    if (!o.interval) o.interval = 2000;
    bool fine = o.initial >= LEAST_SCALE && o.initial <= MOST_SCALE && o.growth >= 1 && o.backoff > 0 &&
                o.backoff < 1 && o.interval > 0;
    if (!fine)
        tide_poison(
            g, TIDE_EINVAL,
            "grad scaler: it takes a scale of 2^-24 .. 2^24, growth >= 1, backoff between 0 and 1, interval > 0");
    return (tide_grad_scaler){ .scale = state_variable(g, name, "scale", f32(g, o.initial)),
                               .good = state_variable(g, name, "good", tide_scalar_of(g, TIDE_I32, 0)),
                               .skipped = state_variable(g, name, "skipped", tide_scalar_of(g, TIDE_I32, 0)),
                               .opts = o };
}

static tide_val no_scaler(tide_val v) { return tide_poison(v.graph, TIDE_EINVAL, "grad scaler: there is none"); }

tide_val tide_grad_scaler_scale(const tide_grad_scaler *s, tide_val loss) {
    return s ? tide_mul(loss, scalar_like(loss, s->scale)) : no_scaler(loss);
}

/* 0 times a number is 0 if it is finite, else NaN: one sum finds them all without overflowing. */
static tide_val zero_if_finite(tide_val gradient) {
    tide_val sum = tide_sum(tide_mul_scalar(gradient, 0), TIDE_ALL);
    return tide_dtype_of(sum) == TIDE_F32 ? sum : tide_cast(sum, TIDE_F32);
}

tide_list tide_grad_scaler_unscale(tide_grad_scaler *s, tide_list gradients) {
    tide_graph *g = s ? s->scale.graph : NULL;
    if (!list_readable(gradients))
        return tide_poison(g, TIDE_EINVAL, "grad scaler: the list of gradients cannot be read"), (tide_list){ 0 };
    if (!g) return no_scaler((tide_val){ list_graph(gradients), -1, 0 }), (tide_list){ 0 };
    tide_val    total = f32(g, 0), inverse = tide_reciprocal(s->scale);
    tide_val   *out = calloc((size_t)gradients.count + 1, sizeof *out);
    if (!out) {
        tide_poison(g, TIDE_ENOMEM, "out of memory for a grad scaler's gradients");
        return gradients;
    }
    for (int64_t i = 0; i < gradients.count; i++) {
        out[i] = tide_mul(gradients.items[i], scalar_like(gradients.items[i], inverse));
        total  = tide_add(total, zero_if_finite(out[i]));
    }
    s->finite = tide_is_finite(total);
    tide_list list = tide_list_new(g, out, gradients.count);
    free(out);
    return list.count == gradients.count ? list : gradients;
}

tide_val tide_grad_scaler_step(const tide_grad_scaler *s, tide_val update) {
    if (!s) return no_scaler(update);
    tide_graph *g = s->scale.graph ? s->scale.graph : update.graph;
    if (!s->finite.graph) return tide_poison(g, TIDE_EINVAL, "grad scaler: unscale the gradients before the step");
    tide_val none = tide_scalar_of(g, TIDE_I32, 0), one = tide_scalar_of(g, TIDE_I32, 1);
    tide_val good = tide_where(s->finite, tide_add(s->good, one), none);
    tide_val grows = tide_ge(good, tide_scalar_of(g, TIDE_I32, (double)s->opts.interval));
    tide_val grown = tide_where(grows, f32(g, s->opts.growth), f32(g, 1));
    tide_val factor = tide_where(s->finite, grown, f32(g, s->opts.backoff));
    tide_val scale = tide_clamp(tide_mul(s->scale, factor), LEAST_SCALE, MOST_SCALE);
    tide_val skipped = tide_add(s->skipped, tide_where(s->finite, none, one));
    return tide_group(g,
                      TIDE_LIST(tide_when(s->finite, update), tide_assign(s->scale, scale),
                                tide_assign(s->good, tide_where(grows, none, good)), tide_assign(s->skipped, skipped)));
}
