/* Files that others made: refused at once with what and where, whatever they claim; never cut, never believed. */
#include <jansson.h>
#include <tidemill/eis.h>
#include <tidemill/io.h>
#include <zlib.h>

#include "eis/dataset/generate.h"
#include "eis/known/data.h"
#include "eis/known/model.h"
/* cmocka's fail is a macro */
#include "../folder.h"
#include "random_model.h"


static const char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_refused(tide_status status, const tide_failure *failure, const char *part) {
    if (status != TIDE_EDATA || !strstr(failure->message, part))
        fail_msg("expected %d with \"%s\", got %d: %s", TIDE_EDATA, part, status, failure->message);
}

/* ---- ground truths ---- */

#define VALUES "\"rsh\": 460, \"ra\": 4820, \"rb\": 2210, \"ca\": 1.2e-6, \"cb\": 4.7e-6"
#define LONG31 "1234567890123456789012345678901"

static void test_truths(void **state) {
    static const struct { const char *text, *part; } cases[] = {
        { "[{\"id\": \"a\", " VALUES "}, {\"id\": \"" LONG31 "2\", " VALUES "}]",
          "entry 2: an id has at most 31 bytes; this one has 32" },
        { "[{\"id\": \"123456789012345678901234567890\xc3\xa9\", " VALUES "}]", "entry 1: an id has at most 31 bytes" },
        { "[{\"id\": \"a\\nb\", " VALUES "}]", "control characters" },
        { "[{\"id\": [1], " VALUES "}]", "\"id\" must be text or a whole number" },
        { "[{\"id\": \"a\", \"rsh\": 460, \"ra\": 1e300, \"rb\": 1, \"ca\": 1e-6, \"cb\": 1e-6}]",
          "entry 1: values must be in ohm" },
        { "[{\"id\": \"a\", \"rsh\": 460, \"ra\": -1, \"rb\": 1, \"ca\": 1e-6, \"cb\": 1e-6}]",
          "\"ra\" must be a positive number" },
        { "[1, 2]", "\"rsh\" must be a positive number" },
        { "{", "line 1" }, { "{}", "is not a list" }, { "", "line 1" },
    };
    ground_truth *g;
    int64_t       count;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_failure failure = { 0 };
        write_text("truths.json", cases[i].text);
        expect_refused(ground_truths_read(path_of("truths.json"), &g, &count, &failure), &failure, cases[i].part);
        expect_refused(failure.status, &failure, "truths.json");
    }
    tide_failure failure = { 0 };
    write_text("truths.json", "[{\"id\": \"" LONG31 "\", " VALUES "}, {\"id\": 7, " VALUES "}, {" VALUES "}]");
    expect_ok(ground_truths_read(path_of("truths.json"), &g, &count, &failure), &failure);
    assert_string_equal(g[0].id, LONG31);
    assert_string_equal(g[1].id, "7");
    assert_string_equal(g[2].id, "3");
    free(g);
    expect_refused(ground_truths_read(path_of("none.json"), &g, &count, &failure), &failure, "none.json");
    failure = (tide_failure){ 0 };
    expect_refused(ground_truths_read(folder, &g, &count, &failure), &failure, "it is a folder");
    failure = (tide_failure){ 0 };
    expect_refused(ground_truths_read("/dev/zero", &g, &count, &failure), &failure, "/dev/zero");
}

static void test_csv(void **state) {
    static const char header[] =
        "Model ID,Resnorm,Rsh (\xce\xa9),Ra (\xce\xa9),Rb (\xce\xa9),Ca (F),Cb (F),Ground Truth ID\n";
    static const struct { const char *row, *part; } cases[] = {
        { "reference_1,0.0,460,4820,2210,1.2e-6,4.7e-6," LONG31 "2\n", "line 2: an id has at most 31 bytes" },
        { "reference_1,0.0,460,4820,2210,1.2e-6,4.7e-6,\xff\xfe\n", "line 2: an id is UTF-8" },
        { "reference_1,0.0,460,4820,2210,1.2e200,4.7e-6,a\n", "line 2: values must be in ohm" },
        { "reference_1,0.0,460,4820,2210,1.2e-6,4.7e-6,a\nmodel_1,0.0,460,4820,2210,1.2e-6,4.7e-6,b\n",
          "line 3: a block must begin" },
    };
    ground_truth *g;
    int64_t       count;
    char          text[6000];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_failure failure = { 0 };
        snprintf(text, sizeof text, "%s%s", header, cases[i].row);
        write_text("truths.csv", text);
        expect_refused(dataset_csv_truths(path_of("truths.csv"), &g, &count, &failure), &failure, cases[i].part);
    }
    tide_failure failure = { 0 };
    snprintf(text, sizeof text, "%s%05000d\n", header, 1);
    write_text("truths.csv", text);
    expect_refused(dataset_csv_truths(path_of("truths.csv"), &g, &count, &failure), &failure,
                   "line 2: this is no line of text");
    failure = (tide_failure){ 0 };
    write_text("combined_dataset_1gt.csv", text);
    eis_options o;
    known_data  d;
    bool        from_csv;
    eis_options_default(&o);
    snprintf(o.data_dir, sizeof o.data_dir, "%s", folder);
    expect_refused(known_data_open(&o, &d, &from_csv, &failure), &failure, "line 2");
    unlink(path_of("combined_dataset_1gt.csv"));
}

