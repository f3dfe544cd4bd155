/* ---- time features: the calendar of a stamp, days since 1970 ---- */

enum { SECOND_OF_MINUTE, MINUTE_OF_HOUR, HOUR_OF_DAY, DAY_OF_WEEK, DAY_OF_MONTH, DAY_OF_YEAR, MONTH_OF_YEAR,
       WEEK_OF_YEAR };

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t weekday(int64_t days) { return days + 3 - floor_div(days + 3, 7) * 7; } /* 0: Monday */

/* Years begin in March, so that the leap day is the last of its year: day of year = (153 m + 2) / 5 + day - 1. */
static void date_of(int64_t days, int64_t *month, int64_t *day, int64_t *day_of_year) {
    const int64_t since = days + 719468 - floor_div(days + 719468, 146097) * 146097;
    const int64_t year = (since - since / 1460 + since / 36524 - since / 146096) / 365;
    const int64_t of_year = since - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
    const int64_t leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    *month = m < 10 ? m + 3 : m - 9, *day = of_year - (153 * m + 2) / 5 + 1;
    *day_of_year = *month > 2 ? of_year + 60 + leap : of_year - 305;
}

/* Within [-0.5, 0.5]. */
static double time_feature(int feature, int64_t seconds) {
    const int64_t days = floor_div(seconds, 86400), second = seconds - days * 86400;
    int64_t       month, day, day_of_year, thursday_of_year;
    date_of(days, &month, &day, &day_of_year);
    switch (feature) {
    case SECOND_OF_MINUTE: return (double)(second % 60) / 59 - 0.5;
    case MINUTE_OF_HOUR: return (double)(second / 60 % 60) / 59 - 0.5;
    case HOUR_OF_DAY: return (double)(second / 3600) / 23 - 0.5;
    case DAY_OF_WEEK: return (double)weekday(days) / 6.0 - 0.5;
    case DAY_OF_MONTH: return (double)(day - 1) / 30.0 - 0.5;
    case DAY_OF_YEAR: return (double)(day_of_year - 1) / 365.0 - 0.5;
    case MONTH_OF_YEAR: return (double)(month - 1) / 11.0 - 0.5;
    default: /* WEEK_OF_YEAR: a week belongs to the year that its Thursday lies in */
        date_of(days - weekday(days) + 3, &month, &day, &thursday_of_year);
        return (double)((thursday_of_year - 1) / 7) / 52.0 - 0.5;
    }
}

/* They are the tokens behind those of the columns. false: a time lies outside the years 0 to 9999. */
static int take_times(const int64_t *time_s) {
    for (int i = 0; i < SEQ_LEN; i++) {
        if (time_s[i] < -62167219200 || time_s[i] > 253402300799) return 0;
        for (int m = 0; m < MARKS; m++)
            series[(COLUMNS + m) * SEQ_LEN + i] = (float)time_feature(marks[m], time_s[i]);
    }
    return 1;
}
