/* The applications' functions: forecasting, impedance. */
#include "misuse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef tide_status (*forecast_command)(const forecast_options *, forecast_progress, void *, forecast_result *,
                                        tide_failure *);
typedef tide_status (*eis_command)(const eis_options *, eis_listener, void *, eis_result *, tide_failure *);

static forecast_options  f_zero, f_odd;
static forecast_result   f_result;
static eis_options       e_zero, e_odd;
static eis_result        e_result;
static eis_known         known;
static eis_spectrum      spectrum;
static eis_spectra       spectra;
static serve_options     s_zero;
static serve            *service;
static eis_fit_options   fit_odd;
static eis_fitted        fitted;
static const double      p[EIS_COUNT] = { 1000, 1000, 1000, 1e-6, 1e-6 };
static const float       p_f32[EIS_COUNT] = { 1000, 1000, 1000, 1e-6f, 1e-6f };

static bool said(const trial *t, tide_status status) { return status == TIDE_EINVAL && *t->failure.message; }

static bool forecast_refuses(trial *t, forecast_command command) {
    if (!said(t, command(NULL, NULL, NULL, &f_result, &t->failure))) return false;
    t->failure = (tide_failure){ 0 };
    forecast_options_default(&f_odd);
    if (!said(t, command(&f_odd, NULL, NULL, NULL, &t->failure))) return false;
    return command(NULL, NULL, NULL, NULL, NULL) == TIDE_EINVAL &&
           command(&f_zero, NULL, NULL, &f_result, NULL) == TIDE_EINVAL;
}

/* Each number and choice far out, each text without an end. */
static bool forecast_refuses_all(forecast_command command) {
    int64_t count;
    const tide_option *table = forecast_option_table(&count);
    for (int64_t i = 0; i < count; i++) {
        forecast_options_default(&f_odd);
        void *field = (char *)&f_odd + table[i].offset;
        switch (table[i].type) {
        case TIDE_OPTION_IS_INT: *(int64_t *)field = INT64_MIN; break;
        case TIDE_OPTION_IS_REAL: *(double *)field = NAN; break;
        case TIDE_OPTION_IS_CHOICE: *(int *)field = 99; break;
        case TIDE_OPTION_IS_TEXT: memset(field, 'x', table[i].size); break;
        default: continue;
        }
        if (command(&f_odd, NULL, NULL, &f_result, NULL) != TIDE_EINVAL) return false;
    }
    return true;
}

static bool eis_refuses(trial *t, eis_command command) {
    if (!said(t, command(NULL, NULL, NULL, &e_result, &t->failure))) return false;
    t->failure = (tide_failure){ 0 };
    eis_options_default(&e_odd);
    if (!said(t, command(&e_odd, NULL, NULL, NULL, &t->failure))) return false;
    return command(NULL, NULL, NULL, NULL, NULL) == TIDE_EINVAL &&
           command(&e_zero, NULL, NULL, &e_result, NULL) == TIDE_EINVAL;
}

static bool eis_refuses_all(eis_command command) {
    int64_t count;
    const tide_option *table = eis_option_table(&count);
    for (int64_t i = 0; i < count; i++) {
        eis_options_default(&e_odd);
        void *field = (char *)&e_odd + table[i].offset;
        switch (table[i].type) {
        case TIDE_OPTION_IS_INT: *(int64_t *)field = INT64_MIN; break;
        case TIDE_OPTION_IS_REAL: *(double *)field = NAN; break;
        case TIDE_OPTION_IS_CHOICE: *(int *)field = 99; break;
        case TIDE_OPTION_IS_TEXT: case TIDE_OPTION_IS_LIST: memset(field, 'x', table[i].size); break;
        default: continue;
        }
        if (command(&e_odd, NULL, NULL, &e_result, NULL) != TIDE_EINVAL) return false;
    }
    return true;
}

