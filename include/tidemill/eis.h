/* Impedance spectra of epithelia: the five-parameter circuit, what a spectrum says of it, and what it leaves open.
 *
 * A shunt (paracellular path) Rsh, and two membranes, a and b, each a resistance with a capacitance across it:
 *
 *     Za = Ra / (1 + s Ra Ca)    Zb = Rb / (1 + s Rb Cb)    s = j 2 pi f
 *     shunt (alias parallel)     Z = Rs + Rsh (Za + Zb) / (Rsh + Za + Zb)
 *     chain (alias series)       Z = Rs + Rsh + Za + Zb
 *
 * Units are ohm, farad, hertz. Parameters stand in the order Rsh, Ra, Rb, Ca, Cb everywhere. Capacitive behaviour has a
 * negative imaginary part. Swapping the membranes leaves Z unchanged, and the shunt circuit's Z has only four
 * coefficients: from the spectrum alone the five parameters are known up to a curve, the fibre.
 *
 * mlx, in options and enums: as in the MLX guide, "EIS ML Training with MLX"; mac: as in the Mac guide, on iTransformer
 * on Apple chips (both: docs/guides.md).
 *
 * Nothing here prints, exits or handles signals: notes go through a callback, and every failure says what, where and
 * what would be accepted. */
#ifndef TIDEMILL_EIS_H
#define TIDEMILL_EIS_H

#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the circuit --------------------------------------------------------------------------------------- */

typedef enum eis_circuit { EIS_SHUNT, EIS_CHAIN } eis_circuit;
enum { EIS_RSH, EIS_RA, EIS_RB, EIS_CA, EIS_CB, EIS_COUNT };  /* into a parameter array */
enum { EIS_RS = EIS_COUNT, EIS_WITH_RS };                     /* the solution resistance, where there is room for it */

typedef struct eis_z { double re, im; } eis_z;

/* Z at n frequencies. Rsh may be INFINITY in the shunt circuit: no shunt. */
TIDE_API void eis_impedance(eis_circuit circuit, const double p[EIS_COUNT], double rs_ohm, int64_t n,
                            const double *freq_hz, eis_z *z);
/* The same in single precision, parts apart: for training. */
TIDE_API void eis_impedance_f32(eis_circuit circuit, const float p[EIS_COUNT], float rs_ohm, int64_t n,
                                const float *freq_hz,
                                float *re, float *im);
/* Z and dZ/dRsh, dZ/dRa, dZ/dRb, dZ/dCa, dZ/dCb, dZ/dRs at one frequency, per ohm and per farad. */
TIDE_API eis_z eis_derivatives(eis_circuit circuit, const double p[EIS_COUNT], double rs_ohm, double freq_hz,
                               eis_z d[EIS_WITH_RS]);
/* Membranes exchanged: (Ra, Ca) <-> (Rb, Cb). `out` may be `p`. */
TIDE_API void eis_swap(const double p[EIS_COUNT], double out[EIS_COUNT]);

/* What a spectrum of the shunt circuit determines: Z = r0 (1 + n1 s) / (1 + d1 s + d2 s^2). */
typedef struct eis_invariants {
    double r0_ohm;       /* TER, the transepithelial resistance */
    double n1_s, d1_s;
    double d2_s2;
    double cinf_farad;   /* TEC, the transepithelial capacitance: d2 / (r0 n1) */
    double g;            /* (Ra + Rb) / Rsh: the place on the fibre, which the spectrum does not determine */
} eis_invariants;
TIDE_API eis_invariants eis_invariants_of(const double p[EIS_COUNT]);

/* The parameters with these invariants (g of the struct is not read) at (Ra + Rb) / Rsh = g >= 0, a the slower
 * membrane. g = 0 has Rsh = INFINITY. False when there are none: the invariants are not those of a circuit of positive
 * parts. */
TIDE_API bool eis_fibre(const eis_invariants *invariants, double g, double p[EIS_COUNT]);
/* d ln p along the fibre, with d ln Rsh = 1. Infinite where both time constants are equal. */
TIDE_API void eis_fibre_tangent(const double p[EIS_COUNT], double v[EIS_COUNT]);

/* ---- parameters as text -------------------------------------------------------------------------------- */

typedef struct eis_parameter { const char *name, *unit; double low, high; const char *range; } eis_parameter;
/* The five, with the range in which they are sought (and drawn, uniform in the logarithm). */
TIDE_API extern const eis_parameter eis_parameters[EIS_COUNT];

typedef struct eis_known { bool is[EIS_COUNT]; double value[EIS_COUNT]; } eis_known;
/* "Rsh=460,Ra=4.8k,Ca=3.7uF": prefixes p n u m k M, the unit may follow. Values outside the range, unknown or repeated
 * names fail with TIDE_EINVAL. "" is nothing known. */
TIDE_API tide_status eis_known_parse(const char *text, eis_known *out, tide_failure *failure);

/* Grid value i of `points` along a parameter's range, equally spaced in the logarithm, both ends included. */
TIDE_API double eis_grid_value(int parameter, int64_t i, int64_t points);

/* ---- residual norms ------------------------------------------------------------------------------------ */

/* One number for how far `model` is from `data`. e = data - model, N points, S = sum |e|^2 / |data|^2. */
typedef enum eis_resnorm_kind {
    EIS_MEAN_ABS,            /* mean |e|, ohm: the default */
    EIS_MEAN_ABS_ROOT_F,     /* sum w |e|, w proportional to f^-1/2 with sum 1, ohm */
    EIS_MEAN_ABS_AMPLIFIED,  /* mean |e| times sqrt(log10(fmax / fmin)), ohm */
    EIS_MEAN_RELATIVE_MAGNITUDE, /* mean ||model| - |data|| / |data| */
    EIS_MEAN_SQUARE,         /* mean |e|^2, ohm^2 */
    EIS_MAGNITUDE_PHASE,     /* sum w (||model| - |data|| + |phase difference| |model|), w as above, ohm */
    EIS_SSE,                 /* sum |e|^2, ohm^2 */
    EIS_RMSE,                /* sqrt(SSE / N), ohm */
    EIS_RMSE_PARTS,          /* sqrt(S / 2N): both parts counted, relative to |data| */
    EIS_PSEUDO_CHI2,         /* S */
    EIS_REDUCED_CHI2,        /* S / (2N - k) */
    EIS_NORMALISED,          /* sum (Re e)^2 / max (Re data)^2 + sum (Im e)^2 / max (Im data)^2 */
    EIS_COMPLEX_MAPE,        /* 100 mean |e| / |data|, percent */
    EIS_QUARTIC,             /* sum over parts of (part of e / |data|)^4 */
    EIS_NOISE_PERCENT,       /* sqrt(5000 S / N): standard deviation of each part, in percent of |data| */
    EIS_RESNORMS
} eis_resnorm_kind;
TIDE_API const char *eis_resnorm_name(eis_resnorm_kind kind);  /* "mean-abs", "sse", ... */
/* Points whose data are 0 are left out where |data| divides. `free_parameters` is the k of EIS_REDUCED_CHI2. */
TIDE_API double eis_resnorm(eis_resnorm_kind kind, int64_t n, const double *freq_hz, const eis_z *data,
                            const eis_z *model,
                            int free_parameters);

/* ---- spectra ------------------------------------------------------------------------------------------- */

/* Measured, or made up: read from a file, or filled by hand, with arrays that stay the caller's. */
typedef struct eis_spectrum {
    int64_t     count;
    double     *freq_hz;   /* in any order */
    eis_z      *z;         /* ohm */
    const char *name;      /* for messages and answers; NULL: "the spectrum" */
    double      area_cm2;  /* 0: not known; eis_options.area_cm2 comes before it */
    const eis_z   *sigma;  /* standard deviations of both parts, ohm; NULL: not known */
    const int64_t *line;   /* of the file, 1-based, that each point stood in; NULL: there is none */
} eis_spectrum;

