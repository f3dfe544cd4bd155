/* The text of a file as a table of cells: the line with the names, the rows, none at its end that hold nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "frame_reading.h"

static bool from_stdin(const reading *r) { return !strcmp(r->path, "-"); }

/* gzip, which is read unpacked. */
static bool is_packed(const char *path) {
    unsigned char magic[2] = { 0 };
    FILE *file  = fopen(path, "rb");
    bool packed = file && fread(magic, 1, 2, file) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
    if (file) fclose(file);
    return packed;
}

/* Only training compares files. The bytes are at hand where the file holds them as they are. */
static tide_status hash(reading *r, const void *bytes, size_t size) {
    sha256 h;
    if (from_stdin(r) || r->options->run_time) return TIDE_OK;
    if (is_packed(r->path)) return tide_file_sha256(r->path, r->out->sha256, r->failure);
    sha256_begin(&h);
    sha256_add(&h, bytes, size);
    sha256_end(&h, r->out->sha256);
    return TIDE_OK;
}

/* Says where the names may be, with a row of another length. */
static void explain_ragged(reading *r, int64_t guess) {
    size_t used = r->failure ? strlen(r->failure->message) : 0;
    if (!guess || !r->failure || !r->failure->row) return;
    snprintf(r->failure->message + used, sizeof r->failure->message - used,
             "; the column names may be on a later line: `skip-rows` %" PRId64 " leaves out those before them",
             guess);
}

/* Rows of separators alone behind the last one, as spreadsheets write them. */
static tide_status drop_empty_end(reading *r) {
    tide_table *t = &r->table;
    int64_t kept = t->rows, c = t->columns;
    while (kept && c == t->columns) {
        char *const *row = t->cells + (kept - 1) * t->columns;
        for (c = 0; c < t->columns && !row[c][strspn(row[c], " \t")];) c++;
        kept -= c == t->columns;
    }
    int64_t empty = t->rows - kept;
    if (!empty || !kept) return TIDE_OK;
    t->rows = kept;
    return reading_note(r, "the last %" PRId64 " row%s of the file, from line %" PRId64 " on, hold%s nothing: left "
                                                                                        "out\n", empty,
                        empty == 1 ? "" : "s", t->line[kept], empty == 1 ? "s" : "");
}

/* The bytes are the table's from here on. */
static tide_status take_text(reading *r, void *bytes, size_t size, const names_line *names) {
    tide_csv_options csv = { .separator = r->options->separator, .headerless = r->options->kind == KIND_SOLAR,
                             .skip = names->skip, .choose = reading_narrow, .user = r };
    tide_status status = tide_csv_take(bytes, size, r->path, &csv, &r->table, r->failure);
    if (status == TIDE_EDATA) explain_ragged(r, names->guess);
    if (status || !names->found) return status;
    return reading_note(r, "the names of the columns stand in line %" PRId64 ": what is before them is left out\n",
                        r->table.header_line);
}

tide_status reading_table(reading *r) {
    void *bytes = NULL;
    size_t size = 0;
    names_line names = { .skip = r->options->skip_rows };
    tide_status status = reading_sort_run_names(r);
    if (!status) status = tide_file_read(r->path, &bytes, &size, r->failure);
    if (!status) status = hash(r, bytes, size);
    if (!status && r->options->kind != KIND_SOLAR) status = reading_find_names(r, bytes, size, &names);
    if (status) free(bytes);
    else status = take_text(r, bytes, size, &names);
    if (!status && r->table.repaired)
        status = reading_note(r, "the text is not UTF-8; unreadable characters were replaced\n");
    if (!status && !r->table.rows)
        status = forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), NULL,
                               "the file has a header but no rows");
    if (!status) status = drop_empty_end(r);
    return status ? status : reading_drop_units(r);
}