/* A choice past its words gives some text and reads none beyond them. */
static bool odd_choices(void) {
    char buffer[64];
    int64_t count;
    const tide_option *table = eis_option_table(&count);
    for (int64_t i = 0; i < count; i++)
        if (table[i].type == TIDE_OPTION_IS_CHOICE) {
            *(int *)((char *)&e_odd + table[i].offset) = 1 << 30;
            if (!eis_option_get(&e_odd, &table[i], buffer, sizeof buffer)) return false;
        }
    return true;
}

typedef tide_status (*fit_command)(const eis_options *, const eis_fit_options *, eis_listener, void *, eis_result *,
                                   tide_failure *);

/* The options of a fit stand beside those of every command. */
static bool fit_refuses(trial *t, fit_command f) {
    eis_fit_options_default(&fit_odd), eis_options_default(&e_odd);
    if (!said(t, f(NULL, &fit_odd, NULL, NULL, &e_result, &t->failure))) return false;
    t->failure = (tide_failure){ 0 };
    if (!said(t, f(&e_odd, NULL, NULL, NULL, &e_result, &t->failure))) return false;
    t->failure = (tide_failure){ 0 };
    if (!said(t, f(&e_odd, &fit_odd, NULL, NULL, &e_result, &t->failure))) return false;  /* no spectrum */
    memset(fit_odd.fix, 'x', sizeof fit_odd.fix);
    return f(&e_odd, &fit_odd, NULL, NULL, &e_result, NULL) == TIDE_EINVAL &&
           f(&e_odd, &fit_odd, NULL, NULL, NULL, NULL) == TIDE_EINVAL &&
           f(NULL, NULL, NULL, NULL, NULL, NULL) == TIDE_EINVAL;
}

static bool fit_solve_refuses(trial *t) {
    eis_fit_options_default(&fit_odd);
    if (!said(t, eis_fit_solve(NULL, &spectrum, NULL, NULL, &fitted, &t->failure))) return false;
    fit_odd.weights = 99;
    return eis_fit_solve(&fit_odd, &spectrum, NULL, NULL, &fitted, NULL) == TIDE_EINVAL &&
           eis_fit_solve(&fit_odd, NULL, NULL, NULL, &fitted, NULL) == TIDE_EINVAL &&
           eis_fit_solve(&fit_odd, &spectrum, NULL, NULL, NULL, NULL) == TIDE_EINVAL;
}

static bool fit_joint_refuses(trial *t) {
    eis_fit_options_default(&fit_odd);
    if (!said(t, eis_fit_solve_joint(NULL, 2, &spectrum, NULL, NULL, &fitted, &t->failure))) return false;
    return eis_fit_solve_joint(&fit_odd, 2, NULL, NULL, NULL, &fitted, NULL) == TIDE_EINVAL &&
           eis_fit_solve_joint(&fit_odd, -1, &spectrum, NULL, NULL, &fitted, NULL) == TIDE_EINVAL &&
           eis_fit_solve_joint(&fit_odd, 1, &spectrum, NULL, NULL, NULL, NULL) == TIDE_EINVAL;
}

static bool json_of_nothing(void) {
    char *text = forecast_failure_json(NULL);
    bool good = text && *text == '{';
    free(text);
    return good;
}

#define FORECAST_COMMAND(R, f)                                                                                         \
    R(f, 0, "no options, no result, zeros", forecast_refuses(t, f))                                                    \
    R(f, 1, "each option far out", forecast_refuses_all(f))
#define EIS_COMMAND(R, f)                                                                                              \
    R(f, 0, "no options, no result, zeros", eis_refuses(t, f))                                                         \
    R(f, 1, "each option far out", eis_refuses_all(f))

