/* Splits and the scaler. */
#include <inttypes.h>

#include "data_support.h"

/* itransformer.md, section 6: windows of train, val, test by horizon at look-back 96. */
typedef struct windows { int64_t pred_len, train, val, test; } windows;
typedef struct split_case {
    const char *name;
    frame_kind kind;
    int64_t rows;
    windows windows[4];
} split_case;

static const split_case cases[] = {
    { "ETTh", KIND_ETTH, 14400, { { 96, 8449, 2785, 2785 }, { 192, 8353, 2689, 2689 }, { 336, 8209, 2545, 2545 },
                                  { 720, 7825, 2161, 2161 } } },
    { "ETTm", KIND_ETTM, 57600, { { 96, 34369, 11425, 11425 }, { 192, 34273, 11329, 11329 },
                                  { 336, 34129, 11185, 11185 }, { 720, 33745, 10801, 10801 } } },
    { "Exchange", KIND_CUSTOM, 7588, { { 96, 5120, 665, 1422 }, { 192, 5024, 569, 1326 }, { 336, 4880, 425, 1182 },
                                       { 720, 4496, 41, 798 } } },
    { "Weather", KIND_CUSTOM, 52696, { { 96, 36696, 5175, 10444 }, { 192, 36600, 5079, 10348 },
                                       { 336, 36456, 4935, 10204 }, { 720, 36072, 4551, 9820 } } },
    { "ECL", KIND_CUSTOM, 26304, { { 96, 18221, 2537, 5165 }, { 192, 18125, 2441, 5069 }, { 336, 17981, 2297, 4925 },
                                   { 720, 17597, 1913, 4541 } } },
    { "Traffic", KIND_CUSTOM, 17544, { { 96, 12089, 1661, 3413 }, { 192, 11993, 1565, 3317 },
                                       { 336, 11849, 1421, 3173 }, { 720, 11465, 1037, 2789 } } },
    { "Solar", KIND_SOLAR, 52560, { { 96, 36601, 5161, 10417 }, { 192, 36505, 5065, 10321 },
                                    { 336, 36361, 4921, 10177 }, { 720, 35977, 4537, 9793 } } },
    { "PEMS03", KIND_PEMS, 26208, { { 12, 15617, 5135, 5135 }, { 24, 15605, 5123, 5123 }, { 48, 15581, 5099, 5099 },
                                    { 96, 15533, 5051, 5051 } } },
    { "PEMS04", KIND_PEMS, 16992, { { 12, 10088, 3291, 3292 }, { 24, 10076, 3279, 3280 }, { 48, 10052, 3255, 3256 },
                                    { 96, 10004, 3207, 3208 } } },
    { "PEMS07", KIND_PEMS, 28224, { { 12, 16827, 5538, 5538 }, { 24, 16815, 5526, 5526 }, { 48, 16791, 5502, 5502 },
                                    { 96, 16743, 5454, 5454 } } },
    { "PEMS08", KIND_PEMS, 17856, { { 12, 10606, 3464, 3465 }, { 24, 10594, 3452, 3453 }, { 48, 10570, 3428, 3429 },
                                    { 96, 10522, 3380, 3381 } } },
};

static void expect_windows(const char *name, const char *part, int64_t pred_len, block b, int64_t expected) {
    int64_t got = block_windows(b, 96, pred_len);
    if (got != expected)
        fail_msg("%s, %s, %d steps: expected %d windows, got %d", name, part, (int)pred_len, (int)expected, (int)got);
}

static void test_windows(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int h = 0; h < 4; h++) {
            frame f = { .rows = cases[i].rows, .columns = 1 };
            windows w = cases[i].windows[h];
            split s;
            assert_int_equal(split_make(&f, cases[i].kind, 96, w.pred_len, &s, NULL), TIDE_OK);
            assert_int_equal(split_require(&f, cases[i].kind, s, 96, w.pred_len, NULL), TIDE_OK);
            expect_windows(cases[i].name, "train", w.pred_len, s.train, w.train);
            expect_windows(cases[i].name, "val", w.pred_len, s.val, w.val);
            expect_windows(cases[i].name, "test", w.pred_len, s.test, w.test);
            assert_true(s.test.start + s.test.rows == f.rows);
        }
}

