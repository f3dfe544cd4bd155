/* The rows of a table in long format by their series: numbered with a hash table, counted into place, sorted where they
 * do not ascend in time. Work and memory go by the rows, however many series there are. */
#include <stdlib.h>
#include <string.h>

#include "frame_long.h"

/* ---- numbers for what is the same ---- */

/* What is numbered: a column's texts, or pairs of numbers. */
typedef struct row_keys { const reading *r; int64_t column; const int32_t *a, *b; } row_keys;

static uint64_t mixed(uint64_t h) {
    h ^= h >> 33, h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33, h *= 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static uint64_t hash_of(const row_keys *k, int64_t row) {
    if (k->a) return mixed((uint64_t)(uint32_t)k->a[row] << 32 | (uint32_t)k->b[row]);
    return mixed(text_hash(reading_text(k->r, row, k->column)));
}

static bool same(const row_keys *k, int64_t a, int64_t b) {
    if (k->a) return k->a[a] == k->a[b] && k->b[a] == k->b[b];
    return strcmp(reading_text(k->r, a, k->column), reading_text(k->r, b, k->column)) == 0;
}

/* A slot holds 1 + the first row of a number, or 0. Rows below each other are often of one series. */
static int64_t number_rows(const row_keys *k, int64_t rows, int64_t most, int32_t *of) {
    int64_t size = 16, count = 0;
    while (size < 2 * (most + 1)) size *= 2;
    int64_t *slot = calloc((size_t)size, sizeof *slot);
    if (!slot) return -1;
    for (int64_t i = 0; i < rows && count <= most; i++) {
        if (i && same(k, i - 1, i)) {
            of[i] = of[i - 1];
            continue;
        }
        uint64_t at = hash_of(k, i) & (uint64_t)(size - 1);
        while (slot[at] && !same(k, slot[at] - 1, i)) at = (at + 1) & (uint64_t)(size - 1);
        if (!slot[at]) slot[at] = i + 1, of[i] = (int32_t)count++;
        else of[i] = of[slot[at] - 1];
    }
    free(slot);
    return count;
}

static void trim(char **cell) {
    size_t before = strspn(*cell, " \t"), length;
    *cell += before;
    for (length = strlen(*cell); length && strchr(" \t", (*cell)[length - 1]);) (*cell)[--length] = 0;
}

int64_t series_number(const reading *r, int64_t column, int64_t most, int32_t *of) {
    for (int64_t i = 0; i < r->table.rows; i++) trim(&r->table.cells[i * r->table.columns + column]);
    return number_rows(&(row_keys){ .r = r, .column = column }, r->table.rows, most, of);
}

int64_t series_combine(const int32_t *a, const int32_t *b, int64_t rows, int64_t most, int32_t *of) {
    return number_rows(&(row_keys){ .a = a, .b = b }, rows, most, of);
}

/* ---- order ---- */

typedef struct timed_row { int64_t seconds, row; } timed_row;

static int by_time(const void *a, const void *b) {
    const timed_row *x = a, *y = b;
    return x->seconds != y->seconds ? (x->seconds > y->seconds) - (x->seconds < y->seconds)
                                    : (x->row > y->row) - (x->row < y->row);
}

/* The rows of each series one behind the other, as the file has them. */
static void count_into_place(const int32_t *of, int64_t rows, int64_t series, series_order *o) {
    for (int64_t i = 0; i < rows; i++) o->start[of[i] + 1]++;
    for (int64_t s = 0; s < series; s++) o->start[s + 1] += o->start[s];
    for (int64_t i = 0; i < rows; i++) o->row[o->start[of[i]]++] = i;
    for (int64_t s = series; s > 0; s--) o->start[s] = o->start[s - 1];
    o->start[0] = 0;
}

static void sort_one(const int64_t *time, int64_t *row, int64_t count, timed_row *scratch) {
    for (int64_t i = 0; i < count; i++) scratch[i] = (timed_row){ time[row[i]], row[i] };
    qsort(scratch, (size_t)count, sizeof *scratch, by_time);
    for (int64_t i = 0; i < count; i++) row[i] = scratch[i].row;
}

static void order_one(const int64_t *time, int64_t from, int64_t to, timed_row *scratch, series_order *o) {
    bool rises = true, falls = true;
    for (int64_t i = from + 1; i < to; i++) {
        int64_t before = time[o->row[i - 1]], now = time[o->row[i]];
        rises = rises && now >= before, falls = falls && now <= before;
    }
    if (!rises) sort_one(time, o->row + from, to - from, scratch);
    o->ascending = o->ascending && rises, o->descending = o->descending && falls;
    for (int64_t i = from + 1; i < to; i++)
        if (time[o->row[i]] == time[o->row[i - 1]] && o->repeats++ == 0) o->repeated = i;
}

bool series_group(const int32_t *of, int64_t rows, int64_t series, series_order *out) {
    *out       = (series_order){ .series = series, .ascending = true, .descending = true };
    out->row   = malloc((size_t)rows * sizeof *out->row + 1);
    out->start = calloc((size_t)series + 2, sizeof *out->start);
    if (!out->row || !out->start) return false;
    count_into_place(of, rows, series, out);
    return true;
}

bool series_sort(const int64_t *time, const int32_t *of, int64_t rows, int64_t series, series_order *out) {
    timed_row *scratch = malloc((size_t)rows * sizeof *scratch + 1);
    bool       fine    = series_group(of, rows, series, out) && scratch;
    for (int64_t s = 0; fine && s < series; s++) order_one(time, out->start[s], out->start[s + 1], scratch, out);
    free(scratch);
    return fine;
}

void series_order_free(series_order *o) {
    free(o->row);
    free(o->start);
}