/* The one spectrum of a file, read as eis_spectra_read reads it; TIDE_EDATA too where it holds several sweeps. */
TIDE_API tide_status eis_spectrum_read(const char *path, bool flip_im, eis_spectrum *out, tide_failure *failure);
TIDE_API void eis_spectrum_free(eis_spectrum *s);  /* of eis_spectrum_read; its name was the caller's path */

/* Capacitive behaviour has a negative imaginary part. TIDE_EDATA where it is positive nearly throughout, as of -Im(Z).
 * `flipped`: the caller has turned the sign, which the message then speaks of. eis_spectra_read asks this of every
 * sweep; eis_solve does not: whoever fills a spectrum by hand asks before. */
TIDE_API tide_status eis_spectrum_sign(const eis_spectrum *s, bool flipped, tide_failure *failure);

/* ---- options ------------------------------------------------------------------------------------------- */

#define EIS_TEXT_SIZE 1024
#define EIS_MAX_OPTIONS 96

typedef enum eis_method { EIS_METHOD_AUTO, EIS_REFINED, EIS_EXACT, EIS_NETWORK } eis_method;
typedef enum eis_inputs { EIS_INPUTS_SPECTRUM, EIS_INPUTS_KNOWN } eis_inputs;
typedef enum eis_recipe { EIS_RECIPE_LAB, EIS_RECIPE_GRID, EIS_RECIPE_CELL } eis_recipe;
typedef enum eis_masks { EIS_MASKS_MLX, EIS_MASKS_ALL } eis_masks;
enum { EIS_KNOWN_BATCH = 512, EIS_SPECTRUM_BATCH = 1024 };  /* samples a training step */
typedef enum eis_precision { EIS_F32, EIS_BF16, EIS_F16, EIS_PRECISION_AUTO } eis_precision;
/* AUTO: AdamW; the rate falls along the model's own curve. */
typedef enum eis_optimizer {
    EIS_OPTIMIZER_AUTO,
    EIS_ADAM,
    EIS_ADAMW,
    EIS_SGD,
    EIS_RMSPROP,
    EIS_LION
} eis_optimizer;
typedef enum eis_lradj {
    EIS_LR_AUTO,
    EIS_LR_TYPE1,
    EIS_LR_TYPE2,
    EIS_LR_TYPE3,
    EIS_LR_COSINE,
    EIS_LR_CONSTANT,
    EIS_LR_MAC_TYPE1,
    EIS_LR_MAC_TYPE2,
    EIS_LR_MAC_SLOWER,
    EIS_LR_MAC_COSINE
} eis_lradj;
typedef enum eis_split { EIS_SPLIT_TRUTH, EIS_SPLIT_ROW } eis_split;
typedef enum eis_compat { EIS_COMPAT_NONE, EIS_COMPAT_MLX } eis_compat;
typedef enum eis_resume { EIS_RESUME_NO, EIS_RESUME_AUTO, EIS_RESUME_MUST } eis_resume;
typedef enum eis_profile { EIS_PROFILE_APP, EIS_PROFILE_GENERATOR } eis_profile;
typedef enum eis_format { EIS_FORMAT_SHARDS, EIS_FORMAT_CSV } eis_format;
typedef enum eis_shard_dtype { EIS_SHARD_F32, EIS_SHARD_F64 } eis_shard_dtype;
typedef enum eis_grid_kind { EIS_GRID_AUTO, EIS_GRID_FULL, EIS_GRID_SYMMETRIC } eis_grid_kind;

/* Plain data. Text fields are never NULL; "" means "not given". */
typedef struct eis_options {
    int     circuit;                         /* eis_circuit; generate: taken from the profile unless given */
    int     resnorm;                         /* eis_resnorm_kind */
    /* complete */
    char    known[EIS_TEXT_SIZE];
    char    spectra[64 * EIS_TEXT_SIZE];     /* files, one a line */
    int     method;
    int64_t top_k;
    char    noise[24];                       /* "1%", "0.01"; "" or "auto": told without a circuit
                                                (eis_noise_source) */
    char    prior[EIS_TEXT_SIZE];            /* refined: "Rs=20+-1,Ra/Rb=4.8+-1": normal, of a quantity with an
                                                interval or of a ratio of two, each with its standard deviation */
    char    range[EIS_TEXT_SIZE];            /* refined: "Rs=0..1k,Rsh=1..1M", in which parameters are sought; by
                                                default 1 ohm to 1 Mohm, 10 nF to 1 mF, Rs 0 to 10 kohm */
    char    rs[24];                          /* ohm, "free", or "auto": free with a spectrum (chain: where Rsh is
                                                known), else 0 */
    double  area_cm2;                        /* 0: not given */
    bool    flip_im, canonical;
    bool    robust;                          /* refined: residuals of Student's distribution with 4 degrees of
                                                freedom: outliers hardly count, and none is left out */
    bool    plots;                           /* also draw SVG into `out`, which starts
                                                gnuplot; false unless set (the command sets it) */
    char    out[EIS_TEXT_SIZE];              /* folder; "": no files */
    int64_t seed;
    /* generate */
    int     profile, grid;
    char    ground_truths[EIS_TEXT_SIZE];    /* JSON file, or a generated CSV (chain; checked); "": drawn */
    int64_t n_ground_truths, points, threads; /* threads 0: the physical cores this process may use */
    int64_t cut;                            /* train: as tide_graph_options.cut */
    bool    stats_only;
    char    data_dir[EIS_TEXT_SIZE];
    int     format, dtype;                   /* eis_format, eis_shard_dtype */
    /* a trained predictor */
    char    model[EIS_TEXT_SIZE];            /* run folder, or a weights file of the MLX guide's network. fit,
                                                batch: one of recipe cell, whose answers are more starts */
    bool    screen;                          /* batch: no fits, but what `model` says of each spectrum */
    bool    rerank;                          /* network: candidates weighed again by their likelihood */
    int     inputs, recipe;                  /* eis_inputs, eis_recipe */
    int64_t epochs;                          /* 0: 100 for known inputs, 20 for spectra */
    double  max_minutes;                     /* 0: no limit */
    int64_t batch_size;                      /* 0: EIS_KNOWN_BATCH or EIS_SPECTRUM_BATCH */
    bool    auto_size;                       /* training: a batch size of 0 becomes what suits the machine */
    double  learning_rate;                   /* 0: 1e-3 for known inputs, 2e-3 for spectra */
    double  weight_decay;
    int     optimizer, lradj;                /* eis_optimizer, eis_lradj */
    double  grad_clip;                       /* largest norm of the gradient; 0: none for known inputs, 1 for spectra */
    int64_t patience, min_epochs;            /* epochs without a better validation loss before it ends; 0: any number */
    int64_t accumulate;                      /* parts that a batch is run in; 0 and 1: as a whole. Divides batch_size */
    bool    ranks;                           /* training: with the other processes that mpirun or srun started, which
                                                call the same functions in the same order: one run, of number 0 of
                                                them, and the bits of `accumulate` as many */
    bool    recompute;                       /* spectra: the blocks' values are made again for the backward pass */
    char    memory_limit[24];                /* training, and exact posteriors and residual norms on a device other
                                                than cpu: as "0.7" (of what it has), "512M", "2G" or bytes; "": what
                                                it has */
    int64_t hidden_dim;                      /* 0: 512 for known inputs, 256 for spectra */
    int64_t pool_spectra;                    /* spectra held in memory */
    double  keep_out;                        /* grid recipe: share of the cells never trained on */
    char    pool[24];                        /* known inputs: "uniform" or "best:K" */
    int     masks, split;                    /* eis_masks, eis_split */
    int64_t samples_per_pattern;
    int     compat;                          /* eis_compat */
    char    device[16];                      /* one of tide_devices(), or "auto": training times its own step on each
                                                for up to 2 s, and takes a list, "cuda:0-1", a rank
                                                for each; evaluate takes its run's; other answers take
                                                cpu */
    int     precision;                       /* eis_precision, of training and of spectrum predictors' answers */
    bool    strict;                          /* a precision that the device lacks is an error */
    int     compile_mode;                    /* 0 default, 1 reduce-overhead, 2 max-autotune */
    bool    compile;                         /* false: op by op, without the compiler's passes */
    int     resume;                          /* eis_resume */
    bool    overwrite;
    bool    join;                            /* generate; complete, batch and evaluate with `out`: other processes with
                                                the same options, also of other machines, may do their share at the
                                                same time, in the same data_dir or `out`. Under mpirun and srun
                                                the command implies it, a call does not */
    /* evaluate */
    int64_t test_spectra;                    /* per noise level */
    /* files of spectra */
    char    column[256];                     /* an impedance by the name or number of a column, or "f,re,im" */
    char    units[64];                       /* "kHz,mohm,rad": come before those in the names of columns */
    char    sweep[256];                      /* "1,3-5" or names; "": all */
    char    output[EIS_TEXT_SIZE];           /* convert: the file; "": none */
    char    samples[EIS_TEXT_SIZE];          /* batch: the plate, a table of the spectra's wells and conditions */
    char    decimal[8];                      /* of tables: "." or ",", with which cells part at semicolons; "": . */
    /* drt */
    char    lambda[24];                      /* "gcv", "l-curve" or a number; "": gcv */
    int64_t penalty_order;                   /* of the derivative that is kept small: 1 or 2 */
    bool    given[EIS_MAX_OPTIONS];          /* by row of the table: set explicitly */
} eis_options;

