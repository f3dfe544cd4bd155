/* Handles, and data in memory. */
#include <string.h>

#include "misuse.h"

static tide_archive archive;
static tide_tensor  array;
static void        *block;
static size_t       size;

static bool missing(const trial *t, tide_status status) { return status == TIDE_EINVAL && *t->failure.message; }

static tide_status npy(const void *bytes, size_t n, tide_failure *f) {
    return tide_npy_read_memory(bytes, n, &array, f);
}

/* No bytes; and bytes that are not what they should be. */
static bool bytes_refused(trial *t, tide_status (*read)(const void *, size_t, tide_failure *)) {
    if (!missing(t, read(NULL, 10, &t->failure)) || read(NULL, 10, NULL) != TIDE_EINVAL) return false;
    t->failure = (tide_failure){ 0 };
    return read("", 0, &t->failure) == TIDE_EDATA && read("0123456789abcdef", 16, NULL) == TIDE_EDATA;
}

static tide_status npz(const void *bytes, size_t n, tide_failure *f) {
    return tide_npz_read_memory(bytes, n, &archive, f);
}
static tide_status safetensors(const void *bytes, size_t n, tide_failure *f) {
    return tide_safetensors_read_memory(bytes, n, &archive, f);
}

static tide_frame       *frame, *wide;
static struct ArrowSchema schema;
static struct ArrowArray  arrow;
static struct ArrowArrayStream stream;
static forecast_prediction drawn;
static forecast_result   told;
static char             *picture;
static eis_model        *predictor;
static eis_trainer      *e_trainer;
static eis_answer        answer;
static eis_options       e_options;

static eis_options *eis(void) {
    eis_options_default(&e_options);
    return &e_options;
}

static tide_frame *three(void) {
    tide_frame_free(frame);
    return tide_frame_new(3, &frame, NULL) == TIDE_OK ? frame : NULL;
}

static eis_spectrum lying(double freq_hz, int64_t count) {
    static double f[5];
    static eis_z  z[5];
    for (int i = 0; i < 5; i++) f[i] = freq_hz * (i + 1), z[i] = (eis_z){ 100, -1 };
    return (eis_spectrum){ .count = count, .freq_hz = f, .z = z };
}

static tide_status solved(trial *t, eis_spectrum s) {
    return eis_solve(eis(), &s, NULL, NULL, NULL, &answer, &t->failure);
}

static eis_checked checked;

static tide_status tested(trial *t, eis_spectrum s) {
    tide_status status = eis_check_spectrum(&s, &checked, &t->failure);
    eis_checked_free(&checked);
    return status;
}

static eis_relaxations relaxations;

static tide_status distributed(trial *t, eis_spectrum s) {
    tide_status status = eis_drt_spectrum(&s, NULL, &relaxations, &t->failure);
    eis_relaxations_free(&relaxations);
    return status;
}

static tide_status odd_lambda(trial *t) {
    eis_spectrum s = lying(1, 5);
    eis_options *o = eis();
    o->lambda[0] = 'x';
    return eis_drt_spectrum(&s, o, &relaxations, &t->failure);
}

static forecast_model *model;
static double          number;
static forecast_attention *maps;
static int64_t         map_count;
static int64_t         time_s;

static forecast_trainer *trainer;

static bool no_rows(trial *t) {
    static forecast_options o;
    tide_frame *none = NULL;
    forecast_options_default(&o);
    bool refused = tide_frame_new(0, &none, NULL) == TIDE_OK &&
                   forecast_trainer_new(&o, none, NULL, NULL, &trainer, &t->failure) == TIDE_EDATA && !trainer;
    tide_frame_free(none);
    return refused;
}

static bool load_refused(trial *t, tide_status status) { return missing(t, status) && !model; }

