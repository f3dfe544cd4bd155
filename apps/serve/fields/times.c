/* Times of requests. Files have many more forms of them; those are read by the application (forecast/read). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "record.h"

/* Days since 1970-01-01 in the Gregorian calendar (Fliegel and van Flandern's way of counting from March). */
static int64_t days_of(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, y = year - era * 400;
    int64_t d = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + y * 365 + y / 4 - y / 100 + d - 719468;
}

static bool offset_of(const char *s, int64_t *seconds) {
    int hours, minutes = 0, used = 0;
    *seconds = 0;
    if (!*s) return true;
    if (strcmp(s, "Z") == 0) return true;
    if (*s != '+' && *s != '-') return false;
    if (sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &used) < 2 &&
        sscanf(s + 1, "%2d%2d%n", &hours, &minutes, &used) < 2)
        return false;
    *seconds = (*s == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return s[1 + used] == 0;
}

bool request_time_scan(const char *text, double *seconds) {
    int     year, month, day, hour = 0, minute = 0, used = 0, more = 0;
    double  second = 0;
    int64_t offset;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || used != 10) return false;
    text += used;
    if (*text == 'T' || *text == ' ') {
        if (sscanf(text + 1, "%2d:%2d%n", &hour, &minute, &used) != 2) return false;
        text += 1 + used;
        if (*text == ':' && sscanf(text + 1, "%lf%n", &second, &more) == 1) text += 1 + more;
    }
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second < 0 || second >= 61)
        return false;
    if (hour < 0 || minute < 0 || !offset_of(text, &offset)) return false;
    *seconds = (double)(days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 - offset) + second;
    return true;
}

void request_time_print(char out[32], int64_t seconds) {
    time_t    at = (time_t)seconds;
    struct tm utc;
    if (!gmtime_r(&at, &utc) || !strftime(out, 32, "%Y-%m-%d %H:%M:%S", &utc)) snprintf(out, 32, "null");
}