/* All sweeps of one file. It is the library's: eis_spectra_free. */
typedef struct eis_spectra {
    eis_spectrum *spectrum;  /* in the file's order. Names are the same each time: the path where there is one
                                sweep, else well, run and time as the file has them, else FILE#2 */
    int64_t       count;
    char         *notes;     /* what was chosen where it was not certain, or left out: sentences, a line each; NULL */
} eis_spectra;

/* The spectra of a file, whatever instrument or program wrote it (docs/eis-files.md): told by its content, columns by
 * their names. Of `options` (NULL: the defaults) count flip_im, column, units and sweep. "-" is standard input; gzip is
 * unpacked. Rows of frequency 0 are left out, points with a positive imaginary part never are.
 * TIDE_EDATA with the line and the columns there are: no frequency or no impedance, a name that is there twice, what is
 * not a finite number, a negative frequency, an imaginary part that is positive nearly throughout while nothing says
 * that it is meant so, fewer than 5 points, more than 1,000,000 in a sweep or 10,000 sweeps. TIDE_EINVAL: an option. */
TIDE_API tide_status eis_spectra_read(const char *path, const eis_options *options, eis_spectra *out,
                                      tide_failure *failure);
TIDE_API void eis_spectra_free(eis_spectra *s);  /* NULL is fine; leaves it zeroed */

/* What a residual of a fit counts: the standard deviation that each part of a point is taken to have. */
typedef enum eis_weights {
    EIS_WEIGHTS_MODULUS,       /* |Z| of the data, alias boukamp */
    EIS_WEIGHTS_UNIT,          /* the same for all */
    EIS_WEIGHTS_PROPORTIONAL,  /* |Re Z| and |Im Z| of the data, each at least 1 % of |Z| */
    EIS_WEIGHTS_STATISTICAL,   /* that of the data, in the spectrum */
    EIS_WEIGHTS_NORMALISED     /* the largest |Re Z| of the spectrum, and the largest |Im Z| */
} eis_weights;

enum { EIS_MAX_FIT_OPTIONS = 16 };

/* What eis_fit has beside eis_options; eis_fit_table is their table. */
typedef struct eis_fit_options {
    char circuit[EIS_TEXT_SIZE];  /* a name or a string in one of the notations (docs/eis-circuits.md); auto: of
                                     nested ones the smallest whose BIC is within 2 of the lowest */
    int  weights;                 /* eis_weights */
    char fix[EIS_TEXT_SIZE];      /* "R0=20,R2=R1": fixed values and ties */
    char range[EIS_TEXT_SIZE];    /* "Rs=0..1k,K1_0=-10..-1m": bounds */
    char start[EIS_TEXT_SIZE];    /* "R1=100": values that one more start has */
    char prior[EIS_TEXT_SIZE];    /* "Rs=20+-1,Ra/Rb=4.8+-1": normal, of a parameter or of a ratio of two, each with its
                                     standard deviation. Counts beside the data as one residual more; the data's are
                                     over the noise that is known without a circuit */
    char blank[EIS_TEXT_SIZE];    /* file of a spectrum without cells. By evidence it is a resistance, and perhaps an
                                     inductance and a capacitance or CPE in series; they are elements of the circuit, or
                                     added to it, with priors of its values and their covariance */
    char same[EIS_TEXT_SIZE];     /* "Ra,Rb,Ca,Cb,Rs": all spectra are fitted together, these parameters the same in
                                     all; the others are Rsh#1 of the first, Rsh#2 (or Rsh2) of the second. Not with
                                     auto or `robust` */
    bool robust;                  /* residuals of Student's distribution with 4 degrees of freedom */
    bool profile;                 /* 95 % intervals by the profile of the objective, not with `robust` */
    bool posterior;               /* draws of the posterior, eis_fit_posterior */
    int64_t seed;                 /* of those */
    bool keep_points;             /* outliers, mains and Re Z < 0 are fitted too; so they are with `robust` */
    bool given[EIS_MAX_FIT_OPTIONS];
} eis_fit_options;
TIDE_API const tide_option_table *eis_fit_table(void);
TIDE_API void eis_fit_options_default(eis_fit_options *o);

/* In the rows' flags: which command takes the option. */
enum {
    EIS_FOR_COMPLETE = 1,
    EIS_FOR_GENERATE = 2,
    EIS_FOR_TRAIN    = 4,
    EIS_FOR_EVALUATE = 8,
    EIS_FOR_FULL     = 16,
    EIS_FOR_SIMULATE = 32,
    EIS_FOR_CHECK    = 64,
    EIS_FOR_CONVERT  = 128,
    EIS_FOR_FIT      = 256,
    EIS_FOR_DRT      = 512,
    EIS_FOR_BATCH    = 1024
};

/* Every option of the commands; what can be done with a table is in options.h, and the calls below are those on this
 * one. */
TIDE_API const tide_option_table *eis_table(void);
TIDE_API const tide_option *eis_option_table(int64_t *count);
TIDE_API const tide_option *eis_option_find(const char *name);
TIDE_API const char *eis_option_nearest(const char *name, unsigned command);  /* EIS_FOR_... */

/* For programs that do not know the struct: its size; one with the defaults, NULL when out of memory. */
TIDE_API size_t       eis_options_size(void);
TIDE_API eis_options *eis_options_new(void);
TIDE_API void         eis_options_free(eis_options *o);

/* As the table's `standard` says; no plots. */
TIDE_API void eis_options_default(eis_options *o);
TIDE_API tide_status eis_option_set(eis_options *o, const char *name, const char *text, tide_failure *failure);
TIDE_API const char *eis_option_get(const eis_options *o, const tide_option *row, char *buffer, size_t size);
TIDE_API bool eis_option_given(const eis_options *o, const char *name);
/* The device that the MLX guide's --backend means: for "mlx" metal, where it is there and passes a self-test; else
 * "auto". */
TIDE_API const char *eis_backend_device(const char *backend);

