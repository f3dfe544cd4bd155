/* --auto-size: what `tidemill machine` advises becomes the options that were not given. Without it sizes stay as they
 * are, and one far above the advice is warned about. */
#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"
#include "machine/machine.h"
#include "train/device.h"
#include "resolve.h"

/* For the device that the options name. *known: nobody guesses; else there is advice if it is `needed`. */
static tide_status advise_here(const forecast_options *o, bool needed, machine *m, machine_advice *a, bool *known,
                               tide_failure *failure) {
    machine_rates rates;
    machine_detect(NULL, m);
    tide_status status = tide_device_info(train_device_now(o->device), &m->device, failure);
    if (status == TIDE_OK && needed) status = machine_rates_needed(m, &rates, failure);
    if (status != TIDE_OK) return status;
    bool there = needed || machine_rates_known(m, &rates);
    if (there) machine_advise(m, &rates, a);
    *known = there && (m->apple || rates.measured);
    return TIDE_OK;
}

/* Only lowered where less than the advice is as good: a shorter look-back or fewer rows to remember do no harm. */
static const struct { machine_choice_id choice; const char *option; int64_t unit; bool lower_only;
} rows[] = {
    { MACHINE_BATCH, "batch-size", 1, false },    { MACHINE_D_MODEL, "d-model", 1, false },
    { MACHINE_D_FF, "d-ff", 1, false },           { MACHINE_SEQ_LEN, "seq-len", 1, true },
    { MACHINE_THREADS, "threads", 1, false },     { MACHINE_MEMORY, "memory-limit-mib", 1 << 20, false },
    { MACHINE_PRECISION, "precision", 1, false }, { MACHINE_COMPILE_MODE, "compile-mode", 1, false },
};
enum { ROWS = sizeof rows / sizeof *rows };

/* NULL: the option is not in this build, was given, or is small enough. */
static const tide_option *to_set(const forecast_options *o, int i, const machine_choice *c) {
    const tide_option *option = forecast_option_find(rows[i].option);
    if (!option || forecast_option_given(o, rows[i].option) ||
        (rows[i].choice == MACHINE_MEMORY && *o->memory_limit)) return NULL;
    bool fits = rows[i].lower_only && *(const int64_t *)((const char *)o + option->offset) <= c->most;
    return fits || (!*c->word && c->value < rows[i].unit) ? NULL : option;
}

tide_status auto_size(forecast_options *o, tide_failure *failure) {
    machine        m;
    machine_advice a;
    bool           known;
    tide_status    status = advise_here(o, true, &m, &a, &known, failure);
    for (int i = 0; i < ROWS && status == TIDE_OK; i++) {
        const machine_choice *c      = &a.of[rows[i].choice];
        const tide_option    *option = to_set(o, i, c);
        char text[32];
        if (!option) continue;
        snprintf(text, sizeof text, "%" PRId64, (rows[i].lower_only ? c->most : c->value) / rows[i].unit);
        status = forecast_option_set(o, option->name, *c->word ? c->word : text, failure);
    }
    return status;
}

static void warn_size(const listener *l, const char *name, int64_t value, int64_t most, const char *why) {
    if (value > 2 * most)
        listener_note(l, FORECAST_STAGE_WARNING,
                      "`%s` %" PRId64 " is more than twice the %" PRId64 " that suits this machine (%s); `auto-size` "
                                                                         "takes that", name,
                      value, most, why);
}

void tell_sizes(const listener *l, const forecast_options *o) {
    machine        m;
    machine_advice a;
    bool           known;
    if (advise_here(o, false, &m, &a, &known, NULL) != TIDE_OK) return;
    if (o->auto_size)
        listener_note(l, FORECAST_STAGE_NOTE,
                      "sized for %s: batch-size %" PRId64 ", d-model %" PRId64 ", d-ff %" PRId64 ", seq-len %" PRId64
                      "; tidemill machine says why",
                      *m.model ? m.model : "this machine", o->batch_size, o->d_model, o->d_ff, o->seq_len);
    if (o->auto_size || !known) return;
    warn_size(l, "batch-size", o->batch_size, a.of[MACHINE_BATCH].most, a.of[MACHINE_BATCH].why);
    warn_size(l, "d-model", o->d_model, a.of[MACHINE_D_MODEL].most, a.of[MACHINE_D_MODEL].why);
}
