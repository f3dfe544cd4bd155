/* Models that are trained for a backtest: in memory, on the rows up to the first of the origins that they answer. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "forecast/fit/calibrate.h"
#include "forecast/fit/solve.h"
#include "forecast/saved/run_options.h"
#include "forecast/training/trainer.h"
#include "rolling.h"

enum { WARM_EPOCHS = 3 };

struct refit {
    rolling          *rolling;
    forecast_options *options;   /* of each training, but for what the rows decide */
    int64_t           number;    /* of the training that goes on, from 1 */
    bool              running;   /* its rows are read and its programs made: what it tells is new */
};

/* ---- what is refused ---- */

tide_status rolling_check_refit(const rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    const bundle *b = r->bundle;
    if (!o->refit_every && (o->warm_start || forecast_option_given(o, "epochs")))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "refit-every",
                       "`%s` is of models that are trained anew, and there are none: `refit-every` N",
                       o->warm_start ? "warm-start" : "epochs");
    if (!o->refit_every) return TIDE_OK;
    if (o->warm_start && forecaster_solved(b->config.arch, b->config.head))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "warm-start",
                       "`warm-start` goes on from the run's parameters, and `arch` %s is not trained by steps: leave "
                       "it out", architecture_of(b->config.arch)->name);
    bool table = b->kind == FORECAST_CUSTOM || b->kind == FORECAST_ETTH || b->kind == FORECAST_ETTM;
    if (!table || (b->features == FORECAST_MS && !b->config.known && b->target != b->config.columns - 1))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "refit-every",
                       "`refit-every` trains runs of `kind` custom anew, and this is none: leave it out");
    return TIDE_OK;
}

/* ---- options ---- */

/* The rows are at hand, without a file and without what says how text is read; nothing is written or shared. */
static void forget_places(forecast_options *o) {
    char *const texts[] = { o->data, o->columns, o->ignore, o->time_column, o->sep, o->decimal, o->thousands, o->na,
                            o->id, o->value, o->preset, o->out, o->model, o->output, o->dump_graph, o->from };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = 0;
    o->kind = FORECAST_CUSTOM, o->missing = FORECAST_MISSING_AUTO, o->resume = FORECAST_RESUME_NO;
    o->skip_rows = 0, o->date_order = 0;
    if (o->aggregate != FORECAST_AGGREGATE_KEEP) o->aggregate = FORECAST_AGGREGATE_NONE; /* that was done */
    o->strict_dates = o->sort = o->overwrite = o->plots = o->explain = o->refit = o->auto_size = false;
    o->keep_scaler = o->ranks = o->join = false;
}

/* The last rows stand for test rows, which training must have and does not look at. The column that is put behind the
 * others that are forecast is the one that stands there, so all keep the run's order. */
static void settle(const rolling *r, forecast_options *o) {
    const bundle *b = r->bundle;
    snprintf(o->target, sizeof o->target, "%s", b->names[b->config.out_first + b->config.out_count - 1]);
    if (b->step.unit) step_print(o->freq, b->step);
    snprintf(o->device, sizeof o->device, "%s", r->options->device);
    o->val = b->record.sizes.val, o->test = (double)b->config.pred_len;
    snprintf(o->origins, sizeof o->origins, "%s", *b->record.origins ? r->options->origins : "");
    if (r->options->warm_start) o->epochs = r->options->epochs ? r->options->epochs : WARM_EPOCHS;
    memset(o->given, 0, sizeof o->given);
}

static tide_status read_recipe(const rolling *r, json_t **run, tide_failure *failure) {
    if (*r->options->model) return run_options_read(r->options->model, run, failure);
    *run = r->recipe ? json_loads(r->recipe, 0, NULL) : NULL;
    if (json_is_object(json_object_get(*run, "options"))) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "refit-every",
                   "how the model was trained is not known, so none like it can be: the options of its run.json, or "
                   "leave `refit-every` out");
}

static tide_status options_of(const rolling *r, forecast_options *o, tide_failure *failure) {
    json_t  *run = NULL;
    unsigned compat = 0;
    *o = *r->options;
    tide_status status = read_recipe(r, &run, failure);
    if (status == TIDE_OK) status = run_options_take(run, o, failure);
    if (status == TIDE_OK) status = forecast_compat_parse(o->compat, &compat, failure);
    json_decref(run);
    if (status != TIDE_OK) return status;
    if (compat & FORECAST_COMPAT_STOP_ON_TEST)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "refit-every",
                       "the run was trained with `compat` stop-on-test, which looks at what is to be forecast: leave "
                       "`refit-every` out");
    if (*o->from && !o->warm_start)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "warm-start",
                       "the run was fine-tuned (`from`), and its options make no model from nothing: `warm-start` goes "
                       "on with its parameters");
    if (r->data.frame.zone && !*o->tz)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "refit-every",
                       "the offsets of the stamps vary: a run that is trained with `tz`, their time zone, can be "
                       "trained anew");
    if (r->bundle->holiday_columns || r->bundle->issued_columns || r->bundle->statics.count || *o->categorical)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "refit-every",
                       "the run has inputs that are made of others (`categorical`, `holidays`, `issued` or `static`), "
                       "which a backtest does not make anew: leave `refit-every` out");
    forget_places(o);
    settle(r, o);
    return TIDE_OK;
}

