/* Advice. Apple's chips have the rows of the guides' tables; any other machine has the row that its speed allows. */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"

#define GIB ((int64_t)1 << 30)

/* The Mac guide's table of forecasters: the one place where these sizes stand. */
static const struct mac_row {
    int64_t batch, batch_most, d_model, d_ff, seq_len, seq_len_most, memory_gib;
    const char *chips, *mode;
} mac_rows[] = {
    { 256, 256, 192, 768, 96, 128, 6, "base M1", "reduce-overhead" },
    { 512, 768, 256, 1024, 96, 256, 12, "M1 Pro/Max and M2", "reduce-overhead" },
    { 768, 1024, 320, 1280, 96, 384, 0, "M2 Pro/Max and M3", "max-autotune" },  /* "20 GB+": no upper end */
};
typedef struct mac_row mac_row;
enum { MAC_ROWS = sizeof mac_rows / sizeof *mac_rows };

/* The MLX guide's table. `rank` is that of the chip the row names, see eis_rank. */
static const struct eis_row { int64_t batch, memory_gib; double uses_gib; int rank; const char *chips; } eis_rows[] = {
    { 128, 8, 2.1, 0, "M1 (8 GB)" },
    { 256, 16, 3.2, 1, "M1 Pro (16 GB)" },
    { 512, 16, 4.8, 2, "M2/M3 (16 GB+)" },
    { 1024, 32, 8.4, 3, "M2 Max/Ultra (32 GB+)" },
};
enum { EIS_ROWS = sizeof eis_rows / sizeof *eis_rows };

static void choose(machine_advice *a, machine_choice_id id, int64_t value, int64_t most, const char *format, ...)
    TIDE_PRINTF(5, 6);
static void choose(machine_advice *a, machine_choice_id id, int64_t value, int64_t most, const char *format, ...) {
    machine_choice *c = &a->of[id];
    va_list         arguments;
    *c = (machine_choice){ .value = value, .most = most };
    va_start(arguments, format);
    vsnprintf(c->why, sizeof c->why, format, arguments);
    va_end(arguments);
}

static void choose_word(machine_advice *a, machine_choice_id id, const char *word, const char *format, ...)
    TIDE_PRINTF(4, 5);
static void choose_word(machine_advice *a, machine_choice_id id, const char *word, const char *format, ...) {
    machine_choice *c = &a->of[id];
    va_list         arguments;
    *c = (machine_choice){ 0 };
    snprintf(c->word, sizeof c->word, "%s", word);
    va_start(arguments, format);
    vsnprintf(c->why, sizeof c->why, format, arguments);
    va_end(arguments);
}

/* ---- Apple: the tables ---- */

/* Ultra is two Max on one base and M4 and later came after the Mac guide: both stand in the row above, or the last. */
static const mac_row *mac_row_of(const machine *m) {
    int row = 2;
    if (m->apple_generation <= 1) row = m->apple_tier == MACHINE_BASE ? 0 : m->apple_tier == MACHINE_ULTRA ? 2 : 1;
    else if (m->apple_generation == 2) row = m->apple_tier == MACHINE_BASE ? 1 : 2;
    return &mac_rows[row];
}

/* Why a chip stands in a row that does not name it; "" if it does. */
static const char *placed_why(const machine *m) {
    if (m->apple_generation == 0) return "; it names no such chip: the smallest row is safe";
    if (m->apple_tier == MACHINE_ULTRA)
        return m->apple_generation == 1 ? "; an Ultra is two Max: a row above theirs" : "; an Ultra is two Max";
    return m->apple_generation > 3 ? "; later chips stand with the last it names" : "";
}

static int eis_rank(const machine *m) {
    if (m->apple_generation <= 1) return m->apple_tier == MACHINE_ULTRA ? 3 : m->apple_tier == MACHINE_BASE ? 0 : 1;
    return m->apple_tier >= MACHINE_MAX ? 3 : 2;
}

/* The last row whose chip and memory this machine has. */
static void apple_eis_batch(const machine *m, machine_advice *a) {
    int64_t memory = machine_device_bytes(m);
    int     row = EIS_ROWS - 1, by_chip;
    while (row > 0 && eis_rows[row].rank > eis_rank(m)) row--;
    for (by_chip = row; row > 0 && memory > 0 && eis_rows[row].memory_gib * GIB > memory;) row--;
    const char *less = row < by_chip ? "; less memory than the chip's own row" : "";
    choose(a, MACHINE_EIS_BATCH, eis_rows[row].batch, eis_rows[row].batch, "the MLX guide's row %s%s",
           eis_rows[row].chips, less);
}

