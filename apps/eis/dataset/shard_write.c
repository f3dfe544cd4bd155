/* A shard: a JSON header and aligned columns, in one file that has its name when it is whole. */
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>
#include <zlib.h>

#include "base/base.h"
#include "shard.h"

static const char *const index_names[EIS_COUNT] = { "Rsh_index", "Ra_index", "Rb_index", "Ca_index", "Cb_index" };
static const char *const truth_keys[EIS_COUNT]  = { "rsh", "ra", "rb", "ca", "cb" };

static json_t *reals(const double *v, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) json_array_append_new(list, json_real(v[i]));
    return list;
}

static json_t *truths_json(const shard_plan *p) {
    json_t *list = json_array();
    for (int64_t i = p->first; i < p->first + p->truths; i++) {
        const ground_truth *g = &p->survey->truth[i];
        json_t *one = json_pack("{s:s}", "id", g->id);
        for (int k = 0; k < EIS_COUNT; k++) json_object_set_new(one, truth_keys[k], json_real(g->p[k]));
        json_array_append_new(list, one);
    }
    return list;
}

static int64_t element(const shard_plan *p) { return p->single ? sizeof(float) : sizeof(double); }
static int64_t column_bytes(const shard_plan *p, int64_t column) {
    return p->rows->count * (column < EIS_COUNT ? 1 : element(p));
}

/* `crc` NULL: zeros. The text is as long with any sums. */
static json_t *columns_json(const shard_plan *p, int64_t at, const uint32_t *crc) {
    json_t *list = json_array();
    for (int64_t c = 0; c < EIS_COUNT + p->truths; c++) {
        char name[64], sum[SHARD_CRC_DIGITS + 1];
        bool index = c < EIS_COUNT;
        if (index) snprintf(name, sizeof name, "%s", index_names[c]);
        else snprintf(name, sizeof name, "resnorm %s", p->survey->truth[p->first + c - EIS_COUNT].id);
        snprintf(sum, sizeof sum, "%08x", crc ? crc[c] : 0u);
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:s}", "name", name, "dtype",
                                              index ? "u8" : p->single ? "f32" : "f64", "offset",
                                              (json_int_t)at, "crc32", sum));
        at = round_up(at + column_bytes(p, c), SHARD_ALIGN);
    }
    return list;
}

/* Offsets count from the columns' beginning, which the header's length decides. */
static char *header_text(const shard_plan *p, const uint32_t *crc) {
    const resnorm_grid *g = &p->survey->grid;
    json_t *axes = json_object();
    for (int k = 0; k < EIS_COUNT; k++) json_object_set_new(axes, eis_parameters[k].name, reals(g->axis[k], g->points));
    json_t *all = json_pack("{s:o*, s:o, s:o, s:I, s:I, s:o, s:o}", "options", json_loads(p->options, 0, NULL), "axes",
                            axes, "frequencies_hz",
                            reals(g->freq_hz, g->frequencies), "shard", (json_int_t)p->number, "rows",
                            (json_int_t)p->rows->count,
                            "ground_truths", truths_json(p), "columns", columns_json(p, 0, crc));
    char *text = all ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(all);
    return text;
}

static int64_t columns_end(const shard_plan *p) {
    int64_t at = 0, end = 0;
    for (int64_t c = 0; c < EIS_COUNT + p->truths; c++) {
        end = at + column_bytes(p, c);
        at  = round_up(end, SHARD_ALIGN);
    }
    return end;
}

int64_t shard_bytes(const shard_plan *p) {
    char   *text  = header_text(p, NULL);
    int64_t bytes = text ? round_up(SHARD_PREFIX + (int64_t)strlen(text), SHARD_ALIGN) + columns_end(p) : -1;
    free(text);
    return bytes;
}

/* ---- the file ---- */

typedef struct writer {
    const shard_plan *plan;
    double           *room, *scratch;
    void             *column;
    uint32_t         *crc;
} writer;

static bool put(FILE *file, const void *data, int64_t bytes) {
    return fwrite(data, 1, (size_t)bytes, file) == (size_t)bytes;
}

static bool put_zeros(FILE *file, int64_t bytes) {
    static const char zeros[SHARD_ALIGN];
    return put(file, zeros, bytes);
}

/* CRC-32 of more bytes than zlib takes at once. */
static uint32_t sum_of(const void *data, int64_t bytes) { return (uint32_t)crc32_z(0, data, (size_t)bytes); }

static void make_column(writer *w, int64_t truth) {
    const shard_plan *p = w->plan;
    const double     *v = survey_values(p->survey, p->first + truth, w->room, w->scratch);
    const uint32_t   *from = p->rows->from;
    float            *f = w->column;
    double           *d = w->column;
    for (int64_t i = 0; i < p->rows->count && p->single; i++) f[i] = (float)v[from[i]];
    for (int64_t i = 0; i < p->rows->count && !p->single; i++) d[i] = v[from[i]];
}

static bool put_columns(writer *w, FILE *file) {
    const shard_plan *p    = w->plan;
    bool              fine = true;
    for (int64_t c = 0; c < EIS_COUNT + p->truths && fine; c++) {
        const void *data  = c < EIS_COUNT ? p->rows->index[c] : w->column;
        int64_t bytes = column_bytes(p, c),
                gap = c + 1 < EIS_COUNT + p->truths ? round_up(bytes, SHARD_ALIGN) - bytes : 0;
        if (c >= EIS_COUNT) make_column(w, c - EIS_COUNT);
        w->crc[c] = sum_of(data, bytes);
        fine      = put(file, data, bytes) && put_zeros(file, gap);
    }
    return fine;
}

static bool put_header(const char *text, FILE *file) {
    uint32_t length = (uint32_t)strlen(text), start[SHARD_PREFIX / 4] = { 0 };
    memcpy(start, SHARD_MAGIC, 8);
    start[2] = SHARD_VERSION;
    start[3] = length;
    start[4] = sum_of(text, length);
    return put(file, start, SHARD_PREFIX) && put(file, text, length) &&
           put_zeros(file, round_up(length, SHARD_ALIGN) - length);
}

/* The sums are known last, and the header that holds them is first: it is written twice. */
static tide_status write_shard(void *user, void *stdio_file) {
    writer *w     = user;
    FILE   *file  = stdio_file;
    char   *first = header_text(w->plan, NULL), *last = NULL;
    bool    fine  = first && put_header(first, file) && put_columns(w, file);
    if (fine) fine = (last = header_text(w->plan, w->crc)) && fseeko(file, 0, SEEK_SET) == 0 && put_header(last, file);
    tide_status status = fine ? TIDE_OK : !first || (!last && !ferror(file)) ? TIDE_ENOMEM : TIDE_EIO;
    free(first);
    free(last);
    return status;
}

tide_status shard_write(const shard_plan *p, const char *path, tide_failure *failure) {
    const resnorm_grid *g = &p->survey->grid;
    writer w = { p, malloc((size_t)g->values * sizeof *w.room),
                 malloc((size_t)resnorm_grid_scratch(g) * sizeof *w.scratch),
                 malloc((size_t)(p->rows->count * element(p))),
                 malloc((size_t)(EIS_COUNT + p->truths) * sizeof *w.crc) };
    tide_status status = w.room && w.scratch && w.column && w.crc
                             ? tide_file_replace(path, write_shard, &w, failure)
                             : fail_at(failure, TIDE_ENOMEM, path, 0, NULL, "%s: out of memory for a shard", path);
    free(w.room);
    free(w.scratch);
    free(w.column);
    free(w.crc);
    return status;
}
