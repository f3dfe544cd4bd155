/* The plot's two files. The CSV always; the SVG by gnuplot's hand. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "gnuplot.h"

typedef struct job {
    const plot   *p;
    const char   *svg_path;
    plot_watch   *watch;
    tide_failure *failure;
} job;

static double series_x(const plot_series *s, int64_t i) {
    return s->x ? s->x[i] : (double)(i + 1);
}

static void put_number(FILE *out, double v) {
    char buffer[32];
    if (isfinite(v) && num_format(buffer, v, false) > 0) fputs(buffer, out);
}

/* A name as a CSV field: quoted when it holds something that would end it. */
static void put_field(FILE *out, const char *name) {
    if (!strpbrk(name, ",\"\r\n")) {
        fputs(name, out);
        return;
    }
    fputc('"', out);
    for (; *name; name++) {
        if (*name == '"') fputc('"', out);
        fputc(*name, out);
    }
    fputc('"', out);
}

static void put_header(FILE *out, const plot *p) {
    put_field(out, p->x_label && *p->x_label ? p->x_label : "x");
    for (int64_t i = 0; i < p->series_count; i++) {
        const plot_series *s = &p->series[i];
        fputc(',', out);
        put_field(out, s->name ? s->name : "");
        if (s->style == PLOT_BAND) {
            fputs(" (low),", out);
            put_field(out, s->name ? s->name : "");
            fputs(" (high)", out);
        }
    }
    fputc('\n', out);
}

/* The smallest x that no series has passed yet; false when all are at their end. */
static bool next_x(const plot *p, const int64_t *at, double *x) {
    bool found = false;
    for (int64_t i = 0; i < p->series_count; i++) {
        if (at[i] >= p->series[i].count) continue;
        double candidate = series_x(&p->series[i], at[i]);
        if (!found || candidate < *x) *x = candidate;
        found = true;
    }
    return found;
}

/* One row: every series that has a point at x gives it and moves on. */
static void put_row(FILE *out, const plot *p, int64_t *at, double x) {
    put_number(out, x);
    for (int64_t i = 0; i < p->series_count; i++) {
        const plot_series *s = &p->series[i];
        bool here = at[i] < s->count && !(series_x(s, at[i]) > x);
        fputc(',', out);
        if (here) put_number(out, s->y[at[i]]);
        if (s->style == PLOT_BAND) {
            fputc(',', out);
            if (here) put_number(out, s->y_upper[at[i]]);
        }
        at[i] += here;
    }
    fputc('\n', out);
}

static tide_status write_csv(void *user, void *stdio_file) {
    const job *j = user;
    int64_t *at = calloc((size_t)(j->p->series_count + 1), sizeof *at);
    if (!at) return fail(j->failure, TIDE_ENOMEM, "plot: out of memory");
    double x = 0;
    put_header(stdio_file, j->p);
    while (next_x(j->p, at, &x)) put_row(stdio_file, j->p, at, x);
    free(at);
    return TIDE_OK;
}

static tide_status write_svg(void *user, void *stdio_file) {
    const job *j = user;
    return gnuplot_draw(j->p, stdio_file, j->svg_path, j->watch, j->failure);
}

bool plot_available(void) {
    return gnuplot_found();
}

const char *plot_missing_note(void) {
    return "note: gnuplot is not installed, so no plots are drawn; their numbers are in the .csv files "
           "(Debian: apt-get install gnuplot-nox; macOS: brew install gnuplot)";
}

/* With someone to tell, a gnuplot that does not work is no failure: the numbers are there. A picture that cannot be
 * written is. */
static tide_status draw(job *j, bool *drawn) {
    tide_failure why    = { 0 };
    char         message[sizeof why.message + 64];
    if (!gnuplot_found() || (j->watch && j->watch->gave_up)) return TIDE_OK;
    tide_failure *failure = j->failure;
    j->failure = &why;
    tide_status status = tide_file_replace(j->svg_path, write_svg, j, &why);
    if (drawn) *drawn = status == TIDE_OK;
    if (status != TIDE_OK && status != TIDE_ECANCELLED && j->watch && j->watch->gave_up && j->watch->warn) {
        snprintf(message, sizeof message, "no plots: %s; their numbers are in the .csv files", why.message);
        j->watch->warn(j->watch->user, message);
        return TIDE_OK;
    }
    if (status != TIDE_OK && failure && failure->status == TIDE_OK) *failure = why;
    return status;
}

tide_status plot_write(const char *svg_path, const plot *p, plot_watch *watch, bool *drawn, tide_failure *failure) {
    size_t length = strlen(svg_path);
    if (drawn) *drawn = false;
    if (length < 5 || strcmp(svg_path + length - 4, ".svg") != 0)
        return fail_at(failure, TIDE_EINVAL, svg_path, 0, NULL, "a plot's file name must end in .svg");
    char *csv_path = strdup(svg_path);
    if (!csv_path) return fail(failure, TIDE_ENOMEM, "plot: out of memory");
    memcpy(csv_path + length - 4, ".csv", 4);

    job j = { p, svg_path, watch, failure };
    tide_status status = tide_file_replace(csv_path, write_csv, &j, failure);
    if (status == TIDE_OK) status = draw(&j, drawn);
    free(csv_path);
    return status;
}
