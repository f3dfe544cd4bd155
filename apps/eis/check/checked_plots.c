/* What a linear Kramers-Kronig test is judged by. */
#include <math.h>
#include <stdlib.h>

#include "checked.h"

static tide_status show_residuals(const eis_checked *c, const plot_place *to, tide_failure *failure) {
    char what[96];
    snprintf(what, sizeof what, "Kramers-Kronig residuals, M = %lld, mu = %.2f", (long long)c->terms, c->mu);
    residuals_shown shown = { what, c->name, c->freq_hz, c->residual, c->left_out, c->points, c->noise };
    return draw_residuals(&shown, "check_residuals", to, failure);
}

static tide_status draw_scan(const eis_checked *c, double *memory, const plot_place *to, tide_failure *failure) {
    char title[160];
    double *m = memory, *square = memory + c->most_terms + 1;
    int64_t count = 0;
    for (int64_t k = 0; k <= c->most_terms; k++)
        if (c->pseudo_chi2_of[k] > 0) m[count] = (double)k, square[count++] = c->pseudo_chi2_of[k];
    plot_title("Linear Kramers-Kronig test", c->name, title, sizeof title);
    plot_series series = { .name = "S", .x = m, .y = square, .count = count, .style = PLOT_POINTS };
    plot_marker chosen = { (double)c->terms, "chosen" };
    plot p = { .title = title,
               .x_label = "M, relaxations",
               .y_label = "S, pseudo chi2",
               .log_y = true,
               .x_is_whole = true,
               .series = &series,
               .series_count = 1,
               .markers = &chosen,
               .marker_count = 1 };
    return plot_place_draw(to, "check_terms", &p, failure);
}

tide_status checked_plots(const eis_checked *c, const plot_place *to, tide_failure *failure) {
    if (!c->terms) return TIDE_OK;
    double *memory = malloc(sizeof *memory * (size_t)(2 * (c->most_terms + 1)));
    if (!memory) return fail(failure, TIDE_ENOMEM, "out of memory for plots");
    tide_status status = show_residuals(c, to, failure);
    if (status == TIDE_OK) status = draw_scan(c, memory, to, failure);
    free(memory);
    return status;
}

tide_status eis_checked_svg(const eis_checked *c, char **svg, tide_failure *failure) {
    failure_clear(failure);
    if (svg) *svg = NULL;
    if (!c || !c->parts || !svg) return fail(failure, TIDE_EINVAL, "there is no check, or no place for its picture");
    chart_sheet sheet;
    chart_sheet_begin(&sheet);
    tide_status status = checked_plots(c, &(plot_place){ .sheet = &sheet }, failure);
    return chart_sheet_end(&sheet, status, svg, failure);
}
