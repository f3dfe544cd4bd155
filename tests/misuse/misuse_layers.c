/* Layers, losses, optimizers, schedules. */
#include "misuse.h"

#include <math.h>
#include <string.h>

static const char *const names[4] = { "q", "k", "v", "o" }, *const holes[4] = { "q", NULL, "v", "o" };
static tide_val  item(tide_list l) { return l.count ? l.items[0] : NOTHING; }
static tide_val  cube(const trial *t) { return tide_fill(t->g, TIDE_F32, TIDE_SHAPE(1, 2, 5), 1); }
static bool      linear_bad(const trial *t, tide_linear l) { return failed(t) && !tide_ok(l.weight); }
static tide_conv1d conv(const trial *t, int64_t kernel, int64_t stride, int64_t padding) {
    return tide_conv1d_new(t->g, "c", 2, 3, kernel, stride, padding);
}
static tide_grad_scaler scaler(const trial *t) { return tide_grad_scaler_new(t->g, "s", NULL); }
static tide_accumulator accumulator(const trial *t) { return tide_accumulator_new(t->g, TIDE_LIST(t->w), 2); }
static tide_val stepped(const trial *t, tide_val update) {
    tide_grad_scaler s = scaler(t);
    tide_grad_scaler_unscale(&s, TIDE_LIST(t->x));
    return tide_grad_scaler_step(&s, update);
}
static bool options_refused(const trial *t, double interval, double backoff) {
    tide_grad_scaler_opts o = { .interval = (int64_t)interval, .backoff = backoff };
    tide_grad_scaler_new(t->g, "s", &o);
    return failed(t);
}

#define LOSS(V, R, f)                                                                                                  \
    V(f, 0, false, f(bad, t->x))                                                                                       \
    V(f, 1, false, f(t->x, bad))                                                                                       \
    R(f, 2, "shapes that would broadcast", poisoned(t, f(t->x, tide_reshape(t->x, TIDE_SHAPE(2, 3, 1)))))
#define WEIGHTED(V, R, f)                                                                                              \
    V(f, 0, false, f(bad, t->x, TIDE_NO_WEIGHT))                                                                       \
    V(f, 1, false, f(t->x, bad, TIDE_NO_WEIGHT))                                                                       \
    R(f, 2, "a weight that is no node", poisoned(t, f(t->x, t->x, (tide_val){ t->g, 999, 0 })))                        \
    R(f, 3, "a weight of another graph", poisoned(t, f(t->x, t->x, t->strange)))                                       \
    R(f, 4, "shapes that would broadcast", poisoned(t, f(t->x, t->scalar, TIDE_NO_WEIGHT)))
#define OPTIMIZER(V, R, f, opts)                                                                                       \
    V(f, 0, false, f(TIDE_LIST(bad), TIDE_LIST(t->x), &(opts){ .lr = t->scalar }))                                     \
    V(f, 1, false, f(TIDE_LIST(t->w), TIDE_LIST(bad), &(opts){ .lr = t->scalar }))                                     \
    V(f, 2, false, f(TIDE_LIST(t->w), TIDE_LIST(t->x), &(opts){ .lr = bad }))                                          \
    R(f, 3, "no options", poisoned(t, f(TIDE_LIST(t->w), TIDE_LIST(t->x), NULL)))                                      \
    R(f, 4, "options without lr", poisoned(t, f(TIDE_LIST(t->w), TIDE_LIST(t->x), &(opts){ 0 })) &&                    \
                                  strstr(tide_error(t->g)->message, "learning rate"))                                  \
    R(f, 5, "no items", !tide_ok(f(NO_ITEMS, TIDE_LIST(t->x), &(opts){ .lr = t->scalar })) && failed(t))               \
    R(f, 6, "no gradients", poisoned(t, f(TIDE_LIST(t->w), NO_ITEMS, &(opts){ .lr = t->scalar })))                     \
    R(f, 7, "-1 items", poisoned(t, f(LESS_THAN_NONE, LESS_THAN_NONE, &(opts){ .lr = t->scalar })))                    \
    R(f, 8, "no parameters", poisoned(t, f((tide_list){ 0 }, (tide_list){ 0 }, &(opts){ .lr = t->scalar })))           \
    R(f, 9, "an lr of six numbers", poisoned(t, f(TIDE_LIST(t->w), TIDE_LIST(t->x), &(opts){ .lr = t->x })))           \
    R(f, 10, "what is no variable", poisoned(t, f(TIDE_LIST(t->x), TIDE_LIST(t->x), &(opts){ .lr = t->scalar })))

