/* Which columns tell the series of a table in long format apart: those that `id` names, else the ones that do so
 * unmistakably. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_long.h"

enum { MOST_IDS = 12, ROWS_A_SERIES = 3, MISTAKES = 20 };

bool key_has(const series_key *key, int64_t column) {
    for (int i = 0; i < key->count; i++)
        if (key->column[i] == column) return true;
    return false;
}

/* ---- as given ---- */

static int64_t find_column(const reading *r, const char *name, size_t length) {
    for (int64_t c = 0; c < r->table.columns; c++)
        if (strlen(r->table.header[c]) == length && !memcmp(r->table.header[c], name, length)) return c;
    return -1;
}

/* A run may be asked about a table that has a column for each of its series, whichever form it was trained on. */
static bool has_run_columns(const reading *r) {
    const frame_options *o = r->options;
    return o->run_names && o->run_count && find_column(r, o->run_names[0], strlen(o->run_names[0])) >= 0;
}

static tide_status fail_given(reading *r, const char *name, size_t length, const char *what) {
    return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), "id", "`id`: '%.*s' %s",
                         (int)(length < 100 ? length : 100), name, what);
}

static tide_status take_given(reading *r, series_key *key) {
    size_t      length;
    const char *list = r->options->id;
    for (const char *item; (item = list_next(&list, &length));) {
        char    name[256];
        int64_t column = find_column(r, item, length);
        snprintf(name, sizeof name, "%.*s", (int)length, item);
        if (column < 0 && has_run_columns(r)) return key->count = 0, TIDE_OK;
        if (column < 0 && reading_find(r, "`id`", name) < 0) return r->failure ? r->failure->status : TIDE_EDATA;
        if (reading_is_time(r, column)) return fail_given(r, item, length, "holds the time stamps");
        if (key_has(key, column)) return fail_given(r, item, length, "stands twice");
        if (key->count == MOST_KEYS) return fail_given(r, item, length, "is one column too many: four are the most");
        key->column[key->count++] = column;
    }
    if (key->count && !r->time.count)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), NULL,
                             "long format needs time stamps, and no column holds any: `time-column` names one");
    return TIDE_OK;
}

/* ---- found ---- */

/* What a column may be taken for: by a name that nothing else has, or that ids often have; as text; as numbers, which
 * may seem to tell series apart by chance. */
typedef enum key_rank { RANK_SURE, RANK_NAMED, RANK_TEXT, RANK_NUMBERS } key_rank;
typedef struct candidate { int64_t column, count; int32_t *of; key_rank rank; } candidate;
typedef struct found_key { series_key key; key_rank rank; int64_t series, repeats; } found_key;

static bool among(const char *name, const char *const *names) {
    for (; *names; names++)
        if (!strcasecmp(name, *names)) return true;
    return false;
}

/* RANK_TEXT: the name says nothing. */
static key_rank rank_of_name(const char *name) {
    static const char *const sure[] = { "unique_id", "item_id", "series_id", "ts_id", "timeseries_id", "time_series_id",
                                        "series_name", NULL };
    static const char *const usual[] = { "id",       "series",    "store",     "store_id",   "store_nbr", "shop",
                                         "shop_id",  "item",      "product",   "product_id", "sku",       "sensor",
                                         "sensor_id", "station",  "station_id", "meter",     "meter_id",  "device",
                                         "device_id", "customer", "customer_id", "site",     "site_id",   "entity",
                                         "symbol",   "ticker",    "country",   "region",     NULL };
    return among(name, sure) ? RANK_SURE : among(name, usual) ? RANK_NAMED : RANK_TEXT;
}

bool key_is_sure(const char *name) { return rank_of_name(name) == RANK_SURE; }

static key_rank rank_of(const reading *r, int64_t column, const number_reader *number) {
    key_rank rank = rank_of_name(r->table.header[column]);
    for (int64_t i = 0; rank == RANK_TEXT && i < r->table.rows; i++) {
        double      value;
        const char *text = reading_text(r, i, column);
        if (!number_is_missing(text) && !number_parse(number, text, &value)) return RANK_TEXT;
    }
    return rank == RANK_TEXT ? RANK_NUMBERS : rank;
}

