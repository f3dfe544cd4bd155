#include "step.h"

#include "base/base.h"
#include "train/run.h"

static const double CLIP = 1, BETA2 = 0.99;

static void step_inputs(tide_graph *g, const spectrum_settings *s, const char *scope, spectrum_step *out) {
    int64_t quantities = recipe_quantities(s->network.recipe);
    tide_scope_push(g, scope);
    out->features = tide_input(g, "features", TIDE_F32, TIDE_SHAPE(s->batch, features_width(s->network.recipe)));
    out->known    = tide_input(g, "known", TIDE_F32, TIDE_SHAPE(s->batch, MASKS, KNOWN_WIDTH));
    out->label    = tide_input(g, "label", TIDE_I32, TIDE_SHAPE(s->batch, MASKS, quantities));
    out->weight   = tide_input(g, "weight", TIDE_F32, TIDE_SHAPE(s->batch, MASKS, quantities));
    tide_scope_pop(g);
}

static void step_losses(const network *n, spectrum_step *out) {
    tide_val logits = network_decode(n, network_encode(n, out->features), out->known);
    tide_val right  = tide_cast(tide_eq(tide_argmax(logits, -1), out->label), TIDE_F32);
    tide_val own    = tide_slice(out->weight, 2, 0, EIS_COUNT);  /* parameters only */
    out->loss = tide_cross_entropy(logits, out->label, out->weight);
    out->hits =
        tide_div(tide_sum(tide_mul(tide_slice(right, 2, 0, EIS_COUNT), own), TIDE_ALL), tide_sum(own, TIDE_ALL));
}

static tide_status compiled(const spectrum_session *s, const spectrum_step *p, tide_failure *failure) {
    const tide_failure *why = tide_error(s->graph);
    if (why->status == TIDE_OK && p->program) why = tide_program_error(p->program);
    if (why->status && failure && !failure->status) *failure = *why;
    return why->status || p->program ? why->status : fail(failure, TIDE_ENOMEM, "out of memory for a program");
}

static void compile_training(spectrum_session *s, double weight_decay, const tide_compile_options *options) {
    bool      scaled    = tide_precision_here(s->graph, options->precision, NULL) == TIDE_PRECISION_F16;
    if (scaled) s->scaler = tide_grad_scaler_new(s->graph, "scaler", NULL);
    tide_list gradients =
        tide_grad(scaled ? tide_grad_scaler_scale(&s->scaler, s->train.loss) : s->train.loss, s->params);
    if (scaled) gradients = tide_grad_scaler_unscale(&s->scaler, gradients);
    s->train.norm       = tide_global_norm(gradients);
    if (scaled) s->train.norm = tide_where(s->scaler.finite, s->train.norm, tide_scalar(s->graph, 0));
    s->lr               = tide_variable(s->graph, "lr", tide_scalar(s->graph, 0));
    tide_val update     = tide_adamw(s->params, tide_clip_norm(gradients, CLIP),
                                     &(tide_adamw_opts){ .lr = s->lr, .beta2 = BETA2, .weight_decay = weight_decay });
    if (scaled) update  = tide_grad_scaler_step(&s->scaler, update);
    s->train.program    = tide_compile(TIDE_LIST(s->train.loss, s->train.hits, s->train.norm, update), options);
}

tide_status spectrum_session_open(const spectrum_settings *o, spectrum_session *s, tide_failure *failure) {
    *s       = (spectrum_session){ .graph = tide_graph_new_with(&(tide_graph_options){ .device = o->device, .threads = o->threads, .seed = o->seed,
                                                                                       .memory_limit = os_memory_bytes() }) };
    if (!s->graph) return fail(failure, TIDE_ENOMEM, "out of memory for the graph");
    tide_compile_mode(s->graph, o->compile.mode);
    if (o->choices_of && run_choices_take(o->choices_of, s->graph, failure) != TIDE_OK) return TIDE_EDATA;
    s->network = network_new(s->graph, &o->network);
    s->params  = tide_params(s->graph, "");
    step_inputs(s->graph, o, "train", &s->train);
    step_inputs(s->graph, o, "score", &s->score);
    step_losses(&s->network, &s->train);
    step_losses(&s->network, &s->score);
    compile_training(s, o->weight_decay, &o->compile);
    s->score.program   = tide_compile(TIDE_LIST(s->score.loss, s->score.hits), NULL);
    tide_status status = compiled(s, &s->train, failure);
    return status == TIDE_OK ? compiled(s, &s->score, failure) : status;
}

void spectrum_session_free(spectrum_session *s) {
    tide_graph_free(s->graph);
    *s = (spectrum_session){ 0 };
}

tide_status spectrum_step_run(const spectrum_step *p, const batch *b, float *loss, float *hits, float *norm,
                              tide_failure *failure) {
    tide_feed feeds[] = {
        { p->features, b->features }, { p->known, b->known }, { p->label, b->label }, { p->weight, b->weight }
    };
    tide_status status  = tide_run(p->program, feeds, 4);
    if (status == TIDE_OK) status = tide_read(p->loss, loss, sizeof *loss);
    if (status == TIDE_OK) status = tide_read(p->hits, hits, sizeof *hits);
    if (status == TIDE_OK && norm) status = tide_read(p->norm, norm, sizeof *norm);
    if (status != TIDE_OK && failure && !failure->status) *failure = *tide_program_error(p->program);
    return status == TIDE_OK ? status : fail(failure, status, "the step failed");
}
