/* The series is read as a training reads it; a look-back may change which rows and series there are, so each that is
 * searched is asked what it would have. */
#include "ground.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/sha256.h"
#include "forecast/fit/plan.h"
#include "forecast/fit/resolve.h"
#include "forecast/models/forecaster.h"

void ground_sum(const dataset *d, const forecast_options *o, char sum[65]) {
    const frame  *f = &d->frame;
    const int64_t shape[] = { f->rows, f->columns, d->known, d->out_first, d->out_count, o->pred_len,
                              d->split.train.rows, d->split.val.start + o->seq_len,
                              d->split.val.start + d->split.val.rows };
    size_t  bytes = (size_t)f->columns * sizeof(double);
    sha256  h;
    sha256_begin(&h);
    sha256_add(&h, f->sha256, strlen(f->sha256));
    sha256_add(&h, shape, sizeof shape);
    for (int64_t c = 0; c < f->columns; c++) sha256_add(&h, f->names[c], strlen(f->names[c]) + 1);
    sha256_add(&h, d->scaler.mean, bytes);
    sha256_add(&h, d->scaler.std, bytes);
    sha256_end(&h, sum);
}

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the search");
}

bool ground_has_steps(const forecast_options *o, tide_failure *failure) {
    if (o->arch != FORECAST_ARCH_AUTO && !forecaster_solved(o->arch, o->head)) return true;
    fail_at(failure, TIDE_EINVAL, NULL, 0, "arch",
            "`arch` %s is not trained by steps, so there is nothing to search: itransformer, dlinear and patchtst are",
            architecture_of(o->arch)->name);
    return false;
}

/* Options that make losses of another kind, or that say what only a single training can mean. */
static tide_status refuse(const forecast_options *o, unsigned compat, tide_failure *failure) {
    if (!ground_has_steps(o, failure)) return TIDE_EINVAL;
    const struct { bool given; const char *option, *why; } rows[] = {
        { !strcmp(o->data, "-"), "data", "`data` is read once for each trial: give a file, not standard input" },
        { o->max_minutes > 0, "max-minutes", "`max-minutes` is of a single training: `budget` limits a search" },
        { *o->from, "from", "`from` is of a single training: fine-tune with what the search has found" },
        { o->explain || *o->dump_graph, "explain", "`explain` and `dump-graph` are of a single training" },
        { compat & FORECAST_COMPAT_STOP_ON_TEST, "compat",
          "`compat` stop-on-test looks at the test rows, which no search may: leave it out" },
        { compat & FORECAST_COMPAT_VAL_SHUFFLED, "compat",
          "`compat` val-shuffled takes other validation windows with each batch size: leave it out" },
        { o->compile_mode == FORECAST_MODE_MAX_AUTOTUNE, "compile-mode",
          "`compile-mode` max-autotune times each trial's step while others run: default gives the same bits" },
        { !strcmp(o->device, "auto"), "device",
          "`device` auto times each trial's step while others run: name the device, cpu for one" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].given) return fail_at(failure, TIDE_EINVAL, NULL, 0, rows[i].option, "%s", rows[i].why);
    return TIDE_OK;
}

typedef struct reading { forecast_options options; dataset data; unsigned compat; } reading;

static void reading_free(reading *r) {
    if (r) dataset_free(&r->data);
    free(r);
}

/* seq_len 0: the options'. */
static tide_status read(const forecast_options *o, int64_t seq_len, reading **out, tide_failure *failure) {
    reading *r = *out = calloc(1, sizeof *r);
    if (!r) return no_memory(failure);
    tide_status status = options_resolve(o, &r->options, &r->compat, failure);
    if (seq_len) r->options.seq_len = seq_len;
    if (status == TIDE_OK) status = refuse(&r->options, r->compat, failure);
    return status == TIDE_OK ? dataset_load(&r->options, r->compat, &r->data, failure) : status;
}

tide_status ground_open(const forecast_options *o, ground *out, tide_failure *failure) {
    reading    *r      = NULL;
    tide_status status = read(o, 0, &r, failure);
    *out = (ground){ .given = o };
    if (status == TIDE_OK) {
        out->resolved = r->options;
        const split *s = &r->data.split;
        ground_sum(&r->data, &r->options, out->sum);
        out->rows        = s->train.rows;
        out->windows     = dataset_windows(&r->data, s->train, r->options.seq_len, r->options.pred_len).count;
        out->val_windows = dataset_windows(&r->data, s->val, r->options.seq_len, r->options.pred_len).count;
        plan_training(&r->options, out->windows);
        out->epochs = r->options.epochs;
    }
    reading_free(r);
    return status;
}

tide_status ground_look_back(const ground *g, int64_t seq_len, tide_failure *failure) {
    char         sum[65];
    reading     *r      = NULL;
    tide_failure why    = { 0 };
    tide_status  status = read(g->given, seq_len, &r, &why);
    if (status == TIDE_OK) ground_sum(&r->data, &r->options, sum);
    reading_free(r);
    if (status == TIDE_OK && !strcmp(sum, g->sum)) return TIDE_OK;
    if (status == TIDE_ENOMEM) return no_memory(failure);
    if (status != TIDE_OK)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "space", "`space`: with `seq-len` %" PRId64 ": %s", seq_len,
                       why.message);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "space",
                   "`space`: `seq-len` %" PRId64 " leaves other validation rows or other series than the look-back that"
                   " is given, so that losses could not be compared: shorter ones, or one for all", seq_len);
}
