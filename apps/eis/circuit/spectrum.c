/* A spectrum from a CSV, and what is wrong with it if it cannot be used. */
#include <tidemill/eis.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "parameters.h"

enum { LEAST_POINTS = 5, MOST_POINTS = 10000, HEAD = 4096 };
static const char *const columns[3] = { "frequency_hz", "z_re_ohm", "z_im_ohm" };

/* What an instrument's file begins with, or has near its beginning. */
static const struct { const char *mark, *name; } instruments[] = {
    { "EC-Lab ASCII FILE", "a BioLogic .mpt file" },  { "BT-Lab ASCII FILE", "a BioLogic .mpt file" },
    { "BIO-LOGIC MODULAR FILE", "a BioLogic .mpr file" }, { "EXPLAIN", "a Gamry .DTA file" },
    { "ZPLOT2 ASCII", "a ZPlot .z file" },            { "ZPlotW Data File", "a ZPlot .z file" },
    { "VersaStudio", "a VersaStudio .par file" },     { "CHI Version", "a CH Instruments file" },
    { "freq/Hz", "an EC-Lab table" },                 { "Elapsed Time (s)", "a PARSTAT table" },
    { "(\xce\xa9)", "an Autolab NOVA table" },
};

static tide_status refuse_instruments(const char *path, tide_failure *failure) {
    char  head[HEAD + 1];
    struct stat info;
    bool  here = stat(path, &info) == 0 && S_ISREG(info.st_mode);  /* what a pipe holds can be read once */
    FILE *file = here ? fopen(path, "rb") : NULL;
    if (!file) return TIDE_OK; /* the reader says what is wrong */
    size_t length = fread(head, 1, HEAD, file);
    fclose(file);
    for (size_t i = 0; i < length; i++) head[i] = head[i] ? head[i] : ' ';
    head[length] = 0;
    for (size_t i = 0; i < sizeof instruments / sizeof *instruments; i++)
        if (strstr(head, instruments[i].mark))
            return fail_at(failure, TIDE_EDATA, path, 0, NULL,
                           "%s is %s; export it as a CSV with the columns %s, %s, %s", path,
                           instruments[i].name, columns[0], columns[1], columns[2]);
    return TIDE_OK;
}

static int64_t find_column(const tide_table *t, const char *name, int64_t from) {
    for (int64_t i = from; i < t->columns; i++)
        if (strcmp(t->header[i], name) == 0) return i;
    return -1;
}

static tide_status read_number(const char *path, const tide_table *t, int64_t row, int64_t column, double *out,
                               tide_failure *failure) {
    const char *cell = t->cells[row * t->columns + column];
    char       *end;
    *out = num_parse(cell, &end);
    if (end != cell && !*end && isfinite(*out)) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, path, t->line[row], t->header[column],
                   "%s, line %lld, column %s: \"%s\" is not a finite number",
                   path, (long long)t->line[row], t->header[column], cell);
}

static tide_status read_rows(const char *path, const tide_table *t, const int64_t at[3], eis_spectrum *out,
                             tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; i < t->rows && status == TIDE_OK; i++) {
        double *const cell[3] = { &out->freq_hz[i], &out->z[i].re, &out->z[i].im };
        for (int k = 0; k < 3 && status == TIDE_OK; k++) status = read_number(path, t, i, at[k], cell[k], failure);
        if (status == TIDE_OK && !(out->freq_hz[i] > 0))
            status = fail_at(failure, TIDE_EDATA, path, t->line[i], columns[0],
                             "%s, line %lld: a frequency must be positive, not %g Hz",
                             path, (long long)t->line[i], out->freq_hz[i]);
        if (status == TIDE_OK && out->z[i].re == 0 && out->z[i].im == 0)
            status = fail_at(failure, TIDE_EDATA, path, t->line[i], columns[1],
                             "%s, line %lld: an impedance of 0 is not a measurement",
                             path, (long long)t->line[i]);
    }
    return status;
}

