/* The distribution against tau, and what it leaves of the spectrum. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "relaxations.h"

enum { NAMED_PEAKS = 12, WORD = 32 };

/* The areas of peaks, at their tops. */
typedef struct areas {
    char text[NAMED_PEAKS][WORD];
    plot_word word[NAMED_PEAKS];
    int64_t count;
} areas;

static int by_area(const void *a, const void *b) {
    double x = (*(const eis_drt_peak *const *)a)->r_ohm, y = (*(const eis_drt_peak *const *)b)->r_ohm;
    return (x < y) - (x > y);
}

/* The largest first: where there is no room for two words, its stands. */
static void name_areas(const eis_relaxations *r, areas *out) {
    const eis_drt_peak *sorted[NAMED_PEAKS];
    out->count = MIN2(r->peaks, NAMED_PEAKS);
    for (int64_t i = 0; i < out->count; i++) sorted[i] = &r->peak[i];
    qsort(sorted, (size_t)out->count, sizeof *sorted, by_area);
    for (int64_t i = 0; i < out->count; i++) {
        const eis_drt_peak *p = sorted[i];
        char number[32];
        snprintf(out->text[i], WORD, "%sohm", si_format(number, p->r_ohm, 3));
        out->word[i] = (plot_word){ p->tau_s, p->gamma_ohm, out->text[i] };
    }
}

static tide_status draw_gamma(const eis_relaxations *r, const plot_place *to, tide_failure *failure) {
    char title[160];
    areas named;
    name_areas(r, &named);
    plot_title("Distribution of relaxation times", r->name, title, sizeof title);
    plot_series series = {
        .name = "gamma, with the areas of peaks", .x = r->tau_s, .y = r->gamma_ohm, .count = r->taus
    };
    plot p = { .title = title,
               .x_label = "relaxation time",
               .x_unit = "s",
               .y_label = "gamma",
               .y_unit = "ohm",
               .log_x = true,
               .y_not_negative = true,
               .series = &series,
               .series_count = 1,
               .words = named.word,
               .word_count = named.count };
    return plot_place_draw(to, "drt_gamma", &p, failure);
}

tide_status relaxations_plots(const eis_relaxations *r, const plot_place *to, tide_failure *failure) {
    residuals_shown left = {
        "What positive relaxations leave", r->name, r->freq_hz, r->residual, NULL, r->points, (double)NAN
    };
    tide_status status = draw_gamma(r, to, failure);
    return status == TIDE_OK ? draw_residuals(&left, "drt_residuals", to, failure) : status;
}

tide_status eis_relaxations_svg(const eis_relaxations *r, char **svg, tide_failure *failure) {
    failure_clear(failure);
    if (svg) *svg = NULL;
    if (!r || !r->parts || !svg)
        return fail(failure, TIDE_EINVAL, "there is no distribution, or no place for its picture");
    chart_sheet sheet;
    chart_sheet_begin(&sheet);
    tide_status status = relaxations_plots(r, &(plot_place){ .sheet = &sheet }, failure);
    return chart_sheet_end(&sheet, status, svg, failure);
}
