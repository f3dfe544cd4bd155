/* Which commands may be jobs, and how a request becomes one's words. */
#include "serve/jobs/commands.h"

#include <stdlib.h>
#include <string.h>
#include <tidemill/eis.h>
#include <tidemill/forecast.h>

#include "base/json.h"
#include "bench/bench.h"

#define SERIES "data|holidays|issued|static"

static const jobs_command commands[] = {
    { "forecast train", { { forecast_table, FORECAST_FOR_TRAIN } }, SERIES, "from", "out=run", "resume=auto" },
    { "forecast tune", { { forecast_table, FORECAST_FOR_TUNE } }, SERIES, "", "out=run", "resume=auto" },
    { "forecast update", { { forecast_table, FORECAST_FOR_UPDATE } }, SERIES, "model", "out=run", "overwrite=true" },
    { "forecast evaluate", { { forecast_table, FORECAST_FOR_EVALUATE } }, SERIES, "model", "", "" },
    { "forecast backtest", { { forecast_table, FORECAST_FOR_BACKTEST } }, SERIES, "model", "output=run/backtest.csv",
      "overwrite=true" },
    { "forecast predict", { { forecast_table, FORECAST_FOR_PREDICT } }, SERIES "|future", "model",
      "output=run/forecast.csv", "overwrite=true|plots=false" },  /* plots would go into the model's folder */
    { "forecast explain", { { forecast_table, FORECAST_FOR_INPUTS } }, SERIES "|future", "model", "out=run", "" },
    { "eis complete", { { eis_table, EIS_FOR_COMPLETE } }, "spectrum", "model", "out=run", "" },
    { "eis fit", { { eis_table, EIS_FOR_FIT }, { eis_fit_table, 0 } }, "spectrum|blank", "model", "out=run", "" },
    { "eis batch", { { eis_table, EIS_FOR_BATCH }, { eis_fit_table, 0 } }, "spectrum|samples|blank", "model",
      "out=run", "" },
    { "eis generate", { { eis_table, EIS_FOR_GENERATE } }, "ground-truths", "", "data-dir=run", "" },
    { "eis train", { { eis_table, EIS_FOR_TRAIN } }, "", "data-dir", "out=run|data-dir=data", "resume=auto" },
    { "eis evaluate", { { eis_table, EIS_FOR_EVALUATE } }, "", "model", "out=run", "" },
    { "eis full", { { eis_table, EIS_FOR_FULL } }, "", "", "out=run|data-dir=run/data", "overwrite=true" },
    { "bench", { { bench_table, 0 } }, "", "", "out=run", "" },
    { NULL },
};

const jobs_command *jobs_commands(void) { return commands; }

/* ---- rows ---- */

/* Is `name` one of "a|b|c"? */
static bool listed(const char *list, const char *name) {
    size_t length = strlen(name);
    for (; *list; list += strcspn(list, "|"), list += *list == '|')
        if (strcspn(list, "|") == length && strncmp(list, name, length) == 0) return true;
    return false;
}

static const tide_option *row_of(const jobs_command *c, const char *name, const tide_option_table **table) {
    for (int k = 0; k < 2; k++) {
        const tide_option_table *t   = c->rows[k].table ? c->rows[k].table() : NULL;
        const tide_option       *row = t ? tide_option_find(t, name) : NULL;
        if (row && (!c->rows[k].flags || (row->flags & c->rows[k].flags))) return *table = t, row;
    }
    return NULL;
}

bool job_word(json_t *words, const char *option, const char *value) {
    size_t size = strlen(option) + strlen(value) + 4;
    char  *word = malloc(size);
    if (word) snprintf(word, size, "--%s=%s", option, value);
    bool fine = word && json_array_append_new(words, json_string(word)) == 0;
    free(word);
    return fine;
}

/* ---- options ---- */

/* Reads options into scratch structs of the tables, which check them, and keeps the words. */
typedef struct reading {
    const jobs_command *command;
    json_t             *words;
    void               *scratch[2];
} reading;

static const tide_option *find_row(void *user, const char *name, const char *command, tide_failure *failure) {
    const reading           *r = user;
    const tide_option_table *table;
    const tide_option       *row = row_of(r->command, name, &table);
    char                     hint[64] = "";
    (void)command;
    for (int k = 0; !row && k < 2; k++) {
        const tide_option_table *t = r->command->rows[k].table ? r->command->rows[k].table() : NULL;
        const char *near = t ? tide_option_nearest(t, name, r->command->rows[k].flags) : NULL;
        if (near) snprintf(hint, sizeof hint, "; did you mean `%.40s`?", near);
    }
    if (!row) {
        fail_at(failure, TIDE_EINVAL, NULL, 0, name, "%s has no option \"%.60s\"%s", r->command->name, name, hint);
    } else if (row->flags & (TIDE_OPTION_RESOURCE | TIDE_OPTION_PLACE)) {
        fail_at(failure, TIDE_EINVAL, NULL, 0, row->name,
                "`%s` names a path or a part of the machine: no request sets it%s", row->name,
                listed(r->command->files, row->name)    ? "; give an upload's identifier in \"uploads\""
                : listed(r->command->models, row->name) ? "; give a model's identifier in \"models\""
                                                        : "");
        row = NULL;
    }
    return row;
}

