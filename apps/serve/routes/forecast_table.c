/* Long answers about a table: decoded first (by a worker, if it is large), answered by a worker of the refined, in time
 * or not at all. A file is read as the command reads it for that model; arrays need no reading. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "forecast.h"

enum { NOTE_TEXT = 2048 };

static void discard(table_task *t) {
    body_free(&t->body);
    body_file_close(&t->file);
    tide_frame_free(t->frame);
    forecast_options_free(t->o);
    model_drop(t->model);
    json_decref(t->notes);
    json_decref(t->json);
    free(t->text);
    free(t);
}

static void refuse(table_task *t) {
    reply_problem(t->r, &t->problem);
    discard(t);
}

/* Messages speak of models and files as clients do: where they lie is the service's own. */
static void rename_text(const table_task *t, char *message, size_t size) {
    if (*t->o->data) text_replace(message, size, t->o->data, t->name);
    if (*t->o->model) text_replace(message, size, t->o->model, t->model->id);
}

static void rename_all(const table_task *t, json_t *v) {
    enum { LONGER = 8192 };
    const char *key;
    json_t     *value;
    size_t      i;
    json_object_foreach(v, key, value) rename_all(t, value);
    json_array_foreach(v, i, value) rename_all(t, value);
    if (!json_is_string(v)) return;
    size_t size = json_string_length(v) + LONGER;
    char  *room = malloc(size);
    if (room) {
        snprintf(room, size, "%s", json_string_value(v));
        rename_text(t, room, size);
        json_string_set(v, room);
    }
    free(room);
}

/* Options in backticks are fields here: "season". */
void table_task_note(table_task *t, const char *about, const char *message) {
    char note[NOTE_TEXT];
    snprintf(note, sizeof note, "%s%s%s", about, *about ? ": " : "", message);
    for (char *c = note; *c; c++)
        if (*c == '`') *c = '"';
    json_t *line = json_text(note);
    if (line) json_array_append_new(t->notes, line);
}

int table_task_hear(void *task, const forecast_event *event) {
    table_task *t    = task;
    bool        note = event->stage == FORECAST_STAGE_NOTE || event->stage == FORECAST_STAGE_WARNING;
    if (note && !t->deaf) table_task_note(t, "", event->message);
    return http_cancelled(t->r) || os_seconds() > t->deadline;
}

/* ---- what is asked ---- */

static bool no_memory(table_task *t) {
    return problem_say(&t->problem, 503, "memory", "There is no memory at the moment.");
}

/* A query's names are fields, else options. */
static bool take_query(void *user, const char *name, const char *value) {
    table_task *t = user;
    if (strcmp(name, "name") == 0) snprintf(t->name, sizeof t->name, "%s", value);
    else if (strcmp(name, "model") == 0) t->in.model = value;
    else if (strcmp(name, "baselines") == 0 && t->kind->csv) t->in.baselines = strcmp(value, "false") != 0;
    else options_apply_text(t->kind->door, name, value, "", t->o, &t->problem);
    return true;
}

static bool decode_json(table_task *t) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    return has_no_query(t->r, &t->problem) && body_parse(bytes, length, &t->body, &t->problem) &&
           record_decode(&t->body, t->body.root, t->kind->in, "", &t->in, &t->problem);
}

