#include "step.h"

#include "base/base.h"

static spectrum_inputs inputs(tide_graph *g, const network_config *c, const char *scope, int64_t spectra) {
    int64_t quantities = recipe_quantities(c->recipe), width = features_width(c->recipe),
            masks = recipe_masks(c->recipe), known = recipe_known(c->recipe);
    tide_scope_push(g, scope);
    spectrum_inputs in = { .features = tide_input(g, "features", TIDE_F32, TIDE_SHAPE(spectra, width)),
                           .known  = tide_input(g, "known", TIDE_F32, TIDE_SHAPE(spectra, masks, known)),
                           .label  = tide_input(g, "label", TIDE_I32, TIDE_SHAPE(spectra, masks, quantities)),
                           .weight = tide_input(g, "weight", TIDE_F32, TIDE_SHAPE(spectra, masks, quantities)) };
    tide_scope_pop(g);
    return in;
}

static tide_val loss_of(const network *n, const spectrum_inputs *in, tide_val *hits) {
    tide_val logits = network_decode(n, network_encode(n, in->features), in->known);
    tide_val right  = tide_cast(tide_eq(tide_argmax(logits, -1), in->label), TIDE_F32);
    int64_t  scored = recipe_kinds[n->config.recipe].scored;
    tide_val own    = tide_slice(in->weight, 2, 0, scored);
    *hits = tide_div(tide_sum(tide_mul(tide_slice(right, 2, 0, scored), own), TIDE_ALL), tide_sum(own, TIDE_ALL));
    return tide_cross_entropy(logits, in->label, in->weight);
}

/* A part's loss is divided by the weights of all parts, which weigh nearly alike but not quite; its hits weigh alike,
 * as each case's parameters weigh 1 together. */
static train_loss shares(const spectrum_session *s, tide_val loss, tide_val hits) {
    if (s->step.parts == 1) return (train_loss){ .numerator = loss, .metric = hits };
    tide_val weight = tide_sum(s->train.weight, TIDE_ALL);
    return (train_loss){ tide_mul(loss, weight), weight, tide_mul_scalar(hits, 1 / (double)s->step.parts) };
}

static tide_status make_step(const spectrum_settings *o, spectrum_session *s, tide_failure *failure) {
    train_rule  rule = o->rule;
    tide_val    hits;
    tide_status status = train_parts_check(o->batch, rule.parts, rule.ranks, failure);
    if (status != TIDE_OK) return status;
    rule.scaled = tide_precision_here(s->graph, rule.compile.precision, NULL) == TIDE_PRECISION_F16;
    train_step_begin(&s->step, s->graph, s->params, o->batch, &rule);
    if (o->visits) s->visits = visit_inputs_new(s->graph, s->step.samples), s->train = visit_values(&s->visits);
    else s->train = inputs(s->graph, &o->network, "train", s->step.samples);
    s->network.recompute = o->recompute;
    tide_val loss        = loss_of(&s->network, &s->train, &hits);
    s->network.recompute = false;
    return train_step_end(&s->step, shares(s, loss, hits), failure);
}

tide_status spectrum_session_open(const spectrum_settings *o, spectrum_session *s, tide_failure *failure) {
    *s = (spectrum_session){ 0 };
    tide_status status = train_graph_new(&o->graph, &s->graph, failure);
    if (status != TIDE_OK) return status;
    s->network = network_new(s->graph, &o->network);
    s->params  = tide_params(s->graph, "");
    status     = make_step(o, s, failure);
    if (status != TIDE_OK) return status;
    s->score         = inputs(s->graph, &o->network, "score", o->batch);
    s->score_loss    = loss_of(&s->network, &s->score, &s->score_hits);
    s->score_program = tide_compile(TIDE_LIST(s->score_loss, s->score_hits), NULL);
    return train_compiled(s->graph, s->score_program, failure);
}

void spectrum_session_free(spectrum_session *s) {
    train_step_free(&s->step);
    tide_graph_free(s->graph);
    *s = (spectrum_session){ 0 };
}

void spectrum_feeds(const spectrum_session *s, const batch *b, train_feed feeds[SPECTRUM_FEEDS]) {
    feeds[0] = (train_feed){ s->train.features, b->features, false };
    feeds[1] = (train_feed){ s->train.known, b->known, false };
    feeds[2] = (train_feed){ s->train.label, b->label, false };
    feeds[3] = (train_feed){ s->train.weight, b->weight, false };
}

tide_status spectrum_score(const spectrum_session *s, const batch *b, double *loss, double *hits,
                           tide_failure *failure) {
    const spectrum_inputs *in      = &s->score;
    const tide_feed        feeds[] = {
        { in->features, b->features }, { in->known, b->known }, { in->label, b->label }, { in->weight, b->weight }
    };
    float       of[2]  = { 0 };
    tide_status status = tide_run(s->score_program, feeds, 4);
    if (status == TIDE_OK) status = tide_read(s->score_loss, &of[0], sizeof of[0]);
    if (status == TIDE_OK) status = tide_read(s->score_hits, &of[1], sizeof of[1]);
    *loss = (double)of[0], *hits = (double)of[1];
    if (status != TIDE_OK) train_compiled(in->features.graph, s->score_program, failure);
    return status == TIDE_OK ? status : fail(failure, status, "scoring failed");
}
