/* The weights of a model file, before any memory is taken for a model: a table of what the network has, beside
 * model.c. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/base.h"
#include "bundle.h"

tide_status bundle_damaged(const char *path, const char *where, tide_failure *failure, const char *format, ...) {
    char    what[300];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fail_at(failure, TIDE_EDATA, path, 0, where, "the model is damaged: %.100s %s; train again or copy the run "
                                                        "anew",
                   where, what);
}

typedef enum side { NO_SIDE, LOOK_BACK, HORIZON, WIDTH, INNER, FEED_FORWARD } side;
typedef struct weight { const char *name; side rows, columns; } weight;

static const weight outer[] = {
    { "enc_embedding.value_embedding.weight", WIDTH, LOOK_BACK },
    { "enc_embedding.value_embedding.bias", WIDTH, NO_SIDE },
    { "encoder.norm.weight", WIDTH, NO_SIDE },                    { "encoder.norm.bias", WIDTH, NO_SIDE },
    { "projector.weight", HORIZON, WIDTH },                       { "projector.bias", HORIZON, NO_SIDE },
};
static const weight of_block[] = {
    { "attention.query_projection.weight", INNER, WIDTH }, { "attention.query_projection.bias", INNER, NO_SIDE },
    { "attention.key_projection.weight", INNER, WIDTH },   { "attention.key_projection.bias", INNER, NO_SIDE },
    { "attention.value_projection.weight", INNER, WIDTH }, { "attention.value_projection.bias", INNER, NO_SIDE },
    { "attention.out_projection.weight", WIDTH, INNER },   { "attention.out_projection.bias", WIDTH, NO_SIDE },
    { "conv1.weight", FEED_FORWARD, WIDTH },               { "conv1.bias", FEED_FORWARD, NO_SIDE },
    { "conv2.weight", WIDTH, FEED_FORWARD },               { "conv2.bias", WIDTH, NO_SIDE },
    { "norm1.weight", WIDTH, NO_SIDE },                    { "norm1.bias", WIDTH, NO_SIDE },
    { "norm2.weight", WIDTH, NO_SIDE },                    { "norm2.bias", WIDTH, NO_SIDE },
};
enum { OUTER = sizeof outer / sizeof *outer, OF_BLOCK = sizeof of_block / sizeof *of_block };

static tide_shape shape_of(const weight *w, const model_config *c) {
    const int64_t sides[] = { [LOOK_BACK] = c->seq_len, [HORIZON] = c->pred_len, [WIDTH] = c->d_model,
                              [INNER] = c->n_heads * c->head_size, [FEED_FORWARD] = c->d_ff };
    tide_shape shape = w->columns ? TIDE_SHAPE(sides[w->rows], sides[w->columns]) : TIDE_SHAPE(sides[w->rows]);
    return published_shape(w->name, shape);
}

bool bundle_weight(const model_config *c, int64_t i, char name[BUNDLE_NAME], tide_shape *shape) {
    int64_t       inner = i - OUTER;
    const weight *w     = i < OUTER ? &outer[i] : &of_block[inner % OF_BLOCK];
    if (inner >= c->e_layers * OF_BLOCK) return false;
    if (i < OUTER) snprintf(name, BUNDLE_NAME, "%s", w->name);
    else snprintf(name, BUNDLE_NAME, "encoder.attn_layers.%d.%s", (int)(inner / OF_BLOCK), w->name);
    *shape = shape_of(w, c);
    return true;
}

static tide_status check_weight(const char *path, const tide_archive *a, const char *name, tide_shape shape,
                                tide_failure *failure) {
    const tide_tensor *t = tide_archive_find(a, name);
    if (!t) return bundle_damaged(path, name, failure, "is not in it");
    if (t->type != TIDE_F32)
        return bundle_damaged(path, name, failure, "is %s where f32 is needed", tide_dtype_name(t->type));
    if (!tide_shape_equal(t->shape, shape))
        return bundle_damaged(path, name, failure, "does not have the shape that the model's sizes give");
    int64_t count = tide_shape_count(shape);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(((const float *)t->data)[i]))
            return bundle_damaged(path, name, failure, "holds a value that is not finite");
    return TIDE_OK;
}

tide_status bundle_check_weights(const char *path, const tide_archive *a, const model_config *c,
                                 tide_failure *failure) {
    char        name[BUNDLE_NAME];
    tide_shape  shape;
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && bundle_weight(c, i, name, &shape); i++)
        status = check_weight(path, a, name, shape, failure);
    snprintf(name, sizeof name, "encoder.attn_layers.%d.%s", (int)c->e_layers, of_block[0].name);
    if (status == TIDE_OK && tide_archive_find(a, name))
        return bundle_damaged(path, "model.e_layers", failure, "is %d, and the file holds more", (int)c->e_layers);
    return status;
}
