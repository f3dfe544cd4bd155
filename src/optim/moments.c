#include "moments.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/base.h"

static bool type_floating(tide_dtype type) {
    return type == TIDE_F32 || type == TIDE_F64 || type == TIDE_F16 || type == TIDE_BF16;
}

static tide_val state_new(tide_val param, const char *optimizer, const char *suffix, tide_val initial) {
    char name[320];
    snprintf(name, sizeof name, "%s.%s.%s", optimizer ? optimizer : "optim", tide_name_of(param), suffix);
    return tide_variable(param.graph, name, initial);
}

tide_list moments_new(tide_list params, const char *name, const char *suffix) {
    tide_graph *g = params.items[0].graph;
    tide_val   *m = calloc((size_t)params.count, sizeof *m);
    for (int64_t i = 0; m && i < params.count; i++) {
        tide_val p = params.items[i];
        m[i] = state_new(p, name, suffix, tide_fill(g, tide_dtype_of(p), tide_shape_of(p), 0));
    }
    /* Without memory the parameters stand in: the graph has failed, nothing will run. */
    if (!m) tide_poison(g, TIDE_ENOMEM, "out of memory for an optimizer's variables");
    tide_list list = m ? tide_list_new(g, m, params.count) : params;
    free(m);
    return list.count == params.count ? list : params;
}

step_counter step_counter_new(tide_list params, const char *name) {
    tide_val count = state_new(params.items[0], name, "step", tide_scalar_of(params.items[0].graph, TIDE_I32, 0));
    tide_val next  = tide_add_scalar(count, 1);
    return (step_counter){ next, tide_assign(count, next) };
}

tide_val number_like(tide_val like, double number) { return tide_scalar_of(like.graph, tide_dtype_of(like), number); }

tide_val scalar_like(tide_val like, tide_val s) {
    return tide_dtype_of(s) == tide_dtype_of(like) ? s : tide_cast(s, tide_dtype_of(like));
}

tide_val blend(double keep, tide_val old, double add, tide_val fresh) {
    return tide_add(tide_mul_scalar(old, keep), tide_mul_scalar(fresh, add));
}

double or_default(double value, double standard) { return value != 0 ? value : standard; }

/* The first thing that is wrong with what an optimizer was given; NULL: nothing is. */
static const char *optimizer_fault(tide_list params, tide_list gradients, const tide_val *lr) {
    if (!list_readable(params) || params.count < 1) return "optimizer: there are no parameters";
    if (!list_readable(gradients) || params.count != gradients.count)
        return "optimizer: there must be one gradient for each parameter";
    if (!lr) return "optimizer: there are no options, so no learning rate";
    if (!lr->graph) return "optimizer: the options have no learning rate (.lr)";
    if (!tide_ok(*lr)) return "optimizer: the learning rate is no value of this graph";
    if (tide_shape_count(tide_shape_of(*lr)) != 1 || !type_floating(tide_dtype_of(*lr)))
        return "optimizer: the learning rate must be one floating number";
    for (int64_t i = 0; i < params.count; i++)
        if (!tide_ok(params.items[i]) || !tide_ok(gradients.items[i]))
            return "optimizer: a parameter or gradient is no value";
    return NULL;
}

effects effects_new(tide_list params, tide_list gradients, const tide_val *lr, int64_t per_param) {
    tide_graph *g = list_graph(params) ? list_graph(params) : list_graph(gradients);
    const char *fault = optimizer_fault(params, gradients, lr);
    if (fault) return tide_poison(g ? g : lr ? lr->graph : NULL, TIDE_EINVAL, fault), (effects){ .graph = g };
    effects e = { .graph = g, .capacity = params.count * per_param + 1 };
    e.items = calloc((size_t)e.capacity, sizeof *e.items);
    if (!e.items) tide_poison(e.graph, TIDE_ENOMEM, "out of memory for an optimizer's effects");
    return e;
}

void effects_add(effects *e, tide_val variable, tide_val value) {
    if (e->count < e->capacity) e->items[e->count++] = tide_assign(variable, value);
}

tide_val effects_group(effects *e) {
    tide_val all = e->items ? tide_group(e->graph, (tide_list){ e->items, e->count }) : (tide_val){ e->graph, -1, 0 };
    free(e->items);
    return all;
}