/* ---- shards: headers whose sums are right ---- */

static void forge_shard(const char *from, const char *to) {
    size_t size = 0;
    char  *all = NULL, *found;
    FILE  *file = fopen(path_of("shard-00000.tmshard"), "rb"), *out = open_memstream(&all, &size);
    assert_true(file && out);
    for (int c; (c = getc(file)) != EOF;) putc(c, out);
    fclose(file), fclose(out);
    uint32_t *start = (uint32_t *)(void *)all, length = start[3];
    for (found = all + SHARD_PREFIX; found < all + SHARD_PREFIX + length && memcmp(found, from, strlen(from)) != 0;)
        found++;
    assert_true(found < all + SHARD_PREFIX + length && strlen(from) == strlen(to));
    memcpy(found, to, strlen(to));
    start[4] = (uint32_t)crc32_z(0, (const Bytef *)all + SHARD_PREFIX, length);
    file = fopen(path_of("shard-00000.tmshard"), "wb");
    assert_int_equal(fwrite(all, 1, size, file), size);
    fclose(file);
    free(all);
}

static void test_shards(void **state) {
    static const struct { const char *from, *to, *part; } cases[] = {
        { "\"id\":\"grid_0000\"", "\"id\":\"grid\\t000\"", "control characters" },
        { "\"rsh\":10.0", "\"rsh\":-9.0", "\"rsh\" must be a positive number" },
        { "\"rows\":20", "\"rows\":99", "columns overlap" },
        { "\"points\":2", "\"points\":1", "points (2 to 40)" },
    };
    eis_options o;
    (void)state;
    eis_options_default(&o);
    snprintf(o.data_dir, sizeof o.data_dir, "%s", folder);
    o.points = 2, o.n_ground_truths = 3, o.threads = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eis_result   r;
        known_data   d;
        bool         from_csv;
        tide_failure failure = { 0 };
        unlink(path_of("shard-00000.tmshard"));
        expect_ok(eis_generate(&o, NULL, NULL, &r, &failure), &failure);
        eis_result_free(&r);
        forge_shard(cases[i].from, cases[i].to);
        expect_refused(known_data_open(&o, &d, &from_csv, &failure), &failure, cases[i].part);
        expect_refused(failure.status, &failure, "shard-00000.tmshard");
    }
    tide_failure failure = { 0 };
    eis_result   r;
    write_text("manifest.json", "{\"options\": ");
    expect_refused(eis_generate(&o, NULL, NULL, &r, &failure), &failure, "manifest.json, line 1");
    unlink(path_of("manifest.json")), unlink(path_of("shard-00000.tmshard"));
}

/* ---- models ---- */

/* The model with one fact changed, or one number of one array. */
static void change_model(eis_recipe recipe, const char *key, const char *value, float number) {
    tide_archive a = { 0 };
    tide_failure failure = { 0 };
    write_random_model(recipe, 16, path_of("model.safetensors"));
    expect_ok(tide_safetensors_read(path_of("model.safetensors"), &a, &failure), &failure);
    if (value) assert_int_equal(tide_archive_set(&a, key, value), TIDE_OK);
    else ((float *)(uintptr_t)tide_archive_find(&a, key)->data)[3] = number;
    expect_ok(tide_safetensors_write(path_of("model.safetensors"), &a, &failure), &failure);
    tide_archive_free(&a);
}

