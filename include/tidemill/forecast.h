/* Forecasting of multivariate series with an iTransformer (Liu et al., ICLR 2024): train, evaluate, predict
 * (and backtest.h, tune.h, explain.h).
 *
 * One options struct serves all commands; forecast_option_table lists every option once (name, type, range, help)
 * for command lines, configuration files, forms and run.json. Nothing here prints, exits or handles signals: progress,
 * notes and cancelling go through one callback, and every failure says what, where and what would be accepted.
 *
 * mac, in options and enums: as in the Mac guide, "Mac Optimization Guide for Time Series Forecasting with
 * iTransformer" (docs/guides.md).
 *
 *     forecast_options o;
 *     forecast_options_default(&o);
 *     forecast_option_set(&o, "preset", "etth1-96", &failure);
 *     forecast_option_set(&o, "data", "ETTh1.csv", &failure);
 *     forecast_result r = { 0 };
 *     if (forecast_train(&o, NULL, NULL, &r, &failure) == TIDE_OK) puts(r.json);
 *     forecast_result_free(&r); */
#ifndef TIDEMILL_FORECAST_H
#define TIDEMILL_FORECAST_H

#include "frame.h"
#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FORECAST_TEXT_SIZE 512
#define FORECAST_MAX_OPTIONS 128
#define FORECAST_MAX_LEVELS 16
#define FORECAST_MAX_QUANTILES 31

/* ---- options ------------------------------------------------------------------------------------------ */

/* Values of the choice options, in the order of the table's `choices`. */
typedef enum forecast_kind {
    FORECAST_CUSTOM,
    FORECAST_ETTH,
    FORECAST_ETTM,
    FORECAST_SOLAR,
    FORECAST_PEMS
} forecast_kind;
typedef enum forecast_features { FORECAST_M, FORECAST_S, FORECAST_MS } forecast_features;
/* Empty cells, and rows that are left out of an even time axis. MASK: they stay gaps, which count neither in the
 * normalisation nor in the loss nor in scores; the model is told where they are, and sees lines across them. AUTO: MASK
 * for FORECAST_CUSTOM, else ERROR. */
typedef enum forecast_missing {
    FORECAST_MISSING_AUTO,
    FORECAST_MISSING_ERROR,
    FORECAST_MISSING_FFILL,
    FORECAST_MISSING_LINEAR,
    FORECAST_MISSING_MASK
} forecast_missing;
/* Rows of one time stamp, or where freq is given of one step of it, become one: gaps are left out, and of gaps alone
 * the result is one. A step has its start for a stamp (full hours, midnights, Mondays or the weekday of W-SUN, the
 * first of a month; with ME, QE and YE the last day), and one without any row is a row left out. NONE: a row that
 * repeats another's stamp and values is left out, and other values are refused. KEEP: all stay, and each moves those
 * after it by one step. In long format this goes by series (and KEEP is as NONE); with tz days and longer steps are
 * those of the local clock. */
typedef enum forecast_aggregate {
    FORECAST_AGGREGATE_NONE,
    FORECAST_AGGREGATE_KEEP,
    FORECAST_AGGREGATE_FIRST,
    FORECAST_AGGREGATE_LAST,
    FORECAST_AGGREGATE_MEAN,
    FORECAST_AGGREGATE_SUM,
    FORECAST_AGGREGATE_MIN,
    FORECAST_AGGREGATE_MAX,
    FORECAST_AGGREGATE_MEDIAN
} forecast_aggregate;
/* ITRANSFORMER: attention over series (Liu et al., ICLR 2024). DLINEAR: a moving average and the rest, an affine map
 * each (Zeng et al., AAAI 2023). PATCHTST: attention over patches of each series by itself (Nie et al., ICLR 2023). The
 * others are the baselines as models, without steps of training: LINEAR, a ridge regression from window to horizon that
 * all series share, SEASONAL_NAIVE, the last season again, and LAST_VALUE. AUTO: all of them, as far as options->budget
 * goes, and a sum of their forecasts with weights that validation gives them (docs/forecast-models.md). */
typedef enum forecast_arch {
    FORECAST_ITRANSFORMER,
    FORECAST_DLINEAR,
    FORECAST_PATCHTST,
    FORECAST_ARCH_LINEAR,
    FORECAST_ARCH_SEASONAL_NAIVE,
    FORECAST_ARCH_LAST_VALUE,
    FORECAST_ARCH_AUTO
} forecast_arch;
/* What the network says of each value to come. POINT: a number, by loss_function. QUANTILE: options->quantiles of it,
 * by their pinball loss (Koenker and Bassett, Econometrica 1978); the point is the median. STUDENT_T: location and
 * scale of Student's distribution, by its likelihood, with degrees of freedom for each step that the training finds;
 * the point is the location. Intervals and paths are those of the head, calibrated (docs/forecast-models.md). */
typedef enum forecast_head { FORECAST_HEAD_POINT, FORECAST_HEAD_QUANTILE, FORECAST_HEAD_STUDENT_T } forecast_head;
typedef enum forecast_activation { FORECAST_GELU, FORECAST_RELU } forecast_activation;
typedef enum forecast_optimizer {
    FORECAST_ADAM,
    FORECAST_ADAMW,
    FORECAST_SGD,
    FORECAST_RMSPROP,
    FORECAST_LION
} forecast_optimizer;
typedef enum forecast_lradj { FORECAST_LR_TYPE1, FORECAST_LR_TYPE2, FORECAST_LR_TYPE3, FORECAST_LR_COSINE,
                              FORECAST_LR_CONSTANT,
                              FORECAST_LR_MAC_TYPE1, FORECAST_LR_MAC_TYPE2, FORECAST_LR_MAC_SLOWER,
                              FORECAST_LR_MAC_COSINE, FORECAST_LR_AUTO } forecast_lradj;
typedef enum forecast_loss {
    FORECAST_MSE,
    FORECAST_MAE,
    FORECAST_HUBER,
    FORECAST_DIRECTIONAL,
    FORECAST_FINANCIAL
} forecast_loss;
typedef enum forecast_use {
    FORECAST_USE_MODEL,
    FORECAST_USE_LAST_VALUE,
    FORECAST_USE_SEASONAL,
    FORECAST_USE_LINEAR,
    FORECAST_USE_BEST
} forecast_use;
/* as tide_precision */
typedef enum forecast_precision { FORECAST_F32, FORECAST_BF16, FORECAST_F16, FORECAST_AUTO } forecast_precision;
/* as tide_program_mode, from DEFAULT */
typedef enum forecast_compile_mode {
    FORECAST_MODE_DEFAULT,
    FORECAST_MODE_REDUCE_OVERHEAD,
    FORECAST_MODE_MAX_AUTOTUNE
} forecast_compile_mode;
/* AUTO: by the ending of options->output */
typedef enum forecast_format {
    FORECAST_FORMAT_AUTO,
    FORECAST_FORMAT_C,
    FORECAST_FORMAT_ONNX,
    FORECAST_FORMAT_PTH
} forecast_format;
typedef enum forecast_resume { FORECAST_RESUME_NO, FORECAST_RESUME_AUTO, FORECAST_RESUME_MUST } forecast_resume;

