#include "forecaster.h"

const architecture *architecture_of(int arch) {
    static const architecture *const all[] = { &arch_itransformer, &arch_dlinear, &arch_patchtst };
    return all[arch];
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

tide_val forecaster_rows(const forecaster *n, const model_windows *x, tide_mode mode) {
    return n->of->rows(n->self, x, mode);
}

tide_val forecaster_apply(const forecaster *n, const model_windows *x, tide_mode mode) {
    return tide_transpose(forecaster_rows(n, x, mode), 1, 2);
}

tide_val series_forecast(const model_config *c, tide_val x) {
    return tide_transpose(tide_slice(x, 2, c->out_first, c->out_first + c->out_count), 1, 2);
}

int64_t forecaster_parameters(const model_config *config) { return architecture_of(config->arch)->parameters(config); }