#define STALE_COMMANDS(R)                                                                                              \
    STALE(R, forecast_train, NULL, NULL, NULL, &f_result)                                                              \
    STALE(R, forecast_evaluate, NULL, NULL, NULL, &f_result)                                                           \
    STALE(R, forecast_backtest, NULL, NULL, NULL, &f_result)                                                           \
    STALE(R, forecast_explain_inputs, NULL, NULL, NULL, &f_result)                                                     \
    STALE(R, forecast_update, NULL, NULL, NULL, &f_result)                                                             \
    STALE(R, forecast_tune, NULL, NULL, NULL, &f_result)                                                               \
    STALE(R, forecast_predict, NULL, NULL, NULL, &f_result)                                                            \
    STALE(R, forecast_explain, NULL, NULL, NULL, &f_result)                                                            \
    STALE(R, forecast_export, NULL, NULL, NULL, &f_result)                                                             \
    STALE(R, forecast_import, NULL, NULL, NULL, &f_result)                                                             \
    STALE(R, forecast_option_set, &f_zero, "absent", "3")                                                              \
    STALE(R, forecast_preset, &f_zero, "absent")                                                                       \
    STALE(R, forecast_options_resolve, NULL, &f_odd)                                                                   \
    STALE(R, forecast_compat_parse, "", &(unsigned){ 0 })                                                              \
    STALE(R, eis_complete, NULL, NULL, NULL, &e_result)                                                                \
    STALE(R, eis_check, NULL, NULL, NULL, &e_result)                                                                   \
    STALE(R, eis_drt, NULL, NULL, NULL, &e_result)                                                                     \
    STALE(R, eis_convert, NULL, NULL, NULL, &e_result)                                                                 \
    STALE(R, eis_fit, NULL, NULL, NULL, NULL, &e_result)                                                               \
    STALE(R, eis_batch, NULL, NULL, NULL, NULL, &e_result)                                                             \
    STALE(R, eis_fit_solve, NULL, NULL, NULL, NULL, &fitted)                                                           \
    STALE(R, eis_fitted_plots, NULL, NULL, "x", "")                                                                    \
    STALE(R, eis_fit_solve_joint, NULL, 1, NULL, NULL, NULL, &fitted)                                                  \
    STALE(R, eis_train, NULL, NULL, NULL, &e_result)                                                                   \
    STALE(R, eis_evaluate, NULL, NULL, NULL, &e_result)                                                                \
    STALE(R, eis_generate, NULL, NULL, NULL, &e_result)                                                                \
    STALE(R, eis_full, NULL, NULL, NULL, &e_result)                                                                    \
    STALE(R, eis_simulate, NULL, "/nonexistent/x")                                                                     \
    STALE(R, eis_simulate_at, NULL, 0, NULL, NULL)                                                                     \
    STALE(R, eis_spectrum_sign, NULL, false)                                                                           \
    STALE(R, eis_option_set, &e_zero, "absent", "3")                                                                   \
    STALE(R, eis_known_parse, "", &known)                                                                              \
    STALE(R, eis_spectrum_read, "/nonexistent/x", false, &spectrum)                                                    \
    STALE(R, eis_spectra_read, "/nonexistent/x", NULL, &spectra)                                                       \
    STALE(R, tide_option_set, forecast_table(), &f_zero, "absent", "3")                                                \
    STALE(R, tide_option_put, forecast_table(), &f_zero, "absent", "3")                                                \
    STALE(R, tide_options_check, forecast_table(), NULL)                                                               \
    STALE(R, tide_options_from_json, forecast_table(), &f_zero, "[]")                                                  \
    STALE(R, tide_options_read, "[]", 2, &(tide_option_reader){ 0 })

static const tide_option *no_row(void *user, const char *name, const char *command, tide_failure *failure) {
    (void)user, (void)name, (void)command, (void)failure;
    return NULL;
}