/* Plain data: copy it freely. Text fields are never NULL; "" means "not given". Choice fields hold the enums above. */
typedef struct forecast_options {
    /* data */
    char   data[FORECAST_TEXT_SIZE];         /* CSV, .csv.gz, or "-" (standard input) */
    int    kind, features, missing;
    int    aggregate;                        /* forecast_aggregate */
    char   target[128], time_column[128];
    char   freq[128];                        /* "" found from the stamps; else "15min", "h", pandas' words (MS, BME,
                                                QE-DEC, W-SUN), or hours of a week: "h, Mon-Fri 10:00-16:00" */
    char   columns[4096], ignore[4096];      /* comma-separated names; of a table in long format those of its series */
    char   id[256], value[1024];             /* long format, rows of several series below each other (unique_id, ds,
                                                y): the columns that tell series apart, and those with the values,
                                                comma-separated. "": found where it is certain, and told in a note; id
                                                "none": the table is not taken for long format. A series is named as
                                                its id is written, several columns joined by "/" (with several values
                                                ID/NAME); a forecast is written in the same form */
    char   targets[4096];                    /* forecast these, in place of `features`; the others are inputs.
                                                explain_inputs: attribute the forecasts of these alone */
    char   known[4096];                      /* inputs whose values are known pred_len rows ahead: never forecast */
    char   categorical[4096];                /* columns of text, or of codes: inputs of 0 and 1, one for each value,
                                                named A=value; `known` takes A. In a frame they are codes */
    char   holidays[FORECAST_TEXT_SIZE];     /* CSV with a column of dates, and perhaps one of names: inputs known
                                                ahead, `holiday` and holiday=NAME. The run keeps them; predict,
                                                evaluate: "", or others in their place */
    char   issued[FORECAST_TEXT_SIZE];       /* CSV of inputs that were forecast themselves (a weather forecast): a
                                                column of stamps, issued_at, and one for each input. A window sees the
                                                newest that had been issued by its last row. predict, evaluate: such a
                                                file again */
    char   issued_at[128];                   /* the column that says when; "": issued_at, issued, issue_time, ... */
    char   without_history[4096];            /* targets whose own past the model does not see */
    char   statics[FORECAST_TEXT_SIZE];      /* CSV with a row for each series, its name (or its ids) and attributes
                                                that time does not change: numbers, or text (codes, if `categorical`
                                                has them). Inputs beside each series, kept in the run; the option is
                                                called static. predict, evaluate, backtest: others in their place;
                                                with other_columns those of the new series */
    char   static_columns[1024];             /* the same as columns of a table in long format, each of one value in
                                                all rows of a series */
    char   marks[24];                        /* "auto" (from the frequency), "none", or a frequency such as "h" */
    char   sep[8], decimal[8], thousands[8]; /* one character each; thousands: what groups the digits by three */
    char   na[256];                          /* comma-separated marks of a missing value: text, or numbers
                                                ("?,-9999") */
    int64_t skip_rows;                       /* lines before the header */
    bool   strict_dates, sort;               /* refuse repeated or missing stamps; put the rows in the order of time */
    int    date_order;                       /* what 1/2/2023 means: 0 found, 1 day first, 2 month first */
    char   tz[64];                           /* "Europe/Berlin": of the system's time zone database. Stamps are its
                                                local times; those with an offset or Z, epochs, and a frame's times are
                                                instants, shown in it. "": stamps are taken as they stand */
    /* model */
    int     arch;
    char    budget[24];                      /* "90s", "10m", "1h30m". arch auto: time for training its members; "":
                                                10m, or no limit where `members` are given. tune: of the search, over
                                                restarts; "": no limit */
    char    members[256];                    /* arch auto: comma-separated networks; "": all, the cheap ones first */
    int     head;                            /* forecast_head; not with arch auto and those without steps but LINEAR,
                                                which then takes steps */
    char    quantiles[FORECAST_TEXT_SIZE];   /* head QUANTILE: comma-separated, within 0.001 to 0.999, at most
                                                FORECAST_MAX_QUANTILES, 0.5 and one to either side of it among them;
                                                "": 0.025,0.1,0.25,0.5,0.75,0.9,0.975 */
    int64_t seq_len, pred_len, d_model, n_heads, e_layers, d_ff;
    double  dropout;
    int     activation;
    bool    use_norm;
    /* training */
    /* Open: forecast_train sets batch_size 0, epochs 0, patience -1, dropout -1, learning_rate 0 and lradj
     * FORECAST_LR_AUTO by the length of the series, and run.json holds what it took. 200 batches an epoch or more:
     * batch 32, 10 epochs, 1e-4, type1, patience 3, dropout 0.1, as published. Fewer: 2,000 steps at 1e-3 under a
     * cosine, patience 500 steps; below 256 windows batch 8 and no dropout. */
    int64_t batch_size, epochs, patience, min_epochs, seed;
    double  max_minutes;                     /* 0: no limit; else as many epochs as end within it, data and scoring
                                                included, or less than one */
    int     optimizer, lradj, loss_function;
    double  learning_rate, weight_decay, grad_clip, directional_weight;
    bool    direction_surrogate;
    double  val, test;                       /* the last rows, for validation and test: below 1 a share, else rows; 0:
                                                as `kind` splits */
    char    origins[256];                    /* clocks and weekdays, by the local clock, of the rows to forecast from:
                                                "10:00", "Mon-Fri 10:00,Sat 12:00", "Mon"; "all": any. train, tune: the
                                                windows to learn from, to validate and to test on are those whose last
                                                input row is one; "": all; the run keeps it. evaluate, backtest: ""
                                                those of the run. predict: the forecast starts from the newest such row
                                                of `data`; "": from the last row, with a warning where it is none of
                                                the run's */
    bool    refit;                           /* after scoring, learn once more from all rows; the scores stay */
    char    preset[48];
    char    compat[256];                     /* comma-separated names, see forecast_compat_list */
    /* machine */
    char    device[32];                      /* one of tide_devices(), or "auto": training times its own step on each
                                                for up to 2 s, takes the fastest and says so in
                                                run.json (it also takes a list, "cuda:0-1", a rank for
                                                each); what answers by a run takes its device for
                                                batches of 64 or more, else cpu */
    int     precision;                       /* of large matrix products */
    bool    strict;                          /* what the device lacks is an error, not a warning */
    int64_t threads;                         /* 0: the physical cores this process may use */
    int64_t cut;                             /* as tide_graph_options.cut */
    int64_t memory_limit_mib;                /* 0: what the machine has */
    char    memory_limit[24];                /* the same as "0.7" (of what the machine has), "512M", "2G" or bytes; "":
                                                not given */
    int64_t accumulate;                      /* train: parts that a batch is run in; 1: as a whole. Divides
                                                batch_size */
    bool    ranks;                           /* train: with the other processes that mpirun or srun started, which call
                                                the same functions in the same order: one run, of number 0 of them, and
                                                the bits of `accumulate` as many. Collective: forecast_trainer_new,
                                                _run, _score, _free and forecast_train */
    bool    join;                            /* tune, backtest: other processes with the same options, also of other
                                                machines, may do their share at the same time, with the same `out` or
                                                `output` */
    bool    recompute;                       /* train: the encoder blocks' values are made again for the backward
                                                pass */
    int64_t sample_columns;                  /* train: columns of a step, drawn anew for each; 0: all. Validation and
                                                scores are of all */
    bool    auto_batch;                      /* train: a batch that does not fit is lowered to the largest that does */
    bool    compile;                         /* false: op by op, without the compiler's passes */
    int     compile_mode;                    /* forecast_compile_mode */
    bool    explain;                         /* train: tell what the step consists of (FORECAST_STAGE_EXPLAIN) */
    bool    measure;                         /* explaining: run the step for about a second to time its kernels */
    bool    auto_size;                       /* train: sizes that were not given become those that suit the machine */
    char    dump_graph[FORECAST_TEXT_SIZE];  /* train: folder for each compiler pass' text and DOT; "": none */
    bool    verbose;                         /* also tell what each pass left (it compiles once more); no row of the
                                                table */
    /* run folder and output */
    char    out[FORECAST_TEXT_SIZE];         /* train: run folder; "" is runs/DATE-NAME. explain_inputs: folder of the
                                                page; "" is `explain` in the run's */
    int     resume;
    char    from[FORECAST_TEXT_SIZE];        /* train: a run, or its model.safetensors, whose parameters are the first
                                                ones (docs/forecast-finetune.md). Its seq_len, pred_len, arch, sizes,
                                                activation and use_norm are the new run's; all else is its own, a tenth
                                                of the usual learning_rate the default. Other columns than the run's are
                                                fine: no parameter belongs to one. "": new parameters */
    bool    keep_scaler;                     /* and its means and deviations, in place of those of the new training
                                                rows */
    bool    overwrite;
    bool    plots;                           /* train, predict: also draw SVG, which starts gnuplot; false unless set
                                                (the command sets it) */
    /* update */
    int64_t steps;                           /* to take */
    int64_t rows;                            /* the last ones, to learn; 0: those after the run's last row, and at
                                                least 200. explain_inputs: the recent rows of its drift */
    /* evaluate and predict */
    char    model[FORECAST_TEXT_SIZE];       /* run folder */
    char    output[FORECAST_TEXT_SIZE];      /* predict: CSV to write; "" or "-": only forecast_result.csv. export:
                                                what it writes. backtest: "" none */
    char    future[FORECAST_TEXT_SIZE];      /* predict: CSV with the `known` columns of the pred_len rows to come; "":
                                                they are the last rows of `data`, in which no other column has a value
                                                */
    char    save_predictions[FORECAST_TEXT_SIZE]; /* evaluate: .npz to write */
    int64_t season;                          /* rows of a season of the seasonal-naive baseline; 0: from the
                                                frequency */
    /* backtest (backtest.h) */
    int64_t step;                            /* every so many rows (with `origins`: of theirs) is an origin; 0: horizon
                                                (1), so that no row is forecast twice */
    int64_t lead, horizon;                   /* rows between an origin and the first that counts, and how many count;
                                                0: all that are left of pred_len */
    int64_t windows;                         /* the last so many origins; 0: all. explain_inputs: evenly spread over
                                                the test rows; 0: up to 32 */
    int64_t refit_every;                     /* train anew before each so many origins; 0: never */
    bool    warm_start;                      /* from the run's parameters, for `epochs` (0: 3) */
    /* tune (tune.h) */
    int64_t trials;                          /* settings to try */
    char    space[4096];                     /* "d-model=64,128;learning-rate=1e-4..3e-3 log", or the path of a file of
                                                such lines; "none"; "": the usual one */
    int64_t seeds;                           /* that the best settings are trained with, from `seed` on */
    bool    other_columns;                   /* predict, evaluate: forecast the columns of `data`, whatever they are
                                                called and how many, with the run's network, which must have learned
                                                all its columns in the same way (docs/forecast-finetune.md). Their
                                                means and deviations are those of the file's training rows, or of all
                                                if it is too short for that; the run has no intervals for them */
    int     use;                             /* predict: forecast_use */
    char    level[128];                      /* prediction intervals, "80,95": percent, from 1 to 99. "": predict gives
                                                none, train and evaluate measure 80 and 95 */
    char    lower[4096], upper[4096];        /* predict: no forecast and no bound of an interval beyond: "0" for all
                                                columns, or "NAME=0,..." */
    char    sum[4096];                       /* "total=north+south;north=a+b", "@FILE": a file of such lines. predict:
                                                sums of series that are forecast beside them; train, evaluate, backtest:
                                                whose intervals are measured, result->sums */
    bool    sum_horizon;                     /* predict: the sum of each series over the horizon, in place of its
                                                rows; the others measure these */
    int64_t paths;                           /* predict: sample paths to write */
    int     format;                          /* export: forecast_format */
    char    checkpoint[FORECAST_TEXT_SIZE];  /* import: a .pth file */
    int64_t ineffective;                     /* target of options that are accepted and have no effect */
    bool    given[FORECAST_MAX_OPTIONS];     /* by row of the table: set explicitly, so presets leave it alone */
} forecast_options;

