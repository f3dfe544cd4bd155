/* Time zones: files made here by their format's rules, whole and damaged, and the system's own where it has them. */
#include "data_support.h"
#include "forecast/data/calendar.h"
#include "forecast/data/zone.h"
#include "forecast/data/zoned.h"

/* ---- files of a zone ---- */

typedef struct file { unsigned char bytes[4096]; size_t size; } file;

static void put(file *f, int64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; i--) f->bytes[f->size++] = (unsigned char)((uint64_t)value >> (8 * i));
}

static void put_header(file *f, char version, int times, int types) {
    memcpy(f->bytes + f->size, "TZif", 4), f->size += 4;
    put(f, version, 1);
    for (int i = 0; i < 15; i++) put(f, 0, 1);
    const int counts[6] = { 0, 0, 0, times, types, 4 };
    for (int i = 0; i < 6; i++) put(f, counts[i], 4);
}

static void put_body(file *f, int time, const zone_change *changes, int count, int64_t first) {
    for (int i = 0; i < count; i++) put(f, changes[i].at, time);
    for (int i = 0; i < count; i++) put(f, i + 1, 1);
    for (int i = -1; i < count; i++) put(f, i < 0 ? first : changes[i].offset, 4), put(f, 0, 2);
    put(f, 0x41424300, 4); /* ABC */
}

/* version 0: 32-bit times and no rule. */
static file make_file(char version, const zone_change *changes, int count, int64_t first, const char *rule) {
    file f = { .size = 0 };
    put_header(&f, version, version ? 0 : count, version ? 1 : count + 1);
    put_body(&f, 4, changes, version ? 0 : count, first);
    if (!version) return f;
    put_header(&f, version, count, count + 1);
    put_body(&f, 8, changes, count, first);
    f.size += (size_t)sprintf((char *)f.bytes + f.size, "\n%s\n", rule);
    return f;
}

static zone *zone_of(char version, const zone_change *changes, int count, int64_t first, const char *rule) {
    file  f = make_file(version, changes, count, first, rule);
    zone *z = NULL;
    if (!zone_parse(f.bytes, f.size, &z) || !z) fail_msg("'%s' is not read", rule);
    return z;
}

static zone *zone_of_rule(const char *rule, int64_t first) { return zone_of('2', NULL, 0, first, rule); }

static int64_t at(int32_t year, int32_t month, int32_t day, int hour) {
    return calendar_days((calendar_date){ year, month, day }) * DAY_SECONDS + hour * 3600;
}

/* ---- rules ---- */

/* The last Sunday of a month, by looking. */
static int64_t last_sunday(int32_t year, int32_t month) {
    int64_t day = calendar_days((calendar_date){ year, month, calendar_month_days(year, month) });
    while (calendar_weekday(day) != 6) day--;
    return day * DAY_SECONDS;
}

/* The European Union's: from the last Sunday of March to that of October, at 01:00 UTC, for ever. */
static void test_rule_of_berlin(void **state) {
    (void)state;
    zone *z = zone_of_rule("CET-1CEST,M3.5.0,M10.5.0/3", 3600);
    for (int32_t year = 1970; year < 9999; year += year < 2500 ? 1 : 97) {
        int64_t summer = last_sunday(year, 3) + 3600, winter = last_sunday(year, 10) + 3600;
        assert_int_equal(zone_offset(z, summer - 1), 3600);
        assert_int_equal(zone_offset(z, summer), 7200);
        assert_int_equal(zone_offset(z, winter - 1), 7200);
        assert_int_equal(zone_offset(z, winter), 3600);
    }
    zone_free(z);
}

