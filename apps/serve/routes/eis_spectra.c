/* Spectra of a request: arrays, or any instrument's file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis.h"
#include "serve/fields/numbers.h"

enum { MOST_POINTS = 1000000, MOST_NAME = 200 };
#define S spectrum_in

static const field spectrum_rows[] = {
    { "freq_hz", FIELD_NUMBERS, offsetof(S, freq), .low = 1e-12, .high = 1e15, .unit = "Hz",
      .help = "frequencies, in any order", .most = MOST_POINTS },
    { "z_re_ohm", FIELD_NUMBERS, offsetof(S, re), .unit = "ohm", .help = "real part of the impedance" },
    { "z_im_ohm", FIELD_NUMBERS, offsetof(S, im), .unit = "ohm",
      .help = "imaginary part; capacitive behaviour is negative" },
    { "sigma_re_ohm", FIELD_NUMBERS, offsetof(S, sigma_re), .low = 1e-300, .high = 1e300, .unit = "ohm",
      .help = "standard deviations of the real part, where they are known" },
    { "sigma_im_ohm", FIELD_NUMBERS, offsetof(S, sigma_im), .low = 1e-300, .high = 1e300, .unit = "ohm",
      .help = "of the imaginary part" },
    { "name", FIELD_TEXT, offsetof(S, name), .help = "what to call it" },
    { "area_cm2", FIELD_NUMBER, offsetof(S, area_cm2), .low = 1e-9, .high = 1e6, .unit = "cm2",
      .help = "area of the epithelium" },
    { "upload", FIELD_TEXT, offsetof(S, upload), .help = "in place of the arrays: an uploaded file, by its id" },
    { "sweep", FIELD_TEXT, offsetof(S, sweep), .help = "of the upload: which sweeps, 1,3-5 or by name" },
};
const record spectrum_record = { "Spectrum", "A measured spectrum, as arrays of one length or as an uploaded file.",
                                 spectrum_rows, sizeof spectrum_rows / sizeof *spectrum_rows, sizeof(S) };

static bool of_length(eis_task *t, const char *pointer, const char *name, const numbers *n, int64_t count, bool must) {
    char at[PROBLEM_POINTER];
    if (n->count == count || (!must && !n->count)) return true;
    snprintf(at, sizeof at, "%.100s/%s", pointer, name);
    return problem_at(&t->problem, at, "%lld numbers are wanted, one for each frequency; there are %lld",
                      (long long)count, (long long)n->count);
}

static eis_z *pairs(eis_task *t, const numbers *re, const numbers *im, bool flip) {
    eis_z *z = body_keep(&t->body, (size_t)re->count * sizeof *z + 1);
    if (!z) problem_say(&t->problem, 503, "memory", "There is no memory at the moment.");
    for (int64_t i = 0; z && i < re->count; i++)
        z[i] = (eis_z){ re->at[i], flip ? -im->at[i] : im->at[i] };
    return z;
}

/* Arrays become a spectrum; what a file's reader would refuse is refused here too. */
static bool decode_one(eis_task *t, const spectrum_in *in, const char *pointer, eis_spectrum *out) {
    enum { LEAST = 5 };
    tide_failure failure = { 0 };
    int64_t      n = in->freq.count;
    if (n < LEAST) return problem_at(&t->problem, pointer, "freq_hz has fewer than %d frequencies", LEAST);
    if (!of_length(t, pointer, "z_re_ohm", &in->re, n, true) || !of_length(t, pointer, "z_im_ohm", &in->im, n, true) ||
        !of_length(t, pointer, "sigma_re_ohm", &in->sigma_re, n, false) ||
        !of_length(t, pointer, "sigma_im_ohm", &in->sigma_im, n, in->sigma_re.count > 0))
        return false;
    *out = (eis_spectrum){ .count = n, .freq_hz = in->freq.at, .z = pairs(t, &in->re, &in->im, t->options.flip_im),
                           .name = in->name, .area_cm2 = in->area_cm2 > 0 ? in->area_cm2 : 0 };
    if (in->sigma_re.count) out->sigma = pairs(t, &in->sigma_re, &in->sigma_im, false);
    if (!out->z || (in->sigma_re.count && !out->sigma)) return false;
    return eis_spectrum_sign(out, t->options.flip_im, &failure) == TIDE_OK ||
           problem_of(&t->problem, &failure, pointer);
}

