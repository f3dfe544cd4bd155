#include "auto_size.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"
#include "eis/options/tell.h"
#include "machine/machine.h"
#include "train/device.h"

/* What training takes when --batch-size is 0 (known/train.c, predictor/train.c). */
static int64_t batch_of(const eis_options *o) {
    return o->batch_size ? o->batch_size : o->inputs == EIS_INPUTS_KNOWN ? EIS_KNOWN_BATCH : EIS_SPECTRUM_BATCH;
}

tide_status eis_auto_size(eis_options *o, eis_listener listener, void *user, tide_failure *failure) {
    machine        m;
    machine_rates  rates;
    machine_advice a;
    char           line[400];
    const machine_choice *c = &a.of[MACHINE_EIS_BATCH];
    bool           stop = false;
    machine_detect(NULL, &m);
    tide_status status = tide_device_info(train_device_now(o->device), &m.device, failure);
    if (status == TIDE_OK && o->auto_size) status = machine_rates_needed(&m, &rates, failure);
    if (status != TIDE_OK) return status;
    if (!o->auto_size && !machine_rates_known(&m, &rates)) return TIDE_OK;
    machine_advise(&m, &rates, &a);
    if (o->auto_size) {
        if (!o->batch_size) o->batch_size = c->value;
        snprintf(line, sizeof line, "sized for %s: batch-size %" PRId64 " (advised: %" PRId64 ", %s)",
                 *m.model ? m.model : "this machine",
                 o->batch_size, c->value, c->why);
        stop = eis_tell(listener, user, EIS_NOTE, line);
    } else if ((m.apple || rates.measured) && batch_of(o) > 2 * c->most) {
        snprintf(line, sizeof line, "`batch-size` %" PRId64 " is more than twice the %" PRId64 " that suits this "
                                                                                               "machine (%s); "
                                                                                               "`auto-size` takes that",
                 batch_of(o), c->most, c->why);
        stop = eis_tell(listener, user, EIS_WARNING, line);
    }
    return stop ? fail(failure, TIDE_ECANCELLED, "stopped before training began") : TIDE_OK;
}
