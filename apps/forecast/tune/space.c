/* Points of a space, drawn by counter-based random numbers of (seed, trial, option): what one trial draws depends on no
 * other, but where a draw would be illegal or there already and is made again. */
#include "space.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/philox.h"
#include "forecast/fit/resolve.h"

bool space_legal(const forecast_options *o, tide_failure *why) {
    forecast_options *out = malloc(sizeof *out);
    unsigned          compat;
    tide_status status = out ? options_resolve(o, out, &compat, why)
                             : fail(why, TIDE_ENOMEM, "out of memory for the search");
    bool legal = status == TIDE_OK && ground_has_steps(out, why);
    free(out);
    return legal;
}

const dimension *space_dimension(const space *s, const char *name) {
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->of[i].row->name, name)) return &s->of[i];
    return NULL;
}

/* ---- drawing ---- */

enum { DRAW_SITE = 0x74756e65, ATTEMPTS = 200 };  /* "tune": no operation's site */

/* [0, 1) with 53 random bits. */
static double unit(uint64_t seed, int64_t trial, int attempt, int site) {
    uint32_t high = philox_word(seed, (uint32_t)trial, DRAW_SITE, (uint32_t)attempt, 2 * (uint32_t)site);
    uint32_t low  = philox_word(seed, (uint32_t)trial, DRAW_SITE, (uint32_t)attempt, 2 * (uint32_t)site + 1);
    return ((double)(high >> 5) * 0x1p26 + (double)(low >> 6)) * 0x1p-53;
}

/* Three digits are as many as anyone would choose by, and the same whatever the last bit of a logarithm is. */
static double rounded(double v) {
    char    text[48];
    int     exponent = v == 0 ? 0 : (int)floor(log10(fabs(v))) - 2;
    int64_t digits   = llround(v * pow(10, -exponent));
    snprintf(text, sizeof text, "%" PRId64 "e%d", digits, exponent);
    return num_parse(text, NULL);
}

static void draw_range(const dimension *d, double u, char out[SPACE_TEXT]) {
    bool   whole = d->row->type == TIDE_OPTION_IS_INT;
    double v     = d->log ? exp(log(d->low) + u * (log(d->high) - log(d->low)))
                          : d->low + u * (d->high - d->low + (whole ? 1 : 0));
    v = whole ? (d->log ? round(v) : floor(v)) : rounded(v);
    v = fmin(fmax(v, d->low), d->high);
    if (whole) snprintf(out, SPACE_TEXT, "%" PRId64, (int64_t)v);
    else num_format(out, v, false);
}

/* What the drawn architecture has no use for stays as it is. */
static void leave_idle(const space *s, const forecast_options *o, point *p) {
    const dimension *arch = space_dimension(s, "arch");
    char buffer[SPACE_TEXT];
    const char *name = arch ? p->value[arch - s->of]
                            : forecast_option_get(o, forecast_option_find("arch"), buffer, sizeof buffer);
    bool encoder = !strcmp(name, "itransformer") || !strcmp(name, "patchtst");
    for (int i = 0; !encoder && i < s->count; i++)
        if (s->of[i].encoder) *p->value[i] = 0;
}

static bool seen(const space *s, const point *earlier, int64_t count, const point *p) {
    for (int64_t k = 0; k < count; k++) {
        bool same = true;
        for (int i = 0; same && i < s->count; i++) same = !strcmp(earlier[k].value[i], p->value[i]);
        if (same) return true;
    }
    return false;
}

void space_ground(const space *s, const forecast_options *o, point *out) {
    char buffer[FORECAST_TEXT_SIZE];
    *out = (point){ 0 };
    for (int i = 0; i < s->count; i++)
        snprintf(out->value[i], SPACE_TEXT, "%.31s", forecast_option_get(o, s->of[i].row, buffer, sizeof buffer));
    leave_idle(s, o, out);
}

/* TIDE_OK, TIDE_EINVAL for settings that contradict each other, or TIDE_ENOMEM. */
static tide_status judge(const space *s, const forecast_options *o, const point *p, tide_failure *why) {
    forecast_options *at = malloc(sizeof *at);
    if (!at) return fail(why, TIDE_ENOMEM, "out of memory for the search");
    *at = *o;
    if (point_apply(s, p, at, why) == TIDE_OK) space_legal(at, why);
    free(at);
    return why->status;
}

static void draw_once(const space *s, const forecast_options *o, int64_t trial, int attempt, point *out) {
    *out = (point){ 0 };
    for (int i = 0; i < s->count; i++) {
        const dimension *d = &s->of[i];
        double           u = unit((uint64_t)o->seed, trial, attempt, d->site);
        if (d->count) snprintf(out->value[i], SPACE_TEXT, "%s", d->value[(int)(u * d->count)]);
        else draw_range(d, u, out->value[i]);
    }
    leave_idle(s, o, out);
}

tide_status space_draw(const space *s, const forecast_options *o, int64_t trial, const point *earlier, int64_t count,
                       point *out, bool *found, tide_failure *failure) {
    *found = false;
    for (int attempt = 0; s->count && !*found && attempt < ATTEMPTS; attempt++) {
        tide_failure why = { 0 };
        draw_once(s, o, trial, attempt, out);
        if (seen(s, earlier, count, out)) continue;
        tide_status status = judge(s, o, out, &why);
        if (status == TIDE_ENOMEM) return fail(failure, status, "%s", why.message);
        *found = status == TIDE_OK;
    }
    return TIDE_OK;
}

tide_status point_apply(const space *s, const point *p, forecast_options *o, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < s->count; i++)
        if (*p->value[i]) status = forecast_option_set(o, s->of[i].row->name, p->value[i], failure);
    return status;
}

char *point_text(const space *s, const point *p) {
    text out = { 0 };
    text_add(&out, "%s", "");
    for (int i = 0; i < s->count; i++)
        if (*p->value[i]) text_add(&out, "%s%s=%s", out.length ? " " : "", s->of[i].row->name, p->value[i]);
    if (!out.failed) return out.data;
    text_free(&out);
    return NULL;
}
