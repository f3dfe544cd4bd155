/* Whom a forecast looks at: the attention of a model's network in one window. */
#include <stdlib.h>
#include <tidemill/explain.h>

#include "forecast.h"
#include "later.h"
#include "serve/fields/numbers.h"

enum { DIGITS = 4, MOST_TOKENS = 512 };  /* of an answer: 2 MB a layer */

#define P forecast_in
static const field attention_rows[] = {
    { "model", FIELD_TEXT, offsetof(P, model), .required = true, .help = "its id" },
    { "past", FIELD_RECORD, offsetof(P, past), .of = &rows_record, .help = "the rows before, as a forecast has them" },
    { "future", FIELD_RECORD, offsetof(P, future), .of = &rows_record,
      .help = "columns known ahead, of the rows to come" },
};
const record attention_record = { "ForecastAttention", "Rows that a forecast starts from.", attention_rows,
                                  sizeof attention_rows / sizeof *attention_rows, sizeof(P) };

static void print_map(text *out, const forecast_attention *a) {
    text_add(out, "{\"model\":");
    reply_text(out, a->model);
    text_add(out, ",\"layer\":%lld,\"tokens\":[", (long long)a->layer);
    for (int64_t i = 0; i < a->tokens; i++) {
        text_add(out, i ? "," : "");
        reply_text(out, a->token[i]);
    }
    text_add(out, "],\"weights\":[");
    for (int64_t i = 0; i < a->tokens; i++) {
        text_add(out, i ? "," : "");
        numbers_print(out, a->weight + i * a->tokens, a->tokens, 1, DIGITS);
    }
    text_add(out, "]}");
}

static bool few_enough(predict_task *t, const forecast_attention *maps, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (maps[i].tokens > MOST_TOKENS)
            return problem_say(&t->problem, 422, "data", "Attention of %lld inputs is more than an answer holds, %d: "
                               "the job \"forecast explain\" writes it down.", (long long)maps[i].tokens, MOST_TOKENS);
    return true;
}

static bool look(predict_task *t, int thread, text *out) {
    tide_failure        failure = { 0 };
    forecast_attention *maps    = NULL;
    int64_t             count   = 0;
    forecast_model     *f       = model_forecast(t->model, thread, &failure);
    if (!f) return problem_of(&t->problem, &failure, "");
    if (forecast_model_attention(f, t->past, t->time, t->known, &maps, &count, &failure) != TIDE_OK)
        return problem_of(&t->problem, &failure, failure.status == TIDE_EINVAL ? "" : "/past");
    bool fine = few_enough(t, maps, count);
    text_add(out, "{\"attention\":[");
    for (int64_t i = 0; fine && i < count; i++) {
        text_add(out, i ? "," : "");
        print_map(out, &maps[i]);
    }
    text_add(out, "]}");
    forecast_attention_free(maps, count);
    return fine;
}

static void answer(void *user, int thread, work_item *const *items, int count) {
    predict_task *t   = (predict_task *)items[0];
    text          out = { 0 };
    (void)user, (void)count;
    if (!look(t, thread, &out)) {
        text_free(&out);
        predict_refuse(t);
        return;
    }
    if (out.failed) text_free(&out);
    reply_json(t->r, 200, out.failed ? NULL : out.data);
    predict_discard(t);
}

static bool decode(predict_task *t, models *all) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    return body_parse(bytes, length, &t->body, &t->problem) &&
           record_decode(&t->body, t->body.root, &attention_record, "", &t->in, &t->problem) &&
           predict_decode(t, all);
}

static void attend(serve *s, http_request *r) {
    predict_task *t = calloc(1, sizeof *t);
    if (!t) {
        reply_busy(r, "There is no memory at the moment.");
        return;
    }
    t->r    = r;
    t->item = (work_item){ .answer = answer };
    if (decode(t, s->models) && work_put(s->quick, &t->item)) return;
    if (!t->problem.status)
        problem_say(&t->problem, 503, "busy", "As many requests wait as may; ask again in a moment.");
    predict_refuse(t);
}

void route_forecast_attention(void *user, http_request *r) { decoded(user, r, attend); }
