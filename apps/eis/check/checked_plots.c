/* What a linear Kramers-Kronig test is judged by. */
#include <math.h>
#include <stdlib.h>

#include "checked.h"
#include "files/owned.h"

/* Rows in order of frequency, in percent of |Z|. */
typedef struct row {
    double freq_hz, re, im;
} row;

static int by_frequency(const void *a, const void *b) {
    double x = ((const row *)a)->freq_hz, y = ((const row *)b)->freq_hz;
    return (x > y) - (x < y);
}

static bool sorted_rows(const eis_checked *c, double *freq, double *re, double *im) {
    row *r = malloc((size_t)c->points * sizeof *r);
    if (!r) return false;
    for (int64_t i = 0; i < c->points; i++)
        r[i] = (row){ c->freq_hz[i], 100 * c->residual[i].re, 100 * c->residual[i].im };
    qsort(r, (size_t)c->points, sizeof *r, by_frequency);
    for (int64_t i = 0; i < c->points; i++) freq[i] = r[i].freq_hz, re[i] = r[i].re, im[i] = r[i].im;
    free(r);
    return true;
}

static tide_status draw(const char *folder, const char *prefix, const char *name, const plot *p, plot_watch *watch,
                        tide_failure *failure) {
    char whole[96], path[FOLDER_PATH];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    tide_status status = owned_claim_plot(folder, whole, path, failure);
    return status == TIDE_OK ? plot_write(path, p, watch, NULL, failure) : status;
}

static tide_status draw_residuals(const eis_checked *c, double *memory, const char *folder, const char *prefix,
                                  plot_watch *watch, tide_failure *failure) {
    int64_t n = c->points;
    double *freq = memory, *re = freq + n, *im = re + n, *low = im + n, *high = low + n;
    if (!sorted_rows(c, freq, re, im)) return fail(failure, TIDE_ENOMEM, "out of memory for plots");
    for (int64_t i = 0; i < n; i++) low[i] = -100 * c->noise, high[i] = 100 * c->noise;
    plot_series series[] = {
        { .name = "noise", .x = freq, .y = low, .y_upper = high, .count = n, .style = PLOT_BAND, .colour = 3 },
        { .name = "real part", .x = freq, .y = re, .count = n, .style = PLOT_POINTS, .colour = 1 },
        { .name = "imaginary part", .x = freq, .y = im, .count = n, .style = PLOT_POINTS, .colour = 2 },
    };
    plot p = { .title = "What a Kramers-Kronig expansion leaves",
               .x_label = "frequency (Hz)",
               .y_label = "percent of |Z|",
               .log_x = true,
               .series = series,
               .series_count = 3 };
    return draw(folder, prefix, "check_residuals", &p, watch, failure);
}

static tide_status draw_scan(const eis_checked *c, double *memory, const char *folder, const char *prefix,
                             plot_watch *watch, tide_failure *failure) {
    double *m = memory, *square = memory + c->most_terms + 1;
    int64_t count = 0;
    for (int64_t k = 0; k <= c->most_terms; k++)
        if (c->pseudo_chi2_of[k] > 0) m[count] = (double)k, square[count++] = c->pseudo_chi2_of[k];
    plot_series series = { .name = "S", .x = m, .y = square, .count = count, .style = PLOT_POINTS };
    plot_marker chosen = { (double)c->terms, "chosen" };
    plot p = { .title = "Linear Kramers-Kronig test",
               .x_label = "M, relaxations",
               .y_label = "S, pseudo chi2",
               .log_y = true,
               .x_is_whole = true,
               .series = &series,
               .series_count = 1,
               .markers = &chosen,
               .marker_count = 1 };
    return draw(folder, prefix, "check_terms", &p, watch, failure);
}

tide_status checked_plots(const eis_checked *c, const char *folder, const char *prefix, plot_watch *watch,
                          tide_failure *failure) {
    if (!c->terms) return TIDE_OK;
    double *memory = malloc(sizeof *memory * (size_t)(5 * c->points + 2 * (c->most_terms + 1)));
    if (!memory) return fail(failure, TIDE_ENOMEM, "out of memory for plots");
    tide_status status = draw_residuals(c, memory, folder, prefix, watch, failure);
    if (status == TIDE_OK) status = draw_scan(c, memory, folder, prefix, watch, failure);
    free(memory);
    return status;
}