static bool of_upload(eis_task *t, const spectrum_in *in) {
    char path[1024], name[MOST_NAME];
    if (in->freq.count || in->re.count || in->im.count)
        return problem_at(&t->problem, "/spectrum", "either arrays or an upload are wanted");
    if (!t->s->upload_path || !t->s->upload_path(t->s, in->upload, path, sizeof path, name, sizeof name))
        return problem_say(&t->problem, 404, "upload", "There is no upload \"%.100s\".", in->upload);
    if (in->sweep) snprintf(t->options.sweep, sizeof t->options.sweep, "%s", in->sweep);
    return eis_spectra_of_file(t, path, name);
}

bool eis_spectra_decode(eis_task *t) {
    char pointer[PROBLEM_POINTER];
    if (t->in.spectrum && t->in.spectra.at)
        return problem_at(&t->problem, "/spectra", "either spectrum or spectra is wanted");
    if (t->in.spectrum && t->in.spectrum->upload) return of_upload(t, t->in.spectrum);
    t->listed = t->in.spectra.at != NULL;
    t->count  = t->listed ? t->in.spectra.count : t->in.spectrum != NULL;
    if (!t->count)
        return (t->kind->alone && !t->listed) ||
               problem_at(&t->problem, t->listed ? "/spectra" : "/spectrum", "it is missing");
    t->spectrum = body_keep(&t->body, (size_t)t->count * sizeof *t->spectrum);
    if (!t->spectrum) return problem_say(&t->problem, 503, "memory", "There is no memory at the moment.");
    bool fine = true;
    for (int64_t i = 0; i < t->count; i++) {
        snprintf(pointer, sizeof pointer, t->listed ? "/spectra/%lld" : "/spectrum", (long long)i);
        const spectrum_in *in = t->listed ? (const spectrum_in *)t->in.spectra.at + i : t->in.spectrum;
        if (t->listed && in->upload) fine = problem_at(&t->problem, pointer, "an upload is asked about by itself");
        else fine &= decode_one(t, in, pointer, &t->spectrum[i]);
    }
    return fine;
}

/* Names of sweeps are made of the path. */
static void name_sweeps(eis_task *t, const char *path, const char *name) {
    for (int64_t i = 0; i < t->files.count; i++) {
        const char *old = t->files.spectrum[i].name, *rest = old ? strstr(old, path) : NULL;
        if (!rest) continue;
        size_t size = strlen(old) + strlen(name) + 1;
        char  *new  = body_keep(&t->body, size);
        if (!new) continue;
        snprintf(new, size, "%.*s%s%s", (int)(rest - old), old, name, rest + strlen(path));
        t->spectrum[i].name = new;
    }
}

bool eis_spectra_of_file(eis_task *t, const char *path, const char *name) {
    tide_failure failure = { 0 };
    body_file    as = { 0 };
    if (eis_spectra_read(path, &t->options, &t->files, &failure) != TIDE_OK) {
        snprintf(as.path, sizeof as.path, "%s", path);
        body_file_rename(&as, name, failure.message, sizeof failure.message);
        return problem_of(&t->problem, &failure, "");
    }
    t->count    = t->files.count;
    t->listed   = t->count > 1;
    t->spectrum = body_keep(&t->body, (size_t)t->count * sizeof *t->spectrum + 1);
    if (!t->spectrum) return problem_say(&t->problem, 503, "memory", "There is no memory at the moment.");
    memcpy(t->spectrum, t->files.spectrum, (size_t)t->count * sizeof *t->spectrum);
    name_sweeps(t, path, name);
    return true;
}

bool eis_spectra_of_body(eis_task *t, const char *bytes, size_t length) {
    body_file   file;
    const char *name = http_query(t->r, "name");
    if (!length) return problem_say(&t->problem, 422, "data", "The body is empty.");
    if (!body_file_open(bytes, length, &file, &t->problem)) return false;
    bool fine = eis_spectra_of_file(t, file.path, name ? name : "the spectrum");
    body_file_close(&file);
    return fine;
}

void eis_spectrum_print(const eis_spectrum *s, int digits, text *out) {
    text_add(out, "\"freq_hz\":");
    numbers_print(out, s->freq_hz, s->count, 1, digits);
    text_add(out, ",\"z_re_ohm\":");
    numbers_print(out, &s->z->re, s->count, 2, digits);
    text_add(out, ",\"z_im_ohm\":");
    numbers_print(out, &s->z->im, s->count, 2, digits);
    if (!s->sigma) return;
    text_add(out, ",\"sigma_re_ohm\":");
    numbers_print(out, &s->sigma->re, s->count, 2, digits);
    text_add(out, ",\"sigma_im_ohm\":");
    numbers_print(out, &s->sigma->im, s->count, 2, digits);
}