static bool take_levels(table_task *t) {
    char         list[FORECAST_MAX_LEVELS * 32] = "";
    tide_failure failure = { 0 };
    for (int64_t i = 0; i < t->in.level.count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.10g", i ? "," : "", t->in.level.at[i]);
    if (!*list || forecast_option_set(t->o, "level", list, &failure) == TIDE_OK) return true;
    return problem_of(&t->problem, &failure, "");
}

static bool take_options(table_task *t) {
    if (t->in.options &&
        !options_apply(&t->body, t->kind->door, t->in.options, "/options", t->o, &t->problem))
        return false;
    if (t->o->paths)
        return problem_at(&t->problem, "/options/paths", "sample paths are a file: make it a job (POST /api/v1/jobs)");
    if (t->in.windows)
        return problem_at(&t->problem, "/windows", "several windows have no options and no baselines, and are no CSV");
    if (t->csv && t->in.baselines)
        return problem_at(&t->problem, "/baselines", "they are told in JSON: as CSV, ask with the option \"use\"");
    return take_levels(t);
}

static bool take_upload(table_task *t) {
    if (t->in.past || t->in.future)
        return problem_at(&t->problem, t->in.past ? "/past" : "/future",
                          "either arrays or an upload are wanted; its own last rows say what is known ahead");
    if (t->s->upload_path && t->s->upload_path(t->s, t->in.upload, t->o->data, sizeof t->o->data, t->name,
                                               sizeof t->name))
        return true;
    return problem_say(&t->problem, 404, "upload", "There is no upload \"%.100s\".", t->in.upload);
}

static bool take_model(table_task *t) {
    if (!t->in.model) return problem_at(&t->problem, "/model", "it is missing");
    t->model = models_take(t->s->models, t->in.model, MODEL_FORECAST, &t->problem);
    return t->model != NULL;
}

/* Of a file the model is opened anew by the command's own function, which reads the file as the run's was read. */
static bool take_table(table_task *t, bool json) {
    if (json && !t->in.upload && !t->in.past)
        return problem_at(&t->problem, "/past", "it is missing; an upload would do as well");
    if (json && !t->in.upload) return table_frame(t);
    if (json && !take_upload(t)) return false;
    if (models_path(t->s->models, t->in.model, t->o->model, sizeof t->o->model)) return true;
    return problem_say(&t->problem, 404, "model", "There is no model \"%.100s\".", t->in.model);
}

static bool take(table_task *t, bool decoded) {
    bool json = decoded || body_is_json(t->r);
    if (!json) http_queries(t->r, take_query, t);
    else if (!decoded && !decode_json(t)) return false;
    return !t->problem.status && take_model(t) && take_options(t) && take_table(t, json);
}

/* ---- answers ---- */

/* A body's file is opened by the worker: it has to be written first. */
static bool open_body(table_task *t) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    if (t->frame || *t->o->data) return true;
    if (!length) return problem_say(&t->problem, 422, "data", "The body is empty.");
    if (!body_file_open(bytes, length, &t->file, &t->problem)) return false;
    snprintf(t->o->data, sizeof t->o->data, "%s", t->file.path);
    return true;
}

static bool in_time(table_task *t) {
    if (http_cancelled(t->r)) return problem_say(&t->problem, 503, "cancelled", "The client has gone.");
    if (os_seconds() < t->deadline) return true;
    return problem_say(&t->problem, 503, "deadline",
                       "This takes longer than the %g s that an answer may take here: make it a job "
                       "(POST /api/v1/jobs).", t->s->options.deadline_s);
}

static bool work(table_task *t) {
    tide_failure failure = { 0 };
    if (!in_time(t) || !open_body(t)) return false;
    if (t->kind->answer(t, &failure) == TIDE_OK) return t->json || t->text || no_memory(t);
    if (failure.status == TIDE_ECANCELLED && !in_time(t)) return false;
    rename_text(t, failure.message, sizeof failure.message);
    bool option = failure.status == TIDE_EINVAL;
    return problem_of(&t->problem, &failure, !option ? t->frame ? "/past" : "" : t->in.options ? "/options" : "");
}

static void send_json(table_task *t) {
    rename_all(t, t->notes);
    rename_all(t, t->json);
    if (json_array_size(t->notes)) t->json = json_with(t->json, "notes", json_incref(t->notes));
    reply_json(t->r, 200, json_whole(t->json, JSON_COMPACT | JSON_REAL_PRECISION(FORECAST_DIGITS)));
}

static void answer(void *user, int thread, work_item *const *items, int count) {
    table_task *t = (table_task *)items[0];
    (void)user, (void)thread, (void)count;
    if (!work(t)) {
        refuse(t);
        return;
    }
    if (t->text) reply_csv(t->r, t->text), t->text = NULL;
    else send_json(t);
    discard(t);
}

void table_task_begin(const table_kind *kind, serve *s, http_request *r, body *decoded, const forecast_in *in) {
    table_task *t = calloc(1, sizeof *t);
    if (t) {
        *t = (table_task){ .item = { .answer = answer }, .r = r, .s = s, .kind = kind, .o = forecast_options_new(),
                           .notes = json_array(), .name = "the series", .file = { .fd = -1 },
                           .csv = kind->csv && wants_csv(r), .deadline = http_received(r) + s->options.deadline_s };
        if (decoded) t->body = *decoded, t->in = *in, *decoded = (body){ 0 };
    }
    if (!t || !t->o || !t->notes) {
        if (t) discard(t);
        reply_busy(r, "There is no memory at the moment.");
        return;
    }
    t->o->threads = 1;
    if (take(t, decoded) && work_put(s->refined, &t->item)) return;
    problem_say(&t->problem, 503, "busy", "As many requests wait as may; ask again in a moment.");
    refuse(t);
}