static tide_status set_row(void *user, const tide_option *row, const char *text, tide_failure *failure) {
    reading *r = user;
    for (int k = 0; k < 2; k++) {
        const tide_option_table *t = r->command->rows[k].table ? r->command->rows[k].table() : NULL;
        if (!t || row < t->rows || row >= t->rows + t->count) continue;
        tide_status status = tide_option_set(t, r->scratch[k], row->name, text, failure);
        if (status != TIDE_OK) return status;
    }
    return job_word(r->words, row->name, text) ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory");
}

static tide_status make_scratch(reading *r, tide_failure *failure) {
    for (int k = 0; k < 2; k++) {
        const tide_option_table *t = r->command->rows[k].table ? r->command->rows[k].table() : NULL;
        if (!t) continue;
        r->scratch[k] = calloc(1, t->size);
        if (!r->scratch[k]) return fail(failure, TIDE_ENOMEM, "out of memory");
        tide_options_default(t, r->scratch[k]);
    }
    return TIDE_OK;
}

/* A run.json has its options within "options"; here they are given plainly. */
static tide_status take_options(job_asked *a, const json_t *options, tide_failure *failure) {
    reading            r      = { a->command, a->words, { 0 } };
    tide_option_reader reader = { find_row, set_row, &r };
    if (!options) return TIDE_OK;
    if (!json_is_object(options) || json_object_get(options, "options") || json_object_get(options, "format_version"))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "options", "\"options\" is an object such as {\"epochs\": 5}");
    char       *text   = json_whole(options, JSON_COMPACT);
    tide_status status = text ? make_scratch(&r, failure) : fail(failure, TIDE_ENOMEM, "out of memory");
    if (status == TIDE_OK) status = tide_options_read(text, strlen(text), &reader, failure);
    for (int k = 0; k < 2; k++) free(r.scratch[k]);
    free(text);
    return status;
}

/* ---- identifiers ---- */

/* How models are called is the service's to say and to check; here it is a word. */
static bool is_word(const char *id) {
    return id && *id && strlen(id) < STORE_NAME && !strpbrk(id, "/\\");
}

static tide_status take_id(json_t *into, const char *option, const char *member, bool model, const json_t *id,
                           tide_failure *failure) {
    const char *text = json_string_value(id);
    if (!(model ? is_word(text) : store_id_valid(text)))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, member, "\"%s\" takes the identifier of %s", member,
                       model ? "a model" : "an upload");
    json_t *list = json_object_get(into, option);
    if (!list && json_object_set_new(into, option, list = json_array()) != 0)
        return fail(failure, TIDE_ENOMEM, "out of memory");
    return json_array_append(list, (json_t *)id) == 0 ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory");
}

/* {option: ID or [ID, ..]}; several where the option is a list. */
static tide_status take_named(const job_asked *a, json_t *into, const char *allowed, const json_t *named,
                              tide_failure *failure) {
    bool model = into == a->models;
    const tide_option_table *table;
    const char *option;
    json_t     *value;
    tide_status status = TIDE_OK;
    json_object_foreach((json_t *)named, option, value) {
        const tide_option *row = row_of(a->command, option, &table);
        if (!row || !listed(allowed, row->name))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, option, "%s takes no identifier for \"%.60s\", but for: %s",
                           a->command->name, option, *allowed ? allowed : "none");
        bool several = json_is_array(value) && row->type == TIDE_OPTION_IS_LIST;
        for (size_t i = 0; status == TIDE_OK && i < (several ? json_array_size(value) : 1); i++)
            status = take_id(into, row->name, row->name, model, several ? json_array_get(value, i) : value, failure);
    }
    return status;
}

/* "upload": ID is "uploads": {the command's first: ID}. */
static tide_status take_ids(const job_asked *a, json_t *into, const json_t *request, const char *one, const char *many,
                            const char *allowed, tide_failure *failure) {
    char          first[40];
    const json_t *id = json_object_get(request, one), *named = json_object_get(request, many);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(allowed, "|"), allowed);
    if (id && !*first) return fail_at(failure, TIDE_EINVAL, NULL, 0, one, "%s takes no \"%s\"", a->command->name, one);
    if (named && !json_is_object(named))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, many, "\"%s\" is an object of options and identifiers", many);
    tide_status status = id ? take_id(into, first, one, into == a->models, id, failure) : TIDE_OK;
    if (status == TIDE_OK && named) status = take_named(a, into, allowed, named, failure);
    return status;
}

/* ---- all ---- */

