/* Model files that lie: each member of the metadata and each tensor beyond what a run can have is refused at once, with
 * its name, before a model is made. What 0.1.0 wrote is read as it was. */
#include <jansson.h>
#include <tidemill/io.h>

#include "forecast/data/frame.h"
#include "train_support.h"

static char   path[128];
static char  *metadata;

static tide_status predict(forecast_result *r, tide_failure *failure) {
    forecast_options o;
    char             run[96];
    forecast_options_default(&o);
    snprintf(run, sizeof run, "%s/run", folder);
    set(&o, "model", run);
    *r = (forecast_result){ 0 };
    *failure = (tide_failure){ 0 };
    return forecast_predict(&o, NULL, NULL, r, failure);
}

static int set_up(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    tide_archive     a       = { 0 };
    if (folder_with_series(state, 300)) return -1;
    small_options(&o);
    set(&o, "epochs", "1");
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    snprintf(path, sizeof path, "%s/run/model.safetensors", folder);
    assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
    metadata = strdup(tide_archive_metadata(&a, "tidemill.forecast"));
    tide_archive_free(&a);
    return 0;
}

static int tear_down(void **state) {
    free(metadata);
    return remove_folder(state);
}

/* Writes a file anew with this under one key of its metadata; everything else stays. */
static void write_key(const char *file, const char *key, const char *text) {
    tide_archive a = { 0 }, changed = { 0 };
    assert_int_equal(tide_safetensors_read(file, &a, NULL), TIDE_OK);
    for (int64_t i = 0; i < a.count; i++)
        assert_int_equal(
            tide_archive_add(&changed, a.tensors[i].name, a.tensors[i].type, a.tensors[i].shape, a.tensors[i].data),
            TIDE_OK);
    for (int64_t i = 0; i < a.metadata_count; i++)
        assert_int_equal(tide_archive_set(&changed, a.keys[i], strcmp(a.keys[i], key) ? a.values[i] : text), TIDE_OK);
    assert_int_equal(tide_safetensors_write(file, &changed, NULL), TIDE_OK);
    tide_archive_free(&changed);
    tide_archive_free(&a);
}

static void write_metadata(const char *text) { write_key(path, "tidemill.forecast", text); }

static void refused(const char *what, const char *where) {
    forecast_result r;
    tide_failure    failure;
    tide_status     status = predict(&r, &failure);
    if (status != TIDE_EDATA)
        fail_msg("%s: expected %s, got %s: %s", what, tide_status_name(TIDE_EDATA), tide_status_name(status),
                 failure.message);
    assert_null(r.csv);
    if (strcmp(failure.column, where))
        fail_msg("%s: expected a failure at %s, got %s: %s", what, where, failure.column, failure.message);
    expect_has(failure.message, "the model is damaged");
}

/* "model.e_layers" becomes the JSON `value`; "" takes it out. */
static void set_member(json_t *root, const char *name, const char *value) {
    const char *dot = strchr(name, '.');
    char        group[32];
    snprintf(group, sizeof group, "%.*s", dot ? (int)(dot - name) : 0, name);
    json_t *o = dot ? json_object_get(root, group) : root;
    if (*value) json_object_set_new(o, dot ? dot + 1 : name, json_loads(value, JSON_DECODE_ANY, NULL));
    else json_object_del(o, dot ? dot + 1 : name);
}

