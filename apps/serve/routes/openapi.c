/* What routes do is said in a table of its own, a row for each of theirs (tests/e2e/test_serve.py). */
#include "openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "eis.h"
#include "forecast.h"
#include "serve/fields/schema.h"

extern const record eis_complete_record, eis_check_record, eis_drt_record, eis_fit_record, eis_simulate_record,
    attention_record, evaluate_record, origin_record;

/* What a query, or a header, may say besides options. */
typedef struct asked { const char *name, *in, *help; const char *const *one_of; bool whole; } asked;

#define NAME { "name", "query", "how the file is called", NULL, false }
#define MODEL(help) { "model", "query", help, NULL, false }
#define END { .name = NULL }
static const asked ask_name[] = { NAME, END };
static const asked ask_complete[] = {
    NAME, MODEL("a trained predictor, by its id"),
    { "known", "query", "known values: Rsh=460,Ca=3.7uF", NULL, false }, END };
static const char *const yes_or_no[] = { "true", "false", NULL };
static const asked ask_predict[] = {
    NAME, MODEL("of a file: its id"),
    { "baselines", "query", "add the forecasts of last value, seasonal naive and linear", yes_or_no, false }, END };
static const asked ask_evaluate[] = { NAME, MODEL("of a file: its id"), END };
static const asked ask_read[] = { NAME, { "upload", "query", "in place of a body: a file that was brought", NULL,
                                          false }, END };
static const asked ask_jobs[] = { { "state", "query", "those in this state", jobs_states, false },
                                  { "command", "query", "those of this command", NULL, false }, END };
static const asked ask_events[] = { { "after", "query", "go on after this event", NULL, true },
                                    { "Last-Event-ID", "header", "the same, as browsers say it", NULL, true }, END };

