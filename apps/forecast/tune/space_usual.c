#include <inttypes.h>

#include "forecast/models/forecaster.h"
#include "space.h"

enum { FEW_WINDOWS = 256, LONGEST = 4 };

/* An option that is given is the ground of all trials. */
static void add(const ground *g, text *out, const char *name, const char *values) {
    if (!forecast_option_given(g->given, name)) text_add(out, "%s=%s;", name, values);
}

/* Architectures that forecast each series by itself take nothing that is known ahead, and not all take attributes. */
static bool series_alone(const forecast_options *o) {
    return !(*o->known || *o->holidays || *o->issued || *o->categorical || *o->without_history || *o->statics ||
             *o->static_columns);
}

/* One, two and four times the look-back, while half of the training rows stay for windows to begin at. */
static tide_status add_look_backs(const ground *g, text *out, tide_failure *failure) {
    int64_t seq = g->resolved.seq_len, most = 1;
    while (most < LONGEST && 2 * (2 * most * seq + g->resolved.pred_len) <= g->rows) most *= 2;
    for (tide_failure why; most > 1; most /= 2) {
        why = (tide_failure){ 0 };
        tide_status status = ground_look_back(g, most * seq, &why);
        if (status == TIDE_ENOMEM) return fail(failure, status, "%s", why.message);
        if (status == TIDE_OK) break;
    }
    char values[80];
    snprintf(values, sizeof values, most == 1 ? "" : most == 2 ? "%" PRId64 ",%" PRId64 : "%" PRId64 ",%" PRId64
             ",%" PRId64, seq, 2 * seq, 4 * seq);
    if (*values) add(g, out, "seq-len", values);
    return TIDE_OK;
}

/* Widths that the heads divide. */
static void add_widths(const ground *g, text *out) {
    static const int widths[] = { 32, 64, 128, 256, 512 };
    text values = { 0 };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (widths[i] % g->resolved.n_heads == 0) text_add(&values, "%s%d", values.length ? "," : "", widths[i]);
    if (values.failed) out->failed = true;
    if (values.length) add(g, out, "d-model", values.data);
    text_free(&values);
}

tide_status space_usual(const ground *g, text *out, tide_failure *failure) {
    const forecast_options *o = &g->resolved;
    tide_status status = forecast_option_given(g->given, "seq-len") ? TIDE_OK : add_look_backs(g, out, failure);
    bool fixed = forecast_option_given(g->given, "arch");
    if (series_alone(o)) add(g, out, "arch", "itransformer,dlinear,patchtst");
    add(g, out, "learning-rate", "1e-4..3e-3 log");
    add(g, out, "batch-size", g->windows < FEW_WINDOWS ? "4,8,16" : "16,32,64");
    if (!fixed || o->arch != FORECAST_DLINEAR) {
        add_widths(g, out);
        add(g, out, "d-ff", "64,128,256,512");
        add(g, out, "e-layers", "1,2,3");
        add(g, out, "dropout", "0,0.1,0.2,0.3");
    }
    if (status == TIDE_OK && out->failed) return fail(failure, TIDE_ENOMEM, "out of memory for the search");
    return status;
}