/* The option system, on tables of both applications. */
#define OPTIONS(R)                                                                                                     \
    R(tide_option_find, 0, "no table, no name", !tide_option_find(NULL, "seq-len")                                     \
        && !tide_option_find(forecast_table(), NULL))                                                                  \
    R(tide_option_nearest, 0, "no table, no name", !tide_option_nearest(NULL, "seq-len", 1)                            \
        && !tide_option_nearest(forecast_table(), NULL, 1))                                                            \
    R(tide_word_nearest, 0, "nothing", !tide_word_nearest(NULL, "a|b", (char[4]){ 0 }, 4)                              \
        && !tide_word_nearest("a", NULL, (char[4]){ 0 }, 4) && !tide_word_nearest("a", "a|b", NULL, 0))                \
    R(tide_options_default, 0, "no table, no options", (tide_options_default(NULL, &f_odd),                            \
        tide_options_default(forecast_table(), NULL), true))                                                           \
    R(tide_option_set, 0, "no table, no options, no name", said(t, tide_option_set(NULL, &f_odd, "seq-len", "3",       \
        &t->failure)) && tide_option_set(forecast_table(), NULL, "seq-len", "3", NULL)                                 \
        && tide_option_set(forecast_table(), &f_odd, NULL, "3", NULL))                                                 \
    R(tide_option_put, 0, "no table, no options, no name", said(t, tide_option_put(NULL, &f_odd, "seq-len", "3",       \
        &t->failure)) && tide_option_put(forecast_table(), NULL, "seq-len", "3", NULL)                                 \
        && tide_option_put(forecast_table(), &f_odd, NULL, "3", NULL))                                                 \
    R(tide_option_get, 0, "nothing", !*tide_option_get(NULL, NULL, NULL, 0))                                           \
    R(tide_option_given, 0, "nothing", !tide_option_given(NULL, &f_odd, "seq-len")                                     \
        && !tide_option_given(forecast_table(), NULL, "seq-len") && !tide_option_given(forecast_table(), &f_odd,       \
        NULL))                                                                                                         \
    R(tide_options_check, 0, "nothing", said(t, tide_options_check(NULL, &f_odd, &t->failure))                         \
        && tide_options_check(forecast_table(), NULL, NULL))                                                           \
    R(tide_options_json, 0, "nothing", !tide_options_json(NULL, &f_odd, 1, 0)                                          \
        && !tide_options_json(forecast_table(), NULL, 1, 0))                                                           \
    R(tide_options_from_json, 0, "nothing", said(t, tide_options_from_json(NULL, &f_odd, "{}", &t->failure))           \
        && tide_options_from_json(forecast_table(), NULL, "{}", NULL) && tide_options_from_json(forecast_table(),      \
        &f_odd, NULL, NULL))                                                                                           \
    R(tide_options_read, 0, "no text, no reader, half a reader", said(t, tide_options_read(NULL, 0,                    \
        &(tide_option_reader){ no_row, NULL, NULL }, &t->failure)) && tide_options_read("{}", 2, NULL, NULL)           \
        && tide_options_read("{}", 2, &(tide_option_reader){ 0 }, NULL))                                               \
    R(forecast_table, 0, "takes nothing", forecast_table()->count > 0)                                                 \
    R(forecast_option_given, 0, "nothing", !forecast_option_given(NULL, "seq-len"))                                    \
    R(forecast_options_size, 0, "takes nothing", forecast_options_size() == sizeof f_odd)                              \
    R(forecast_options_new, 0, "takes nothing", (forecast_options_free(forecast_options_new()), true))                 \
    R(forecast_options_free, 0, "none", (forecast_options_free(NULL), true))                                           \
    R(eis_table, 0, "takes nothing", eis_table()->count > 0)                                                           \
    R(eis_fit_table, 0, "takes nothing", eis_fit_table()->count > 0)                                                   \
    R(eis_fit_options_default, 0, "none", (eis_fit_options_default(NULL), true))                                       \
    R(eis_fit, 0, "no options, no spectrum, a text without an end", fit_refuses(t, eis_fit))                           \
    R(eis_batch, 0, "no options, no spectrum, a text without an end", fit_refuses(t, eis_batch))                       \
    R(eis_fit_solve, 0, "no options, a choice past its words, no spectrum", fit_solve_refuses(t))                      \
    R(eis_fit_solve_joint, 0, "no options, no spectrum, a count below 1, no place", fit_joint_refuses(t))              \
    R(eis_fitted_free, 0, "none", (eis_fitted_free(NULL), true))                                                       \
    R(eis_fitted_json, 0, "none, empty", !eis_fitted_json(NULL) && !eis_fitted_json(&(eis_fitted){ 0 }))               \
    R(eis_fitted_text, 0, "none, empty", !eis_fitted_text(NULL) && !eis_fitted_text(&(eis_fitted){ 0 }))               \
    R(eis_fitted_plots, 0, "none", eis_fitted_plots(NULL, NULL, "x", "", NULL) == TIDE_EINVAL)                        \
    R(eis_option_find, 0, "no name", !eis_option_find(NULL) && !eis_option_find(""))                                   \
    R(eis_option_nearest, 0, "no name", !eis_option_nearest(NULL, 1))                                                  \
    R(eis_option_given, 0, "nothing", !eis_option_given(NULL, "top-k"))                                                \
    R(eis_backend_device, 0, "nothing", !strcmp(eis_backend_device(NULL), "auto"))                                     \
    R(eis_options_size, 0, "takes nothing", eis_options_size() == sizeof e_odd)                                        \
    R(eis_options_new, 0, "takes nothing", (eis_options_free(eis_options_new()), true))                                \
    R(eis_options_free, 0, "none", (eis_options_free(NULL), true))

