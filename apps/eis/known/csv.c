/* The CSV of the MLX guide's program and of `eis generate --format csv`. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "eis/dataset/bounded.h"
#include "eis/dataset/generate.h"
#include "data.h"

enum { MOST_POINTS = 40, ROW_BYTES = 60 };  /* a row has more bytes than that */

typedef struct reader {
    const char *path;
    int64_t     line, rows, room;
    uint8_t    *index[EIS_COUNT];
    double     *resnorm;
    known_data *data;
    int         highest;  /* place seen, from 0 */
} reader;

static tide_status refuse(const reader *r, tide_failure *f, const char *what) {
    return fail_at(f, TIDE_EDATA, r->path, r->line, NULL, "%s, line %lld: %s", r->path, (long long)r->line, what);
}

/* "model_01_12_03_04_05": places from 1. An older form has the grid's size in front of them. */
static bool read_places(const char *name, int places[EIS_COUNT]) {
    long  numbers[EIS_COUNT + 1];
    int   count = 0;
    if (strncmp(name, "model", 5) != 0) return false;
    for (name += 5; *name == '_' && count <= EIS_COUNT; count++) {
        char *end;
        numbers[count] = strtol(name + 1, &end, 10);
        if (end == name + 1) return false;
        name = end;
    }
    if (*name != ',' || count < EIS_COUNT) return false;
    for (int k = 0; k < EIS_COUNT; k++) {
        long place = numbers[count - EIS_COUNT + k];
        if (place < 1 || place > MOST_POINTS) return false;
        places[k] = (int)place - 1;
    }
    return true;
}

static tide_status add_truth(reader *r, tide_failure *f) {
    known_data *d = r->data;
    if (d->truths == TRUTHS_MOST) return refuse(r, f, "there are more than 100000 ground truths");
    truth_rows *larger = d->truths % 64 ? d->truth : realloc(d->truth, (size_t)(d->truths + 64) * sizeof *larger);
    if (!larger) return fail(f, TIDE_ENOMEM, "out of memory for ground truths");
    d->truth = larger;
    d->truth[d->truths] = (truth_rows){ .resnorm = r->resnorm + r->rows };
    for (int k = 0; k < EIS_COUNT; k++) d->truth[d->truths].index[k] = r->index[k] + r->rows;
    d->truths++;
    return TIDE_OK;
}

static tide_status read_row(reader *r, const char *line, tide_failure *f) {
    int         places[EIS_COUNT];
    char       *end;
    const char *comma = strchr(line, ',');
    if (!strncmp(line, "reference_", 10)) return add_truth(r, f);
    if (!read_places(line, places))
        return refuse(r, f, "a row begins with model_ and five places on axes of at most 40 values");
    double value = num_parse(comma + 1, &end);
    if (*end != ',' || !(value >= 0 && value <= 1e300)) return refuse(r, f, "the resnorm must be a number");
    if (!r->data->truths) return refuse(r, f, "a block must begin with the row of its ground truth, reference_...");
    if (r->rows == r->room) return refuse(r, f, "there are more rows than the file has room for");
    for (int k = 0; k < EIS_COUNT; k++) {
        r->index[k][r->rows] = (uint8_t)places[k];
        r->highest = MAX2(r->highest, places[k]);
    }
    r->resnorm[r->rows++] = value;
    r->data->truth[r->data->truths - 1].count++;
    return TIDE_OK;
}

static tide_status read_rows(reader *r, FILE *file, tide_failure *f) {
    char        line[LINE_MOST];
    int         found  = bounded_line(file, line);
    tide_status status = TIDE_OK;
    r->line = 1;
    if (found <= 0 || !strstr(line, "Model ID,Resnorm,Rsh"))
        status = refuse(r, f, "the header must be Model ID,Resnorm,Rsh,Ra,Rb,Ca,Cb,Ground Truth ID");
    while (status == TIDE_OK && (found = bounded_line(file, line)) > 0) {
        r->line++;
        status = read_row(r, line, f);
    }
    if (status == TIDE_OK && found < 0)
        r->line++, status = refuse(r, f, "this is no line of text, or longer than 4095 bytes");
    if (status == TIDE_OK && ferror(file))
        status = fail_at(f, TIDE_EIO, r->path, r->line, NULL, "%s: %s", r->path, strerror(errno));
    if (status == TIDE_OK && (!r->rows || r->highest < 1)) status = refuse(r, f, "there are no rows");
    for (int64_t i = 0; status == TIDE_OK && i < r->data->truths; i++)
        if (!r->data->truth[i].count) status = refuse(r, f, "a ground truth has no rows");
    return status;
}

/* One block of memory: the residual norms, then the five index columns. */
static bool make_room(reader *r, int64_t bytes) {
    r->room          = bytes / ROW_BYTES + 1;
    r->data->columns = malloc((size_t)r->room * (sizeof(double) + EIS_COUNT));
    r->resnorm       = r->data->columns;
    for (int k = 0; k < EIS_COUNT; k++) r->index[k] = (uint8_t *)(r->resnorm + r->room) + k * r->room;
    return r->data->columns != NULL;
}

/* The line of dataset_summary.txt that names the circuit. */
static bool summary_circuit(const char *folder, eis_circuit *out) {
    char  line[256], word[16] = "", *path = folder_path(folder, "dataset_summary.txt");
    FILE *file = path ? fopen(path, "re") : NULL;
    while (file && !*word && fgets(line, sizeof line, file))
        if (sscanf(line, "Circuit: %15s", word) != 1) *word = 0;
    if (file) fclose(file);
    free(path);
    *out = !strcmp(word, "chain") ? EIS_CHAIN : EIS_SHUNT;
    return !strcmp(word, "chain") || !strcmp(word, "shunt");
}

static tide_status find_circuit(const char *folder, const char *path, known_data *d, tide_failure *f) {
    ground_truth *truths = NULL;
    int64_t       count;
    if (summary_circuit(folder, &d->circuit)) return TIDE_OK;
    d->circuit         = EIS_CHAIN;
    tide_status status = dataset_csv_truths(path, &truths, &count, f);
    free(truths);
    return status;
}

static tide_status read_file(const char *path, known_data *d, tide_failure *f) {
    reader      r    = { .path = path, .data = d };
    struct stat info;
    FILE       *file = bounded_open(path, f);
    tide_status status = file ? TIDE_OK : f->status;
    if (status == TIDE_OK && fstat(fileno(file), &info) != 0)
        status = fail_at(f, TIDE_EIO, path, 0, NULL, "cannot read %s: %s", path, strerror(errno));
    if (status == TIDE_OK && !make_room(&r, info.st_size)) status = fail(f, TIDE_ENOMEM, "out of memory for %s", path);
    if (status == TIDE_OK) status = read_rows(&r, file, f);
    if (file) fclose(file);
    d->points = r.highest + 1;
    return status;
}

tide_status known_csv_read(const char *folder, const char *name, known_data *d, tide_failure *f) {
    char *path = folder_path(folder, "%s", name), hash[65];
    if (!path) return fail(f, TIDE_ENOMEM, "out of memory");
    tide_status status = find_circuit(folder, path, d, f);
    if (status == TIDE_OK) status = read_file(path, d, f);
    if (status == TIDE_OK) status = tide_file_sha256(path, hash, f);
    if (status == TIDE_OK) snprintf(d->identity, sizeof d->identity, "csv %s", hash);
    snprintf(d->resnorm_kind, sizeof d->resnorm_kind, "%s", eis_resnorm_name(EIS_MEAN_ABS));
    free(path);
    return status;
}
