/* Files as they come, read to the points, sweeps and names that their descriptions give: the made-up ones of
 * tests/eis/reported in every clone, the measured ones where the shared data are at hand. */
#include "read_support.h"

/* What the description of the shared files says: points of each sweep, sweeps, frequencies, the first point. */
static const struct { const char *file; int64_t sweeps, points; double low, high; eis_z first; } measured[] = {
    { "autoeis/test_data.txt", 1, 67, 0.0009999, 2e+05, { 130.4171, -34.68001 } },
    { "eis_analysis/example_eis_data.csv", 1, 106, 0.01, 1e+05, { 181371.2, -53513.67 } },
    { "eis_analysis/example_eis_data_eu.csv", 1, 106, 0.01, 1e+05, { 181371.2, -53513.67 } },
    { "eisfitpython/Example2b.txt", 1, 50, 1, 1e+06, { 3603.82, -8578.35 } },
    { "eisfitpython/s04147-140deg.txt", 1, 42, 0.03, 1e+06, { 22142.3, -54311.5 } },
    { "eisfitpython/s04147-160deg.txt", 1, 42, 0.03, 1e+06, { 21112.2, -39556.8 } },
    { "eisfitpython/s04147-180deg.txt", 1, 41, 0.04577, 1e+06, { 19624.1, -27606.6 } },
    { "eisfitpython/s04147-200deg.txt", 1, 40, 0.06984, 1e+06, { 15859.6, -18347.1 } },
    { "equivalentcircuits.jl/example_measurements.csv", 1, 20, 0.1, 1e+05, { 5919.901, -15.79483 } },
    { "extracellular/16HBE_TW01_d3_endohm1_freq", 1, 29, 2, 5e+04, { 20.93051, -4.087327 } },
    { "extracellular/16HBE_TW02_d3_endohm1_freq", 1, 29, 2, 5e+04, { 20.67005, -4.043843 } },
    { "extracellular/16HBE_TW03_d3_endohm1_freq", 1, 29, 2, 5e+04, { 20.322, -4.067363 } },
    { "extracellular/16HBEmedia_8TWclean_d1_chamber1_channel1_freq", 3, 29, 2, 5e+04, { 4.034995, 2.19905 } },
    { "extracellular/RPEmedia_TW1-1_d1_chamber1_channel1_5freq5sine_freq", 3, 66, 2, 5e+04, { 18.20346, -0.1587867 } },
    { "extracellular/RPEmedia_TW2-1_d1_chamber1_channel1_5freq5sine_freq", 3, 66, 2, 5e+04, { 18.49814, -0.3911102 } },
    { "extracellular/RPMI_TW01_d4_endohm1_freq", 1, 29, 2, 5e+04, { 21.41962, -2.910826 } },
    { "extracellular/RPMI_TW01_d5_endohm2_freq", 1, 29, 2, 5e+04, { 23.15695, -3.8111 } },
    { "extracellular/RPMI_TW01_d6_endohm1_freq", 1, 29, 2, 5e+04, { 21.37838, -4.210252 } },
    { "extracellular/RPMI_TW01_d7_endohm1_freq", 1, 29, 2, 5e+04, { 21.2958, -4.397536 } },
    { "extracellular/RPMI_TW01_d8_endohm2_freq", 1, 29, 2, 5e+04, { 21.51997, -3.743803 } },
    { "extracellular/RPMI_TW01_d9_endohm2_freq", 1, 29, 2, 5e+04, { 21.97947, -2.619573 } },
    { "extracellular/RPMI_TW02_d4_endohm1_freq", 1, 29, 2, 5e+04, { 20.89842, -3.675902 } },
    { "extracellular/RPMI_TW02_d5_endohm2_freq", 1, 29, 2, 5e+04, { 22.19726, -3.741727 } },
    { "extracellular/RPMI_TW02_d6_endohm1_freq", 1, 29, 2, 5e+04, { 21.26133, -4.205731 } },
    { "extracellular/RPMI_TW02_d7_endohm1_freq", 1, 29, 2, 5e+04, { 20.88612, -4.306489 } },
    { "extracellular/RPMI_TW02_d8_endohm2_freq", 1, 29, 2, 5e+04, { 21.4328, -3.628167 } },
    { "extracellular/RPMI_TW02_d9_endohm2_freq", 1, 29, 2, 5e+04, { 22.40413, -2.858253 } },
    { "extracellular/noSoln_modelCell_d1_chamber1_channel1_freq", 3, 29, 2, 5e+04, { 94.78974, -1.974997 } },
    { "impedance.py/Circuit1_EIS_1.z", 1, 48, 1, 5e+04, { 29.036, 0.63662 } },
    { "impedance.py/Circuit2_EIS_1.z", 1, 56, 1, 3e+05, { 147.77, -11.335 } },
    { "impedance.py/Circuit3_EIS_1.z", 1, 53, 1, 1.5e+05, { 1493.7, 10.377 } },
    { "impedance.py/exampleData.csv", 1, 66, 0.003162, 1e+04, { 0.0494999, -0.0204387 } },
    { "impedance.py/exampleDataAutolab.txt", 1, 41, 0.1, 1e+04, { 0.01378586, 0.007191946 } },
    { "impedance.py/exampleDataBioLogic.mpt", 1, 43, 0.0169, 1000, { 65.47089, -0.3899898 } },
    { "impedance.py/exampleDataCHInstruments.txt", 1, 73, 0.1, 9.961e+04, { 98.91, -2.748 } },
    { "impedance.py/exampleDataGamry.DTA", 1, 72, 0.01589, 2e+05, { 825.8584, -1367.239 } },
    { "impedance.py/exampleDataGamryABORT.DTA", 1, 72, 0.01589, 2e+05, { 825.8584, -1367.239 } },
    { "impedance.py/exampleDataParstat.txt", 1, 31, 10, 1e+04, { -0.0004981628, 0.01751435 } },
    { "impedance.py/exampleDataPowersuite.txt", 1, 30, 0.1, 2e+06, { 423929.5, -49014.06 } },
    { "impedance.py/exampleDataVersaStudio.par", 1, 61, 0.02154, 1e+05, { 55.31571, 4.575431 } },
    { "impedance.py/exampleDataZPlot.z", 1, 21, 3000, 3e+05, { 147.77, -11.335 } },
    { "impedance.py/exampleDataZPlot_noComments.z", 1, 31, 300, 3e+05, { 642.62, -85.821 } },
    { "pydrttools/LIB_data.txt", 1, 107, 0.005001, 999, { 0.112363, 0.003182739 } },
    { "pydrttools/negami_data.txt", 1, 81, 0.01, 1e+06, { 10.02387, 0.019442 } },
    { "pydrttools/zarc_data.txt", 1, 81, 0.01, 1e+06, { 9.953881, -0.020948 } },
};