static tide_status fill(const char *path, const tide_table *t, eis_spectrum *out, tide_failure *failure) {
    int64_t at[3];
    for (int k = 0; k < 3; k++) {
        at[k] = find_column(t, columns[k], 0);
        int64_t again = at[k] < 0 ? -1 : find_column(t, columns[k], at[k] + 1);
        if (again >= 0)
            return fail_at(failure, TIDE_EDATA, path, 1, columns[k], "%s: columns %lld and %lld are both called %s",
                           path, (long long)at[k] + 1, (long long)again + 1, columns[k]);
        if (at[k] < 0)
            return fail_at(failure, TIDE_EDATA, path, 1, columns[k], "%s has no column %s; needed are %s, %s, %s",
                           path, columns[k], columns[0], columns[1], columns[2]);
    }
    if (t->rows < LEAST_POINTS)
        return fail_at(failure, TIDE_EDATA, path, 0, NULL, "%s has %lld points; at least %d are needed", path,
                       (long long)t->rows, LEAST_POINTS);
    if (t->rows > MOST_POINTS)
        return fail_at(failure, TIDE_EDATA, path, 0, NULL, "%s has %lld points; at most %d are taken: thin them", path,
                       (long long)t->rows, MOST_POINTS);
    out->count   = t->rows, out->name = path;
    out->freq_hz = malloc((size_t)t->rows * sizeof *out->freq_hz);
    out->z       = malloc((size_t)t->rows * sizeof *out->z);
    if (!out->freq_hz || !out->z) return fail(failure, TIDE_ENOMEM, "out of memory for %s", path);
    return read_rows(path, t, at, out, failure);
}

static tide_status check_sign(const char *path, bool flip_im, eis_spectrum *s, tide_failure *failure) {
    int64_t inductive = 0;
    for (int64_t i = 0; i < s->count; i++) {
        s->z[i].im = flip_im ? -s->z[i].im : s->z[i].im;
        inductive += s->z[i].im > 0;
    }
    if (10 * inductive < 9 * s->count) return TIDE_OK; /* noise turns a few small ones round */
    return fail_at(failure, TIDE_EDATA, path, 0, columns[2],
                   flip_im ? "%s: with `flip-im` the imaginary part is positive nearly throughout; leave it out"
                           : "%s: the imaginary part is positive nearly throughout: looks like -Im(Z); use `flip-im`",
                   path);
}

static tide_status point_fail(const eis_spectrum *s, int64_t i, const char *column, const char *what,
                              tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, NULL, i + 1, column, "%s, point %lld: %s", s->name ? s->name : "the spectrum",
                   (long long)i + 1, what);
}

tide_status spectrum_check(const eis_spectrum *s, tide_failure *failure) {
    const char *name = s->name ? s->name : "the spectrum";
    if (s->count < LEAST_POINTS || s->count > MOST_POINTS)
        return fail(failure, TIDE_EDATA, "%s has %lld points; from %d to %d are taken", name, (long long)s->count,
                    LEAST_POINTS, MOST_POINTS);
    if (!s->freq_hz || !s->z) return fail(failure, TIDE_EINVAL, "%s has no frequencies or no impedances", name);
    if (!(s->area_cm2 >= 0 && s->area_cm2 <= 1e6))
        return fail(failure, TIDE_EINVAL, "%s: an area of %g cm2; 0 (not known) to 1e6 are taken", name, s->area_cm2);
    for (int64_t i = 0; i < s->count; i++) {
        if (!isfinite(s->freq_hz[i]) || !(s->freq_hz[i] > 0))
            return point_fail(s, i, columns[0], "a frequency must be a positive number", failure);
        if (!isfinite(s->z[i].re) || !isfinite(s->z[i].im))
            return point_fail(s, i, columns[1], "an impedance must be finite numbers", failure);
        if (s->z[i].re == 0 && s->z[i].im == 0)
            return point_fail(s, i, columns[1], "an impedance of 0 is not a measurement", failure);
    }
    return TIDE_OK;
}

tide_status eis_spectrum_read(const char *path, bool flip_im, eis_spectrum *out, tide_failure *failure) {
    failure_clear(failure);
    tide_table table = { 0 };
    if (!path || !out)
        return fail(failure, TIDE_EINVAL, path ? "there is no spectrum to read into" : "there is no path");
    *out             = (eis_spectrum){ 0 };
    tide_status status = refuse_instruments(path, failure);
    if (status == TIDE_OK) status = tide_csv_read(path, NULL, &table, failure);
    if (status == TIDE_OK) status = fill(path, &table, out, failure);
    if (status == TIDE_OK) status = check_sign(path, flip_im, out, failure);
    tide_table_free(&table);
    if (status != TIDE_OK) eis_spectrum_free(out);
    return status;
}

void eis_spectrum_free(eis_spectrum *s) {
    if (!s) return;
    free(s->freq_hz);
    free(s->z);
    *s = (eis_spectrum){ 0 };
}