/* ---- progress ------------------------------------------------------------------------------------------ */

typedef enum eis_tone {
    EIS_NOTE,
    EIS_WARNING,
    EIS_PROGRESS,  /* each message takes the place of the last */
    EIS_WORKING    /* no message: asked some hundred times a second while an answer is worked out, to be able to stop */
} eis_tone;

/* What is told while it works. Numbers that do not apply are 0, losses NaN. */
typedef struct eis_event {
    eis_tone    tone;
    const char *message;             /* a sentence; "" for EIS_WORKING; valid during the call */
    int64_t     spectrum, spectra;   /* 1-based: which of how many is being answered */
    int64_t     done, total;         /* of what is going on: rows, spectra, training steps */
    int64_t     epoch, epochs;       /* training, 1-based */
    double      loss, val_loss;
    double      seconds, seconds_left;  /* since it began; NaN: not known */
} eis_event;

/* Non-zero stops the work with TIDE_ECANCELLED. May be NULL. It is called by the thread that made the call. */
typedef int (*eis_listener)(void *user, const eis_event *event);

/* ---- answers ------------------------------------------------------------------------------------------- */

/* Quantities with an interval: the five parameters and Rs, then TER, TEC and the spectrum's time constants. */
enum { EIS_TER = EIS_WITH_RS, EIS_TEC, EIS_N1, EIS_D1, EIS_QUANTITIES };
enum { EIS_CELLS = 12 };  /* grid values a parameter (eis_grid_value) */

/* 95 %. Low and high are NaN where there is no such interval (a note says why), high alone where only a lower limit is
 * known, all three where the quantity does not apply. */
typedef struct eis_interval { double low, median, high; } eis_interval;

/* A circuit drawn from the posterior. */
typedef struct eis_sample {
    double p[EIS_WITH_RS];
    double weight;       /* they sum to 1 */
    double log_density;  /* up to a constant */
} eis_sample;

/* The circuits of one cell of the grid. */
typedef struct eis_candidate {
    double p[EIS_WITH_RS];        /* the best sample of the cell */
    double probability, resnorm;
    int    index[EIS_COUNT];      /* of the cell, 0-based */
} eis_candidate;

/* Where the noise of a spectrum is known from. None of it is the misfit of a circuit. */
typedef enum eis_noise_source {
    EIS_NOISE_GIVEN,           /* eis_options.noise */
    EIS_NOISE_SIGMA,           /* the spectrum's own standard deviations */
    EIS_NOISE_REPLICATES,      /* scatter between sweeps on the same frequencies */
    EIS_NOISE_KRAMERS_KRONIG,  /* what the nearest linear, causal, steady spectrum leaves */
    EIS_NOISE_NEIGHBOURS       /* of very many points: how neighbours in frequency differ */
} eis_noise_source;
TIDE_API const char *eis_noise_source_name(eis_noise_source source);  /* "given", "sigma columns", ...; NULL: none */

/* Whether a circuit of the question's kind can have made the spectrum. */
typedef enum eis_verdict {
    EIS_FIT_OPEN,        /* nothing speaks against it; the method cannot say more */
    EIS_FIT_ADEQUATE,    /* the misfit is that of the noise, without a trend */
    EIS_FIT_SYSTEMATIC,  /* what even two relaxations of any size leave is not noise */
    EIS_FIT_BEYOND,      /* two relaxations of any size fit better than the known values or the ranges allow */
    EIS_FIT_NOISY        /* more is left than the noise */
} eis_verdict;

/* What the missing parameters are. All of it is the library's: eis_answer_free. Zero it before the call. */
typedef struct eis_answer {
    const char  *name;               /* of the spectrum; NULL: there was none */
    eis_circuit  circuit;
    eis_method   method;             /* never EIS_METHOD_AUTO */
    eis_known    known;
    bool         rs_free;            /* the solution resistance was asked for too */
    bool         canonical;          /* a is the slower membrane by convention */
    double       area_cm2;           /* 0: not known */
    eis_interval of[EIS_QUANTITIES];
    bool         identifiable[EIS_COUNT];  /* its interval spans at most a factor of 4, and ends within its range */
    const char  *limit[EIS_WITH_RS]; /* "low", "high", "both": the interval touches that end of the range; NULL */
    double       marginal[EIS_COUNT][EIS_CELLS];  /* probability of each grid value; 0 where it is known */
    const eis_candidate *candidate;  /* the most probable first, options->top_k at most */
    int64_t      candidates;
    const eis_sample *sample;
    int64_t      samples;
    double       entropy_nats, max_probability, top5_mass;  /* of the joint distribution over cells */
    double       best[EIS_WITH_RS];  /* the sample of the highest density */
    double       rs_ohm, noise;      /* noise: standard deviation of each part over |Z|; NaN without a spectrum */
    eis_noise_source noise_source;
    double       effective_samples;  /* how many independent ones the samples are worth; NaN: not known */
    double       disagreement;       /* of two independent halves of the samples: the most by which ends and middles of
                                        the intervals of TER, TEC, n1, d1 differ, over their widths, in logarithms; NaN:
                                        not known */
    double       one_relaxation_log_odds;  /* ln of the evidence of a single relaxation, Rs + R / (1 + s R C), over that
                                        of this circuit, where nothing is known; NaN: not compared */
    double       reduced_chi2, resnorm;  /* of the best answer */
    eis_verdict  verdict;
    const double *share;             /* robust: how much each point of the spectrum counts, 0..1; NULL */
    int64_t      points;             /* of them */
    const char *const *note;         /* what must be known before the numbers are read, whole sentences */
    int64_t      notes;
    const char *const *warning;      /* what speaks against the answer: a circuit that does not fit, a coarse grid, a
                                        predictor outside its training range */
    int64_t      warnings;
    struct eis_answer_parts *parts;
} eis_answer;
TIDE_API void eis_answer_free(eis_answer *a);  /* NULL is fine; leaves it zeroed */

/* The answer for one spectrum, in memory: what eis_complete says of it, to the bit. Of `options` count circuit,
 * resnorm, method, top_k, prior, noise, rs, robust, area_cm2, canonical, seed, model and what a model computes with; no
 * file is written.
 *   spectrum NULL: none; the answer is then what the known values alone say
 *   known     NULL: options->known
 * `listener` is asked at least ten times a second. Several threads may call it at once. TIDE_EINVAL, TIDE_EDATA (a
 * spectrum that no circuit of this kind comes near, with the row where a number is not usable), TIDE_EDEVICE (refined,
 * in a build without cminpack), TIDE_ECANCELLED; *out is zeroed then. */
TIDE_API tide_status eis_solve(const eis_options *options, const eis_spectrum *spectrum, const eis_known *known,
                               eis_listener listener, void *user, eis_answer *out, tide_failure *failure);

/* The answer as JSON (as in eis_complete's, without schema_version and command), and as text for people:
 * tide_free; NULL when out of memory. And its plots (Nyquist, Bode, residuals, posterior, fibre) into a folder that is
 * there, names beginning with `prefix`. */
TIDE_API char *eis_answer_json(const eis_answer *a);
TIDE_API char *eis_answer_text(const eis_answer *a);
TIDE_API tide_status eis_answer_plots(const eis_answer *a, const char *folder, const char *prefix,
                                      tide_failure *failure);
/* One picture of it, as SVG that needs nothing but itself: no program is started, no file is written. Nyquist, Bode and
 * residual plots, and where each quantity that was asked for is. tide_free(*svg). TIDE_EINVAL where there is nothing to
 * draw, TIDE_ENOMEM. */
TIDE_API tide_status eis_answer_svg(const eis_answer *a, char **svg, tide_failure *failure);

/* ---- fits ---------------------------------------------------------------------------------------------- */

