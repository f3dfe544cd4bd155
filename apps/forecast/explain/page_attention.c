/* Attention as maps: of many tokens those that are looked at most, and the mean of the others. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "draw/chart.h"
#include "draw/html.h"
#include "draw/matrix.h"
#include "explained.h"

enum { MOST_TOKENS = 24 };

/* What a map shows: tokens, the last perhaps all others. */
typedef struct shown {
    int64_t     of[MOST_TOKENS];
    int         count;
    bool        others;
    const char *name[MOST_TOKENS];
    double      value[MOST_TOKENS * MOST_TOKENS];
    char        rest[40];
} shown;

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* In their own order. */
static bool choose(const forecast_attention *a, shown *s) {
    double *looked = calloc((size_t)a->tokens + 1, sizeof *looked);
    if (!looked) return false;
    for (int64_t i = 0; i < a->tokens * a->tokens; i++) looked[i % a->tokens] += a->weight[i];
    s->others = a->tokens > MOST_TOKENS;
    s->count  = (int)explained_largest(looked, sizeof *looked, a->tokens, MOST_TOKENS - s->others, s->of);
    qsort(s->of, (size_t)s->count, sizeof *s->of, ascending);
    free(looked);
    return true;
}

/* The place of each token in the map. */
static int place_of(const shown *s, int64_t token) {
    for (int i = 0; i < s->count; i++)
        if (s->of[i] == token) return i;
    return s->count;
}

static bool fill(const forecast_attention *a, shown *s) {
    int     side  = s->count + s->others;
    double  rest  = (double)(a->tokens - s->count);
    int    *place = malloc((size_t)a->tokens * sizeof *place + 1);
    if (!place) return false;
    for (int64_t i = 0; i < a->tokens; i++) place[i] = place_of(s, i);
    for (int64_t i = 0; i < a->tokens * a->tokens; i++) {
        int row = place[i / a->tokens], column = place[i % a->tokens];
        s->value[row * side + column] += a->weight[i] / (row < s->count ? 1 : rest) / (column < s->count ? 1 : rest);
    }
    for (int i = 0; i < s->count; i++) s->name[i] = a->token[s->of[i]];
    snprintf(s->rest, sizeof s->rest, "each of %.0f others", rest);
    if (s->others) s->name[s->count] = s->rest;
    free(place);
    return true;
}

static void put_map(const forecast_attention *a, text *out) {
    char   title[80];
    shown *s = calloc(1, sizeof *s);
    if (!s || !choose(a, s) || !fill(a, s)) {
        out->failed = true;
        free(s);
        return;
    }
    name_matrix m = { .title = title, .row_label = "who looks", .column_label = "at whom", .names = s->name,
                      .value = s->value, .count = s->count + s->others };
    for (int i = 0; i < m.count * m.count; i++) m.darkest = fmax(m.darkest, s->value[i]);
    snprintf(title, sizeof title, "%s, layer %" PRId64, a->model, a->layer);
    text_add(out, "<figure>");
    name_matrix_svg(&m, out);
    text_add(out, "</figure>\n");
    free(s);
}

void page_attention(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    text_add(out, "<h2>Attention</h2>\n");
    if (!in->attention_count) {
        text_add(out, "<p>There is no map: ");
        text_add_escaped(out, in->no_attention);
        text_add(out, ".</p>\n");
        return;
    }
    text_add(out, "<p class=\"note\">The weights with which each token (row) takes up the values of all (columns), the "
                  "mean over heads and %" PRId64 " windows; over all tokens a row adds up to 1. Weights say where a "
                  "layer looks, not what comes of it: that is what the attributions above tell.</p>\n"
                  "<div class=\"matrix\">\n", in->windows);
    for (int64_t i = 0; i < in->attention_count; i++) put_map(&in->attention[i], out);
    text_add(out, "</div>\n");
}
