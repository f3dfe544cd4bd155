#include "gapped.h"

#include "base/base.h"
#include "forecast/data/gaps.h"

tide_status gapped_new(tide_graph *g, const float *scaled, int64_t rows, int64_t columns, gapped *out,
                       tide_failure *failure) {
    tide_shape shape = TIDE_SHAPE(rows, columns);
    gap_sides  sides;
    if (!gap_sides_new(scaled, rows, columns, &sides))
        return fail(failure, TIDE_ENOMEM, "out of memory for the gaps of the series");
    *out = (gapped){ tide_constant(g, TIDE_F32, shape, sides.before), tide_constant(g, TIDE_F32, shape, sides.since),
                     tide_constant(g, TIDE_F32, shape, sides.after), tide_constant(g, TIDE_F32, shape, sides.until) };
    gap_sides_free(&sides);
    return TIDE_OK;
}

static tide_val as_number(tide_val condition) { return tide_cast(condition, TIDE_F32); }

tide_val gapped_windows(const gapped *s, tide_val start, int64_t length, tide_val *gaps) {
    tide_graph *g      = start.graph;
    tide_val    before = tide_windows(s->before, start, length), since = tide_windows(s->since, start, length);
    tide_val    after = tide_windows(s->after, start, length), until = tide_windows(s->until, start, length);
    tide_val    one = tide_scalar(g, 1), none = tide_scalar(g, 0);
    tide_val    row = tide_reshape(tide_arange(g, TIDE_F32, length), TIDE_SHAPE(1, length, 1));
    tide_val    left = tide_le(since, row); /* the neighbour is in the window */
    tide_val    right = tide_le(until, tide_sub(tide_scalar(g, (double)(length - 1)), row));
    tide_val    between = tide_div(since, tide_maximum(tide_add(since, until), one));
    tide_val    share = tide_where(right, tide_where(left, between, one), none);
    tide_val    rest = tide_where(left, tide_sub(one, share), none);
    *gaps = as_number(tide_gt(since, none));
    return tide_add(tide_mul(before, rest), tide_mul(after, share));
}

tide_val gapped_truth(const gapped *s, tide_val start, int64_t length, tide_val *observed) {
    tide_val none  = tide_scalar(start.graph, 0);
    tide_val value = tide_windows(s->before, start, length), since = tide_windows(s->since, start, length);
    tide_val known = tide_eq(since, none);
    *observed = as_number(known);
    return tide_where(known, value, none);
}
