/* What changes from spectrum to spectrum: a chart a quantity, over the times of a plate or in the order of files. */
#include <math.h>
#include <stdlib.h>

#include "draw/chart.h"
#include "page.h"

enum { CONDITIONS = 5, SERIES = CONDITIONS + 2, GONE_MOST = 40, DOUBTFUL = 7, BOUND = 2 };
static const int colours[CONDITIONS] = { 1, 3, 4, 5, 6 };

typedef struct trend {
    const batch_rows *rows;
    const page_column *column;
    bool by_time;
    const char *condition[CONDITIONS]; /* "": there is none */
    int conditions;
    double *memory; /* x, then y, low and high of each series */
    plot_series series[SERIES];
    plot_marker gone[GONE_MOST]; /* without an answer */
    int64_t count, markers, hidden;
} trend;

/* ---- over what ---- */

/* Most of the answers have one, and not all the same. */
static bool has_times(const batch_rows *rows) {
    double low = INFINITY, high = -INFINITY;
    int64_t count = 0;
    for (int64_t i = 0; rows->plate && i < rows->count; i++) {
        double time = rows->row[i].time_number;
        if (*rows->row[i].reason || !isfinite(time)) continue;
        low = fmin(low, time), high = fmax(high, time), count++;
    }
    return low < high && 2 * count > rows->answered;
}

/* One series where there are no conditions, or too many to tell apart. */
static void find_conditions(trend *t) {
    t->conditions = 0;
    for (int64_t i = 0; i < t->rows->count; i++) {
        const char *of = t->rows->row[i].condition;
        int k = 0;
        while (k < t->conditions && strcmp(t->condition[k], of)) k++;
        if (k < t->conditions) continue;
        if (k == CONDITIONS) break;
        t->condition[t->conditions++] = of;
        if (k + 1 == CONDITIONS) k = CONDITIONS;
    }
    for (int64_t i = 0; i < t->rows->count; i++) {
        bool known = false;
        for (int k = 0; k < t->conditions; k++) known |= !strcmp(t->condition[k], t->rows->row[i].condition);
        if (!known) t->conditions = 0;
    }
}

/* ---- series ---- */

static bool is_bound(const page_value *v) {
    return v->state == EIS_PARAMETER_AT_LOW || v->state == EIS_PARAMETER_AT_HIGH;
}

/* Of a condition (-1: all of them), those that are doubtful (-2), those on a bound (-3). */
static bool wanted(const trend *t, const batch_row *r, int what, page_value *v) {
    if (!page_value_of(r, t->column, v)) return false;
    if (what == -3) return is_bound(v);
    if (is_bound(v) || v->state == EIS_PARAMETER_OPEN || v->error > fabs(v->value)) return false;
    return what == -2 ? page_is_doubtful(r) : what == -1 || !strcmp(t->condition[what], r->condition);
}

static void add_series(trend *t, int what, plot_series like) {
    int64_t n = t->rows->count, shown = 0;
    double *y = t->memory + n * (1 + 3 * t->count), *low = y + n, *high = low + n;
    for (int64_t i = 0; i < n; i++) {
        page_value v;
        bool here = isfinite(t->memory[i]) && wanted(t, &t->rows->row[i], what, &v);
        double error = here && v.error > 0 ? v.error : 0;
        y[i] = here ? v.value : (double)NAN;
        low[i] = y[i] - error, high[i] = y[i] + error;
        shown += here;
    }
    if (!shown) return;
    like.x = t->memory, like.y = y, like.y_lower = low, like.y_upper = high, like.count = n;
    t->series[t->count++] = like;
}

static void add_all(trend *t) {
    if (t->conditions < 2) add_series(t, -1, (plot_series){ .style = PLOT_ERRORS, .colour = colours[0] });
    for (int k = 0; t->conditions > 1 && k < t->conditions; k++) {
        const char *name = *t->condition[k] ? t->condition[k] : "no condition";
        add_series(t, k, (plot_series){ .name = name, .style = PLOT_ERRORS, .colour = colours[k] });
    }
    add_series(t, -2, (plot_series){ .name = "doubtful", .style = PLOT_RINGS, .colour = DOUBTFUL });
    add_series(t, -3, (plot_series){ .name = "on a bound", .style = PLOT_CROSSES, .colour = BOUND });
}

static void place_rows(trend *t) {
    for (int64_t i = 0; i < t->rows->count; i++) {
        const batch_row *r = &t->rows->row[i];
        double x = t->by_time ? r->time_number : (double)(r->order + 1);
        t->memory[i] = x;
        if (*r->reason && isfinite(x) && t->markers < GONE_MOST) t->gone[t->markers++] = (plot_marker){ x, NULL };
    }
}

static void put_trend(trend *t, text *out) {
    const page_column *c = t->column;
    text label = { 0 };
    bool scaled = *c->unit && *c->unit != 'u';
    text_add(&label, scaled || !*c->unit ? "%s" : "%s (%s)", c->name, c->unit);
    plot p = { .title = c->name,
               .x_label = t->by_time ? "time" : "spectrum",
               .y_label = label.data,
               .y_unit = scaled ? c->unit : NULL,
               .x_is_whole = !t->by_time,
               .series = t->series,
               .series_count = t->count,
               .markers = t->gone,
               .marker_count = t->markers };
    text_add(out, "<figure>");
    if (!label.failed) chart_svg(&p, out);
    text_add(out, "</figure>\n");
    out->failed = out->failed || label.failed;
    text_free(&label);
}

void page_trends(const batch_rows *rows, const page_columns *columns, text *out) {
    trend t = { .rows = rows, .by_time = has_times(rows) };
    if (rows->answered < 2 || !columns->count) return;
    t.memory = malloc(sizeof *t.memory * (size_t)(rows->count * (1 + 3 * SERIES)));
    out->failed = out->failed || !t.memory;
    if (!t.memory) return;
    find_conditions(&t);
    place_rows(&t);
    text_add(out, "<h2>Trends</h2>\n<p class=\"note\">Bars are standard errors. A ring: flawed data, or a circuit that "
                  "cannot have made them. A cross: on a bound, so no measurement. A dashed line: no answer. What the "
                  "data do not determine is left out.</p>\n<div class=\"charts\">\n");
    for (int k = 0; k < columns->count; k++) {
        t.column = &columns->of[k], t.count = 0;
        add_all(&t);
        if (t.count) put_trend(&t, out);
    }
    text_add(out, "</div>\n");
    free(t.memory);
}
