/* Forecasting a run of windows and adding up the errors, for the model and for the baselines alike. */
#ifndef FORECAST_SCORING_H
#define FORECAST_SCORING_H

#include "forecast/score/conformal.h"
#include "forecast/score/score.h"
#include "session.h"

/* Resident memory, looked at no more than once a second. */
typedef struct memory_sample { double at_s, mib; } memory_sample;

/* Tells the caller's callback; non-zero: stop. memory NULL: its events do not tell of memory. */
typedef struct listener { forecast_progress call; void *user; double began; memory_sample *memory; } listener;
int listener_tell(const listener *l, forecast_event event);
void session_tell(const session *s, const listener *l);  /* what the device lacks, and what was timed; when programs are
                                                            made */
int listener_note(const listener *l, forecast_stage stage, const char *format, ...) TIDE_PRINTF(3, 4);

/* Who else looks at forecasts as they are made, of windows `at` and on, in original units. see NULL: nobody. */
typedef struct window_watch {
    void (*see)(void *user, int64_t at, int64_t count, const seen_windows *seen);
    void *user;
} window_watch;

/* The windows to score. */
typedef struct scoring {
    const dataset *data;
    int64_t  seq_len, pred_len;
    window_set windows;
    bool     metrics_scaled;   /* percentage errors of scaled values */
    const listener *listener;  /* NULL: silent */
    float   *keep_prediction, *keep_truth;  /* NULL, or (windows, pred_len, out columns): everything, scaled */
    forecast_use itself;                    /* the baseline that the model is, which is not scored beside it; MODEL:
                                               none */
    const window_watch *watch;              /* NULL, or of the model and of the three baselines */
} scoring;

/* Widths of a head, (cells, widths) of cells that are (..., out columns), in the columns' own units. */
void widths_to_original(const dataset *d, const float *scaled, int64_t cells, int64_t widths, float *out);

typedef struct score_pair { score *scaled, *original; } score_pair;
void score_pair_free(score_pair *p);

tide_status score_model(const scoring *what, window_program *p, score_pair *out, tide_failure *failure);
forecast_score score_pair_result(const char *name, const score_pair *p, bool metrics_scaled);

/* Mean over the windows of the loss of each, weighed by how many of its truths are known, in window order. `l` is asked
 * ten times a second whether to go on (FORECAST_STAGE_VALIDATE); NULL: nobody is. `r`: all of them call it, each works
 * out its share of the windows, and the mean is the same on all; nobody is asked. */
tide_status mean_loss(window_program *p, window_set w, ranks *r, const listener *l, double *out,
                      tide_failure *failure);

/* One run of p on up to p->batch windows, at most MOST_BATCH; a short batch repeats its last. */
enum { MOST_BATCH = 1024 };
tide_status run_windows(window_program *p, const int32_t *starts, int64_t count, tide_failure *failure);

/* The three baselines, scored. `season` 0: from the frequency. names as in forecast_result. A baseline that cannot be
 * what it is called is not present: season_note says why there is no seasonal naive. */
typedef struct baseline_parts {
    score_pair pair[3];
    bool       present[3];
    int64_t    season;            /* 0: none is known */
    char       season_note[160];  /* "" */
    baseline  *made[3];           /* NULL: cannot be */
} baseline_parts;
enum { LAST_VALUE, SEASONAL, LINEAR };
/* Makes them for these windows, the linear one fitted on `s`; then they can be scored. */
tide_status make_baselines(const scoring *what, split s, int64_t season, baseline_parts *out, tide_failure *failure);
tide_status score_baselines(const scoring *what, baseline_parts *parts, tide_failure *failure);
/* `which`: LAST_VALUE, ..., that is made. */
tide_status score_baseline(const scoring *what, int which, const baseline_parts *parts, score_pair *out,
                           tide_failure *failure);
void        baseline_parts_free(baseline_parts *p);
extern const char *const baseline_names[3];

#endif
