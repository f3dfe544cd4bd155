/* The golden parameters as a checkpoint of PyTorch, imported: the run forecasts what the published program does. */
#include <inttypes.h>
#include <sys/stat.h>
#include <tidemill/forecast.h>
#include <tidemill/io.h>

#include "../folder.h"
#include "forecast/saved/handle.h"
#include "golden_support.h"

static const double ALLOWED = 1e-5; /* as the published outputs are held to */

typedef struct golden { const char *file, *prefix, *projector; } golden;

/* Names as different programs have them. */
static const golden files[] = {
    { "itransformer_base.npz", "", "projector" },
    { "itransformer_many.npz", "module.", "projector" },
    { "itransformer_nomark.npz", "", "projection" },
    { "itransformer_nonorm_relu.npz", "module.", "projection" },
};
enum { WINDOWS, COLUMNS, MARKS, SEQ_LEN, PRED_LEN, D_MODEL, HEADS, D_FF, LAYERS, USE_NORM, GELU };

static const void *array(const tide_archive *a, const char *name) {
    const tide_tensor *t = tide_archive_find(a, name);
    if (!t) fail_msg("the golden file has no '%s'", name);
    return t->data;
}

static void write_checkpoint(const tide_archive *a, const golden *g, const char *path) {
    tide_archive checkpoint = { 0 };
    for (int64_t i = 0; i < a->count; i++) {
        const tide_tensor *t = &a->tensors[i];
        char               name[200];
        if (strncmp(t->name, "param/", 6)) continue;
        const char *own = t->name + 6, *end = strncmp(own, "projector.", 10) ? NULL : own + 9;
        snprintf(name, sizeof name, "%s%s%s", g->prefix, end ? g->projector : own, end ? end : "");
        assert_int_equal(tide_archive_add(&checkpoint, name, t->type, t->shape, t->data), TIDE_OK);
    }
    assert_int_equal(tide_pth_write(path, &checkpoint, NULL), TIDE_OK);
    tide_archive_free(&checkpoint);
}

static void write_series(const char *path, int64_t columns) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("date", f);
    for (int64_t c = 0; c < columns; c++) fprintf(f, ",c%" PRId64, c);
    for (int i = 0; i < 600; i++) {
        fprintf(f, "\n2024-01-%02d %02d:00:00", 1 + i / 24, i % 24);
        for (int64_t c = 0; c < columns; c++) fprintf(f, ",%.4f", sin(0.26 * i + (double)c) + 0.01 * (i * 7 % 11));
    }
    fputs("\n", f);
    fclose(f);
}

static void import(const golden *g, const int64_t *config, const char *checkpoint, const char *run) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char             series[128], heads[24];
    snprintf(series, sizeof series, "%s/%s.csv", folder, g->file);
    snprintf(heads, sizeof heads, "%" PRId64, config[HEADS]);
    write_series(series, config[COLUMNS]);
    const char *const words[][2] = { { "data", series }, { "checkpoint", checkpoint }, { "out", run },
                                     { "n-heads", heads }, { "marks", config[MARKS] ? "h" : "none" },
                                     { "activation", config[GELU] ? "gelu" : "relu" },
                                     { "use-norm", config[USE_NORM] ? "true" : "false" } };
    forecast_options_default(&o);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_int_equal(forecast_option_set(&o, words[i][0], words[i][1], NULL), TIDE_OK);
    if (forecast_import(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s: %s", g->file, failure.message);
    assert_int_equal(r.seq_len, config[SEQ_LEN]);
    assert_int_equal(r.pred_len, config[PRED_LEN]);
    assert_true(r.model.present && r.windows > 0 && isfinite(r.model.mse));
    forecast_result_free(&r);
}

static void check(const golden *g) {
    char            path[512], checkpoint[128], run[128], model[200];
    tide_archive    a       = { 0 };
    forecast_model *m       = NULL;
    tide_failure    failure = { 0 };
    forecast_options machine;
    assert_int_equal(tide_npz_read(own_path(path, g->file), &a, NULL), TIDE_OK);
    const int64_t *config = array(&a, "config");
    snprintf(checkpoint, sizeof checkpoint, "%s/%s.pth", folder, g->file);
    snprintf(run, sizeof run, "%s/%s", folder, g->file);
    snprintf(model, sizeof model, "%s/model.safetensors", run);
    write_checkpoint(&a, g, checkpoint);
    import(g, config, checkpoint, run);
    forecast_options_default(&machine);
    if (handle_open(&machine, model, &m, &failure) != TIDE_OK) fail_msg("%s: %s", g->file, failure.message);
    int64_t count = config[WINDOWS] * config[PRED_LEN] * config[COLUMNS];
    float  *out   = malloc((size_t)count * sizeof *out);
    const handle_windows x = { .scaled = array(&a, "x"), .marks = config[MARKS] ? array(&a, "x_mark") : NULL };
    assert_int_equal(handle_forward(m, config[WINDOWS], x, out, NULL, NULL), TIDE_OK);
    expect_close(g->file, "out", out, array(&a, "out"), count, ALLOWED);
    free(out);
    forecast_model_free(m);
    tide_archive_free(&a);
}

static void test_golden(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) check(&files[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden) };
    return cmocka_run_group_tests_name("golden import", tests, make_folder, remove_folder);
}