/* In the rows' flags: which command takes the option. */
enum {
    FORECAST_FOR_TRAIN    = 1,
    FORECAST_FOR_EVALUATE = 2,
    FORECAST_FOR_PREDICT  = 4,
    FORECAST_FOR_EXPLAIN  = 8,
    FORECAST_FOR_EXPORT   = 16,
    FORECAST_FOR_IMPORT   = 32,
    FORECAST_FOR_BACKTEST = 64,
    FORECAST_FOR_TUNE     = 128,
    FORECAST_FOR_UPDATE   = 256,
    FORECAST_FOR_INPUTS   = 512  /* forecast_explain_inputs (explain.h) */
};

/* Every option of the commands; what can be done with a table is in options.h, and the calls below are those on this
 * one. Names as run.json, --config and the command line have them. */
TIDE_API const tide_option_table *forecast_table(void);
TIDE_API const tide_option *forecast_option_table(int64_t *count);
TIDE_API const tide_option *forecast_option_find(const char *name);
/* `command`: FORECAST_FOR_... */
TIDE_API const char *forecast_option_nearest(const char *name, unsigned command);

/* For programs that do not know the struct: its size; one with the defaults, NULL when out of memory. */
TIDE_API size_t            forecast_options_size(void);
TIDE_API forecast_options *forecast_options_new(void);
TIDE_API void              forecast_options_free(forecast_options *o);