#define HANDLES(V, R)                                                                                                  \
    R(tide_rank_here, 0, "nothing", tide_rank_here().count >= 1)                                                       \
    R(tide_version, 0, "nothing", *tide_version() != 0)                                                                \
    R(tide_free, 0, "none", (tide_free(NULL), true))                                                                   \
    R(tide_program_cancel, 0, "none", (tide_program_cancel(NULL), true))                                               \
    R(tide_variables_share, 0, "NULL", missing(t, tide_variables_share(NO_ITEMS, NO_ITEMS, &t->failure)))              \
    R(tide_variables_share, 1, "no variables", missing(t, tide_variables_share(TIDE_LIST(t->x),                        \
        TIDE_LIST(t->strange), &t->failure)))                                                                          \
    R(tide_variables_share, 2, "nothing", missing(t, tide_variables_share(TIDE_LIST(NOTHING), TIDE_LIST(t->w),         \
        &t->failure)))                                                                                                 \
    R(tide_npy_read_memory, 0, "no array", missing(t, tide_npy_read_memory("", 0, NULL, &t->failure)))                 \
    R(tide_npy_read_memory, 1, "no bytes, odd bytes", bytes_refused(t, npy))                                           \
    R(tide_npz_read_memory, 0, "no archive", missing(t, tide_npz_read_memory("", 0, NULL, &t->failure)))               \
    R(tide_npz_read_memory, 1, "no bytes, odd bytes", bytes_refused(t, npz))                                           \
    R(tide_safetensors_read_memory, 0, "no archive", missing(t, tide_safetensors_read_memory("", 0, NULL,              \
        &t->failure)))                                                                                                 \
    R(tide_safetensors_read_memory, 1, "no bytes, odd bytes", bytes_refused(t, safetensors))                           \
    R(tide_safetensors_write_memory, 0, "no archive", missing(t, tide_safetensors_write_memory(NULL, &block,           \
        &size, &t->failure)))                                                                                          \
    R(tide_safetensors_write_memory, 1, "no place", missing(t, tide_safetensors_write_memory(&archive, NULL, NULL,     \
        &t->failure)))                                                                                                 \
    R(tide_save_memory, 0, "no list", missing(t, tide_save_memory(NO_ITEMS, &block, &size, &t->failure)))              \
    R(tide_save_memory, 1, "no place", missing(t, tide_save_memory(TIDE_LIST(t->w), NULL, NULL, &t->failure))          \
        || failed(t))                                                                                                  \
    R(tide_load_memory, 0, "no list", missing(t, tide_load_memory(NO_ITEMS, "", 0, &t->failure)))                      \
    R(tide_load_memory, 1, "no bytes", missing(t, tide_load_memory(TIDE_LIST(t->w), NULL, 5, &t->failure)))            \
    R(tide_load_archive, 0, "no archive", missing(t, tide_load_archive(TIDE_LIST(t->w), NULL, &t->failure)))           \
    R(tide_load_archive, 1, "no list", missing(t, tide_load_archive(NO_ITEMS, &archive, &t->failure)))                 \
    R(forecast_model_load, 0, "no run", load_refused(t, forecast_model_load(NULL, NULL, &model, &t->failure)))         \
    R(forecast_model_load, 1, "an empty path", load_refused(t, forecast_model_load("", NULL, &model, &t->failure)))    \
    R(forecast_model_load, 2, "nowhere to", missing(t, forecast_model_load("x", NULL, NULL, &t->failure)))             \
    R(forecast_model_load, 3, "options of zeros", load_refused(t, forecast_model_load("x",                             \
        &(forecast_options){ 0 }, &model, &t->failure)))                                                               \
    R(forecast_model_load_memory, 0, "no bytes", load_refused(t, forecast_model_load_memory(NULL, 9, NULL, &model,     \
        &t->failure)))                                                                                                 \
    R(forecast_model_load_memory, 1, "nowhere to", missing(t, forecast_model_load_memory("x", 1, NULL, NULL,           \
        &t->failure)))                                                                                                 \
    R(forecast_model_load_memory, 2, "odd bytes", forecast_model_load_memory("0123456789", 10, NULL, &model,           \
        NULL) == TIDE_EDATA && !model)                                                                                 \
    R(forecast_model_clone, 0, "none", load_refused(t, forecast_model_clone(NULL, &model, &t->failure)))               \
    R(forecast_model_clone, 1, "nowhere to", missing(t, forecast_model_clone(NULL, NULL, &t->failure)))                \
    R(forecast_model_export, 0, "none, no path", missing(t, forecast_model_export(NULL, FORECAST_FORMAT_C, "a.c",      \
        &t->failure)) && forecast_model_export(NULL, FORECAST_FORMAT_C, NULL, NULL) == TIDE_EINVAL)                    \
    R(forecast_model_export_levels, 0, "none", missing(t, forecast_model_export_levels(NULL, FORECAST_FORMAT_C, "a.c", \
        &number, 1, NULL, NULL, &t->failure)))                                                                         \
    R(forecast_model_export_levels, 1, "no levels", missing(t, forecast_model_export_levels(NULL, FORECAST_FORMAT_C,   \
        "a.c", NULL, 2, NULL, NULL, &t->failure)))                                                                     \
    R(forecast_model_save_memory, 0, "none", missing(t, forecast_model_save_memory(NULL, &block, &size,                \
        &t->failure)))                                                                                                 \
    R(forecast_model_free, 0, "none", (forecast_model_free(NULL), true))                                               \
    R(forecast_model_seq_len, 0, "none", forecast_model_seq_len(NULL) == 0)                                            \
    R(forecast_model_pred_len, 0, "none", forecast_model_pred_len(NULL) == 0)                                          \
    R(forecast_model_columns, 0, "none", forecast_model_columns(NULL) == 0)                                            \
    R(forecast_model_targets, 0, "none", forecast_model_targets(NULL) == 0)                                            \
    R(forecast_model_column_name, 0, "none", !forecast_model_column_name(NULL, 0))                                     \
    R(forecast_model_target_name, 0, "none", !forecast_model_target_name(NULL, -1))                                    \
    R(forecast_model_attribute_name, 0, "none", !forecast_model_attribute_name(NULL, 0))                               \
    R(forecast_model_needs_time, 0, "none", !forecast_model_needs_time(NULL))                                          \
    R(forecast_model_takes_gaps, 0, "none", !forecast_model_takes_gaps(NULL))                                          \
    R(forecast_model_known, 0, "none", forecast_model_known(NULL) == 0)                                                \
    R(forecast_model_holidays, 0, "none", forecast_model_holidays(NULL, 0, &number) == 0)                              \
    R(forecast_model_frequency, 0, "none", !*forecast_model_frequency(NULL))                                           \
    R(forecast_model_tz, 0, "none", !*forecast_model_tz(NULL))                                                         \
    R(forecast_model_precision, 0, "none", forecast_model_precision(NULL, NULL) == TIDE_PRECISION_F32)                 \
    R(forecast_model_times_after, 0, "none", missing(t, forecast_model_times_after(NULL, 0, 1, &time_s,                \
        &t->failure)))                                                                                                 \
    R(forecast_model_predict, 0, "none", missing(t, forecast_model_predict(NULL, 1, &number, &time_s, &number,         \
        &t->failure)))                                                                                                 \
    R(forecast_model_predict_known, 0, "none", missing(t, forecast_model_predict_known(NULL, 1, &number,        \
        &time_s, &number, &number, &t->failure)))                                                                      \
    R(forecast_model_attention, 0, "none", missing(t, forecast_model_attention(NULL, &number, &time_s, &number,        \
        &maps, &map_count, &t->failure)) && !maps)                                                                     \
    R(forecast_model_attention, 1, "nowhere to", missing(t, forecast_model_attention(NULL, &number, &time_s, &number,  \
        NULL, NULL, &t->failure)))                                                                                     \
    R(forecast_attention_free, 0, "none", (forecast_attention_free(NULL, 3), true))                                    \
    R(forecast_model_has_levels, 0, "none", !forecast_model_has_levels(NULL))                                          \
    R(forecast_model_predict_levels, 0, "none", missing(t, forecast_model_predict_levels(NULL, 1, &number, &time_s,    \
        &number, &number, 1, &number, &number, &t->failure)))                                                          \
    R(forecast_model_has_paths, 0, "none", !forecast_model_has_paths(NULL))                                            \
    R(forecast_model_predict_paths, 0, "none", missing(t, forecast_model_predict_paths(NULL, 1, &number, &time_s,      \
        &number, 1, 1, &number, &number, &t->failure)))                                                                \
    R(forecast_model_predict_frame, 0, "none", missing(t, forecast_model_predict_frame(NULL, NULL, &number,            \
        &t->failure)))                                                                                                 \
    R(forecast_model_predict_frame_levels, 0, "none", missing(t, forecast_model_predict_frame_levels(NULL, NULL,       \
        &number, 1, &number, &number, &t->failure)))                                                                   \
    R(forecast_model_kept, 0, "none", missing(t, forecast_model_kept(NULL, &frame, &t->failure)) && !frame)            \
    R(forecast_model_kept, 1, "nowhere to", missing(t, forecast_model_kept(NULL, NULL, &t->failure)))                  \
    R(forecast_model_forecast, 0, "none", missing(t, forecast_model_forecast(NULL, NULL, NULL, NULL, NULL, &drawn,     \
        &t->failure)) && !drawn.values)                                                                              \
    R(forecast_model_forecast, 1, "nowhere to", missing(t, forecast_model_forecast(NULL, NULL, NULL, NULL, NULL, NULL, \
        &t->failure)))                                                                                                 \
    R(forecast_prediction_free, 0, "none", (forecast_prediction_free(NULL), true))                                     \
    R(forecast_model_evaluate, 0, "none", missing(t, forecast_model_evaluate(NULL, NULL, NULL, NULL, NULL, &told,      \
        &t->failure)))                                                                                                 \
    R(forecast_model_evaluate, 1, "nowhere to", missing(t, forecast_model_evaluate(NULL, NULL, NULL, NULL, NULL, NULL, \
        &t->failure)))                                                                                                 \
    R(forecast_model_backtest, 0, "none", missing(t, forecast_model_backtest(NULL, NULL, NULL, NULL, NULL, NULL,       \
        &told, &t->failure)))                                                                                          \
    R(forecast_model_backtest, 1, "nowhere to", missing(t, forecast_model_backtest(NULL, "{}", NULL, NULL, NULL, NULL, \
        NULL, &t->failure)))                                                                                           \
    R(forecast_plot_svg, 0, "none", missing(t, forecast_plot_svg(NULL, 1, &picture, &t->failure)) && !picture)         \
    R(forecast_plot_svg, 1, "nowhere to", missing(t, forecast_plot_svg(&(forecast_plot){ 0 }, 1, NULL, &t->failure)))  \
    R(forecast_plot_svg, 2, "of zeros", missing(t, forecast_plot_svg(&(forecast_plot){ 0 }, 1, &picture,               \
        &t->failure)) && !picture)                                                                                     \
    R(forecast_trainer_recipe, 0, "none", missing(t, forecast_trainer_recipe(NULL, &picture, &t->failure)))            \
    R(forecast_trainer_recipe, 1, "nowhere to", missing(t, forecast_trainer_recipe(NULL, NULL, &t->failure)))          \
    R(eis_noise_source_name, 0, "none", !eis_noise_source_name((eis_noise_source)99))                                  \
    R(forecast_trainer_new, 0, "no options", missing(t, forecast_trainer_new(NULL, NULL, NULL, NULL, &trainer,         \
        &t->failure)) && !trainer)                                                                                     \
    R(forecast_trainer_new, 1, "nowhere to", missing(t, forecast_trainer_new(NULL, NULL, NULL, NULL, NULL,             \
        &t->failure)))                                                                                                 \
    R(forecast_trainer_new, 2, "a frame of no rows", no_rows(t))                                                       \
    R(forecast_trainer_run, 0, "none", missing(t, forecast_trainer_run(NULL, 1, &t->failure)))                         \
    R(forecast_trainer_save, 0, "none", missing(t, forecast_trainer_save(NULL, &t->failure)))                          \
    R(forecast_trainer_cancel, 0, "none", (forecast_trainer_cancel(NULL), true))                                       \
    R(forecast_trainer_at, 0, "none", forecast_trainer_at(NULL).steps == 0)                                            \
    R(forecast_trainer_model, 0, "none", load_refused(t, forecast_trainer_model(NULL, &model, &t->failure)))           \
    R(forecast_trainer_model, 1, "nowhere to", missing(t, forecast_trainer_model(NULL, NULL, &t->failure)))            \
    R(forecast_trainer_score, 0, "none", missing(t, forecast_trainer_score(NULL, &(forecast_result){ 0 },              \
        &t->failure)))                                                                                                 \
    R(forecast_trainer_free, 0, "none", (forecast_trainer_free(NULL), true))                                           \
    R(forecast_read_frame, 0, "no options", missing(t, forecast_read_frame(NULL, &frame, &t->failure)))                \
    R(forecast_read_frame, 1, "nowhere to", missing(t, forecast_read_frame(NULL, NULL, &t->failure)))                  \
    R(forecast_read_found, 0, "no options", missing(t, forecast_read_found(NULL, &frame, NULL, &t->failure)))          \
    R(forecast_read_found, 1, "nowhere to", missing(t, forecast_read_found(NULL, NULL, NULL, &t->failure)))            \
    R(tide_frame_new, 0, "nowhere to", missing(t, tide_frame_new(3, NULL, &t->failure)))                               \
    R(tide_frame_new, 1, "too many rows", missing(t, tide_frame_new(INT64_MAX, &frame, &t->failure)))                  \
    R(tide_frame_free, 0, "none", (tide_frame_free(NULL), true))                                                       \
    R(tide_frame_add, 0, "none", missing(t, tide_frame_add(NULL, "a", &number, 1, &t->failure)))                       \
    R(tide_frame_add, 1, "no values", missing(t, tide_frame_add(three(), "a", NULL, 1, &t->failure)))                  \
    R(tide_frame_borrow, 0, "none", missing(t, tide_frame_borrow(NULL, "a", &number, 1, &t->failure)))                 \
    R(tide_frame_borrow, 1, "no name", missing(t, tide_frame_borrow(three(), NULL, &number, 1, &t->failure)))          \
    R(tide_frame_set_time, 0, "none", missing(t, tide_frame_set_time(NULL, "t", &time_s, &t->failure)))                \
    R(tide_frame_set_time, 1, "no times", missing(t, tide_frame_set_time(three(), NULL, NULL, &t->failure)))           \
    R(tide_frame_set_time_real, 0, "none", missing(t, tide_frame_set_time_real(NULL, "t", &number, &t->failure)))      \
    R(tide_frame_set_time_real, 1, "no times", missing(t, tide_frame_set_time_real(three(), NULL, NULL,                \
        &t->failure)))                                                                                                 \
    R(tide_frame_pivot, 0, "none", missing(t, tide_frame_pivot(NULL, NULL, &frame, &t->failure)))                      \
    R(tide_frame_pivot, 1, "nowhere to", missing(t, tide_frame_pivot(NULL, NULL, NULL, &t->failure)))                  \
    R(tide_frame_pivot, 2, "no times", missing(t, tide_frame_pivot(three(), NULL, &wide, &t->failure)))                \
    R(tide_frame_rows, 0, "none", tide_frame_rows(NULL) == 0)                                                          \
    R(tide_frame_columns, 0, "none", tide_frame_columns(NULL) == 0)                                                    \
    R(tide_frame_name, 0, "none, -1", !tide_frame_name(NULL, 0) && !tide_frame_name(three(), -1))                      \
    R(tide_frame_find, 0, "none, no name", tide_frame_find(NULL, "a") == -1 && tide_frame_find(three(), NULL) == -1)   \
    R(tide_frame_values, 0, "none", !tide_frame_values(NULL, 0, &time_s) && !tide_frame_values(three(), 0, NULL))      \
    R(tide_frame_time_name, 0, "none", !tide_frame_time_name(NULL))                                                    \
    R(tide_frame_time, 0, "none", !tide_frame_time(NULL))                                                              \
    R(tide_frame_time_real, 0, "none", !tide_frame_time_real(NULL))                                                    \
    R(tide_frame_from_arrow, 0, "none", missing(t, tide_frame_from_arrow(NULL, NULL, NULL, &frame, &t->failure)))      \
    R(tide_frame_from_arrow, 1, "zeros", missing(t, tide_frame_from_arrow(&schema, &arrow, NULL, &frame,               \
        &t->failure)))                                                                                                 \
    R(tide_frame_from_arrow, 2, "nowhere to", missing(t, tide_frame_from_arrow(&schema, &arrow, NULL, NULL,            \
        &t->failure)))                                                                                                 \
    R(tide_frame_from_arrow_stream, 0, "none", missing(t, tide_frame_from_arrow_stream(NULL, NULL, &frame,             \
        &t->failure)))                                                                                                 \
    R(tide_frame_from_arrow_stream, 1, "zeros", missing(t, tide_frame_from_arrow_stream(&stream, NULL, &frame,         \
        &t->failure)))                                                                                                 \
    R(eis_solve, 0, "no options", missing(t, eis_solve(NULL, NULL, NULL, NULL, NULL, &answer, &t->failure)))           \
    R(eis_solve, 1, "nowhere to", missing(t, eis_solve(eis(), NULL, NULL, NULL, NULL, NULL, &t->failure)))             \
    R(eis_solve, 2, "a spectrum of nothing", solved(t, (eis_spectrum){ .count = 9 }) == TIDE_EINVAL)                   \
    R(eis_solve, 3, "-1 points, 5 at 0 Hz", solved(t, lying(1, -1)) == TIDE_EDATA && solved(t, lying(0,                \
        5)) == TIDE_EDATA)                                                                                             \
    R(eis_solve, 4, "a known value far out", missing(t, eis_solve(eis(), NULL, &(eis_known){ { true }, { 1e99 } },     \
        NULL, NULL, &answer, &t->failure)))                                                                            \
    R(eis_check_spectrum, 0, "none", missing(t, eis_check_spectrum(NULL, &checked, &t->failure)))                      \
    R(eis_check_spectrum, 1, "nowhere to", missing(t, eis_check_spectrum(&(eis_spectrum){ 0 }, NULL, &t->failure)))    \
    R(eis_check_spectrum, 2, "a spectrum of nothing", tested(t, (eis_spectrum){ .count = 9 }) == TIDE_EINVAL)          \
    R(eis_check_spectrum, 3, "-1 points, 5 at 0 Hz", tested(t, lying(1, -1)) == TIDE_EDATA && tested(t, lying(0,       \
        5)) == TIDE_EDATA)                                                                                             \
    R(eis_check_spectrum, 4, "five equal impedances", tested(t, lying(1, 5)) == TIDE_OK)                               \
    R(eis_checked_free, 0, "none", (eis_checked_free(NULL), true))                                                     \
    R(eis_drt_spectrum, 0, "none", missing(t, eis_drt_spectrum(NULL, NULL, &relaxations, &t->failure)))                \
    R(eis_drt_spectrum, 1, "nowhere to", missing(t, eis_drt_spectrum(&(eis_spectrum){ 0 }, NULL, NULL, &t->failure)))  \
    R(eis_drt_spectrum, 2, "a spectrum of nothing", distributed(t, (eis_spectrum){ .count = 9 }) == TIDE_EINVAL)       \
    R(eis_drt_spectrum, 3, "-1 points, 5 at 0 Hz", distributed(t, lying(1, -1)) == TIDE_EDATA                          \
        && distributed(t, lying(0, 5)) == TIDE_EDATA)                                                                  \
    R(eis_drt_spectrum, 4, "five equal impedances", distributed(t, lying(1, 5)) == TIDE_OK)                            \
    R(eis_drt_spectrum, 5, "a lambda that is none", odd_lambda(t) == TIDE_EINVAL)                                      \
    R(eis_relaxations_free, 0, "none", (eis_relaxations_free(NULL), true))                                             \
    R(eis_answer_free, 0, "none", (eis_answer_free(NULL), true))                                                       \
    R(eis_answer_json, 0, "none, zeros", !eis_answer_json(NULL) && !eis_answer_json(&(eis_answer){ 0 }))               \
    R(eis_answer_text, 0, "none, zeros", !eis_answer_text(NULL) && !eis_answer_text(&(eis_answer){ 0 }))               \
    R(eis_answer_svg, 0, "none", missing(t, eis_answer_svg(NULL, &picture, &t->failure)) && !picture)                  \
    R(eis_answer_svg, 1, "zeros", missing(t, eis_answer_svg(&(eis_answer){ 0 }, &picture, &t->failure)) && !picture)   \
    R(eis_answer_svg, 2, "nowhere to", missing(t, eis_answer_svg(&(eis_answer){ 0 }, NULL, &t->failure)))              \
    R(eis_fitted_svg, 0, "none", missing(t, eis_fitted_svg(NULL, NULL, &picture, &t->failure)) && !picture)            \
    R(eis_fitted_svg, 1, "zeros", missing(t, eis_fitted_svg(&(eis_fitted){ 0 }, &(eis_spectrum){ 0 }, &picture,        \
        &t->failure)) && !picture)                                                                                     \
    R(eis_checked_svg, 0, "none", missing(t, eis_checked_svg(NULL, &picture, &t->failure)) && !picture)                \
    R(eis_checked_svg, 1, "zeros", missing(t, eis_checked_svg(&(eis_checked){ 0 }, &picture, &t->failure)) && !picture)\
    R(eis_checked_text, 0, "none, zeros", !eis_checked_text(NULL) && !eis_checked_text(&(eis_checked){ 0 }))           \
    R(eis_relaxations_svg, 0, "none", missing(t, eis_relaxations_svg(NULL, &picture, &t->failure)) && !picture)        \
    R(eis_relaxations_svg, 1, "zeros", missing(t, eis_relaxations_svg(&(eis_relaxations){ 0 }, &picture,               \
        &t->failure)) && !picture)                                                                                     \
    R(eis_relaxations_text, 0, "none, zeros", !eis_relaxations_text(NULL)                                              \
        && !eis_relaxations_text(&(eis_relaxations){ 0 }))                                                             \
    R(eis_fault_name, 0, "none that there is", !eis_fault_name((eis_fault_kind)99)                                     \
        && !eis_fault_name((eis_fault_kind)-1))                                                                        \
    R(eis_circuit_impedance, 0, "none", missing(t, eis_circuit_impedance(NULL, 1, &number, 1, &number, NULL,           \
        &t->failure)))                                                                                                 \
    R(eis_circuit_impedance, 1, "-1 values, -1 points", missing(t, eis_circuit_impedance("R0", -1, &number, 1, &number,\
        &(eis_z){ 0 }, &t->failure)) && missing(t, eis_circuit_impedance("R0", 1, &number, -1, &number,                \
        &(eis_z){ 0 }, &t->failure)))                                                                                  \
    R(eis_answer_plots, 0, "none", missing(t, eis_answer_plots(NULL, "x", "", &t->failure)))                           \
    R(eis_model_load, 0, "no run", missing(t, eis_model_load(NULL, NULL, &predictor, &t->failure)))                    \
    R(eis_model_load, 1, "nowhere to", missing(t, eis_model_load("x", NULL, NULL, &t->failure)))                       \
    R(eis_model_load, 2, "what is not there", eis_model_load("/nonexistent/x", NULL, &predictor, NULL) != TIDE_OK)     \
    R(eis_model_load_memory, 0, "no bytes", missing(t, eis_model_load_memory(NULL, 9, NULL, &predictor,                \
        &t->failure)))                                                                                                 \
    R(eis_model_load_memory, 1, "nowhere to", missing(t, eis_model_load_memory("x", 1, NULL, NULL, &t->failure)))      \
    R(eis_model_clone, 0, "none", missing(t, eis_model_clone(NULL, &predictor, &t->failure)))                          \
    R(eis_model_clone, 1, "nowhere to", missing(t, eis_model_clone(NULL, NULL, &t->failure)))                          \
    R(eis_model_save_memory, 0, "none", missing(t, eis_model_save_memory(NULL, &block, &size, &t->failure)))           \
    R(eis_model_free, 0, "none", (eis_model_free(NULL), true))                                                         \
    R(eis_model_takes_spectrum, 0, "none", !eis_model_takes_spectrum(NULL))                                            \
    R(eis_model_solve, 0, "none", missing(t, eis_model_solve(NULL, eis(), 1, NULL, NULL, NULL, NULL, &answer,          \
        &t->failure)))                                                                                                 \
    R(eis_trainer_new, 0, "no options", missing(t, eis_trainer_new(NULL, NULL, NULL, &e_trainer, &t->failure)))        \
    R(eis_trainer_new, 1, "nowhere to", missing(t, eis_trainer_new(eis(), NULL, NULL, NULL, &t->failure)))             \
    R(eis_trainer_run, 0, "none", missing(t, eis_trainer_run(NULL, 1, &t->failure)))                                   \
    R(eis_trainer_at, 0, "none", !eis_trainer_at(NULL).finished && !eis_trainer_at(NULL).steps)                        \
    R(eis_trainer_save, 0, "none", missing(t, eis_trainer_save(NULL, &t->failure)))                                    \
    R(eis_trainer_cancel, 0, "none", (eis_trainer_cancel(NULL), true))                                                 \
    R(eis_trainer_model, 0, "none, nowhere to", missing(t, eis_trainer_model(NULL, NULL, &t->failure)))                \
    R(eis_trainer_free, 0, "none", (eis_trainer_free(NULL), true))                                                     \
    STALE(R, tide_variables_share, NO_ITEMS, NO_ITEMS)                                                                 \
    STALE(R, tide_npy_read_memory, "x", 1, &array)                                                                     \
    STALE(R, tide_npz_read_memory, "x", 1, &archive)                                                                   \
    STALE(R, tide_safetensors_read_memory, "x", 1, &archive)                                                           \
    STALE(R, tide_safetensors_write_memory, NULL, &block, &size)                                                       \
    STALE(R, tide_save_memory, NO_ITEMS, &block, &size)                                                                \
    STALE(R, tide_load_memory, NO_ITEMS, "x", 1)                                                                       \
    STALE(R, tide_load_archive, NO_ITEMS, &archive)                                                                    \
    STALE(R, tide_frame_new, -1, &frame)                                                                               \
    STALE(R, tide_frame_add, NULL, "a", &number, 1)                                                                    \
    STALE(R, tide_frame_borrow, NULL, "a", &number, 1)                                                                 \
    STALE(R, tide_frame_set_time, NULL, NULL, &time_s)                                                                 \
    STALE(R, tide_frame_set_time_real, NULL, NULL, &number)                                                            \
    STALE(R, tide_frame_pivot, NULL, NULL, &frame)                                                                     \
    STALE(R, tide_frame_from_arrow, NULL, NULL, NULL, &frame)                                                          \
    STALE(R, tide_frame_from_arrow_stream, NULL, NULL, &frame)                                                         \
    STALE(R, forecast_model_load, "", NULL, &model)                                                                    \
    STALE(R, forecast_model_load_memory, "x", 1, NULL, &model)                                                         \
    STALE(R, forecast_model_clone, NULL, &model)                                                                       \
    STALE(R, forecast_model_export, NULL, FORECAST_FORMAT_C, "a.c")                                                    \
    STALE(R, forecast_model_export_levels, NULL, FORECAST_FORMAT_C, "a.c", &number, 1, NULL, NULL)                     \
    STALE(R, forecast_model_forecast, NULL, NULL, NULL, NULL, NULL, &drawn)                                            \
    STALE(R, forecast_model_evaluate, NULL, NULL, NULL, NULL, NULL, &told)                                             \
    STALE(R, forecast_model_backtest, NULL, NULL, NULL, NULL, NULL, NULL, &told)                                       \
    STALE(R, forecast_plot_svg, NULL, 1, &picture)                                                                     \
    STALE(R, forecast_trainer_recipe, NULL, &picture)                                                                  \
    STALE(R, forecast_model_save_memory, NULL, &block, &size)                                                          \
    STALE(R, forecast_model_times_after, NULL, 0, 1, &time_s)                                                          \
    STALE(R, forecast_model_predict, NULL, 1, &number, &time_s, &number)                                               \
    STALE(R, forecast_model_predict_known, NULL, 1, &number, &time_s, &number, &number)                                \
    STALE(R, forecast_model_attention, NULL, &number, &time_s, NULL, &maps, &map_count)                                \
    STALE(R, forecast_model_predict_levels, NULL, 1, &number, &time_s, NULL, &number, 1, &number, &number)             \
    STALE(R, forecast_model_predict_paths, NULL, 1, &number, &time_s, NULL, 1, 1, &number, &number)                    \
    STALE(R, forecast_model_predict_frame, NULL, NULL, &number)                                                        \
    STALE(R, forecast_model_predict_frame_levels, NULL, NULL, &number, 1, &number, &number)                            \
    STALE(R, forecast_model_kept, NULL, &frame)                                                                        \
    STALE(R, forecast_trainer_new, NULL, NULL, NULL, NULL, &trainer)                                                   \
    STALE(R, forecast_trainer_run, NULL, 1)                                                                            \
    STALE(R, forecast_trainer_save, NULL)                                                                              \
    STALE(R, forecast_trainer_model, NULL, &model)                                                                     \
    STALE(R, forecast_trainer_score, NULL, NULL)                                                                       \
    STALE(R, forecast_read_frame, NULL, &frame)                                                                        \
    STALE(R, forecast_read_found, NULL, &frame, NULL)                                                                  \
    STALE(R, eis_check_spectrum, NULL, &checked)                                                                       \
    STALE(R, eis_drt_spectrum, NULL, NULL, &relaxations)                                                               \
    STALE(R, eis_solve, NULL, NULL, NULL, NULL, NULL, &answer)                                                         \
    STALE(R, eis_answer_svg, NULL, &picture)                                                                           \
    STALE(R, eis_fitted_svg, NULL, NULL, &picture)                                                                     \
    STALE(R, eis_checked_svg, NULL, &picture)                                                                          \
    STALE(R, eis_relaxations_svg, NULL, &picture)                                                                      \
    STALE(R, eis_circuit_impedance, NULL, 1, &number, 1, &number, NULL)                                                \
    STALE(R, eis_answer_plots, NULL, "x", "")                                                                          \
    STALE(R, eis_model_load, "", NULL, &predictor)                                                                     \
    STALE(R, eis_model_load_memory, "x", 1, NULL, &predictor)                                                          \
    STALE(R, eis_model_clone, NULL, &predictor)                                                                        \
    STALE(R, eis_model_save_memory, NULL, &block, &size)                                                               \
    STALE(R, eis_model_solve, NULL, NULL, 1, NULL, NULL, NULL, NULL, &answer)                                          \
    STALE(R, eis_trainer_new, NULL, NULL, NULL, &e_trainer)                                                            \
    STALE(R, eis_trainer_run, NULL, 1)                                                                                 \
    STALE(R, eis_trainer_save, NULL)                                                                                   \
    STALE(R, eis_trainer_model, NULL, &predictor)

MISUSE_TABLE(misuse_handles, HANDLES)
