/* tidemill eis drt, below the command line. */
#include "base/json.h"
#include "each_sweep.h"
#include "eis/drt/lambda.h"
#include "eis/drt/relaxations.h"
#include "eis/options/arguments.h"

static tide_status answer(const eis_spectrum *s, const each_sweep_place *to, bool *of_file, tide_failure *failure) {
    eis_relaxations r = { 0 };
    tide_status status = eis_drt_spectrum(s, to->options, &r, failure);
    *of_file = status == TIDE_EDATA;
    if (status == TIDE_OK) {
        *to->found = json_with_item(*to->found, relaxations_json(&r));
        relaxations_text(&r, to->talk);
        relaxations_rows(&r, to->table);
        if (to->plots) status = relaxations_plots(&r, to->plots, failure);
    }
    eis_relaxations_free(&r);
    return status;
}

static const char *const plots[] = { "drt_gamma", "drt_residuals", NULL };

static const each_sweep_kind kind = {
    "drt", "drt.csv", "the distributions of relaxation times", plots, relaxations_table_header, relaxations_row_failed,
    answer
};

tide_status eis_drt(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                    tide_failure *failure) {
    lambda_wish wish; /* what cannot be read is told before any file is */
    failure_clear(failure);
    tide_status good = arguments_good(options, result, failure);
    if (good != TIDE_OK) return good;
    if (lambda_parse(options->lambda, &wish, failure) != TIDE_OK) return TIDE_EINVAL;
    return each_sweep_run(&kind, options, listener, user, result, failure);
}

char *eis_relaxations_json(const eis_relaxations *r) {
    json_t *o = r && r->parts ? relaxations_json(r) : NULL;
    char   *s = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    return s;
}

char *eis_relaxations_text(const eis_relaxations *r) {
    text out = { 0 };
    if (!r || !r->parts) return NULL;
    relaxations_text(r, &out);
    if (out.failed) text_free(&out);
    return out.data;
}
