/* Benchmarks: what a training step and an answer of the project's models cost here, beside what the machine can do and
 * beside another program on the same threads.
 *
 *     bench_result result;
 *     bench_case(bench_spec_named("etth1"), &(bench_settings){ .precision = TIDE_PRECISION_F32 }, &result, &failure);
 *     result.train.times.p50_ms ...
 *
 * A training step is: forward with dropout, loss, backward, gradients clipped to norm 1, AdamW with rate 1e-3. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <tidemill/core.h>
#include <tidemill/options.h>

#include "machine/machine.h"

/* ---- cases --------------------------------------------------------------------------------------------- */

typedef enum bench_kind {
    BENCH_FORECAST,    /* the forecaster: a training step, a batch of answers, one answer */
    BENCH_EIS,         /* the impedance predictor from known values: the same */
    BENCH_PREDICT,     /* the forecaster: a batch of answers alone */
    BENCH_PRODUCT,     /* one product of two square matrices */
    BENCH_EIS_TRAIN,   /* `epochs` epochs over `samples` samples with the impedance application's own step */
    BENCH_EIS_SPECTRA, /* training from spectra that are made meanwhile: recipe grid, a pool of `samples` */
    BENCH_EIS_EXACT,   /* exact posteriors of `batch` spectra over 12^5 cells at 61 frequencies */
    BENCH_EIS_MEMORY   /* what the impedance step holds at batches of 128, 256, 512 and 1024 */
} bench_kind;

/* Fields that the kind has no use for are 0. */
typedef struct bench_spec {
    const char *name;
    bench_kind  kind;
    int64_t batch;
    int64_t columns, seq_len, pred_len, marks, d_model, d_ff, n_heads, e_layers;  /* the forecaster's */
    double  dropout;                                                              /* the forecaster's */
    bool    relu, plain;               /* the forecaster's: in place of GELU; without each window's normalisation */
    int64_t out_first, out_count;      /* the forecaster's: columns that are forecast; out_count 0: all */
    const char *weights;               /* the forecaster's: a model file to start from, borrowed; NULL: random
                                          parameters */
    int64_t hidden;            /* impedance: width of the first layer */
    int64_t size;              /* BENCH_PRODUCT */
    int64_t samples, epochs;   /* BENCH_EIS_TRAIN */
} bench_spec;

const bench_spec *bench_spec_named(const char *name);  /* NULL: there is none */
const char       *bench_case_names(void);              /* "etth1|m1|..." */

/* The model of a forecaster's run folder, with the batch that it was trained with; `weights` gets the path of its file,
 * which the case borrows. TIDE_EDATA if there is none. */
enum { BENCH_PATH = 1024 + 64 };
tide_status bench_spec_of_run(const char *folder, char weights[BENCH_PATH], bench_spec *out, tide_failure *failure);

/* ---- one case ------------------------------------------------------------------------------------------ */

enum { BENCH_TIMES_MOST = 300, BENCH_NOTE = 200, BENCH_BATCHES = 4 };

typedef struct bench_settings {
    const char    *device;     /* NULL: "cpu" */
    int            threads;    /* 0: the physical cores this process may use */
    tide_precision precision;  /* of the matrix products */
    tide_program_mode mode;    /* how programs are compiled; 0: default */
    double         seconds;    /* that the timed steps of a case take, about; 0: 3 */
    /* As the Mac guide counts: so many batches of answers, and as many single ones, after so many untimed, and 20 steps
     * after 5. 0: by `seconds`. Models only. */
    int            iterations, warmups;
    /* Asked between single runs, and while a script runs; true stops (TIDE_ECANCELLED). NULL: not asked. */
    bool         (*stop)(void *user);
    /* Called between the parts of a case with what comes next; false stops (TIDE_ECANCELLED). NULL: not called. */
    bool         (*tell)(void *user, const char *what);
    /* Called with a page on the training step's kernels and their times (tide_explanation_text). NULL: not made. */
    void         (*explain)(void *user, const char *page);
    void          *user;
} bench_settings;

/* Wall-clock times of single runs, each to the end of all that the device had queued. Percentiles are interpolated
 * between the two nearest times. */
typedef struct bench_times {
    int64_t count, warmups;         /* warmups: untimed runs before, the first among them */
    double  first_ms, warmup_ms;    /* the first run of all; mean of the warm-ups */
    double  total_s, mean_ms, min_ms, max_ms, p50_ms, p95_ms;
    double  queued_ms;              /* of one run of several that were queued before a single wait, on a device with
                                       memory of its own; 0: not timed */
    double  ms[BENCH_TIMES_MOST];   /* in the order of the runs */
} bench_times;

