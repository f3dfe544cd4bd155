/* The ground truths of a CSV that another program of this kind generated, whose rows must be what we compute. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base.h"
#include "bounded.h"
#include "generate.h"

enum { CHECKS = DATASET_CHECKS, COLUMNS = 8, NAME = 0, RESNORM = 1, FIRST = 2, TRUTH = 7, FREQUENCIES = 50 };
#define AGREES 1e-4 /* the file may have been written with few digits; another circuit is off by much more */

typedef struct import {
    const char   *path;
    int64_t       line, checked, size, place;  /* place: bytes read */
    ground_truth *truth;
    int64_t       truths, room;
    double        freq_hz[FREQUENCIES];
    eis_z         data[FREQUENCIES];           /* of the last ground truth */
} import;

static tide_status refuse_line(const import *in, tide_failure *f, const char *what) {
    return fail_at(f, TIDE_EDATA, in->path, in->line, NULL, "%s, line %lld: %s", in->path, (long long)in->line, what);
}

/* The cells of a line, in place. */
static bool split(char *line, char *cell[COLUMNS]) {
    int count = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; at; count++) {
        char *comma = strchr(at, ',');
        if (comma) *comma++ = 0;
        if (count < COLUMNS) cell[count] = at;
        at = comma;
    }
    return count == COLUMNS;
}

static bool read_number(const char *cell, double *out) {
    char *end;
    *out = num_parse(cell, &end);
    return end != cell && !*end && *out >= 0 && *out <= 1e300;
}

static tide_status add_truth(import *in, const double p[EIS_COUNT], const char *id, tide_failure *f) {
    const char *why;
    if (in->truths == TRUTHS_MOST) return refuse_line(in, f, "there are more than 100000 ground truths");
    if (in->truths == in->room) {
        int64_t       room   = in->room ? 2 * in->room : 64;
        ground_truth *larger = realloc(in->truth, (size_t)room * sizeof *larger);
        if (!larger) return fail(f, TIDE_ENOMEM, "out of memory for ground truths");
        in->truth = larger;
        in->room  = room;
    }
    ground_truth *g = &in->truth[in->truths++];
    *g = (ground_truth){ 0 };
    if (!truth_set_id(g, id, &why)) return refuse_line(in, f, why);
    memcpy(g->p, p, sizeof g->p);
    eis_impedance(EIS_CHAIN, p, 0, FREQUENCIES, in->freq_hz, in->data);
    return TIDE_OK;
}

static tide_status check_row(import *in, const double p[EIS_COUNT], double printed, tide_failure *f) {
    eis_z model[FREQUENCIES];
    eis_impedance(EIS_CHAIN, p, 0, FREQUENCIES, in->freq_hz, model);
    double ours = eis_resnorm(EIS_MEAN_ABS, FREQUENCIES, in->freq_hz, in->data, model, 0);
    char   what[256];
    in->checked++;
    if (printed - ours <= AGREES * (ours + 1e-3) && ours - printed <= AGREES * (ours + 1e-3)) return TIDE_OK;
    snprintf(what, sizeof what,
             "its resnorm is %g; the chain circuit at 50 frequencies from 1 Hz to 1 MHz has a mean |e| of %g. The file "
             "is of another circuit, "
             "other frequencies or another norm, and cannot be taken over",
             printed, ours);
    return refuse_line(in, f, what);
}

static tide_status read_row(import *in, char *line, tide_failure *f) {
    char  *cell[COLUMNS];
    double p[EIS_COUNT], resnorm;
    if (!split(line, cell))
        return refuse_line(in, f, "8 columns are needed: Model ID, Resnorm, Rsh, Ra, Rb, Ca, Cb, Ground Truth ID");
    bool fine = read_number(cell[RESNORM], &resnorm);
    for (int k = 0; k < EIS_COUNT; k++) fine = fine && read_number(cell[FIRST + k], &p[k]) && p[k] > 0;
    if (fine && !truth_usable(p))
        return refuse_line(in, f, "values must be in ohm (1e-6 to 1e15) and farad (1e-18 to 1e3)");
    if (!fine) return refuse_line(in, f, "the resnorm and the five values must be numbers, the values positive");
    if (!strncmp(cell[NAME], "reference_", 10)) return add_truth(in, p, cell[TRUTH], f);
    if (!in->truths || strcmp(in->truth[in->truths - 1].id, cell[TRUTH]) != 0)
        return refuse_line(in, f, "a block must begin with the row of its ground truth, reference_...");
    bool due = in->place >= in->size / CHECKS * in->checked;
    return due ? check_row(in, p, resnorm, f) : TIDE_OK;
}

static tide_status read_rows(import *in, FILE *file, tide_failure *f) {
    char        line[LINE_MOST];
    tide_status status = TIDE_OK;
    int         found  = bounded_line(file, line);
    in->line = 1;
    if (found <= 0 || !strstr(line, "Model ID,Resnorm,Rsh"))
        status = refuse_line(in, f, "the header must be Model ID,Resnorm,Rsh,Ra,Rb,Ca,Cb,Ground Truth ID");
    while (status == TIDE_OK && (in->place += (int64_t)strlen(line) + 1, found = bounded_line(file, line)) > 0) {
        in->line++;
        status = read_row(in, line, f);
    }
    if (status == TIDE_OK && found < 0)
        in->line++, status = refuse_line(in, f, "this is no line of text, or longer than 4095 bytes");
    if (status == TIDE_OK && ferror(file))
        status = fail_at(f, TIDE_EIO, in->path, in->line, NULL, "%s: %s", in->path, strerror(errno));
    if (status == TIDE_OK && !in->checked) status = refuse_line(in, f, "there are no rows to check");
    return status;
}

bool is_dataset_csv(const char *path) {
    size_t length = strlen(path);
    return length > 4 && !strcmp(path + length - 4, ".csv");
}

tide_status dataset_csv_truths(const char *path, ground_truth **out, int64_t *count, tide_failure *f) {
    import      in = { .path = path };
    struct stat info;
    FILE       *file = bounded_open(path, f);
    *out   = NULL;
    *count = 0;
    if (!file) return f->status;
    in.size = fstat(fileno(file), &info) == 0 ? info.st_size : 0;
    for (int i = 0; i < FREQUENCIES; i++) in.freq_hz[i] = pow(10, 6.0 * i / (FREQUENCIES - 1));
    tide_status status = read_rows(&in, file, f);
    fclose(file);
    if (status != TIDE_OK) return free(in.truth), status;
    *out   = in.truth;
    *count = in.truths;
    return TIDE_OK;
}
