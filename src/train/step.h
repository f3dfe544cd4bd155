/* One training step: from a loss to the programs that compute its derivatives, scale, measure and clip them, and move
 * the parameters.
 *
 *   train_step s;
 *   train_step_begin(&s, g, params, batch, &rule);     the model is built after this, of s.samples samples
 *   train_step_end(&s, (train_loss){ loss, .metric = accuracy }, &failure);
 *   train_step_rate(&s, 1e-3);
 *   train_step_run(&s, (train_feed[]){ { x, data } }, 1, &result, &failure);
 *   train_step_free(&s);
 *
 * Where the device has memory of its own, runs are queued there, and a host that looks at each step makes the device
 * wait for it. There the program keeps the figures of its last steps (train_step_queues), to be read some at a time:
 *
 *   train_step_queue(&s, (train_feed[]){ { x, data } }, 1, &failure);   at most TRAIN_LOG times
 *   train_step_read(&s, n, results, &failure);                          then of the last n
 *
 * A batch that runs as equal parts (rule.parts) needs the memory of one part: each adds its sums, and a program of its
 * own then updates once. The model is the same either way: it is built for s.samples samples, and is fed the whole
 * batch.
 *
 * With ranks (rule.ranks) each runs its share of the parts, the sums of all are added in the order of the parts, and
 * every rank updates: the same parameters, to the bit, that one process gets with as many parts. */
#ifndef TIDE_TRAIN_STEP_H
#define TIDE_TRAIN_STEP_H

#include <tidemill/optim.h>

#include "ranks/ranks.h"

/* As the options of the applications count them. */
typedef enum train_optimizer { TRAIN_ADAM, TRAIN_ADAMW, TRAIN_SGD, TRAIN_RMSPROP, TRAIN_LION } train_optimizer;

typedef struct train_rule {
    train_optimizer optimizer;
    double  rate;                  /* what the variable "lr" holds before it is written */
    double  weight_decay, beta2;   /* beta2: Adam's; 0: 0.999 */
    double  grad_clip;             /* largest norm of the gradient; 0: no limit */
    bool    no_bias_correction;    /* Adam's */
    bool    scaled;                /* a loss scaler: gradients may leave the range of f16 */
    int64_t parts;                 /* of a batch; 0 and 1: the whole at once, with ranks as many parts as ranks */
    ranks  *ranks;                 /* who shares the work; NULL: nobody */
    tide_compile_options compile;
} train_rule;

typedef struct step_exchange step_exchange;

typedef struct train_step {
    tide_graph      *graph;
    tide_list        params;
    train_rule       rule;
    int64_t          samples, parts;   /* of a run; runs a step, of all ranks */
    int64_t          first, here;      /* this rank's: parts from `first` on, so many */
    tide_program    *program;          /* does it all; with parts: adds one */
    tide_program    *finish;           /* then updates; NULL without parts */
    tide_val         loss, norm;       /* scalars of a step; norm: of the gradient before clipping, 0 where the loss
                                          scaler skips the step */
    tide_val         metric;           /* of a run; graph NULL: none */
    tide_val         update, part;     /* effects: of `finish` or of the only program; of a part */
    tide_val         lr;               /* variable "lr" */
    tide_val         log, logged;      /* variable "step.log" (TRAIN_LOG, figures): loss, norm, metric (of an exchange
                                          each part's) of the last steps, the newest last, and the effect that adds
                                          one; graph NULL: steps are not queued */
    tide_val         rate;             /* where they are, the input that "lr" is set to: writing it would wait ... */
    float            rate_now;         /* ... and what it is fed */
    tide_grad_scaler scaler;           /* scale.graph NULL: none */
    tide_accumulator sums;
    tide_val         base;             /* of ranks: the sample that a part begins with, an input */
    step_exchange   *exchange;         /* of ranks whose devices exchange by themselves; NULL: by way of the host ... */
    char             by_host[200];     /* ... and why, a clause; "": devices that need not be asked */
    rank_word       *word;             /* what is told and heard at a step's meeting; NULL: nothing */
    double           compile_s;        /* what compiling took */
} train_step;

/* The samples of `batch`, a multiple of rule->parts, in s->samples a run. What is built from here to train_step_end
 * draws the random numbers that its samples have in the whole batch. */
void train_step_begin(train_step *s, tide_graph *g, tide_list params, int64_t batch, const train_rule *rule);

