/* tidemill eis check, below the command line. */
#include "base/json.h"
#include "each_sweep.h"
#include "eis/check/checked.h"

static tide_status answer(const eis_spectrum *s, const each_sweep_place *to, bool *of_file, tide_failure *failure) {
    eis_checked c = { 0 };
    tide_status status = eis_check_spectrum(s, &c, failure);
    *of_file = status == TIDE_EDATA;
    if (status == TIDE_OK) {
        *to->found = json_with_item(*to->found, checked_json(&c));
        checked_text(&c, to->talk);
        checked_row(&c, to->table);
        if (to->plots) status = checked_plots(&c, to->plots, failure);
    }
    eis_checked_free(&c);
    return status;
}

static const char *const plots[] = { "check_residuals", "check_terms", NULL };

static const each_sweep_kind kind = {
    "check", "check.csv", "the check", plots, checked_table_header, checked_row_failed, answer
};

tide_status eis_check(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                      tide_failure *failure) {
    return each_sweep_run(&kind, options, listener, user, result, failure);
}

char *eis_checked_json(const eis_checked *c) {
    json_t *o = c && c->parts ? checked_json(c) : NULL;
    char   *s = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    return s;
}

char *eis_checked_text(const eis_checked *c) {
    text out = { 0 };
    if (!c || !c->parts) return NULL;
    checked_text(c, &out);
    if (out.failed) text_free(&out);
    return out.data;
}
