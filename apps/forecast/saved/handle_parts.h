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

typedef struct attention_program attention_program;

struct forecast_model {
    learned      *of;
    session       session;
    int64_t       size[HANDLE_SIZES];     /* windows of a run, falling; 0: not used */
    sized_program program[HANDLE_SIZES];  /* made when they are first needed; the last with the handle */
    float        *scaled, *gaps, *marks, *known;  /* a batch's */
    double        compile_s;
    attention_program *attention;         /* handle_attention.c; made when it is first asked for */
};

void attention_program_free(attention_program *a);  /* NULL is fine */

static inline const model_config *config_of(const forecast_model *m) {
    static const model_config none = { 0 };
    return m ? &m->of->bundle.config : &none;
}

/* handle_predict.c. The inputs of so many windows, in *p, and what the model sees of them. */
model_windows handle_inputs(forecast_model *m, int64_t windows, sized_program *p);
/* Is all there that a question about so many windows takes? `place`: for the answer. */
tide_status handle_check(const forecast_model *m, int64_t windows, const double *past, const int64_t *time_s,
                         const double *known, const void *place, tide_failure *failure);
/* What went wrong while it was built or compiled. */
tide_status handle_compiled(const forecast_model *m, const tide_program *p, tide_failure *failure);
/* Windows as a caller has them, checked and scaled into m->scaled, m->marks and m->known; `first` is the number of the
 * first of them in messages. */
typedef struct given_windows { const double *past; const int64_t *time_s; const double *known; } given_windows;
tide_status handle_take_windows(forecast_model *m, int64_t first, int64_t windows, given_windows x,
                                tide_failure *failure);
/* Runs p->program on them. */
tide_status handle_run(forecast_model *m, const sized_program *p, int64_t windows, handle_windows x,
                       tide_failure *failure);

/* The program of the largest size that `windows` fill, *chosen, compiled if it was not. A batch that
 * does not fit into memory is asked in smaller ones. */
tide_status handle_program(forecast_model *m, int64_t windows, int *chosen, tide_failure *failure);
/* forecast_model_predict_known; `widths` as handle_forward's, but in original units. */
tide_status handle_predict(forecast_model *m, int64_t windows, const double *past, const int64_t *time_s,
                           const double *known, double *future, float *widths, tide_failure *failure);

#endif
