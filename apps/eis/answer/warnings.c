/* What speaks against an answer. */
#include <math.h>

#include "answer.h"

static const char *name_of(const answer *a) { return a->path ? a->path : "the spectrum"; }

static void warn_of_data(const answer *a, text *out) {
    const char *line = a->completion->flaws;
    for (size_t n; line && *line; line += n + (line[n] == '\n')) {
        n = strcspn(line, "\n");
        text_add(out, "%s: %.*s\n", name_of(a), (int)n, line);
    }
}

/* That the circuit does not fit, where that is among an answer's notes. */
static void warn_of_circuit(const answer *a, text *out) {
    text        notes   = { 0 };
    fit_verdict verdict = a->completion->verdict;
    if (!a->spectrum || verdict == EIS_FIT_OPEN || verdict == EIS_FIT_ADEQUATE) return;
    answer_verdict(a, &notes);
    if (notes.data) text_add(out, "%s: %.*s\n", name_of(a), (int)strcspn(notes.data, "\n"), notes.data);
    out->failed = out->failed || notes.failed;
    text_free(&notes);
}

static void warn_of_grid(const answer *a, text *out) {
    const completion *c = a->completion;
    bool exact = a->question->method == EIS_EXACT, proposed = c->recipe && !isnan(c->grid_chi2);
    if ((!exact && !proposed) || c->grid_adequate) return;
    text_add(out,
             exact ? "%s: no grid cell fits (reduced chi2 %.2g): the grid is coarser than your data\n"
                   : "%s: none of the network's cells fits (reduced chi2 %.2g): the grid is coarser than your data, or "
                     "the network "
                     "missed the right ones\n",
             name_of(a), c->grid_chi2);
}

static void warn_of_range(const answer *a, text *out) {
    const range_check *r = &a->completion->range;
    if (!r->count) return;
    text_add(out, "%s: outside the training range of this predictor:", name_of(a));
    for (int i = 0; i < r->count; i++) text_add(out, "%s %s", i ? ";" : "", r->reason[i]);
    text_add(out, "\n");
}

void answer_warnings(const answer *a, text *out) {
    warn_of_data(a, out);
    warn_of_grid(a, out);
    warn_of_circuit(a, out);
    warn_of_range(a, out);
}