/* What a route takes and gives. `file`: the body may be any instrument's file, or a CSV. */
static const struct described {
    const char   *method, *path, *summary;
    const record *in;
    bool          file;
    const char   *type;  /* of the answer */
    bool          csv;   /* the answer may be a table: Accept: text/csv */
    const char   *status;  /* NULL: "200" */
    const char   *schema;  /* of the body, where it is no record */
    const asked  *asked;   /* NULL: nothing */
    const option_door *doors[2];  /* options beside a file: the query; NULL */
} described[] = {
    { "GET", "/healthz", "Is it there?", NULL, false, "application/json" },
    { "GET", "/health", "The same, and is there a model for /api/ml?", NULL, false, "application/json" },
    { "GET", "/readyz", "Does it take requests? 503 while it stops", NULL, false, "application/json" },
    { "GET", "/metrics", "What has happened so far, for Prometheus", NULL, false, "text/plain" },
    { "GET", "/openapi.json", "This description", NULL, false, "application/json" },
    { "GET", "/docs", "This description, to be read", NULL, false, "text/html" },
    { "GET", "/api/v1/models", "The models that there are", NULL, false, "application/json" },
    { "GET", "/api/v1/models/{id}", "One of them: kind, sizes, columns, options", NULL, false, "application/json" },
    { "POST", "/api/v1/eis/complete", "Missing parameters of the circuit, with their uncertainty",
      &eis_complete_record, true, "application/json", .asked = ask_complete,
      .doors = { &eis_complete_door } },
    { "POST", "/api/v1/eis/check", "Can the spectrum be believed?", &eis_check_record, true, "application/json",
      .asked = ask_name, .doors = { &eis_check_door } },
    { "POST", "/api/v1/eis/fit", "A circuit fitted to the spectrum", &eis_fit_record, true, "application/json",
      .asked = ask_name, .doors = { &eis_fit_door, &eis_fit_reading } },
    { "POST", "/api/v1/eis/drt", "The distribution of relaxation times", &eis_drt_record, true, "application/json",
      .asked = ask_name, .doors = { &eis_drt_door } },
    { "POST", "/api/v1/eis/read", "The spectra of a file as numbers", NULL, true, "application/json",
      .asked = ask_name, .doors = { &eis_read_door } },
    { "POST", "/api/v1/eis/simulate", "A made-up measurement", &eis_simulate_record, false, "application/json",
      true },
    { "POST", "/api/v1/forecast/predict", "The rows that come next", &predict_record, true, "application/json",
      true, .asked = ask_predict, .doors = { &predict_door } },
    { "POST", "/api/v1/forecast/attention", "Whom the network looks at for that forecast, layer by layer",
      &attention_record, false, "application/json" },
    { "POST", "/api/v1/forecast/evaluate", "How good a model is on a table", &evaluate_record, true,
      "application/json", .asked = ask_evaluate, .doors = { &evaluate_door } },
    { "POST", "/api/ml/predict", "Missing parameters from known values alone", &origin_record, false,
      "application/json" },
    { "GET", "/api/ml/model-info", "The model that answers it", NULL, false, "application/json" },
    { "GET", "/api/ml/test", "Its answer to an example", NULL, false, "application/json" },
    { "POST", "/api/v1/uploads", "Bring a file, ?name=F; its identifier", NULL, true, "application/json", false,
      "201", .asked = ask_name },
    { "GET", "/api/v1/uploads", "The files that were brought, the newest first", NULL, false, "application/json" },
    { "GET", "/api/v1/uploads/{id}", "One of them: name, bytes, sha256", NULL, false, "application/json" },
    { "DELETE", "/api/v1/uploads/{id}", "Take it away; jobs that read it keep it", NULL, false, "application/json" },
    { "POST", "/api/v1/jobs", "Long work: a command with options, uploads and models", NULL, false,
      "application/json", false, "202", "Job" },
    { "GET", "/api/v1/jobs", "The jobs, the newest first; ?state= and ?command= choose", NULL, false,
      "application/json", .asked = ask_jobs },
    { "GET", "/api/v1/jobs/{id}", "One of them: state, progress, the command", NULL, false, "application/json" },
    { "DELETE", "/api/v1/jobs/{id}", "Take it away, with all that it wrote", NULL, false, "application/json" },
    { "POST", "/api/v1/jobs/{id}/cancel", "Stop it; its checkpoint stays", NULL, false, "application/json" },
    { "POST", "/api/v1/jobs/{id}/resume", "Let it go on from there", NULL, false, "application/json" },
    { "POST", "/api/v1/jobs/{id}/name", "Call it something: {\"name\": ..}; \"\" takes the name away", NULL, false,
      "application/json", false, NULL, "JobName" },
    { "GET", "/api/v1/jobs/{id}/events", "Its events as they come: progress, log, state; Last-Event-ID goes on", NULL,
      false, "text/event-stream", .asked = ask_events },
    { "GET", "/api/v1/jobs/{id}/log", "What it said, a line each", NULL, false, "text/plain" },
    { "GET", "/api/v1/jobs/{id}/metrics", "metrics.csv of its training, as columns or as it is", NULL, false,
      "application/json", true },
    { "GET", "/api/v1/jobs/{id}/result", "What the command printed at its end", NULL, false, "application/json" },
    { "GET", "/api/v1/jobs/{id}/files", "What it wrote", NULL, false, "application/json" },
    { "GET", "/api/v1/jobs/{id}/files/{path}", "One of these", NULL, false, "application/octet-stream" },
    { "GET", "/api/v1/machine", "What this machine is, and what suits it", NULL, false, "application/json" },
    { "POST", "/api/v1/machine/measure", "The same after measuring, which takes seconds", NULL, false,
      "application/json" },
    { "POST", "/api/v1/forecast/read", "A table's series as numbers", NULL, true, "application/json",
      .asked = ask_read, .doors = { &predict_door } },
};

static json_t *reference_to(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "#/components/schemas/%s", name);
    return json_pack("{s:{s:s}}", "schema", "$ref", path);
}

static bool has_body(const struct described *d) { return d->in || d->file || d->schema; }

static json_t *body_of(const struct described *d) {
    json_t *content = json_object();
    const char *schema = d->in ? d->in->name : d->schema;
    if (schema) content = json_with(content, "application/json", reference_to(schema));
    if (d->file) content = json_with(content, "text/csv", json_pack("{s:{}}", "schema"));
    if (d->file) content = json_with(content, "application/octet-stream", json_pack("{s:{}}", "schema"));
    return json_pack("{s:b, s:o}", "required", 1, "content", content);
}

static json_t *problem_answer(const char *what) {
    return json_pack("{s:s, s:{s:o}}", "description", what, "content", PROBLEM_TYPE, reference_to("Problem"));
}