/* Four digits of the range are printed, seven of the point. */
static void test_measured(void **state) {
    const char *root = getenv("TIDEMILL_SHARED");
    char        path[512];
    (void)state;
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++) {
        snprintf(path, sizeof path, "%s/data/eis/%s", root ? root : "../shared", measured[i].file);
        if (access(path, R_OK)) {
            print_message("skipped: needs %s\n", path);
            skip();
        }
        eis_spectra s = read_good(path, NULL);
        if (s.count != measured[i].sweeps) fail_msg("%s: %lld sweeps", path, (long long)s.count);
        for (int64_t k = 0; k < s.count; k++) {
            if (s.spectrum[k].count != measured[i].points)
                fail_msg("%s: %lld points", s.spectrum[k].name, (long long)s.spectrum[k].count);
            expect_range(measured[i].file, &s.spectrum[k], measured[i].low, measured[i].high, 1e-3);
        }
        expect_z(measured[i].file, s.spectrum[0].z[0], measured[i].first, 2e-6);
        eis_spectra_free(&s);
    }
    snprintf(path, sizeof path, "%s/data/eis/impedance.py/exampleDataBioLogic_MissingFreq.mpt",
             root ? root : "../shared");
    expect_refusal(path, NULL, 61, "freq/Hz", "Re(Z)/Ohm, -Im(Z)/Ohm, |Z|/Ohm");
}

/* ---- what other programs stumble over ---- */

#define REPORTED "tests/eis/reported/"

typedef struct told { const char *file; int64_t sweeps, points; eis_z first; const char *name, *note; } told;

static void check_told(const told *t) {
    char path[128];
    snprintf(path, sizeof path, REPORTED "%s", t->file);
    eis_spectra s = read_good(path, NULL);
    if (s.count != t->sweeps) fail_msg("%s: %lld sweeps", path, (long long)s.count);
    for (int64_t k = 0; k < s.count; k++) assert_int_equal(s.spectrum[k].count, t->points);
    expect_z(t->file, s.spectrum[0].z[0], t->first, 1e-6);
    if (t->name) assert_string_equal(s.spectrum[s.count - 1].name, t->name);
    if (t->note) expect_has(s.notes, t->note);
    else if (s.notes) fail_msg("%s: \"%s\" was said where nothing was in doubt", path, s.notes);
    eis_spectra_free(&s);
}

