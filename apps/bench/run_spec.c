/* The case that a forecaster's run folder is. */
#include <jansson.h>
#include <stdio.h>

#include "base/base.h"
#include "forecast/models/model.h"
#include "parts.h"

/* What run.json says that it was trained with; 0: nothing. */
static int64_t batch_of(const char *folder) {
    char path[BENCH_PATH + 16];
    snprintf(path, sizeof path, "%s/run.json", folder);
    json_t *run   = json_load_file(path, 0, NULL);
    int64_t batch = json_integer_value(json_object_get(json_object_get(run, "options"), "batch-size"));
    json_decref(run);
    return batch;
}

tide_status bench_spec_of_run(const char *folder, char weights[BENCH_PATH], bench_spec *out, tide_failure *failure) {
    model_config c;
    int64_t      batch = batch_of(folder);
    snprintf(weights, BENCH_PATH, "%s/model.safetensors", folder);
    tide_status status = bundle_sizes(weights, &c, failure);
    if (status != TIDE_OK) return status;
    if (batch < 1) return fail_at(failure, TIDE_EDATA, folder, 0, NULL, "%s: its run.json names no batch size", folder);
    *out = (bench_spec){ .name = "this model", .kind = BENCH_FORECAST, .weights = weights, .batch = batch,
                         .columns = c.columns, .seq_len = c.seq_len, .pred_len = c.pred_len, .marks = c.marks,
                         .d_model = c.d_model, .d_ff = c.d_ff, .n_heads = c.n_heads, .e_layers = c.e_layers,
                         .dropout = c.dropout, .relu = c.relu, .plain = !c.use_norm, .out_first = c.out_first,
                         .out_count = c.out_count };
    return TIDE_OK;
}