static void test_rules(void **state) {
    (void)state;
    static const struct { const char *rule; int64_t standard, summer; int32_t month, day, hour; } cases[] = {
        /* in 2030, by hand from a calendar: the first instant of summer time, in UTC */
        { "EST5EDT,M3.2.0,M11.1.0", -18000, -14400, 3, 10, 7 },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", 36000, 39600, 10, 5, 16 },
        { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37800, 39600, 10, 5, 15 },   /* 15:30 */
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600, 3, 31, 1 },         /* 23:00 the day before */
        { "IST-1GMT0,M10.5.0,M3.5.0/1", 3600, 0, 10, 27, 1 },                  /* winter is the exception */
        { "A0B,J60/0,J61/0", -1, -1, 0, 0, 0 },                                /* a name of one letter */
        { "AAA0BBB,J60/0,J300/0", 0, 3600, 3, 1, 0 },
        { "AAA0BBB,59/0,299/0", 0, 3600, 3, 1, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        zone *z = zone_new(1 + ZONE_RULE_CHANGES);
        zone_add(z, INT64_MIN, cases[i].standard);
        bool read = zone_add_rule(z, cases[i].rule);
        if (read != (cases[i].month > 0)) fail_msg("'%s': read is %d", cases[i].rule, read);
        if (read) {
            int64_t begin = at(2030, cases[i].month, cases[i].day, cases[i].hour);
            if (strstr(cases[i].rule, "1030")) begin += 1800;
            if (zone_offset(z, begin - 1) != cases[i].standard || zone_offset(z, begin) != cases[i].summer)
                fail_msg("'%s' does not change at %lld", cases[i].rule, (long long)begin);
        }
        zone_free(z);
    }
}

static void test_no_rules(void **state) {
    (void)state;
    static const char *const rules[] = { "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1", "CET-1CEST,366,1", "<CET-1",
        "CET-1CEST,M3.5.0,M10.5.0x", "CET-25", "CET-1CEST,M3.5.0/168,M10.5.0", ":Europe/Berlin", "<>0",
        "CET--1", "CET-1:60" };
    zone *z = zone_new(1 + ZONE_RULE_CHANGES);
    zone_add(z, INT64_MIN, 0);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (zone_add_rule(z, rules[i])) fail_msg("'%s' is read", rules[i]);
    zone_free(z);
    z = zone_of_rule("XXX3EDT4,0/0,J365/23", -10800); /* summer time for ever: RFC 9636, 3.3.2 */
    for (int32_t year = 1971; year < 2600; year++)
        for (int month = 1; month <= 12; month++) {
            assert_int_equal(zone_offset(z, at(year, month, 1, 3)), -14400);
            assert_int_equal(zone_offset(z, at(year, month, 1, 2)), -14400);
        }
    zone_free(z);
}

/* ---- labels and instants ---- */

/* What clocks show at an instant leads back to it, and there is no other instant than those. */
static void check_instant(const zone *z, int64_t instant) {
    int64_t two[2], label = zone_label(z, instant);
    int     found = zone_instants(z, label, two);
    bool    there = false;
    for (int i = 0; i < found; i++) {
        assert_int_equal(zone_label(z, two[i]), label);
        there |= two[i] == instant;
    }
    assert_true(there && found >= 1 && found <= 2);
    assert_true(found < 2 || two[0] < two[1]);
    assert_int_equal(zone_instant(z, label), two[0]);
}

static const zone_change few[] = { { -1000000000, 3600 }, { 0, 7200 }, { 1000000, 5400 }, { 2000000000, 3600 } };
enum { FEW = sizeof few / sizeof *few };

static void test_there_and_back(void **state) {
    (void)state;
    uint64_t random = 7;
    zone *zones[] = { NULL, zone_of(0, few, FEW, 0, ""),
                      zone_of('2', few, FEW, -4 * 3600, "CET-1CEST,M3.5.0,M10.5.0/3"),
                      zone_of('3', few, FEW, 26 * 3600, "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0") };
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < 20000; i++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            int64_t instant = (int64_t)(random >> 20) % 250000000000;
            check_instant(zones[k], i % 2 ? instant : instant % 4000000000 - 1000000000);
        }
        for (int c = 0; zones[k] && c < 200 && c < zones[k]->count - 1; c++)
            for (int64_t d = -7300; d <= 7300; d += 50) check_instant(zones[k], zones[k]->changes[c + 1].at + d);
        zone *copy = zone_copy(zones[k]);
        assert_int_equal(zone_label(copy, 1234567890), zone_label(zones[k], 1234567890));
        zone_free(copy), zone_free(zones[k]);
    }
}

