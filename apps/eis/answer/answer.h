/* A completion as JSON, as text, as tables and as plots. */
#ifndef EIS_ANSWER_H
#define EIS_ANSWER_H

#include <jansson.h>

#include "base/base.h"
#include "eis/posterior/completion.h"
#include "eis/plots/spectrum_plots.h"

typedef struct answer {
    const char         *path;      /* the spectrum's file or name; NULL: none */
    const question     *question;
    const char         *model;     /* the predictor's run, as given; "" */
    double              area_cm2;  /* 0: not known */
    const eis_spectrum *spectrum;  /* NULL: the answer does not come from one */
    const completion   *completion;
    const char         *source;    /* what a user should know of where it comes from; "" */
    bool                rs_in_rsh; /* chain: the solution resistance was not asked for apart */
    plot_watch         *watch;     /* of its plots; NULL: none */
} answer;

json_t *answer_json(const answer *a);   /* NULL: out of memory */
json_t *answer_result(json_t *answers);  /* of eis_complete: a list of one answer, or of several; takes it */

/* The public struct on what it is made of. It takes over the completion, copies the rest. (make.c) */
tide_status answer_make(const answer *from, completion *of, eis_answer *out, tide_failure *failure);
const answer *answer_of(const eis_answer *a);
/* What speaks against it, a line each, beginning with the spectrum's name. (warnings.c) */
void answer_warnings(const answer *a, text *out);

void answer_text(const answer *a, text *out);

/* What must be known before the numbers are read, a sentence a line: whether the circuit fits, limits of ranges that
 * were reached, what has no interval and why. (answer_notes.c) */
void answer_notes(const answer *a, text *out);
void answer_verdict(const answer *a, text *out);  /* of them: what speaks against the circuit */
bool answer_is_missing(const answer *a, int quantity);                  /* it was asked for */
bool answer_runs_along(const answer *a, int quantity);                  /* the fibre, which ends only where ranges do */
const char *answer_without_interval(const answer *a, int quantity);     /* why; NULL: it has one */
bool answer_none_better(const answer *a);
const char *answer_quantity(char buffer[32], double v, const char *unit, int digits);

void answer_table_header(text *out);    /* spectrum,quantity,unit,low,median,high,identifiable,bound,note */
void answer_table(const answer *a, text *out);
void answer_table_failed(const char *path, const char *reason, text *out);
void candidate_table_header(text *out);
void candidate_table(const answer *a, text *out);

/* Nyquist, Bode, residual, posterior and fibre plots into `folder`, names beginning with `prefix`. */
tide_status answer_plots(const answer *a, const char *folder, const char *prefix, tide_failure *failure);
tide_status marginal_plots(const answer *a, const plot_place *to, tide_failure *failure);  /* of each quantity */
tide_status posterior_plots(const answer *a, const plot_place *to, tide_failure *failure);

#endif