/* Custom data, M, 96 -> 96, d_model 128, 8 heads, 2 layers, d_ff 128, Adam; batch, rate, schedule, epochs, patience and
 * dropout open; no plots. */
TIDE_API void forecast_options_default(forecast_options *o);
TIDE_API tide_status forecast_option_set(forecast_options *o, const char *name, const char *text,
                                         tide_failure *failure);
TIDE_API const char *forecast_option_get(const forecast_options *o, const tide_option *row, char *buffer,
                                         size_t size);
TIDE_API bool forecast_option_given(const forecast_options *o, const char *name);
/* Applies the named preset to every option that was not given. forecast_train does this itself for o->preset. */
TIDE_API tide_status forecast_preset(forecast_options *o, const char *name, tide_failure *failure);
/* The options that forecast_train goes by: preset, --auto-size and --compat applied, contradictions refused. Reads no
 * data: what forecast_train sets by the length of the series stays open. */
TIDE_API tide_status forecast_options_resolve(const forecast_options *given, forecast_options *out,
                                              tide_failure *failure);
/* The name of the i-th preset; NULL past the last. */
TIDE_API const char *forecast_preset_name(int64_t i);

enum {
    FORECAST_COMPAT_MARKS_HOURLY   = 1,
    FORECAST_COMPAT_VAL_SHUFFLED   = 2,
    FORECAST_COMPAT_TEST_DROP_LAST = 4,
    FORECAST_COMPAT_SCALER_REFIT   = 8,
    FORECAST_COMPAT_MS_LAST_COLUMN = 16,
    FORECAST_COMPAT_METRICS_SCALED = 32,
    FORECAST_COMPAT_STOP_ON_TEST   = 64,
    FORECAST_COMPAT_MAC            = 128
};
/* "marks-hourly,mac" to bits; "" is 0. */
TIDE_API tide_status forecast_compat_parse(const char *text, unsigned *bits, tide_failure *failure);
/* Each name with a sentence that explains it; ends with a NULL name. */
typedef struct forecast_compat { const char *name; unsigned bit; const char *sentence; } forecast_compat;
TIDE_API const forecast_compat *forecast_compat_list(void);

/* ---- progress ------------------------------------------------------------------------------------------ */

typedef enum forecast_stage {
    FORECAST_STAGE_NOTE,     /* `message`: something the user should know; one line */
    FORECAST_STAGE_WARNING,  /* `message`: something the user should act on */
    FORECAST_STAGE_VERBOSE,  /* `message`: for --verbose: sizes, passes, memory */
    FORECAST_STAGE_EXPLAIN,  /* `message`: a page on the training step, of many lines */
    FORECAST_STAGE_START,    /* `message`: device, threads, precision, parameters, memory in one line */
    FORECAST_STAGE_STEP,     /* after each training step; of a device that queues them later, some at once */
    FORECAST_STAGE_EPOCH,    /* after each epoch, validated and saved */
    FORECAST_STAGE_SCORE,    /* while scoring: batch of batches */
    FORECAST_STAGE_FILE,     /* `message` is the path of a file that was written */
    FORECAST_STAGE_RESULT,   /* predict: `result` is complete, so it can be shown while plots are drawn */
    FORECAST_STAGE_DRAW,     /* while gnuplot draws the file `message`: to show it, and to be able to stop */
    FORECAST_STAGE_TRIAL,    /* tune: `message` says how far the search is, batch of batches trials of a rung; loss, of
                                a trial that has just ended a rung, else NaN; val_loss, the best so far */
    FORECAST_STAGE_VALIDATE, /* in a pass over the validation windows that takes long: batch of batches */
    FORECAST_STAGE_LOOK      /* while a run's inputs are explained: batch of batches */
} forecast_stage;

typedef struct forecast_event {
    forecast_stage stage;
    const char    *message;                         /* "" if it does not apply; valid during the call */
    int64_t        epoch, epochs, batch, batches;   /* 1-based */
    int64_t        step;                            /* training steps so far, those of earlier sessions included */
    double         lr, loss, val_loss, grad_norm;   /* loss: of the step, or the epoch's mean; NaN if unknown */
    double         seconds, seconds_left;           /* since the command began; estimate to the last epoch */
    double         steps_per_s;                     /* STEP: of this process' training so far, validation included */
    double         rss_mib;                         /* training: resident memory within the last second; 0: not told */
    bool           best;                            /* EPOCH: the best validation loss so far */
    const struct forecast_result *result;           /* RESULT; valid during the call, what the command fills is the
                                                       same */
} forecast_event;

/* Non-zero stops: training at the next step, with a checkpoint written, and the call returns TIDE_ECANCELLED. */
typedef int (*forecast_progress)(void *user, const forecast_event *event);

/* ---- results ------------------------------------------------------------------------------------------- */

typedef struct forecast_score {
    char   name[24];               /* "model", "last_value", "seasonal_naive", "linear" */
    bool   present;
    double mse, mae, rmse;         /* scaled values: the published convention */
    double original_mse, original_mae, original_rmse;  /* original units; NaN where several columns are scored: see
                                                          by_column */
    double mape, mspe, smape, wape;                    /* of original values, in percent */
    int64_t mape_left_out;         /* truths of 0 (within 1e-8), by which mape and mspe cannot divide */
    bool   mape_by_small_truths;   /* mape is over 5 times wape: a few truths near 0 make it */
    double direction, direction_majority, direction_low, direction_high, direction_across;  /* shares, 0 to 1 */
} forecast_score;

/* One scored column. The four: the model, last_value, seasonal_naive, linear; NaN where one is not present. */
typedef struct forecast_column_score {
    char  *name;
    double mse, mae;                          /* of the model, scaled */
    double original_mse[4], original_mae[4];  /* in the column's own units (mse: squared) */
} forecast_column_score;

/* Prediction intervals of one level on the test windows. They are conformal: quantiles of the validation windows'
 * residuals, weighted towards the newest and scaled by how much a window moves, or by what the head says of each value
 * (docs/forecast-data.md). Width and
 * interval score (Winkler) are in deviations of each column's training rows, as mse and mae are. The ranges hold 95 %
 * of 1000 resamplings of blocks of pred_len windows, with a fixed seed; NaN where there are fewer than two. */
typedef struct forecast_interval {
    double  level;                               /* nominal, percent */
    double  coverage, coverage_low, coverage_high;  /* percent of the truths that lie within */
    double  width, winkler, winkler_low, winkler_high;
    double *by_step, *by_column;                 /* (pred_len) and (by_column_count): coverage, percent */
    int64_t worst_column;                        /* that of the lowest coverage, into by_column */
} forecast_interval;

