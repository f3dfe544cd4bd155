#include "attended.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forecast/data/marks.h"

static const char *input_name(const model_config *c, char *const *columns, time_step step, int64_t token) {
    int64_t series = c->columns - c->known;
    if (token < series) return columns[token];
    if (token < series + c->marks) return mark_name(marks_of(step)[token - series]);
    return columns[token - c->marks];
}

static char *token_name(const forecaster *part, char *const *columns, time_step step, int64_t token) {
    char    name[80];
    int64_t first, stop, rows = part->config.seq_len;
    if (!part->of->token_rows) return strdup(input_name(&part->config, columns, step, token));
    part->of->token_rows(&part->config, token, &first, &stop);
    snprintf(name, sizeof name, "rows %" PRId64 " to %" PRId64 " back", rows - first, rows - stop + 1);
    return strdup(name);
}

bool attended_new(const forecaster *part, char *const *columns, time_step step, int64_t layer,
                  forecast_attention *out) {
    int64_t tokens = part->of->tokens(&part->config);
    *out = (forecast_attention){ .layer = layer + 1, .tokens = tokens,
                                 .token  = calloc((size_t)tokens + 1, sizeof *out->token),
                                 .weight = calloc((size_t)(tokens * tokens) + 1, sizeof *out->weight) };
    snprintf(out->model, sizeof out->model, "%s", part->of->name);
    bool fine = out->token && out->weight;
    for (int64_t i = 0; fine && i < tokens; i++) fine = (out->token[i] = token_name(part, columns, step, i)) != NULL;
    return fine;
}

void attended_free(forecast_attention *a) {
    for (int64_t i = 0; a->token && i < a->tokens; i++) free(a->token[i]);
    free(a->token);
    free(a->weight);
}

void attended_none(const forecaster *const *part, int parts, char *note, size_t size) {
    bool some = false, layers = false;
    for (int i = 0; i < parts; i++) some |= part[i]->of->attended != NULL, layers |= part[i]->config.e_layers > 0;
    if (!some)
        snprintf(note, size, "%s has no attention: it maps each column's own past to its forecast",
                 parts > 1 ? "none of the members" : part[0]->of->name);
    else if (!layers) snprintf(note, size, "the network has no encoder blocks (`e-layers` 0), so no attention");
    else snprintf(note, size, "attention of more than %d inputs is no map that could be read", ATTENDED_TOKENS);
}
