/* Time features of a stamp, each in [-0.5, 0.5]. */
#include "calendar.h"
#include "frame.h"
#include "marks.h"

static const mark_feature sets[UNIT_YEAR + 1][MOST_MARKS] = {
    [UNIT_SECOND] = { SECOND_OF_MINUTE, MINUTE_OF_HOUR, HOUR_OF_DAY, DAY_OF_WEEK, DAY_OF_MONTH, DAY_OF_YEAR },
    [UNIT_MINUTE] = { MINUTE_OF_HOUR, HOUR_OF_DAY, DAY_OF_WEEK, DAY_OF_MONTH, DAY_OF_YEAR },
    [UNIT_HOUR] = { HOUR_OF_DAY, DAY_OF_WEEK, DAY_OF_MONTH, DAY_OF_YEAR },
    [UNIT_DAY] = { DAY_OF_WEEK, DAY_OF_MONTH, DAY_OF_YEAR },
    [UNIT_BUSINESS_DAY] = { DAY_OF_WEEK, DAY_OF_MONTH, DAY_OF_YEAR },
    [UNIT_WEEK] = { DAY_OF_MONTH, WEEK_OF_YEAR },
    [UNIT_MONTH] = { MONTH_OF_YEAR },
    [UNIT_QUARTER] = { MONTH_OF_YEAR },
};

const mark_feature *marks_of(time_step step) { return sets[step.unit]; }

const char *mark_name(mark_feature f) {
    static const char *const names[] = {
        [SECOND_OF_MINUTE] = "second of minute", [MINUTE_OF_HOUR] = "minute of hour", [HOUR_OF_DAY] = "hour of day",
        [DAY_OF_WEEK] = "day of week",           [DAY_OF_MONTH] = "day of month",     [DAY_OF_YEAR] = "day of year",
        [MONTH_OF_YEAR] = "month of year",       [WEEK_OF_YEAR] = "week of year",
    };
    return f == NO_FEATURE ? "time" : names[f];
}

int32_t marks_count(time_step step) {
    int32_t count = 0;
    while (count < MOST_MARKS && sets[step.unit][count] != NO_FEATURE) count++;
    return count;
}

static double feature_value(mark_feature f, int64_t days, int64_t second_of_day) {
    switch (f) {
    case SECOND_OF_MINUTE: return (double)(second_of_day % 60) / 59;
    case MINUTE_OF_HOUR: return (double)(second_of_day / 60 % 60) / 59;
    case HOUR_OF_DAY: return (double)(second_of_day / 3600) / 23;
    case DAY_OF_WEEK: return calendar_weekday(days) / 6.0;
    case DAY_OF_MONTH: return (calendar_date_of(days).day - 1) / 30.0;
    case DAY_OF_YEAR: return (calendar_day_of_year(days) - 1) / 365.0;
    case MONTH_OF_YEAR: return (calendar_date_of(days).month - 1) / 11.0;
    case WEEK_OF_YEAR: return (calendar_iso_week(days) - 1) / 52.0;
    case NO_FEATURE: break;
    }
    return 0;
}

void marks_fill(int64_t seconds, time_step step, float *marks) {
    int64_t days = floor_div(seconds, DAY_SECONDS), second_of_day = seconds - days * DAY_SECONDS;
    int32_t count = marks_count(step);
    for (int32_t i = 0; i < count; i++)
        marks[i] = (float)(feature_value(sets[step.unit][i], days, second_of_day) - 0.5);
}