static void test_members(void **state) {
    static const struct { const char *name, *value, *where; } lies[] = {
        { "model", "", "model" }, { "model", "[]", "model" },
        { "model.e_layers", "100000", NULL }, { "model.e_layers", "1000000000", NULL }, { "model.e_layers", "0", NULL },
        { "model.e_layers", "256", "encoder.attn_layers.2.attention.query_projection.weight" },
        { "model.e_layers", "1", NULL }, { "model.d_model", "65536", "model.head_size" },
        { "model.d_model", "1e3", NULL },
        { "model.head_size", "1000000000", NULL }, { "model.n_heads", "0", NULL },
        { "model.n_heads", "4294967298", NULL },
        { "model.d_ff", "262144", "encoder.attn_layers.0.conv1.weight" }, { "model.d_ff", "-1", NULL },
        { "model.seq_len", "1000000", "enc_embedding.value_embedding.weight" },
        { "model.seq_len", "9223372036854775807", NULL },
        { "model.pred_len", "1000000", "projector.weight" }, { "model.pred_len", "\"6\"", NULL },
        { "model.columns", "0", NULL },
        { "model.columns", "1000000000", "columns" }, { "model.columns", "2", "model.out_count" },
        { "model.out_first", "1", "model.out_count" },
        { "model.out_count", "0", NULL }, { "model.dropout", "2", NULL }, { "model.dropout", "\"\"", NULL },
        { "model.activation", "\"tanh\"", NULL },
        { "model.use_norm", "1", NULL }, { "model.marks", "1", NULL }, { "model.marks", "0", NULL },
        { "model.marks", "15", NULL },
        { "time.marks", "\"s\"", "model.marks" }, { "time.marks", "\"y\"", "model.marks" },
        { "time.marks", "\"\"", "model.marks" },
        { "time.marks", "\"lunar\"", NULL }, { "time.step", "\"0h\"", NULL }, { "time.step", "3", NULL },
        { "time.step", "\"99999y\"", "tail.time" },
        { "time.step", "\"999999w\"", "tail.time" }, { "time", "", "time" }, { "time.kind", "101", "time" },
        { "time.kind", "356", NULL }, { "time.month_name", "66", "time" }, { "time.month_name", "-1", NULL },
        { "time.letters", "117", "time" }, { "time.short_year", "true", "time" }, { "time.comma", "true", "time" },
        { "time.shape", "17", "time" }, { "time.shape", "18", NULL },
        { "time.kind", "0", "time" }, { "time.separator", "58", "time" }, { "time.separator", "-211", NULL },
        { "time.middle", "37", "time" },
        { "time.fraction", "127", NULL }, { "time.fraction", "100", "time" }, { "time.fraction", "-1", NULL },
        { "time.fraction", "10", "time" },
        { "time.fraction", "383", NULL }, { "time.offset", "\"+99999999999\"", NULL },
        { "time.offset", "\"%s%s%s\"", "time" },
        { "time.offsets", "{}", NULL }, { "time.offsets", "[]", NULL }, { "time.offsets", "[[0, 93601]]", NULL },
        { "time.offsets", "[[0, \"\"]]", NULL }, { "time.offsets", "[[5, 0], [4, 60]]", NULL },
        { "time.offsets", "[[9e17, 0]]", NULL }, { "time.offsets", "[[999999999999999, 0]]", NULL },
        { "time.offsets", "[7]", NULL },
        { "time.offset", "null", NULL }, { "time.padded", "3", NULL }, { "time.place", "-1", NULL },
        { "time.column", "7", NULL },
        { "time.column", "null", "model.marks" }, { "columns", "[\"a\"]", NULL },
        { "columns", "[\"a\",\"b\",\"a\"]", NULL },
        { "columns", "[\"a\",\"\",\"c\"]", NULL }, { "columns", "[\"a\",2,\"c\"]", NULL }, { "places", "[1,2]", NULL },
        { "places", "[0,1,-2]", NULL }, { "mean", "[0,1]", NULL }, { "mean", "[0,null,1]", NULL },
        { "std", "[1,0,1]", NULL },
        { "std", "[1,-1,1]", NULL }, { "std", "{}", NULL }, { "kind", "5", NULL }, { "kind", "4294967296", NULL },
        { "features", "-1", NULL },
        { "target", "3", NULL }, { "training", "[]", NULL }, { "training.season", "1e300", "training" },
        { "training.val", "-1", "training" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        json_t *root = json_loads(metadata, 0, NULL);
        set_member(root, lies[i].name, lies[i].value);
        char *text = json_dumps(root, JSON_COMPACT);
        write_metadata(text);
        char what[160];
        snprintf(what, sizeof what, "%s %s", lies[i].name, lies[i].value);
        refused(what, lies[i].where ? lies[i].where : lies[i].name);
        free(text);
        json_decref(root);
    }
    write_metadata(metadata);
}

/* `value` at element `at` of a tensor, or the tensor left out where `at` is negative. */
static void with_tensor(const char *name, int64_t at, double value) {
    char         copy[160];
    tide_archive a = { 0 }, changed = { 0 };
    snprintf(copy, sizeof copy, "%s.kept", path);
    assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
    assert_int_equal(rename(path, copy), 0);
    for (int64_t i = 0; i < a.count; i++) {
        const tide_tensor *t    = &a.tensors[i];
        bool               here = !strcmp(t->name, name);
        if (here && at >= 0 && t->type == TIDE_F32) ((float *)t->data)[at] = (float)value;
        if (here && at >= 0 && t->type == TIDE_F64) ((double *)t->data)[at] = value;
        if (here && at >= 0 && t->type == TIDE_I64) ((int64_t *)t->data)[at] = (int64_t)value;
        if (!here || at >= 0)
            assert_int_equal(tide_archive_add(&changed, t->name, t->type, t->shape, t->data), TIDE_OK);
    }
    assert_int_equal(tide_archive_set(&changed, "tidemill.forecast", metadata), TIDE_OK);
    assert_int_equal(tide_safetensors_write(path, &changed, NULL), TIDE_OK);
    tide_archive_free(&changed);
    tide_archive_free(&a);
    refused(name, name);
    assert_int_equal(rename(copy, path), 0);
}

static void test_tensors(void **state) {
    (void)state;
    with_tensor("projector.weight", 3, NAN);
    with_tensor("encoder.attn_layers.1.conv2.weight", 0, INFINITY);
    with_tensor("encoder.norm.bias", -1, 0);
    with_tensor("tail.values", 1, NAN);
    with_tensor("tail.values", -1, 0);
    with_tensor("tail.time", -1, 0);
    with_tensor("tail.time", 23, 9.2e18);
    with_tensor("tail.time", 0, -9.2e18);
    with_tensor("tail.time", 23, 253402300799.0); /* the last second of 9999: no hour comes after it */
    with_tensor("tail.time", 5, 0);               /* backwards */
}

static void test_first_version(void **state) {
    forecast_result now, then;
    tide_failure    failure;
    (void)state;
    assert_int_equal(predict(&now, &failure), TIDE_OK);
    json_t *root = json_loads(metadata, 0, NULL);
    set_member(root, "places", "");
    set_member(root, "training", "");
    char *text = json_dumps(root, JSON_COMPACT);
    write_metadata(text);
    if (predict(&then, &failure) != TIDE_OK) fail_msg("a model of 0.1.0: %s", failure.message);
    assert_string_equal(then.csv, now.csv);
    write_metadata(metadata);
    free(text);
    json_decref(root);
    forecast_result_free(&then);
    forecast_result_free(&now);
}

/* A checkpoint whose counters cannot be is refused, and metrics.csv stays as it was. */
static void test_counters(void **state) {
    static const struct { const char *key, *value; } lies[] = {
        { "metrics_bytes", "1099511627776" }, { "metrics_bytes", "1e3" },     { "metrics_bytes", "-1" },
        { "epoch", "0" },
        { "epoch", "1000000" },               { "epoch", "1.5" },             { "batch", "1" },
        { "batch", "9000000000000000" },
        { "step", "0" },                      { "step", "nan" },              { "best", "nan" },
        { "best_epoch", "1000000" },
        { "best_epoch", "0" },                { "worse", "7" },               { "finished", "2" },
        { "finished", "" },
        { "train_seconds", "nan" },           { "epoch_seconds", "inf" },     { "train_seconds", "-1" },
        { "loss_sum", "much" },
    };
    char   file[128];
    size_t before, after;
    (void)state;
    snprintf(file, sizeof file, "%s/run/state.safetensors", folder);
    tide_archive a = { 0 };
    assert_int_equal(tide_safetensors_read(file, &a, NULL), TIDE_OK);
    char *metrics = whole_file(folder, "run/metrics.csv", &before);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        char            *was     = strdup(tide_archive_metadata(&a, lies[i].key));
        write_key(file, lies[i].key, lies[i].value);
        small_options(&o);
        set_all(&o, "epochs 1 resume must");
        tide_status status = forecast_train(&o, NULL, NULL, &r, &failure);
        if (status != TIDE_EDATA)
            fail_msg("%s %s: expected %s, got %s: %s", lies[i].key, lies[i].value, tide_status_name(TIDE_EDATA),
                     tide_status_name(status), failure.message);
        expect_has(failure.message, "`overwrite` starts anew");
        char *now = whole_file(folder, "run/metrics.csv", &after);
        if (after != before || memcmp(now, metrics, before))
            fail_msg("%s %s: metrics.csv has changed", lies[i].key, lies[i].value);
        write_key(file, lies[i].key, was);
        forecast_result_free(&r);
        free(was);
        free(now);
    }
    free(metrics);
    tide_archive_free(&a);
}

