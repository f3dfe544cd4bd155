/* The words for a step: its names, pandas' among them, and what they ask of the stamps. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "calendar.h"
#include "step_week.h"

typedef struct unit_name { const char *name; time_unit unit; } unit_name;

/* The first name of a unit is the one printed. pandas' and the published scripts' names are understood too; of c, which
 * is pandas' for business days with holidays, the holidays are not known. */
static const unit_name unit_names[] = {
    { "s", UNIT_SECOND },        { "sec", UNIT_SECOND },   { "second", UNIT_SECOND }, { "seconds", UNIT_SECOND },
    { "min", UNIT_MINUTE },      { "t", UNIT_MINUTE },     { "minute", UNIT_MINUTE }, { "minutes", UNIT_MINUTE },
    { "h", UNIT_HOUR },          { "hour", UNIT_HOUR },    { "hours", UNIT_HOUR },    { "hourly", UNIT_HOUR },
    { "d", UNIT_DAY },           { "day", UNIT_DAY },      { "days", UNIT_DAY },      { "daily", UNIT_DAY },
    { "b", UNIT_BUSINESS_DAY },  { "c", UNIT_BUSINESS_DAY }, { "w", UNIT_WEEK },      { "week", UNIT_WEEK },
    { "weeks", UNIT_WEEK },      { "weekly", UNIT_WEEK },  { "m", UNIT_MONTH },       { "month", UNIT_MONTH },
    { "months", UNIT_MONTH },    { "monthly", UNIT_MONTH }, { "q", UNIT_QUARTER },    { "quarter", UNIT_QUARTER },
    { "quarterly", UNIT_QUARTER }, { "y", UNIT_YEAR },     { "a", UNIT_YEAR },        { "year", UNIT_YEAR },
    { "years", UNIT_YEAR },      { "yearly", UNIT_YEAR },
};
enum { UNIT_NAMES = sizeof unit_names / sizeof *unit_names };

/* pandas' words for the first and the last day of a month, quarter or year, in its own spelling: ms would be
 * milliseconds. The first of its kind is the one printed. */
static const struct edge { const char *name; time_unit unit; int32_t day; bool business; } edges[] = {
    { "MS", UNIT_MONTH, 1, false },   { "ME", UNIT_MONTH, 31, false },   { "BMS", UNIT_MONTH, 1, true },
    { "BME", UNIT_MONTH, 31, true },  { "BM", UNIT_MONTH, 31, true },    { "QS", UNIT_QUARTER, 1, false },
    { "QE", UNIT_QUARTER, 31, false }, { "BQS", UNIT_QUARTER, 1, true }, { "BQE", UNIT_QUARTER, 31, true },
    { "BQ", UNIT_QUARTER, 31, true }, { "YS", UNIT_YEAR, 1, false },     { "AS", UNIT_YEAR, 1, false },
    { "YE", UNIT_YEAR, 31, false },   { "BYS", UNIT_YEAR, 1, true },     { "BAS", UNIT_YEAR, 1, true },
    { "BYE", UNIT_YEAR, 31, true },   { "BA", UNIT_YEAR, 31, true },     { "BY", UNIT_YEAR, 31, true },
};
enum { EDGES = sizeof edges / sizeof *edges };

static const char *const weekdays[] = { "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", NULL };
static const char *const months[] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                      "AUG", "SEP", "OCT", "NOV", "DEC", NULL };

static const char *const *anchors_of(time_unit unit) {
    return unit == UNIT_WEEK ? weekdays : unit == UNIT_QUARTER || unit == UNIT_YEAR ? months : NULL;
}

/* ---- reading ---- */

static bool parse_unit(const char *name, time_step *step) {
    for (int i = 0; i < EDGES; i++)
        if (!strcmp(name, edges[i].name)) {
            step->unit = edges[i].unit, step->day = edges[i].day, step->business = edges[i].business;
            return true;
        }
    for (int i = 0; i < UNIT_NAMES; i++)
        if (!strcasecmp(name, unit_names[i].name)) return step->unit = unit_names[i].unit, true;
    return false;
}

/* "W-SUN", "QE-DEC": what stands behind the sign. */
static bool parse_anchor(const char *name, time_step *step) {
    const char *const *anchors = anchors_of(step->unit);
    for (int32_t i = 0; anchors && anchors[i]; i++)
        if (!strcmp(name, anchors[i])) return step->anchor = i + 1, true;
    return false;
}

