/* Reading model.safetensors: a file from outside, nothing in it is taken on trust. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bands_file.h"
#include "base/base.h"
#include "bundle.h"
#include "forecast/data/calendar.h"
#include "forecast/data/reading_options.h"
#include "forecast/data/zoned.h"
#include "forecast/models/ensemble.h"
#include "forecast/options/quantiles.h"

/* One file being read. Every function below returns false where the failure is set. */
typedef struct reader {
    const char         *path;
    const tide_archive *archive;
    bundle             *out;
    tide_failure       *failure;
    tide_status         status;
} reader;

#define damaged(r, ...) ((r)->status = bundle_damaged((r)->path, __VA_ARGS__), (r)->status == TIDE_OK)
#define refuse(r, where, ...) damaged(r, where, (r)->failure, __VA_ARGS__)

static bool no_memory(reader *r) {
    r->status = fail(r->failure, TIDE_ENOMEM, "out of memory for the run's model file");
    return false;
}

/* ---- members ---- */

static const char *place_of(const char *group, const char *key, char buffer[64]) {
    snprintf(buffer, 64, "%s%s%s", group, *group ? "." : "", key);
    return buffer;
}

static bool read_whole(reader *r, const json_t *o, const char *group, const char *key, double low, double high,
                       int64_t *out) {
    char          where[64];
    const json_t *v = json_object_get(o, key);
    place_of(group, key, where);
    if (!json_is_integer(v)) return refuse(r, where, "is no whole number");
    *out = json_integer_value(v);
    if ((double)*out < low || (double)*out > high)
        return refuse(r, where, "is %" PRId64 ", and %.0f to %.0f can be", *out, low, high);
    return true;
}

static bool read_flag(reader *r, const json_t *o, const char *group, const char *key, bool *out) {
    char          where[64];
    const json_t *v = json_object_get(o, key);
    *out = json_is_true(v);
    return json_is_boolean(v) || refuse(r, place_of(group, key, where), "is neither true nor false");
}

static bool read_word(reader *r, const json_t *o, const char *group, const char *key, size_t most, const char **out) {
    char where[64];
    *out = json_string_value(json_object_get(o, key));
    if (!*out) return refuse(r, place_of(group, key, where), "is no text");
    return strlen(*out) <= most || refuse(r, place_of(group, key, where), "is longer than %zu bytes", most);
}

/* ---- the network ---- */

enum { LARGEST_COUNT = 1000000000 };

/* By the limits of the command line; what it has no option for is held against the rest further down. */
static bool read_sizes(reader *r, const json_t *o) {
    for (int i = 0; i < MODEL_SIZES; i++) {
        const model_size  *s      = &model_sizes[i];
        const tide_option *option = s->option ? forecast_option_find(s->option) : NULL;
        int64_t           *to     = (int64_t *)((char *)&r->out->config + s->offset);
        double             low    = option ? option->low : 0, high = option ? option->high : LARGEST_COUNT;
        if (!read_whole(r, o, "model", s->key, low, high, to)) return false;
    }
    return true;
}

static bool sizes_agree(reader *r) {
    const model_config *c = &r->out->config;
    if (c->columns < 1) return refuse(r, "model.columns", "is 0");
    if (c->n_heads * c->head_size != c->d_model) return refuse(r, "model.head_size", "times n_heads is not d_model");
    if (c->out_count < 1 || c->out_first + c->out_count > c->columns)
        return refuse(r, "model.out_count", "is more than there are columns");
    return true;
}

/* Absent: the iTransformer. */
static bool read_arch(reader *r, const json_t *v) {
    int arch = v ? architecture_named(json_string_value(v)) : FORECAST_ITRANSFORMER;
    if (arch < 0) return refuse(r, "model.arch", "is no network that this program knows");
    r->out->config.arch = arch;
    return true;
}

