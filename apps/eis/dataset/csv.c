/* The data as other programs of this kind exchange them: one CSV, its ground truths, a summary. */
#include "generate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "base/parallel.h"
#include "eis/options/tell.h"
#include "md5.h"
#include "train/run.h"

/* a row has about that many */
enum { ROWS_A_CHUNK = 2048, CHUNKS = 32, LINE_ROOM = 256, NUMBER_ROOM = 32, NOTE_SECONDS = 2, ROW_BYTES = 140 };

typedef struct table {
    const survey *survey;
    grid_rows     rows;
    char        (*axis)[EIS_COUNT][NUMBER_ROOM];  /* [grid value]: its text */
    double       *room, *scratch;
    eis_listener  listener;
    void         *user;
    double        told;
    tide_status   status;
} table;

int64_t csv_bytes(const survey *s) { return s->rows * ROW_BYTES; }

static char *put(char *at, const char *word) { return stpcpy(at, word); }

static char *put_number(char *at, double v) {
    char number[NUMBER_ROOM];
    num_format(number, v, false);
    return put(at, number);
}

/* Quoted where a comma or a quote would end it. */
static char *put_id(char *at, const char *id) {
    if (!strpbrk(id, ",\"\r\n")) return put(at, id);
    *at++ = '"';
    for (; *id; id++) {
        if (*id == '"') *at++ = '"';
        *at++ = *id;
    }
    *at++ = '"';
    return at;
}

static char *put_index(char *at, int64_t index) {
    *at++ = '_';
    *at++ = (char)('0' + (index + 1) / 10);
    *at++ = (char)('0' + (index + 1) % 10);
    return at;
}

static char *put_row(const table *t, char *at, int64_t row, double value, const char *id) {
    at = put(at, "model");
    for (int k = 0; k < EIS_COUNT; k++) at = put_index(at, t->rows.index[k][row]);
    *at++ = ',';
    at    = put_number(at, value);
    for (int k = 0; k < EIS_COUNT; k++) {
        *at++ = ',';
        at    = put(at, t->axis[t->rows.index[k][row]][k]);
    }
    *at++ = ',';
    at    = put_id(at, id);
    *at++ = '\n';
    return at;
}

/* The ground truth itself: the start of a sum of its values names it. */
static void put_reference(const ground_truth *g, char *at) {
    char key[128], hex[33];
    int  length = snprintf(key, sizeof key, "%.6e_%.6e_%.6e_%.6e_%.6e", g->p[0], g->p[1], g->p[2], g->p[3], g->p[4]);
    md5_hex(key, (size_t)length, hex);
    at += sprintf(at, "reference_%.8s,0.0", hex);
    for (int k = 0; k < EIS_COUNT; k++) {
        *at++ = ',';
        at    = put_number(at, g->p[k]);
    }
    *at++ = ',';
    at    = put_id(at, g->id);
    strcpy(at, "\n");
}

/* Chunks that are made side by side, to be written in their order. */
typedef struct chunk { char *text, *end; } chunk;
typedef struct chunks {
    const table  *of;
    const double *value;
    const char   *id;
    int64_t first;
    chunk   made[CHUNKS];
} chunks;

static void make_chunk(void *of, int64_t c, int thread) {
    chunks *all = of;
    chunk  *one = &all->made[c];
    int64_t first = (all->first + c) * ROWS_A_CHUNK, last = MIN2(first + ROWS_A_CHUNK, all->of->rows.count);
    (void)thread;
    one->text = one->end = malloc((size_t)ROWS_A_CHUNK * LINE_ROOM);
    for (int64_t i = first; one->text && i < last; i++)
        one->end = put_row(all->of, one->end, i, all->value[all->of->rows.from[i]], all->id);
}

static bool put_chunk(table *t, chunk *c, FILE *file) {
    size_t bytes = (size_t)(c->end - c->text);
    bool   fine = c->text && fwrite(c->text, 1, bytes, file) == bytes;
    if (!c->text) t->status = TIDE_ENOMEM;
    free(c->text);
    return fine;
}

static bool put_block(table *t, int64_t truth, FILE *file) {
    const ground_truth *g = &t->survey->truth[truth];
    chunks  all  = { .of = t, .value = survey_values(t->survey, truth, t->room, t->scratch), .id = g->id };
    int64_t last = ceil_div(t->rows.count, ROWS_A_CHUNK);
    char    line[2 * LINE_ROOM];
    put_reference(g, line);
    bool fine = fputs(line, file) >= 0;
    for (; fine && all.first < last; all.first += CHUNKS) {
        int64_t count = MIN2(CHUNKS, last - all.first);
        parallel_for(t->survey->threads, count, 1, make_chunk, &all);
        for (int64_t c = 0; c < count; c++) fine = put_chunk(t, &all.made[c], file) && fine;
    }
    return fine;
}

