/* A run's folder to a resumed step. Input: run.json, the checkpoint's counters as lines "key=value", and metrics.csv,
 * each closed with a 0, then changes to the checkpoint's tensors. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_forecast.h"

static bytes             run_json, metrics;
static tide_archive      state;
static const char *const files[] = { "run/run.json", "run/metrics.csv", "run/state.safetensors" };

static void prepare(void) {
    tide_failure failure = { 0 };
    if (run_json.data) return;
    fuzz_train(true);
    run_json = file_read(fuzz_path(files[0]));
    metrics  = file_read(fuzz_path(files[1]));
    fuzz_require(tide_safetensors_read(fuzz_path(files[2]), &state, &failure) == TIDE_OK, "the state to start from",
                 &failure);
}

bytes fuzz_seed(int i) {
    bytes b = { 0 };
    if (i > 0) return b;
    prepare();
    bytes_add(&b, run_json.data, run_json.length);
    bytes_byte(&b, 0);
    for (int64_t k = 0; k < state.metadata_count; k++) {
        bytes_text(&b, state.keys[k]);
        bytes_byte(&b, '=');
        bytes_text(&b, state.values[k]);
        bytes_byte(&b, '\n');
    }
    bytes_byte(&b, 0);
    bytes_add(&b, metrics.data, metrics.length);
    bytes_byte(&b, 0);
    return b;
}

static void write_text(const char *name, const char *text) {
    file_write(fuzz_path(name), (bytes){ (unsigned char *)(uintptr_t)text, (int64_t)strlen(text) });
}

static void write_state(char *counters, const uint8_t *data, size_t size) {
    tide_archive a       = { 0 };
    tide_failure failure = { 0 };
    for (int64_t i = 0; i < state.count; i++) {
        const tide_tensor *t = &state.tensors[i];
        if (tide_archive_add(&a, t->name, t->type, t->shape, t->data) != TIDE_OK) abort();
    }
    for (char *line = strtok(counters, "\n"); line; line = strtok(NULL, "\n")) {
        char *value = strchr(line, '=');
        if (value) *value++ = 0;
        if (value && tide_archive_set(&a, line, value) == TIDE_ENOMEM) abort();
    }
    fuzz_patch(&a, data, size);
    tide_safetensors_write(fuzz_path(files[2]), &a, &failure);
    tide_archive_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static forecast_options o;
    forecast_result         r       = { 0 };
    tide_failure            failure = { 0 };
    prepare();
    char *json = fuzz_text(&data, &size), *counters = fuzz_text(&data, &size), *rows = fuzz_text(&data, &size);
    write_text(files[0], json);
    write_text(files[1], rows);
    write_state(counters, data, size);
    fuzz_train_options(&o);
    o.resume           = FORECAST_RESUME_MUST;
    tide_status status = forecast_train(&o, NULL, NULL, &r, &failure);
    fuzz_refusal(status, &failure);
    forecast_result_free(&r);
    free(json);
    free(counters);
    free(rows);
    return 0;
}