/* Of an ensemble: networks in their order, each once. */
static bool read_members(reader *r, const json_t *a) {
    model_config *c = &r->out->config;
    if (c->arch != FORECAST_ARCH_AUTO) return true;
    for (size_t i = 0; i < json_array_size(a); i++) {
        int arch = architecture_named(json_string_value(json_array_get(a, i)));
        if (arch < 0 || arch >= ENSEMBLE_MEMBERS || c->members >> arch)
            return refuse(r, "model.members", "is no list of networks in their order");
        c->members |= 1U << arch;
    }
    return c->members || refuse(r, "model.members", "names no network");
}

/* Of what repeats the last one. */
static bool read_season(reader *r, const json_t *o) {
    model_config *c = &r->out->config;
    bool needed = c->arch == FORECAST_ARCH_SEASONAL_NAIVE || c->members >> FORECAST_ARCH_SEASONAL_NAIVE & 1;
    return !needed || read_whole(r, o, "model", "season", 1, (double)c->seq_len, &c->season);
}

/* Absent: points. */
static bool read_head(reader *r, const json_t *o) {
    model_config *c    = &r->out->config;
    const json_t *head = json_object_get(o, "head"), *list = json_object_get(o, "quantiles");
    const char   *word = json_string_value(head);
    if (!head) return true;
    while (c->head < HEAD_KINDS && (!word || strcmp(word, head_words[c->head]) != 0)) c->head++;
    if (c->head == HEAD_KINDS || !c->head) return refuse(r, "model.head", "is no head that this program knows");
    if (!forecaster_takes_heads(c->arch)) return refuse(r, "model.head", "is none that its network can have");
    if (c->head != FORECAST_HEAD_QUANTILE) return true;
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < FORECAST_MAX_QUANTILES; i++)
        c->quantile[i] = json_number_value(json_array_get(list, i));
    if (count > FORECAST_MAX_QUANTILES || !quantiles_sound(c->quantile, (int64_t)count))
        return refuse(r, "model.quantiles", "are none that `quantiles` takes");
    c->quantile_count = (int64_t)count;
    return true;
}

static bool read_config(reader *r, const json_t *o) {
    model_config      *c       = &r->out->config;
    const tide_option *dropout = forecast_option_find("dropout");
    const json_t      *share   = json_object_get(o, "dropout");
    const char        *activation;
    c->dropout = json_number_value(share);
    if (!json_is_object(o)) return refuse(r, "model", "is missing");
    if (!read_sizes(r, o) || !sizes_agree(r) || !read_flag(r, o, "model", "use_norm", &c->use_norm)) return false;
    if (!json_is_number(share) || !(c->dropout >= dropout->low && c->dropout <= dropout->high))
        return refuse(r, "model.dropout", "is no number from %g to %g", dropout->low, dropout->high);
    if (!read_word(r, o, "model", "activation", 8, &activation)) return false;
    c->relu = !strcmp(activation, "relu");
    if (!read_arch(r, json_object_get(o, "arch")) || !read_head(r, o)) return false;
    if (!read_members(r, json_object_get(o, "members")) || !read_season(r, o)) return false;
    if (json_object_get(o, "known") && !read_whole(r, o, "model", "known", 0, LARGEST_COUNT, &c->known)) return false;
    if (json_object_get(o, "statics") && !read_whole(r, o, "model", "statics", 1, LARGEST_COUNT, &c->statics))
        return false;
    if (c->out_first + c->out_count > c->columns - c->known)
        return refuse(r, "model.known", "leaves no columns to forecast");
    if (json_object_get(o, "masked") && !read_flag(r, o, "model", "masked", &c->masked)) return false;
    return c->relu || !strcmp(activation, "gelu") || refuse(r, "model.activation", "is neither gelu nor relu");
}

/* ---- columns ---- */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool names_unique(reader *r) {
    int64_t count  = r->out->config.columns;
    char  **sorted = malloc((size_t)count * sizeof *sorted + 1);
    bool    fine   = true;
    if (!sorted) return no_memory(r);
    memcpy(sorted, r->out->names, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_text);
    for (int64_t i = 1; fine && i < count; i++)
        if (!strcmp(sorted[i - 1], sorted[i])) fine = refuse(r, "columns", "names '%.60s' twice", sorted[i]);
    free(sorted);
    return fine;
}