/* One compiled program. times.count 0: the case does not have it. */
typedef struct bench_program {
    double      compile_ms;
    double      flops;             /* of matrix products, a run */
    int64_t     kernels, batch;
    tide_memory placed;            /* what the program holds, known before its first run */
    bench_times times;
} bench_program;

typedef struct bench_memory {
    int64_t before_bytes;          /* resident when the case began */
    int64_t peak_bytes;            /* highest resident while it trained, by the kernel's account; 0: not known for this
                                      case alone */
    int64_t input_bytes;           /* the data of a step, which stay on the device */
    int64_t available_bytes;       /* what this process may use */
    int64_t device_bytes;          /* most that one of the programs holds, where the device has memory of its own; 0: it
                                      has not */
} bench_memory;

typedef struct bench_result {
    bench_spec     spec;
    tide_device    device;
    tide_precision precision;      /* of the programs: F32, BF16 or F16 */
    tide_program_mode mode;        /* DEFAULT, REDUCE_OVERHEAD or MAX_AUTOTUNE */
    char           note[BENCH_NOTE];   /* why it is not the one asked for; "" */
    int            threads;
    int64_t        parameters;
    tide_shape     input;          /* of the largest input */
    double         build_ms;       /* the graph, with the step's derivatives */
    double         copy_ms;        /* the data of a step from the host to a device with memory of its own, to their
                                      arrival: in no other figure; 0: not timed */
    double         first_step_ms;  /* from nothing to the end of the first step */
    bench_program  train, infer, one;  /* a step; answers to a batch; one answer. BENCH_PRODUCT and PREDICT:
                                         infer alone */
    bench_memory   memory;
    double         roof_gflops;    /* of matrix products through the engine, same precision and threads: measured before
                                      and after */
    double         kept_gflops;    /* the same as `tidemill machine --measure` kept it, of this device on these threads;
                                      0: it did not */
    double         load;           /* average of the minute before; 0: not known */
    double         joules;         /* a training step, of the whole processor, or of the device where it has memory of
                                      its own; 0: not readable here */
    double         loss;           /* after the last step: finite, or it would not be a training step */
    struct bench_epochs { int64_t steps, planned; double seconds, whole_s;
    } epochs; /* BENCH_EIS_TRAIN: done and planned;
              whole_s: all that is planned, at this rate */
    /* BENCH_EIS_MEMORY; peak above before */
    struct bench_batch { int64_t batch, placed_bytes, peak_bytes; } batches[BENCH_BATCHES];
} bench_result;

/* Times one case. A precision that this machine has no fast products for gives f32 and a note.
 * Fails with the engine's failure, or TIDE_ECANCELLED. */
tide_status bench_case(const bench_spec *spec, const bench_settings *settings, bench_result *out,
                       tide_failure *failure);

/* The program whose times stand for the case: train, or infer where nothing is trained. */
const bench_program *bench_main_program(const bench_result *r);
double bench_gflops(const bench_program *p);                               /* at its median; 0 without times */
double bench_roof_share(const bench_result *r, const bench_program *p);    /* of the roof; 0: not known */

/* Whether other work on the machine makes the times longer than they need be, and by what it shows: the roof lies far
 * below the one that is kept, runs scatter, or the load is more than ours. Then a share of the roof says nothing. */
bool bench_busy(const machine *m, const bench_result *r, char reason[BENCH_NOTE]);
/* "excellent", "good" or "could be better"; "not rated" on a busy machine. Apple chips: by the Mac guide's limits on
 * the mean latency of a batch; elsewhere by the share of the roof that answering a batch reaches. "unknown" when there
 * is neither. */
const char *bench_rating(const machine *m, const bench_result *r);
/* The i-th thing to do about this result, one sentence in `buffer`; false past the last. */
bool bench_recommendation(const machine *m, const bench_result *r, int i, char buffer[BENCH_NOTE]);

/* ---- beside another program: a script, run alternately with ours --------------------------------------- */

/* What the script runs; those with "amp" in bf16, the others in f32. The last two capture the whole step in a CUDA
 * graph: on the device cuda alone. */
typedef enum bench_mode {
    BENCH_EAGER, BENCH_COMPILE, BENCH_AMP, BENCH_COMPILE_AMP, BENCH_GRAPH, BENCH_GRAPH_COMPILE_AMP, BENCH_MODES
} bench_mode;
const char *bench_mode_name(bench_mode mode);  /* "eager", "compile", "amp", "compile-amp", "graph", ... */

