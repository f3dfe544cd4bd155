#include "calendar.h"

enum { ERA_DAYS = 146097, EPOCH = 719468 };  /* 400 years; days from 0000-03-01 to 1970-01-01 */

/* Years start in March, so that the leap day is the last of its year: day of year = (153 m + 2) / 5 + day - 1. */
int64_t calendar_days(calendar_date date) {
    int64_t year = date.year - (date.month <= 2);
    int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
    int64_t month = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH;
}

calendar_date calendar_date_of(int64_t days) {
    days += EPOCH;
    int64_t era = floor_div(days, ERA_DAYS), day_of_era = days - era * ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (ERA_DAYS - 1)) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    calendar_date date = { .month = (int32_t)(month < 10 ? month + 3 : month - 9),
                           .day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1) };
    date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2));
    return date;
}

int32_t calendar_month_days(int32_t year, int32_t month) {
    static const int32_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

int32_t calendar_weekday(int64_t days) { return (int32_t)floor_mod(days + 3, 7); }  /* 1970-01-01 was a Thursday */

int32_t calendar_day_of_year(int64_t days) {
    calendar_date first = { calendar_date_of(days).year, 1, 1 };
    return (int32_t)(days - calendar_days(first)) + 1;
}

/* A week belongs to the year that its Thursday lies in. */
int32_t calendar_iso_week(int64_t days) {
    int64_t thursday = days - calendar_weekday(days) + 3;
    return (calendar_day_of_year(thursday) - 1) / 7 + 1;
}

int32_t calendar_first_weekday(int32_t year, int32_t month) {
    int32_t weekday = calendar_weekday(calendar_days((calendar_date){ year, month, 1 }));
    return weekday > 4 ? 8 - weekday : 1;
}

int32_t calendar_last_weekday(int32_t year, int32_t month) {
    int32_t last = calendar_month_days(year, month),
            weekday = calendar_weekday(calendar_days((calendar_date){ year, month, last }));
    return weekday > 4 ? last - (weekday - 4) : last;
}

int32_t calendar_iso_year(int64_t days) { return calendar_date_of(days - calendar_weekday(days) + 3).year; }
