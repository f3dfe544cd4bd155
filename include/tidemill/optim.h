/* Optimizers: functions from gradients to one effect (give it to tide_compile). They make their own variables
 * ("optim." + parameter name + ".m" ...), zero at first, which belong to tide_state and not to tide_params. A second
 * optimizer of the same parameters (an alternating training, L-BFGS after Adam) needs a `name` of its own in place of
 * "optim". A parameter in F64 is updated in F64 throughout: give .lr in F64 or by tide_scalar, whose number is not
 * rounded to F32 on its way. */
#ifndef TIDEMILL_OPTIM_H
#define TIDEMILL_OPTIM_H

#include "ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* sqrt of the sum of all squares, a scalar: F64 if one of the values is, else F32, where a value beyond 1.8e19 makes it
 * infinite (and tide_clip_norm's result zero). */
TIDE_API tide_val  tide_global_norm(tide_list values);
/* Scaled by min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. */
TIDE_API tide_list tide_clip_norm(tide_list gradients, double max_norm);

/* Stochastic gradient descent, as PyTorch's. `lr` is a scalar value: a constant, a variable that the caller writes, or
 * a schedule. */
typedef struct tide_sgd_opts {
    tide_val lr;
    double momentum, dampening, weight_decay;
    bool nesterov;
    const char *name;  /* of its variables; NULL: "optim" */
} tide_sgd_opts;
TIDE_API tide_val tide_sgd(tide_list params, tide_list gradients, const tide_sgd_opts *opts);

/* RMSprop, as PyTorch's. Defaults where 0: alpha 0.99, eps 1e-8. */
typedef struct tide_rmsprop_opts {
    tide_val lr;
    double alpha, eps, momentum, weight_decay;
    bool centered;
    const char *name;
} tide_rmsprop_opts;
TIDE_API tide_val tide_rmsprop(tide_list params, tide_list gradients, const tide_rmsprop_opts *opts);

/* Defaults where 0: beta1 0.9, beta2 0.999, eps 1e-8. Kingma & Ba 2015; weight_decay is added to the gradient
 * in tide_adam and decouples in tide_adamw (Loshchilov & Hutter 2019). */
typedef struct tide_adamw_opts {
    tide_val lr;
    double beta1, beta2, eps, weight_decay;
    bool no_bias_correction;
    const char *name;
} tide_adamw_opts;
TIDE_API tide_val tide_adam(tide_list params, tide_list gradients, const tide_adamw_opts *opts);
TIDE_API tide_val tide_adamw(tide_list params, tide_list gradients, const tide_adamw_opts *opts);

/* Chen et al. 2023. Defaults where 0: beta1 0.9, beta2 0.99. */
typedef struct tide_lion_opts {
    tide_val lr;
    double beta1, beta2, weight_decay;
    const char *name;
} tide_lion_opts;
TIDE_API tide_val tide_lion(tide_list params, tide_list gradients, const tide_lion_opts *opts);

/* Dynamic loss scaling, for gradients that may leave F16's range (Micikevicius et al. 2018), all of it inside the
 * program:
 *   tide_grad_scaler s = tide_grad_scaler_new(g, "scaler", NULL);
 *   tide_list grads = tide_grad_scaler_unscale(&s, tide_grad(tide_grad_scaler_scale(&s, loss), params));
 *   tide_val update = tide_grad_scaler_step(&s, tide_adamw(params, tide_clip_norm(grads, 1.0), &opts));
 * A step whose gradients are not all finite changes nothing but the scaler: parameters, moments and step counts stay as
 * they were, the scale shrinks. After `interval` good steps in a row it grows. The state is three variables, part of
 * tide_state: NAME.scale (F32), NAME.good (I32, since the last change) and NAME.skipped (I32, steps in all). */
typedef struct tide_grad_scaler_opts {
    double  initial, growth, backoff;  /* where 0: 65536, 2, 0.5; powers of 2 scale without rounding */
    int64_t interval;                  /* where 0: 2000 */
} tide_grad_scaler_opts;
typedef struct tide_grad_scaler {
    tide_val scale, good, skipped;     /* variables: tide_read them for metrics */
    tide_val finite;                   /* BOOL, of this step; set by tide_grad_scaler_unscale */
    tide_grad_scaler_opts opts;
} tide_grad_scaler;
TIDE_API tide_grad_scaler tide_grad_scaler_new(tide_graph *g, const char *name, const tide_grad_scaler_opts *opts);
TIDE_API tide_val  tide_grad_scaler_scale(const tide_grad_scaler *s, tide_val loss);          /* loss times the scale */
TIDE_API tide_list tide_grad_scaler_unscale(tide_grad_scaler *s, tide_list gradients);        /* divided by it */
/* the guarded update, and the scaler's */
TIDE_API tide_val  tide_grad_scaler_step(const tide_grad_scaler *s, tide_val update);

/* Gradient accumulation: a step on a batch that runs as equal parts of it, one after the other, so that the activations
 * of one part at a time need memory. A program adds a part's sums to variables; a small one updates with all of them,
 * once:
 *   tide_accumulator a = tide_accumulator_new(g, params, part_samples);
 *   tide_sample_offset(g, a.offset); the samples of a part draw the masks that they have in the whole
 *   tide_val losses = ...;                               one a sample, of inputs with part_samples samples
 *   tide_sample_offset(g, (tide_val){ 0 });
 *   tide_val sum = tide_sum(losses, TIDE_ALL), count = tide_scalar(g, part_samples);
 *   tide_program *part = tide_compile(TIDE_LIST(tide_accumulator_add(&a, tide_grad(sum, params), sum, count)), NULL);
 *   tide_list grads = tide_accumulator_take(&a);
 *   tide_val update = tide_accumulator_step(&a, tide_adamw(params, tide_clip_norm(grads, 1.0), &opts));
 *   tide_program *step = tide_compile(TIDE_LIST(a.loss, update), NULL);
 * Run `part` on each part in order, then `step`. Gradients and loss are the sums of the numerators divided once by the
 * sum of the denominators, so they are those of the whole batch within rounding, also where each part weighs
 * differently (a masked loss: give the sum of the weights). Where the whole batch's denominator is known beforehand,
 * divide the numerator by it and give (tide_val){ 0 }: that saves a pass over the gradients, and each sample's
 * derivatives have the bits that they have in the whole. With a tide_grad_scaler: scale the numerator before tide_grad,
 * unscale what tide_accumulator_take gives, and hand the guarded update to tide_accumulator_step. The variables are
 * part of tide_state; between steps only `part`, 0, means anything. */
typedef struct tide_accumulator {
    tide_list params, sums;            /* a copy of the list; variables "accumulate." + parameter name, of 16-bit
                                          parameters in F32 */
    tide_val  numerator, denominator;  /* F32 scalar variables, of the parts so far; graph NULL: no denominator */
    tide_val  part;                    /* I32 scalar variable: how many parts were added */
    tide_val  offset;                  /* I32: the number of this part's first sample in the batch */
    tide_val  loss;                    /* F32 scalar: numerator / denominator, set by tide_accumulator_take */
} tide_accumulator;
TIDE_API tide_accumulator tide_accumulator_new(tide_graph *g, tide_list params, int64_t part_samples);
/* `gradients` are those of the numerator; both scalars are F32. Call it when the part's model is built: the random
 * numbers' step then stands still until tide_accumulator_step's effect runs. */
TIDE_API tide_val tide_accumulator_add(tide_accumulator *a, tide_list gradients, tide_val numerator,
                                       tide_val denominator);
/* gradients of the whole batch's loss */
TIDE_API tide_list tide_accumulator_take(tide_accumulator *a);
/* the update, and a fresh start */
TIDE_API tide_val  tide_accumulator_step(const tide_accumulator *a, tide_val update);

/* Learning rates as values of a counter: `step` is a scalar, 0 at the first step; one of integers is counted in the
 * graph's default type, which the rate then has, a floating one in its own. */
/* base factor^floor(step/every) */
TIDE_API tide_val tide_lr_step(tide_val step, double base, double factor, double every);
/* base factor^step */
TIDE_API tide_val tide_lr_exponential(tide_val step, double base, double factor);
/* From base down half a cosine to `last`, which it has reached after so many steps. */
TIDE_API tide_val tide_lr_cosine(tide_val step, double base, double last, double steps);
/* after times min(1, (step+1)/steps) */
TIDE_API tide_val tide_lr_warmup(tide_val step, double steps, tide_val after);

#ifdef __cplusplus
}
#endif

#endif