/* ---- rows ---- */

/* The rows up to an origin, and behind them pred_len that repeat the origin's: nothing of what comes. */
static tide_status rows_until(const rolling *r, int64_t rows, double **values, tide_frame **out,
                              tide_failure *failure) {
    const frame *f    = &r->data.frame;
    int64_t      pred = r->bundle->config.pred_len, columns = f->columns;
    size_t       row  = (size_t)columns * sizeof **values;
    *values = malloc((size_t)(rows + pred) * row);
    if (!*values) return rolling_no_memory(failure);
    memcpy(*values, f->values, (size_t)rows * row);
    for (int64_t i = 0; i < pred; i++) memcpy(*values + (rows + i) * columns, r->last + (rows - 1) * columns, row);
    tide_status status = tide_frame_new(rows + pred, out, failure);
    for (int64_t c = 0; status == TIDE_OK && c < columns; c++)
        status = tide_frame_borrow(*out, f->names[c], *values + c, columns, failure);
    if (status == TIDE_OK && f->time) status = tide_frame_set_time(*out, f->time_name, f->time, failure);
    return status;
}

/* ---- a training ---- */

/* Steps are told; of the rest only what is new about this training. */
static int hear(void *user, const forecast_event *e) {
    const refit *f = user;
    bool told = e->stage == FORECAST_STAGE_STEP || (e->stage == FORECAST_STAGE_WARNING && f->running);
    return told ? listener_tell(&f->rolling->listener, *e) : 0;
}

static int tell_begin(const refit *f, int64_t rows) {
    const rolling *r = f->rolling;
    char stamp[64] = "";
    int  used = 0;
    if (r->data.frame.time) {
        used = snprintf(stamp, sizeof stamp, ", up to ");
        rolling_stamp(r, rows - 1, stamp + used);
    }
    return listener_note(&r->listener, FORECAST_STAGE_START, "training %" PRId64 " of %" PRId64 ": %" PRId64 " rows%s",
                         f->number, ceil_div(r->origins, r->options->refit_every), rows, stamp);
}

static tide_status begin_warm(const refit *f, forecast_trainer *t, tide_failure *failure) {
    void        *bytes = NULL;
    size_t       size;
    tide_archive a = { 0 };
    if (!f->rolling->options->warm_start) return TIDE_OK;
    tide_status status = forecast_model_save_memory(f->rolling->run, &bytes, &size, failure);
    if (status == TIDE_OK) status = tide_safetensors_read_memory(bytes, size, &a, failure);
    if (status == TIDE_OK) status = trainer_put_parameters(t, &a, failure);
    tide_archive_free(&a);
    tide_free(bytes);
    return status;
}

/* What came of one. */
typedef struct trained {
    forecast_model *model;
    baseline       *linear;
    band_tables     bands;
} trained;

static void trained_free(trained *m) {
    forecast_model_free(m->model);
    baseline_free(m->linear);
    bands_free(&m->bands);
}

/* Intervals by the errors on the validation windows, as those of the run are. */
static tide_status calibrate(const refit *f, forecast_trainer *t, band_tables *out, tide_failure *failure) {
    const model_config *c = &t->config;
    window_program p;
    scoring validation = { .data = &t->data, .seq_len = c->seq_len, .pred_len = c->pred_len,
                           .windows = dataset_windows(&t->data, t->data.split.val, c->seq_len, c->pred_len) };
    if (!f->rolling->intervals.levels.count) return TIDE_OK;
    tide_status status = session_scoring_all(&t->session, validation.windows.count, WINDOW_FORECASTS, &p, failure);
    if (status == TIDE_OK) status = bands_open(&t->data, c->pred_len, out, failure);
    return status == TIDE_OK ? calibrate_model(&validation, &p, out, failure) : status;
}