typedef struct forecast_intervals {
    bool    present;
    double  crps;                                /* of the quantiles 0.1, 0.2, ... 0.9, counted as mae is */
    double  wql;                                 /* the same in original units over the sum of |truth| */
    int64_t level_count;
    forecast_interval level[FORECAST_MAX_LEVELS];    /* ascending */
} forecast_intervals;

/* How often intervals of a sum held that options->sum names or, over the horizon, of a series as well. */
typedef struct forecast_sum_score {
    char   *name;
    int64_t truths;                          /* sums all of whose parts are known */
    double  coverage[FORECAST_MAX_LEVELS];   /* percent, by level; NaN without a truth */
    double  width[FORECAST_MAX_LEVELS];      /* mean, in the sum's own units */
} forecast_sum_score;
typedef struct forecast_sums {
    int64_t count;                           /* 0: none were asked for, or the run keeps no windows to make them of */
    int64_t windows;                         /* evenly spread ones, each with 300 sample paths */
    bool    over_horizon;                    /* options->sum_horizon: one sum a window; else one for each row */
    int64_t level_count;
    double  level[FORECAST_MAX_LEVELS];      /* nominal, percent */
    forecast_sum_score *of;
} forecast_sums;

/* Of `arch` auto: a network, how it was trained, and what it carries. mse: of scaled values, of each by itself. */
typedef struct forecast_member {
    char   name[24];                          /* as the option `arch` has it */
    bool   trained;                           /* else `note` says why not */
    bool   shortened;                         /* by the budget: it was planned for fewer steps than without one */
    char   note[200];
    double seconds, validation_mse, test_mse;
    double weight, weight_low, weight_high;   /* in the sum of forecasts: mean, least and most over the columns */
} forecast_member;
enum { FORECAST_MAX_MEMBERS = 6 };

/* Fields that a command does not fill are 0 or "". Zero it before the call; free with forecast_result_free. */
typedef struct forecast_result {
    char    run[FORECAST_TEXT_SIZE];  /* the run folder */
    char    device[32], precision[8];
    int64_t threads, parameters, columns, seq_len, pred_len, windows;
    int64_t epochs, best_epoch, steps, resumed_from_step;
    double  wall_s, train_s, step_ms_median, step_ms_min, peak_rss_mib;
    double  compile_ms, first_step_ms;  /* of the program (train: the step's); train: of this process' first step */
    double  best_val_loss;
    forecast_score model;             /* not present for evaluate without a model */
    forecast_score baselines[3];      /* last_value, seasonal_naive, linear */
    int64_t season;                   /* rows of seasonal_naive's season; 0: none is known */
    char    season_note[160];         /* why seasonal_naive is not present; "" */
    forecast_column_score *by_column; /* (by_column_count) errors of each scored column */
    int64_t by_column_count;
    forecast_intervals intervals[4];  /* train, evaluate: of the model, last_value, seasonal_naive, linear */
    forecast_sums sums;               /* train, evaluate, backtest: of the model */
    bool    guide_direction;          /* `compat` mac: directional accuracy across windows is asked for */
    bool    solved;                   /* train: in closed form, without steps and epochs */
    forecast_member members[FORECAST_MAX_MEMBERS];  /* train with `arch` auto, in the order of training */
    int64_t member_count;
    double  budget_s;                 /* and the time that they had; 0: no limit */
    char    stacking[120];            /* and how the weights were found */
    bool    refit;                    /* train: the model has learned from all rows since it was scored */
    bool    beaten;                   /* a baseline is at least as good (in MSE) as the model */
    char    used[24];                 /* predict: what forecast: "model", "last_value", "seasonal_naive" or "linear" */
    char    advice[2400];             /* what to try next, lines that end in a newline; "": nothing */
    char   *json;                     /* the whole result, one object with schema_version */
    char   *explanation;              /* explain, and train with options->explain: the step as one JSON object */
    char   *text;                     /* explain, export, update: the page for people */
    char   *csv;                      /* predict: header and pred_len rows; NULL when they went to options->output */
    struct forecast_backtest_result *backtest; /* backtest: what was measured (backtest.h) */
    struct forecast_tune_result *tune;         /* tune: what was tried (tune.h) */
    struct forecast_inputs *inputs;            /* explain_inputs: what the forecasts go by (explain.h) */
} forecast_result;
TIDE_API void forecast_result_free(forecast_result *r);

/* ---- commands ------------------------------------------------------------------------------------------ */

/* Trains on options->data, scores the test windows, and leaves a run folder: run.json, model.safetensors,
 * state.safetensors, metrics.csv, and plots if options->plots. `progress` may be NULL. Statuses:
 *   TIDE_EINVAL     options that contradict each other, a run folder that exists, a resume that does not fit
 *   TIDE_EDATA      a file that cannot be used, with its row and column
 *   TIDE_ENOMEM     with what is needed and what batch would fit
 *   TIDE_ECANCELLED stopped by `progress`; result->steps and result->run say where it can be resumed */
TIDE_API tide_status forecast_train(const forecast_options *options, forecast_progress progress, void *user,
                                    forecast_result *result, tide_failure *failure);

/* A few steps more on the newest rows: options->steps of them, on the windows whose horizon ends in the last
 * options->rows rows of options->data (0: the new ones and, where these are few, older ones), from the parameters of
 * the run options->model, by its options and at a constant rate. The new run in options->out forecasts from the file's
 * end, and keeps the run's scaler, scores, baselines and prediction intervals: rows that were learned from measure
 * nothing (docs/forecast-finetune.md). The run itself is only read, and nothing is written unless all steps were taken.
 * Fills result->run, steps, windows, text and json. Statuses as forecast_train's; TIDE_EDATA too where no row is
 * new. */
TIDE_API tide_status forecast_update(const forecast_options *options, forecast_progress progress, void *user,
                                     forecast_result *result, tide_failure *failure);

/* Scores options->data's test windows with the run options->model (if given) and with the baselines. */
TIDE_API tide_status forecast_evaluate(const forecast_options *options, forecast_progress progress, void *user,
                                       forecast_result *result, tide_failure *failure);

/* Forecasts the pred_len rows after options->data (or after the rows kept in the run) with the run options->model, or
 * with one of the baselines that it keeps (options->use). TIDE_EDATA, and nothing is written, where a forecast is not a
 * finite number. */
TIDE_API tide_status forecast_predict(const forecast_options *options, forecast_progress progress, void *user,
                                      forecast_result *result, tide_failure *failure);

/* What a training step of the run options->model consists of: kernels, memory, what was fused, what was not and why,
 * and with options->measure how long each kernel takes. Options that are given come before those of the run; neither
 * its data nor its parameters are read. Fills result->text, explanation and json. */
