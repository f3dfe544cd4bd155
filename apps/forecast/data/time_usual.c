/* The stamps of nearly all files, 2016-07-01 00:00:00, read at once: a file may have millions. */
#include <string.h>

#include "calendar.h"
#include "frame.h"

static bool two_digits(const char *at, int32_t *value) {
    unsigned tens = (unsigned)(at[0] - '0'), ones = (unsigned)(at[1] - '0');
    *value = (int32_t)(10 * tens + ones);
    return tens < 10 && ones < 10;
}

bool time_parse_usual(const char *text, int64_t *seconds, time_format *format) {
    static const time_format usual = { .kind = 'd', .shape = DATE_YMD, .separator = '-', .padded = true,
                                       .hour_padded = true, .middle = ' ', .seconds = true, .colon = ':' };
    int32_t century, year, hour, minute, second;
    calendar_date d;
    if (strnlen(text, 20) != 19 || text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' ||
        text[16] != ':' || !two_digits(text, &century) || !two_digits(text + 2, &year) ||
        !two_digits(text + 5, &d.month) || !two_digits(text + 8, &d.day) || !two_digits(text + 11, &hour) ||
        !two_digits(text + 14, &minute) || !two_digits(text + 17, &second))
        return false;
    d.year = century * 100 + year;
    if (d.month < 1 || d.month > 12 || d.day < 1 || d.day > calendar_month_days(d.year, d.month) || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    *seconds = calendar_days(d) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    *format  = usual;
    return true;
}
