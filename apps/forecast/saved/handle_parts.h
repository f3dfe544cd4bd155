/* What the parts of the handle show each other. */
#ifndef FORECAST_HANDLE_PARTS_H
#define FORECAST_HANDLE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "handle.h"

enum { HANDLE_SIZES = 5 };

/* Of all clones. */
typedef struct learned {
    atomic_int       holders;
    pthread_mutex_t  lock;      /* for the graph: clones are made, and saved, by any thread */
    forecast_options machine;
    bundle           bundle;
    session          store;     /* the parameters; no program */
    char             frequency[STEP_TEXT];
    char             tz[64];
} learned;

typedef struct sized_program {
    tide_program *program;
    tide_val      past, gaps, marks, known, future, widths;  /* graph NULL where the model has none of them */
} sized_program;

struct forecast_model {
    learned      *of;
    session       session;
    int64_t       size[HANDLE_SIZES];     /* windows of a run, falling; 0: not used */
    sized_program program[HANDLE_SIZES];  /* made when they are first needed; the last with the handle */
    float        *scaled, *gaps, *marks, *known;  /* a batch's */
    double        compile_s;
};

static inline const model_config *config_of(const forecast_model *m) {
    static const model_config none = { 0 };
    return m ? &m->of->bundle.config : &none;
}

/* handle_predict.c: the program of the largest size that `windows` fill, *chosen, compiled if it was not. A batch that
 * does not fit into memory is asked in smaller ones. */
tide_status handle_program(forecast_model *m, int64_t windows, int *chosen, tide_failure *failure);
/* forecast_model_predict_known; `widths` as handle_forward's, but in original units. */
tide_status handle_predict(forecast_model *m, int64_t windows, const double *past, const int64_t *time_s,
                           const double *known, double *future, float *widths, tide_failure *failure);

#endif
