#include "eis/options/arguments.h"
#include "simulate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "noise.h"
#include "parameters.h"
#include "rng.h"
#include "train/run.h"

enum { FREQUENCIES = 61, STREAM_SIMULATION = 11 };

/* Off the grid; a is the faster membrane. */
static const double example[EIS_COUNT] = { 460, 4820, 2210, 1.2e-6, 4.7e-6 };

static void put_cell(FILE *out, double v, char end) {
    char number[32];
    num_format(number, v, false);
    fprintf(out, "%s%c", number, end);
}

static tide_status put_rows(void *user, void *out) {
    const simulation *s = user;
    rng r = { .seed = (uint64_t)s->seed, .stream = STREAM_SIMULATION };
    fputs("frequency_hz,z_re_ohm,z_im_ohm\n", out);
    for (int i = 0; i < FREQUENCIES; i++) {
        eis_z  z;
        double freq_hz = pow(10, 5 - i / 10.0), sd;
        eis_impedance(s->circuit, s->p, s->rs_ohm, 1, &freq_hz, &z);
        sd = s->noise * hypot(z.re, z.im);
        put_cell(out, freq_hz, ',');
        put_cell(out, z.re + sd * rng_normal(&r), ',');
        put_cell(out, z.im + sd * rng_normal(&r), '\n');
    }
    return ferror((FILE *)out) ? TIDE_EIO : TIDE_OK;
}

tide_status simulation_write(const simulation *s, const char *path, tide_failure *failure) {
    return tide_file_replace(path, put_rows, (void *)s, failure);
}

static tide_status read_noise(const char *text, double *noise, tide_failure *failure) {
    char *end;
    *noise = 0.01;
    if (!*text || !strcmp(text, "auto") || (noise_parse(text, &end, noise) && !*end)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "noise", "`noise` is a share of |Z| from 1e-6 to 0.5, such as 1%% "
                                                           "or 0.01; not '%s'",
                   text);
}

tide_status eis_simulate(const eis_options *o, const char *path, tide_failure *failure) {
    failure_clear(failure);
    if (tide_options_check(eis_table(), o, failure) != TIDE_OK) return TIDE_EINVAL;
    simulation s = { .circuit = (eis_circuit)o->circuit, .seed = o->seed };
    eis_known  known;
    tide_status status = eis_known_parse(o->known, &known, failure);
    if (status == TIDE_OK) status = read_noise(o->noise, &s.noise, failure);
    if (status != TIDE_OK) return status;
    for (int k = 0; k < EIS_COUNT; k++) {
        s.p[k] = *o->known ? known.value[k] : example[k];
        if (*o->known && !known.is[k])
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "known",
                           "`known` needs all of Rsh, Ra, Rb, Ca, Cb; %s is missing",
                           eis_parameters[k].name);
    }
    bool given = *o->rs && strcmp(o->rs, "auto") != 0;
    if (given && (!eis_quantity_parse(o->rs, "ohm", &s.rs_ohm) || !(s.rs_ohm >= 0 && s.rs_ohm <= RS_GIVEN_MOST)))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "rs", "`rs` is ohms from 0 to 1e6; not '%s'", o->rs);
    status = output_check(path, "FILE", o->overwrite, NULL, (const char *const[]){ NULL }, failure);
    return status == TIDE_OK ? simulation_write(&s, path, failure) : status;
}