static void test_skipped_and_twice(void **state) {
    (void)state;
    zone   *z = zone_of_rule("CET-1CEST,M3.5.0,M10.5.0/3", 3600);
    int64_t two[2];
    assert_int_equal(zone_instants(z, at(2024, 10, 27, 2) + 1800, two), 2);
    assert_int_equal(two[0], at(2024, 10, 27, 0) + 1800);
    assert_int_equal(two[1], at(2024, 10, 27, 1) + 1800);
    assert_int_equal(zone_instants(z, at(2024, 10, 27, 3), two), 1);
    assert_int_equal(zone_instants(z, at(2024, 3, 31, 2), two), 0);
    assert_int_equal(zone_label(z, zone_instant(z, at(2024, 3, 31, 2) + 1800)), at(2024, 3, 31, 3) + 1800);
    zone_free(z);
}

/* ---- damage ---- */

/* Whatever is read is a zone: no offset out of bounds, and instants that lead there and back. */
static void try_bytes(const unsigned char *bytes, size_t size, bool whole) {
    unsigned char *copy = malloc(size + 1); /* of this very size, for those who watch over it */
    zone *z = NULL;
    memcpy(copy, bytes, size);
    bool sound = zone_parse(copy, size, &z);
    free(copy);
    if (whole && !sound) fail_msg("a sound file is refused");
    for (int64_t t = -3000000000; z && t < 200000000000; t += 1234567890) {
        int64_t two[2];
        assert_true(zone_offset(z, t) <= ZONE_FARTHEST && zone_offset(z, t) >= -ZONE_FARTHEST);
        assert_true(zone_instants(z, zone_label(z, t), two) >= 1);
        zone_instant(z, t);
    }
    zone_free(z);
}

static void damage(const file *f, int rounds) {
    uint64_t random = f->size;
    for (size_t size = 0; size <= f->size; size++) try_bytes(f->bytes, size, size == f->size);
    for (int i = 0; i < rounds; i++) {
        file changed = *f;
        for (int k = 0; k <= i % 4; k++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            changed.bytes[(random >> 33) % f->size] = (unsigned char)(random >> 20);
        }
        try_bytes(changed.bytes, f->size, false);
    }
}