typedef enum eis_fit_state {
    EIS_PARAMETER_FREE,
    EIS_PARAMETER_FIXED,
    EIS_PARAMETER_TIED,
    EIS_PARAMETER_AT_LOW,   /* the fit would go beyond its range: its value is the range's end */
    EIS_PARAMETER_AT_HIGH,
    EIS_PARAMETER_OPEN      /* the data do not determine it: another value fits as well, others going along */
} eis_fit_state;

/* A value times the area, or over it; NaN and NULL where the area is not known or has no part in it. */
typedef struct eis_per_area { double value, error; const char *unit; } eis_per_area;

typedef struct eis_fit_parameter {
    const char   *name;         /* "R1", "CPE1_0": an element's parameters count from 0 where it has several */
    const char   *symbol, *unit;/* "Q", "S s^n" */
    double        value, error; /* standard error; NaN: it has none */
    double        low95, high95;/* by the profile: 0 or infinite where the data set no limit; NaN: not asked for */
    double        low, high;    /* its range */
    eis_fit_state state;
    eis_per_area  per_area;
} eis_fit_parameter;

typedef struct eis_fit_element { const char *name, *what, *formula; } eis_fit_element;

typedef struct eis_fit_minimum {
    double        objective;
    int64_t       starts;       /* that led there */
    const double *value;        /* of each parameter */
} eis_fit_minimum;

/* A quantity that follows from the parameters. */
typedef struct eis_fit_quantity {
    const char  *name, *unit;
    double       value, error;
    eis_per_area per_area;
} eis_fit_quantity;

/* What was known beside the data, and what came out. */
typedef struct eis_fit_prior {
    const char *name;             /* "Rs", "Ra/Rb" */
    double      value, deviation; /* as given */
    double      fitted;
    double      pull;             /* (fitted - value) / deviation */
} eis_fit_prior;

/* A circuit that `auto` tried. */
typedef struct eis_fit_candidate {
    const char *circuit;
    double      bic, objective;
    int64_t     free_parameters;
} eis_fit_candidate;

/* What the posterior says of a quantity or a free parameter. */
typedef struct eis_fit_marginal {
    const char  *name, *unit;
    eis_interval of;             /* 95 %, and the median */
    const char  *limit;          /* "low", "high", "both": the interval touches that end of the range; NULL */
    bool         assumed;        /* that end is none that was given */
} eis_fit_marginal;

/* The posterior of a circuit's free parameters, by draws. The prior is uniform in their logarithms within their
 * ranges, of exponents uniform; ends that a range lacks are assumed (docs/eis-circuits.md). The noise is that of the
 * verdict, with its degrees of freedom; where the circuit does not fit it is larger. Of the lumped epithelium, nothing
 * tied, it is the posterior of eis_solve, whose prior is uniform in Rs. */
typedef struct eis_fit_posterior {
    const char *method;          /* "epithelial": of eis_solve; "importance": independent draws; "tempered": of
                                    sequential Monte Carlo */
    const eis_fit_marginal *marginal;  /* quantities first (of an epithelium: TER, TEC, n1, d1), then parameters */
    int64_t     marginals, quantities;
    const double *correlation;   /* marginals x marginals: of logarithms, of exponents themselves */
    const double *value;         /* draws x marginals */
    const double *weight;        /* of each draw: they sum to 1. The two halves are independent of each other */
    int64_t     draws;
    double      effective;       /* how many independent draws they are worth; NaN: not known */
    double      disagreement;    /* of the halves: the most by which ends and middles of intervals differ, over their
                                    widths */
    double      noise, noise_dof;/* that they were made with: of each part over |Z|, and its degrees of freedom */
    const char *const *note;     /* whole sentences: ranges that cut it */
    int64_t     notes;
} eis_fit_posterior;

/* One of the spectra that were fitted together, as the fields of eis_fitted say it of a single one. */
typedef struct eis_fit_spectrum {
    const char *name;
    int64_t     points;                      /* of `used` and `model`, after those of the spectra before it */
    eis_verdict verdict;
    eis_noise_source noise_source;
    double      noise, noise_dof, chi2;
} eis_fit_spectrum;

/* A circuit fitted to a spectrum, or to several of which some parameters are the same. All of it is the library's:
 * eis_fitted_free. */
typedef struct eis_fitted {
    const char *name, *circuit;              /* of the spectrum ("a.csv + b.csv"); as parsed */
    const eis_fit_spectrum *spectrum;        /* of several; points, noise and chi2 are then of all, the verdict is the
                                                worst */
    int64_t     spectra;                     /* 0: of one alone */
    eis_weights weights;
    double      area_cm2;                    /* the spectrum's; 0: not known */
    int64_t     points, free_parameters;     /* those with a state of free or open */
    const eis_fit_element   *element;
    int64_t     elements;
    const eis_fit_parameter *parameter;      /* in the circuit's order; of several spectra Rsh#1, Rsh#2 */
    int64_t     parameters;
    const eis_fit_quantity  *quantity;       /* of an epithelium: TER, TEC, n1, d1; of several of which the shunt alone
                                                differs, 1/Rsh#2-1/Rsh#1 too, which they determine */
    int64_t     quantities;
    const eis_fit_prior *prior;
    int64_t     priors;
    const double *correlation;               /* parameters x parameters; NaN where one of them has no error */
    double      objective, reduced;          /* the weighted sum of squares; over 2 points + priors - free parameters.
                                                A prior counts pull^2 times the noise's variance in the weights' unit */
    double      aic, bic;                    /* for circuits on the same data with the same weights; parameters on their
                                                bounds count */
    double      resnorm[EIS_RESNORMS];       /* every norm of the fit, by eis_resnorm_kind */
    const eis_fit_minimum *minimum;          /* distinct ones, the best first */
    int64_t     minima, starts;
    const eis_fit_candidate *candidate;      /* of `auto`: all that were tried, the lowest BIC first */
    int64_t     candidates;
    const int64_t *used;                     /* the points that were fitted, 0-based, in the spectrum's order */
    const eis_z *model;                      /* at those */
    const double *share;                     /* robust: how much each of them counts, 0..1; NULL */
    const char *const *warning;              /* whole sentences: what is wrong with the data (eis_check_spectrum), and
                                                that the circuit cannot have made them */
    int64_t     warnings;
    /* What is left, beside a noise that is known without the circuit, by the points that nothing is wrong with. */
    eis_verdict verdict;                     /* open: too few points; adequate, systematic or noisy */
    eis_noise_source noise_source;           /* sigma columns or Kramers-Kronig */
    double      noise, noise_dof;            /* of each part over |Z|; degrees of freedom that it stands on */
    double      chi2;                        /* reduced, against that noise; NaN: too few points */
    const eis_fit_posterior *posterior;      /* NULL: not asked for, or a warning says why there is none */
    const char *const *note;                 /* whole sentences: what lies on a bound, what the data leave open */
    int64_t     notes;
    struct eis_fitted_parts *parts;
} eis_fitted;

/* The least squares of `fit->circuit` for one spectrum, without start values: starts follow from the spectrum, the same
 * ones each time, and each distinct minimum is kept. What no sample has is found first: points far off the noise are
 * left out; TIDE_EDATA says why no fit should be believed (leads, scrambled frequencies, two sweeps in one, noise).
 * TIDE_EDATA for a blank that is none, TIDE_EINVAL with the column of the circuit's string that is wrong, TIDE_EDEVICE
 * in a build without cminpack, TIDE_ECANCELLED; *out is zeroed then. No predictor starts it: that is for
 * eis_fit and eis_batch. */
TIDE_API tide_status eis_fit_solve(const eis_fit_options *fit, const eis_spectrum *spectrum, eis_listener listener,
                                   void *user, eis_fitted *out, tide_failure *failure);