/* Every length: blocks stay inside the file, and the first forecast row of a block is the block's own first row. */
static void test_every_length(void **state) {
    (void)state;
    static const frame_kind kinds[] = { KIND_CUSTOM, KIND_SOLAR, KIND_PEMS };
    for (int k = 0; k < 3; k++)
        for (int64_t rows = 7; rows < 400; rows++) {
            frame f = { .rows = rows, .columns = 1 };
            split s;
            assert_int_equal(split_make(&f, kinds[k], 5, 2, &s, NULL), TIDE_OK);
            const block blocks[] = { s.train, s.val, s.test };
            for (int b = 0; b < 3; b++) {
                assert_true(blocks[b].start >= 0 && blocks[b].rows >= 0);
                assert_true(blocks[b].start + blocks[b].rows <= rows);
            }
            int64_t early = kinds[k] == KIND_PEMS ? 0 : 5;
            if (s.train.rows >= early) assert_int_equal(s.val.start + early, s.train.rows);
        }
}

/* What the refusal names, followed, holds a window in every part: for every length, look-back and horizon. */
static void test_named_sizes(void **state) {
    (void)state;
    for (int64_t rows = 4; rows < 90; rows++)
        for (int64_t seq = 1; seq < 40; seq += 3)
            for (int64_t pred = 1; pred < 40; pred += 4) {
                frame        f = { .rows = rows, .columns = 1, .path = "some.csv" };
                split        s;
                tide_failure failure = { 0 };
                int64_t      seq_now = seq, pred_now = pred, val, test;
                tide_status  status = split_make(&f, KIND_CUSTOM, seq, pred, &s, &failure);
                if (status == TIDE_OK) status = split_require(&f, KIND_CUSTOM, s, seq, pred, &failure);
                if (status == TIDE_OK) continue;
                const char *at = strstr(failure.message, "`seq-len` "), *p = strstr(failure.message, "`pred-len` "),
                           *v = strstr(failure.message, "`val` ");
                if (at) sscanf(at, "`seq-len` %" SCNd64, &seq_now);
                if (p) sscanf(p, "`pred-len` %" SCNd64, &pred_now);
                if (!v || sscanf(v, "`val` %" SCNd64 " `test` %" SCNd64, &val, &test) != 2)
                    fail_msg("no sizes: %s", failure.message);
                split_sizes sizes = { (double)val, (double)test };
                failure = (tide_failure){ 0 };
                if (split_sized(&f, KIND_CUSTOM, sizes, seq_now, pred_now, &s, &failure) != TIDE_OK ||
                    split_require(&f, KIND_CUSTOM, s, seq_now, pred_now, &failure) != TIDE_OK)
                    fail_msg("%d rows, %d to %d: %s", (int)rows, (int)seq, (int)pred, failure.message);
            }
}

/* Rows or shares, of --kind custom alone; the look-back does not count. */
static void test_sizes(void **state) {
    (void)state;
    frame        f = { .rows = 200, .columns = 1, .path = "some.csv" };
    split        s;
    tide_failure failure = { 0 };
    assert_int_equal(split_sized(&f, KIND_CUSTOM, (split_sizes){ 10, 0.25 }, 24, 6, &s, NULL), TIDE_OK);
    assert_true(s.train.rows == 140 && s.val.start == 116 && s.val.rows == 34 && s.test.start == 126 &&
                s.test.rows == 74);
    assert_int_equal(split_sized(&f, KIND_CUSTOM, (split_sizes){ 0, 30 }, 24, 6, &s, NULL), TIDE_OK);
    assert_true(s.train.rows == 150 && block_windows(s.val, 24, 6) == 15 && block_windows(s.test, 24, 6) == 25);
    assert_int_equal(split_sized(&f, KIND_PEMS, (split_sizes){ 10, 0 }, 24, 6, &s, &failure), TIDE_EINVAL);
    expect_has(failure.message, "`kind` custom");
}

