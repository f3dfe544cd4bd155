#include "sampled.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "train/schedule.h"

static const uint64_t OTHER_THAN_WINDOWS = 0x636f6c756d6e73; /* "columns": the windows' order goes by the seed itself */

tide_status sampled_new(tide_graph *g, const model_config *c, bool blind, int64_t count, sampled *out,
                        tide_failure *failure) {
    if (count >= c->columns)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "sample-columns",
                       "`sample-columns` %" PRId64 " are not fewer than there are, %" PRId64 ": leave it out, or take "
                       "fewer", count, c->columns);
    if (blind || c->known || c->out_count != c->columns)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "sample-columns",
                       "`sample-columns` takes columns that are all inputs and all forecast: leave it out, or `known`, "
                       "`targets`, `without-history` and `features` MS");
    *out = (sampled){ .columns = c->columns, .count = count };
    out->drawn  = malloc((size_t)c->columns * sizeof *out->drawn);
    out->chosen = tide_input(g, "columns", TIDE_I32, TIDE_SHAPE(count));
    return out->drawn ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the columns");
}

void sampled_free(sampled *s) {
    free(s->drawn);
    *s = (sampled){ 0 };
}

int sampled_feed(sampled *s, uint64_t seed, int64_t step, train_feed *out) {
    if (!s->count) return 0;
    schedule_shuffle(s->drawn, s->columns, seed ^ OTHER_THAN_WINDOWS, step);
    *out = (train_feed){ s->chosen, s->drawn, true };
    return 1;
}

tide_val sampled_of(const sampled *s, tide_val x, int axis) {
    return s->count && x.graph ? tide_gather(x, axis, s->chosen) : x;
}
