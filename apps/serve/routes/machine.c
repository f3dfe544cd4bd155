/* What the machine is: as tidemill machine --json. */
#include "later.h"
#include "machine/machine.h"

static void reply_machine(http_request *r, const machine *here, const machine_rates *rates) {
    machine_advice advice;
    machine_advise(here, rates, &advice);
    reply_json(r, 200, machine_json(here, rates, &advice));
}

static bool detect(http_request *r, machine *here) {
    tide_failure failure = { 0 };
    machine_detect(NULL, here);
    if (tide_device_info("cpu", &here->device, &failure) == TIDE_OK) return true;
    reply_failure(r, &failure, "");
    return false;
}

static void look(serve *s, http_request *r) {
    machine       here;
    machine_rates rates;
    (void)s;
    if (!detect(r, &here)) return;
    if (machine_rates_read(&here, &rates, NULL) != TIDE_OK) machine_estimate(&here, &rates);
    reply_machine(r, &here, &rates);
}

/* Rates that a busy machine lowered take no place of better ones; those that cannot be kept are told all the same. */
static void measure(serve *s, http_request *r) {
    machine       here;
    machine_rates rates, kept;
    tide_failure  failure = { 0 };
    (void)s;
    if (!detect(r, &here)) return;
    bool had = machine_rates_read(&here, &kept, NULL) == TIDE_OK;
    if (machine_measure(&here, &rates, &failure) != TIDE_OK) {
        reply_failure(r, &failure, "");
        return;
    }
    if (had && machine_rates_busy(&rates, &kept)) rates = kept;
    else machine_rates_write(&here, &rates, NULL);
    reply_machine(r, &here, &rates);
}

void route_machine(void *user, http_request *r) {
    serve *s = user;
    later(s->quick, r, look);
}

/* It takes seconds: where refined answers wait. */
void route_machine_measure(void *user, http_request *r) {
    serve *s = user;
    later(s->refined, r, measure);
}