/* Whatever a format holds, a stamp is a text of fewer than 40 bytes; whatever a step is, moving by it overflows
 * nothing. */
static void test_stamps(void **state) {
    (void)state;
    for (int value = 0; value < 256; value++) {
        struct { char text[40], guard[8]; } out;
        time_format f = { .kind = 'd', .shape = (char)value, .separator = '-', .padded = true, .hour_padded = true,
                          .middle = ' ',
                          .seconds = true, .fraction = (char)value, .offset = "+02:00" };
        memset(&out, 'x', sizeof out);
        memset(f.offset, value == 1 ? 'o' : '+', value == 1 ? sizeof f.offset : 1);
        time_print(out.text, value == 2 ? INT64_MAX : value == 3 ? INT64_MIN : 0, &f);
        assert_non_null(memchr(out.text, 0, sizeof out.text));
        assert_memory_equal(out.guard, "xxxxxxxx", 8);
    }
    for (int unit = UNIT_SECOND; unit <= UNIT_YEAR; unit++) {
        int64_t far = time_advance(0, (time_step){ (time_unit)unit, INT32_MAX, 0 }, INT64_MAX / INT32_MAX);
        assert_false(time_writable(far));
        assert_true(far > 0);
    }
    int64_t seconds;
    assert_true(time_parse("253402300799000", &seconds, NULL));
    assert_false(time_parse("253402300800000", &seconds, NULL)); /* the year 10000 */
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_members), cmocka_unit_test(test_tensors),
                                        cmocka_unit_test(test_first_version),
                                        cmocka_unit_test(test_counters), cmocka_unit_test(test_stamps) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
