/* A file of any kind to its spectra. */
#include <tidemill/eis.h>

#include <stdlib.h>

#include <tidemill/io.h>

#include "eis/options/arguments.h"
#include "frames.h"
#include "layout.h"
#include "sweeps.h"

static tide_status read_points(reading *r) {
    void       *bytes;
    size_t      size;
    page        p;
    tide_status status = tide_file_read(r->path, &bytes, &size, r->failure);
    if (status != TIDE_OK) return status;
    if (size == 0) status = reading_fail(r, 0, NULL, "this file is empty");
    else if (mpr_is(bytes, size)) status = mpr_read(r, bytes, size);
    else if ((status = page_of(r->path, bytes, size, &p, r->failure)) == TIDE_OK) {
        status = page_points(r, &p);
        page_free(&p);
    }
    tide_free(bytes);
    return status;
}

static void turn(const reading *r) {
    for (int64_t i = 0; i < r->count; i++) r->point[i].z.im = -r->point[i].z.im;
}

static tide_status check_sign(reading *r, const eis_spectra *s) {
    bool flip = r->options->flip_im;
    for (int64_t i = 0; i < s->count; i++) {
        tide_failure why    = { 0 };
        tide_status  status = eis_spectrum_sign(&s->spectrum[i], flip, &why);
        if (status == TIDE_OK) continue;
        if (!r->sign_stated || flip)
            return fail_at(r->failure, status, r->path, 0, why.column, "%s", why.message);
        reading_note(r, "%s: the imaginary part is positive nearly throughout, as the file states it",
                     s->spectrum[i].name);
    }
    return TIDE_OK;
}

static tide_status finish(reading *r, eis_spectra *out) {
    if (r->options->flip_im) turn(r);
    if (r->resting)
        reading_note(r, "%lld rows of frequency 0 were left out: at rest there is no impedance", (long long)r->resting);
    if (r->count == 0) return reading_fail(r, 0, NULL, "there are no points of a frequency above 0");
    tide_status status = sweeps_take(r, out);
    if (status == TIDE_OK) status = check_sign(r, out);
    if (status == TIDE_OK && r->notes.failed) status = fail(r->failure, TIDE_ENOMEM, "out of memory for %s", r->path);
    if (status == TIDE_OK) out->notes = r->notes.data, r->notes = (text){ 0 };
    return status;
}

static tide_status read_with(const char *path, const eis_options *options, eis_spectra *out, tide_failure *failure) {
    reading     r      = { .path = path, .options = options, .failure = failure };
    unit        any;
    bool        given;
    tide_status status = units_wanted(&r, UNIT_NONE, &any, &given);
    if (status == TIDE_OK) status = read_points(&r);
    if (status == TIDE_OK) status = finish(&r, out);
    reading_drop(&r);
    if (status != TIDE_OK) eis_spectra_free(out);
    return status;
}

tide_status eis_spectra_read(const char *path, const eis_options *options, eis_spectra *out, tide_failure *failure) {
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    eis_options *standard = NULL;
    failure_clear(failure);
    if (out) *out = (eis_spectra){ 0 };
    if (!path || !out)
        return fail(failure, TIDE_EINVAL, path ? "there is nothing to read spectra into" : "there is no path");
    if (options && options_good(options, failure) != TIDE_OK) return TIDE_EINVAL;
    if (!options) standard = eis_options_new();
    if (!options && !standard) return fail(failure, TIDE_ENOMEM, "out of memory for %s", path);
    tide_status status = read_with(path, options ? options : standard, out, f);
    eis_options_free(standard);
    return status;
}

static void spectrum_drop(eis_spectrum *s) {
    free((void *)(uintptr_t)s->name);
    eis_spectrum_free(s);
}

void eis_spectra_free(eis_spectra *s) {
    if (!s) return;
    for (int64_t i = 0; i < s->count; i++) spectrum_drop(&s->spectrum[i]);
    free(s->spectrum);
    free(s->notes);
    *s = (eis_spectra){ 0 };
}

/* Out of the sweeps; its name is the caller's path from then on. */
static tide_status take_one(const char *path, eis_spectra *all, eis_spectrum *out, tide_failure *failure) {
    if (all->count != 1)
        return fail_at(failure, TIDE_EDATA, path, 0, "sweep",
                       "%s holds %lld sweeps; `sweep` chooses, and eis_spectra_read reads them all", path,
                       (long long)all->count);
    *out = all->spectrum[0];
    free((void *)(uintptr_t)out->name);
    out->name  = path;
    all->count = 0;
    return TIDE_OK;
}

tide_status eis_spectrum_read(const char *path, bool flip_im, eis_spectrum *out, tide_failure *failure) {
    eis_spectra all;
    failure_clear(failure);
    if (out) *out = (eis_spectrum){ 0 };
    if (!path || !out)
        return fail(failure, TIDE_EINVAL, path ? "there is no spectrum to read into" : "there is no path");
    eis_options *o = eis_options_new();
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    o->flip_im         = flip_im;
    tide_status status = eis_spectra_read(path, o, &all, failure);
    if (status == TIDE_OK) status = take_one(path, &all, out, failure);
    eis_options_free(o);
    eis_spectra_free(&all);
    return status;
}