/* `count` spectra, 2 or more, in one fit: the parameters of `fit->same` are the same in all. Each alone is fitted
 * first. Fails as eis_fit_solve does; TIDE_EINVAL too where there are more than 240 free parameters. */
TIDE_API tide_status eis_fit_solve_joint(const eis_fit_options *fit, int64_t count, const eis_spectrum *spectrum,
                                         eis_listener listener, void *user, eis_fitted *out, tide_failure *failure);
TIDE_API void  eis_fitted_free(eis_fitted *f);  /* NULL is fine; leaves it zeroed */
TIDE_API char *eis_fitted_json(const eis_fitted *f);  /* tide_free; NULL when out of memory */
TIDE_API char *eis_fitted_text(const eis_fitted *f);
/* Its plots (Nyquist, Bode, residuals) and their numbers, into a folder that is there, names beginning with `prefix`;
 * `spectrum` is the one that was fitted; of a joint fit an array of them all, and 001_ and so on follow the prefix. */
TIDE_API tide_status eis_fitted_plots(const eis_fitted *f, const eis_spectrum *spectrum, const char *folder,
                                      const char *prefix, tide_failure *failure);
/* The same as one picture: as eis_answer_svg. */
TIDE_API tide_status eis_fitted_svg(const eis_fitted *f, const eis_spectrum *spectrum, char **svg,
                                    tide_failure *failure);

/* Z at n frequencies of a circuit, a name or a string in one of the notations (eis_fit_options.circuit), with values of
 * its parameters in the circuit's order, as eis_fitted has them. TIDE_EINVAL with the column of the string that is
 * wrong, for another number of values or a sign that a parameter never has; TIDE_EDATA with the row of a frequency that
 * is no positive number. */
TIDE_API tide_status eis_circuit_impedance(const char *circuit, int64_t parameters, const double *value, int64_t n,
                                           const double *freq_hz, eis_z *z, tide_failure *failure);

/* A trained predictor, opened once and asked many times. A handle is used by one thread at a time; each thread has a
 * clone of its own, and all of them hold the parameters once. eis_model_clone and _save_memory may be called by any
 * thread while others ask any handle of the model. */
typedef struct eis_model eis_model;
/* A run folder, its model.safetensors, a weights file of the MLX guide's network; or the bytes of a model.safetensors,
 * borrowed for the call. Of `options` (NULL: the defaults) count device, threads, precision, strict and
 * compile_mode. */
TIDE_API tide_status eis_model_load(const char *run, const eis_options *options, eis_model **out,
                                    tide_failure *failure);
TIDE_API tide_status eis_model_load_memory(const void *bytes, size_t size, const eis_options *options, eis_model **out,
                                           tide_failure *failure);
TIDE_API tide_status eis_model_clone(const eis_model *m, eis_model **out, tide_failure *failure);
/* The bytes that it was loaded from, as a model.safetensors: tide_free(*bytes). */
TIDE_API tide_status eis_model_save_memory(const eis_model *m, void **bytes, size_t *size, tide_failure *failure);
TIDE_API void        eis_model_free(eis_model *m);  /* NULL is fine; clones live on */
TIDE_API bool        eis_model_takes_spectrum(const eis_model *m);  /* false: it answers from known values alone */
/* Answers `count` questions: spectrum[i] (`spectrum` NULL where the model takes none) and known[i] (NULL: the options'
 * for all). answers[i] are zeroed first; on failure all are free, failure->row says which question (1-based).
 * TIDE_EINVAL for a model of the recipe cell: eis_fit and eis_batch take it. */
TIDE_API tide_status eis_model_solve(eis_model *m, const eis_options *options, int64_t count,
                                     const eis_spectrum *spectrum, const eis_known *known, eis_listener listener,
                                     void *user, eis_answer *answers, tide_failure *failure);

/* Training as a handle: in steps, in memory, and its model at any time. A handle is used by one thread at a time; only
 * eis_trainer_cancel may be called by any, and in a signal's handler.
 *
 *   eis_trainer *t;                                       options->out "": nothing is written anywhere
 *   eis_trainer_new(&options, NULL, NULL, &t, &failure);
 *   while (!eis_trainer_at(t).finished && eis_trainer_run(t, 100, &failure) == TIDE_OK) { ... }
 *   eis_trainer_model(t, &model, &failure);
 *   eis_trainer_free(t);
 *
 * What is trained is that of eis_train, to the bit, however the steps are split. */
typedef struct eis_trainer eis_trainer;
/* Of `options`, which are copied, counts what eis_train takes; `max_minutes` begin here. With `out` it is the folder of
 * a run as eis_train makes it, locked until the handle is freed; a run that is there is resumed, refused or overwritten
 * as they say. Both kinds of inputs: the rows of EIS_INPUTS_KNOWN are generated data, in data_dir here too.
 * `listener` (NULL: none) is called by the thread that calls this function, or eis_trainer_run. Fails as eis_train
 * does. */
TIDE_API tide_status eis_trainer_new(const eis_options *options, eis_listener listener, void *user, eis_trainer **out,
                                     tide_failure *failure);
/* At most `steps` steps (0: to the end), closing epochs on the way; nothing where training is over. After the last step
 * a lab predictor's intervals are calibrated. TIDE_ECANCELLED where it was stopped, with a checkpoint in the folder:
 * the next call goes on. TIDE_EINVAL where the validation loss was never a number. */
TIDE_API tide_status eis_trainer_run(eis_trainer *t, int64_t steps, tide_failure *failure);
/* A checkpoint into the folder, now; does nothing in memory, or when training is over. */
TIDE_API tide_status eis_trainer_save(eis_trainer *t, tide_failure *failure);
/* Stops eis_trainer_run after the step that it is at; where none runs, the next call after its first. */
TIDE_API void        eis_trainer_cancel(eis_trainer *t);

typedef struct eis_training {
    int64_t epoch, epochs, batch, batches;   /* epoch: that is being trained, 1-based; epochs: planned, 0: until the
                                                time is over; batch: its steps that are done */
    int64_t step, steps;                     /* steps done in all, and planned */
    int64_t best_epoch;                      /* 0: none yet */
    double  train_loss, val_loss;            /* of the last whole epoch; NaN before */
    double  best_val_loss;                   /* infinite before the first */
    bool    finished;                        /* nothing is left to run: the model is final */
} eis_training;
TIDE_API eis_training eis_trainer_at(const eis_trainer *t);  /* of NULL: zeros */

/* The parameters of the best epoch so far, before the first as they are, as a model that lives on its own: what
 * eis_train's model.safetensors would hold now. What it computes with is taken from the trainer's options. */
TIDE_API tide_status eis_trainer_model(const eis_trainer *t, eis_model **out, tide_failure *failure);
TIDE_API void        eis_trainer_free(eis_trainer *t);  /* NULL is fine, and so is one that is not finished */

/* ---- what speaks against data --------------------------------------------------------------------------- */

typedef enum eis_fault_kind {
    EIS_FAULT_SWEEPS,     /* more than one sweep in a row; size: how many */
    EIS_FAULT_SCRAMBLED,  /* frequencies that are not those of the impedances; points: those off an even grid */
    EIS_FAULT_LEADS,      /* Im Z > 0 nearly throughout, or Re Z < 0 at many points; size: share of the points */
    EIS_FAULT_NOISE,      /* the scatter is no measurement's; size: the noise, over |Z| */
    EIS_FAULT_NEGATIVE,   /* Re Z < 0 at some points, beyond noise; size: the least Re Z / |Z| */
    EIS_FAULT_OUTLIERS,   /* points off the smooth part; size: the farthest, over |Z| */
    EIS_FAULT_MAINS,      /* such points at 50 or 60 Hz and its multiples; size: the mains' frequency, Hz */
    EIS_FAULT_DRIFT,      /* the sample changed while it was measured; size: its growth over the sweep, 0.2 for 20 % */
    EIS_FAULT_RESISTOR,   /* no capacitance is seen; size: ohm */
    EIS_FAULT_BLANK       /* a resistance and an electrode explain it as well as anything; size: that resistance */
} eis_fault_kind;
TIDE_API const char *eis_fault_name(eis_fault_kind kind);  /* "two-sweeps", ...; NULL: none */