static void free_candidates(candidate *c, int64_t count) {
    for (int64_t i = 0; i < count; i++) free(c[i].of);
}

static bool can_be_key(const reading *r, int64_t column) {
    const char *name = r->table.header[column];
    return name[0] && !reading_is_time(r, column) && !list_has(r->options->ignore, name) &&
           !list_has(r->options->value, name) && !list_has(r->options->static_columns, name) &&
           strcasecmp(name, "y") != 0 && strcasecmp(name, "value") != 0;
}

/* The columns with few enough different cells, those of numbers if they are wanted; how many, or -1: out of memory. */
static int64_t find_candidates(const reading *r, bool numbers, candidate out[MOST_IDS]) {
    int64_t rows = r->table.rows, found = 0;
    number_reader number;
    if (!number_reader_open(&number, reading_decimal(r->options))) return -1;
    for (int64_t c = 0; c < r->table.columns && found < MOST_IDS; c++) {
        if (!can_be_key(r, c)) continue;
        int32_t *of    = malloc((size_t)rows * sizeof *of + 1);
        int64_t  count = of ? series_number(r, c, rows / ROWS_A_SERIES, of) : -1;
        bool     few   = count >= 0 && count <= rows / ROWS_A_SERIES;
        key_rank rank  = few ? rank_of(r, c, &number) : RANK_NUMBERS;
        if (few && (numbers || rank < RANK_NUMBERS)) out[found++] = (candidate){ c, count, of, rank };
        else free(of);
        if (count >= 0) continue;
        free_candidates(out, found);
        found = -1;
        break;
    }
    number_reader_close(&number);
    return found;
}

/* Repeated stamps leave doubt: then the rows are refused, and by both. Numbers must be in order besides. */
static bool tells_apart(const found_key *k, const series_order *o, int64_t rows) {
    if (k->rank == RANK_SURE) return true;
    if (k->series < 2 || k->repeats > rows / MISTAKES) return false;
    return k->rank < RANK_NUMBERS || (!k->repeats && (o->ascending || o->descending));
}

static bool better(const found_key *a, const found_key *b) {
    if (!b->key.count || !a->repeats != !b->repeats) return !b->key.count || !a->repeats;
    if (a->rank != b->rank) return a->rank < b->rank;
    return a->series != b->series ? a->series < b->series : a->key.count < b->key.count;
}

static bool try_key(const reading *r, const int32_t *of, found_key k, found_key *best) {
    series_order o;
    bool         sorted = series_sort(r->out->time, of, r->table.rows, k.series, &o);
    k.repeats           = o.repeats;
    if (sorted && tells_apart(&k, &o, r->table.rows) && better(&k, best)) *best = k;
    series_order_free(&o);
    return sorted;
}

static bool try_pair(const reading *r, const candidate *a, const candidate *b, int32_t *of, found_key *best) {
    int64_t most = r->table.rows / ROWS_A_SERIES, series = series_combine(a->of, b->of, r->table.rows, most, of);
    if (series < 0 || series > most) return series >= 0;
    key_rank rank = a->rank > b->rank ? a->rank : b->rank;
    return try_key(r, of, (found_key){ { { a->column, b->column }, 2 }, rank, series, 0 }, best);
}

