/* A model file from its metadata to a printed forecast. Input: the text of the metadata, a 0, then changes to
 * tensors. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_forecast.h"

static const char *model_path(void) {
    static char path[160];
    if (*path) return path;
    fuzz_train(false);
    strcpy(path, fuzz_path("run/model.safetensors"));
    return path;
}

static const tide_archive *sound(void) {
    static tide_archive a;
    tide_failure        failure = { 0 };
    if (!a.count)
        fuzz_require(tide_safetensors_read(model_path(), &a, &failure) == TIDE_OK, "the model to start from", &failure);
    return &a;
}

bytes fuzz_seed(int i) {
    bytes       b    = { 0 };
    const char *text = tide_archive_metadata(sound(), "tidemill.forecast");
    if (i > 1) return b;
    bytes_add(&b, text, (int64_t)strlen(text) + 1);
    if (i == 1) bytes_add(&b, "\3\2\1\0\0\0\200\177\0\0\0\0", 12); /* an infinite weight */
    return b;
}

static void write_changed(const char *metadata, const uint8_t *data, size_t size) {
    tide_archive a       = { 0 };
    tide_failure failure = { 0 };
    for (int64_t i = 0; i < sound()->count; i++) {
        const tide_tensor *t = &sound()->tensors[i];
        if (tide_archive_add(&a, t->name, t->type, t->shape, t->data) != TIDE_OK) abort();
    }
    if (tide_archive_set(&a, "tidemill.forecast", metadata) != TIDE_OK) abort();
    fuzz_patch(&a, data, size);
    tide_status status = tide_safetensors_write(model_path(), &a, &failure);
    if (status != TIDE_EINVAL && status != TIDE_EDATA)
        fuzz_require(status == TIDE_OK, "the changed model is written", &failure);
    tide_archive_free(&a);
}

/* A number that is none is no answer. Names may be any text. */
static void check_answer(const forecast_result *r, const char *metadata, const tide_failure *why) {
    fuzz_require(r->csv && *r->csv, "an answer without text", why);
    if (strstr(metadata, "nan") || strstr(metadata, "inf") || strchr(metadata, '\\')) return;
    fuzz_require(!strstr(r->csv, "nan") && !strstr(r->csv, "inf"), "a forecast that is no number", why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char            *text    = fuzz_text(&data, &size);
    write_changed(text, data, size);
    forecast_options_default(&o);
    o.threads = 1;
    strcpy(o.model, fuzz_path("run"));
    tide_status status = forecast_predict(&o, NULL, NULL, &r, &failure);
    fuzz_refusal(status, &failure);
    if (status == TIDE_OK) check_answer(&r, text, &failure);
    forecast_result_free(&r);
    free(text);
    return 0;
}
