#include "refit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"

/* The series anew, scaled over all its rows. */
static tide_status scale_all(dataset *d, tide_failure *failure) {
    free(d->scaled);
    free(d->marks);
    scaler_free(&d->scaler);
    d->scaled = d->marks = NULL;
    if (scaler_fit(&d->frame, (block){ 0, d->frame.rows }, &d->scaler) != TIDE_OK)
        return fail(failure, TIDE_ENOMEM, "out of memory for the series");
    return dataset_scale(d, d->frame.rows, failure);
}

/* A new graph, with the choices that the run has written down and the batch that it trained on. */
static tide_status open_again(trainer *t, tide_failure *failure) {
    forecast_options *o = malloc(sizeof *o);
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    *o = *t->options;
    o->batch_size = t->step.batch * t->step.parts, o->resume = FORECAST_RESUME_NO;
    tide_snapshot_free(t->best);
    t->best = NULL;
    session_free(&t->session);
    tide_status status = session_open(o, &t->config, &t->data, &t->session, failure);
    if (status == TIDE_OK) status = run_choices_take(t->folder.path, t->session.graph, failure);
    if (status == TIDE_OK) status = session_training(&t->session, o, &t->step, failure);
    free(o);
    return status;
}

static tide_status all_windows(trainer *t, tide_failure *failure) {
    t->data.split.train = (block){ 0, t->data.frame.rows };
    t->windows = block_windows(t->data.split.train, t->config.seq_len, t->config.pred_len);
    free(t->order);
    t->order = malloc((size_t)t->windows * sizeof *t->order + 1);
    return t->order ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

static tide_status learn(trainer *t, double *last_loss, tide_failure *failure) {
    int64_t     epochs = t->at.best_epoch;
    tide_status status = TIDE_OK;
    t->at        = (progress_state){ .epoch = 1, .step = t->at.step };
    t->refitting = epochs;
    while (status == TIDE_OK && t->at.epoch <= epochs) {
        status     = trainer_epoch(t, failure);
        *last_loss = t->at.loss_sum / (double)t->batches;
        t->at.epoch++;
        t->at.batch = 0, t->at.loss_sum = t->at.norm_sum = 0;
    }
    return status;
}

static tide_status ship(trainer *t, tide_failure *failure) {
    char path[FOLDER_PATH];
    scaler_free(&t->bundle.scaler);
    if (!scaler_copy(&t->data.scaler, &t->bundle.scaler))
        return fail(failure, TIDE_ENOMEM, "out of memory for the run's model file");
    t->bundle.record.refit = true;
    tide_status status = owned_claim_file(t->folder.path, "model.safetensors", path, failure);
    return status == TIDE_OK ? bundle_write(path, &t->bundle, t->session.params, NULL, failure) : status;
}

tide_status refit_run(trainer *t, forecast_result *r, tide_failure *failure) {
    double loss = 0;
    listener_note(&t->listener, FORECAST_STAGE_NOTE,
                  "learning once more from all %" PRId64 " rows: %" PRId64
                  " steps, as many as the best epoch took; the scores stay those of the first time",
                  t->data.frame.rows, t->at.best_epoch * t->batches);
    tide_status status = scale_all(&t->data, failure);
    if (status == TIDE_OK) status = open_again(t, failure);
    if (status == TIDE_OK) status = all_windows(t, failure);
    if (status == TIDE_OK) status = learn(t, &loss, failure);
    if (status != TIDE_OK) return status;
    r->refit = isfinite(loss);
    if (r->refit) return ship(t, failure);
    listener_note(&t->listener, FORECAST_STAGE_WARNING,
                  "learning from all rows diverged: the model that was scored is kept");
    return TIDE_OK;
}