static bool is_list(reader *r, const json_t *a, const char *where) {
    int64_t columns = r->out->config.columns;
    if (json_is_array(a) && (int64_t)json_array_size(a) == columns) return true;
    return refuse(r, where, "is no list of %" PRId64 " columns", columns);
}

static bool read_names(reader *r, const json_t *a) {
    bundle *b = r->out;
    if (!is_list(r, a, "columns")) return false;
    b->names = calloc((size_t)b->config.columns + 1, sizeof *b->names);
    if (!b->names) return no_memory(r);
    for (int64_t i = 0; i < b->config.columns; i++) {
        const char *name = json_string_value(json_array_get(a, (size_t)i));
        if (!name || !*name) return refuse(r, "columns", "has no name for column %" PRId64, i + 1);
        if (!(b->names[i] = strdup(name))) return no_memory(r);
    }
    return names_unique(r);
}

/* Models of the first versions have none: their columns stand as they are listed. */
static bool read_places(reader *r, const json_t *a) {
    bundle *b = r->out;
    if (a && !is_list(r, a, "places")) return false;
    b->place = malloc((size_t)b->config.columns * sizeof *b->place + 1);
    if (!b->place) return no_memory(r);
    for (int64_t i = 0; i < b->config.columns; i++) {
        const json_t *v = a ? json_array_get(a, (size_t)i) : NULL;
        b->place[i]     = a ? json_integer_value(v) : i;
        if (a && (!json_is_integer(v) || b->place[i] < 0 || b->place[i] > LARGEST_COUNT))
            return refuse(r, "places", "holds no place for column %" PRId64, i + 1);
    }
    return true;
}

/* Means and deviations: finite, the latter above 0. */
static bool read_reals(reader *r, const json_t *a, const char *where, bool positive, double **out) {
    int64_t count = r->out->config.columns;
    if (!is_list(r, a, where)) return false;
    if (!(*out = malloc((size_t)count * sizeof **out + 1))) return no_memory(r);
    for (int64_t i = 0; i < count; i++) {
        const json_t *v = json_array_get(a, (size_t)i);
        (*out)[i]       = json_number_value(v);
        if (!json_is_number(v) || !isfinite((*out)[i]) || (positive && !((*out)[i] > 0)))
            return refuse(r, where, "of column %" PRId64 " is no %snumber", i + 1, positive ? "positive " : "");
    }
    return true;
}

/* ---- time ---- */

/* Sept is written for September alone, which the sample is not. */
static bool same_label(const time_format *f, const time_format *again) {
    return again->month_name == (f->month_name == 's' ? 'b' : f->month_name) && again->letters == f->letters &&
           again->short_year == f->short_year && again->comma == f->comma;
}

/* Only what parsing makes: a stamp written so must be read back as written so. One unpadded stamp among others makes
 * all unpadded, hence the two that are not compared. */
static bool format_readable(const time_format *f) {
    static const int64_t sample = 981173106; /* 2001-02-03 04:05:06 */
    char        text[40];
    int64_t     seconds;
    time_format again;
    time_print(text, sample, f);
    bool read = f->kind == 'd' ? time_parse_as(text, (date_shape)f->shape, &seconds, &again)
                               : time_parse(text, &seconds, &again);
    return f->fraction >= 0 && f->fraction <= 9 && read && again.kind == f->kind && again.shape == f->shape &&
           again.separator == f->separator && again.middle == f->middle && again.seconds == f->seconds &&
           again.fraction == f->fraction && again.half == f->half && !strcmp(again.offset, f->offset) &&
           same_label(f, &again);
}

static bool read_character(reader *r, const json_t *o, const char *key, char *out) {
    int64_t value;
    if (!read_whole(r, o, "time", key, 0, 126, &value)) return false;
    *out = (char)value;
    return true;
}

/* What runs of 0.1.0 do not say: dates are year, month, day, and clocks have colons. */
static bool read_shape(reader *r, const json_t *o, time_format *f) {
    int64_t shape = DATE_YMD;
    if (!json_object_get(o, "shape")) return true;
    if (!read_whole(r, o, "time", "shape", 0, DATE_SHAPES - 1, &shape)) return false;
    f->shape = (char)shape;
    return read_character(r, o, "colon", &f->colon) && read_character(r, o, "half", &f->half);
}