static void test_damaged(void **state) {
    (void)state;
    file files[] = { make_file(0, few, FEW, 0, ""), make_file('2', few, FEW, 0, "CET-1CEST,M3.5.0,M10.5.0/3"),
                     make_file('2', few, FEW, 0, ""), make_file('3', NULL, 0, 0, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0") };
    zone *z;
    for (int i = 0; i < 4; i++) damage(&files[i], 3000);
    static const zone_change back[] = { { 10, 0 }, { 5, 60 } }, far[] = { { 10, 100 * 3600 } };
    file wrong[] = { make_file('2', back, 2, 0, ""), make_file('2', far, 1, 0, ""),
                     make_file('2', few, FEW, 0, "CET") };
    for (int i = 0; i < 3; i++) assert_false(zone_parse(wrong[i].bytes, wrong[i].size, &z));
}

/* ---- the system's ---- */

static zone *system_zone(const char *name) {
    zone        *z;
    tide_failure failure = { 0 };
    if (zone_open(name, &z, &failure) == TIDE_OK) return z;
    if (failure.status != TIDE_EIO) fail_msg("%s", failure.message);
    print_message("skipped: needs tzdata\n");
    skip();
    return NULL;
}

static void refused(const char *name, tide_status status, const char *words) {
    zone        *z;
    tide_failure failure = { 0 };
    assert_int_equal(zone_open(name, &z, &failure), status);
    assert_null(z);
    assert_string_equal(failure.column, "tz");
    expect_has(failure.message, words);
}

static void test_database(void **state) {
    (void)state;
    zone *z = system_zone("Europe/Berlin");
    assert_int_equal(zone_offset(z, at(2024, 7, 1, 0)), 7200);
    assert_int_equal(zone_offset(z, at(2124, 1, 1, 0)), 3600);
    zone_free(z);
    refused("Europe/Berln", TIDE_EINVAL, "near it are Europe/Berlin");
    refused("berlin", TIDE_EINVAL, "Europe/Berlin");
    refused("new york", TIDE_EINVAL, "America/New_York");
    refused("", TIDE_EINVAL, "is no time zone");
    refused("../zoneinfo/UTC", TIDE_EINVAL, "is no time zone");
    refused("/etc/passwd", TIDE_EINVAL, "is no time zone");
    refused("Europe", TIDE_EINVAL, "is no time zone");
    refused("Europe//Berlin", TIDE_EINVAL, "is no time zone");
    refused("+02:00", TIDE_EINVAL, "Europe/Berlin");
    refused("A/very/long/name/that/goes/on/and/on/and/on/and/on/and/on/and/on/and/on", TIDE_EINVAL, "is no time zone");
    char name[] = "/tmp/tidemill-zones-XXXXXX", path[64];
    assert_non_null(mkdtemp(name));
    assert_int_equal(setenv("TZDIR", name, 1), 0);
    snprintf(path, sizeof path, "%s/Here", name);
    FILE *out = fopen(path, "wb");
    assert_true(out && fwrite("TZif2 and then something else", 1, 29, out) == 29 && fclose(out) == 0);
    tide_failure failure = { 0 };
    assert_int_equal(zone_open("Here", &z, &failure), TIDE_EDATA);
    expect_has(failure.message, "damaged");
    refused("Her", TIDE_EINVAL, "near it are Here");
    unlink(path), rmdir(name);
    refused("UTC", TIDE_EIO, "install the package tzdata");
    unsetenv("TZDIR");
}

/* ---- files of stamps ---- */

static const time_format minutes = {
    .kind = 'd', .separator = '-', .padded = true, .middle = ' ', .hour_padded = true
};

typedef struct made { char text[1 << 16]; size_t used; } made;

static void row(made *m, const char *stamp, int i) {
    m->used += (size_t)snprintf(m->text + m->used, sizeof m->text - m->used, "%s,%d\n", stamp, i * i % 11);
}

/* Each hour, half hour ... of the zone from an instant on, as its clocks show it. */
static const char *local_hours(made *m, const zone *z, int64_t from, int64_t step_s, int rows, int leave_out) {
    char stamp[40];
    m->used = (size_t)sprintf(m->text, "date,a\n");
    for (int i = 0; i < rows; i++) {
        time_print(stamp, zone_label(z, from + i * step_s), &minutes);
        if (i != leave_out) row(m, stamp, i);
    }
    return m->text;
}

static void reads(const char *text, frame_options o, frame *f) {
    tide_failure failure;
    if (read_text(text, &o, f, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static const char *const places[] = { "Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe",
                                      "America/Santiago", "UTC" };

/* Local times in steps of which a change of clocks is a multiple: all instants are as they were, both hours of autumn
 * told apart, and newest first too. */
static void test_local_times(void **state) {
    (void)state;
    static made m;
    static const int64_t steps[] = { 3600, 1800, 900 };
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        zone *z = system_zone(places[p]);
        for (int s = strcmp(places[p], "Australia/Lord_Howe") ? 0 : 1; s < 3; s++)
            for (int64_t c = 0; c < z->count; c++) {
                int64_t change = z->changes[c].at, from = change - 40 * steps[s];
                frame   f;
                if (change < at(2023, 1, 1, 0) || change > at(2025, 1, 1, 0)) continue;
                reads(local_hours(&m, z, from, steps[s], 90, -1), (frame_options){ .tz = places[p] }, &f);
                assert_string_equal(f.warnings, "");
                for (int i = 0; i < 90; i++) assert_int_equal(f.time[i], from + i * steps[s]);
                assert_true(f.step.unit <= UNIT_HOUR);
                frame_free(&f);
            }
        zone_free(z);
    }
}

static void test_newest_first(void **state) {
    (void)state;
    static made m;
    zone   *z    = system_zone("Europe/Berlin");
    int64_t from = at(2024, 10, 26, 12);
    char    stamp[40];
    frame   f;
    m.used = (size_t)sprintf(m.text, "date,a\n");
    for (int i = 59; i >= 0; i--) {
        time_print(stamp, zone_label(z, from + 900 * (i + 40)), &minutes);
        row(&m, stamp, i);
    }
    reads(m.text, (frame_options){ .tz = "Europe/Berlin", .sort = true }, &f);
    for (int i = 0; i < 60; i++) assert_int_equal(f.time[i], from + 900 * (i + 40));
    frame_free(&f), zone_free(z);
}

static void test_hour_once(void **state) {
    (void)state;
    static made m;
    zone   *z    = system_zone("Europe/Berlin");
    int64_t from = at(2024, 10, 26, 20);
    frame   f;
    for (int left_out = 4; left_out < 6; left_out++) { /* either of the two hours */
        reads(local_hours(&m, z, from, 3600, 40, left_out), (frame_options){ .tz = "Europe/Berlin" }, &f);
        assert_int_equal(f.time[4], from + 4 * 3600);
        expect_has(f.warnings, "clocks in Europe/Berlin showed '2024-10-27 02:00' (line 6) twice, and the file has it "
                               "once: taken as the first time, 2024-10-27 02:00+02:00");
        expect_has(f.warnings, "1 rows are left out (the step is h)");
        frame_free(&f);
    }
    zone_free(z);
}

static void refuses(const char *text, const char *tz, const char *words) {
    frame        f;
    tide_failure failure;
    frame_options o = { .tz = tz };
    tide_status status = read_text(text, &o, &f, &failure);
    if (status != TIDE_EDATA && status != TIDE_EINVAL) fail_msg("'%s' is not refused", text);
    expect_has(failure.message, words);
}

static void test_refused(void **state) {
    (void)state;
    zone_free(system_zone("UTC"));
    refuses("date,a\n2024-03-31 01:00,1\n2024-03-31 02:00,2\n2024-03-31 03:00,3\n", "Europe/Berlin",
            "'2024-03-31 02:00' is no local time of Europe/Berlin");
    refuses("date,a\n2011-12-29,1\n2011-12-30,2\n2011-12-31,3\n", "Pacific/Apia", "'2011-12-30' is no local time");
    refuses("date,a\n2024-03-31 01:00,1\n", "Europe/Berlyn", "near it are Europe/Berlin");
    refuses("date,a\n2024-03-31 01:00+99:00,1\n2024-03-31 02:00+99:00,1\n", "Europe/Berlin", "as far from UTC");
    refuses("date,a\n2024-03-31 01:00+01:00,1\n2024-03-31 02:00+99:00,1\n", NULL, "as far from UTC");
    refuses("date,a\n2024-03-31 01:00+01:00,1\n2024-03-31 02:00,1\n", NULL,
            "has no offset, and the rows before have one");
    refuses("date,a\n2024-03-31 01:00,1\n2024-03-31 02:00Z,1\n", NULL,
            "has an offset, and the rows before have none");
}

/* Days of 23, 24 and 25 hours are one step, also where midnight is skipped (Cairo) or comes twice (Havana). */
static void test_days(void **state) {
    (void)state;
    static const struct { const char *zone; int32_t year, month; } cases[] = {
        { "Europe/Berlin", 2024, 3 }, { "Europe/Berlin", 2024, 10 }, { "Africa/Cairo", 2024, 4 },
        { "America/Havana", 2024, 11 }, { "America/Santiago", 2024, 9 },
    };
    static made m;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int clock = 0; clock < 2; clock++) {
            frame f;
            char  stamp[40];
            zone_free(system_zone("UTC"));
            int64_t first = at(cases[i].year, cases[i].month, 1, 0);
            time_format format = { .kind = 'd', .separator = '-', .padded = true };
            if (clock) format.middle = ' ', format.hour_padded = format.seconds = true;
            m.used = (size_t)sprintf(m.text, "date,a\n");
            for (int d = 0; d < 60; d++) time_print(stamp, first + d * DAY_SECONDS, &format), row(&m, stamp, d);
            reads(m.text, (frame_options){ .tz = cases[i].zone }, &f);
            assert_string_equal(f.warnings, "");
            assert_int_equal(f.step.unit, UNIT_DAY);
            zoned_print(stamp, f.zone, zoned_advance(f.zone, f.time[20], f.step, 20), &f.format);
            char expected[40];
            time_print(expected, first + 40 * DAY_SECONDS, &format);
            assert_string_equal(stamp, expected);
            frame_free(&f);
        }
}

/* Offsets that vary are instants without any database, and the last one goes on. */
static void test_own_offsets(void **state) {
    (void)state;
    static made m;
    frame f;
    char  stamp[40];
    m.used = (size_t)sprintf(m.text, "date,a\n");
    for (int i = 0; i < 40; i++) {
        int64_t instant = at(2024, 10, 26, 12) + 3600 * (int64_t)i, offset = i < 13 ? 7200 : 3600;
        time_format form = minutes;
        form.middle = 'T', snprintf(form.offset, sizeof form.offset, i < 13 ? "+0200" : "+0100");
        time_print(stamp, instant + offset, &form);
        row(&m, stamp, i);
    }
    reads(m.text, (frame_options){ 0 }, &f);
    expect_has(f.warnings, "the offset of the stamps changes, first at line 15, '2024-10-27T02:00+0100'");
    assert_null(strstr(f.warnings, "repeated"));
    for (int i = 0; i < 40; i++) assert_int_equal(f.time[i], at(2024, 10, 26, 12) + 3600 * (int64_t)i);
    zoned_print(stamp, f.zone, zoned_advance(f.zone, f.time[39], f.step, 1), &f.format);
    assert_string_equal(stamp, "2024-10-28T05:00+0100");
    zoned_print(stamp, f.zone, f.time[0], &f.format);
    assert_string_equal(stamp, "2024-10-26T14:00+0200");
    frame_free(&f);
    reads("date,a\n2024-03-30,1\n2024-03-30 12:00+01:00,2\n2024-03-31,3\n2024-03-31 13:00+02:00,4\n"
          "2024-04-01 01:00+02:00,5\n", (frame_options){ 0 }, &f); /* midnights without a clock */
    for (int i = 1; i < 5; i++) assert_int_equal(f.time[i] - f.time[i - 1], 12 * 3600);
    frame_free(&f);
    reads("date,a\n2024-03-30 00:00+0000,1\n2024-03-30 01:00Z,2\n2024-03-30 02:00+00:00,3\n", (frame_options){ 0 }, &f);
    assert_null(f.zone); /* one offset in three forms */
    assert_string_equal(f.format.offset, "+00:00");
    frame_free(&f);
}

/* Epochs are instants, whose marks alone are the zone's; without stamps there is nothing to tell. */
static void test_other_files(void **state) {
    (void)state;
    frame f;
    char  stamp[40];
    zone_free(system_zone("UTC"));
    reads("date,a\n1729990800,1\n1729994400,2\n1729998000,3\n", (frame_options){ .tz = "Europe/Berlin" }, &f);
    assert_int_equal(f.time[2], 1729998000);
    assert_int_equal(zone_label(f.zone, f.time[2]), at(2024, 10, 27, 4));
    zoned_print(stamp, f.zone, f.time[2], &f.format);
    assert_string_equal(stamp, "1729998000");
    frame_free(&f);
    reads("a\n1.5\n2\n7\n", (frame_options){ .tz = "Europe/Berlin" }, &f);
    expect_has(f.warnings, "`tz` has no effect");
    frame_free(&f);
}

/* Columns that repeat the instants, or what clocks show, are no series. */
static void test_repeated_columns(void **state) {
    (void)state;
    static made m;
    zone   *z = system_zone("Europe/Berlin");
    frame   f;
    m.used = (size_t)sprintf(m.text, "date,hour,unix,serial,a\n");
    for (int i = 0; i < 200; i++) {
        char    stamp[40];
        int64_t instant = at(2024, 10, 24, 0) + 3600 * (int64_t)i, label = zone_label(z, instant);
        time_print(stamp, label, &minutes);
        m.used += (size_t)sprintf(m.text + m.used, "%s,%d,%lld,%.6f,%d\n", stamp, (int)(label % DAY_SECONDS / 3600),
                                  (long long)instant, 25569 + (double)label / DAY_SECONDS, i * i % 17);
    }
    reads(m.text, (frame_options){ .tz = "Europe/Berlin", .time_column = "date" }, &f);
    assert_int_equal(f.columns, 1);
    frame_free(&f), zone_free(z);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_of_berlin),   cmocka_unit_test(test_rules),         cmocka_unit_test(test_no_rules),
        cmocka_unit_test(test_there_and_back),   cmocka_unit_test(test_skipped_and_twice),
        cmocka_unit_test(test_damaged),          cmocka_unit_test(test_database),
        cmocka_unit_test(test_local_times),
        cmocka_unit_test(test_newest_first),     cmocka_unit_test(test_hour_once),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_days),             cmocka_unit_test(test_own_offsets),
        cmocka_unit_test(test_other_files),      cmocka_unit_test(test_repeated_columns),
    };
    return cmocka_run_group_tests_name("time zones", tests, NULL, NULL);
}
