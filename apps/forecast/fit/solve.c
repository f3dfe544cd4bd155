#include "solve.h"

#include <stdlib.h>

#include "base/base.h"
#include "forecast/score/baseline.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the linear map");
}

tide_status linear_fit(const dataset *d, split s, int64_t seq_len, int64_t pred_len, baseline **out,
                       tide_failure *failure) {
    tide_failure why    = { 0 };
    float       *filled = d->frame.gaps ? dataset_lines(d) : NULL;
    column_range which  = { d->frame.columns, d->out_first, d->out_count };
    *out = NULL;
    if (d->frame.gaps && !filled) return no_memory(failure);
    *out = baseline_linear(filled ? filled : d->scaled, filled ? d->scaled : NULL, which,
                           dataset_windows(d, s.train, seq_len, pred_len), dataset_windows(d, s.val, seq_len, pred_len),
                           seq_len, pred_len, &why);
    free(filled);
    if (!*out && failure && !failure->status) *failure = why;
    return *out ? TIDE_OK : why.status;
}

/* (seq_len, pred_len) to (pred_len, seq_len), and the row behind it. */
static tide_status put_map(session *s, const baseline *b, tide_failure *failure) {
    int64_t rows = b->seq_len, steps = b->pred_len;
    float  *turned = malloc((size_t)(rows * steps) * sizeof *turned);
    if (!turned) return no_memory(failure);
    for (int64_t i = 0; i < rows * steps; i++) turned[i] = b->weights[i % rows * steps + i / rows];
    tide_status status = tide_write(s->params.items[0], turned, (size_t)(rows * steps) * sizeof *turned);
    if (status == TIDE_OK)
        status = tide_write(s->params.items[1], b->weights + rows * steps, (size_t)steps * sizeof *turned);
    free(turned);
    return status == TIDE_OK ? status : session_failure(s, failure);
}

tide_status session_solve(session *s, const dataset *d, tide_failure *failure) {
    const model_config *c = &s->model.config;
    baseline           *b = NULL;
    if (!s->params.count) return TIDE_OK;
    tide_status status = linear_fit(d, d->split, c->seq_len, c->pred_len, &b, failure);
    if (status == TIDE_OK) status = put_map(s, b, failure);
    baseline_free(b);
    return status;
}
