/* A series as its file has it: what was understood, and its numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "forecast.h"
#include "serve/fields/numbers.h"

typedef struct reading { forecast_options *o; problem p; const char *name, *upload; } reading;

static bool take_option(void *user, const char *name, const char *value) {
    reading *a = user;
    if (strcmp(name, "name") == 0) a->name = value;
    else if (strcmp(name, "upload") == 0) a->upload = value;
    else options_apply_text(&predict_door, name, value, "", a->o, &a->p);
    return true;
}

static void add_time(text *out, const int64_t *time, int64_t rows) {
    char stamp[32];
    if (!time || !rows) return;
    text_add(out, ",\"time\":[");
    for (int64_t i = 0; i < rows; i++) {
        request_time_print(stamp, time[i]);
        text_add(out, "%s\"%s\"", i ? "," : "", stamp);
    }
    text_add(out, "]");
}

static int64_t count_gaps(const tide_frame *f, int64_t column) {
    int64_t stride, gaps = 0;
    const double *v = tide_frame_values(f, column, &stride);
    for (int64_t i = 0; i < tide_frame_rows(f); i++) gaps += v[i * stride] != v[i * stride];
    return gaps;
}

static void add_word(text *out, const char *name, const char *value, const char *before) {
    text_add(out, "%s\"%s\":", before, name);
    reply_text(out, value);
}

/* As options that would say the same: who disagrees sends another. */
static void add_found(const forecast_found *f, text *out) {
    const struct { const char *name, *value; } words[] = {
        { "freq", f->step }, { "tz", f->tz }, { "time-column", f->time_column }, { "date-order", f->date_order },
        { "decimal", f->decimal }, { "thousands", f->thousands }, { "id", f->id }, { "value", f->value },
    };
    char        notes[sizeof f->notes], *rest = notes, *line;
    const char *before = "";
    text_add(out, ",\"found\":{");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!*words[i].value) continue;
        add_word(out, words[i].name, words[i].value, before);
        before = ",";
    }
    text_add(out, "},\"notes\":[");
    memcpy(notes, f->notes, sizeof notes);
    for (char *c = notes; *c; c++)
        if (*c == '`') *c = '"';
    for (before = ""; (line = strsep(&rest, "\n"));) {
        if (!*line) continue;
        text_add(out, "%s", before);
        reply_text(out, line);
        before = ",";
    }
    text_add(out, "]");
}

static void print_frame(const tide_frame *f, const forecast_found *found, text *out) {
    int64_t rows = tide_frame_rows(f), columns = tide_frame_columns(f);
    text_add(out, "{\"rows\":%lld,\"names\":[", (long long)rows);
    for (int64_t c = 0; c < columns; c++) {
        text_add(out, c ? "," : "");
        reply_text(out, tide_frame_name(f, c));
    }
    text_add(out, "],\"gaps\":{");
    for (int64_t c = 0; c < columns; c++) {
        text_add(out, c ? "," : "");
        reply_text(out, tide_frame_name(f, c));
        text_add(out, ":%lld", (long long)count_gaps(f, c));
    }
    text_add(out, "}");
    add_found(found, out);
    add_time(out, tide_frame_time(f), rows);
    text_add(out, ",\"columns\":{");
    for (int64_t c = 0; c < columns; c++) {
        int64_t stride;
        const double *v = tide_frame_values(f, c, &stride);
        text_add(out, c ? "," : "");
        reply_text(out, tide_frame_name(f, c));
        text_add(out, ":");
        numbers_print(out, v, rows, stride, 0);
    }
    text_add(out, "}}");
}

static bool read_file(reading *a, const char *path, text *out) {
    tide_failure   failure = { 0 };
    tide_frame    *frame   = NULL;
    forecast_found found;
    snprintf(a->o->data, sizeof a->o->data, "%s", path);
    if (forecast_read_found(a->o, &frame, &found, &failure) == TIDE_OK) {
        text_replace(found.notes, sizeof found.notes, path, a->name);
        print_frame(frame, &found, out);
    } else {
        text_replace(failure.message, sizeof failure.message, path, a->name);
        problem_of(&a->p, &failure, "");
    }
    tide_frame_free(frame);
    return !a->p.status;
}

static bool read_upload(serve *s, reading *a, text *out) {
    char path[FOLDER_PATH], name[STORE_NAME];
    if (!s->upload_path || !s->upload_path(s, a->upload, path, sizeof path, name, sizeof name))
        return problem_say(&a->p, 404, "upload", "There is no upload \"%.100s\".", a->upload);
    if (*name) a->name = name;
    return read_file(a, path, out);
}

static bool read_body(serve *s, reading *a, http_request *r, text *out) {
    size_t      length;
    const char *bytes = http_body(r, &length);
    body_file   file;
    if (a->upload && !length) return read_upload(s, a, out);
    if (a->upload) return problem_at(&a->p, "/upload", "either a body or an upload is wanted");
    if (!length) return problem_say(&a->p, 422, "data", "The body is empty.");
    if (!body_file_open(bytes, length, &file, &a->p)) return false;
    bool fine = read_file(a, file.path, out);
    body_file_close(&file);
    return fine;
}

typedef struct read_task { work_item item; http_request *r; reading a; } read_task;

static void answer(void *user, int thread, work_item *const *items, int count) {
    read_task *t   = (read_task *)items[0];
    text       out = { 0 };
    (void)thread, (void)count;
    if (read_body(user, &t->a, t->r, &out)) {
        if (out.failed) text_free(&out);
        reply_json(t->r, 200, out.failed ? NULL : out.data);
    } else {
        text_free(&out);
        reply_problem(t->r, &t->a.p);
    }
    forecast_options_free(t->a.o);
    free(t);
}

void route_forecast_read(void *user, http_request *r) {
    serve     *s = user;
    read_task *t = calloc(1, sizeof *t);
    if (t)
        *t = (read_task){ .item = { .answer = answer }, .r = r, .a = { forecast_options_new(), .name = "the series" } };
    if (!t || !t->a.o) {
        free(t);
        reply_busy(r, "There is no memory at the moment.");
        return;
    }
    t->a.o->threads = 1;
    http_queries(r, take_option, &t->a);
    if (!t->a.p.status && work_put(s->quick, &t->item)) return;
    problem_say(&t->a.p, 503, "busy", "As many requests wait as may; ask again in a moment.");
    reply_problem(r, &t->a.p);
    forecast_options_free(t->a.o);
    free(t);
}