/* owned_check or owned_claim of the three files. */
static tide_status ask_for(const survey *s, const char *folder,
                           tide_status (*ask)(const char *, const char *const *, tide_failure *), tide_failure *f) {
    char name[64];
    snprintf(name, sizeof name, "combined_dataset_%" PRId64 "gt.csv", s->truths);
    return ask(folder, (const char *const[]){ name, "ground_truth_metadata.json", "dataset_summary.txt", NULL }, f);
}

tide_status csv_check(const survey *s, const char *folder, tide_failure *f) {
    return ask_for(s, folder, owned_check, f);
}

static bool told_to_stop(table *t, int64_t done) {
    char   line[96];
    double now = os_seconds();
    if (!t->listener || now - t->told < NOTE_SECONDS) return false;
    t->told = now;
    snprintf(line, sizeof line, "%" PRId64 " of %" PRId64 " ground truths", done, t->survey->truths);
    eis_event event = eis_event_of(EIS_NOTE, line);
    event.done = done, event.total = t->survey->truths;
    return t->listener(t->user, &event) != 0;
}

static tide_status put_all(void *user, void *stdio_file) {
    table *t    = user;
    FILE  *file = stdio_file;
    if (fputs("Model ID,Resnorm,Rsh (\xce\xa9),Ra (\xce\xa9),Rb (\xce\xa9),Ca (F),Cb (F),Ground Truth ID\n", file) < 0)
        return TIDE_EIO;
    for (int64_t i = 0; i < t->survey->truths; i++) {
        if (!put_block(t, i, file)) return t->status != TIDE_OK ? t->status : TIDE_EIO;
        if (told_to_stop(t, i + 1)) return TIDE_ECANCELLED;
    }
    return TIDE_OK;
}

static bool table_new(const survey *s, table *t) {
    const resnorm_grid *g = &s->grid;
    t->axis    = malloc((size_t)g->points * sizeof *t->axis);
    t->room    = malloc((size_t)g->values * sizeof *t->room);
    t->scratch = malloc((size_t)resnorm_grid_scratch(g) * sizeof *t->scratch);
    if (!t->axis || !t->room || !t->scratch || !grid_rows_new(g, s->full, &t->rows)) return false;
    for (int64_t i = 0; i < g->points; i++)
        for (int k = 0; k < EIS_COUNT; k++) num_format(t->axis[i][k], g->axis[k][i], false);
    return true;
}

static void table_free(table *t) {
    if (t->rows.count) grid_rows_free(&t->rows);
    free(t->axis);
    free(t->room);
    free(t->scratch);
}

static char *truths_text(const survey *s) {
    static const char *const keys[EIS_COUNT] = { "rsh", "ra", "rb", "ca", "cb" };
    json_t *list = json_array();
    for (int64_t i = 0; i < s->truths; i++) {
        json_t *one = json_pack("{s:s}", "id", s->truth[i].id);
        for (int k = 0; k < EIS_COUNT; k++) json_object_set_new(one, keys[k], json_real(s->truth[i].p[k]));
        json_array_append_new(list, one);
    }
    char *text = json_dumps(list, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(list);
    return text;
}

tide_status csv_write(const survey *s, const char *folder, const char *summary, eis_listener listener, void *user,
                      tide_failure *f) {
    table t      = { .survey = s, .listener = listener, .user = user, .told = os_seconds() };
    char *data   = folder_path(folder, "combined_dataset_%" PRId64 "gt.csv", s->truths), *truths = truths_text(s);
    char *paths[] = { folder_path(folder, "ground_truth_metadata.json"), folder_path(folder, "dataset_summary.txt") };
    owned_sweep(folder);
    tide_status status = data && table_new(s, &t) ? TIDE_OK : fail(f, TIDE_ENOMEM, "out of memory for the rows");
    if (status == TIDE_OK) status = ask_for(s, folder, owned_claim, f);
    if (status == TIDE_OK) status = file_of_text(paths[0], truths, f);
    if (status == TIDE_OK) status = tide_file_replace(data, put_all, &t, f);
    if (status == TIDE_OK) status = file_of_text(paths[1], summary, f);
    owned_release(folder);
    table_free(&t);
    free(truths);
    free(data);
    free(paths[0]);
    free(paths[1]);
    return status;
}
