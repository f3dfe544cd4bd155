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

static forecast_model *model;
static double          number;
static int64_t         time_s;

static bool load_refused(trial *t, tide_status status) { return missing(t, status) && !model; }

#define HANDLES(V, R)                                                                                                  \
    R(tide_version, 0, "nothing", *tide_version() != 0)                                                                \
    R(tide_free, 0, "none", (tide_free(NULL), true))                                                                   \
    R(tide_program_cancel, 0, "none", (tide_program_cancel(NULL), true))                                               \
    R(tide_variables_share, 0, "NULL", missing(t, tide_variables_share(NO_ITEMS, NO_ITEMS, &t->failure)))              \
    R(tide_variables_share, 1, "no variables", missing(t, tide_variables_share(TIDE_LIST(t->x), TIDE_LIST(t->strange), \
                                                                               &t->failure)))                          \
    R(tide_variables_share, 2, "nothing", missing(t, tide_variables_share(TIDE_LIST(NOTHING), TIDE_LIST(t->w),         \
                                                                          &t->failure)))                               \
    R(tide_npy_read_memory, 0, "no array", missing(t, tide_npy_read_memory("", 0, NULL, &t->failure)))                 \
    R(tide_npy_read_memory, 1, "no bytes, odd bytes", bytes_refused(t, npy))                                           \
    R(tide_npz_read_memory, 0, "no archive", missing(t, tide_npz_read_memory("", 0, NULL, &t->failure)))               \
    R(tide_npz_read_memory, 1, "no bytes, odd bytes", bytes_refused(t, npz))                                           \
    R(tide_safetensors_read_memory, 0, "no archive",                                                                   \
      missing(t, tide_safetensors_read_memory("", 0, NULL, &t->failure)))                                              \
    R(tide_safetensors_read_memory, 1, "no bytes, odd bytes", bytes_refused(t, safetensors))                           \
    R(tide_safetensors_write_memory, 0, "no archive",                                                                  \
      missing(t, tide_safetensors_write_memory(NULL, &block, &size, &t->failure)))                                     \
    R(tide_safetensors_write_memory, 1, "no place",                                                                    \
      missing(t, tide_safetensors_write_memory(&archive, NULL, NULL, &t->failure)))                                    \
    R(tide_save_memory, 0, "no list", missing(t, tide_save_memory(NO_ITEMS, &block, &size, &t->failure)))              \
    R(tide_save_memory, 1, "no place", missing(t, tide_save_memory(TIDE_LIST(t->w), NULL, NULL, &t->failure)) ||       \
                                           failed(t))                                                                  \
    R(tide_load_memory, 0, "no list", missing(t, tide_load_memory(NO_ITEMS, "", 0, &t->failure)))                      \
    R(tide_load_memory, 1, "no bytes", missing(t, tide_load_memory(TIDE_LIST(t->w), NULL, 5, &t->failure)))            \
    R(tide_load_archive, 0, "no archive", missing(t, tide_load_archive(TIDE_LIST(t->w), NULL, &t->failure)))           \
    R(tide_load_archive, 1, "no list", missing(t, tide_load_archive(NO_ITEMS, &archive, &t->failure)))               \
    R(forecast_model_load, 0, "no run", load_refused(t, forecast_model_load(NULL, NULL, &model, &t->failure)))         \
    R(forecast_model_load, 1, "an empty path", load_refused(t, forecast_model_load("", NULL, &model, &t->failure)))    \
    R(forecast_model_load, 2, "nowhere to", missing(t, forecast_model_load("x", NULL, NULL, &t->failure)))             \
    R(forecast_model_load, 3, "options of zeros",                                                                      \
      load_refused(t, forecast_model_load("x", &(forecast_options){ 0 }, &model, &t->failure)))                        \
    R(forecast_model_load_memory, 0, "no bytes",                                                                       \
      load_refused(t, forecast_model_load_memory(NULL, 9, NULL, &model, &t->failure)))                                 \
    R(forecast_model_load_memory, 1, "nowhere to",                                                                     \
      missing(t, forecast_model_load_memory("x", 1, NULL, NULL, &t->failure)))                                         \
    R(forecast_model_load_memory, 2, "odd bytes",                                                                      \
      forecast_model_load_memory("0123456789", 10, NULL, &model, NULL) == TIDE_EDATA && !model)                        \
    R(forecast_model_clone, 0, "none", load_refused(t, forecast_model_clone(NULL, &model, &t->failure)))               \
    R(forecast_model_clone, 1, "nowhere to", missing(t, forecast_model_clone(NULL, NULL, &t->failure)))                \
    R(forecast_model_save_memory, 0, "none", missing(t, forecast_model_save_memory(NULL, &block, &size, &t->failure))) \
    R(forecast_model_free, 0, "none", (forecast_model_free(NULL), true))                                               \
    R(forecast_model_seq_len, 0, "none", forecast_model_seq_len(NULL) == 0)                                            \
    R(forecast_model_pred_len, 0, "none", forecast_model_pred_len(NULL) == 0)                                          \
    R(forecast_model_columns, 0, "none", forecast_model_columns(NULL) == 0)                                            \
    R(forecast_model_targets, 0, "none", forecast_model_targets(NULL) == 0)                                            \
    R(forecast_model_column_name, 0, "none", !forecast_model_column_name(NULL, 0))                                     \
    R(forecast_model_target_name, 0, "none", !forecast_model_target_name(NULL, -1))                                    \
    R(forecast_model_needs_time, 0, "none", !forecast_model_needs_time(NULL))                                          \
    R(forecast_model_frequency, 0, "none", !*forecast_model_frequency(NULL))                                           \
    R(forecast_model_precision, 0, "none", forecast_model_precision(NULL, NULL) == TIDE_PRECISION_F32)                 \
    R(forecast_model_times_after, 0, "none", missing(t, forecast_model_times_after(NULL, 0, 1, &time_s, &t->failure))) \
    R(forecast_model_predict, 0, "none", missing(t, forecast_model_predict(NULL, 1, &number, &time_s, &number,         \
                                                                           &t->failure)))

MISUSE_TABLE(misuse_handles, HANDLES)
