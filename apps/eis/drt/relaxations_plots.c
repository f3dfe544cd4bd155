/* The distribution against tau, and what it leaves of the spectrum. */
#include <math.h>
#include <stdlib.h>

#include "files/owned.h"
#include "relaxations.h"

static tide_status draw(const char *folder, const char *prefix, const char *name, const plot *p, plot_watch *watch,
                        tide_failure *failure) {
    char whole[96], path[FOLDER_PATH];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    tide_status status = owned_claim_plot(folder, whole, path, failure);
    return status == TIDE_OK ? plot_write(path, p, watch, NULL, failure) : status;
}

static tide_status draw_gamma(const eis_relaxations *r, const char *folder, const char *prefix, plot_watch *watch,
                              tide_failure *failure) {
    plot_series series = { .name = "gamma", .x = r->tau_s, .y = r->gamma_ohm, .count = r->taus };
    plot p = { .title = "Distribution of relaxation times",
               .x_label = "relaxation time (s)",
               .y_label = "gamma (ohm)",
               .log_x = true,
               .y_not_negative = true,
               .series = &series,
               .series_count = 1 };
    return draw(folder, prefix, "drt_gamma", &p, watch, failure);
}

typedef struct row {
    double freq_hz;
    eis_z percent;
} row;

static int by_frequency(const void *a, const void *b) {
    double x = ((const row *)a)->freq_hz, y = ((const row *)b)->freq_hz;
    return (x > y) - (x < y);
}

static tide_status draw_residuals(const eis_relaxations *r, const char *folder, const char *prefix, plot_watch *watch,
                                  tide_failure *failure) {
    int64_t n = r->points;
    row *rows = malloc(sizeof *rows * (size_t)n);
    double *freq = malloc(3 * sizeof *freq * (size_t)n), *re = freq + n, *im = re + n;
    for (int64_t i = 0; rows && i < n; i++)
        rows[i] = (row){ r->freq_hz[i], { 100 * r->residual[i].re, 100 * r->residual[i].im } };
    if (rows) qsort(rows, (size_t)n, sizeof *rows, by_frequency);
    for (int64_t i = 0; rows && freq && i < n; i++)
        freq[i] = rows[i].freq_hz, re[i] = rows[i].percent.re, im[i] = rows[i].percent.im;
    plot_series series[] = { { .name = "real part", .x = freq, .y = re, .count = n, .style = PLOT_POINTS },
                             { .name = "imaginary part", .x = freq, .y = im, .count = n, .style = PLOT_POINTS } };
    plot p = { .title = "What positive relaxations leave",
               .x_label = "frequency (Hz)",
               .y_label = "percent of |Z|",
               .log_x = true,
               .series = series,
               .series_count = 2 };
    tide_status status = rows && freq ? draw(folder, prefix, "drt_residuals", &p, watch, failure)
                                      : fail(failure, TIDE_ENOMEM, "out of memory for plots");
    free(rows), free(freq);
    return status;
}

tide_status relaxations_plots(const eis_relaxations *r, const char *folder, const char *prefix, plot_watch *watch,
                              tide_failure *failure) {
    tide_status status = draw_gamma(r, folder, prefix, watch, failure);
    return status == TIDE_OK ? draw_residuals(r, folder, prefix, watch, failure) : status;
}
