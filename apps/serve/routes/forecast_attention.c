/* Whom a forecast looks at: the attention of a model's network in one window. */
#include <tidemill/explain.h>

#include "forecast.h"
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

static bool few_enough(const forecast_attention *maps, int64_t count, problem *p) {
    for (int64_t i = 0; i < count; i++)
        if (maps[i].tokens > MOST_TOKENS)
            return problem_say(p, 422, "data", "Attention of %lld inputs is more than an answer holds, %d: the job "
                               "\"forecast explain\" writes it down.", (long long)maps[i].tokens, MOST_TOKENS);
    return true;
}

bool attention_print(model *m, int thread, const double *past, const int64_t *time, const double *known, text *out,
                     problem *p) {
    tide_failure        failure = { 0 };
    forecast_attention *maps    = NULL;
    int64_t             count   = 0;
    forecast_model     *f       = model_forecast(m, thread, &failure);
    if (!f) return problem_of(p, &failure, "");
    if (forecast_model_attention(f, past, time, known, &maps, &count, &failure) != TIDE_OK)
        return problem_of(p, &failure, failure.status == TIDE_EINVAL ? "" : "/past");
    bool fine = few_enough(maps, count, p);
    text_add(out, "{\"attention\":[");
    for (int64_t i = 0; fine && i < count; i++) {
        text_add(out, i ? "," : "");
        print_map(out, &maps[i]);
    }
    text_add(out, "]}");
    forecast_attention_free(maps, count);
    return fine;
}
