/* Training in memory with an allocation made to fail once: a status and a sentence, no crash, nothing leaked (the leak
 * checker of a sanitizer build looks). */
#include <inttypes.h>

#include <tidemill/eis.h>

#include "../forecast/refuse.h"
#include "support.h"

static eis_options small(void) {
    eis_options o;
    eis_options_default(&o);
    o.recipe = EIS_RECIPE_LAB, o.pool_spectra = 1024, o.batch_size = 64, o.hidden_dim = 8, o.epochs = 1;
    o.threads = 1, o.plots = false;
    return o;
}

static tide_status train(const eis_options *o, tide_failure *failure) {
    eis_trainer *t      = NULL;
    eis_model   *m      = NULL;
    tide_status  status = eis_trainer_new(o, NULL, NULL, &t, failure);
    if (status == TIDE_OK) status = eis_trainer_run(t, 0, failure);
    if (status == TIDE_OK) status = eis_trainer_model(t, &m, failure);
    eis_trainer_free(t);
    eis_model_free(m);
    return status;
}

static void refused_after(const eis_options *o, int64_t granted) {
    tide_failure failure = { 0 };
    until_failure        = granted;
    tide_status status   = train(o, &failure);
    bool        refused  = until_failure < 0;
    until_failure        = -1;
    if (status == TIDE_OK) return;
    if (!refused) fail_msg("all allocations granted: %s", failure.message);
    if (status == TIDE_EDATA || status == TIDE_EINVAL || !failure.message[0])
        fail_msg("allocation %" PRId64 " refused: status %s, \"%s\"", granted, tide_status_name(status),
                 failure.message);
}

static void test_each(void **state) {
    enum { MOST = 40 };
    eis_options o = small();
    (void)state;
    refused_after(&o, INT64_MAX);
    allocations = 0;
    refused_after(&o, INT64_MAX);
    int64_t all = allocations, stride = 2 * all / MOST + 1;
    assert_true(all > MOST);
    for (int64_t granted = 0; granted < all; granted += granted < MOST / 2 ? 1 : stride) refused_after(&o, granted);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