/* The Mac guide's 6 and 12 GB are three quarters of the smallest machines of their rows. */
static void apple_memory(const machine *m, const mac_row *row, machine_advice *a) {
    int64_t share = machine_device_bytes(m) / 4 * 3, limit = row->memory_gib * GIB;
    if (limit > 0 && (share == 0 || limit <= share))
        choose(a, MACHINE_MEMORY, limit, limit, "the Mac guide's for %s", row->chips);
    else
        choose(a, MACHINE_MEMORY, share, share,
               "three quarters of the memory, the share behind the Mac guide's 6 of 8 and 12 of 16 GB");
}

static void advise_apple(const machine *m, machine_advice *a) {
    const mac_row *row = mac_row_of(m);
    const char *why = placed_why(m);
    bool        big = m->apple_tier >= MACHINE_MAX;
    choose(a, MACHINE_BATCH, big ? row->batch_most : row->batch, row->batch_most,
           "the Mac guide's for %s, its %s end%s", row->chips, big ? "upper" : "lower", why);
    choose(a, MACHINE_D_MODEL, row->d_model, row->d_model, "the Mac guide's for %s", row->chips);
    choose(a, MACHINE_D_FF, row->d_ff, row->d_ff, "the Mac guide's for %s: four times d-model", row->chips);
    choose(a, MACHINE_SEQ_LEN, row->seq_len, row->seq_len_most,
           "96 is the published look-back, %" PRId64 " the Mac guide's most for %s",
           row->seq_len_most, row->chips);
    choose_word(a, MACHINE_COMPILE_MODE, row->mode, "the Mac guide's for %s", row->chips);
    apple_eis_batch(m, a);
    apple_memory(m, row, a);
}

/* ---- any other machine: its speed ---- */

/* The yardstick: a training epoch over a series like ETTh1, of the Mac guide's model with two blocks. */
#define TOKENS 11.0      /* 7 variates and 4 time marks */
#define LAYERS 2.0
#define WINDOWS 8545.0
#define PATIENCE_S 15.0
#define SHARE_REACHED 0.65  /* of the rate of large products, by a whole step */
#define FIXED_SHARE 0.05    /* of a step, for what does not grow with the batch: its start and the update */
#define UPDATE_BYTES 28.0   /* a parameter: weight, gradient and two moments read, all but the gradient written */
#define WATERMARK 0.7       /* of memory: the Mac guide's */

static double parameters_of(int64_t d_model) { return LAYERS * 12 * (double)d_model * (double)d_model; }

/* Training one window: two operations a parameter and token forward, four backward. */
static double window_s(const machine_rates *r, int64_t d_model) {
    return 6 * TOKENS * parameters_of(d_model) / (SHARE_REACHED * 1e9 * r->gflops[MACHINE_F32]);
}

static double fixed_s(const machine_rates *r, double parameters) {
    return 1e-6 * r->launch_us + UPDATE_BYTES * parameters / (1e9 * r->bandwidth_gbs);
}

static double window_bytes(int64_t d_model) { return 4 * TOKENS * LAYERS * 34 * (double)d_model; }

static void measured_batch(const machine_rates *r, int64_t d_model, int64_t budget, machine_advice *a) {
    double  least = fixed_s(r, parameters_of(d_model)) / (FIXED_SHARE * window_s(r, d_model));
    int64_t batch = 32, most = 1024;
    while (budget > 0 && most > 32 && (double)most * window_bytes(d_model) > (double)budget / 2) most /= 2;
    while (batch < most && (double)batch < least) batch *= 2;
    choose(a, MACHINE_BATCH, batch, most,
           "the smallest at which start-up and update take under %.0f %% of a step; more saves no time",
           100 * FIXED_SHARE);
}

/* A sample of the impedance network passes each weight once: eleven times less than a window of eleven tokens. */
static void measured_eis_batch(const machine_rates *r, int64_t budget, machine_advice *a) {
    double parameters = parameters_of(256), sample_s = window_s(r, 256) / TOKENS;
    double least = fixed_s(r, parameters) / (FIXED_SHARE * sample_s);
    int    row = 0;
    while (row + 1 < EIS_ROWS && (double)eis_rows[row].batch < least &&
           (budget <= 0 || eis_rows[row + 1].uses_gib * (double)GIB <= (double)budget))
        row++;
    choose(a, MACHINE_EIS_BATCH, eis_rows[row].batch, eis_rows[EIS_ROWS - 1].batch,
           "the smallest of the MLX guide's at which the update takes under %.0f %% of a step, as far as memory allows",
           100 * FIXED_SHARE);
}

