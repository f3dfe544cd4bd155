#include "moments.h"

#include <math.h>

/* The scalars of one step, in the type that they are computed in. */
typedef struct adam_scalars {
    tide_val rate;       /* lr / (1 - beta1^t) */
    tide_val root_scale; /* 1 / sqrt(1 - beta2^t) */
    tide_val lr;
} adam_scalars;

typedef struct adam_rule {
    double beta1, beta2, eps, decay;
    bool   decoupled;
    tide_val next;          /* t, I32; {0}: no bias correction */
    adam_scalars plain, wide; /* wide: in F64, for F64 parameters; rate {0} until it is needed */
} adam_rule;

/* 1 - beta^t as -expm1(t log beta): 1 - 0.999 in float32 would keep only three digits. */
static tide_val correction(tide_val step, double beta) {
    return tide_neg(tide_expm1(tide_mul_scalar(step, log(beta))));
}

/* The corrections are made in `type`; the rate has lr's own. */
static adam_scalars scalars_new(const adam_rule *rule, tide_val lr, tide_dtype type) {
    if (!rule->next.graph) return (adam_scalars){ lr, tide_scalar(lr.graph, 1), lr };
    tide_val t = tide_cast(rule->next, type);
    tide_val rate = tide_div(lr, scalar_like(lr, correction(t, rule->beta1)));
    return (adam_scalars){ rate, tide_rsqrt(correction(t, rule->beta2)), lr };
}

static const adam_scalars *scalars_for(adam_rule *rule, tide_val p) {
    if (tide_dtype_of(p) != TIDE_F64) return &rule->plain;
    if (!rule->wide.rate.graph) rule->wide = scalars_new(rule, tide_cast(rule->plain.lr, TIDE_F64), TIDE_F64);
    return &rule->wide;
}

static void adam_one(adam_rule *rule, effects *e, tide_val p, tide_val g, tide_val m, tide_val v) {
    const adam_scalars *s = scalars_for(rule, p);
    if (rule->decay != 0 && !rule->decoupled) g = tide_add(g, tide_mul_scalar(p, rule->decay));
    tide_val m_new = blend(rule->beta1, m, 1 - rule->beta1, g);
    tide_val v_new = blend(rule->beta2, v, 1 - rule->beta2, tide_square(g));
    tide_val root  = tide_mul(tide_sqrt(v_new), scalar_like(p, s->root_scale));
    tide_val step  = tide_mul(tide_div(m_new, tide_add_scalar(root, rule->eps)), scalar_like(p, s->rate));
    tide_val kept  = p;
    if (rule->decay != 0 && rule->decoupled)
        kept = tide_sub(p, tide_mul(p, tide_mul_scalar(scalar_like(p, s->lr), rule->decay)));
    effects_add(e, p, tide_sub(kept, step));
    effects_add(e, m, m_new);
    effects_add(e, v, v_new);
}

static tide_val adam(tide_list params, tide_list gradients, const tide_adamw_opts *opts, bool decoupled) {
    effects e = effects_new(params, gradients, opts ? &opts->lr : NULL, 3);
    if (!e.items) return effects_group(&e);
    adam_rule rule = { or_default(opts->beta1, 0.9), or_default(opts->beta2, 0.999), or_default(opts->eps, 1e-8),
                       opts->weight_decay, decoupled, .next = { 0 } };
    tide_list m = moments_new(params, opts->name, "m"), v = moments_new(params, opts->name, "v");
    step_counter counter = { 0 };
    if (!opts->no_bias_correction) counter = step_counter_new(params, opts->name);
    rule.next  = counter.next;
    rule.plain = scalars_new(&rule, opts->lr, TIDE_F32);
    for (int64_t i = 0; i < params.count; i++)
        adam_one(&rule, &e, params.items[i], gradients.items[i], m.items[i], v.items[i]);
    if (counter.effect.graph) e.items[e.count++] = counter.effect;
    return effects_group(&e);
}

tide_val tide_adam(tide_list params, tide_list gradients, const tide_adamw_opts *opts) {
    return adam(params, gradients, opts, false);
}

tide_val tide_adamw(tide_list params, tide_list gradients, const tide_adamw_opts *opts) {
    return adam(params, gradients, opts, true);
}