static tide_status train(refit *f, int64_t rows, trained *out, tide_failure *failure) {
    double           *values = NULL;
    tide_frame       *from   = NULL;
    forecast_trainer *t      = NULL;
    f->running = false;
    tide_status status = rows_until(f->rolling, rows, &values, &from, failure);
    if (status == TIDE_OK) status = forecast_trainer_new(f->options, from, hear, f, &t, failure);
    tide_frame_free(from);
    free(values);
    f->running = true;
    if (status == TIDE_OK) status = begin_warm(f, t, failure);
    if (status == TIDE_OK) status = forecast_trainer_run(t, 0, failure);
    if (status == TIDE_OK) status = forecast_trainer_model(t, &out->model, failure);
    if (status == TIDE_OK)
        status = linear_fit(&t->data, t->data.split, t->config.seq_len, t->config.pred_len, &out->linear,
                            failure);
    if (status == TIDE_OK) status = calibrate(f, t, &out->bands, failure);
    forecast_trainer_free(t);
    return status;
}

/* ---- its answers ---- */

/* Options that someone changed may have made another model: its answers would be taken for the run's. */
static bool same_shape(const bundle *a, const bundle *b) {
    const model_config *x = &a->config, *y = &b->config;
    bool same = x->seq_len == y->seq_len && x->pred_len == y->pred_len && x->columns == y->columns &&
                x->out_first == y->out_first && x->out_count == y->out_count && x->known == y->known;
    for (int64_t c = 0; same && c < x->columns; c++) same = !strcmp(a->names[c], b->names[c]);
    return same;
}

static tide_status check_shape(const rolling *r, const trained *m, tide_failure *failure) {
    if (same_shape(r->bundle, handle_bundle(m->model))) return TIDE_OK;
    const char *model = *r->options->model ? r->options->model : NULL;
    return fail_at(failure, TIDE_EDATA, model, 0, "refit-every",
                   "the options in its run.json make another model than its model.safetensors is: they are of "
                   "different runs, or were changed; train again");
}

/* The whole series as the model takes it; the frame stays the backtest's. */
static tide_status answer(rolling *r, const trained *m, int64_t first, int64_t count, figures_taker take, void *user,
                          tide_failure *failure) {
    dataset  d = { .frame = r->data.frame };
    session *s = handle_session(m->model);
    tide_status status = dataset_adopt(&d, handle_bundle(m->model)) ? TIDE_OK : rolling_no_memory(failure);
    if (status == TIDE_OK) status = dataset_scale(&d, d.frame.rows, failure);
    if (status == TIDE_OK) status = session_data(s, &d, failure);
    answerer by = { s, &d, m->linear, &m->bands };
    if (status == TIDE_OK) status = rolling_answer(r, &by, first, count, take, user, failure);
    d.frame = (frame){ 0 };
    dataset_free(&d);
    return status;
}

/* A refusal of the rows means those before the first origin, whatever else the file holds. */
static tide_status tell_rows(const rolling *r, int64_t rows, tide_status status, const tide_failure *why,
                             tide_failure *failure) {
    if (status != TIDE_EDATA) {
        if (failure && !failure->status) *failure = *why;
        return status;
    }
    const char *data = *r->options->data ? r->options->data : NULL;
    return fail_at(failure, status, data, 0, "refit-every",
                   "the %" PRId64 " rows up to the first origin cannot be learned from (%.300s); a smaller `test`, or "
                   "`windows` N, takes later origins alone", rows, why->message);
}

tide_status refit_block(refit *f, int64_t block, figures_taker take, void *user, tide_failure *failure) {
    rolling     *r     = f->rolling;
    trained      m     = { 0 };
    tide_failure why   = { 0 };
    int64_t      first = block * r->options->refit_every, rows = r->origin[first] + 1;
    f->number = block + 1;
    if (tell_begin(f, rows)) return fail(failure, TIDE_ECANCELLED, "stopped while forecasting");
    tide_status status = train(f, rows, &m, &why);
    if (status != TIDE_OK) status = tell_rows(r, rows, status, &why, failure);
    else status = check_shape(r, &m, failure);
    if (status == TIDE_OK)
        status = answer(r, &m, first, MIN2(r->options->refit_every, r->origins - first), take, user, failure);
    trained_free(&m);
    return status;
}

/* ---- all of them ---- */

tide_status refit_new(rolling *r, refit **out, tide_failure *failure) {
    refit *f = *out = calloc(1, sizeof *f);
    if (!f || !(f->options = malloc(sizeof *f->options))) return rolling_no_memory(failure);
    f->rolling = r;
    return options_of(r, f->options, failure);
}

void refit_free(refit *f) {
    if (f) free(f->options);
    free(f);
}

const forecast_options *refit_options(const refit *f) { return f->options; }