static void test_spectrum_models(void **state) {
    static const struct { eis_recipe recipe; const char *key, *value; float number; const char *part; } cases[] = {
        { EIS_RECIPE_LAB, "width", "65536", 0, "'width'" },        { EIS_RECIPE_LAB, "width", "16.5", 0, "'width'" },
        { EIS_RECIPE_LAB, "width", "nan", 0, "'width'" },          { EIS_RECIPE_GRID, "keep_out", "1", 0,
                                                                     "'keep_out'" },
        { EIS_RECIPE_GRID, "keep_out", "nan", 0, "'keep_out'" },
        { EIS_RECIPE_GRID, "keep_out", "-1", 0, "'keep_out'" },
        { EIS_RECIPE_LAB, "format_version", "0", 0, "'format_version'" },
        { EIS_RECIPE_LAB, "format_version", "2", 0, "newer" },
        { EIS_RECIPE_LAB, "recipe", "well", 0, "'recipe'" },       { EIS_RECIPE_LAB, "level", NULL, 2, "'level'" },
        { EIS_RECIPE_LAB, "level", NULL, NAN, "'level'" },         { EIS_RECIPE_LAB, "scale.mean", NULL, INFINITY,
                                                                     "'scale.mean'" },
        { EIS_RECIPE_GRID, "scale.over_sd", NULL, NAN, "'scale.over_sd'" },
        { EIS_RECIPE_GRID, "head.weight", NULL, NAN, "answer is no number" },
        { EIS_RECIPE_LAB, "features.weight", NULL, INFINITY, "answer is no number" },
        { EIS_RECIPE_LAB, "head.bias", NULL, NAN, "answer is no number" },
    };
    eis_options  o;
    tide_failure failure = { 0 };
    (void)state;
    eis_options_default(&o);
    snprintf(o.spectra, sizeof o.spectra, "%s", path_of("well.csv"));
    snprintf(o.model, sizeof o.model, "%s", path_of("model.safetensors"));
    expect_ok(eis_simulate(&o, o.spectra, &failure), &failure);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eis_result r;
        failure = (tide_failure){ 0 };
        change_model(cases[i].recipe, cases[i].key, cases[i].value, cases[i].number);
        snprintf(o.rs, sizeof o.rs, "%s", cases[i].recipe == EIS_RECIPE_GRID ? "0" : "auto");
        expect_refused(eis_complete(&o, NULL, NULL, &r, &failure), &failure, cases[i].part);
    }
    unlink(path_of("model.safetensors")), unlink(path_of("well.csv"));
}

/* Layer sizes count where the file holds the numbers: this one claims a layer of 2^40 without columns. */
static void test_known_models(void **state) {
    tide_archive a = { 0 };
    tide_failure failure = { 0 };
    known_model  m;
    float        numbers[64 * 10] = { 0 };
    (void)state;
    assert_int_equal(tide_archive_add(&a, "encoder.layers.0.weight", TIDE_F32, TIDE_SHAPE(64, 10), numbers), TIDE_OK);
    assert_int_equal(
        tide_archive_add(&a, "encoder.layers.3.weight", TIDE_F32, TIDE_SHAPE((int64_t)1 << 40, 0), numbers), TIDE_OK);
    expect_ok(tide_npz_write(path_of("known.npz"), &a, false, &failure), &failure);
    tide_archive_free(&a);
    expect_refused(known_model_load(path_of("known.npz"), NULL, &m, &failure), &failure, "lacks the network's arrays");
    unlink(path_of("known.npz"));
}

/* ---- spectra ---- */

static void expect_spectrum_refused(const char *part) {
    eis_spectrum s;
    tide_failure failure = { 0 };
    expect_refused(eis_spectrum_read(path_of("well.csv"), false, &s, &failure), &failure, part);
}

static void test_spectra(void **state) {
    (void)state;
    write_text("well.csv",
               "frequency_hz,z_re_ohm,z_re_ohm,z_im_ohm\n1,1,2,-1\n2,1,2,-1\n3,1,2,-1\n4,1,2,-1\n5,1,2,-1\n");
    expect_spectrum_refused("columns 2 and 3 are both called z_re_ohm");
    unlink(path_of("well.csv"));
}

/* More points than are answered: the reader takes them. */
static void test_many_points(void **state) {
    enum { MANY = 10001 };
    static double freq_hz[MANY];
    static eis_z  z[MANY];
    eis_spectrum  s = { MANY, freq_hz, z };
    eis_options   o;
    eis_answer    answer = { 0 };
    tide_failure  failure = { 0 };
    (void)state;
    eis_options_default(&o);
    for (int i = 0; i < MANY; i++) freq_hz[i] = i + 1, z[i] = (eis_z){ 100, -1 };
    expect_refused(eis_solve(&o, &s, NULL, NULL, NULL, &answer, &failure), &failure, "10001 points; from 5 to 10000");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_truths),       cmocka_unit_test(test_csv),
                                        cmocka_unit_test(test_shards),       cmocka_unit_test(test_spectrum_models),
                                        cmocka_unit_test(test_known_models), cmocka_unit_test(test_spectra),
                                        cmocka_unit_test(test_many_points) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
