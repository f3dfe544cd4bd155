/* Ranks from C: a training, one that is refused on all, and a second training, one after the other in each process; for
 * tests/e2e/test_ranks.py. The data, and a folder for each. */
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/forecast.h>
#include <tidemill/tidemill.h>

static const char *const settings[][2] = {
    { "seq-len", "24" },    { "pred-len", "8" },     { "d-model", "16" }, { "d-ff", "16" },   { "n-heads", "2" },
    { "e-layers", "1" },    { "batch-size", "12" },  { "epochs", "1" },   { "threads", "1" }, { "cut", "4" },
    { "ranks", "true" },
};

static tide_status train(const char *data, const char *out, tide_failure *failure) {
    forecast_options *o = calloc(1, sizeof *o);
    forecast_result  *r = calloc(1, sizeof *r);
    forecast_options_default(o);
    tide_status status = forecast_option_set(o, "data", data, failure);
    if (status == TIDE_OK) status = forecast_option_set(o, "out", out, failure);
    for (size_t i = 0; status == TIDE_OK && i < sizeof settings / sizeof *settings; i++)
        status = forecast_option_set(o, settings[i][0], settings[i][1], failure);
    if (status == TIDE_OK) status = forecast_train(o, NULL, NULL, r, failure);
    forecast_result_free(r);
    free(r);
    free(o);
    return status;
}

int main(int argc, char **argv) {
    tide_failure failure = { 0 };
    if (argc != 4) return 9;
    if (train(argv[1], argv[2], &failure) != TIDE_OK) return fprintf(stderr, "first: %s\n", failure.message), 1;
    failure = (tide_failure){ 0 };
    if (train("no-such.csv", argv[3], &failure) != TIDE_EDATA) return fprintf(stderr, "%s\n", failure.message), 2;
    failure = (tide_failure){ 0 };
    if (train(argv[1], argv[3], &failure) != TIDE_OK) return fprintf(stderr, "second: %s\n", failure.message), 3;
    return tide_rank_here().speaks == (tide_rank_here().number == 0) ? 0 : 4;
}
