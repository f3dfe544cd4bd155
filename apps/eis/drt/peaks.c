#include "peaks.h"

#include <math.h>
#include <stdlib.h>

#define TWO_PI 6.283185307179586476925286766559
enum { FINER = 16 }; /* points at which gamma is looked at, a step between its functions */
static const double own_share = 0.1, greatest_share = 0.01;

/* A maximum, and the minimum between it and the next. */
typedef struct hill {
    double at, height, dip_at, dip;
} hill;

/* That of the parabola through three points. */
static hill top(double at, double step, double before, double now, double next) {
    double off = (before - next) / (2 * (before - 2 * now + next));
    return (hill){ .at = at + off * step, .height = now - off * (before - next) / 4 };
}

/* The places where gamma turns, among points. */
static int hills_of(const rbf *r, const double *x, hill *h) {
    double step = r->step / FINER, before = 0, now = 0;
    int count = 0;
    bool rising = true;
    for (int i = -3 * FINER; i <= (r->count + 3) * FINER; i++) {
        double t = r->first + i * step, next = rbf_gamma(r, x, t);
        if (rising && next < now) h[count++] = top(t - step, step, before, now, next), rising = false;
        else if (!rising && next > now) h[count - 1].dip_at = t - step, h[count - 1].dip = now, rising = true;
        before = now, now = next;
    }
    return count;
}

static double stands_out(const hill *h, int i, int count) {
    double left = i ? h[i - 1].dip : 0, right = i + 1 < count ? h[i].dip : 0;
    return h[i].height - fmax(left, right);
}

/* Takes hill i away: the higher of the minima beside it goes too. */
static void level(hill *h, int i, int *count) {
    bool left = i && (i + 1 == *count || h[i - 1].dip > h[i].dip);
    if (left) h[i - 1].dip = h[i].dip, h[i - 1].dip_at = h[i].dip_at;
    for (int k = i; k + 1 < *count; k++) h[k] = h[k + 1];
    --*count;
}

/* The lowest of them goes first, so that of two the higher stays. */
static int small_hill(const hill *h, int count) {
    double greatest = 0, least = INFINITY;
    int found = -1;
    for (int i = 0; i < count; i++) greatest = fmax(greatest, h[i].height);
    for (int i = 0; i < count; i++) {
        double out = stands_out(h, i, count);
        bool small = out < fmax(own_share * h[i].height, greatest_share * greatest);
        if (small && out < least) least = out, found = i;
    }
    return count > 1 ? found : -1;
}

static eis_drt_peak peak_of(const rbf *r, const double *x, const hill *h, int i, int count) {
    double from = i ? h[i - 1].dip_at : -INFINITY, to = i + 1 < count ? h[i].dip_at : INFINITY;
    eis_drt_peak p = { .tau_s = exp(h[i].at), .gamma_ohm = h[i].height, .r_ohm = rbf_area(r, x, from, to) };
    p.c_farad = p.tau_s / p.r_ohm, p.frequency_hz = 1 / (TWO_PI * p.tau_s);
    return p;
}

bool peaks_of(const rbf *r, const double *x, double low_hz, double high_hz, eis_drt_peak **out, int64_t *count) {
    hill *h = calloc((size_t)(r->count + 7) * FINER, sizeof *h);
    int hills = h ? hills_of(r, x, h) : 0;
    for (int i; (i = small_hill(h, hills)) >= 0;) level(h, i, &hills);
    *out = hills ? malloc(sizeof **out * (size_t)hills) : NULL, *count = 0;
    for (; *out && *count < hills; ++*count) {
        eis_drt_peak p = peak_of(r, x, h, (int)*count, hills);
        p.beyond = p.frequency_hz < low_hz || p.frequency_hz > high_hz;
        (*out)[*count] = p;
    }
    free(h);
    return h && (*out || !hills);
}
