/* Which windows of a series count: those whose last input row stands at one of options->origins. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "dataset.h"
#include "origins.h"

tide_status dataset_choose_origins(const char *text, int64_t seq_len, int64_t pred_len, dataset *d,
                                   tide_failure *failure) {
    const frame *f = &d->frame;
    origin_rules rules;
    int64_t      first = seq_len - 1, last = f->rows - pred_len - 1;
    tide_status  status = origins_parse(text, &rules, failure);
    if (status == TIDE_OK) status = origins_check(f, &rules, first, last, failure);
    if (status != TIDE_OK || !rules.count) return status;
    d->starts = malloc((size_t)MAX2(last - first + 1, 0) * sizeof *d->starts + 1);
    if (!d->starts) return fail(failure, TIDE_ENOMEM, "out of memory for the origins");
    for (int64_t row = first; row <= last; row++)
        if (origin_at(f, &rules, row)) d->starts[d->start_count++] = (int32_t)(row - first);
    return TIDE_OK;
}

tide_status dataset_require_origins(const dataset *d, int64_t seq_len, int64_t pred_len, tide_failure *failure) {
    const struct { const char *name, *option; block of; } parts[] = {
        { "training", "origins", d->split.train }, { "validation", "val", d->split.val },
        { "test", "test", d->split.test }
    };
    for (int i = 0; i < 3; i++)
        if (!dataset_windows(d, parts[i].of, seq_len, pred_len).count)
            return fail_at(failure, TIDE_EDATA, d->frame.path, 0, "origins",
                           "none of the %" PRId64 " windows of the %s part starts a forecast at one of `origins`: "
                           "others, or more rows%s%s%s", block_windows(parts[i].of, seq_len, pred_len),
                           parts[i].name, i ? " (`" : "", i ? parts[i].option : "", i ? "`)" : "");
    return TIDE_OK;
}

window_set dataset_windows(const dataset *d, block b, int64_t seq_len, int64_t pred_len) {
    return window_set_of(b, seq_len, pred_len, d->starts, d->start_count);
}
