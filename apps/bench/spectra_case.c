/* Training the impedance predictor from spectra that are made meanwhile, by the trainer's handle: whole rounds are
 * timed, each of which makes a block of the pool anew and visits four blocks' worth of spectra. */
#include <tidemill/eis.h>

#include "base/base.h"
#include "parts.h"

enum { BLOCKS = 16, VISITS = 4, FEWEST_ROUNDS = 3 };  /* of a pool, as eis_options.pool_spectra says; an epoch is four
                                                         rounds */

static tide_status options_of(const bench_spec *spec, const bench_settings *s, const bench_result *out, eis_options *o,
                              tide_failure *failure) {
    eis_options_default(o);
    o->batch_size = spec->batch, o->hidden_dim = spec->hidden, o->pool_spectra = spec->samples;
    o->epochs = 1000000, o->threads = out->threads;
    tide_status status = eis_option_set(o, "recipe", "grid", failure);
    if (status == TIDE_OK) status = eis_option_set(o, "device", s->device, failure);
    if (status == TIDE_OK) status = eis_option_set(o, "precision", tide_precision_name(out->precision), failure);
    return status;
}

/* The first round, whose blocks were made before it, is a warm-up. */
static tide_status time_rounds(eis_trainer *t, const bench_spec *spec, const bench_settings *s, bench_result *out,
                               tide_failure *failure) {
    bench_times *times  = &out->train.times;
    int64_t      steps  = spec->samples / BLOCKS * VISITS / spec->batch;
    double       began  = os_seconds();
    tide_status  status = eis_trainer_run(t, steps, failure);
    times->first_ms = times->warmup_ms = 1e3 * (os_seconds() - began) / (double)steps, times->warmups = 1;
    double most = s->seconds > 0 ? s->seconds : 3, from = os_seconds();
    while (status == TIDE_OK && times->count < BENCH_TIMES_MOST &&
           (times->count < FEWEST_ROUNDS || os_seconds() - from < most)) {
        if (bench_stopped(s)) return bench_cancelled(failure);
        began  = os_seconds();
        status = eis_trainer_run(t, steps, failure);
        times->ms[times->count++] = 1e3 * (os_seconds() - began) / (double)steps;
    }
    bench_summarise(times);
    out->loss = eis_trainer_at(t).train_loss;
    return status;
}

tide_status bench_eis_spectra(const bench_spec *spec, const bench_settings *s, bench_result *out,
                              tide_failure *failure) {
    eis_options  o;
    eis_trainer *t      = NULL;
    double       began  = os_seconds();
    tide_status  status = bench_tell(s, spec->name, "the first spectra", failure);
    if (status == TIDE_OK) status = options_of(spec, s, out, &o, failure);
    if (status == TIDE_OK) status = eis_trainer_new(&o, NULL, NULL, &t, failure);
    out->build_ms    = 1e3 * (os_seconds() - began);
    out->train.batch = spec->batch;
    if (status == TIDE_OK) status = bench_tell(s, spec->name, "rounds", failure);
    if (status == TIDE_OK) status = time_rounds(t, spec, s, out, failure);
    out->first_step_ms = out->build_ms + out->train.times.first_ms;
    eis_trainer_free(t);
    return status;
}