/* One column, or two where none does alone: of those that tell series apart the ones that tell the fewest. */
static bool search(const reading *r, const candidate *c, int64_t count, bool sure_only, found_key *best) {
    bool fine = true;
    for (int64_t i = 0; fine && i < count; i++)
        if (!sure_only || c[i].rank == RANK_SURE)
            fine = try_key(r, c[i].of, (found_key){ { { c[i].column }, 1 }, c[i].rank, c[i].count, 0 }, best);
    bool settled = best->key.count && !best->repeats && best->rank < RANK_NUMBERS;
    if (!fine || sure_only || settled) return fine;
    int32_t *of = malloc((size_t)r->table.rows * sizeof *of + 1);
    fine        = of != NULL;
    for (int64_t a = 0; fine && a < count; a++)
        for (int64_t b = a + 1; fine && b < count; b++) fine = try_pair(r, &c[a], &c[b], of, best);
    free(of);
    return fine;
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* What the stamps say: a quarter of the rows share theirs with others, which an hour that clocks show twice does not;
 * and whether they go back, or repeat so often that numbers may be ids. */
typedef struct sharing { bool shared, much; } sharing;

static tide_status look_at_stamps(reading *r, sharing *out) {
    const frame *f = r->out;
    int64_t rows = f->file_rows, distinct = 1, back = 0, repeated = 0;
    for (int64_t i = 1; i < rows; i++) back += f->time[i] < f->time[i - 1], repeated += f->time[i] == f->time[i - 1];
    *out = (sharing){ 0 };
    if (!back && !repeated) return TIDE_OK;
    int64_t *sorted = malloc((size_t)rows * sizeof *sorted);
    if (!sorted) return reading_no_memory(r);
    memcpy(sorted, f->time, (size_t)rows * sizeof *sorted);
    qsort(sorted, (size_t)rows, sizeof *sorted, by_number);
    for (int64_t i = 1; i < rows; i++) distinct += sorted[i] != sorted[i - 1];
    free(sorted);
    *out = (sharing){ distinct <= rows - rows / 4, back || repeated >= rows / ROWS_A_SERIES };
    return TIDE_OK;
}

/* Rows that repeat a date for each hour look the same. */
static bool names_clock(const char *name) {
    static const char *const names[] = { "hour", "hr",   "hh",     "h",        "he",     "hour_ending", "hourending",
                                         "hhmm", "time", "period", "interval", "stunde", "minute", NULL };
    return among(name, names) || strcasestr(name, "hour");
}

static tide_status fail_clock(reading *r, const char *name) {
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[0], name,
                         "'%.60s' goes on where '%.60s' leaves off: put both into one column, as 2016-07-01 05:00 "
                         "(hours from 0 to 23)", name, r->out->time_name);
}

/* unique_id and y: the names alone say it. */
static bool has_sure_names(const reading *r) {
    static const char *const values[] = { "y", "value", "values", NULL };
    bool id = false, value = r->options->value != NULL;
    for (int64_t c = 0; c < r->table.columns; c++) {
        id    = id || (!reading_is_time(r, c) && key_is_sure(r->table.header[c]));
        value = value || among(r->table.header[c], values);
    }
    return id && value;
}

/* Columns of the file that are asked for are no series of long format. */
static bool asks_for_columns(const reading *r) {
    size_t      length;
    const char *list = r->options->columns, *first = list ? list_next(&list, &length) : NULL;
    return first && find_column(r, first, length) >= 0;
}

static tide_status find_key(reading *r, series_key *key) {
    sharing     s;
    candidate   candidates[MOST_IDS];
    found_key   best   = { 0 };
    tide_status status = look_at_stamps(r, &s);
    if (status || (!s.shared && !has_sure_names(r))) return status;
    int64_t count = find_candidates(r, s.much, candidates);
    bool    fine  = count >= 0 && search(r, candidates, count, !s.shared, &best);
    if (count > 0) free_candidates(candidates, count);
    if (!fine) return reading_no_memory(r);
    *key = best.key;
    bool clock = key->count == 1 && names_clock(r->table.header[key->column[0]]);
    return clock ? fail_clock(r, r->table.header[key->column[0]]) : TIDE_OK;
}

tide_status reading_find_key(reading *r, series_key *key) {
    *key = (series_key){ .count = 0 };
    const char *id = r->options->id;
    if (id && !strcasecmp(id, "none") && find_column(r, id, strlen(id)) < 0) return TIDE_OK;
    if (id) return take_given(r, key);
    return r->time.count && !has_run_columns(r) && !asks_for_columns(r) ? find_key(r, key) : TIDE_OK;
}
