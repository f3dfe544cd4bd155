/* Spectra without questions: what a file holds, and made-up ones. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis.h"
#include "later.h"

/* ---- read ---- */

static void add_notes(text *out, const char *notes) {
    char *copy = strdup(notes ? notes : ""), *rest = copy, *line;
    bool  first = true;
    while (copy && (line = strsep(&rest, "\n"))) {
        if (!*line) continue;
        text_add(out, first ? "" : ",");
        reply_text(out, line);
        first = false;
    }
    free(copy);
}

/* All sweeps are one answer: it is given with the first, and alone. */
static tide_status read_all(eis_task *t, text *out) {
    text_add(out, "{\"sweeps\":[");
    for (int64_t i = 0; i < t->count; i++) {
        const eis_spectrum *s = &t->spectrum[i];
        text_add(out, i ? ",{\"name\":" : "{\"name\":");
        reply_text(out, s->name);
        text_add(out, ",");
        eis_spectrum_print(s, 0, out);
        if (s->area_cm2 > 0) text_add(out, ",\"area_cm2\":%.10g", s->area_cm2);
        text_add(out, "}");
    }
    text_add(out, "],\"notes\":[");
    add_notes(out, t->files.notes);
    text_add(out, "]}");
    return TIDE_OK;
}

const option_door eis_read_door = { eis_table, EIS_FOR_CONVERT, "Machine" };

static bool take_option(void *user, const char *name, const char *value) {
    eis_task *t = user;
    if (strcmp(name, "name") != 0) options_apply_text(&eis_read_door, name, value, "", &t->options, &t->problem);
    return true;
}

static void read_file(serve *s, http_request *r) {
    eis_task   *t   = calloc(1, sizeof *t);
    text        out = { 0 };
    size_t      length;
    const char *bytes = http_body(r, &length);
    if (!t) {
        reply_busy(r, "There is no memory at the moment.");
        return;
    }
    t->s = s, t->r = r;
    eis_options_default(&t->options);
    http_queries(r, take_option, t);
    if (!t->problem.status && eis_spectra_of_body(t, bytes, length)) {
        read_all(t, &out);
        if (out.failed) text_free(&out);
        reply_json(r, 200, out.failed ? NULL : out.data);
    } else reply_problem(r, &t->problem);
    body_free(&t->body);
    eis_spectra_free(&t->files);
    free(t);
}

void route_eis_read(void *user, http_request *r) { decoded(user, r, read_file); }

/* ---- simulate ---- */

typedef struct simulate_in {
    const char   *known;
    numbers       freq;
    const json_t *options;
} simulate_in;
#define S simulate_in

static const option_door simulate_door = { eis_table, EIS_FOR_SIMULATE, NULL };
static const field simulate_rows[] = {
    { "known", FIELD_VALUES, offsetof(S, known), .required = true, .help = "all five of Rsh, Ra, Rb, Ca, Cb" },
    { "freq_hz", FIELD_NUMBERS, offsetof(S, freq), .low = 1e-12, .high = 1e15, .unit = "Hz", .most = 100000,
      .help = "by default 61, from 100 kHz to 0.1 Hz" },
    { "options", FIELD_OPTIONS, offsetof(S, options), .door = &simulate_door,
      .help = "rs, noise, seed, circuit, as the command has them" },
};
const record eis_simulate_record = { "EisSimulate", "A made-up measurement.", simulate_rows,
                                     sizeof simulate_rows / sizeof *simulate_rows, sizeof(S) };

/* 61 frequencies, ten a decade, as the command's file has them. */
static bool standard_frequencies(body *b, numbers *out) {
    enum { COUNT = 61, DECADE = 10 };
    out->at = body_keep(b, COUNT * sizeof *out->at);
    if (!out->at) return false;
    out->count = COUNT;
    for (int i = 0; i < COUNT; i++) out->at[i] = pow(10, 5 - (double)i / DECADE);
    return true;
}

/* As the command's file. */
static void print_csv(const eis_spectrum *s, text *out) {
    text_add(out, "frequency_hz,z_re_ohm,z_im_ohm\n");
    for (int64_t i = 0; i < s->count; i++) {
        const double row[] = { s->freq_hz[i], s->z[i].re, s->z[i].im };
        for (int k = 0; k < 3; k++) {
            char number[40];
            num_format(number, row[k], false);
            text_add(out, "%s%s", number, k < 2 ? "," : "\n");
        }
    }
}

static bool simulate(bool csv, body *b, const simulate_in *in, eis_options *o, text *out, problem *p) {
    tide_failure failure = { 0 };
    numbers      freq    = in->freq;
    if (in->options && !options_apply(b, &simulate_door, in->options, "/options", o, p)) return false;
    if (!*in->known) return problem_at(p, "/known", "it is missing");
    if (strlen(in->known) >= sizeof o->known) return problem_at(p, "/known", "it is too long");
    snprintf(o->known, sizeof o->known, "%s", in->known);
    if (!freq.count && !standard_frequencies(b, &freq)) return problem_say(p, 503, "memory", "There is no memory.");
    eis_z *z = body_keep(b, (size_t)freq.count * sizeof *z);
    if (!z) return problem_say(p, 503, "memory", "There is no memory at the moment.");
    if (eis_simulate_at(o, freq.count, freq.at, z, &failure) != TIDE_OK) return problem_of(p, &failure, "/options");
    const eis_spectrum made = { .count = freq.count, .freq_hz = freq.at, .z = z };
    if (csv) return print_csv(&made, out), true;
    text_add(out, "{");
    eis_spectrum_print(&made, 0, out);
    text_add(out, "}");
    return true;
}

static void make_up(serve *s, http_request *r) {
    body        b = { 0 };
    problem     p = { 0 };
    simulate_in in = { 0 };
    text        out = { 0 };
    size_t      length;
    const char *bytes = http_body(r, &length);
    eis_options *o = eis_options_new();
    (void)s;
    bool fine = o || problem_say(&p, 503, "memory", "There is no memory at the moment.");
    fine = fine && body_parse(bytes, length, &b, &p) && record_decode(&b, b.root, &eis_simulate_record, "", &in, &p);
    fine = fine && simulate(wants_csv(r), &b, &in, o, &out, &p);
    if (fine && out.failed) text_free(&out);
    if (!fine) reply_problem(r, &p);
    else if (wants_csv(r)) reply_csv(r, out.failed ? NULL : out.data);
    else reply_json(r, 200, out.failed ? NULL : out.data);
    body_free(&b);
    eis_options_free(o);
}

void route_eis_simulate(void *user, http_request *r) { decoded(user, r, make_up); }
