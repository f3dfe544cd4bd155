/* Training of `arch` auto: members, weights, and the one network that is kept, which is then scored, saved and asked as
 * any other. */
#include "ensemble.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/plan.h"
#include "forecast/report/members_json.h"

void ensemble_training_free(ensemble_training *e) {
    if (!e) return;
    for (int i = 0; i < e->count; i++) tide_archive_free(&e->learned[i]);
    free(e->weights);
    free(e);
}

/* ---- the folder ---- */

static tide_status open_folder(trainer *t, bool in_folder, tide_failure *failure) {
    tide_graph *g      = tide_graph_new("cpu"); /* nothing of it is timed; run.json tells which numerics it has */
    tide_status status = g ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    if (status == TIDE_OK) status = trainer_folder(t, in_folder, 0, g, failure);
    tide_graph_free(g);
    return status;
}

/* run.json once more, with who carries what. */
static tide_status tell_run(const trainer *t, tide_failure *failure) {
    const ensemble_training *e = t->ensemble;
    if (trainer_in_memory(t)) return TIDE_OK;
    json_t *members = members_json(e->told, e->count);
    if (!members) return fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    return forecast_folder_tell(&t->folder, t->options, &t->data, forecaster_parameters(&t->config), t->session.graph,
                                members, failure);
}

/* ---- the network that is kept ---- */

static void settle(trainer *t) {
    const ensemble_training *e = t->ensemble;
    t->config.members = e->kept;
    if (!(e->kept >> FORECAST_ARCH_SEASONAL_NAIVE & 1)) t->config.season = 0;
    if (!(e->kept >> FORECAST_ITRANSFORMER & 1)) t->config.marks = 0; /* nobody else looks at them */
}

static tide_status put_weights(const trainer *t, tide_failure *failure) {
    int    arch[ENSEMBLE_MEMBERS];
    size_t numbers = (size_t)(ensemble_members(t->config.members, arch) * t->config.out_count);
    tide_status status = tide_write(t->session.params.items[0], t->ensemble->weights, numbers * sizeof(float));
    return status == TIDE_OK ? status : session_failure(&t->session, failure);
}

static tide_status put_together(trainer *t, forecast_options *o, tide_failure *failure) {
    settle(t);
    int64_t     windows = trainer_stop_windows(t).count;
    tide_status status  = session_open(o, &t->config, &t->data, &t->session, failure);
    if (status == TIDE_OK) status = members_load(t->ensemble, &t->session, failure);
    if (status == TIDE_OK) status = put_weights(t, failure);
    if (status == TIDE_OK)
        status = session_scoring_all(&t->session, windows, WINDOW_LOSSES, &t->validate, failure);
    if (status == TIDE_OK) status = trainer_measure(t, failure);
    if (status == TIDE_OK) status = bundle_from(&t->data, o, &t->config, &t->bundle, failure);
    if (status == TIDE_OK) session_tell(&t->session, &t->listener);
    return status;
}

/* Of an `auto` each member has chosen its own device; the sum computes on the processor, and run.json keeps what was
 * asked for. */
static tide_status weigh_and_put(trainer *t, forecast_options *o, tide_failure *failure) {
    char asked[sizeof o->device];
    memcpy(asked, o->device, sizeof asked);
    if (train_device_open(o->device)) snprintf(o->device, sizeof o->device, "cpu");
    tide_status status = members_weigh(t, failure);
    if (status == TIDE_OK) status = put_together(t, o, failure);
    memcpy(o->device, asked, sizeof asked);
    return status == TIDE_OK ? tell_run(t, failure) : status;
}

tide_status ensemble_open(trainer *t, forecast_options *o, const tide_frame *from, bool in_folder,
                          tide_failure *failure) {
    if (!(t->ensemble = calloc(1, sizeof *t->ensemble)))
        return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    t->learned = dataset_windows(&t->data, t->data.split.train, o->seq_len, o->pred_len);
    t->windows = t->learned.count;
    plan_training(o, t->windows);
    model_config_from(o, &t->data, &t->config);
    tide_status status = members_choose(t, failure);
    if (status == TIDE_OK) status = open_folder(t, in_folder, failure);
    if (status != TIDE_OK) return status;
    trainer_tell_data(t);
    status = members_train(t, from, in_folder, failure);
    return status == TIDE_OK ? weigh_and_put(t, o, failure) : status;
}
