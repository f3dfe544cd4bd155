/* What the optimizers share: state beside each parameter, and scalars in a parameter's type. */
#ifndef TIDE_OPTIM_MOMENTS_H
#define TIDE_OPTIM_MOMENTS_H

#include "../../include/tidemill/optim.h"

/* One variable of zeros a parameter, NAME.PARAMETER.SUFFIX; name NULL: "optim". All of one kind are made in one go, in
 * the order of the parameters, so that they lie in storage like the parameters do. */
tide_list moments_new(tide_list params, const char *name, const char *suffix);

/* Counts the updates: variable NAME.PARAMETER.step of the first parameter, I32; `next` is 1 in the first run. */
typedef struct step_counter { tide_val next, effect; } step_counter;
step_counter step_counter_new(tide_list params, const char *name);

/* `number`, or the scalar `s`, in the type of `like`: what tide_scalar made without a rounding to F32 on the way. */
tide_val number_like(tide_val like, double number);
tide_val scalar_like(tide_val like, tide_val s);

/* keep * old + add * fresh. */
tide_val blend(double keep, tide_val old, double add, tide_val fresh);

double or_default(double value, double standard);

/* A set of assignments that becomes one effect. The poison value goes through. */
typedef struct effects { tide_graph *graph; tide_val *items; int64_t count, capacity; } effects;
/* items NULL, with a failed graph, unless there is a gradient for each of at least one parameter and a learning rate;
 * lr NULL: the optimizer was given no options. */
effects  effects_new(tide_list params, tide_list gradients, const tide_val *lr, int64_t per_param);
void     effects_add(effects *e, tide_val variable, tide_val value);
tide_val effects_group(effects *e);

#endif