static void advise_measured(const machine *m, const machine_rates *r, machine_advice *a) {
    const char *source = r->measured ? "measured" : "estimated";
    int64_t     budget = (int64_t)(WATERMARK * (double)machine_device_bytes(m));
    int         widest = MAC_ROWS - 1;
    while (widest > 0 && WINDOWS * window_s(r, mac_rows[widest].d_model) > PATIENCE_S) widest--;
    const mac_row *row = &mac_rows[widest];
    choose(a, MACHINE_D_MODEL, row->d_model, row->d_model,
           "an epoch over a series like ETTh1 takes %.2g s at the %s "
           "rate of products%s",
           WINDOWS * window_s(r, row->d_model), source,
           widest < MAC_ROWS - 1 ? "; the next width takes too long" : "");
    choose(a, MACHINE_D_FF, row->d_ff, row->d_ff, "four times d-model, as in the Mac guide");
    choose(a, MACHINE_SEQ_LEN, row->seq_len, row->seq_len_most,
           "96 is the published look-back, %" PRId64 " what the Mac guide pairs with this width", row->seq_len_most);
    choose(a, MACHINE_MEMORY, budget, budget, "%.0f %% of the memory %s, the Mac guide's watermark", 100 * WATERMARK,
           m->device.own_memory ? "of the device" : "this process may use");
    measured_batch(r, row->d_model, budget, a);
    measured_eis_batch(r, budget, a);
    double step_s = (double)a->of[MACHINE_BATCH].value * window_s(r, row->d_model),
           share = 1e-6 * r->launch_us / step_s;
    bool   costly = r->measured && share > 0.01;
    choose_word(a, MACHINE_COMPILE_MODE, costly ? "reduce-overhead" : "default",
                "starting a program takes %.2g %% of such a step%s",
                100 * share, costly ? "" : ": nothing to save");
}

/* ---- both ---- */

static void advise_threads(const machine *m, machine_advice *a) {
    int threads = machine_threads(m);
    bool limited = threads < m->usable_cores;
    const char *why = limited               ? "the CPU limit of the control group"
                      : m->efficiency_cores ? "the performance cores: a slow one would hold up the others"
                      : m->usable_cores < m->performance_cores ? "the physical cores that this process is allowed"
                                                               : "the physical cores";
    choose(a, MACHINE_THREADS, threads, threads, "%s", why);
}

/* 16 bits must be clearly faster to be worth their rounding; bf16 needs no loss scaling, so f16 must beat it too. */
static void advise_precision(const machine *m, const machine_rates *r, machine_advice *a) {
    const double *rate = r->gflops;
    bool has_bf16 = machine_on_cpu(m) && m->features & (MACHINE_AMX_BF16 | MACHINE_AVX512_BF16 | MACHINE_NEON_BF16);
    machine_precision best = MACHINE_F32;
    if (rate[MACHINE_BF16] > 1.3 * rate[MACHINE_F32]) best = MACHINE_BF16;
    if (rate[MACHINE_F16] > 1.3 * MAX2(rate[MACHINE_F32], rate[MACHINE_BF16])) best = MACHINE_F16;
    const char *word = machine_precision_name(best);
    if (best != MACHINE_F32)
        choose_word(a, MACHINE_PRECISION, word, "its products are %.1f times as fast as those in f32",
                    rate[best] / rate[MACHINE_F32]);
    else if (rate[MACHINE_BF16] > 0)
        choose_word(a, MACHINE_PRECISION, word, "bf16 products are only %.1f times as fast",
                    rate[MACHINE_BF16] / rate[MACHINE_F32]);
    else if (!r->measured && has_bf16)
        choose_word(a, MACHINE_PRECISION, word, "the processor has bf16: `measure` tells whether it is faster");
    else if (has_bf16)
        choose_word(a, MACHINE_PRECISION, word, "the processor has bf16, but this build has no products that use it");
    else
        choose_word(a, MACHINE_PRECISION, word, "the %s multiplies nothing shorter natively",
                    machine_on_cpu(m) ? "processor" : "device");
}

void machine_advise(const machine *m, const machine_rates *rates, machine_advice *out) {
    if (m->apple) advise_apple(m, out);
    else advise_measured(m, rates, out);
    advise_threads(m, out);
    advise_precision(m, rates, out);
}

const char *machine_choice_name(machine_choice_id id) {
    static const char *const names[] = {
        [MACHINE_BATCH] = "batch-size",   [MACHINE_EIS_BATCH] = "eis-batch-size", [MACHINE_D_MODEL] = "d-model",
        [MACHINE_D_FF] = "d-ff",          [MACHINE_SEQ_LEN] = "seq-len",          [MACHINE_THREADS] = "threads",
        [MACHINE_MEMORY] = "memory",      [MACHINE_PRECISION] = "precision",
        [MACHINE_COMPILE_MODE] = "compile-mode",
    };
    return names[id];
}
