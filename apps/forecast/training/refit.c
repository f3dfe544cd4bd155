#include "refit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"

/* The series anew, scaled over all its rows. */
static tide_status scale_all(dataset *d, tide_failure *failure) {
    scaler all;
    if (scaler_fit(&d->frame, (block){ 0, d->frame.rows }, &all) != TIDE_OK)
        return fail(failure, TIDE_ENOMEM, "out of memory for the series");
    return dataset_rescale(d, all, failure);
}

/* A new graph, with the choices that the run has written down and the batch that it trained on. */
static tide_status open_again(trainer *t, tide_failure *failure) {
    forecast_options *o = malloc(sizeof *o);
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    *o = *t->options;
    o->batch_size = t->step.samples * t->step.parts, o->resume = FORECAST_RESUME_NO;
    fit_free(t->fit); /* with the best parameters, before their graph */
    t->fit = NULL;
    session_free(&t->session);
    tide_status status = session_open(o, &t->config, &t->data, &t->session, failure);
    if (status == TIDE_OK && !trainer_in_memory(t))
        status = run_choices_take(t->folder.path, t->session.graph, failure);
    if (status == TIDE_OK) status = session_training(&t->session, o, NULL, &t->step, failure);
    free(o);
    return status;
}

static tide_status all_windows(trainer *t, tide_failure *failure) {
    t->data.split.train = (block){ 0, t->data.frame.rows };
    t->learned = dataset_windows(&t->data, t->data.split.train, t->config.seq_len, t->config.pred_len);
    t->windows = t->learned.count;
    free(t->order);
    t->order = malloc((size_t)t->windows * sizeof *t->order + 1);
    return t->order ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

static tide_status stopped(const trainer *t, tide_failure *failure) {
    if (trainer_in_memory(t))
        return fail(failure, TIDE_ECANCELLED,
                    "stopped while learning from all rows: the model is the one that was scored");
    return fail(failure, TIDE_ECANCELLED, "stopped while learning from all rows; ``resume` auto `out` %s` begins that "
                                          "again", t->folder.path);
}

/* In memory and without validation: the run is on the disk, and there is nothing left to validate on. */
static tide_status learn(trainer *t, int64_t epochs, double *last_loss, tide_failure *failure) {
    fit_model    model = trainer_model(t);
    tide_failure why   = { 0 };
    model.validate = NULL, model.save = NULL;
    tide_status status = fit_new(&model, &(fit_plan){ .batches = t->batches, .epochs = epochs }, NULL, trainer_hear, t,
                                 &t->fit, &why);
    if (status == TIDE_OK) status = fit_run(t->fit, 0, &why);
    if (status == TIDE_OK) *last_loss = fit_at(t->fit)->train_loss;
    if (status == TIDE_ECANCELLED) return stopped(t, failure);
    if (status != TIDE_OK && failure && !failure->status) *failure = why;
    return status;
}

static tide_status ship(trainer *t, tide_failure *failure) {
    scaler_free(&t->bundle.scaler);
    if (!scaler_copy(&t->data.scaler, &t->bundle.scaler))
        return fail(failure, TIDE_ENOMEM, "out of memory for the run's model file");
    t->bundle.record.refit = true;
    return trainer_write_model(t, NULL, failure);
}

tide_status refit_run(trainer *t, forecast_result *r, tide_failure *failure) {
    double  loss = 0;
    int64_t epochs = fit_at(t->fit)->best_epoch;
    t->steps_before = fit_at(t->fit)->step, t->rate_epochs = fit_place_now(t->fit).epochs;
    listener_note(&t->listener, FORECAST_STAGE_NOTE,
                  "training once more on all %" PRId64 " rows: %" PRId64
                  " steps, as many as the best epoch took; the scores stay those of the first time",
                  t->data.frame.rows, epochs * t->batches);
    tide_status status =
        bundle_write_memory(&t->bundle, t->session.params, fit_best(t->fit), &t->scored, &t->scored_size, failure);
    if (status == TIDE_OK) status = scale_all(&t->data, failure);
    if (status == TIDE_OK) status = open_again(t, failure);
    if (status == TIDE_OK) status = all_windows(t, failure);
    if (status == TIDE_OK) status = learn(t, epochs, &loss, failure);
    if (status != TIDE_OK) return status;
    r->refit = isfinite(loss);
    if (r->refit && (status = ship(t, failure)) == TIDE_OK) free(t->scored), t->scored = NULL;
    if (r->refit) return status;
    listener_note(&t->listener, FORECAST_STAGE_WARNING,
                  "learning from all rows diverged: the model that was scored is kept");
    return TIDE_OK;
}