TIDE_API tide_status forecast_explain(const forecast_options *options, forecast_progress progress, void *user,
                                      forecast_result *result, tide_failure *failure);

/* Writes the run options->model (a run folder, or its model.safetensors) to options->output as options->format,
 * original units in and out, scaler and time features included (docs/export.md):
 *   c     NAME.c and NAME.h beside it, C99 without dependencies; NAME is what the file's name begins with
 *   onnx  opset 17, any number of windows: past (batch, seq_len, columns) and, where the model has time features,
 *         time_s (batch, seq_len) to future (batch, pred_len, targets)
 *   pth   the parameters alone, a checkpoint of PyTorch under the published names
 * With options->level the first two have prediction intervals of these levels, the ones of forecast_predict, and a note
 * says from which step on the run's validation windows cannot vouch for the highest.
 * Fills result->run, parameters, columns, seq_len, pred_len, text and json. TIDE_EINVAL for an output that is there
 * already (options->overwrite replaces it), a name that the format cannot have, and a model that it cannot hold. */
TIDE_API tide_status forecast_export(const forecast_options *options, forecast_progress progress, void *user,
                                     forecast_result *result, tide_failure *failure);

/* Makes a run folder of options->checkpoint, a published iTransformer's state dictionary as torch.save wrote it. Sizes
 * are the checkpoint's; the heads (`n-heads`, to be given with forecast_option_set), `activation` and `use-norm` it
 * does not tell. Columns, scaler, time features and split are those of options->data, the series that it was trained
 * on, as forecast_train reads it. Fills *result with the scores of the test windows, as forecast_train does. TIDE_EDATA
 * names a tensor that is missing, of another shape or of no part of the model. */
TIDE_API tide_status forecast_import(const forecast_options *options, forecast_progress progress, void *user,
                                     forecast_result *result, tide_failure *failure);

/* ---- a model in memory ---------------------------------------------------------------------------------- */

/* A trained model, opened once and asked many times. A handle is used by one thread at a time; each thread has a clone
 * of its own, and all of them hold the parameters once. forecast_model_clone and _save_memory may be called by any
 * thread while others predict with any handle of the model, the one that is cloned included. Each handle keeps programs
 * for one window, for 8 and for 32, made when they are first needed, with the memory that they run in. The engine's
 * threads (options->threads) are the calling thread's: one a handle is best where there are as many handles as
 * cores. After fork a child opens its own. */
typedef struct forecast_model forecast_model;

/* A run folder, or its model.safetensors; or that file's bytes, borrowed for the call. Of `machine` (NULL: the
 * defaults) count device ("auto": cpu), threads, precision, strict, compile, compile_mode and the memory limit. *out is
 * the caller's: forecast_model_free; NULL on failure. TIDE_EINVAL, TIDE_EDATA with the part of the file that is
 * damaged, TIDE_EDEVICE, TIDE_ENOMEM. */
TIDE_API tide_status forecast_model_load(const char *run, const forecast_options *machine, forecast_model **out,
                                         tide_failure *failure);
TIDE_API tide_status forecast_model_load_memory(const void *bytes, size_t size, const forecast_options *machine,
                                                forecast_model **out, tide_failure *failure);
/* Another handle of the same parameters. */
TIDE_API tide_status forecast_model_clone(const forecast_model *m, forecast_model **out, tide_failure *failure);
/* The bytes of its model.safetensors: tide_free(*bytes). */
TIDE_API tide_status forecast_model_save_memory(const forecast_model *m, void **bytes, size_t *size,
                                                tide_failure *failure);
/* As forecast_export, from the handle: replaces what is at `path`. */
TIDE_API tide_status forecast_model_export(const forecast_model *m, forecast_format format, const char *path,
                                           tide_failure *failure);
/* The same with prediction intervals of these levels: as forecast_model_predict_levels has them. `progress` (NULL:
 * nobody) hears what forecast_export says of the model: that a baseline was better on the test windows, and from which
 * step on its validation windows cannot vouch for a level. */
TIDE_API tide_status forecast_model_export_levels(const forecast_model *m, forecast_format format, const char *path,
                                                  const double *levels, int64_t level_count,
                                                  forecast_progress progress, void *user, tide_failure *failure);
TIDE_API void        forecast_model_free(forecast_model *m);  /* NULL is fine; clones live on */

/* What it is. Of NULL: 0, false, "". Names live as long as a handle of the model does. */
TIDE_API int64_t     forecast_model_seq_len(const forecast_model *m);   /* rows that a forecast starts from */
TIDE_API int64_t     forecast_model_pred_len(const forecast_model *m);  /* rows of a forecast */
TIDE_API int64_t     forecast_model_columns(const forecast_model *m);
TIDE_API int64_t     forecast_model_targets(const forecast_model *m);   /* columns that are forecast */
TIDE_API const char *forecast_model_column_name(const forecast_model *m, int64_t column);  /* NULL: there is none */
TIDE_API const char *forecast_model_target_name(const forecast_model *m, int64_t target);  /* likewise */
TIDE_API int64_t     forecast_model_known(const forecast_model *m);     /* columns known ahead: the last of all */
/* How many of these, the last, are holidays, and in `values`, unless NULL, what they are in the row of that time. */
TIDE_API int64_t     forecast_model_holidays(const forecast_model *m, int64_t time_s, double *values);
/* Attributes of its series (options.statics) that it goes by; NULL: there is none of this number. The handle has those
 * of its columns. */
TIDE_API const char *forecast_model_attribute_name(const forecast_model *m, int64_t attribute);
TIDE_API bool        forecast_model_needs_time(const forecast_model *m);
TIDE_API bool        forecast_model_takes_gaps(const forecast_model *m);  /* trained on a series with gaps */
/* "h", "15min", ...; "h, Mon-Fri 10:00-16:00": rows stand at these hours alone; "": no time stamps. */
TIDE_API const char *forecast_model_frequency(const forecast_model *m);
/* What its times are. "": seconds since 1970 of what a clock shows (wall-clock labels), or there are none. Else seconds
 * since 1970 in UTC (instants), and marks, days, longer steps and hours of a week go by the local time: of the zone
 * that it was trained with (options.tz, "Europe/Berlin"), or, where the offsets of its stamps varied without one, the
 * last ("+01:00"). */
TIDE_API const char *forecast_model_tz(const forecast_model *m);
/* What its programs multiply in; `note` as for tide_precision_here. */
TIDE_API tide_precision forecast_model_precision(const forecast_model *m, const char **note);
/* The times of the `count` rows after a row of time `last_time_s`, both as forecast_model_tz says. Steps of hours and
 * less are of equal length; longer ones keep the local time of day, also over a change of clocks. */
TIDE_API tide_status forecast_model_times_after(const forecast_model *m, int64_t last_time_s, int64_t count,
                                                int64_t *time_s, tide_failure *failure);