bool step_parse(const char *text, time_step *step) {
    int32_t count = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && count < 100000; p++) count = count * 10 + (*p - '0');
    if (p > text && count == 0) return false;
    char   name[16];
    size_t length = strcspn(p, "-,");
    time_step read = { .count = p > text ? count : 1 };
    snprintf(name, sizeof name, "%.*s", (int)MIN2(length, sizeof name - 1), p);
    if (!parse_unit(name, &read)) return false;
    if (p[length] && !(p[length] == '-' ? parse_anchor(p + length + 1, &read) : week_parse(p + length, &read)))
        return false;
    return *step = read, true;
}

/* ---- writing ---- */

static const char *edge_name(time_step step) {
    for (int i = 0; i < EDGES; i++)
        if (edges[i].unit == step.unit && edges[i].day == step.day && edges[i].business == step.business)
            return edges[i].name;
    return NULL;
}

static const char *name_of(time_step step) {
    const char *name = step.business ? edge_name(step) : NULL;
    for (int i = 0; i < UNIT_NAMES && !name; i++)
        if (unit_names[i].unit == step.unit) name = unit_names[i].name;
    return name ? name : "none";
}

static void put(char buffer[STEP_TEXT], time_step step, const char *name, const char *anchor) {
    char count[16] = "";
    if (step.unit != UNIT_NONE && step.count != 1) snprintf(count, sizeof count, "%d", (int)step.count);
    snprintf(buffer, STEP_TEXT, "%s%s%s%s", count, name, anchor ? "-" : "", anchor ? anchor : "");
}

void step_print(char buffer[STEP_TEXT], time_step step) {
    put(buffer, step, name_of(step), NULL);
    if (step.sessions) week_print(buffer + strlen(buffer), STEP_TEXT - strlen(buffer), &step);
}

/* ---- what a word asks of the stamps ---- */

static bool holds_day(time_step step, calendar_date d) {
    int32_t first = step.business ? calendar_first_weekday(d.year, d.month) : 1,
            last  = step.business ? calendar_last_weekday(d.year, d.month) : calendar_month_days(d.year, d.month);
    return step.day == 1 ? d.day == first : step.day != 31 || d.day == last;
}

/* Q-DEC and Y-DEC are periods that end there: their stamps may be the first month of one, too. */
static bool holds_month(time_step step, int32_t month) {
    int64_t behind = floor_mod(month - step.anchor, step.unit == UNIT_QUARTER ? 3 : 12);
    return !step.anchor || behind == 0 || (behind == 1 && !step.day);
}

bool step_holds(time_step step, int64_t seconds) {
    int64_t days = floor_div(seconds, DAY_SECONDS);
    if (step.sessions) return week_holds(&step, seconds);
    if (step.unit == UNIT_WEEK) return !step.anchor || calendar_weekday(days) + 1 == step.anchor;
    if (!step_months(step)) return true;
    calendar_date d = calendar_date_of(days);
    return holds_day(step, d) && holds_month(step, d.month);
}

/* Four of five: the last day of trade in a month need not be its last weekday. */
bool step_holds_all(time_step step, const int64_t *time, int64_t rows, int64_t *first) {
    int64_t held = 0;
    *first = -1;
    for (int64_t i = 0; i < rows; i++) {
        bool holds = step_holds(step, time[i]);
        held += holds;
        if (!holds && *first < 0) *first = i;
    }
    return held * 5 >= rows * 4;
}

/* Of the months that the quarters may be named after, pandas takes the last one for ends and the first for starts. */
static const char *find_anchor(time_step *word, const int64_t *time, int64_t rows) {
    const char *const *anchors = anchors_of(word->unit);
    int32_t count = 0;
    int64_t misfit;
    while (anchors && anchors[count]) count++;
    for (int32_t i = 0; i < count; i++) {
        int32_t at = word->day == 1 ? i : count - 1 - i;
        word->anchor = at + 1;
        if (step_holds_all(*word, time, rows, &misfit)) return anchors[at];
    }
    return NULL;
}

void step_name(char buffer[STEP_TEXT], time_step found, const int64_t *time, int64_t rows) {
    if (found.sessions) return step_print(buffer, found);
    const char *name = edge_name(found);
    const char *anchor = name || found.unit == UNIT_WEEK ? find_anchor(&found, time, rows) : NULL;
    put(buffer, found, name ? name : anchor ? "W" : name_of(found), anchor);
}
