/* CSV through libcsv: the separator is guessed from the first line that is not blank, cells are kept as text. */
#include <csv.h>
#include <inttypes.h>
#include <stdlib.h>

#include "../base/base.h"
#include "source.h"
#include "text_in.h"

enum { NUMBER_ROOM = 21 };  /* of a 64-bit number in decimal */

/* What the callbacks of libcsv fill. Cells of the header come first in `cells`, then row after row. */
typedef struct loader {
    tide_table  *table;
    const char  *path;
    tide_failure *failure;
    tide_status  status;
    char        *next;         /* free part of table->memory, which holds any result: it is as long as the text */
    int64_t      cells, cell_room, rows, row_room;
    int64_t      row_cells;    /* of the row being read */
    int64_t      line;         /* where it began */
    bool         in_row;
} loader;

/* ---- one cell, one row --------------------------------------------------------------------------------- */

static bool make_room(void **array, int64_t count, int64_t *room, size_t size) {
    if (count < *room) return true;
    int64_t wanted = *room ? *room * 2 : 256;
    void *grown = realloc(*array, (size_t)wanted * size);
    if (!grown) return false;
    *array = grown;
    *room = wanted;
    return true;
}

static void out_of_memory(loader *l) {
    l->status = memory_fail(l->failure, l->path, (l->cells + 1) * (int64_t)sizeof(char *));
}

static void on_cell(void *text, size_t length, void *user) {
    loader *l = user;
    void *cells = l->table->cells;
    if (l->status) return;
    bool room = make_room(&cells, l->cells, &l->cell_room, sizeof(char *));
    l->table->cells = cells;
    if (!room) {
        out_of_memory(l);
        return;
    }
    l->table->cells[l->cells++] = l->next;
    if (length) memcpy(l->next, text, length);
    l->next[length] = 0;
    l->next += length + 1;
    l->row_cells++;
}

static void on_row(int end, void *user) {
    loader *l = user;
    (void)end;
    l->in_row = false;
    if (l->status) return;
    if (l->rows == 0) l->table->columns = l->row_cells;
    if (l->row_cells != l->table->columns) {
        l->status = fail_at(l->failure, TIDE_EDATA, l->path, l->line, NULL,
                            "this row has %" PRId64 " cells where the first row has %" PRId64 "; all rows must have "
                                                                                              "as many",
                            l->row_cells, l->table->columns);
        return;
    }
    void *lines = l->table->line;
    bool room = make_room(&lines, l->rows, &l->row_room, sizeof(int64_t));
    l->table->line = lines;
    if (room) l->table->line[l->rows++] = l->line;
    else out_of_memory(l);
    l->row_cells = 0;
}

/* ---- lines --------------------------------------------------------------------------------------------- */

/* Length of the line at `p`, its end (LF, CR LF or CR) included. */
static int64_t line_length(const char *p, int64_t left) {
    const char *lf = memchr(p, '\n', (size_t)left);
    int64_t upto = lf ? lf - p + 1 : left;
    const char *cr = memchr(p, '\r', (size_t)upto);
    if (!cr) return upto;
    int64_t length = cr - p + 1;
    return length < left && cr[1] == '\n' ? length + 1 : length;
}

static bool is_blank(const char *p, int64_t length, char separator) {
    for (int64_t i = 0; i < length; i++)
        if (p[i] == separator || !strchr(" \t\r\n", p[i])) return false;
    return true;
}

/* The candidate that the line holds most often outside quotes; a comma if it holds none. */
static char guess_separator(const char *p, int64_t length) {
    static const char candidates[] = ",;\t|";
    int64_t counts[4] = { 0 };
    int best = 0;
    bool quoted = false;
    for (int64_t i = 0; i < length; i++) {
        const char *found = p[i] ? strchr(candidates, p[i]) : NULL;
        if (p[i] == '"') quoted = !quoted;
        if (found && !quoted) counts[found - candidates]++;
    }
    for (int i = 1; i < 4; i++)
        if (counts[i] > counts[best]) best = i;
    return candidates[best];
}

/* Where the text begins behind its first `lines` lines. */
static int64_t skip_lines(const text_in *t, int64_t lines) {
    int64_t at = 0;
    for (; lines > 0 && at < t->length; lines--) at += line_length(t->data + at, t->length - at);
    return at;
}

static char choose_separator(const text_in *t, const tide_csv_options *options) {
    if (options && options->separator) return options->separator;
    int64_t at = skip_lines(t, options ? options->skip : 0);
    while (at < t->length) {
        int64_t length = line_length(t->data + at, t->length - at);
        if (!is_blank(t->data + at, length, 0)) return guess_separator(t->data + at, length);
        at += length;
    }
    return ',';
}