/* How a label is written; absent where it is not. */
static bool read_label(reader *r, const json_t *o, time_format *f) {
    const json_t *year = json_object_get(o, "short_year"), *comma = json_object_get(o, "comma");
    f->short_year = json_is_true(year), f->comma = json_is_true(comma);
    return (!json_object_get(o, "month_name") || read_character(r, o, "month_name", &f->month_name)) &&
           (!json_object_get(o, "letters") || read_character(r, o, "letters", &f->letters));
}

static bool read_format(reader *r, const json_t *o) {
    time_format *f = &r->out->format;
    const char  *offset;
    if (!read_shape(r, o, f) || !read_label(r, o, f)) return false;
    if (!read_character(r, o, "kind", &f->kind) || !read_character(r, o, "separator", &f->separator) ||
        !read_character(r, o, "middle", &f->middle) || !read_character(r, o, "fraction", &f->fraction) ||
        !read_flag(r, o, "time", "padded", &f->padded) || !read_flag(r, o, "time", "hour_padded", &f->hour_padded) ||
        !read_flag(r, o, "time", "seconds", &f->seconds) ||
        !read_word(r, o, "time", "offset", sizeof f->offset - 1, &offset))
        return false;
    memcpy(f->offset, offset, strlen(offset) + 1);
    return !r->out->time_name || format_readable(f) || refuse(r, "time", "describes stamps that no file has");
}

/* Offsets that the stamps have themselves: [[instant, offset], ...]. */
static bool read_offsets(reader *r, const json_t *a) {
    size_t count = json_array_size(a);
    if (!a) return true;
    if (!count || count > (size_t)r->out->config.seq_len) return refuse(r, "time.offsets", "is no list of offsets");
    if (!(r->out->zone = zone_new((int64_t)count))) return no_memory(r);
    int64_t before = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(a, i), *at = json_array_get(one, 0), *offset = json_array_get(one, 1);
        int64_t from = json_integer_value(at), seconds = json_integer_value(offset);
        if (!json_is_integer(at) || !json_is_integer(offset) || !time_writable(from) || from < before ||
            seconds < -ZONE_FARTHEST || seconds > ZONE_FARTHEST)
            return refuse(r, "time.offsets", "holds no offset at %zu", i + 1);
        zone_add(r->out->zone, from, seconds);
        before = from;
    }
    return true;
}

/* The zone that the data were read in, of this machine's database. */
static bool read_zone(reader *r, const json_t *name) {
    tide_failure why = { 0 };
    if (!json_string_value(name) || !r->out->time_name) return true;
    zone_free(r->out->zone);
    r->out->zone = NULL;
    tide_status status = zone_open(json_string_value(name), &r->out->zone, &why);
    if (status == TIDE_OK) return true;
    if (status == TIDE_ENOMEM) return no_memory(r);
    r->status = fail_at(r->failure, status == TIDE_EINVAL ? TIDE_EDATA : status, r->path, 0, "tz",
                        "the stamps of the run are in a time zone: %s", why.message);
    return false;
}

static bool read_step(reader *r, const json_t *o, const char *key, time_step *out) {
    char        where[64];
    const char *text;
    if (!read_word(r, o, "time", key, STEP_TEXT - 1, &text)) return false;
    return !*text || step_parse(text, out) || refuse(r, place_of("time", key, where), "is no step such as h or 15min");
}

/* The day of the month that the stamps keep: the 30th, after a February. Runs of 0.1.0 do not tell. */
static bool read_step_day(reader *r, const json_t *o) {
    int64_t day = 0;
    bool    read = !json_object_get(o, "step_day") || read_whole(r, o, "time", "step_day", 1, 31, &day);
    if (day) r->out->step.day = (int32_t)day;
    return read;
}

static bool add_time_column(reader *r, const char *name, int64_t place, time_part part) {
    time_columns *t = &r->out->time_columns;
    t->of[t->count].place = place, t->of[t->count].part = part;
    t->of[t->count].name  = strdup(name);
    if (!t->of[t->count].name) return no_memory(r);
    t->count++;
    return true;
}