#define LAYERS(V, R)                                                                                                   \
    R(tide_linear_new, 0, "no graph", !tide_ok(tide_linear_new(NULL, "l", 2, 3).weight))                               \
    R(tide_linear_new, 1, "no name", linear_bad(t, tide_linear_new(t->g, NULL, -2, 3)))                                \
    R(tide_linear_new, 2, "a width of -2", linear_bad(t, tide_linear_new(t->g, "l", -2, 3)))                           \
    V(tide_linear_apply, 0, false, tide_linear_apply(&(tide_linear){ t->w, t->w }, bad))                               \
    V(tide_linear_apply, 1, false, tide_linear_apply(&(tide_linear){ bad, t->w }, t->x))                               \
    R(tide_linear_apply, 2, "no layer", poisoned(t, tide_linear_apply(NULL, t->x)))                                    \
    R(tide_linear_apply, 3, "a layer of zeros", poisoned(t, tide_linear_apply(&(tide_linear){ 0 }, t->x)))             \
    R(tide_layer_norm_new, 0, "no graph", !tide_ok(tide_layer_norm_new(NULL, "l", 2, 1e-5).weight))                    \
    R(tide_layer_norm_new, 1, "no name, size -1", (tide_layer_norm_new(t->g, NULL, -1, 1e-5), failed(t)))              \
    V(tide_layer_norm_apply, 0, false, tide_layer_norm_apply(&(tide_layer_norm_layer){ t->w, t->w, 1e-5 }, bad))       \
    R(tide_layer_norm_apply, 1, "no layer", poisoned(t, tide_layer_norm_apply(NULL, t->x)))                            \
    R(tide_layer_norm_apply, 2, "a layer of zeros", poisoned(t,                                                        \
        tide_layer_norm_apply(&(tide_layer_norm_layer){ 0 }, t->x)))                                                   \
    R(tide_embedding_new, 0, "no graph", !tide_ok(tide_embedding_new(NULL, "e", 2, 3).weight))                         \
    R(tide_embedding_new, 1, "-2 rows", !tide_ok(tide_embedding_new(t->g, "e", -2, 3).weight) && failed(t))            \
    V(tide_embedding_apply, 0, false, tide_embedding_apply(&(tide_embedding){ t->w }, bad))                            \
    R(tide_embedding_apply, 1, "no layer", poisoned(t, tide_embedding_apply(NULL, t->index)))                          \
    R(tide_embedding_apply, 2, "a layer of zeros", poisoned(t, tide_embedding_apply(&(tide_embedding){ 0 },            \
        t->index)))                                                                                                    \
    R(tide_conv1d_new, 0, "no graph", !tide_ok(tide_conv1d_new(NULL, "c", 2, 3, 3, 1, 0).weight))                      \
    R(tide_conv1d_new, 1, "more weights than can be counted", (tide_conv1d_new(t->g, "c", INT64_MAX, 3, INT64_MAX,     \
        1, 0), failed(t)))                                                                                             \
    V(tide_conv1d_apply, 0, false, tide_conv1d_apply(&(tide_conv1d){ t->w, t->w, 1, 0 }, bad))                         \
    R(tide_conv1d_apply, 1, "no layer", poisoned(t, tide_conv1d_apply(NULL, cube(t))))                                 \
    R(tide_conv1d_apply, 2, "a layer of zeros", poisoned(t, tide_conv1d_apply(&(tide_conv1d){ 0 }, cube(t))))          \
    R(tide_conv1d_apply, 3, "x of two axes", poisoned(t, tide_conv1d_apply((tide_conv1d[]){ conv(t, 3, 1, 0) },        \
        t->x)) && strstr(tide_error(t->g)->message, "conv1d"))                                                         \
    R(tide_conv1d_apply, 4, "stride 0", poisoned(t, tide_conv1d_apply((tide_conv1d[]){ conv(t, 3, 0, 0) },             \
        cube(t))) && strstr(tide_error(t->g)->message, "conv1d"))                                                      \
    R(tide_conv1d_apply, 5, "a kernel that is too long", poisoned(t, tide_conv1d_apply((tide_conv1d[]){ conv(t, 9,     \
        1, 0) }, cube(t))) && strstr(tide_error(t->g)->message, "kernel of 9"))                                        \
    R(tide_conv1d_apply, 6, "padding INT64_MAX", poisoned(t, tide_conv1d_apply((tide_conv1d[]){ conv(t, 3, 1,          \
        INT64_MAX) }, cube(t))))                                                                                       \
    V(tide_attention, 0, false, tide_attention(bad, cube(t), cube(t), 0, TIDE_EVAL, NULL))                             \
    V(tide_attention, 1, false, tide_attention(cube(t), bad, cube(t), 0, TIDE_EVAL, NULL))                             \
    V(tide_attention, 2, false, tide_attention(cube(t), cube(t), bad, 0, TIDE_EVAL, NULL))                             \
    R(tide_attention, 3, "dropout 2", poisoned(t, tide_attention(cube(t), cube(t), cube(t), 2, TIDE_TRAIN, NULL)))     \
    R(tide_self_attention_new, 0, "no graph", !tide_ok(tide_self_attention_new(NULL, names, 4, 2, 2).out.weight))      \
    R(tide_self_attention_new, 1, "no names", (tide_self_attention_new(t->g, NULL, 4, 2, 2), failed(t)))               \
    R(tide_self_attention_new, 2, "a name that is none", (tide_self_attention_new(t->g, holes, 4, 2, 2), failed(t)))   \
    R(tide_self_attention_new, 3, "no heads", (tide_self_attention_new(t->g, names, 4, 0, 2), failed(t)))              \
    R(tide_self_attention_new, 4, "-2 heads", (tide_self_attention_new(t->g, names, 4, -2, -2), failed(t)))            \
    R(tide_self_attention_new, 5, "INT64_MAX heads", (tide_self_attention_new(t->g, names, 4, INT64_MAX,               \
        INT64_MAX), failed(t)))                                                                                        \
    R(tide_self_attention_apply, 0, "no layer", poisoned(t, tide_self_attention_apply(NULL, cube(t), 0, TIDE_EVAL,     \
        NULL)))                                                                                                        \
    R(tide_self_attention_apply, 1, "a layer of zeros", poisoned(t,                                                    \
        tide_self_attention_apply(&(tide_self_attention){ 0 }, cube(t), 0, TIDE_EVAL, NULL)))                          \
    R(tide_self_attention_apply, 2, "x of two axes", poisoned(t,                                                       \
        tide_self_attention_apply(&(tide_self_attention){ 0 }, t->x, 0, TIDE_EVAL, NULL)))                             \
    V(tide_self_attention_queries, 0, false, tide_self_attention_queries(&(tide_self_attention){ .heads = 1,           \
        .head_size = 1 }, bad, cube(t), 0, TIDE_EVAL, NULL))                                                           \
    V(tide_self_attention_queries, 1, false, tide_self_attention_queries(&(tide_self_attention){ .heads = 1,           \
        .head_size = 1 }, cube(t), bad, 0, TIDE_EVAL, NULL))                                                           \
    R(tide_self_attention_queries, 2, "no layer", poisoned(t, tide_self_attention_queries(NULL, cube(t), cube(t),      \
        0, TIDE_EVAL, NULL)))                                                                                          \
    LOSS(V, R, tide_mse)                                                                                               \
    LOSS(V, R, tide_mae)                                                                                               \
    WEIGHTED(V, R, tide_mse_weighted)                                                                                  \
    WEIGHTED(V, R, tide_mae_weighted)                                                                                  \
    WEIGHTED(V, R, tide_bce_logits)                                                                                    \
    V(tide_huber, 0, false, tide_huber(bad, t->x, 1, TIDE_NO_WEIGHT))                                                  \
    V(tide_huber, 1, false, tide_huber(t->x, bad, 1, TIDE_NO_WEIGHT))                                                  \
    R(tide_huber, 2, "beta 0", poisoned(t, tide_huber(t->x, t->x, 0, TIDE_NO_WEIGHT)))                                 \
    R(tide_huber, 3, "beta NaN", poisoned(t, tide_huber(t->x, t->x, NAN, TIDE_NO_WEIGHT)))                             \
    V(tide_quantile_loss, 0, false, tide_quantile_loss(bad, t->x, 0.5, TIDE_NO_WEIGHT))                                \
    R(tide_quantile_loss, 1, "quantile 1.5", poisoned(t, tide_quantile_loss(t->x, t->x, 1.5, TIDE_NO_WEIGHT)))         \
    R(tide_quantile_loss, 2, "quantile -1", poisoned(t, tide_quantile_loss(t->x, t->x, -1, TIDE_NO_WEIGHT)))           \
    V(tide_cross_entropy, 0, false, tide_cross_entropy(bad, t->index, TIDE_NO_WEIGHT))                                 \
    V(tide_cross_entropy, 1, false, tide_cross_entropy(t->x, bad, TIDE_NO_WEIGHT))                                     \
    R(tide_cross_entropy, 2, "labels of another shape", poisoned(t, tide_cross_entropy(t->x,                           \
        tide_expand_dims(t->index, 1), TIDE_NO_WEIGHT)))                                                               \
    R(tide_cross_entropy, 3, "labels that are floats", poisoned(t, tide_cross_entropy(t->x, tide_cast(t->index,        \
        TIDE_F32), TIDE_NO_WEIGHT)))                                                                                   \
    R(tide_cross_entropy, 4, "a scalar", poisoned(t, tide_cross_entropy(t->scalar, t->index, TIDE_NO_WEIGHT)))         \
    V(tide_global_norm, 0, false, tide_global_norm(TIDE_LIST(t->x, bad)))                                              \
    R(tide_global_norm, 1, "no items", !tide_ok(tide_global_norm(NO_ITEMS))                                            \
        && !tide_ok(tide_global_norm((tide_list){ 0 })))                                                               \
    V(tide_clip_norm, 0, false, item(tide_clip_norm(TIDE_LIST(bad, t->x), 1)))                                         \
    R(tide_clip_norm, 1, "no items", tide_clip_norm(NO_ITEMS, 1).count == 0)                                           \
    R(tide_clip_norm, 2, "a norm of -1", (tide_clip_norm(TIDE_LIST(t->x), -1), failed(t)))                             \
    R(tide_clip_norm, 3, "a norm of NaN", (tide_clip_norm(TIDE_LIST(t->x), NAN), failed(t)))                           \
    OPTIMIZER(V, R, tide_sgd, tide_sgd_opts)                                                                           \
    OPTIMIZER(V, R, tide_rmsprop, tide_rmsprop_opts)                                                                   \
    OPTIMIZER(V, R, tide_adam, tide_adamw_opts)                                                                        \
    OPTIMIZER(V, R, tide_adamw, tide_adamw_opts)                                                                       \
    OPTIMIZER(V, R, tide_lion, tide_lion_opts)                                                                         \
    R(tide_grad_scaler_new, 0, "no graph", !tide_ok(tide_grad_scaler_new(NULL, "s", NULL).scale))                      \
    R(tide_grad_scaler_new, 1, "no name", !tide_ok(tide_grad_scaler_new(t->g, NULL, NULL).scale) && failed(t))         \
    R(tide_grad_scaler_new, 2, "an interval of -1", options_refused(t, -1, 0))                                         \
    R(tide_grad_scaler_new, 3, "a backoff of NaN", options_refused(t, 0, NAN))                                         \
    V(tide_grad_scaler_scale, 0, false, tide_grad_scaler_scale((tide_grad_scaler[]){ scaler(t) }, bad))                \
    R(tide_grad_scaler_scale, 1, "no scaler", poisoned(t, tide_grad_scaler_scale(NULL, t->x)))                         \
    R(tide_grad_scaler_scale, 2, "a scaler of zeros", poisoned(t, tide_grad_scaler_scale(&(tide_grad_scaler){ 0 },     \
        t->x)))                                                                                                        \
    V(tide_grad_scaler_unscale, 0, false, item(tide_grad_scaler_unscale((tide_grad_scaler[]){ scaler(t) },             \
        TIDE_LIST(bad))))                                                                                              \
    R(tide_grad_scaler_unscale, 1, "no scaler", tide_grad_scaler_unscale(NULL, TIDE_LIST(t->x)).count == 0             \
        && failed(t))                                                                                                  \
    R(tide_grad_scaler_unscale, 2, "no items", tide_grad_scaler_unscale((tide_grad_scaler[]){ scaler(t) },             \
        NO_ITEMS).count == 0 && failed(t))                                                                             \
    V(tide_grad_scaler_step, 0, false, stepped(t, bad))                                                                \
    R(tide_grad_scaler_step, 1, "no scaler", poisoned(t, tide_grad_scaler_step(NULL, tide_assign(t->w, t->x))))        \
    R(tide_grad_scaler_step, 2, "before unscale", poisoned(t,                                                          \
        tide_grad_scaler_step((tide_grad_scaler[]){ scaler(t) }, tide_assign(t->w, t->x))))                            \
    R(tide_accumulator_new, 0, "no graph", !tide_ok(tide_accumulator_new(NULL, TIDE_LIST(t->w), 2).part))              \
    R(tide_accumulator_new, 1, "no items", !tide_ok(tide_accumulator_new(t->g, NO_ITEMS, 2).part) && failed(t))        \
    R(tide_accumulator_new, 2, "-2 samples", (tide_accumulator_new(t->g, TIDE_LIST(t->w), -2), failed(t)))             \
    R(tide_accumulator_new, 3, "no parameter", (tide_accumulator_new(t->g, TIDE_LIST(NOTHING), 2), failed(t)))         \
    V(tide_accumulator_add, 0, false, tide_accumulator_add((tide_accumulator[]){ accumulator(t) }, TIDE_LIST(bad),     \
        t->scalar, NOTHING))                                                                                           \
    V(tide_accumulator_add, 1, false, tide_accumulator_add((tide_accumulator[]){ accumulator(t) },                     \
        TIDE_LIST(t->x), bad, NOTHING))                                                                                \
    R(tide_accumulator_add, 2, "no accumulator", poisoned(t, tide_accumulator_add(NULL, TIDE_LIST(t->x),               \
        t->scalar, NOTHING)))                                                                                          \
    R(tide_accumulator_add, 3, "one of zeros", poisoned(t, tide_accumulator_add(&(tide_accumulator){ 0 },              \
        TIDE_LIST(t->x), t->scalar, NOTHING)))                                                                         \
    R(tide_accumulator_add, 4, "no items", (tide_accumulator_add((tide_accumulator[]){ accumulator(t) }, NO_ITEMS,     \
        t->scalar, NOTHING), failed(t)))                                                                               \
    R(tide_accumulator_take, 0, "none, one of zeros", tide_accumulator_take(NULL).count == 0                           \
        && tide_accumulator_take(&(tide_accumulator){ 0 }).count == 0)                                                 \
    V(tide_accumulator_step, 0, false, tide_accumulator_step((tide_accumulator[]){ accumulator(t) }, bad))             \
    R(tide_accumulator_step, 1, "no accumulator", poisoned(t, tide_accumulator_step(NULL, tide_assign(t->w, t->x))))   \
    R(tide_accumulator_step, 2, "one of zeros", poisoned(t, tide_accumulator_step(&(tide_accumulator){ 0 },            \
        tide_assign(t->w, t->x))))                                                                                     \
    V(tide_lr_step, 0, true, tide_lr_step(bad, 1, 0.5, 2))                                                             \
    V(tide_lr_exponential, 0, true, tide_lr_exponential(bad, 1, 0.5))                                                  \
    V(tide_lr_cosine, 0, true, tide_lr_cosine(bad, 1, 0, 9))                                                           \
    V(tide_lr_warmup, 0, false, tide_lr_warmup(bad, 9, t->scalar))                                                     \
    V(tide_lr_warmup, 1, false, tide_lr_warmup(t->scalar, 9, bad))                                                     \
    R(tide_lr_step, 1, "every 0", poisoned(t, tide_lr_step(t->scalar, 1, 0.5, 0)))                                     \
    R(tide_lr_cosine, 1, "no steps", poisoned(t, tide_lr_cosine(t->scalar, 1, 0, 0)))                                  \
    R(tide_lr_warmup, 2, "-1 steps", poisoned(t, tide_lr_warmup(t->scalar, -1, t->scalar)))

MISUSE_TABLE(misuse_layers, LAYERS)