/* `open`: no token is asked for. */
static json_t *answers_of(const struct described *d, bool open) {
    json_t *content = json_pack("{s:{s:{}}}", d->type, "schema");
    if (d->csv) content = json_with(content, "text/csv", json_pack("{s:{s:s}}", "schema", "type", "string"));
    json_t *o = json_pack("{s:{s:s, s:o}}", d->status ? d->status : "200", "description", "The answer.", "content",
                          content);
    if (!open) o = json_with(o, "401", problem_answer("A token is needed, or is not known."));
    if (has_body(d)) {
        o = json_with(o, "400", problem_answer("The body is no JSON, or the request is framed wrongly."));
        o = json_with(o, "413", problem_answer("The body is too large."));
        o = json_with(o, "422", problem_answer("A value, or the data, cannot be used: errors say which, and why."));
    }
    o = json_with(o, "503", problem_answer("Too much waits, or it took too long: Retry-After says when to ask again."));
    return json_with(o, "default", problem_answer("Anything else that went wrong."));
}

/* "getApiV1ModelsId" */
static void name_of(const struct described *d, char out[96]) {
    size_t n = 0;
    for (const char *c = d->method; *c; c++) out[n++] = (char)tolower((unsigned char)*c);
    bool upper = true;
    for (const char *c = d->path; *c && n < 95; c++) {
        if (!isalnum((unsigned char)*c)) upper = true;
        else out[n++] = upper ? (char)toupper((unsigned char)*c) : *c, upper = false;
    }
    out[n] = 0;
}

static json_t *choices_of(const asked *a) {
    json_t *type = json_pack("{s:s}", "type", a->whole ? "integer" : "string");
    if (a->whole) return json_with(type, "minimum", json_integer(0));
    if (!a->one_of) return type;
    json_t *list = json_array();
    for (const char *const *one = a->one_of; *one; one++) list = json_with_item(list, json_string(*one));
    return json_with(type, "enum", list);
}

static json_t *add_asked(json_t *list, const struct described *d) {
    const char *of = d->doors[0] ? "Beside a file, not beside JSON: " : "";
    char        help[400];
    for (const asked *a = d->asked; a && a->name; a++) {
        snprintf(help, sizeof help, "%s%s", of, a->help);
        list = json_with_item(list, json_pack("{s:s, s:s, s:s, s:o}", "name", a->name, "in", a->in, "description", help,
                                              "schema", choices_of(a)));
    }
    return list;
}

static bool was_asked(const struct described *d, int door, const char *name) {
    for (const asked *a = d->asked; a && a->name; a++)
        if (strcmp(a->name, name) == 0) return true;
    return door > 0 && tide_option_find(d->doors[0]->table(), name);
}

/* Options of a file are the query: those of the question, then those by which it is read. */
static json_t *add_options(json_t *list, const struct described *d) {
    for (int k = 0; k < 2 && d->doors[k]; k++) {
        const tide_option_table *t = d->doors[k]->table();
        for (int64_t i = 0; i < t->count; i++) {
            const tide_option *row = &t->rows[i];
            if (options_open(d->doors[k], row) && !was_asked(d, k, row->name))
                list = json_with_item(list, json_pack("{s:s, s:s, s:o}", "name", row->name, "in", "query", "schema",
                                                      schema_of_query(row)));
        }
    }
    return list;
}

static json_t *parameters_of(const struct described *d) {
    json_t *list = json_array();
    for (const char *c = strchr(d->path, '{'); c; c = strchr(c + 1, '{')) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(c + 1, "}"), c + 1);
        list = json_with_item(list, json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", "path", "required", 1,
                                              "schema", "type", "string"));
    }
    return add_options(add_asked(list, d), d);
}

static json_t *operation(const struct described *d, bool open) {
    char    name[96];
    name_of(d, name);
    json_t *o = json_pack("{s:s, s:s, s:o}", "operationId", name, "summary", d->summary, "responses",
                          answers_of(d, open));
    if (strchr(d->path, '{') || d->asked) o = json_with(o, "parameters", parameters_of(d));
    if (has_body(d)) o = json_with(o, "requestBody", body_of(d));
    return open ? json_with(o, "security", json_array()) : o;
}

static const struct described *description_of(const http_route *route) {
    static const struct described none = { .summary = "", .type = "application/json" };
    for (size_t i = 0; i < sizeof described / sizeof *described; i++)
        if (strcmp(described[i].method, route->method) == 0 && strcmp(described[i].path, route->path) == 0)
            return &described[i];
    return &none;
}

