/* From a question to its answer, in memory: what eis_solve, eis_model_solve and the commands share. */
#ifndef EIS_SOLVE_H
#define EIS_SOLVE_H

#include "eis/answer/answer.h"
#include "eis/known/model.h"
#include "eis/predictor/predictor.h"

struct eis_model {
    predictor  *predictor;   /* one that takes a spectrum; NULL: `known` */
    known_model known;
    char        name[EIS_TEXT_SIZE];  /* its run, as given */
};

/* From the archive of a model.safetensors. Options NULL: the defaults. */
tide_status model_take(const tide_archive *a, const eis_options *options, eis_model **out, tide_failure *failure);

enum { SOURCE_LINE = 2 * EIS_TEXT_SIZE };

/* A question that options ask. Its spectra come one by one; whether there are any is known before. */
typedef struct asked {
    const eis_options *options;
    question  question;
    eis_model *model;             /* NULL: none */
    bool      spectrum;
    char      source[SOURCE_LINE];  /* what a user should know of an answer that no spectrum stands behind; "" */
    /* who is told */
    eis_listener listener;
    void     *user;
    int64_t   number, count;      /* 1-based: the spectrum of how many */
    double    began_s, told_s;
    stopper   stop;
    struct cells_device *cells;   /* exact, on another device than the processor; else NULL */
} asked;

/* known NULL: the options'. `model` may be NULL; its circuit is the question's. The struct stays where it is, until
 * asked_done, after a failure too. */
tide_status ask(const eis_options *o, bool spectrum, const eis_known *known, eis_model *model, eis_listener listener,
                void *user, asked *out, tide_failure *failure);
/* `spectrum` NULL: there is none. */
tide_status solve(asked *a, const eis_spectrum *spectrum, eis_answer *out, tide_failure *failure);

void        asked_done(asked *a);

/* Tells a sentence; TIDE_ECANCELLED where the listener wants to stop. */
tide_status asked_tell(const asked *a, eis_tone tone, const char *message, tide_failure *failure);

/* Whether these options want a predictor that options->model names. */
bool wants_model(const eis_options *o, bool spectrum);

#endif
