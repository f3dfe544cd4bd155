/* --device auto of a training: its own step, timed on each device. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "trainer.h"

/* The training as it would be on a device. */
typedef struct trial {
    const trainer   *of;
    forecast_options options;
    session          session;
    train_step       step;
    int32_t         *starts;   /* of a batch's windows */
} trial;

static tide_status open_trial(void *user, const char *device, train_sample *out, tide_failure *failure) {
    trial             *t = user;
    const model_config c = t->of->config;
    snprintf(t->options.device, sizeof t->options.device, "%s", device);
    tide_status status = session_open(&t->options, &c, &t->of->data, &t->session, failure);
    if (status == TIDE_OK) status = session_training(&t->session, &t->options, NULL, &t->step, failure);
    *out = (train_sample){ &t->step, { { t->session.start, t->starts, false } }, 1 };
    out->count += sampled_feed(&t->session.sampled, 0, 0, out->feeds + 1);
    return status;
}

static void close_trial(void *user) { session_free(&((trial *)user)->session); }

static tide_status tell_trial(void *user, const char *line, tide_failure *failure) {
    bool stop = listener_note(&((trial *)user)->of->listener, FORECAST_STAGE_NOTE, "%s", line);
    return stop ? fail(failure, TIDE_ECANCELLED, "stopped before training began") : TIDE_OK;
}

static tide_status choose(trainer *t, const forecast_options *o, tide_failure *failure) {
    trial  *of     = calloc(1, sizeof *of);
    int64_t batch  = o->batch_size;
    int32_t *starts = malloc((size_t)batch * sizeof *starts);
    tide_status status = of && starts ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    for (int64_t i = 0; i < batch && status == TIDE_OK; i++)
        starts[i] = (int32_t)window_start(&t->learned, i % t->windows);
    if (status == TIDE_OK) {
        *of = (trial){ .of = t, .options = *o, .starts = starts };
        status = train_device_choose(&(train_trial){ of, open_trial, close_trial, tell_trial }, &t->device, failure);
    }
    free(starts);
    free(of);
    return status;
}

tide_status trainer_device(trainer *t, forecast_options *o, tide_failure *failure) {
    bool        resuming = o->resume && *o->out && !o->overwrite;
    tide_status status   = TIDE_OK;
    if (!train_device_open(o->device)) return TIDE_OK;
    if (trainer_solved(t)) return snprintf(o->device, sizeof o->device, "cpu"), TIDE_OK; /* there is no step to time */
    if (ranks_lead(t->ranks)) {
        if (!train_device_resumed(resuming ? o->out : NULL, &t->device)) status = choose(t, o, failure);
        if (status == TIDE_OK) snprintf(o->device, sizeof o->device, "%s", t->device.device);
    }
    status = trainer_same_device(t, o, status, failure);
    return status == TIDE_OK ? tide_device_info(o->device, NULL, failure) : status;
}