#define APPS(V, R)                                                                                                     \
    STALE_COMMANDS(R)                                                                                                  \
    OPTIONS(R)                                                                                                         \
    FORECAST_COMMAND(R, forecast_train)                                                                                \
    FORECAST_COMMAND(R, forecast_evaluate)                                                                             \
    FORECAST_COMMAND(R, forecast_backtest)                                                                             \
    FORECAST_COMMAND(R, forecast_explain_inputs)                                                                       \
    FORECAST_COMMAND(R, forecast_update)                                                                               \
    FORECAST_COMMAND(R, forecast_tune)                                                                                 \
    FORECAST_COMMAND(R, forecast_predict)                                                                              \
    FORECAST_COMMAND(R, forecast_explain)                                                                              \
    FORECAST_COMMAND(R, forecast_export)                                                                               \
    FORECAST_COMMAND(R, forecast_import)                                                                               \
    R(forecast_option_table, 0, "nowhere to count", forecast_option_table(NULL) != NULL)                               \
    R(forecast_option_find, 0, "no name", !forecast_option_find(NULL) && !forecast_option_find(""))                    \
    R(forecast_option_nearest, 0, "no name", !forecast_option_nearest(NULL, 1)                                         \
        && !forecast_option_nearest("seq-len", 0))                                                                     \
    R(forecast_options_default, 0, "no options", (forecast_options_default(NULL), true))                               \
    R(forecast_option_set, 0, "no options", said(t, forecast_option_set(NULL, "seq-len", "3", &t->failure)))           \
    R(forecast_option_set, 1, "no name", said(t, forecast_option_set(&f_zero, NULL, "3", &t->failure)))                \
    R(forecast_option_set, 2, "no text", said(t, forecast_option_set(&f_zero, "seq-len", NULL, &t->failure)))          \
    R(forecast_option_set, 3, "a long name", forecast_option_set(&f_zero, f_long(), "3", NULL) == TIDE_EINVAL)         \
    R(forecast_option_get, 0, "nothing", !*forecast_option_get(NULL, NULL, NULL, 0))                                   \
    R(forecast_preset, 0, "no options, no name", said(t, forecast_preset(NULL, "etth1-96", &t->failure))               \
        && forecast_preset(&f_zero, NULL, NULL) == TIDE_EINVAL)                                                        \
    R(forecast_options_resolve, 0, "nothing", said(t, forecast_options_resolve(NULL, &f_odd, &t->failure))             \
        && forecast_options_resolve(&f_zero, NULL, NULL) == TIDE_EINVAL)                                               \
    R(forecast_options_resolve, 1, "zeros", said(t, forecast_options_resolve(&f_zero, &f_odd, &t->failure)))           \
    R(forecast_preset_name, 0, "-1, 1000", !forecast_preset_name(-1) && !forecast_preset_name(1000))                   \
    R(forecast_compat_parse, 0, "no text, nowhere to", said(t, forecast_compat_parse(NULL, &(unsigned){ 0 },           \
        &t->failure)) && forecast_compat_parse("", NULL, NULL) == TIDE_EINVAL)                                         \
    R(forecast_compat_list, 0, "takes nothing", forecast_compat_list()->name)                                          \
    R(forecast_result_free, 0, "none", (forecast_result_free(NULL), true))                                             \
    R(tide_failure_json, 0, "none", json_of_nothing())                                                                 \
    EIS_COMMAND(R, eis_complete)                                                                                       \
    EIS_COMMAND(R, eis_check)                                                                                          \
    EIS_COMMAND(R, eis_drt)                                                                                            \
    EIS_COMMAND(R, eis_convert)                                                                                        \
    EIS_COMMAND(R, eis_train)                                                                                          \
    EIS_COMMAND(R, eis_evaluate)                                                                                       \
    EIS_COMMAND(R, eis_generate)                                                                                       \
    EIS_COMMAND(R, eis_full)                                                                                           \
    R(eis_simulate, 0, "no options", said(t, eis_simulate(NULL, "/nonexistent/x", &t->failure)))                       \
    R(eis_simulate, 1, "no path", (eis_options_default(&e_odd), said(t, eis_simulate(&e_odd, NULL, &t->failure))))     \
    R(eis_simulate_at, 0, "no options", said(t, eis_simulate_at(NULL, 0, NULL, NULL, &t->failure)))                    \
    R(eis_simulate_at, 2, "no frequencies", (eis_options_default(&e_odd),                                              \
        said(t, eis_simulate_at(&e_odd, 3, NULL, &(eis_z){ 0 }, &t->failure))))                                        \
    R(eis_spectrum_sign, 0, "no spectrum", said(t, eis_spectrum_sign(NULL, false, &t->failure)))                       \
    R(eis_option_table, 0, "nowhere to count", eis_option_table(NULL) != NULL)                                         \
    R(eis_options_default, 0, "no options", (eis_options_default(NULL), true))                                         \
    R(eis_option_set, 0, "no options, no name, no text", said(t, eis_option_set(NULL, "top-k", "3", &t->failure))      \
        && eis_option_set(&e_zero, NULL, "3", NULL) && eis_option_set(&e_zero, "top-k", NULL, NULL))                   \
    R(eis_option_get, 0, "nothing", !*eis_option_get(NULL, NULL, NULL, 0))                                             \
    R(eis_option_get, 1, "choices past the last", odd_choices())                                                       \
    R(eis_result_free, 0, "none", (eis_result_free(NULL), true))                                                       \
    R(eis_known_parse, 0, "no text, nowhere to", said(t, eis_known_parse(NULL, &known, &t->failure))                   \
        && eis_known_parse("", NULL, NULL) == TIDE_EINVAL)                                                             \
    R(eis_spectrum_read, 0, "no path, nowhere to", said(t, eis_spectrum_read(NULL, false, &spectrum,                   \
        &t->failure)) && eis_spectrum_read("x", false, NULL, NULL) == TIDE_EINVAL)                                     \
    R(eis_spectra_read, 0, "no path, nowhere to", said(t, eis_spectra_read(NULL, NULL, &spectra, &t->failure))         \
        && eis_spectra_read("x", NULL, NULL, NULL) == TIDE_EINVAL)                                                     \
    R(eis_spectra_read, 1, "zeroed options", eis_spectra_read("/nonexistent/x", &e_zero, &spectra, NULL) != TIDE_OK)   \
    R(eis_spectra_free, 0, "none", (eis_spectra_free(NULL), true))                                                     \
    R(eis_spectrum_free, 0, "none", (eis_spectrum_free(NULL), true))                                                   \
    R(eis_impedance, 0, "nothing, -1 points", (eis_impedance(EIS_SHUNT, NULL, 0, 3, NULL, NULL),                       \
        eis_impedance(EIS_SHUNT, p, 0, -1, p, (eis_z[]){ { 0, 0 } }), true))                                           \
    R(eis_impedance_f32, 0, "nothing, -1 points", (eis_impedance_f32(EIS_SHUNT, NULL, 0, 3, NULL, NULL, NULL),         \
        eis_impedance_f32(EIS_SHUNT, p_f32, 0, -1, p_f32, (float[1]){ 0 }, (float[1]){ 0 }), true))                    \
    R(eis_derivatives, 0, "nothing", isnan(eis_derivatives(EIS_SHUNT, NULL, 0, 1, NULL) .re))                          \
    R(eis_swap, 0, "nothing", (eis_swap(NULL, NULL), true))                                                            \
    R(eis_invariants_of, 0, "nothing", isnan(eis_invariants_of(NULL) .r0_ohm))                                         \
    R(eis_fibre, 0, "nothing", !eis_fibre(NULL, 0, NULL))                                                              \
    R(eis_fibre_tangent, 0, "nothing", (eis_fibre_tangent(NULL, NULL), true))                                          \
    R(eis_grid_value, 0, "parameters -1 and 99", isnan(eis_grid_value(-1, 0, 12)) && isnan(eis_grid_value(99, 0,       \
        12)))                                                                                                          \
    R(eis_resnorm_name, 0, "kind 99", eis_resnorm_name((eis_resnorm_kind)99) != NULL)                                  \
    R(eis_resnorm, 0, "nothing", isnan(eis_resnorm(EIS_SSE, 3, NULL, NULL, NULL, 5)))                                  \
    R(eis_resnorm, 1, "kind 99, -1 " "points", (eis_resnorm((eis_resnorm_kind)99, -1, p, (eis_z[]){ { 1, 0 } },        \
        (eis_z[]){ { 1, 0 } }, 5), true))                                                                              \
    R(eis_checked_json, 0, "nothing, zeros", !eis_checked_json(NULL) && !eis_checked_json(&(eis_checked){ 0 }))        \
    R(eis_relaxations_json, 0, "nothing, zeros", !eis_relaxations_json(NULL) && !eis_relaxations_json(                 \
        &(eis_relaxations){ 0 }))                                                                                      \
    R(serve_open, 0, "nothing", serve_open(NULL, NULL, NULL, NULL, &t->failure) != TIDE_OK && *t->failure.message)     \
    R(serve_open, 1, "zeroed options", serve_open(&s_zero, NULL, NULL, &service, NULL) != TIDE_OK && !service)         \
    STALE(R, serve_open, &s_zero, NULL, NULL, &service)                                                                \
    R(serve_port, 0, "none", serve_port(NULL) == 0)                                                                    \
    R(serve_stop, 0, "none, NaN seconds", (serve_stop(NULL, NAN), true))                                               \
    R(serve_close, 0, "none", (serve_close(NULL), true))                                                               \
    R(serve_table, 0, "twice", serve_table() == serve_table())                                                         \
    R(serve_options_default, 0, "nothing", (serve_options_default(NULL), true))                                        \
    R(serve_openapi, 0, "twice", (tide_free(serve_openapi()), tide_free(serve_openapi()), true))

static const char *f_long(void) {
    static char name[5000];
    memset(name, 'x', sizeof name - 1);
    return name;
}

MISUSE_TABLE(misuse_apps, APPS)
