/* Times of requests. Files have many more forms of them; those are read by the application (forecast/read). */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "record.h"

/* Days since 1970-01-01 in the Gregorian calendar (Fliegel and van Flandern's way of counting from March). */
static int64_t days_of(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, y = year - era * 400;
    int64_t d = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + y * 365 + y / 4 - y / 100 + d - 719468;
}

/* From `least` to two digits, or four; NULL: they are not there. */
static const char *digits(const char *s, int least, int most, int *out) {
    int count = 0;
    for (*out = 0; count < most && s[count] >= '0' && s[count] <= '9'; count++) *out = *out * 10 + (s[count] - '0');
    return count < least ? NULL : s + count;
}

/* Two numbers of so many digits, and what stands between them; 0: nothing. */
static const char *pair(const char *s, int least, char between, int *first, int *second) {
    if (!(s = digits(s, least, 2, first)) || (between && *s++ != between)) return NULL;
    return digits(s, least, 2, second);
}

static bool offset_of(const char *s, int64_t *seconds) {
    int hours, minutes;
    *seconds = 0;
    if (!*s || strcmp(s, "Z") == 0) return true;
    if (*s != '+' && *s != '-') return false;
    const char *end = pair(s + 1, 1, ':', &hours, &minutes);
    if (!end && !(end = pair(s + 1, 2, 0, &hours, &minutes))) return false;
    *seconds = (*s == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return !*end;
}

/* "05" or "5.25". */
static const char *seconds_of(const char *s, double *out) {
    int         whole;
    const char *end = digits(s, 1, 2, &whole);
    *out = whole;
    if (!end || *end != '.') return end;
    for (end++; *end >= '0' && *end <= '9'; end++) continue;
    *out = num_parse(s, NULL);
    return end;
}

bool request_time_scan(const char *text, double *seconds) {
    int     year, month, day, hour = 0, minute = 0;
    double  second = 0;
    int64_t offset;
    const char *s = digits(text, 4, 4, &year);
    if (!s || *s++ != '-' || !(s = pair(s, 2, '-', &month, &day))) return false;
    if (*s == 'T' || *s == ' ') {
        if (!(s = pair(s + 1, 1, ':', &hour, &minute))) return false;
        if (*s == ':' && !(s = seconds_of(s + 1, &second))) return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second >= 61) return false;
    if (!offset_of(s, &offset)) return false;
    *seconds = (double)(days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 - offset) + second;
    return true;
}

/* The inverse of days_of. */
static void date_of(int64_t days, int *year, int *month, int *day) {
    int64_t since = days + 719468, era = (since >= 0 ? since : since - 146096) / 146097, d = since - era * 146097;
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365, in_year = d - (365 * y + y / 4 - y / 100);
    int     m = (int)((5 * in_year + 2) / 153);
    *day   = (int)(in_year - (153 * m + 2) / 5 + 1);
    *month = m < 10 ? m + 3 : m - 9;
    *year  = (int)(y + era * 400 + (*month <= 2));
}

static char *put(char *out, int value, int count, char behind) {
    for (int i = count; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
    out[count] = behind;
    return out + count + 1;
}

void request_time_print(char out[32], int64_t seconds) {
    static const int64_t day_s = 86400, first = -62167219200, last = 253402300799; /* the years 0 to 9999 */
    int year, month, day;
    if (seconds < first || seconds > last) {
        snprintf(out, 32, "null");
        return;
    }
    int64_t days = (seconds - first) / day_s + first / day_s, rest = seconds - days * day_s;
    date_of(days, &year, &month, &day);
    out = put(put(put(out, year, 4, '-'), month, 2, '-'), day, 2, ' ');
    put(put(put(out, (int)(rest / 3600), 2, ':'), (int)(rest / 60 % 60), 2, ':'), (int)(rest % 60), 2, 0);
}
