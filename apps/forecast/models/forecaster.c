#include "forecaster.h"

#include <string.h>

#include "head.h"

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
    out->freedom = head_freedom_new(g, &out->config);
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

head_values forecaster_rows(const forecaster *n, const model_windows *x, tide_mode mode) {
    return n->of->rows(n->self, x, mode);
}

tide_val forecaster_points(const head_values *h) { return tide_transpose(h->point, 1, 2); }

tide_val forecaster_widths(const model_config *c, const head_values *h) {
    if (!h->widths.graph) return h->widths;
    tide_shape s      = tide_shape_of(h->widths);
    tide_val   blocks = tide_reshape(h->widths, TIDE_SHAPE(s.dim[0], s.dim[1], head_widths(c), c->pred_len));
    return tide_transpose(tide_transpose(blocks, 1, 3), 2, 3);
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

head_values series_restored(const model_config *c, const normed_series *s, tide_val out) {
    return head_restored(c, out, c->use_norm ? &s->scale : NULL);
}

static int64_t freedoms(const model_config *c) { return c->head == FORECAST_HEAD_STUDENT_T ? c->pred_len : 0; }

int64_t forecaster_parameters(const model_config *config) {
    return architecture_of(config->arch)->parameters(config) + freedoms(config);
}

bool forecaster_weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    if (!freedoms(c)) return architecture_of(c->arch)->weight(c, index, name, shape);
    if (index) return architecture_of(c->arch)->weight(c, index - 1, name, shape);
    memcpy(name, "head.freedom", sizeof "head.freedom");
    *shape = TIDE_SHAPE(c->pred_len);
    return true;
}

bool forecaster_takes_heads(int arch) { return !architecture_of(arch)->solved || arch == FORECAST_ARCH_LINEAR; }

int forecaster_as_baseline(const model_config *c) {
    return c->head == FORECAST_HEAD_POINT ? architecture_of(c->arch)->as_baseline : 0;
}

bool forecaster_solved(int arch, int head) { return architecture_of(arch)->solved && head == FORECAST_HEAD_POINT; }