/* The columns that make up a stamp: [[name, place, part], ...]. Runs of 0.1.0 have one, the time column. */
static bool read_time_columns(reader *r, const json_t *a) {
    const bundle *b = r->out;
    if (!a) return !b->time_name || add_time_column(r, b->time_name, b->time_place, PART_STAMP);
    if (!json_is_array(a) || json_array_size(a) > TIME_COLUMNS || (json_array_size(a) > 0) != (b->time_name != NULL))
        return refuse(r, "time.in_columns", "is no list of up to %d columns", (int)TIME_COLUMNS);
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *one = json_array_get(a, i), *place = json_array_get(one, 1), *part = json_array_get(one, 2);
        const char   *name = json_string_value(json_array_get(one, 0));
        json_int_t    where = json_integer_value(place), what = json_integer_value(part);
        if (!name || !json_is_integer(place) || !json_is_integer(part) || where < 0 || where > LARGEST_COUNT ||
            what < 0 || what > PART_SECOND)
            return refuse(r, "time.in_columns", "does not say what column %zu holds", i + 1);
        if (!add_time_column(r, name, where, (time_part)what)) return false;
    }
    return true;
}

static bool read_time(reader *r, const json_t *o) {
    bundle       *b    = r->out;
    const json_t *name = json_object_get(o, "column");
    if (!json_is_object(o)) return refuse(r, "time", "is missing");
    if (!read_step(r, o, "step", &b->step) || !read_step_day(r, o) || !read_step(r, o, "marks", &b->mark_step) ||
        !read_whole(r, o, "time", "place", 0, LARGEST_COUNT, &b->time_place))
        return false;
    if (json_is_string(name) && !(b->time_name = strdup(json_string_value(name)))) return no_memory(r);
    if (!b->time_name && !json_is_null(name)) return refuse(r, "time.column", "is no name");
    if (b->config.marks != marks_count(b->mark_step))
        return refuse(r, "model.marks", "is %" PRId64 ", and its time features are %d", b->config.marks,
                      (int)marks_count(b->mark_step));
    if (b->config.marks && !b->time_name) return refuse(r, "model.marks", "needs time stamps, and there are none");
    return read_format(r, o) && read_offsets(r, json_object_get(o, "offsets")) &&
           read_time_columns(r, json_object_get(o, "in_columns"));
}

/* ---- the last rows ---- */

/* The archive's tensor, of this type and shape, copied; NULL with the failure set. */
static void *copy_tensor(reader *r, const char *name, tide_dtype type, tide_shape shape) {
    const tide_tensor *t     = tide_archive_find(r->archive, name);
    size_t             bytes = t ? (size_t)tide_shape_count(t->shape) * tide_dtype_size(t->type) : 0;
    bool               fine  = t && t->type == type && tide_shape_equal(t->shape, shape);
    void              *copy  = fine ? malloc(bytes + 1) : NULL;
    if (!fine) r->status = bundle_damaged(r->path, name, r->failure, "is missing or of another size");
    else if (!copy) no_memory(r);
    else memcpy(copy, t->data, bytes);
    return copy;
}

/* Stamps in order, and all that a forecast prints in the years that a stamp can be written in. */
static bool stamps_fine(reader *r) {
    const bundle *b    = r->out;
    int64_t       rows = b->config.seq_len;
    for (int64_t i = 0; i < rows; i++) {
        if (!time_writable(b->tail_time[i])) return refuse(r, "tail.time", "holds a stamp outside the years 0 to 9999");
        if (i && b->tail_time[i] < b->tail_time[i - 1])
            return refuse(r, "tail.time", "runs backwards at row %" PRId64, i + 1);
    }
    int64_t last = zoned_advance(b->zone, b->tail_time[rows - 1], b->step, b->config.pred_len);
    return time_writable(last) || refuse(r, "tail.time", "leads to a forecast beyond the year 9999");
}

