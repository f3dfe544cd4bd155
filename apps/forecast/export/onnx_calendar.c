/* calendar.c and marks.c as ONNX nodes. ONNX divides whole numbers towards zero, so days are counted from a day before
 * all of them; Mod has the sign of its divisor. */
#include "onnx_calendar.h"

enum { ERA_DAYS = 146097, EPOCH = 719468, DAY = 86400 };

static onnx_value with(onnx_graph *g, const char *op, onnx_value a, int64_t b) {
    return onnx_binary(g, op, a, onnx_whole(g, b));
}

static onnx_value linear(onnx_graph *g, onnx_value a, int64_t scale, int64_t offset) {
    return with(g, "Add", with(g, "Mul", a, scale), offset);
}

/* a - b + c ... of whole numbers. */
static onnx_value minus(onnx_graph *g, onnx_value a, onnx_value b) { return onnx_binary(g, "Sub", a, b); }
static onnx_value plus(onnx_graph *g, onnx_value a, onnx_value b) { return onnx_binary(g, "Add", a, b); }

/* 0 or 1: a mod b is 0. */
static onnx_value divides(onnx_graph *g, onnx_value a, int64_t b) {
    return onnx_cast(g, with(g, "Equal", with(g, "Mod", a, b), 0), ONNX_INT64);
}

typedef struct date { onnx_value month, day, day_of_year; } date;

static onnx_value choose(onnx_graph *g, onnx_value condition, onnx_value yes, onnx_value no) {
    return onnx_node(g, "Where", (onnx_value[]){ condition, yes, no }, 3, NULL);
}

/* The leap day of the year that begins in March of `year` of an era: 1, or 0. */
static onnx_value leap(onnx_graph *g, onnx_value year) {
    onnx_value by4 = divides(g, year, 4), by100 = divides(g, year, 100), by400 = divides(g, year, 400);
    return plus(g, minus(g, by4, by100), by400);
}

/* calendar_date_of: years begin in March. */
static date date_of(onnx_graph *g, onnx_value days) {
    onnx_value since = with(g, "Mod", with(g, "Add", days, EPOCH), ERA_DAYS);
    onnx_value whole = minus(g, plus(g, minus(g, since, with(g, "Div", since, 1460)), with(g, "Div", since, 36524)),
                             with(g, "Div", since, ERA_DAYS - 1));
    onnx_value year  = with(g, "Div", whole, 365);
    onnx_value before =
        minus(g, plus(g, with(g, "Mul", year, 365), with(g, "Div", year, 4)), with(g, "Div", year, 100));
    onnx_value of_year = minus(g, since, before), m = with(g, "Div", linear(g, of_year, 5, 2), 153);
    onnx_value early   = with(g, "Less", m, 10); /* March to December */
    return (date){
        .month = choose(g, early, with(g, "Add", m, 3), with(g, "Sub", m, 9)),
        .day   = with(g, "Add", minus(g, of_year, with(g, "Div", linear(g, m, 153, 2), 5)), 1),
        .day_of_year =
            choose(g, early, with(g, "Add", plus(g, of_year, leap(g, year)), 60), with(g, "Sub", of_year, 305)),
    };
}

/* ---- features ---- */

typedef struct stamp { onnx_value second, weekday; date date, thursday; } stamp;

static stamp stamp_of(onnx_graph *g, onnx_value seconds) {
    stamp s;
    s.second = with(g, "Mod", seconds, DAY);
    onnx_value days = with(g, "Div", minus(g, seconds, s.second), DAY);
    s.weekday  = with(g, "Mod", with(g, "Add", days, 3), 7);
    s.date     = date_of(g, days);
    s.thursday = date_of(g, with(g, "Add", minus(g, days, s.weekday), 3));
    return s;
}

/* The whole number that the feature counts, and its largest value. */
static onnx_value count_of(onnx_graph *g, mark_feature f, const stamp *s, double *most) {
    switch (f) {
    case SECOND_OF_MINUTE: return *most = 59, with(g, "Mod", s->second, 60);
    case MINUTE_OF_HOUR: return *most = 59, with(g, "Mod", with(g, "Div", s->second, 60), 60);
    case HOUR_OF_DAY: return *most = 23, with(g, "Div", s->second, 3600);
    case DAY_OF_WEEK: return *most = 6, s->weekday;
    case DAY_OF_MONTH: return *most = 30, with(g, "Sub", s->date.day, 1);
    case DAY_OF_YEAR: return *most = 365, with(g, "Sub", s->date.day_of_year, 1);
    case MONTH_OF_YEAR: return *most = 11, with(g, "Sub", s->date.month, 1);
    case WEEK_OF_YEAR: return *most = 52, with(g, "Div", with(g, "Sub", s->thursday.day_of_year, 1), 7);
    case NO_FEATURE: break;
    }
    return *most = 1, s->second;
}

onnx_value onnx_marks(onnx_graph *g, onnx_value seconds, time_step step, int64_t count) {
    const mark_feature *features = marks_of(step);
    onnx_value          rows[MOST_MARKS];
    stamp               s    = stamp_of(g, seconds);
    onnx_value          axis = onnx_wholes(g, (const int64_t[]){ 1 }, 1);
    for (int64_t i = 0; i < count; i++) {
        double     most;
        onnx_value whole = onnx_cast(g, count_of(g, features[i], &s, &most), ONNX_FLOAT);
        onnx_value share = onnx_binary(g, "Sub", onnx_binary(g, "Div", whole, onnx_float(g, most)), onnx_float(g, 0.5));
        rows[i] = onnx_binary(g, "Unsqueeze", share, axis);
    }
    return onnx_node(g, "Concat", rows, (int)count, ONNX_INT("axis", 1));
}