/* Without a denominator the numerator is the loss, of a part its share of the whole batch's: the shares add up. With
 * one the loss is the sum of the parts' numerators over that of their denominators. The metric is a scalar that is told
 * along with the loss, of a part its share too; graph NULL: none. */
typedef struct train_loss { tide_val numerator, denominator, metric; } train_loss;
/* Compiles the programs, of ranks together. Fails with the graph's first failure, or the programs'; TIDE_ETYPE where
 * parameters of ranks are not float32. */
tide_status train_step_end(train_step *s, train_loss loss, tide_failure *failure);

/* Of ranks: before the first step, all together; nothing alone. */
tide_status train_step_meet(const train_step *s, tide_failure *failure);
/* Before its graph is freed. What was never begun, all of it 0, is fine. */
void        train_step_free(train_step *s);

/* The effect that moves the parameters by the derivatives of `loss`, for who compiles it otherwise; *norm and *scaler
 * are set as in train_step. */
tide_val train_update(const train_rule *rule, tide_list params, tide_val loss, tide_val lr, tide_val *norm,
                      tide_grad_scaler *scaler);

/* TIDE_EINVAL where a batch is not so many equal parts, or these not as many for each rank: names what would do. */
tide_status train_parts_check(int64_t batch, int64_t parts, const ranks *r, tide_failure *failure);
/* The parts of a batch where so many are asked for, 0 and 1 the least there can be. */
int64_t     train_parts(int64_t asked, const ranks *r);

tide_status train_step_rate(train_step *s, double rate);
/* What the step's programs are fed besides the model's inputs: at most one. Returns how many. */
int         train_step_own_feeds(const train_step *s, tide_feed *out);

/* `data` of the whole batch, sample by sample, of which each run is fed its part; `whole`: the same in every run. */
typedef struct train_feed { tide_val input; const void *data; bool whole; } train_feed;
enum { TRAIN_FEEDS = 8 };
typedef struct train_result { double loss, norm, metric; } train_result;  /* metric: NaN without one */
tide_status train_step_run(const train_step *s, const train_feed *feeds, int count, train_result *out,
                           tide_failure *failure);

enum { TRAIN_LOG = 64 };
bool        train_step_queues(const train_step *s);
tide_status train_step_queue(const train_step *s, const train_feed *feeds, int count, tide_failure *failure);
/* Waits; of the last `n` steps, 1 to TRAIN_LOG, the oldest first. */
tide_status train_step_read(const train_step *s, int64_t n, train_result *out, tide_failure *failure);

/* Has the device memory of its own, where runs may be queued? */
bool        train_device_apart(const tide_graph *g);

/* Where the loss scaler is, and how many steps of the run it has skipped; 0 and 0 without one. */
tide_status train_step_scale(const train_step *s, double *scale, int64_t *skipped, tide_failure *failure);

/* ---- what is around it ---- */

typedef struct train_graph {
    const char       *device;
    int               threads;
    uint64_t          seed;
    int64_t           memory_limit;   /* bytes; 0: what the device has */
    tide_program_mode mode;
    int               cut;            /* tasks along the samples, at least; 0: as many as threads */
    const char       *choices_of;     /* run folder whose choices by timing hold; NULL: none */
} train_graph;
/* A graph for a model. Fails with TIDE_EDEVICE naming the devices there are. */
tide_status train_graph_new(const train_graph *how, tide_graph **out, tide_failure *failure);

/* The first failure of the graph or of the program, which may be NULL when memory was short. */
tide_status train_compiled(const tide_graph *g, const tide_program *p, tide_failure *failure);

/* Why a value of the graph could not be read, written or kept: what the graph says of it, which may be that the device
 * was lost; where that is nothing, memory for `what` was short. */
tide_status train_unread(const tide_graph *g, const char *what, tide_failure *failure);

/* Bytes that a graph on the device may take where no limit is set; INT64_MAX: nobody knows. */
int64_t train_device_memory(const char *device);

/* Bytes of a --memory-limit: a share up to 1 of what the device has, which is the machine's memory unless it has its
 * own; a number with K, M, G or T, or bytes. "": 0. TIDE_EINVAL; TIDE_EDEVICE for a share where there is no such
 * device. */
tide_status train_memory_limit(const char *text, const char *device, int64_t *bytes, tide_failure *failure);

#endif