static const jobs_command *find_command(const char *name, const jobs_command *more) {
    for (const jobs_command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
    for (const jobs_command *c = more; c && c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

static tide_status check_members(const json_t *request, tide_failure *failure) {
    static const char members[] = "command|options|upload|uploads|model|models|name";
    const char *name;
    json_t     *value;
    if (!json_is_object(request)) return fail(failure, TIDE_EINVAL, "a job is an object: {\"command\": ..}");
    json_object_foreach((json_t *)request, name, value)
        if (!listed(members, name))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "a job has no \"%.60s\"; there are %s", name, members);
    return TIDE_OK;
}

static tide_status choose_command(const json_t *request, const jobs_command *more, job_asked *out,
                                  tide_failure *failure) {
    const char *name = json_string_value(json_object_get(request, "command"));
    char        list[512] = "";
    out->command = name ? find_command(name, more) : NULL;
    if (out->command) return TIDE_OK;
    for (const jobs_command *c = commands; c->name; c++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "", c->name);
    for (const jobs_command *c = more; c && c->name; c++)
        snprintf(list + strlen(list), sizeof list - strlen(list), ", %s", c->name);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "command", "\"command\" is one of: %s", list);
}

tide_status job_name_check(const char *name, tide_failure *failure) {
    bool fine = name && strlen(name) < JOBS_NAME;
    for (const char *c = name; fine && *c; c++) fine = (unsigned char)*c >= ' ' && *c != 127;
    if (fine) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "name", "a job's name is a line of at most %d bytes", JOBS_NAME - 1);
}

static tide_status take_name(job_asked *a, const json_t *name, tide_failure *failure) {
    a->name = name ? json_string_value(name) : "";
    return job_name_check(a->name, failure);
}

/* The command's name, a word each, and what every job is given. */
static bool begin_words(job_asked *a, int threads) {
    const tide_option_table *table;
    char                     number[16];
    bool                     fine = true;
    for (const char *w = a->command->name; fine && *w; w += strcspn(w, " "), w += *w == ' ')
        fine = json_array_append_new(a->words, json_stringn(w, strcspn(w, " "))) == 0;
    snprintf(number, sizeof number, "%d", threads);
    if (fine && row_of(a->command, "threads", &table)) fine = job_word(a->words, "threads", number);
    return fine && json_array_append_new(a->words, json_string("--json")) == 0
           && json_array_append_new(a->words, json_string("--progress=json")) == 0;
}

tide_status job_ask(const json_t *request, const jobs_command *more, int threads, job_asked *out,
                    tide_failure *failure) {
    *out = (job_asked){ .words = json_array(), .uploads = json_object(), .models = json_object() };
    tide_status status = check_members(request, failure);
    if (status == TIDE_OK) status = choose_command(request, more, out, failure);
    if (status == TIDE_OK && !(out->words && out->uploads && out->models && begin_words(out, threads)))
        status = fail(failure, TIDE_ENOMEM, "out of memory");
    const json_t *options = json_object_get(request, "options");
    if (status == TIDE_OK) status = take_name(out, json_object_get(request, "name"), failure);
    if (status == TIDE_OK) status = take_options(out, options, failure);
    if (status == TIDE_OK)
        status = take_ids(out, out->uploads, request, "upload", "uploads", out->command->files, failure);
    if (status == TIDE_OK)
        status = take_ids(out, out->models, request, "model", "models", out->command->models, failure);
    out->options = options ? json_incref((json_t *)options) : json_object();
    return status;
}

void job_asked_free(job_asked *a) {
    json_decref(a->words);
    json_decref(a->uploads);
    json_decref(a->models);
    json_decref(a->options);
}

static bool has_word(const json_t *words, const char *option) {
    size_t length = strlen(option);
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, option, length) != 0) continue;
        if (word[2 + length] == '=') return true;
    }
    return false;
}

/* "name=value|name=value", each but for what an identifier has named: the data of another job. */
bool job_words_end(const jobs_command *command, const char *folder, json_t *words) {
    char name[40], value[FOLDER_PATH + 64];
    bool fine = true;
    for (int which = 0; which < 2; which++) {
        const char *at = which ? command->fixed : command->written;
        for (size_t length; fine && *at; at += length, at += *at == '|') {
            length        = strcspn(at, "|");
            size_t before = strcspn(at, "=");
            snprintf(name, sizeof name, "%.*s", (int)before, at);
            snprintf(value, sizeof value, "%s%s%.*s", which ? "" : folder, which ? "" : "/",
                     (int)(length - before - 1), at + before + 1);
            fine = has_word(words, name) || job_word(words, name, value);
        }
    }
    return fine;
}

static void put_quoted(text *t, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%";
    if (*word && strspn(word, plain) == strlen(word)) {
        text_add(t, " %s", word);
        return;
    }
    text_add(t, " '");
    for (; *word; word++) {
        if (*word == '\'') text_add(t, "'\\''");
        else text_add(t, "%c", *word);
    }
    text_add(t, "'");
}

char *job_line(const json_t *words) {
    text t = { 0 };
    text_add(&t, "tidemill");
    for (size_t i = 0; i < json_array_size(words); i++) put_quoted(&t, json_string_value(json_array_get(words, i)));
    if (!t.failed) return t.data;
    text_free(&t);
    return NULL;
}
