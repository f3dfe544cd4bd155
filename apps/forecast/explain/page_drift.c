/* Whether the inputs are still those that were trained on. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "draw/chart.h"
#include "draw/html.h"
#include "drift.h"
#include "explained.h"

enum { MOST_COLUMNS = 24 };

static void put_measure(forecast_drift_measure m, text *out) {
    text_add(out, "<td>");
    if (!isnan(m.value)) text_add(out, "%.2f (%.2f)", m.value, m.usual);
    else text_add(out, "-");
    text_add(out, "</td>");
}

static void put_column(const forecast_drift *d, text *out) {
    char words[DRIFT_WORDS];
    text_add(out, "<tr>");
    page_short(d->column, out);
    if (d->moved) text_add(out, "<td class=\"text moved\">%s</td>", drift_words(d->moved, words));
    else text_add(out, "<td class=\"text\">%s</td>", d->compared ? "as before" : "too few values");
    put_measure(d->shift, out), put_measure(d->spread, out), put_measure(d->ks, out), put_measure(d->psi, out);
    put_measure(d->outside, out);
    text_add(out, "<td>%.0f %% / %.0f %%</td></tr>\n", 100 * d->missing_before, 100 * d->missing_now);
}

/* Those that moved come first, the farthest of them, then the others likewise. */
static int64_t order(const forecast_inputs *in, int64_t top[MOST_COLUMNS], text *out) {
    double *far = malloc((size_t)in->drift_count * sizeof *far + 1);
    out->failed |= !far;
    for (int64_t i = 0; far && i < in->drift_count; i++) {
        double ks = in->drift[i].ks.value;
        far[i] = (in->drift[i].moved ? 2 : 0) + (isnan(ks) ? 0 : ks);
    }
    int64_t count = far ? explained_largest(far, sizeof *far, in->drift_count, MOST_COLUMNS, top) : 0;
    free(far);
    return count;
}

void page_drift(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    int64_t top[MOST_COLUMNS];
    text_add(out, "<h2>Have the inputs moved?</h2>\n<p>");
    text_add_escaped(out, in->drift_note);
    text_add(out, "</p>\n");
    if (!in->drift_count) return;
    int64_t shown = order(in, top, out);
    text_add(out, "<div class=\"wide\"><table><tr><th>column</th><th class=\"text\">moved</th><th>level</th><th>spread"
                  "</th><th>KS</th><th>PSI</th><th>outside</th><th>missing then / now</th></tr>\n");
    for (int64_t i = 0; i < shown; i++) put_column(&in->drift[top[i]], out);
    text_add(out, "</table></div>\n");
    if (in->drift_count > shown)
        text_add(out, "<p class=\"note\">The %" PRId64 " of %" PRId64 " columns that are farthest off; all are in "
                      "drift.csv.</p>\n", shown, in->drift_count);
    html_note("In brackets what is usual: the largest that stretches of the training rows, of the same length, have "
              "against the other training rows. A column has moved where a measure is half as large again and beyond "
              "its least: level 0.5 (of the mean, in deviations), spread 0.41 (logarithm of the ratio of deviations), "
              "Kolmogorov-Smirnov distance 0.2, population stability index 0.25, share of values outside of all that "
              "training saw 0.1; missing values where their share differs by 0.1.", out);
}
