/* What the MLX guide's web application exports, read as a source of ground truths. */
#include <tidemill/io.h>

#include "eis/dataset/app_npz.h"
#include "support.h"

enum { AXIS = 3, ROWS = AXIS * AXIS * AXIS * AXIS * AXIS, FREQUENCIES = 40 };

typedef struct app_file { float parameters[ROWS][EIS_COUNT], resnorms[ROWS], frequencies[FREQUENCIES]; } app_file;

static const int app_order[EIS_COUNT] = { EIS_RSH, EIS_RA, EIS_CA, EIS_RB, EIS_CB };

/* A grid against `truth`, which takes the place of row `at` (-1: of none), in the application's order. */
static void make_file(app_file *f, eis_circuit circuit, const double *truth, int at) {
    double freq_hz[FREQUENCIES];
    eis_z  data[FREQUENCIES], model[FREQUENCIES];
    for (int i = 0; i < FREQUENCIES; i++)
        freq_hz[i] = f->frequencies[i] = (float)pow(10, -1 + 6.0 * i / (FREQUENCIES - 1));
    eis_impedance(circuit, truth, 0, FREQUENCIES, freq_hz, data);
    for (int row = 0, rest = 0; row < ROWS; rest = ++row) {
        double p[EIS_COUNT];
        for (int k = 0; k < EIS_COUNT; k++, rest /= AXIS)
            p[k] = row == at ? truth[k] : eis_grid_value(k, rest % AXIS, AXIS);
        eis_impedance(circuit, p, 0, FREQUENCIES, freq_hz, model);
        f->resnorms[row] = (float)eis_resnorm(EIS_MEAN_ABS, FREQUENCIES, freq_hz, data, model, 0);
        for (int k = 0; k < EIS_COUNT; k++) f->parameters[row][k] = (float)p[app_order[k]];
    }
}

static int make_name(void **state) {
    *state = strdup("/tmp/tidemill-app-XXXXXX.npz");
    int file = *state ? mkstemps(*state, 4) : -1;
    return file < 0 ? -1 : close(file);
}

static int drop_name(void **state) {
    unlink(*state);
    free(*state);
    return 0;
}

static void write_file(const char *path, const app_file *f, int64_t rows, bool with_frequencies) {
    tide_archive a = { 0 };
    tide_failure failure = { 0 };
    tide_archive_add(&a, "parameters", TIDE_F32, (tide_shape){ 2, { ROWS, EIS_COUNT } }, f->parameters);
    tide_archive_add(&a, "resnorms", TIDE_F32, (tide_shape){ 1, { rows } }, f->resnorms);
    if (with_frequencies)
        tide_archive_add(&a, "frequencies", TIDE_F32, (tide_shape){ 1, { FREQUENCIES } }, f->frequencies);
    if (tide_npz_write(path, &a, true, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    tide_archive_free(&a);
}

static ground_truth must(const char *path, const app_file *f) {
    ground_truth g;
    tide_failure failure = { 0 };
    write_file(path, f, ROWS, true);
    if (app_npz_truth(path, &g, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    return g;
}

static void must_not(const char *path, const char *part) {
    ground_truth g;
    tide_failure failure = { 0 };
    assert_int_equal(app_npz_truth(path, &g, &failure), TIDE_EDATA);
    expect_has(failure.message, part);
}

static void test_row(void **state) {
    static app_file f;
    make_file(&f, EIS_SHUNT, example, 77);
    ground_truth g = must(*state, &f);
    assert_string_equal(g.id, "row_77");
    /* single precision */
    for (int k = 0; k < EIS_COUNT; k++) expect_near(eis_parameters[k].name, g.p[k], example[k], 1e-7);
}

/* Not among the rows: what the residual norms determine comes back, which is all but one direction. */
static void test_found(void **state) {
    static app_file f;
    rng r = { .seed = 5 };
    for (int i = 0; i < 3; i++) {
        double p[EIS_COUNT];
        memcpy(p, example, sizeof p);
        if (i) random_circuit(&r, p);
        make_file(&f, EIS_SHUNT, p, -1);
        ground_truth   g        = must(*state, &f);
        eis_invariants expected = eis_invariants_of(p), got = eis_invariants_of(g.p);
        assert_string_equal(g.id, "found");
        expect_near("TER", got.r0_ohm, expected.r0_ohm, 1e-4);
        expect_near("TEC", got.cinf_farad, expected.cinf_farad, 1e-3);
    }
}

static void test_refused(void **state) {
    static app_file f;
    make_file(&f, EIS_CHAIN, example, 77);
    write_file(*state, &f, ROWS, true);
    must_not(*state, "of another circuit, another norm or another order");
    make_file(&f, EIS_SHUNT, example, 77);
    f.resnorms[0] *= 1.01f; /* the first row is among those checked */
    write_file(*state, &f, ROWS, true);
    must_not(*state, "row 0: its residual norm is");
    write_file(*state, &f, ROWS - 1, true);
    must_not(*state, "one row for each residual norm");
    write_file(*state, &f, ROWS, false);
    must_not(*state, "no array 'frequencies'");
    for (int row = 0; row < ROWS; row++) { /* the library's own order */
        float ca = f.parameters[row][2];
        f.parameters[row][2] = f.parameters[row][3];
        f.parameters[row][3] = ca;
    }
    write_file(*state, &f, ROWS, true);
    must_not(*state, "parameters must be Rsh, Ra, Ca, Rb, Cb");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row, make_name, drop_name),
        cmocka_unit_test_setup_teardown(test_found, make_name, drop_name),
        cmocka_unit_test_setup_teardown(test_refused, make_name, drop_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