static void test_reported(void **state) {
    static const told rows[] = {
        { "wells_magnitude_phase.txt", 3, 46, { 1286.642, -3872.300 }, "B2 Run.1 03/05/2031 9:13:02 AM", NULL },
        { "utf16_blocks_hidden_minus.csv", 2, 26, { 81.96224, -0.3453701 }, "CH 4", "holds -Im(Z)" },
        { "number_frequency_impedance_phase.txt", 1, 26, { 40.2983203, -1.07435098 }, NULL, NULL },
        { "gamry_like_decimal_comma.DTA", 1, 37, { 22.03674, -0.03282708 }, NULL, NULL },
        { "eclab_like_three_electrode.mpt", 1, 37, { 4.9981283, -0.018211117 }, NULL,
          "Zce (columns 2 and 3), Zwe-ce (columns 7 and 8)" },
        { "eclab_like_no_cycle_comma.mpt", 1, 37, { 8.9873733, 0.0012857287 }, NULL, NULL },
        { "five_columns_polar_first.csv", 1, 26, { 60.877685, -0.30053965 }, NULL, NULL },
        { "kilohertz_milliohm.csv", 1, 26, { 0.021008358, -3.0146426e-6 }, NULL, NULL },
        { "two_sweeps_one_table.csv", 2, 45, { 24.930175, -3.2252638 }, "two_sweeps_one_table.csv#2", NULL },
        { "frequency_column_scrambled.csv", 1, 61, { 0.0026130523, -0.00067233725 }, NULL, "in no order" },
        { "battery_with_inductance.csv", 1, 61, { 0.018495162, 0.011931072 }, NULL, NULL },
        { "chain_two_decades.csv", 1, 37, { 1000.143335, -17.09947734 }, NULL, NULL },
        { "coating_gigaohm.csv", 1, 50, { -38377.606, -22110.334 }, NULL, NULL },
        { "drift_20_percent.csv", 1, 45, { 25.114226, -3.1445229 }, NULL, NULL },
        { "dummy_cell_one_rc.csv", 1, 45, { 97.009252, -3.1410323 }, NULL, NULL },
        { "epithelium_24_well_insert.csv", 1, 45, { 152.11794, -15.835084 }, NULL, NULL },
        { "epithelium_cpe_membranes.csv", 1, 45, { 27.876646, -9.1203692 }, NULL, NULL },
        { "epithelium_equal_time_constants.csv", 1, 45, { 25.07606, -2.3257387 }, NULL, NULL },
        { "epithelium_leaky.csv", 1, 45, { 28.163763, -0.9519969 }, NULL, NULL },
        { "low_frequency_inductive_loop.csv", 1, 57, { 8.9781899, 0.0050752016 }, NULL, NULL },
        { "plain_resistor.csv", 1, 37, { 1000.4538, 0.2445765 }, NULL, NULL },
        { "randles_warburg_inside.csv", 1, 37, { 8.0115518, -0.030836235 }, NULL, NULL },
        { "two_outliers.csv", 1, 45, { 24.943436, -3.1647439 }, NULL, NULL },
        { "two_path_after.csv", 1, 45, { 27.014591, -2.8751003 }, NULL, NULL },
        { "two_path_before.csv", 1, 45, { 27.037257, -2.8676934 }, NULL, NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_told(&rows[i]);
    expect_refusal(REPORTED "gamry_like_no_zcurve.DTA", NULL, 0, "ZCURVE",
                   "no table ZCURVE, which holds the impedance; its tables are OCVCURVE");
    expect_refusal(REPORTED "same_column_name_twice.csv", NULL, 1, "z_re_ohm",
                   "columns 2 and 3 are both called z_re_ohm");
}

/* Every block of the wells, against the definition; frequencies as the file has them, ascending. */
static void test_wells(void **state) {
    static const eis_z first[] = { { 1286.642, -3872.300 }, { 1425.702, -3949.224 }, { 957.9795, -3720.299 } };
    static const char *const names[] = { "A1 Run.1 03/05/2031 9:12:48 AM", "A1 Run.5 03/05/2031 10:31:33 AM",
                                         "B2 Run.1 03/05/2031 9:13:02 AM" };
    eis_spectra s = read_good(REPORTED "wells_magnitude_phase.txt", NULL);
    (void)state;
    for (int k = 0; k < 3; k++) {
        expect_z(names[k], s.spectrum[k].z[0], first[k], 1e-6);
        assert_string_equal(s.spectrum[k].name, names[k]);
        for (int64_t i = 1; i < 46; i++) assert_true(s.spectrum[k].freq_hz[i] > s.spectrum[k].freq_hz[i - 1]);
    }
    assert_int_equal(s.spectrum[0].line[0], 5);
    eis_spectra_free(&s);
}

/* All imaginary parts of the hidden minus are capacitive, and the truth's at its lowest frequency. */
static void test_hidden_minus(void **state) {
    eis_spectra s = read_good(REPORTED "utf16_blocks_hidden_minus.csv", NULL);
    (void)state;
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < 26; i++) assert_true(s.spectrum[k].z[i].im < 0);
    expect_near("R0 + R1 of CH 3", s.spectrum[0].z[25].re, 982, 0.01); /* noise 0.5 % */
    eis_spectra_free(&s);
}

/* ---- what is asked for ---- */

static eis_spectra read_as(const char *path, const char *name, const char *value) {
    eis_options  o;
    tide_failure failure = { 0 };
    eis_options_default(&o);
    if (eis_option_set(&o, name, value, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    return read_good(path, &o);
}

static void expect_first(const char *path, const char *name, const char *value, int64_t sweeps, eis_z first) {
    eis_spectra s = read_as(path, name, value);
    if (s.count != sweeps) fail_msg("%s with %s: %lld sweeps", path, value, (long long)s.count);
    expect_z(value, s.spectrum[0].z[0], first, 1e-6);
    eis_spectra_free(&s);
}

static void test_choices(void **state) {
    static const char three[] = REPORTED "eclab_like_three_electrode.mpt",
                      wells[] = REPORTED "wells_magnitude_phase.txt", twice[] = REPORTED "same_column_name_twice.csv",
                      kilo[]  = REPORTED "kilohertz_milliohm.csv";
    const eis_z counter = { 3.0054318, -0.012978823 }, third = { 957.9795, -3720.299 };
    (void)state;
    expect_first(three, "column", "Zce", 1, counter);
    expect_first(three, "column", "Re(Zce)/Ohm", 1, counter);
    expect_first(three, "column", "3", 1, counter);
    expect_first(three, "column", "4,2,3", 1, counter);
    expect_first(three, "column", "freq/Hz, Re(Zce)/Ohm, -Im(Zce)/Ohm", 1, counter);
    expect_first(three, "column", "freq/Hz,|Z|/Ohm,Phase(Z)/deg", 1, (eis_z){ 4.9981283, -0.018211117 });
    expect_first(three, "column", "Zwe-ce", 1, (eis_z){ 8.0035601, -0.031189941 });
    expect_first(twice, "column", "1,3,4", 1, (eis_z){ 24.060555, -1.7437998 });
    expect_first(wells, "sweep", "3", 1, third);
    expect_first(wells, "sweep", "2-", 2, (eis_z){ 1425.702, -3949.224 });
    expect_first(wells, "sweep", "B2", 1, third);
    expect_first(wells, "sweep", "3,1", 2, (eis_z){ 1286.642, -3872.300 });
    expect_first(kilo, "units", "MHz,kohm", 1, (eis_z){ 21008.358, -3.0146426 });
    expect_first(REPORTED "plain_resistor.csv", "flip-im", "true", 1, (eis_z){ 1000.4538, -0.2445765 });
}

static void test_refused_choices(void **state) {
    eis_options  o;
    eis_spectra  s;
    tide_failure failure = { 0 };
    (void)state;
    eis_options_default(&o);
    snprintf(o.column, sizeof o.column, "Zwe");
    expect_refusal(REPORTED "eclab_like_three_electrode.mpt", &o, 0, "column", "`column` Zwe fits no table");
    eis_options_default(&o);
    snprintf(o.sweep, sizeof o.sweep, "C9");
    expect_refusal(REPORTED "wells_magnitude_phase.txt", &o, 0, "sweep", "none of its 3 sweeps: 1 (A1 Run.1");
    eis_options_default(&o);
    snprintf(o.units, sizeof o.units, "mhz");
    assert_int_equal(eis_spectra_read(REPORTED "plain_resistor.csv", &o, &s, &failure), TIDE_EINVAL);
    expect_has(failure.message, "in their own case; not 'mhz'");
    assert_string_equal(failure.column, "units");
    eis_options_default(&o);
    o.flip_im = true;
    expect_refusal(REPORTED "epithelium_24_well_insert.csv", &o, 0, "z_im_ohm", "leave it out");
}

/* One spectrum is asked for. */
static void test_one(void **state) {
    eis_spectrum s;
    tide_failure failure = { 0 };
    (void)state;
    assert_int_equal(eis_spectrum_read(REPORTED "gamry_like_decimal_comma.DTA", false, &s, &failure), TIDE_OK);
    assert_int_equal(s.count, 37);
    assert_string_equal(s.name, REPORTED "gamry_like_decimal_comma.DTA");
    eis_spectrum_free(&s);
    assert_int_equal(eis_spectrum_read(REPORTED "two_sweeps_one_table.csv", false, &s, &failure), TIDE_EDATA);
    expect_has(failure.message, "holds 2 sweeps; `sweep` chooses");
    assert_string_equal(failure.column, "sweep");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_measured),     cmocka_unit_test(test_reported),
                                        cmocka_unit_test(test_wells),        cmocka_unit_test(test_hidden_minus),
                                        cmocka_unit_test(test_choices),      cmocka_unit_test(test_refused_choices),
                                        cmocka_unit_test(test_one) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