/* Forecasts any number of windows, in original units. What a window's forecast is does not depend on the number of
 * threads; its last digits may depend on how many windows are asked about in one call. One window at a time gives what
 * forecast_predict gives, to the bit.
 *   past    (windows, seq_len, columns), in the order of forecast_model_column_name; finite
 *   time_s  (windows, seq_len), of each row, as forecast_model_tz says; NULL where the model needs none
 *   future  (windows, pred_len, targets), the caller's; undefined after a failure
 * A model that learned around gaps (forecast_model_takes_gaps) takes NaN in `past` for one. TIDE_EDATA names window,
 * row and column of what else is not a finite number. */
TIDE_API tide_status forecast_model_predict(forecast_model *m, int64_t windows, const double *past,
                                            const int64_t *time_s, double *future, tide_failure *failure);

/* The same where columns are known ahead (forecast_model_known > 0), which forecast_model_predict refuses.
 *   known   (windows, pred_len, forecast_model_known), original units, of the rows that are forecast; finite. Holidays
 *           are columns of it, and of `past`: forecast_model_holidays */
TIDE_API tide_status forecast_model_predict_known(forecast_model *m, int64_t windows, const double *past,
                                                  const int64_t *time_s, const double *known, double *future,
                                                  tide_failure *failure);

/* Prediction intervals beside it. `future` is forecast_model_predict_known's, whose `known` is NULL where no column is
 * known ahead.
 *   levels  (level_count) in percent, from 1 to 99, ascending, at most FORECAST_MAX_LEVELS
 *   bands   (windows, pred_len, targets, level_count, 2): lower and upper bound, original units; NaN for a column that
 *           had no truth in validation
 * TIDE_EINVAL where the model keeps none: it was trained by an earlier version, or its training did not end. */
TIDE_API bool        forecast_model_has_levels(const forecast_model *m);
TIDE_API tide_status forecast_model_predict_levels(forecast_model *m, int64_t windows, const double *past,
                                                   const int64_t *time_s, const double *known, const double *levels,
                                                   int64_t level_count, double *future, double *bands,
                                                   tide_failure *failure);

/* Sample paths beside it: futures of all steps and columns at once, whose errors go together as those of the validation
 * windows did, so that a sum of steps, or of columns, is worked out path by path and its quantiles are read off. Those
 * of one cell are the bounds of forecast_model_predict_levels. `future` is forecast_model_predict_known's.
 *   seed        path i of a window depends on the seed, i and the window alone, on any number of threads
 *   path_count  0 or more
 *   paths       (windows, path_count, pred_len, targets), original units; NaN in a column that had no truth in
 *               validation
 * Each call sorts what the model keeps (a million numbers at most), so ask about many windows at once. TIDE_EINVAL
 * where the model keeps no windows: of an earlier version, a training that did not end or had one window alone, or
 * where two windows of pred_len * targets numbers would be over 4 MB. */
TIDE_API bool        forecast_model_has_paths(const forecast_model *m);
TIDE_API tide_status forecast_model_predict_paths(forecast_model *m, int64_t windows, const double *past,
                                                  const int64_t *time_s, const double *known, int64_t seed,
                                                  int64_t path_count, double *future, double *paths,
                                                  tide_failure *failure);

/* forecast_model_predict from the last seq_len rows of a frame, whose columns are found by their names; others are
 * ignored. Where columns are known ahead, its last pred_len rows are those that are forecast, and of them only these
 * columns are read; holidays follow from its times alone, without any rows to come. Its step must be the model's where
 * both have times, as forecast_model_tz says; a model that needs times needs them in whole seconds. *future* is
 * (pred_len, targets). TIDE_EDATA, with the frame's row, for a column that is missing, a gap, too few rows, another
 * frequency, rows that are left out or out of order. */
TIDE_API tide_status forecast_model_predict_frame(forecast_model *m, const tide_frame *f, double *future,
                                                  tide_failure *failure);
/* The same with intervals: `levels` and `bands` as forecast_model_predict_levels has them, for one window; level_count
 * 0: none. */
TIDE_API tide_status forecast_model_predict_frame_levels(forecast_model *m, const tide_frame *f, const double *levels,
                                                         int64_t level_count, double *future, double *bands,
                                                         tide_failure *failure);
/* A forecast with all that forecast_predict can add to it, original units. */
typedef struct forecast_prediction {
    char     used[24];                     /* what forecast: as forecast_result has it */
    int64_t  rows, series;                 /* pred_len, or 1 with options->sum_horizon; targets, then the sums */
    char   **names;                        /* (series) */
    int64_t *time_s;                       /* (rows), as forecast_model_tz says; NULL without times */
    double  *values;                       /* (rows, series) */
    double  *bands;                        /* (rows, series, level_count, 2): lower and upper; NULL: none */
    double   level[FORECAST_MAX_LEVELS];   /* in percent, ascending */
    int64_t  level_count;
    double  *paths;                        /* (path_count, rows, series); NULL: none */
    int64_t  path_count;
    int64_t  clamped, clamped_bounds;      /* set to options->lower or upper: forecasts, and bounds of intervals */
} forecast_prediction;

/* forecast_predict of a model and rows in memory, with the same numbers: options->level, sum, sum_horizon, paths, seed,
 * lower, upper, use, season and future count; model, data and output are "". rows NULL: those that the model keeps. A
 * clone of the model computes. *out is filled, and empty after a failure; forecast_prediction_free. */
TIDE_API tide_status forecast_model_forecast(const forecast_model *m, const tide_frame *rows,
                                             const forecast_options *options, forecast_progress progress, void *user,
                                             forecast_prediction *out, tide_failure *failure);
TIDE_API void        forecast_prediction_free(forecast_prediction *p);  /* NULL is fine */
/* The rows that the run keeps, as such a frame: the last seq_len that it learned from, and where columns are known
 * ahead the pred_len to come, if it holds them. From it comes what forecast_predict gives without `data`. *out is the
 * caller's: tide_frame_free. */
TIDE_API tide_status forecast_model_kept(const forecast_model *m, tide_frame **out, tide_failure *failure);
/* forecast_evaluate of the model on the test rows of a frame, in which options->val and test say how many these are, or
 * else as its training did. options->model, data and save_predictions are "". A clone of the model computes. */
TIDE_API tide_status forecast_model_evaluate(const forecast_model *m, const tide_frame *rows,
                                             const forecast_options *options, forecast_progress progress, void *user,
                                             forecast_result *result, tide_failure *failure);

/* ---- a picture of it --------------------------------------------------------------------------------------- */