typedef struct bench_peer {
    char   version[48];            /* as the script said; "" if it said nothing */
    /* medians over the rounds; 0: not there. queued_ms: of a step, many queued before one wait; peak_mib: of the
     * device's memory */
    struct bench_peer_times { double step_ms, infer_ms, first_s, queued_ms, peak_mib; } mode[BENCH_MODES];
    char   failed[BENCH_NOTE];     /* what the first mode that failed said; "" */
} bench_peer;

/* ---- several, reported --------------------------------------------------------------------------------- */

typedef struct bench_options {
    const char *cases;             /* names, by commas; NULL: the six training steps */
    const char *device;            /* NULL: "cpu" */
    const char *precisions;        /* "f32", "bf16", "f16", "auto", by commas; NULL: f32 */
    int         threads;           /* 0: the physical cores this process may use */
    tide_program_mode mode;        /* 0: default */
    double      seconds;           /* 0: 3 */
    const char *against;           /* the script; NULL: none */
    const char *python;            /* what runs it; NULL: "python3" */
    const char *modes;             /* of the script, by commas; NULL: all that the device has */
    int         rounds;            /* ours, theirs, ours, theirs ...; 0: 3, without a script 1 */
    bool      (*stop)(void *user);
    bool      (*tell)(void *user, const char *what);
    void      (*explain)(void *user, const char *page);  /* in the first round */
    void       *user;
} bench_options;

typedef struct bench_entry {
    bench_result result;           /* of the round with the median step */
    double       step_ms, infer_ms;  /* medians over the rounds; of the main program and of one answer */
    double       queued_ms;          /* the same of the main program, queued; 0: not timed */
    bench_peer   peer;
} bench_entry;

/* theirs / ours: above 1 we are faster. 0: not known. */
typedef struct bench_ratios {
    double peer_step_ms;           /* eager, in the precision of the result */
    double eager, compile;         /* step, same precision */
    double best;                   /* step, against their fastest mode in any precision */
    double infer;                  /* one answer, against their eager one in the same precision */
    double queued;                 /* queued steps, against their fastest queued mode in any precision */
    double peer_peak_mib;          /* what that mode held */
    double roof_allows;            /* the largest that `eager` could be: at the roof our step takes flops / roof */
} bench_ratios;
bench_ratios bench_ratios_of(const bench_entry *e);

typedef struct bench_report {
    machine      here;
    tide_device  device;
    char         commit[64];       /* of the checkout it runs in; "" outside one */
    int          threads, rounds;
    bool         compared;
    double       total_s;
    bench_entry *entry;            /* one a case and precision */
    int64_t      count;
} bench_report;

/* Runs them all. TIDE_EINVAL for a name that is not known, TIDE_EDEVICE when the device, the script's python or
 * what the script imports is missing (before anything is timed). Free with bench_report_free, after a failure too. */
tide_status bench_run(const bench_options *options, bench_report *out, tide_failure *failure);
/* The report of one case, of sizes of your own too: what --benchmark shows after a training. `spec` is copied, its name
 * borrowed. */
tide_status bench_report_case(const bench_spec *spec, const bench_settings *settings, bench_report *out,
                              tide_failure *failure);
void        bench_report_free(bench_report *r);

/* A table, and one JSON object with schema_version; malloc'ed, NULL when out of memory. */
char *bench_text(const bench_report *r);
char *bench_json(const bench_report *r);
/* FOLDER/JSON_NAME, and the times of single runs as step-times.svg and answer-times.svg with their numbers as .csv.
 * Makes the folder. *drawn: whether there was a gnuplot; drawn NULL: no plots. */
tide_status bench_write(const bench_report *r, const char *folder, const char *json_name, bool *drawn,
                        tide_failure *failure);

/* ---- in text ------------------------------------------------------------------------------------------- */

/* What the command takes, and a job of the service: a row each in bench_table(). */
enum { BENCH_TEXT = 1024, BENCH_OPTIONS = 13 };

typedef struct bench_asked {
    char    device[32], cases[BENCH_TEXT], precision[BENCH_TEXT], against[BENCH_TEXT], python[BENCH_TEXT],
            modes[BENCH_TEXT], out[BENCH_TEXT];
    double  seconds;
    int64_t threads, rounds;
    int     mode;
    bool    quick, explain, given[BENCH_OPTIONS];
} bench_asked;

const tide_option_table *bench_table(void);

#endif