/* Of the rows to come; it may be absent. */
static bool read_ahead(reader *r) {
    bundle             *b = r->out;
    const model_config *c = &b->config;
    if (!c->known || !tide_archive_find(r->archive, "known.values")) return true;
    b->ahead = copy_tensor(r, "known.values", TIDE_F64, TIDE_SHAPE(c->pred_len, c->known));
    for (int64_t i = 0; b->ahead && i < c->pred_len * c->known; i++)
        if (isinf(b->ahead[i])) return refuse(r, "known.values", "holds an infinity");
    return b->ahead != NULL;
}

static bool read_tail(reader *r) {
    bundle             *b = r->out;
    const model_config *c = &b->config;
    if (!(b->tail = copy_tensor(r, "tail.values", TIDE_F64, TIDE_SHAPE(c->seq_len, c->columns)))) return false;
    for (int64_t i = 0; i < c->seq_len * c->columns; i++)
        if (!isfinite(b->tail[i]) && !(c->masked && isnan(b->tail[i])))
            return refuse(r, "tail.values", "holds a value that is not finite");
    if (!read_ahead(r)) return false;
    if (!b->time_name) return true;
    return (b->tail_time = copy_tensor(r, "tail.time", TIDE_I64, TIDE_SHAPE(c->seq_len))) && stamps_fine(r);
}

/* ---- the whole ---- */

static bool read_training(reader *r, const json_t *o) {
    bool out_of_memory = false;
    if (record_read(o, r->archive, &r->out->config, &r->out->record, &out_of_memory)) return true;
    return out_of_memory ? no_memory(r) : refuse(r, "training", "holds scores or a baseline that cannot be");
}

static bool read_bands(reader *r) {
    bool out_of_memory = false;
    if (bands_read(r->archive, &r->out->config, &r->out->bands, &out_of_memory)) return true;
    return out_of_memory ? no_memory(r) : refuse(r, "bands", "hold quantiles that cannot be");
}

/* Options that reading the data needs, by the rules of the command line. */
static bool read_reading(reader *r, const json_t *o) {
    bool out_of_memory = false;
    if (reading_options_sound(o, &out_of_memory)) return r->out->reading = json_incref((json_t *)o), true;
    return out_of_memory ? no_memory(r) : refuse(r, "reading", "holds an option that cannot be");
}

static bool read_blind(reader *r, const json_t *a) {
    bundle *b = r->out;
    if (!a) return true;
    if (!json_is_array(a) || !b->config.masked) return refuse(r, "without_history", "is no list of columns");
    if (!(b->blind = calloc((size_t)b->config.columns, sizeof *b->blind))) return no_memory(r);
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *v = json_array_get(a, i);
        json_int_t    at = json_integer_value(v);
        if (!json_is_integer(v) || at < 0 || at >= b->config.columns)
            return refuse(r, "without_history", "holds no column at place %zu", i + 1);
        b->blind[at] = 1;
    }
    return true;
}

static bool read_form(reader *r, const json_t *o) {
    bool out_of_memory = false;
    if (!o || bundle_form_read(o, r->out->config.columns, &r->out->form, &out_of_memory)) return true;
    return out_of_memory ? no_memory(r) : refuse(r, "long", "names columns that cannot be");
}

/* Attributes of the columns. */
static bool read_statics(reader *r, const json_t *list) {
    bundle             *b = r->out;
    const model_config *c = &b->config;
    statics            *s = &b->statics;
    bool                out_of_memory = false;
    if (!list && !c->statics) return true;
    if (!statics_from_json(list, s, &out_of_memory))
        return out_of_memory ? no_memory(r) : refuse(r, "static", "is no list of attributes");
    if (s->inputs != c->statics) return refuse(r, "static", "has other attributes than the network");
    if (!(s->values = copy_tensor(r, "static.values", TIDE_F32, TIDE_SHAPE(c->columns, s->inputs)))) return false;
    s->columns = c->columns;
    for (int64_t i = 0; i < s->columns * s->inputs; i++)
        if (!isfinite(s->values[i])) return refuse(r, "static.values", "holds a value that is not finite");
    return true;
}