static void test_short_files(void **state) {
    (void)state;
    frame f = { .rows = 191, .columns = 1, .path = "short.csv" };
    split s;
    tide_failure failure = { 0 };
    assert_int_equal(split_make(&f, KIND_CUSTOM, 96, 96, &s, &failure), TIDE_EDATA);
    expect_has(failure.message, "191 rows, fewer than one window of 192");
    assert_string_equal(failure.file, "short.csv");
    memset(&failure, 0, sizeof failure);
    f.rows = 300;
    assert_int_equal(split_make(&f, KIND_CUSTOM, 96, 96, &s, &failure), TIDE_OK);
    assert_int_equal(split_require(&f, KIND_CUSTOM, s, 96, 96, &failure), TIDE_EDATA);
    expect_has(failure.message, "the validation part holds no window: it has 126 rows");
}

/* itransformer.md, section 15, to the printed digits. */
static void expect_scaler(const char *name, const double *mean, const double *std) {
    char path[512];
    frame f;
    tide_failure failure = { 0 };
    scaler scale;
    split s;
    if (frame_read(shared_file(path, name), &(frame_options){ .kind = KIND_ETTH }, &f, &failure))
        fail_msg("%s", failure.message);
    assert_int_equal(f.rows, 14400);
    assert_int_equal(f.file_rows, 17420);
    assert_string_equal(f.warnings, "");
    assert_true(frame_looks_like_ett(&f));
    assert_int_equal(split_make(&f, KIND_ETTH, 96, 96, &s, &failure), TIDE_OK);
    assert_int_equal(scaler_fit(&f, s.train, &scale), TIDE_OK);
    for (int c = 0; c < 7; c++) {
        expect_near(f.names[c], scale.mean[c], mean[c], 5.01e-7);
        expect_near(f.names[c], scale.std[c], std[c], 5.01e-7);
    }
    scaler_free(&scale);
    frame_free(&f);
}

static void test_scaler_etth1(void **state) {
    (void)state;
    expect_scaler("ETTh1.csv", (double[]){ 7.937742, 2.021039, 5.079771, 0.746186, 2.781762, 0.788453, 17.128262 },
                  (double[]){ 5.812749, 2.090105, 5.518794, 1.926379, 1.023523, 0.630237, 9.176491 });
}

static void test_scaler_etth2(void **state) {
    (void)state;
    expect_scaler("ETTh2.csv", (double[]){ 41.536835, 12.273453, 46.609773, 10.526153, 1.186992, -2.373218, 26.872023 },
                  (double[]){ 10.448841, 4.587113, 16.858190, 3.018606, 4.641011, 8.460911, 11.584719 });
}

/* Constant within rounding: 0.1 summed up is not ten times 0.1. NaN is left out of the moments and filled
 * afterwards. */
static void test_scaler_edges(void **state) {
    (void)state;
    double values[] = { 0.1, NAN, 0.1, 1, 0.1, NAN, 0.1, 3, 0.1, NAN };
    frame f = { .rows = 5, .file_rows = 5, .columns = 2, .values = values };
    scaler scale;
    float out[10];
    assert_int_equal(scaler_fit(&f, (block){ 0, 5 }, &scale), TIDE_OK);
    assert_true(scale.std[0] == 1);
    expect_near("mean without NaN", scale.mean[1], 2, 0);
    expect_near("std without NaN", scale.std[1], 1, 0);
    scaler_apply(&scale, values, 5, out);
    static const float filled[] = { -1, -1, -1, 1, 1 };
    for (int i = 0; i < 5; i++) expect_near("filled", out[2 * i + 1], filled[i], 0);
    scaler_free(&scale);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),      cmocka_unit_test(test_every_length), cmocka_unit_test(test_named_sizes),
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_short_files),
        cmocka_unit_test(test_scaler_etth1), cmocka_unit_test(test_scaler_etth2), cmocka_unit_test(test_scaler_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
