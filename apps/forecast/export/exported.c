/* Reading a model for export. Every tensor of its file is accounted for: a parameter that is not in the tables below
 * is a part of the network that exports would leave out. */
#include "exported.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/sha256.h"

const network_part network_outer[NETWORK_OUTER] = {
    { "enc_embedding.value_embedding", "embedding" },
    { "encoder.norm", "norm" },
    { "projector", "projector" },
};
const network_part network_of_block[NETWORK_OF_BLOCK] = {
    { "attention.query_projection", "query" }, { "attention.key_projection", "key" },
    { "attention.value_projection", "value" }, { "attention.out_projection", "mix" },
    { "conv1", "widen" },                      { "conv2", "narrow" },
    { "norm1", "norm1" },                      { "norm2", "norm2" },
};
static const char *const ends[] = { "weight", "bias" };
/* How the names begin of what the file holds beside the network (bundle.c, record.c, bands_file.c). */
static const char *const beside[] = { "tail.values", "tail.time", "linear.weights", "season.values", "bands.",
                                      "static.values" };
/* What a network may have beside the parts. The degrees of freedom shape Student's likelihood, not its forecasts. */
static const char STATIC_EMBEDDING[] = "enc_embedding.static_embedding.weight", FREEDOM[] = "head.freedom";

const char *network_name(int64_t block, const network_part *part, const char *end, char name[NETWORK_NAME]) {
    if (block < 0) snprintf(name, NETWORK_NAME, "%s.%s", part->name, end);
    else snprintf(name, NETWORK_NAME, "encoder.attn_layers.%d.%s.%s", (int)block, part->name, end);
    return name;
}

const tide_tensor *network_tensor(const exported *e, int64_t block, const network_part *part, const char *end) {
    char name[NETWORK_NAME];
    return tide_archive_find(&e->archive, network_name(block, part, end, name));
}

void network_sizes(const tide_tensor *weight, int64_t *out, int64_t *in) {
    *out = weight->shape.dim[0];
    *in  = weight->shape.ndim > 1 ? weight->shape.dim[1] : 0;
}

float *network_transposed(const tide_tensor *weight) {
    int64_t out, in;
    network_sizes(weight, &out, &in);
    const float *from = weight->data;
    float       *to   = malloc((size_t)(out * in) * sizeof *to + 1);
    for (int64_t i = 0; to && i < in; i++)
        for (int64_t o = 0; o < out; o++) to[i * out + o] = from[o * in + i];
    return to;
}

float *network_attributes(const exported *e) {
    const model_config *c = &e->bundle.config;
    const float *weight = tide_archive_find(&e->archive, STATIC_EMBEDDING)->data, *values = e->bundle.statics.values;
    float       *out    = malloc((size_t)(c->columns * c->d_model) * sizeof *out + 1);
    for (int64_t i = 0; out && i < c->columns * c->d_model; i++) {
        double sum = 0;
        for (int64_t k = 0; k < c->statics; k++)
            sum += (double)values[i / c->d_model * c->statics + k] * (double)weight[i % c->d_model * c->statics + k];
        out[i] = (float)sum;
    }
    return out;
}

/* ---- what is known ---- */

static bool is_part(const char *name, int64_t block, const network_part *parts, int count) {
    char known[NETWORK_NAME];
    for (int i = 0; i < 2 * count; i++)
        if (!strcmp(name, network_name(block, &parts[i / 2], ends[i % 2], known))) return true;
    return false;
}

static bool is_known(const char *name, int64_t blocks) {
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (!strncmp(name, beside[i], strlen(beside[i]))) return true;
    if (!strcmp(name, STATIC_EMBEDDING) || !strcmp(name, FREEDOM)) return true;
    if (is_part(name, -1, network_outer, NETWORK_OUTER)) return true;
    for (int64_t i = 0; i < blocks; i++)
        if (is_part(name, i, network_of_block, NETWORK_OF_BLOCK)) return true;
    return false;
}

static tide_status check_known(const exported *e, const char *path, tide_failure *failure) {
    for (int64_t i = 0; i < e->archive.count; i++) {
        const char *name = e->archive.tensors[i].name;
        if (!is_known(name, e->bundle.config.e_layers))
            return fail_at(failure, TIDE_EINVAL, path, 0, NULL,
                           "the model has a parameter '%.80s', which exports do not know: it cannot be written in "
                           "another form yet",
                           name);
    }
    return TIDE_OK;
}

/* ---- reading ---- */

static tide_status take(const char *path, exported *out, tide_failure *failure) {
    tide_status status = bundle_take(path, &out->archive, &out->bundle, failure);
    const model_config *c = &out->bundle.config;
    if (status == TIDE_OK && c->arch != FORECAST_ITRANSFORMER)
        return fail_at(failure, TIDE_EINVAL, path, 0, "model",
                       "the model is of `arch` %s, which exports do not know: itransformer can be written in another "
                       "form", architecture_of(c->arch)->name);
    if (status == TIDE_OK && c->known)
        return fail_at(failure, TIDE_EINVAL, path, 0, out->bundle.names[c->columns - c->known],
                       "'%.60s' is an input that is known ahead, which exports do not know: what was trained without "
                       "`known`, `holidays` and `issued` can be written", out->bundle.names[c->columns - c->known]);
    return status == TIDE_OK ? check_known(out, path, failure) : status;
}

tide_status exported_read(const char *path, exported *out, tide_failure *failure) {
    *out               = (exported){ .levels = out->levels };
    tide_status status = tide_safetensors_read(path, &out->archive, failure);
    if (status == TIDE_OK) status = tide_file_sha256(path, out->sha256, failure);
    return status == TIDE_OK ? take(path, out, failure) : status;
}

tide_status exported_take(const void *bytes, size_t size, exported *out, tide_failure *failure) {
    sha256 h;
    *out               = (exported){ .levels = out->levels };
    tide_status status = tide_safetensors_read_memory(bytes, size, &out->archive, failure);
    sha256_begin(&h);
    sha256_add(&h, bytes, size);
    sha256_end(&h, out->sha256);
    return status == TIDE_OK ? take("memory", out, failure) : status;
}

void exported_free(exported *e) {
    bundle_free(&e->bundle);
    tide_archive_free(&e->archive);
}
