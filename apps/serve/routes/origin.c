/* The paths under which the completer that this one descends from was asked (docs/guides.md), for programs that know
 * them: the same answers from known values alone, in its words. What was wrong with it is not taken over: any number of
 * values may be missing, and a confidence is measured against chance. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/eis.h>

#include "base/base.h"
#include "base/json.h"
#include "serve/fields/record.h"
#include "later.h"

typedef struct origin_in { const char *known, *model; int64_t top_k; } origin_in;
#define O origin_in
static const field origin_rows[] = {
    { "known_params", FIELD_VALUES, offsetof(O, known),
      .help = "known values of Rsh, Ra, Rb, Ca, Cb: {\"Rsh\": 460, \"Ca\": \"3.7uF\"}" },
    { "top_k", FIELD_WHOLE, offsetof(O, top_k), .low = 1, .high = 1000, .help = "how many predictions; 10" },
    { "model", FIELD_TEXT, offsetof(O, model),
      .help = "a predictor of known values, by its id; else the first that there is" },
};
const record origin_record = { "MlPredict", "Known values, without a spectrum.", origin_rows,
                               sizeof origin_rows / sizeof *origin_rows, sizeof(O) };

typedef struct origin_task {
    work_item    item;
    http_request *r;
    body         body;
    origin_in    in;
    eis_options  options;
    eis_known    known;
    model       *model;
    bool         test;     /* the example, with what it asked */
    problem      problem;
} origin_task;

static void discard(origin_task *t) {
    body_free(&t->body);
    model_drop(t->model);
    free(t);
}

static void refuse(origin_task *t) {
    reply_problem(t->r, &t->problem);
    discard(t);
}

/* ---- the model ---- */

static bool answers_known(const model *m) { return m && !eis_model_takes_spectrum(m->eis); }

/* The first by name that answers from known values; NULL: there is none. What does not open is passed over. */
static model *find_model(models *all) {
    json_t *list = models_list(all), *o;
    model  *found = NULL;
    size_t  i;
    json_array_foreach(list, i, o) {
        problem     p    = { 0 };
        const char *kind = json_string_value(json_object_get(o, "kind"));
        if (!kind || strcmp(kind, "eis") != 0) continue;
        model *m = models_take(all, json_string_value(json_object_get(o, "id")), MODEL_EIS, &p);
        problem_free(&p);
        if (answers_known(m)) {
            found = m;
            break;
        }
        model_drop(m);
    }
    if (list) json_decref(list);
    return found;
}

static bool take_model(origin_task *t, serve *s) {
    if (t->in.model && !(t->model = models_take(s->models, t->in.model, MODEL_EIS, &t->problem))) return false;
    if (t->model && !answers_known(t->model))
        return problem_at(&t->problem, "/model", "this model answers from a spectrum: /api/v1/eis/complete asks it");
    if (t->model || (t->model = find_model(s->models))) return true;
    return problem_say(&t->problem, 503, "model",
                       "There is no model that answers from known values alone: train one with inputs \"known\" into "
                       "the folder of models.");
}

/* ---- what is asked ---- */

/* That program's clients know 400 for values that cannot be. */
static bool take_known(origin_task *t) {
    tide_failure failure = { 0 };
    if (!t->in.known || !*t->in.known) problem_say(&t->problem, 400, "usage", "\"known_params\" holds no value.");
    else if (eis_known_parse(t->in.known, &t->known, &failure) == TIDE_OK) return true;
    else problem_say(&t->problem, 400, "usage", "%s", failure.message);
    return problem_at(&t->problem, "/known_params", "%s", *failure.message ? failure.message : "it is empty");
}

static bool decode(origin_task *t) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    return body_parse(bytes, length, &t->body, &t->problem) &&
           record_decode(&t->body, t->body.root, &origin_record, "", &t->in, &t->problem) && take_known(t);
}

/* ---- what is answered ---- */

static double log_distance(double a, double b) { return fabs(log(a / b)); }

/* The cell of the answer's marginal that a grid value lies in. */
static int cell_of(int parameter, double value) {
    int best = 0;
    for (int i = 1; i < EIS_CELLS; i++)
        if (log_distance(value, eis_grid_value(parameter, i, EIS_CELLS)) <
            log_distance(value, eis_grid_value(parameter, best, EIS_CELLS)))
            best = i;
    return best;
}

static int values_of(const double *marginal) {
    int count = 0;
    for (int i = 0; i < EIS_CELLS; i++) count += marginal[i] > 0;
    return count;
}

/* The bands of its summary, 0.15 and 0.05; but what is no more than twice what guessing has says nothing. */
static const char *confidence(const eis_answer *a, double probability) {
    double chance = 1;
    for (int k = 0; k < EIS_COUNT; k++)
        if (!a->known.is[k]) chance /= values_of(a->marginal[k]);
    if (probability <= 2 * chance) return "low";
    return probability > 0.15 ? "high" : probability >= 0.05 ? "medium" : "low";
}

