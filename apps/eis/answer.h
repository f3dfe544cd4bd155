/* A completion as JSON, as text, as tables and as plots. */
#ifndef EIS_ANSWER_H
#define EIS_ANSWER_H

#include <jansson.h>

#include "base/base.h"
#include "completion.h"

typedef struct answer {
    const char         *path;      /* the spectrum's file */
    const question     *question;
    const eis_options  *options;
    const eis_spectrum *spectrum;
    const completion   *completion;
} answer;

json_t *answer_json(const answer *a);   /* NULL: out of memory */
void answer_text(const answer *a, text *out);

void answer_table_header(text *out);    /* spectrum,quantity,unit,low,median,high,identifiable,bound */
void answer_table(const answer *a, text *out);
void candidate_table_header(text *out);
void candidate_table(const answer *a, text *out);

/* Nyquist, Bode, residual, marginal and joint plots into `folder`, names beginning with `prefix`. */
tide_status answer_plots(const answer *a, const char *folder, const char *prefix, tide_failure *failure);

#endif
