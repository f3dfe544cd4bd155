/* CSV: the separator is guessed from the first line that is not blank, cells are kept as text, in the text itself.
 * Lines without a quote are split here; libcsv has the others. */
#include <csv.h>
#include <inttypes.h>
#include <stdlib.h>

#include "../base/base.h"
#include "source.h"
#include "text_in.h"

enum { NUMBER_ROOM = 21 };  /* of a 64-bit number in decimal */

/* What a text is split into. Cells of the header come first in `cells`, then row after row. */
typedef struct loader {
    tide_table  *table;
    const tide_csv_options *options;
    const char  *path;
    tide_failure *failure;
    tide_status  status;
    char        *next;         /* where libcsv's next cell goes: into what it has read of the row */
    int64_t      cells, cell_room, rows, row_room;
    int64_t      width;        /* cells of each row in the file */
    int64_t      row_cells;    /* of the row being read */
    int64_t      line;         /* where it began */
    bool         in_row;
    bool        *keep;         /* (width); NULL: all columns */
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

static void add_cell(loader *l, char *text) {
    int64_t column = l->row_cells++;
    if (l->keep && (column >= l->width || !l->keep[column])) return;
    void *cells = l->table->cells;
    bool room = make_room(&cells, l->cells, &l->cell_room, sizeof(char *));
    l->table->cells = cells;
    if (room) l->table->cells[l->cells++] = text;
    else out_of_memory(l);
}

/* Takes the cells of columns that are not kept out of the two rows that are there. */
static void drop_cells(loader *l) {
    int64_t kept = 0;
    for (int64_t i = 0; i < l->cells; i++)
        if (l->keep[i % l->width]) l->table->cells[kept++] = l->table->cells[i];
    l->cells = kept;
}

static tide_status choose_columns(loader *l) {
    tide_table *t = l->table;
    int64_t kept = 0;
    l->keep = bytes_new(l->width);
    if (!l->keep) return memory_fail(l->failure, l->path, l->width);
    memset(l->keep, true, (size_t)l->width);
    l->options->choose(l->options->user, l->width, t->cells, t->cells + l->width, l->keep);
    for (int64_t c = 0; c < l->width; c++) kept += l->keep[c];
    if (kept == l->width) return TIDE_OK;
    t->place = bytes_new(kept * (int64_t)sizeof *t->place);
    if (!t->place) return memory_fail(l->failure, l->path, kept * (int64_t)sizeof *t->place);
    t->columns = 0;
    for (int64_t c = 0; c < l->width; c++)
        if (l->keep[c]) t->place[t->columns++] = c;
    drop_cells(l);
    return TIDE_OK;
}

static void end_row(loader *l) {
    l->in_row = false;
    if (l->status) return;
    if (l->rows == 0) l->width = l->table->columns = l->row_cells, l->table->header_line = l->line;
    if (l->row_cells != l->width) {
        l->status = fail_at(l->failure, TIDE_EDATA, l->path, l->line, NULL,
                            "this row has %" PRId64 " cells where the first row has %" PRId64 "; all rows must have "
                                                                                              "as many",
                            l->row_cells, l->width);
        return;
    }
    void *lines = l->table->line;
    bool room = make_room(&lines, l->rows, &l->row_room, sizeof(int64_t));
    l->table->line = lines;
    if (room) l->table->line[l->rows++] = l->line;
    else out_of_memory(l);
    l->row_cells = 0;
    if (!l->status && l->rows == 2 && l->options->choose && !l->options->headerless) l->status = choose_columns(l);
}

/* ---- a line without quotes ----------------------------------------------------------------------------- */

static bool is_space(char c) { return c == ' ' || c == '\t'; }

/* Ends the cell in its text, without the blanks around it. */
static char *cut(char *start, char *end) {
    while (start < end && is_space(*start)) start++;
    while (end > start && is_space(end[-1])) end--;
    *end = 0;
    return start;
}

/* Behind `count` separators, `end` where there are not so many; *passed: how many were there. */
static char *skip_cells(char *at, const char *end, char separator, int64_t count, int64_t *passed) {
    const uint64_t low = 0x7f7f7f7f7f7f7f7f, wanted = 0x0101010101010101 * (unsigned char)separator;
    uint64_t eight;
    *passed = 0;
    for (; end - at >= 8 && count - *passed >= 8; at += 8) { /* eight bytes hold eight at most */
        memcpy(&eight, at, 8);
        eight ^= wanted; /* its zero bytes are the separators; then a bit for each of them, and these summed up */
        eight = ~(((eight & low) + low) | eight | low) >> 7;
        *passed += (int64_t)(eight * 0x0101010101010101 >> 56);
    }
    while (*passed < count && at < end) *passed += *at++ == separator;
    return at;
}

/* Takes the cell at `at`; where the next one begins, NULL behind the last. */
static char *take_cell(loader *l, char *at, char *end, char separator) {
    char *stop = memchr(at, separator, (size_t)(end - at));
    add_cell(l, cut(at, stop ? stop : end));
    return stop && !l->status ? stop + 1 : NULL;
}

/* Cells that are not kept are only counted. */
static void split_chosen(loader *l, char *at, char *end, char separator) {
    const tide_table *t = l->table;
    int64_t passed;
    for (int64_t k = 0; k < t->columns && at; k++) {
        at = skip_cells(at, end, separator, t->place[k] - l->row_cells, &passed);
        l->row_cells += passed;
        if (l->row_cells < t->place[k]) break;
        at = take_cell(l, at, end, separator);
    }
    if (!at) return;
    skip_cells(at, end, separator, INT64_MAX, &passed);
    l->row_cells += passed + 1;
}

static void split_plain(loader *l, char *at, char *end, char separator) {
    while (end > at && (end[-1] == '\n' || end[-1] == '\r')) end--;
    if (l->table->place) split_chosen(l, at, end, separator);
    while (!l->table->place && at) at = take_cell(l, at, end, separator);
    end_row(l);
}

/* ---- libcsv -------------------------------------------------------------------------------------------- */

/* The cell and its zero are no longer than what was read for it, and so never reach what is still to be read. */
static void on_cell(void *text, size_t length, void *user) {
    loader *l = user;
    if (l->status) return;
    if (length) memcpy(l->next, text, length);
    l->next[length] = 0;
    add_cell(l, l->next);
    l->next += length + 1;
}

static void on_row(int end, void *user) {
    (void)end;
    end_row(user);
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
    if (options->separator) return options->separator;
    int64_t at = skip_lines(t, options->skip);
    while (at < t->length) {
        int64_t length = line_length(t->data + at, t->length - at);
        if (!is_blank(t->data + at, length, 0)) return guess_separator(t->data + at, length);
        at += length;
    }
    return ',';
}

static void split_line(loader *l, struct csv_parser *parser, char *text, int64_t length) {
    bool first = !l->in_row;
    char separator = (char)csv_get_delim(parser);
    if (first && !memchr(text, '"', (size_t)length)) {
        split_plain(l, text, text + length, separator);
        return;
    }
    if (first) l->next = text;
    l->in_row = true;
    if (csv_parse(parser, text, (size_t)length, on_cell, on_row, l) != (size_t)length) out_of_memory(l);
}

/* Line by line, which tells us where each row begins. */
static void split(loader *l, struct csv_parser *parser, const text_in *t) {
    char separator = (char)csv_get_delim(parser);
    int64_t line = l->options->skip + 1;
    for (int64_t at = skip_lines(t, l->options->skip), length; at < t->length && !l->status; at += length, line++) {
        length = line_length(t->data + at, t->length - at);
        if (!l->in_row && is_blank(t->data + at, length, separator)) continue;
        if (!l->in_row) l->line = line;
        split_line(l, parser, t->data + at, length);
    }
    if (l->status || !l->in_row) return;
    /* Strict only now: a quote inside a cell, as in Z" (ohm), stands for itself, but an open one at the end is an
     * error. */
    csv_set_opts(parser, CSV_STRICT | CSV_STRICT_FINI);
    if (csv_fini(parser, on_cell, on_row, l) != 0 && !l->status)
        l->status =
            fail_at(l->failure, TIDE_EDATA, l->path, l->line, NULL, "a quote opened in this row is never closed");
}

static tide_status parse(loader *l, const text_in *t) {
    struct csv_parser parser;
    char separator = choose_separator(t, l->options);
    if (strchr("\"\r\n ", separator))
        return fail_at(l->failure, TIDE_EINVAL, l->path, 0, NULL,
                       "the separator cannot be a quote, a blank or a line end");
    if (csv_init(&parser, 0) != 0) return memory_fail(l->failure, l->path, 1);
    csv_set_delim(&parser, (unsigned char)separator);
    csv_set_blk_size(&parser, 4096);
    split(l, &parser, t);
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

static tide_status read_table(text_in *text, const char *path, const tide_csv_options *options, tide_table *out,
                              tide_failure *failure) {
    static const tide_csv_options usual = { 0 };
    loader l = { .table = out, .options = options ? options : &usual, .path = path, .failure = failure };
    out->repaired = text->repaired;
    out->memory   = text->data;
    tide_status status = parse(&l, text);
    if (!status) status = make_table(&l, l.options->headerless);
    free(l.keep);
    if (status) tide_table_free(out);
    return status;
}

tide_status tide_csv_read(const char *path, const tide_csv_options *options, tide_table *out, tide_failure *failure) {
    text_in text;
    failure_clear(failure);
    if (!out) return argument_fail(failure, path, "table to read into");
    *out = (tide_table){ 0 };
    tide_status status = text_in_read(path, &text, failure);
    return status ? status : read_table(&text, path, options, out, failure);
}

tide_status tide_csv_take(void *bytes, size_t size, const char *path, const tide_csv_options *options, tide_table *out,
                          tide_failure *failure) {
    text_in text;
    failure_clear(failure);
    if (out) *out = (tide_table){ 0 };
    if (!out || !bytes) {
        free(bytes);
        return argument_fail(failure, path, out ? "text to read" : "table to read into");
    }
    tide_status status = text_in_take(path, bytes, (int64_t)size, &text, failure);
    return status ? status : read_table(&text, path, options, out, failure);
}

void tide_table_free(tide_table *t) {
    if (!t) return;
    free(t->header);
    free(t->cells);
    free(t->line);
    free(t->memory);
    free(t->place);
    *t = (tide_table){ 0 };
}
