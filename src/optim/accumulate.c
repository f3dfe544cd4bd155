/* A batch in parts: gradients and losses are added to variables, and the optimizer sees their mean when the last
 * part is done. */
#include "moments.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/base.h"

static tide_dtype sum_type(tide_dtype type) { return type == TIDE_F16 || type == TIDE_BF16 ? TIDE_F32 : type; }

static tide_val sum_new(tide_graph *g, tide_val param) {
    char name[320];
    snprintf(name, sizeof name, "accumulate.%s", tide_name_of(param));
    return tide_variable(g, name, tide_fill(param.graph, sum_type(tide_dtype_of(param)), tide_shape_of(param), 0));
}

/* A list of one value for each of `count`; the graph fails without memory. */
static tide_val *values_new(tide_graph *g, int64_t count) {
    tide_val *items = calloc((size_t)count + 1, sizeof *items);
    if (!items) tide_poison(g, TIDE_ENOMEM, "out of memory for accumulated gradients");
    return items;
}

static tide_list list_of(tide_graph *g, tide_val *items, int64_t count) {
    tide_list list = tide_list_new(g, items, count);
    free(items);
    return list;
}

tide_accumulator tide_accumulator_new(tide_graph *g, tide_list params, int64_t part_samples) {
    if (!list_readable(params))
        return tide_poison(g, TIDE_EINVAL, "accumulator: the list of parameters cannot be read"),
               (tide_accumulator){ 0 };
    if (part_samples < 1) tide_poison(g, TIDE_EINVAL, "accumulator: a part must have at least one sample");
    tide_accumulator a = { .params = tide_list_new(g, params.items, params.count) };
    tide_val        *sums = values_new(g, params.count);
    for (int64_t i = 0; sums && i < params.count; i++) sums[i] = sum_new(g, params.items[i]);
    if (sums) a.sums = list_of(g, sums, params.count);
    a.numerator = tide_variable(g, "accumulate.numerator", tide_scalar_of(g, TIDE_F32, 0));
    a.part      = tide_variable(g, "accumulate.part", tide_scalar_of(g, TIDE_I32, 0));
    a.offset    = tide_mul_scalar(a.part, (double)part_samples);
    return a;
}

/* What the first part finds belongs to the step before. */
static tide_val added(tide_val first, tide_val sum, tide_val more) {
    tide_val share = scalar_like(sum, more);
    return tide_assign(sum, tide_where(first, share, tide_add(sum, share)));
}

/* The step that random numbers are drawn with stands still, or goes on by one; nothing where none are drawn. */
static void move_rng(effects *e, double by) {
    tide_val step = tide_find_variable(e->graph, "rng.step");
    if (tide_ok(step)) effects_add(e, step, by != 0 ? tide_add_scalar(step, by) : step);
}

/* One that tide_accumulator_new made. */
static bool     usable(const tide_accumulator *a) { return a && tide_ok(a->part) && a->sums.count == a->params.count; }
static tide_val missing(tide_val v) {
    return tide_poison(v.graph, TIDE_EINVAL, "accumulator: there is none that tide_accumulator_new made");
}

static effects effects_of(tide_graph *g, int64_t count) { return (effects){ g, values_new(g, count), 0, count }; }

tide_val tide_accumulator_add(tide_accumulator *a, tide_list gradients, tide_val numerator, tide_val denominator) {
    if (!usable(a)) return missing(numerator);
    tide_graph *g = a->part.graph;
    effects     e = effects_of(g, a->sums.count + 4);
    if (!list_readable(gradients) || gradients.count != a->sums.count)
        tide_poison(g, TIDE_EINVAL, "accumulator: there must be one gradient for each parameter");
    tide_val first = tide_eq(a->part, tide_scalar_of(g, TIDE_I32, 0));
    for (int64_t i = 0; e.items && list_readable(gradients) && i < gradients.count && i < a->sums.count; i++)
        e.items[e.count++] = added(first, a->sums.items[i], gradients.items[i]);
    if (!e.items) return effects_group(&e);
    e.items[e.count++] = added(first, a->numerator, numerator);
    if (denominator.graph) {
        a->denominator     = tide_variable(g, "accumulate.denominator", tide_scalar_of(g, TIDE_F32, 0));
        e.items[e.count++] = added(first, a->denominator, denominator);
    }
    effects_add(&e, a->part, tide_add_scalar(a->part, 1));
    move_rng(&e, 0);
    return effects_group(&e);
}

static tide_val divided(const tide_accumulator *a, tide_val sum) {
    return a->denominator.graph ? tide_div(sum, scalar_like(sum, a->denominator)) : sum;
}

tide_list tide_accumulator_take(tide_accumulator *a) {
    if (!usable(a)) return (tide_list){ 0 };
    tide_graph *g = a->part.graph;
    tide_val   *means = values_new(g, a->sums.count);
    a->loss = divided(a, a->numerator);
    if (!means) return a->sums;
    for (int64_t i = 0; i < a->sums.count; i++)
        means[i] = scalar_like(a->params.items[i], divided(a, a->sums.items[i]));
    tide_list list = list_of(g, means, a->sums.count);
    return list.count == a->sums.count ? list : a->sums;
}

tide_val tide_accumulator_step(const tide_accumulator *a, tide_val update) {
    if (!usable(a)) return missing(update);
    effects e = effects_of(a->part.graph, 3);
    if (!e.items) return effects_group(&e);
    e.items[e.count++] = update;
    effects_add(&e, a->part, tide_scalar_of(e.graph, TIDE_I32, 0));
    move_rng(&e, 1);
    return effects_group(&e);
}