typedef struct eis_fault {
    eis_fault_kind kind;
    bool           unfit;     /* no answer about an epithelium should be believed */
    const int64_t *point;     /* 0-based, in the spectrum's order */
    int64_t        points;
    double         size;
    const char    *sentence;
} eis_fault;

typedef enum eis_check_verdict {
    EIS_CHECK_SOUND,   /* nothing speaks against it */
    EIS_CHECK_FLAWED,  /* usable, with what the faults say in mind */
    EIS_CHECK_UNFIT    /* no answer about an epithelium should be believed */
} eis_check_verdict;

/* What is found in a spectrum. All of it is the library's: eis_checked_free. */
typedef struct eis_checked {
    const char       *name;
    eis_check_verdict verdict;
    const eis_fault  *fault;
    int64_t           faults;
    eis_noise_source  noise_source;
    double noise;         /* standard deviation of each part over |Z|, by points not left out; NaN: not told */
    double noise_robust;  /* the same by the median of Kramers-Kronig residuals, all points counted */
    double noise_dof;     /* degrees of freedom of `noise`; infinite: stated */
    /* The linear Kramers-Kronig test (Boukamp 1995, Schoenleber 2014): the complex one with an inductance and a series
     * capacitance, at every number of relaxations from 2 to min(points, 50). Told is the least of them that leaves what
     * the plateau leaves. Of more than 1000 points, every second, third and so on is taken. */
    int64_t terms;        /* 0: there was none, for two sweeps in one */
    double  mu, pseudo_chi2;
    double  extension;    /* time constants run from 1 / (extension w_max) to extension / w_min */
    bool    admittance;   /* of 1 / Z */
    bool    plateau;      /* it was reached; else this is the best */
    const double *pseudo_chi2_of;  /* by terms, 0 to most_terms; NaN: not tried */
    int64_t       most_terms;
    /* By point, in the spectrum's order; where there was no test only the frequency. */
    int64_t       points;
    const double *freq_hz;
    const eis_z  *residual;  /* (Z - Kramers-Kronig expansion at the plateau) / |Z| */
    const bool   *left_out;  /* an outlier, or of an artefact where Re Z < 0 */
    const double *zhit;      /* ln |Z| less ln |Z| from the phase (Z-HIT); NaN where it is left out */
    double        zhit_rms;
    struct eis_checked_parts *parts;
} eis_checked;

/* Whether a spectrum can be believed, without asking for any circuit. TIDE_EINVAL, TIDE_EDATA (with the row where a
 * number is not usable), TIDE_ENOMEM; *out is zeroed then. Several threads may call it at once. */
TIDE_API tide_status eis_check_spectrum(const eis_spectrum *spectrum, eis_checked *out, tide_failure *failure);
TIDE_API void        eis_checked_free(eis_checked *c);  /* NULL is fine; leaves it zeroed */
TIDE_API char       *eis_checked_json(const eis_checked *c);  /* as eis_check's: tide_free; NULL: out of memory */
TIDE_API char       *eis_checked_text(const eis_checked *c);
/* Residuals beside the noise, and S against M: as eis_answer_svg. There is nothing to draw without a test. */
TIDE_API tide_status eis_checked_svg(const eis_checked *c, char **svg, tide_failure *failure);

/* ---- distribution of relaxation times -------------------------------------------------------------------- */

/* Z = R_inf + j w L + 1 / (j w C) + integral gamma / (1 + j w tau) dln tau, gamma >= 0: a sum of Gaussians over ln tau,
 * ten a decade (the data's density where they are denser), from a decade below the measured time constants to a decade
 * above. The 1 / (j w C) is there where the spectrum is still capacitive at its lowest frequency. Least is
 *     sum |Z - model|^2 / |Z|^2 + lambda integral (d^k gamma / dln tau^k)^2 dln tau,    gamma in units of max |Z|,
 * with all of gamma's Gaussians, R_inf, L and 1 / C >= 0. Inductive loops and other negative arcs cannot be had so:
 * what there is of them is left in the residuals, which is said. */
typedef enum eis_lambda_by {
    EIS_LAMBDA_GCV,     /* generalised cross-validation, the robust one (Lukas 2006) */
    EIS_LAMBDA_LCURVE,  /* the corner of the L-curve */
    EIS_LAMBDA_GIVEN
} eis_lambda_by;

typedef struct eis_drt_peak {
    double tau_s, frequency_hz;  /* of the maximum; frequency: 1 / (2 pi tau) */
    double gamma_ohm;            /* its height */
    double r_ohm, c_farad;       /* the area between the minima beside it, and tau / R */
    bool   beyond;               /* tau is none that was measured: less is known of it */
} eis_drt_peak;

/* All of it is the library's: eis_relaxations_free. */
typedef struct eis_relaxations {
    const char   *name;
    eis_lambda_by lambda_by;
    double  lambda;
    int64_t penalty_order;
    double  r_inf_ohm, l_henry;
    double  c_farad;              /* in series; infinite: there is none */
    double  area_ohm;             /* of gamma; the peaks' sum to it */
    double  low_ohm;              /* Re Z at the lowest frequency less R_inf: the area where Z has come to its
                                     end there, without a capacitance */
    /* By tau: maxima that stand out by at least 10 % of their height and 1 % of the greatest's. */
    const eis_drt_peak *peak;
    int64_t peaks;
    const double *tau_s, *gamma_ohm;
    int64_t taus;
    int64_t points;               /* in the spectrum's order */
    const double *freq_hz;
    const eis_z  *residual;       /* (Z - model) / |Z| */
    double  rms;                  /* of the residuals' parts */
    double  rms_signed;           /* where gamma may be negative, at the same lambda */
    bool    negative_arc;         /* these differ by what no positive gamma can have made */
    const char *notes;            /* what is to be had in mind: sentences, a line each; "" */
    struct eis_relaxations_parts *parts;
} eis_relaxations;

/* Of `options` (NULL: the defaults) count lambda and penalty_order. TIDE_EINVAL, TIDE_EDATA (with the row where a
 * number is not usable), TIDE_ENOMEM; *out is zeroed then. Several threads may call it at once. */
TIDE_API tide_status eis_drt_spectrum(const eis_spectrum *spectrum, const eis_options *options, eis_relaxations *out,
                                      tide_failure *failure);
TIDE_API void        eis_relaxations_free(eis_relaxations *r);  /* NULL is fine; leaves it zeroed */
TIDE_API char       *eis_relaxations_json(const eis_relaxations *r);  /* likewise, as in eis_drt's */
TIDE_API char       *eis_relaxations_text(const eis_relaxations *r);
/* The distribution, and what it leaves of the spectrum: as eis_answer_svg. */
TIDE_API tide_status eis_relaxations_svg(const eis_relaxations *r, char **svg, tide_failure *failure);

/* ---- commands ------------------------------------------------------------------------------------------ */

typedef struct eis_result {
    char *json;   /* the whole result, one object with schema_version (several spectra: "spectra" is a list of them) */
    char *text;   /* the same for people */
    char *csv;    /* several spectra: one row a spectrum and quantity; else NULL */
} eis_result;
TIDE_API void eis_result_free(eis_result *r);

