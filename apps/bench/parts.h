/* What the files of the benchmark share. */
#ifndef BENCH_PARTS_H
#define BENCH_PARTS_H

#include "bench.h"

/* ---- stats.c ---- */

/* Fills the statistics from ms[0..count). */
void   bench_summarise(bench_times *t);
/* The q-quantile (0..1) of `count` > 0 ascending numbers, interpolated. */
double bench_quantile(const double *ascending, int64_t count, double q);
/* Of at most BENCH_TIMES_MOST numbers in any order; those that are 0 do not count. 0: there is none. */
double bench_median(const double *values, int64_t count);

/* ---- timing.c ---- */

/* Runs after the first: untimed, then timed ones while `seconds` last. `settings` says whether to stop between them. */
typedef struct bench_plan {
    int warmups;
    int64_t least, most;
    double seconds;
    bool   queues;  /* the device may queue runs: some are timed so, too */
    const bench_settings *settings;
} bench_plan;
/* Runs the program, which needs no feed, as planned and times it, each run to its end; then, where runs are queued, so
 * many as were timed with one wait for all of them. */
tide_status bench_time(tide_program *p, bench_plan plan, bench_program *out, tide_failure *failure);
/* Joules of a run by the device's own counter: `runs` that are queued, again until about a third of the plan's time has
 * passed. *joules stays where that cannot be known. */
tide_status bench_energy(tide_program *p, bench_plan plan, const char *device, int64_t runs, double *joules,
                         tide_failure *failure);
tide_program *bench_compile(tide_list wanted, tide_precision precision, bench_program *out);
/* Tells what comes next: TIDE_ECANCELLED if that stops it. */
tide_status bench_tell(const bench_settings *s, const char *name, const char *what, tide_failure *failure);
/* A graph on the device, which may use all of its memory; NULL, and why. */
tide_graph *bench_graph(const char *device, int threads, tide_failure *failure);
bool        bench_stopped(const bench_settings *s);
tide_status bench_cancelled(tide_failure *failure);  /* TIDE_ECANCELLED, and says so */
/* The program's failure or the graph's; TIDE_OK if there is none. */
tide_status bench_failed(const tide_graph *g, const tide_program *p, tide_failure *failure);

/* ---- roof.c ---- */

/* Raises *gflops to the rate of the device's fastest square product, of a few sizes, in about `seconds`. */
tide_status bench_roof(const bench_settings *s, const tide_device *device, double seconds, double *gflops,
                       tide_failure *failure);

/* ---- eis_cases.c ---- */

tide_status bench_eis_train(const bench_spec *spec, const bench_settings *s, bench_result *out, tide_failure *failure);
tide_status bench_eis_memory(const bench_spec *spec, const bench_settings *s, bench_result *out, tide_failure *failure);

/* ---- spectra_case.c ---- */

tide_status bench_eis_spectra(const bench_spec *spec, const bench_settings *s, bench_result *out,
                              tide_failure *failure);

/* ---- exact_case.c ---- */

tide_status bench_eis_exact(const bench_spec *spec, const bench_settings *s, bench_result *out, tide_failure *failure);

/* ---- case.c ---- */

/* Builds, compiles and runs the training step alone. */
tide_status bench_train_only(const bench_spec *spec, const bench_settings *s, bench_plan plan, bench_result *out,
                             tide_failure *failure);
/* The page of bench_settings.explain on a program of `g`; its runs, if it assigns, are steps too. */
tide_status bench_explain(tide_program *p, const tide_graph *g, const tide_feed *feeds, int64_t count,
                          const bench_settings *o, const bench_result *out, tide_failure *failure);

/* ---- accounting_*.c: the kernel's own account ---- */

/* Gives freed memory back and starts a new peak. False: the peak is the process' highest ever. */
bool    account_new_peak(void);
/* Micro-joules that the processor packages (macOS: this process alone) have used since some moment; false: not
 * readable. It wraps at *range; 0: never. */
bool    account_energy(double *microjoules, double *range);

/* ---- meter.c: energy by a device's own account ---- */

/* A counter of an NVIDIA device, through its driver's libraries, which stay open. */
typedef struct device_meter { void *device; int (*read)(void *device, unsigned long long *millijoules); } device_meter;
bool        bench_on_cuda(const char *device);  /* "cuda" or "cuda:INDEX" */
/* False: the device has none that can be read here. */
bool        device_meter_open(const char *device, device_meter *out);
bool        device_meter_read(const device_meter *m, double *joules);

/* ---- commit.c ---- */

/* Of the project's checkout that the working folder is in; "" outside one. */
void bench_commit(char out[64]);

/* ---- peer.c ---- */

/* Asked a few times a second while a script runs; true ends it. */
typedef struct bench_watch { bool (*stop)(void *user); void *user; } bench_watch;
/* Whether `python` can import torch, or jax if the script does: TIDE_EDEVICE if not, and what to do about it. */
tide_status bench_peer_available(const char *python, const char *script, bench_watch watch, tide_failure *failure);
typedef struct bench_peer_call {
    const char *python, *script, *name, *modes;
    const char *device;  /* handed on; NULL: the script's own, the CPU */
    int         threads;
    double      seconds;
    bench_watch watch;
} bench_peer_call;
/* One run of the script for one case. Modes it does not tell of stay 0. Stopped, it and what it started have ended. */
tide_status bench_peer_run(const bench_peer_call *call, bench_peer *out, tide_failure *failure);
/* Reads one line of the script's output; lines that are not about the case are ignored. */
void        bench_peer_line(const char *line, const char *name, bench_peer *out);
bool        bench_mode_named(const char *name, bench_mode *out);
/* How many of the modes, from the first on, a script has on the device, and their names by commas. */
int         bench_modes_on(const char *device);
const char *bench_mode_names(const char *device);
/* The figures of a mode as doubles at `at` in a bench_peer_times, by the script's names. */
enum { BENCH_PEER_FIGURES = 5 };
typedef struct bench_peer_figure { const char *key; size_t at; } bench_peer_figure;
extern const bench_peer_figure bench_peer_figures[BENCH_PEER_FIGURES];
double     *bench_peer_value(struct bench_peer_times *t, int figure);

#endif
