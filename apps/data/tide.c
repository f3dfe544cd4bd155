/* A series with the physics left in: tides are sums of a few cosines whose speeds the sky fixes, water answers to air
 * pressure (one cm a hPa) and is pushed by wind, and weather is what cannot be foretold. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "base/philox.h"
#include "data.h"
#include "files/owned.h"

enum { CONSTITUENTS = 9, PORTS = 5 };

/* Degrees an hour (Schureman 1958, table 2). M4 is the shallow-water overtide of M2. */
static const double speed_deg_h[CONSTITUENTS] = {
    /* M2 */ 28.9841042, /* S2 */ 30.0,       /* N2 */ 28.4397295, /* K1 */ 15.0410686, /* O1 */ 13.9430356,
    /* K2 */ 30.0821373, /* P1 */ 14.9589314, /* Q1 */ 13.3986609, /* M4 */ 57.9682084,
};

/* Rounded amplitudes and phase lags along the Channel and the North Sea: right in size and order, not for
 * navigation. */
typedef struct port {
    const char *name;
    double mean_cm, amplitude_cm[CONSTITUENTS], lag_deg[CONSTITUENTS];
    double wind_east_cm, wind_north_cm;  /* rise for a wind of 1 m/s from the west, from the north */
} port;

static const port ports[PORTS] = {
    { "brest", 413, { 205, 75, 42, 6.5, 6.8, 21, 2.2, 2.1, 5.5 }, { 109, 148, 90, 75, 325, 145, 65, 280, 110 }, 0.4,
      -0.3 },
    { "newlyn", 317, { 171, 57, 33, 6.3, 5.3, 16.5, 2.0, 1.6, 11 }, { 135, 178, 115, 110, 345, 175, 102, 300, 170 },
      0.5, -0.4 },
    { "dover", 376, { 224, 71, 41, 5.0, 5.9, 20, 1.8, 1.8, 26 }, { 331, 24, 308, 45, 182, 22, 38, 130, 220 }, 0.7,
      0.9 },
    { "vlissingen", 2, { 175, 48, 29, 6.9, 11, 14, 2.9, 3.6, 13 }, { 59, 117, 34, 6, 195, 117, 352, 145, 119 }, 1.1,
      1.2 },
    { "cuxhaven", 8, { 135, 34, 21, 6.6, 8.7, 9.8, 2.5, 2.8, 9.5 }, { 340, 48, 317, 45, 251, 46, 39, 198, 175 }, 2.1,
      1.1 },
};

/* First-order autoregressions by the hour, driven by normal noise. */
typedef struct weather {
    double east_ms, north_ms, pressure_hpa, front;
} weather;

typedef struct job {
    int64_t       rows;
    uint64_t      seed;
    tide_failure *failure;
} job;

/* Two standard normals for an hour and a purpose. */
static void normals(uint64_t seed, int64_t hour, uint32_t purpose, double out[2]) {
    double u = ((double)philox_word(seed, purpose, 0, (uint32_t)hour, 0) + 0.5) / 4294967296.0;
    double v = ((double)philox_word(seed, purpose, 0, (uint32_t)hour, 1) + 0.5) / 4294967296.0;
    double radius = sqrt(-2 * log(u));
    out[0] = radius * cos(2 * M_PI * v);
    out[1] = radius * sin(2 * M_PI * v);
}

static void weather_step(weather *w, uint64_t seed, int64_t hour) {
    double wind[2], air[2], season = cos(2 * M_PI * (double)hour / 8766.0);  /* strongest in January */
    normals(seed, hour, 0, wind);
    normals(seed, hour, 1, air);
    w->front        = 0.985 * w->front + 0.20 * air[0];  /* deepening and filling of lows */
    w->pressure_hpa += 0.02 * (1013.5 - w->pressure_hpa) + 0.25 * w->front + 0.1 * air[1];
    w->east_ms      += 0.04 * (3.0 + 1.5 * season - 1.2 * w->front - w->east_ms) + (1.0 + 0.3 * season) * wind[0];
    w->north_ms     += 0.04 * (-1.0 - w->north_ms) + 0.9 * wind[1];
}

static double level_cm(const port *p, const weather *w, int64_t hour, double noise) {
    double level =
        p->mean_cm + p->wind_east_cm * w->east_ms + p->wind_north_cm * w->north_ms - (w->pressure_hpa - 1013.5);
    for (int i = 0; i < CONSTITUENTS; i++)
        level += p->amplitude_cm[i] * cos((fmod(speed_deg_h[i] * (double)hour, 360.0) - p->lag_deg[i]) * M_PI / 180);
    return level + 1.5 * noise;
}

/* Civil date of a day number since 2023-01-01 (after Hinnant's algorithm, which counts from 0000-03-01). */
static void put_date(FILE *out, int64_t hour) {
    int64_t days = hour / 24 + 738826, era = days / 146097, day = days % 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t in_year = day - (365 * year + year / 4 - year / 100), month = (5 * in_year + 2) / 153;
    int64_t civil = month < 10 ? month + 3 : month - 9;
    fprintf(out, "%04" PRId64 "-%02" PRId64 "-%02" PRId64 " %02" PRId64 ":00:00", year + era * 400 + (civil <= 2),
            civil,
            in_year - (153 * month + 2) / 5 + 1, hour % 24);
}

/* With one decimal, in the C locale whatever the host set. */
static void put_tenths(FILE *out, double v) {
    long long tenths = llround(v * 10);
    fprintf(out, ",%s%lld.%lld", tenths < 0 ? "-" : "", llabs(tenths) / 10, llabs(tenths) % 10);
}

static tide_status write_rows(void *user, void *stdio_file) {
    const job *j = user;
    FILE *out = stdio_file;
    weather w = { 3.0, -1.0, 1013.5, 0 };
    fputs("date", out);
    for (int i = 0; i < PORTS; i++) fprintf(out, ",%s_cm", ports[i].name);
    fputs(",wind_east_ms,wind_north_ms,pressure_hpa\n", out);
    for (int64_t hour = 0; hour < j->rows; hour++) {
        double noise[PORTS + 1];
        for (uint32_t i = 0; i < PORTS; i += 2) normals(j->seed, hour, 2 + i, noise + i);
        weather_step(&w, j->seed, hour);
        put_date(out, hour);
        for (int i = 0; i < PORTS; i++) put_tenths(out, level_cm(&ports[i], &w, hour, noise[i]));
        put_tenths(out, w.east_ms);
        put_tenths(out, w.north_ms);
        put_tenths(out, w.pressure_hpa);
        fputc('\n', out);
    }
    return TIDE_OK;
}

tide_status data_make_tide(const char *path, int64_t rows, uint64_t seed, bool overwrite, tide_failure *failure) {
    enum { MOST_ROWS = 100000000 };
    if (rows < 1 || rows > MOST_ROWS)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "rows", "`rows` is %" PRId64 "; 1 to %d are accepted", rows,
                       MOST_ROWS);
    tide_status status = output_check(path, "FILE", overwrite, NULL, (const char *const[]){ NULL }, failure);
    if (status != TIDE_OK) return status;
    return tide_file_replace(path, write_rows, &(job){ rows, seed, failure }, failure);
}