/* What the missing parameters are, given the known ones and a spectrum: the joint posterior under a prior that is
 * uniform in the logarithm within eis_parameters' ranges and independent noise of standard deviation noise |Z| in each
 * part.
 *   EIS_REFINED  continuous: samples of the posterior. Needs a build with cminpack (TIDE_EDEVICE)
 *   EIS_EXACT    on the grid of 12 values a missing parameter, every combination counted
 * A noise that is not given is assumed from the misfit: it can show that the circuit is wrong (residuals that run in
 * one direction), never that it is right: no such answer is called adequate. Where more is left than noise, intervals
 * are wider; one that the answer does not have (a value that follows from known ones, a TER beyond the lowest
 * frequency) is null with a reason in "notes". Of several spectra, those that cannot be read or answered do not end it:
 * the status is then TIDE_EDATA and *result holds the answers of the others and each one's reason.
 * Known values are used as given. Labels given by the user are the user's: with any of Ra, Rb, Ca, Cb known both orders
 * of the time constants count; with none, a is the slower membrane. */
TIDE_API tide_status eis_complete(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                                  tide_failure *failure);

/* eis_check_spectrum of each sweep of the files in options->spectra, with what it found as text, JSON, and a table of
 * one row a spectrum; plots of the residuals and of S against M go into `out`. Of several, a file that cannot be read
 * does not end it: the status is then TIDE_EDATA and *result holds the verdicts on the others and each one's reason. A
 * spectrum that is found unfit is no failure. */
TIDE_API tide_status eis_check(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                               tide_failure *failure);

/* eis_drt_spectrum of each sweep of the files in options->spectra, with what it found as text, JSON, and a table of one
 * row a peak; the distribution and the residuals are drawn into `out`. Several files: as eis_check. */
TIDE_API tide_status eis_drt(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                             tide_failure *failure);

/* Spectra as CSV with the columns frequency_hz, z_re_ohm, z_im_ohm, and sigma_re_ohm, sigma_im_ohm where they are
 * known: numbers that read back to the same bits. A file for each sweep in the folder `out`, or the one sweep there is
 * into the file `output`, else into result->csv. What is there is refused unless `overwrite`. Files that cannot be read
 * do not end it: TIDE_EDATA then, and *result tells of the others and each one's reason. */
TIDE_API tide_status eis_convert(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                                 tide_failure *failure);

/* Fits `fit->circuit` to each of `options->spectra`; of `options` count spectra, what reads them, area_cm2, model,
 * threads and out: the same bytes whatever the threads. `model`, a run of recipe cell, gives each fit more starts;
 * TIDE_EINVAL where it is another's, or the circuit has parts that it does not know (docs/eis-circuits.md). Into the
 * folder `out` go fit.csv (a row a spectrum and parameter) and fit.json. A file that cannot be read or fitted does not
 * end it: as eis_complete. */
TIDE_API tide_status eis_fit(const eis_options *options, const eis_fit_options *fit, eis_listener listener, void *user,
                             eis_result *result, tide_failure *failure);

/* eis_check_spectrum and a fit of `fit->circuit` for each sweep of the files and folders in `options->spectra`, a row
 * each (docs/eis-batch.md): of `options` count spectra, what reads them, area_cm2, samples, model, screen, decimal,
 * threads, out and overwrite. `model` is as for eis_fit; with `screen` there is neither check nor fit, but what it says
 * of each spectrum, and of `fit` nothing may be given. A row holds the answer or the reason why there is none, and has
 * the bits that its file has alone, in any order and on any number of threads. Where one has none, the status is
 * TIDE_EDATA and *result holds all rows; result->csv is always there. Into the folder `out` go batch.csv, batch.json,
 * report.html and, with `samples`, groups.csv; answers are kept there in batch.jsonl as they come, so that a run that
 * was killed, or has more files, goes on from them. TIDE_EINVAL where the folder's are of another circuit, other
 * options of the fit or another model, unless `overwrite`. */
TIDE_API tide_status eis_batch(const eis_options *options, const eis_fit_options *fit, eis_listener listener,
                               void *user, eis_result *result, tide_failure *failure);

/* Trains a predictor of missing parameters into the folder `out`; the best by validation loss is kept, Ctrl-C leaves a
 * checkpoint from which `resume` continues to the same bits.
 *   EIS_INPUTS_SPECTRUM from known values and a spectrum: any set of known ones, joint probabilities by the chain rule.
 *                       Spectra are made while it trains. Three recipes, three models:
 *     EIS_RECIPE_LAB    circuits between the grid values, solution resistance 0..100 ohm, 20 to 100 frequencies,
 *                       unknown noise
 *     EIS_RECIPE_GRID   circuits on the grid, 61 frequencies 0.1 Hz..100 kHz, no solution resistance, known noise
 *     EIS_RECIPE_CELL   measured epithelia: two arcs of constant phase elements with electrodes and leads, 15 to 100
 *                       frequencies of any range, unknown noise. Nothing is known beforehand, so it does not complete:
 *                       it starts eis_fit and eis_batch, or answers for them (`screen`)
 *   EIS_INPUTS_KNOWN    the MLX guide's network, from known values alone and rows of `data_dir`. Its accuracy is given
 *                       beside the best that any predictor could reach on those rows. Also writes
 *                       best_eis_predictor_mlx.npz */
TIDE_API tide_status eis_train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                               tide_failure *failure);

/* How good the predictor `model` is on fresh spectra, beside the exact answer for the same spectra. */
TIDE_API tide_status eis_evaluate(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                                  tide_failure *failure);

/* Residual norms of every grid circuit against every ground truth: their statistics and, unless stats_only, the rows,
 * in data_dir. What is coming (rows, bytes, time) is told first; a disk with less room is refused. Rows go
 *   EIS_FORMAT_SHARDS into binary files (their layout: apps/eis/dataset/shard.h) beside a manifest.json. A run that was
 *                     killed is resumed with the shards that are missing; a folder of other options is refused with
 *                     what differs
 *   EIS_FORMAT_CSV    into combined_dataset_{n}gt.csv, ground_truth_metadata.json and dataset_summary.txt; each ground
 *                     truth's block begins with a row of the truth itself, resnorm 0
 * The same bytes whatever the threads. */
TIDE_API tide_status eis_generate(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                                  tide_failure *failure);

/* A made-up measurement, as such a CSV: the circuit of `known` (all five; "": an example), with `rs` and normal noise
 * of `noise` |Z| in each part ("": 1 %; 0: none), at 61 frequencies from 100 kHz to 0.1 Hz. */
TIDE_API tide_status eis_simulate(const eis_options *options, const char *path, tide_failure *failure);
/* The same in memory, at `count` frequencies of the caller's: at those of the file, the same numbers. TIDE_EDATA with
 * the row of a frequency that is not a positive number. */
TIDE_API tide_status eis_simulate_at(const eis_options *options, int64_t count, const double *freq_hz, eis_z *z,
                                     tide_failure *failure);

/* The whole of it: data if they are missing, a predictor trained on them, a circuit that is in no training data
 * completed from Rsh, Ra and Rb, without its spectrum and with it, and a report. Everything goes into the folder `out`
 * ("": runs/eis): report.html, report.json, model/, answer/, spectrum.csv.
 * With `model` given nothing is generated or trained. */
TIDE_API tide_status eis_full(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                              tide_failure *failure);

/* ---- names of before ------------------------------------------------------------------------------------ */

/* What earlier versions called these; options take the old words too. */
#define EIS_COMPAT_GUIDE EIS_COMPAT_MLX
#define EIS_MASKS_GUIDE EIS_MASKS_MLX
#define EIS_LR_GUIDE_TYPE1 EIS_LR_MAC_TYPE1
#define EIS_LR_GUIDE_TYPE2 EIS_LR_MAC_TYPE2
#define EIS_LR_GUIDE_SLOWER EIS_LR_MAC_SLOWER
#define EIS_LR_GUIDE_COSINE EIS_LR_MAC_COSINE

#ifdef __cplusplus
}
#endif

#endif
