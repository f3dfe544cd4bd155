#include "forecaster.h"

#include <string.h>

enum { ARCHITECTURES = 7 };
static const architecture *const all[ARCHITECTURES] = {
    &arch_itransformer,   &arch_dlinear,    &arch_patchtst, &arch_linear,
    &arch_seasonal_naive, &arch_last_value, &arch_ensemble,
};

const architecture *architecture_of(int arch) { return all[arch]; }

int architecture_named(const char *name) {
    for (int arch = 0; name && arch < ARCHITECTURES; arch++)
        if (!strcmp(name, all[arch]->name)) return arch;
    return -1;
}

bool forecaster_new(tide_graph *g, const model_config *config, forecaster *out) {
    *out = (forecaster){ .of = architecture_of(config->arch), .config = *config };
    if (out->config.out_count == 0) out->config.out_count = config->columns - config->known;
    out->self = out->of->build(g, &out->config);
    return out->self != NULL;
}

void forecaster_free(forecaster *n) {
    if (n->self) n->of->release(n->self);
    n->self = NULL;
}

void forecaster_resize(forecaster *n, int64_t columns) {
    n->config.columns = n->config.out_count = columns;
    n->of->resize(n->self, columns);
}

tide_val forecaster_rows(const forecaster *n, const model_windows *x, tide_mode mode) {
    return n->of->rows(n->self, x, mode);
}

tide_val forecaster_apply(const forecaster *n, const model_windows *x, tide_mode mode) {
    return tide_transpose(forecaster_rows(n, x, mode), 1, 2);
}

static tide_val turned(const model_config *c, tide_val x) {
    return tide_transpose(tide_slice(x, 2, c->out_first, c->out_first + c->out_count), 1, 2);
}

normed_series series_normed(const model_config *c, const model_windows *x) {
    tide_val      centred;
    normed_series s = { .values = turned(c, x->past), .gaps = x->gaps };
    if (s.gaps.graph) s.gaps = turned(c, s.gaps);
    if (!c->use_norm) return s;
    s.scale  = instance_scale_of(s.values, s.gaps, &centred);
    s.values = tide_div(centred, s.scale.deviation);
    return s;
}

tide_val series_restored(const model_config *c, const normed_series *s, tide_val out) {
    return c->use_norm ? tide_add(tide_mul(out, s->scale.deviation), s->scale.mean) : out;
}

int64_t forecaster_parameters(const model_config *config) { return architecture_of(config->arch)->parameters(config); }
