/* What lies in the folder. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "inside.h"

enum { LARGEST_RUN = 16 << 20 };

/* A pipe would keep whoever opens it waiting for ever. */
static bool is_file(const char *path, off_t most) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && (!most || about.st_size <= most);
}

/* A name, and no way out of the folder. */
static bool good_id(const char *id) {
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return length > 0 && length < 128 && !id[length] && *id != '.';
}

static bool is_run(const char *path) {
    char file[MODEL_PATH];
    return snprintf(file, sizeof file, "%s/model.safetensors", path) < (int)sizeof file && is_file(file, 0);
}

bool models_path(const models *m, const char *id, char *path, size_t size) {
    if (!good_id(id)) return false;
    if (snprintf(path, size, "%s/%s", m->folder, id) < (int)size && is_run(path)) return true;
    return m->find && m->find(m->user, id, path, size) && is_run(path);
}

json_t *model_run(const models *m, const char *id, model_kind *kind) {
    char path[MODEL_PATH], file[MODEL_PATH + 16];
    if (!models_path(m, id, path, sizeof path)) return NULL;
    snprintf(file, sizeof file, "%s/run.json", path);
    json_t     *run     = is_file(file, LARGEST_RUN) ? json_load_file(file, 0, NULL) : NULL;
    const char *command = json_string_value(json_object_get(run, "command"));
    if (command && (strncmp(command, "forecast", 8) == 0 || strncmp(command, "eis", 3) == 0)) {
        *kind = *command == 'e' ? MODEL_EIS : MODEL_FORECAST;
        return run;
    }
    if (run) json_decref(run);
    return NULL;
}

static const char *kind_name(model_kind kind) { return kind == MODEL_EIS ? "eis" : "forecast"; }

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static json_t *brief(const models *m, const char *id) {
    model_kind kind;
    json_t *run = model_run(m, id, &kind), *o = NULL;
    if (!run) return NULL;
    o = json_with(json_with(json_object(), "id", json_text(id)), "kind", json_string(kind_name(kind)));
    o = json_with(o, "command", json_incref(json_object_get(run, "command")));
    json_decref(run);
    return o;
}

static json_t *with_brief(json_t *list, const models *m, const char *id) {
    json_t *o = brief(m, id);
    return o ? json_with_item(list, o) : list;
}

static json_t *with_others(json_t *list, const models *m) {
    json_t *others = m->list ? m->list(m->user) : NULL, *id;
    size_t  i;
    json_array_foreach(others, i, id) list = with_brief(list, m, json_string_value(id));
    json_decref(others);
    return list;
}

json_t *models_list(const models *m) {
    char  **names = NULL;
    size_t  count = 0;
    json_t *list  = json_array();
    DIR    *folder = opendir(m->folder);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        char **grown = good_id(e->d_name) ? realloc(names, (count + 1) * sizeof *names) : NULL;
        if (!grown) continue;
        names = grown;
        if ((names[count] = strdup(e->d_name))) count++;
    }
    if (folder) closedir(folder);
    if (count) qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        list = with_brief(list, m, names[i]);
        free(names[i]);
    }
    free(names);
    return with_others(list, m);
}

/* Options that name a path or a part of the machine say where this service lives, so they are left out. */
static json_t *open_options(const json_t *run, model_kind kind) {
    const tide_option_table *t = kind == MODEL_EIS ? eis_table() : forecast_table();
    json_t     *o = json_object(), *value;
    const char *name;
    json_object_foreach(json_object_get(run, "options"), name, value) {
        const tide_option *row = tide_option_find(t, name);
        if (row && !(row->flags & (TIDE_OPTION_RESOURCE | TIDE_OPTION_PLACE)))
            o = json_with(o, name, json_incref(value));
    }
    return o;
}

static json_t *names_of(const forecast_model *f, int64_t count,
                        const char *(*name)(const forecast_model *, int64_t)) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) list = json_with_item(list, json_text(name(f, i)));
    return list;
}

static json_t *describe_forecast(json_t *o, const forecast_model *f) {
    o = json_with(o, "seq_len", json_integer(forecast_model_seq_len(f)));
    o = json_with(o, "pred_len", json_integer(forecast_model_pred_len(f)));
    o = json_with(o, "columns", names_of(f, forecast_model_columns(f), forecast_model_column_name));
    o = json_with(o, "targets", names_of(f, forecast_model_targets(f), forecast_model_target_name));
    o = json_with(o, "known_ahead", json_integer(forecast_model_known(f)));
    o = json_with(o, "holidays", json_integer(forecast_model_holidays(f, 0, NULL)));
    o = json_with(o, "needs_time", json_boolean(forecast_model_needs_time(f)));
    o = json_with(o, "takes_gaps", json_boolean(forecast_model_takes_gaps(f)));
    o = json_with(o, "has_levels", json_boolean(forecast_model_has_levels(f)));
    o = json_with(o, "frequency", json_text(forecast_model_frequency(f)));
    return json_with(o, "tz", json_text(forecast_model_tz(f)));
}

json_t *models_describe(models *m, const char *id, problem *p) {
    model_kind kind;
    json_t    *run = model_run(m, id, &kind);
    if (!run) return problem_say(p, 404, "model", "There is no model \"%.100s\".", id), NULL;
    model *opened = models_take(m, id, kind, p);
    json_t *o = opened ? brief(m, id) : NULL;
    if (o) o = json_with(o, "options", open_options(run, kind));
    if (o && kind == MODEL_FORECAST) o = describe_forecast(o, opened->forecast);
    if (o && kind == MODEL_EIS)
        o = json_with(o, "takes_spectrum", json_boolean(eis_model_takes_spectrum(opened->eis)));
    json_decref(run);
    model_drop(opened);
    if (opened && !o) problem_say(p, 503, "memory", "There is no memory at the moment.");
    return o;
}