/* libcsv is fed line by line, which tells us where each row begins. */
static void split(loader *l, struct csv_parser *parser, const text_in *t, int64_t skip) {
    char separator = (char)csv_get_delim(parser);
    int64_t line = skip + 1;
    for (int64_t at = skip_lines(t, skip), length; at < t->length && !l->status; at += length, line++) {
        length = line_length(t->data + at, t->length - at);
        if (!l->in_row && is_blank(t->data + at, length, separator)) continue;
        if (!l->in_row) l->line = line;
        l->in_row = true;
        if (csv_parse(parser, t->data + at, (size_t)length, on_cell, on_row, l) != (size_t)length) out_of_memory(l);
    }
    if (l->status || !l->in_row) return;
    /* Strict only now: a quote inside a cell, as in Z" (ohm), stands for itself, but an open one at the end is an
     * error. */
    csv_set_opts(parser, CSV_STRICT | CSV_STRICT_FINI);
    if (csv_fini(parser, on_cell, on_row, l) != 0 && !l->status)
        l->status =
            fail_at(l->failure, TIDE_EDATA, l->path, l->line, NULL, "a quote opened in this row is never closed");
}

static tide_status parse(loader *l, const text_in *t, const tide_csv_options *options) {
    struct csv_parser parser;
    char separator = choose_separator(t, options);
    if (strchr("\"\r\n ", separator))
        return fail_at(l->failure, TIDE_EINVAL, l->path, 0, NULL,
                       "the separator cannot be a quote, a blank or a line end");
    if (csv_init(&parser, 0) != 0) return memory_fail(l->failure, l->path, 1);
    csv_set_delim(&parser, (unsigned char)separator);
    csv_set_blk_size(&parser, 4096);
    split(l, &parser, t, options ? options->skip : 0);
    csv_free(&parser);
    if (!l->status && l->rows == 0)
        l->status =
            fail_at(l->failure, TIDE_EDATA, l->path, 0, NULL, "this file is empty; a header line and rows are needed");
    return l->status;
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static char *trim(char *text) {
    while (*text == ' ' || *text == '\t') text++;
    size_t length = strlen(text);
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t')) text[--length] = 0;
    return text;
}

/* Takes the first row out of the cells. */
static void take_header(tide_table *t) {
    for (int64_t c = 0; c < t->columns; c++) t->header[c] = trim(t->cells[c]);
    memmove(t->cells, t->cells + t->columns, (size_t)((t->rows - 1) * t->columns) * sizeof *t->cells);
    memmove(t->line, t->line + 1, (size_t)(t->rows - 1) * sizeof *t->line);
    t->rows--;
}

/* "0", "1", ..., the strings behind the pointers in one block. */
static void number_header(tide_table *t) {
    char *next = (char *)(t->header + t->columns);
    for (int64_t c = 0; c < t->columns; c++) {
        t->header[c] = next;
        next += snprintf(next, NUMBER_ROOM, "%" PRId64, c) + 1;
    }
}

static tide_status make_table(loader *l, bool headerless) {
    tide_table *t = l->table;
    int64_t bytes = t->columns * (int64_t)(sizeof *t->header + (headerless ? NUMBER_ROOM : 0));
    t->rows = l->rows;
    t->header = bytes_new(bytes);
    if (!t->header) return memory_fail(l->failure, l->path, bytes);
    if (headerless) number_header(t);
    else take_header(t);
    return TIDE_OK;
}

tide_status tide_csv_read(const char *path, const tide_csv_options *options, tide_table *out, tide_failure *failure) {
    failure_clear(failure);
    text_in text;
    loader l = { .table = out, .path = path, .failure = failure };
    if (!out) return argument_fail(failure, path, "table to read into");
    *out = (tide_table){ 0 };
    tide_status status = text_in_read(path, &text, failure);
    if (status) return status;
    out->repaired = text.repaired;
    out->memory = l.next = bytes_new(text.length + 2);
    status = out->memory ? parse(&l, &text, options) : memory_fail(failure, path, text.length + 2);
    free(text.data);
    if (!status) status = make_table(&l, options && options->headerless);
    if (status) tide_table_free(out);
    return status;
}

void tide_table_free(tide_table *t) {
    if (!t) return;
    free(t->header);
    free(t->cells);
    free(t->line);
    free(t->memory);
    *t = (tide_table){ 0 };
}
