#include "moments.h"

#include <math.h>

typedef struct adam_rule {
    double beta1, beta2, eps, decay;
    bool   decoupled;
    tide_val rate;       /* lr / (1 - beta1^t) */
    tide_val root_scale; /* 1 / sqrt(1 - beta2^t) */
    tide_val lr;
} adam_rule;

/* 1 - beta^t as -expm1(t log beta): 1 - 0.999 in float32 would keep only three digits. */
static tide_val correction(tide_val step, double beta) {
    return tide_neg(tide_expm1(tide_mul_scalar(step, log(beta))));
}

static void adam_one(const adam_rule *rule, effects *e, tide_val p, tide_val g, tide_val m, tide_val v) {
    if (rule->decay != 0 && !rule->decoupled) g = tide_add(g, tide_mul_scalar(p, rule->decay));
    tide_val m_new = blend(rule->beta1, m, 1 - rule->beta1, g);
    tide_val v_new = blend(rule->beta2, v, 1 - rule->beta2, tide_square(g));
    tide_val root  = tide_mul(tide_sqrt(v_new), scalar_like(p, rule->root_scale));
    tide_val step  = tide_mul(tide_div(m_new, tide_add_scalar(root, rule->eps)), scalar_like(p, rule->rate));
    tide_val kept  = p;
    if (rule->decay != 0 && rule->decoupled)
        kept = tide_sub(p, tide_mul(p, tide_mul_scalar(scalar_like(p, rule->lr), rule->decay)));
    effects_add(e, p, tide_sub(kept, step));
    effects_add(e, m, m_new);
    effects_add(e, v, v_new);
}

static tide_val adam(tide_list params, tide_list gradients, const tide_adamw_opts *opts, bool decoupled) {
    effects e = effects_new(params, gradients, opts ? &opts->lr : NULL, 3);
    if (!e.items) return effects_group(&e);
    adam_rule rule = { or_default(opts->beta1, 0.9), or_default(opts->beta2, 0.999), or_default(opts->eps, 1e-8),
                       opts->weight_decay, decoupled, opts->lr, tide_scalar(e.graph, 1), opts->lr };
    tide_list m = moments_new(params, "m"), v = moments_new(params, "v");
    tide_val  count_effect = { 0 };
    if (!opts->no_bias_correction) {
        step_counter counter = step_counter_new(params);
        tide_val     t       = tide_cast(counter.next, TIDE_F32);
        rule.rate            = tide_div(opts->lr, scalar_like(opts->lr, correction(t, rule.beta1)));
        rule.root_scale      = tide_rsqrt(correction(t, rule.beta2));
        count_effect         = counter.effect;
    }
    for (int64_t i = 0; i < params.count; i++)
        adam_one(&rule, &e, params.items[i], gradients.items[i], m.items[i], v.items[i]);
    if (count_effect.graph) e.items[e.count++] = count_effect;
    return effects_group(&e);
}

tide_val tide_adam(tide_list params, tide_list gradients, const tide_adamw_opts *opts) {
    return adam(params, gradients, opts, false);
}

tide_val tide_adamw(tide_list params, tide_list gradients, const tide_adamw_opts *opts) {
    return adam(params, gradients, opts, true);
}
