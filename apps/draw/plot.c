/* The plot's two files. The CSV always; the SVG by gnuplot's hand. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "frame.h"
#include "gnuplot.h"

typedef struct job {
    const plot   *p;
    const char   *svg_path;
    plot_watch   *watch;
    tide_failure *failure;
} job;

static void put_number(FILE *out, double v) {
    char buffer[32];
    if (isfinite(v) && num_format(buffer, v, false) > 0) fputs(buffer, out);
}

/* A name and what follows it as a CSV field: quoted when it holds something that would end it. */
static void put_name(FILE *out, const char *name, const char *between, const char *end) {
    const char *const parts[] = { name, between, end };
    bool quoted = false;
    for (int i = 0; i < 3; i++) quoted = quoted || strpbrk(parts[i], ",\"\r\n");
    if (quoted) fputc('"', out);
    for (int i = 0; i < 3; i++)
        for (const char *c = parts[i]; *c; c++) fputs(quoted && *c == '"' ? "\"\"" : (char[]){ *c, 0 }, out);
    if (quoted) fputc('"', out);
}

static void put_field(FILE *out, const char *name) { put_name(out, name, "", ""); }

/* What a series has in each row, besides a curve's x. */
static int columns_of(const plot_series *s) { return s->style == PLOT_BAND ? 2 : s->style == PLOT_ERRORS ? 3 : 1; }

static const double *column_of(const plot_series *s, int i) {
    const double *const of[][3] = { { s->y }, { s->y, s->y_upper }, { s->y, s->y_lower, s->y_upper } };
    return of[columns_of(s) - 1][i];
}

static void put_series_header(FILE *out, const plot *p, const plot_series *s) {
    static const char *const ends[][3] = { { "" }, { " (low)", " (high)" }, { "", " (low)", " (high)" } };
    const char *name = s->name ? s->name : "";
    char        x[SCALE_TITLE], y[SCALE_TITLE];
    if (p->t_label) {
        fputc(',', out), put_name(out, name, ": ", base_title(p->x_label, p->x_unit, x));
        fputc(',', out), put_name(out, name, ": ", base_title(p->y_label, p->y_unit, y));
        return;
    }
    if (p->lower) {
        const plot_axis upper = { .label = p->y_label, .unit = p->y_unit }, *axis = s->lower ? p->lower : &upper;
        fputc(',', out), put_name(out, name, ": ", base_title(axis->label, axis->unit, y));
        return;
    }
    for (int i = 0; i < columns_of(s); i++) fputc(',', out), put_name(out, name, "", ends[columns_of(s) - 1][i]);
}

static void put_header(FILE *out, const plot *p) {
    char title[SCALE_TITLE];
    base_title(p->t_label ? p->t_label : p->x_label, p->t_label ? p->t_unit : p->x_unit, title);
    put_field(out, *title ? title : "x");
    for (int64_t i = 0; i < p->series_count; i++) put_series_header(out, p, &p->series[i]);
    fputc('\n', out);
}

/* By what rows are told apart. */
static double key_of(const plot *p, const plot_series *s, int64_t i) { return p->t_label ? s->t[i] : series_x(s, i); }

/* The smallest key that no series has passed yet; false when all are at their end. */
static bool next_key(const plot *p, const int64_t *at, double *key) {
    bool found = false;
    for (int64_t i = 0; i < p->series_count; i++) {
        if (at[i] >= p->series[i].count) continue;
        double candidate = key_of(p, &p->series[i], at[i]);
        if (!found || candidate < *key) *key = candidate;
        found = true;
    }
    return found;
}

/* One row: every series that has a point at the key gives it and moves on. */
static void put_row(FILE *out, const plot *p, int64_t *at, double key) {
    put_number(out, key);
    for (int64_t i = 0; i < p->series_count; i++) {
        const plot_series *s = &p->series[i];
        bool here = at[i] < s->count && !(key_of(p, s, at[i]) > key);
        if (p->t_label) fputc(',', out), put_number(out, here ? s->x[at[i]] : (double)NAN);
        for (int k = 0; k < columns_of(s); k++)
            fputc(',', out), put_number(out, here ? column_of(s, k)[at[i]] : (double)NAN);
        at[i] += here;
    }
    fputc('\n', out);
}

static tide_status write_csv(void *user, void *stdio_file) {
    const job *j = user;
    int64_t *at = calloc((size_t)(j->p->series_count + 1), sizeof *at);
    if (!at) return fail(j->failure, TIDE_ENOMEM, "plot: out of memory");
    double key = 0;
    put_header(stdio_file, j->p);
    while (next_key(j->p, at, &key)) put_row(stdio_file, j->p, at, key);
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