static json_t *paths(bool token) {
    json_t *all = json_object();
    char    method[16];
    for (const http_route *route = routes; all && route->method; route++) {
        const struct described *d = description_of(route);
        size_t n = 0;
        if (!d->path) continue;
        for (; route->method[n]; n++) method[n] = (char)tolower((unsigned char)route->method[n]);
        method[n] = 0;
        if (!json_object_get(all, route->path)) all = json_with(all, route->path, json_object());
        json_t *of = json_object_get(all, route->path);
        bool open = route->open || !token;
        if (of && json_object_set_new(of, method, operation(d, open)) != 0) return json_decref(all), NULL;
    }
    return all;
}

static json_t *properties_of(const char *const (*rows)[2]) {
    json_t *o = json_object();
    for (; (*rows)[0]; rows++) o = json_with(o, (*rows)[0], json_pack("{s:s}", "type", (*rows)[1]));
    return o;
}

static json_t *problem_schema(void) {
    static const char *const outer[][2] = { { "type", "string" },   { "title", "string" }, { "status", "integer" },
                                            { "detail", "string" }, { "code", "string" },  { NULL, NULL } };
    static const char *const inner[][2] = { { "pointer", "string" }, { "message", "string" }, { "row", "integer" },
                                            { "column", "string" },  { NULL, NULL } };
    json_t *error  = json_pack("{s:s, s:o}", "type", "object", "properties", properties_of(inner));
    json_t *errors = json_with(json_with(json_object(), "type", json_string("array")), "items", error);
    return json_pack("{s:s, s:o}", "type", "object", "properties",
                     json_with(properties_of(outer), "errors", errors));
}

/* What a job may be told (jobs/commands.c): options as the command has them, identifiers in the place of paths. */
static json_t *job_schema(void) {
    static const char *const rows[][2] = { { "options", "object" }, { "upload", "string" }, { "model", "string" },
                                           { "name", "string" }, { NULL, NULL } };
    json_t *members = json_with(properties_of(rows), "models", json_pack("{s:s, s:{s:s}}", "type", "object",
                                                                         "additionalProperties", "type", "string"));
    members = json_with(members, "uploads", json_pack("{s:s, s:{s:[{s:s}, {s:s, s:{s:s}}]}}", "type", "object",
                                                      "additionalProperties", "anyOf", "type", "string", "type",
                                                      "array", "items", "type", "string"));
    json_t *names = json_array();
    for (const jobs_command *c = jobs_commands(); c->name; c++) names = json_with_item(names, json_string(c->name));
    json_t *command = json_pack("{s:s, s:o}", "type", "string", "examples", names);
    return json_pack("{s:s, s:o, s:[s], s:b}", "type", "object", "properties",
                     json_with(members, "command", command), "required", "command",
                     "additionalProperties", 0);
}

static json_t *name_schema(void) {
    return json_pack("{s:s, s:{s:{s:s, s:i}}, s:[s], s:b}", "type", "object", "properties", "name", "type", "string",
                     "maxLength", JOBS_NAME - 1, "required", "name", "additionalProperties", 0);
}

static json_t *schemas(void) {
    json_t *o = json_with(json_object(), "Problem", problem_schema());
    o = json_with(o, "Job", job_schema());
    o = json_with(o, "JobName", name_schema());
    for (size_t i = 0; o && i < sizeof described / sizeof *described; i++)
        if (described[i].in) o = schema_add(o, described[i].in);
    return o;
}

json_t *openapi_describe(bool token) {
    json_t *components = json_object();
    if (token)
        components = json_with(components, "securitySchemes",
                               json_pack("{s:{s:s, s:s}}", "token", "type", "http", "scheme", "bearer"));
    components = json_with(components, "schemas", schemas());
    json_t *o = json_pack(
        "{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}]}", "openapi", "3.1.0", "info", "title",
        "tidemill serve", "version", TIDE_VERSION, "description",
        "Spectra and forecasts over HTTP. Numbers are the commands'; what goes wrong is told as problem+json, with "
        "pointers into the body.", "license", "name", "MIT", "identifier", "MIT", "servers", "url", "/");
    if (token) o = json_with(o, "security", json_pack("[{s:[]}]", "token"));
    o = json_with(o, "paths", paths(token));
    return json_with(o, "components", components);
}