/* A series and its forecast, original units. Arrays are borrowed for the call; NaN leaves a gap. */
typedef struct forecast_plot {
    const char    *title, *name;           /* of the picture, and of the series, at its axis; NULL: none */
    int64_t        past_rows, rows;        /* before the forecast (0 or more), and of it */
    const int64_t *time_s;                 /* (past_rows + rows), seconds since 1970; NULL: rows are counted */
    const forecast_model *model;           /* whose times these are, as forecast_model_tz says; NULL: they are what a
                                              clock shows */
    const double  *past, *forecast;        /* (past_rows), (rows) */
    const double  *truth;                  /* (rows) what came; NULL: nothing is known */
    const double  *levels, *bands;         /* (level_count) in percent, ascending; (rows, level_count, 2) lower and
                                              upper */
    int64_t        level_count;            /* at most FORECAST_MAX_LEVELS */
    const double  *baselines[3];           /* last_value, seasonal_naive, linear, (rows) each; NULL: not shown */
} forecast_plot;

/* One SVG of all of them, two in a row, that needs nothing but itself: no program is started, no file is written.
 * tide_free(*svg). TIDE_EINVAL, TIDE_ENOMEM. */
TIDE_API tide_status forecast_plot_svg(const forecast_plot *plots, int64_t count, char **svg, tide_failure *failure);

/* ---- training in memory --------------------------------------------------------------------------------- */

/* A training run as a handle: from a file or a frame, with a run folder or without, whole or step by step. One thread
 * at a time uses it, but for forecast_trainer_cancel. Once it is made, options and frame may be freed.
 *
 *     forecast_trainer_new(&options, frame, NULL, NULL, &trainer, &failure);
 *     while (!forecast_trainer_at(trainer).finished && forecast_trainer_run(trainer, 100, &failure) == TIDE_OK) ...
 *     forecast_trainer_model(trainer, &model, &failure); */
typedef struct forecast_trainer forecast_trainer;

/* options are forecast_train's. `series` NULL: options->data is read. Else the series is that frame, options->data is
 * "", and what says how text is read (sep, decimal, thousands, skip_rows, date_order, time_column, id, value) does not
 * count: the time is the frame's, in UTC with options->tz and else what a clock shows, NaN is a gap (options->missing),
 * every column is a series unless `columns` or `ignore` says otherwise, and the rows ascend in time (or `sort`).
 * With `arch` auto all members are trained here, and what comes after has no steps left to take.
 * options->out "": nothing is written anywhere (dump_graph apart). Else it is a run folder as forecast_train leaves it,
 * and `resume` continues one, to the same bits, where the frame is the same. Time for max_minutes begins here.
 * Statuses as forecast_train's; *out is the caller's, NULL on failure. */
TIDE_API tide_status forecast_trainer_new(const forecast_options *options, const tide_frame *series,
                                          forecast_progress progress, void *user, forecast_trainer **out,
                                          tide_failure *failure);
/* Takes at most `steps` training steps (0: any number), validating where an epoch ends; nothing where training is over.
 * Any division into calls gives the same bits. TIDE_ECANCELLED where it was stopped, by `progress` or
 * forecast_trainer_cancel: the next call goes on. TIDE_EDATA and TIDE_EINVAL where the validation loss was never a
 * number. */
TIDE_API tide_status forecast_trainer_run(forecast_trainer *t, int64_t steps, tide_failure *failure);
/* A checkpoint in the run folder now; without one nothing. */
TIDE_API tide_status forecast_trainer_save(forecast_trainer *t, tide_failure *failure);
/* Stops what is going on, or else the next call, after the step or batch that it is at. From any thread, or a signal's
 * handler. */
TIDE_API void        forecast_trainer_cancel(forecast_trainer *t);

typedef struct forecast_training {
    int64_t epoch, epochs, batch, batches;   /* epoch: that is being trained, 1-based; batch: its steps that are done */
    int64_t step, steps;                     /* steps done in all, and planned */
    int64_t best_epoch;                      /* 0: none yet */
    double  train_loss, val_loss;            /* of the last whole epoch; NaN before */
    double  best_val_loss;                   /* infinite before the first */
    bool    finished;                        /* by its length, patience, time or divergence: the model is final */
} forecast_training;
TIDE_API forecast_training forecast_trainer_at(const forecast_trainer *t);  /* of NULL: zeros */

/* The parameters of the best epoch so far, before the first as they are, as a handle of its own: what forecast_train's
 * model.safetensors would hold now. What it computes with is taken from the trainer's options. */
TIDE_API tide_status forecast_trainer_model(const forecast_trainer *t, forecast_model **out, tide_failure *failure);
/* The options that it goes by, all that was left open among them: an object with the member "options", as run.json has
 * it. tide_free(*json). */
TIDE_API tide_status forecast_trainer_recipe(const forecast_trainer *t, char **json, tide_failure *failure);
/* Ends training (an epoch that was begun counts as far as it came), scores the test windows with the best parameters,
 * and with options->refit learns once more from all rows: fills *result as forecast_train does; forecast_result_free.
 * Once: then the trainer only gives its model. TIDE_EINVAL before the first step. */
TIDE_API tide_status forecast_trainer_score(forecast_trainer *t, forecast_result *result, tide_failure *failure);
TIDE_API void        forecast_trainer_free(forecast_trainer *t);  /* NULL is fine; at any time */

/* options->data as the commands read it (its rules: separators, dates, gaps filled or refused, columns, ignore, long
 * format, of which series too short to train on are here too): the frame is the caller's, tide_frame_free. Its time is
 * in UTC with options->tz, and where the offsets in the file vary; else what the stamps show. */
TIDE_API tide_status forecast_read_frame(const forecast_options *options, tide_frame **out, tide_failure *failure);
/* What was found in the file where the options leave it open, in the words that the options of these names take; "":
 * there is none, or it is as usual. */
typedef struct forecast_found {
    char step[128];                        /* freq */
    char tz[64];                           /* of instants: the zone given, or where offsets vary the last, "+01:00" */
    char time_column[256], date_order[8];  /* date_order: of 1/2/2023 */
    char decimal[8], thousands[8];         /* where the sign that groups digits was found */
    char id[256], value[1024];             /* long format */
    char notes[4096];                      /* what the user should know of the file: lines */
} forecast_found;
/* The same frame, and what was found. */
TIDE_API tide_status forecast_read_found(const forecast_options *options, tide_frame **out, forecast_found *found,
                                         tide_failure *failure);

/* ---- names of before ------------------------------------------------------------------------------------ */

/* What earlier versions called these; options take the old words too. */
#define forecast_failure_json tide_failure_json
#define FORECAST_COMPAT_GUIDE FORECAST_COMPAT_MAC
#define FORECAST_LR_GUIDE_TYPE1 FORECAST_LR_MAC_TYPE1
#define FORECAST_LR_GUIDE_TYPE2 FORECAST_LR_MAC_TYPE2
#define FORECAST_LR_GUIDE_SLOWER FORECAST_LR_MAC_SLOWER
#define FORECAST_LR_GUIDE_COSINE FORECAST_LR_MAC_COSINE

#ifdef __cplusplus
}
#endif

#endif
