/* Reading a checkpoint: names first, then sizes from the shapes that decide them, then every tensor held to those. */
#include "published.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/forecast.h>

#include "base/base.h"
#include "forecast/models/forecaster.h"

typedef struct reader {
    const char   *path;
    tide_archive *archive;
    model_config *sizes;
    tide_failure *failure;
} reader;

#define refuse(r, tensor, ...) fail_at((r)->failure, TIDE_EDATA, (r)->path, 0, tensor, __VA_ARGS__)

/* ---- names ---- */

/* What other programs put in front of a name, or call a part. */
static const struct { const char *theirs, *ours; } renamed[] = { { "module.", "" }, { "projection.", "projector." } };

static tide_status rename_tensors(reader *r) {
    for (size_t k = 0; k < sizeof renamed / sizeof *renamed; k++)
        for (int64_t i = 0; i < r->archive->count; i++) {
            char  *name = r->archive->tensors[i].name, *fresh;
            size_t length = strlen(renamed[k].theirs);
            if (strncmp(name, renamed[k].theirs, length) != 0) continue;
            if (asprintf(&fresh, "%s%s", renamed[k].ours, name + length) < 0)
                return fail(r->failure, TIDE_ENOMEM, "out of memory for the checkpoint");
            free(name);
            r->archive->tensors[i].name = fresh;
        }
    return TIDE_OK;
}

/* ---- sizes ---- */

static const struct { const char *tensor; int axis; size_t offset; const char *option; } deciding[] = {
    { "enc_embedding.value_embedding.weight", 0, offsetof(model_config, d_model), "d-model" },
    { "enc_embedding.value_embedding.weight", 1, offsetof(model_config, seq_len), "seq-len" },
    { "projector.weight", 0, offsetof(model_config, pred_len), "pred-len" },
    { "encoder.attn_layers.0.conv1.weight", 0, offsetof(model_config, d_ff), "d-ff" },
};

static tide_status take_sizes(reader *r) {
    for (size_t i = 0; i < sizeof deciding / sizeof *deciding; i++) {
        const char        *name   = deciding[i].tensor;
        const tide_tensor *t      = tide_archive_find(r->archive, name);
        const tide_option *option = forecast_option_find(deciding[i].option);
        if (!t || t->shape.ndim < 2)
            return refuse(r, name, "this is no checkpoint of an iTransformer: %s %s", name,
                          t ? "is no matrix" : "is not in it");
        int64_t size = t->shape.dim[deciding[i].axis];
        if ((double)size < option->low || (double)size > option->high)
            return refuse(r, name, "%s means `%s` %" PRId64 "; %.0f to %.0f can be", name, option->name, size,
                          option->low, option->high);
        *(int64_t *)((char *)r->sizes + deciding[i].offset) = size;
    }
    return TIDE_OK;
}

static tide_status count_blocks(reader *r) {
    const tide_option *option = forecast_option_find("e-layers");
    char               name[WEIGHT_NAME];
    for (int64_t *count = &r->sizes->e_layers;; ++*count) {
        snprintf(name, sizeof name, "encoder.attn_layers.%d.conv1.weight", (int)*count);
        if (!tide_archive_find(r->archive, name)) return TIDE_OK;
        if ((double)*count >= option->high)
            return refuse(r, name, "the checkpoint has more encoder blocks than %.0f", option->high);
    }
}

/* ---- tensors ---- */

/* Axes of 1 at the end are what a convolution of width 1 has. */
static tide_shape plain(tide_shape s) {
    while (s.ndim > 1 && s.dim[s.ndim - 1] == 1) s.ndim--;
    return s;
}

static tide_status check_tensor(const reader *r, const char *name, tide_shape shape) {
    const tide_tensor *t = tide_archive_find(r->archive, name);
    char               got[128], wanted[128];
    if (!t) return refuse(r, name, "%s is not in the checkpoint, and its other tensors need it", name);
    if (t->type != TIDE_F32)
        return refuse(r, name, "%s is %s: save the parameters as float32, with model.float().state_dict()", name,
                      tide_dtype_name(t->type));
    if (!tide_shape_equal(plain(t->shape), plain(shape)))
        return refuse(r, name, "%s has the shape %s, and the checkpoint's other tensors need %s", name,
                      shape_text(got, t->shape), shape_text(wanted, shape));
    int64_t count = tide_shape_count(shape);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(((const float *)t->data)[i])) return refuse(r, name, "%s holds a value that is not finite", name);
    return TIDE_OK;
}

/* Every tensor of the model is found once, so whatever is left over is of no part of it. */
static tide_status check_tensors(const reader *r) {
    char        name[WEIGHT_NAME];
    tide_shape  shape;
    tide_status status = TIDE_OK;
    int64_t     count  = 0;
    for (; status == TIDE_OK && arch_itransformer.weight(r->sizes, count, name, &shape); count++)
        status = check_tensor(r, name, shape);
    if (status != TIDE_OK || count == r->archive->count) return status;
    for (int64_t i = 0; i < r->archive->count; i++) {
        const char *own = r->archive->tensors[i].name;
        bool        known = false;
        for (int64_t k = 0; !known && arch_itransformer.weight(r->sizes, k, name, &shape); k++)
            known = !strcmp(own, name);
        if (!known)
            return refuse(r, own, "the checkpoint has a tensor %.100s, which an iTransformer as published has not",
                          own);
    }
    return refuse(r, NULL, "the checkpoint holds a tensor twice");
}

tide_status published_read(const char *path, tide_archive *out, model_config *sizes, tide_failure *failure) {
    reader r           = { path, out, sizes, failure };
    *sizes             = (model_config){ 0 };
    tide_status status = tide_pth_read(path, out, failure);
    if (status == TIDE_OK) status = rename_tensors(&r);
    if (status == TIDE_OK) status = take_sizes(&r);
    if (status == TIDE_OK) status = count_blocks(&r);
    /* whatever the heads: the projections are as wide as a token */
    sizes->n_heads = 1, sizes->head_size = sizes->d_model;
    if (status == TIDE_OK) status = check_tensors(&r);
    if (status == TIDE_OK) return status;
    tide_archive_free(out);
    *sizes = (model_config){ 0 };
    return status;
}
