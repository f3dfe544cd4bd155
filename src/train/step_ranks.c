/* What goes from rank to rank is one row of float32 a part: the accumulator's sums one behind the other, and a place
 * for the metric of each part of the batch, of which a part fills its own. So one exchange adds up everything, and
 * metrics arrive as they were. */
#include "step_ranks.h"

#include "base/base.h"

int64_t step_carried_count(const train_step *s) {
    return s->sums.sums.count + 1 + (s->sums.denominator.graph != NULL);
}

tide_val step_carried(const train_step *s, int64_t i) {
    const tide_accumulator *a = &s->sums;
    int64_t                 n = a->sums.count;
    return i < n ? a->sums.items[i] : i == n ? a->numerator : a->denominator;
}

static int64_t numbers(tide_val v) { return tide_shape_count(tide_shape_of(v)); }

static int64_t row_length(const train_step *s) {
    int64_t n = s->parts;
    for (int64_t i = 0; i < step_carried_count(s); i++) n += numbers(step_carried(s, i));
    return n;
}

tide_status step_ranks_check(const train_step *s, tide_failure *failure) {
    for (int64_t i = 0; s->rule.ranks && i < step_carried_count(s); i++)
        if (tide_dtype_of(step_carried(s, i)) != TIDE_F32)
            return fail(failure, TIDE_ETYPE, "ranks add gradients up in float32, and '%s' is of another type",
                        tide_name_of(step_carried(s, i)));
    return TIDE_OK;
}

static tide_status begin_anew(const train_step *s) {
    int32_t first = 0;
    return s->here > 1 ? tide_write(s->sums.part, &first, sizeof first) : TIDE_OK;
}

tide_status step_ranks_keep(const train_step *s, int64_t part, double metric) {
    float *row = ranks_part(s->rule.ranks, part - s->first), *metrics = row + row_length(s) - s->parts;
    for (int64_t i = 0; i < step_carried_count(s); i++) {
        tide_val    v    = step_carried(s, i);
        const void *data = tide_data(v);
        if (!data) return tide_error(s->graph)->status;
        memcpy(row, data, sizeof *row * (size_t)numbers(v));
        row += numbers(v);
    }
    for (int64_t p = 0; p < s->parts; p++) metrics[p] = p == part ? (float)metric : 0;
    return begin_anew(s);
}

static tide_status put_back(const train_step *s, const float *row, double *metric) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < step_carried_count(s); i++) {
        tide_val v = step_carried(s, i);
        status     = tide_write(v, row, sizeof *row * (size_t)numbers(v));
        row += numbers(v);
    }
    if (metric) *metric = 0;
    for (int64_t p = 0; metric && p < s->parts; p++) *metric += (double)row[p];
    return status;
}

tide_status step_ranks_exchange(const train_step *s, tide_status mine, double *metric, tide_failure *failure) {
    ranks       *r = s->rule.ranks;
    const float *sum;
    tide_status  status = ranks_meet(r, mine, s->word, failure);
    if (status == TIDE_OK) status = ranks_sum(r, &sum, failure);
    return status == TIDE_OK ? put_back(s, sum, metric) : status;
}

tide_status train_step_meet(const train_step *s, tide_failure *failure) {
    return s->rule.ranks && !s->exchange ? ranks_reserve(s->rule.ranks, s->here, row_length(s), failure) : TIDE_OK;
}