static json_t *prediction(const eis_answer *a, int64_t i) {
    const eis_candidate *c = &a->candidate[i];
    json_t *o = json_with(json_object(), "rank", json_integer(i + 1)), *grid = json_object();
    char    name[32];
    int     missing = 0;
    for (int k = 0; k < EIS_COUNT; k++) {
        if (a->known.is[k]) continue;
        snprintf(name, sizeof name, "marginal_prob_%d", ++missing);
        o    = json_with(o, eis_parameters[k].name, json_finite(c->p[k]));
        o    = json_with(o, name, json_finite(a->marginal[k][cell_of(k, c->p[k])]));
        grid = json_with(grid, eis_parameters[k].name, json_integer(c->index[k]));
    }
    o = json_with(o, "joint_probability", json_finite(c->probability));
    o = json_with(o, "grid_indices", grid);
    return json_with(o, "confidence", json_string(confidence(a, c->probability)));
}

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static json_t *uncertainty(const double *marginal) {
    double p[EIS_CELLS], entropy = 0, top = 0;
    int    values = values_of(marginal);
    memcpy(p, marginal, sizeof p);
    qsort(p, EIS_CELLS, sizeof *p, descending);
    for (int i = 0; i < EIS_CELLS; i++) {
        if (p[i] > 0) entropy -= p[i] * log(p[i]);
        if (i < 5) top += p[i];
    }
    return json_pack("{s:f, s:f, s:f, s:f}", "entropy", entropy, "max_probability", p[0], "top_5_mass", top,
                     "normalized_entropy", values > 1 ? entropy / log(values) : 0.0);
}

static json_t *answer_json(const eis_answer *a, const model *m) {
    json_t *missing = json_array(), *list = json_array(), *doubt = json_object(), *notes = json_array();
    json_t *o = json_with(json_object(), "predicted_resnorm", json_finite(a->resnorm));
    for (int k = 0; k < EIS_COUNT; k++) {
        if (a->known.is[k]) continue;
        missing = json_with_item(missing, json_string(eis_parameters[k].name));
        doubt   = json_with(doubt, eis_parameters[k].name, uncertainty(a->marginal[k]));
    }
    for (int64_t i = 0; i < a->candidates; i++) list = json_with_item(list, prediction(a, i));
    for (int64_t i = 0; i < a->notes; i++) notes = json_with_item(notes, json_text(a->note[i]));
    notes = json_with_item(notes, json_string("These are from the known values alone, as the model learned them: "
                                              "independent known values carry no information on the missing ones. A "
                                              "measured spectrum determines them: /api/v1/eis/complete."));
    o = json_with(o, "missing_params", missing);
    o = json_with(o, "predictions", list);
    o = json_with(o, "uncertainty", doubt);
    o = json_with(o, "notes", notes);
    return json_with(o, "model", json_text(m->id));
}

static void reply_whole(http_request *r, json_t *o) {
    reply_json(r, 200, json_whole(o, JSON_COMPACT | JSON_REAL_PRECISION(10)));
    if (o) json_decref(o);
}

static void answer(void *user, int thread, work_item *const *items, int count) {
    origin_task *t = (origin_task *)items[0];
    serve       *s = user;
    eis_answer   a = { 0 };
    tide_failure failure = { 0 };
    (void)count;
    if (!take_model(t, s)) {
        refuse(t);
        return;
    }
    eis_model  *m      = model_eis(t->model, thread, &failure);
    tide_status status = m ? eis_model_solve(m, &t->options, 1, NULL, &t->known, NULL, NULL, &a, &failure)
                           : failure.status;
    if (status != TIDE_OK) {
        problem_of(&t->problem, &failure, "/known_params");
        refuse(t);
        return;
    }
    json_t *o = answer_json(&a, t->model);
    if (t->test)
        o = json_with(json_with(json_with(json_object(), "status", json_string("ok")), "test_input",
                                json_text(t->in.known)), "prediction", o);
    reply_whole(t->r, o);
    eis_answer_free(&a);
    discard(t);
}

static void begin(serve *s, http_request *r, const char *example) {
    origin_task *t = calloc(1, sizeof *t);
    if (!t) {
        reply_busy(r, "There is no memory at the moment.");
        return;
    }
    t->item = (work_item){ .answer = answer };
    t->r = r, t->test = example != NULL, t->in.known = example;
    eis_options_default(&t->options);
    t->options.threads = 1;
    if (!(example ? take_known(t) : decode(t))) {
        refuse(t);
        return;
    }
    if (t->in.top_k) t->options.top_k = t->in.top_k;
    if (work_put(s->quick, &t->item)) return;
    problem_say(&t->problem, 503, "busy", "As many requests wait as may; ask again in a moment.");
    refuse(t);
}

void route_origin_predict(void *user, http_request *r) { begin(user, r, NULL); }
void route_origin_test(void *user, http_request *r) { begin(user, r, "Rsh=460,Ra=4.8k,Rb=2.2k"); }

/* ---- what there is ---- */

static void model_info(serve *s, http_request *r) {
    origin_task t = { .r = r };
    if (!take_model(&t, s)) {
        reply_problem(r, &t.problem);
        return;
    }
    json_t *o = models_describe(s->models, t.model->id, &t.problem);
    model_drop(t.model);
    if (o) reply_whole(r, json_with(o, "model_loaded", json_true()));
    else reply_problem(r, &t.problem);
}

static void health(serve *s, http_request *r) {
    model *m = find_model(s->models);
    reply_whole(r, json_pack("{s:s, s:b, s:s, s:s}", "status", "ok", "model_loaded", m != NULL, "server", "tidemill",
                             "version", TIDE_VERSION));
    model_drop(m);
}

void route_origin_info(void *user, http_request *r) { later(((serve *)user)->quick, r, model_info); }
void route_origin_health(void *user, http_request *r) { later(((serve *)user)->quick, r, health); }
