#include "plan.h"

#include <jansson.h>
#include <stdio.h>

#include "base/base.h"
#include "run_folder.h"

/* Ten epochs of 200 batches are as many steps as a short series gets: from there on the published settings hold. They
 * were chosen on series of hundreds of batches; on shorter ones type1, which halves the rate every epoch, ends before
 * anything is learned. Patience is counted in steps as well. Below 256 windows smaller batches without dropout validate
 * better (bench/results/forecast-defaults.md). */
enum { LONG_BATCHES = 200, SHORT_STEPS = 2000, SHORT_PATIENCE_STEPS = 500, LEAST_EPOCHS = 10, LEAST_PATIENCE = 3 };
enum { USUAL_BATCH = 32, FEW_BATCH = 8, FEW_WINDOWS = 256 };
static const double USUAL_DROPOUT = 0.1, FEW_DROPOUT = 0;
/* Lion moves each weight by the whole rate */
static const double LONG_RATE = 1e-4, SHORT_RATE = 1e-3, LION_RATE = 1e-4;
/* Of the usual rate, where parameters that have learned are the first: docs/forecast-finetune.md. */
static const double FINE_TUNING = 0.1;

/* The rules that fall by the epoch were published with ten of them. */
static bool by_epochs(int rule) {
    return rule != FORECAST_LR_AUTO && rule != FORECAST_LR_COSINE && rule != FORECAST_LR_CONSTANT;
}

int64_t plan_batch(const forecast_options *o) { return o->batch_size ? o->batch_size : USUAL_BATCH; }
double  plan_dropout(const forecast_options *o) { return o->dropout < 0 ? USUAL_DROPOUT : o->dropout; }

void plan_training(forecast_options *o, int64_t windows) {
    bool few = windows < FEW_WINDOWS;
    if (!o->batch_size) o->batch_size = few ? FEW_BATCH : USUAL_BATCH;
    if (o->dropout < 0) o->dropout = few ? FEW_DROPOUT : USUAL_DROPOUT;
    int64_t batches = MAX2(1, windows / MAX2(1, MIN2(o->batch_size, windows)));
    bool    published = batches >= LONG_BATCHES || by_epochs(o->lradj);
    double  rate = published ? LONG_RATE : o->optimizer == FORECAST_LION ? LION_RATE : SHORT_RATE;
    if (!o->epochs) o->epochs = published ? LEAST_EPOCHS : MAX2(LEAST_EPOCHS, ceil_div(SHORT_STEPS, batches));
    if (o->patience < 0)
        o->patience = published ? LEAST_PATIENCE : MAX2(LEAST_PATIENCE, ceil_div(SHORT_PATIENCE_STEPS, batches));
    if (o->learning_rate == 0) o->learning_rate = *o->from ? FINE_TUNING * rate : rate;
    if (o->lradj == FORECAST_LR_AUTO) o->lradj = published ? FORECAST_LR_TYPE1 : FORECAST_LR_COSINE;
}

/* ---- a run that goes on ---- */

typedef struct open_option { const char *name; bool open; } open_option;

static tide_status take(forecast_options *o, const json_t *was, const char *name, tide_failure *failure) {
    const json_t *v = json_object_get(was, name);
    char          text[40];
    if (json_is_string(v)) return forecast_option_set(o, name, json_string_value(v), failure);
    if (!json_is_number(v)) return TIDE_OK;
    num_format(text, json_number_value(v), false);
    return forecast_option_set(o, name, text, failure);
}

tide_status plan_of_run(forecast_options *o, tide_failure *failure) {
    const open_option open[] = { { "batch-size", !o->batch_size },        { "epochs", !o->epochs },
                                 { "patience", o->patience < 0 },         { "learning-rate", o->learning_rate == 0 },
                                 { "lradj", o->lradj == FORECAST_LR_AUTO },
                                 { "dropout", o->dropout < 0 },
                                 { "accumulate", !forecast_option_given(o, "accumulate") } };
    char        path[FOLDER_PATH];
    tide_status status = TIDE_OK;
    if (!o->resume || !*o->out || o->overwrite) return TIDE_OK;
    /* what is wrong with it is told later */
    json_t *run = json_load_file(folder_file(o->out, "run.json", path), 0, NULL);
    for (size_t i = 0; i < sizeof open / sizeof *open && status == TIDE_OK; i++)
        if (open[i].open) status = take(o, json_object_get(run, "options"), open[i].name, failure);
    json_decref(run);
    return status;
}