/* The last of the columns that are known ahead. */
static bool read_holidays(reader *r, const json_t *o) {
    bundle *b = r->out;
    bool    out_of_memory = false;
    const char *issued = "issued_columns"; /* they stand before the holidays */
    if (json_object_get(o, issued) && !read_whole(r, o, "", issued, 1, (double)b->config.known, &b->issued_columns))
        return false;
    if (b->issued_columns && !b->time_name) return refuse(r, issued, "needs time stamps, and there are none");
    if (!json_object_get(o, "holidays")) return true;
    if (!b->time_name) return refuse(r, "holidays", "needs time stamps, and there are none");
    if (!read_whole(r, o, "", "holiday_columns", 1, (double)(b->config.known - b->issued_columns),
                    &b->holiday_columns)) return false;
    if (holidays_from_json(json_object_get(o, "holidays"), &b->holidays, &out_of_memory)) return true;
    return out_of_memory ? no_memory(r) : refuse(r, "holidays", "is no list of days in their order, with names");
}

/* The weights come first: every size that memory is taken for afterwards is then one that the file has filled. */
static bool read_parts(reader *r, const json_t *o) {
    bundle *b = r->out;
    int64_t kind, features;
    if (!read_config(r, json_object_get(o, "model"))) return false;
    r->status = bundle_check_weights(r->path, r->archive, &b->config, r->failure);
    if (r->status != TIDE_OK) return false;
    bool fine = read_names(r, json_object_get(o, "columns")) && read_places(r, json_object_get(o, "places")) &&
                read_reals(r, json_object_get(o, "mean"), "mean", false, &b->scaler.mean) &&
                read_reals(r, json_object_get(o, "std"), "std", true, &b->scaler.std) &&
                read_time(r, json_object_get(o, "time")) && read_reading(r, json_object_get(o, "reading")) &&
                read_zone(r, json_object_get(b->reading, "tz")) && read_tail(r) &&
                read_form(r, json_object_get(o, "long")) && read_blind(r, json_object_get(o, "without_history")) &&
                read_statics(r, json_object_get(o, "static")) && read_holidays(r, o) &&
                read_training(r, json_object_get(o, "training")) && read_bands(r) &&
                read_whole(r, o, "", "kind", 0, FORECAST_PEMS, &kind) &&
                read_whole(r, o, "", "features", 0, FORECAST_MS, &features) &&
                read_whole(r, o, "", "target", 0, (double)b->config.columns - 1, &b->target);
    if (fine) b->kind = (int)kind, b->features = (int)features, b->scaler.columns = b->config.columns;
    return fine;
}

static tide_status read_archive(const char *path, const tide_archive *a, bundle *out, tide_failure *failure) {
    reader      r       = { .path = path, .archive = a, .out = out, .failure = failure };
    const char *text    = tide_archive_metadata(a, "tidemill.forecast");
    json_t     *o       = text ? json_loads(text, 0, NULL) : NULL;
    int64_t     version = json_integer_value(json_object_get(o, "format_version"));
    if (!json_is_object(o))
        r.status = fail_at(failure, TIDE_EDATA, path, 0, NULL,
                           "this is no model of `tidemill forecast train`: it has no tidemill.forecast metadata");
    else if (version > BUNDLE_VERSION)
        r.status = fail_at(failure, TIDE_EDATA, path, 0, NULL,
                           "format version %" PRId64 " is newer than this program reads (%d): update tidemill", version,
                           BUNDLE_VERSION);
    else read_parts(&r, o);
    json_decref(o);
    return r.status;
}

tide_status bundle_take(const char *path, const tide_archive *a, bundle *out, tide_failure *failure) {
    *out = (bundle){ 0 };
    tide_status status = read_archive(path, a, out, failure);
    if (status != TIDE_OK) bundle_free(out);
    return status;
}

tide_status bundle_read(const char *path, bundle *out, tide_failure *failure) {
    tide_archive a      = { 0 };
    *out                = (bundle){ 0 };
    tide_status  status = tide_safetensors_read(path, &a, failure);
    if (status == TIDE_OK) status = bundle_take(path, &a, out, failure);
    tide_archive_free(&a);
    return status;
}
