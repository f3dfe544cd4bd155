/* Made-up measurements: the circuit's impedances, and normal noise. */
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

static void simulate(const simulation *s, int64_t count, const double *freq_hz, eis_z *z) {
    rng r = { .seed = (uint64_t)s->seed, .stream = STREAM_SIMULATION };
    eis_impedance(s->circuit, s->p, s->rs_ohm, count, freq_hz, z);
    for (int64_t i = 0; s->noise > 0 && i < count; i++) {
        double sd = s->noise * hypot(z[i].re, z[i].im);
        z[i].re += sd * rng_normal(&r);
        z[i].im += sd * rng_normal(&r);
    }
}

static tide_status put_rows(void *user, void *out) {
    double freq_hz[FREQUENCIES];
    eis_z  z[FREQUENCIES];
    for (int i = 0; i < FREQUENCIES; i++) freq_hz[i] = pow(10, 5 - i / 10.0);
    simulate(user, FREQUENCIES, freq_hz, z);
    fputs("frequency_hz,z_re_ohm,z_im_ohm\n", out);
    for (int i = 0; i < FREQUENCIES; i++) {
        put_cell(out, freq_hz[i], ',');
        put_cell(out, z[i].re, ',');
        put_cell(out, z[i].im, '\n');
    }
    return ferror((FILE *)out) ? TIDE_EIO : TIDE_OK;
}

tide_status simulation_write(const simulation *s, const char *path, tide_failure *failure) {
    return tide_file_replace(path, put_rows, (void *)s, failure);
}

static tide_status read_noise(const char *text, double *noise, tide_failure *failure) {
    char *end;
    *noise = 0.01;
    if (!*text || !strcmp(text, "auto")) return TIDE_OK;
    bool share = noise_parse(text, &end, noise), none = end != text && *noise == 0;
    if ((share || none) && !*end) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "noise", "`noise` is a share of |Z| from 1e-6 to 0.5, such as 1%% "
                                                           "or 0.01, or 0 for none; not '%s'",
                   text);
}

static tide_status read_rs(const char *text, double *rs_ohm, tide_failure *failure) {
    bool given = *text && strcmp(text, "auto") != 0;
    if (!given || (eis_quantity_parse(text, "ohm", rs_ohm) && *rs_ohm >= 0 && *rs_ohm <= RS_GIVEN_MOST)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "rs", "`rs` is ohms from 0 to 1e6; not '%s'", text);
}

static tide_status simulation_of(const eis_options *o, simulation *s, tide_failure *failure) {
    if (tide_options_check(eis_table(), o, failure) != TIDE_OK) return TIDE_EINVAL;
    *s = (simulation){ .circuit = (eis_circuit)o->circuit, .seed = o->seed };
    eis_known   known;
    tide_status status = eis_known_parse(o->known, &known, failure);
    if (status == TIDE_OK) status = read_noise(o->noise, &s->noise, failure);
    for (int k = 0; status == TIDE_OK && k < EIS_COUNT; k++) {
        s->p[k] = *o->known ? known.value[k] : example[k];
        if (*o->known && !known.is[k])
            status = fail_at(failure, TIDE_EINVAL, NULL, 0, "known",
                             "`known` needs all of Rsh, Ra, Rb, Ca, Cb; %s is missing", eis_parameters[k].name);
    }
    return status == TIDE_OK ? read_rs(o->rs, &s->rs_ohm, failure) : status;
}

tide_status eis_simulate(const eis_options *o, const char *path, tide_failure *failure) {
    failure_clear(failure);
    simulation  s;
    tide_status status = simulation_of(o, &s, failure);
    if (status == TIDE_OK)
        status = output_check(path, "FILE", o->overwrite, NULL, (const char *const[]){ NULL }, failure);
    return status == TIDE_OK ? simulation_write(&s, path, failure) : status;
}

tide_status eis_simulate_at(const eis_options *o, int64_t count, const double *freq_hz, eis_z *z,
                            tide_failure *failure) {
    failure_clear(failure);
    simulation  s;
    tide_status status = simulation_of(o, &s, failure);
    if (status != TIDE_OK) return status;
    if (count < 0 || (count && (!freq_hz || !z)))
        return fail(failure, TIDE_EINVAL, "there are no frequencies or no place for the impedances");
    for (int64_t i = 0; i < count; i++)
        if (!(freq_hz[i] > 0 && isfinite(freq_hz[i])))
            return fail_at(failure, TIDE_EDATA, NULL, i + 1, "frequency_hz",
                           "point %lld: a frequency must be a positive number, not %g", (long long)i + 1, freq_hz[i]);
    simulate(&s, count, freq_hz, z);
    return TIDE_OK;
}
