/* Circuits that the network proposes for a question: the best cells of the grid, by beam search, or draws, one missing
 * parameter after the other. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "completion_task.h"

enum { DRAWS = 2000, EVEN_DRAWS = 500, STREAM = 0x4e4554 };

/* ---- candidates of the grid recipe ---- */

static void put_draw(const network_task *t, const labelling *l, const double p[EIS_WITH_RS], double log_probability,
                     completion *out) {
    draw *d = &out->draws[out->draw_count++];
    memcpy(d->p, p, sizeof d->p);
    for (int k = 0; k < EIS_COUNT; k++)
        if (l->known.is[k]) d->p[k] = l->known.value[k];
    if (l->swapped) eis_swap(d->p, d->p);
    if (!isnan(t->q->rs_ohm)) d->p[EIS_RS] = t->q->rs_ohm;
    d->log_density = log_probability + log(fmax(l->weight, LEAST_PROBABILITY));
}

tide_status completion_draw_beams(network_task *t, completion *out, tide_failure *failure) {
    beam_case c[LABELLINGS];
    out->draws = malloc(LABELLINGS * BEAM_CANDIDATES * sizeof *out->draws);
    if (!out->draws) return completion_no_memory(failure);
    for (int l = 0; l < t->labellings; l++) {
        c[l].spectrum = 0;
        memcpy(c[l].known_u, t->labelling[l].known_u, sizeof c[l].known_u);
    }
    tide_status status = beam_search(t->q->predictor, t->labellings, c, failure);
    for (int l = 0; status == TIDE_OK && l < t->labellings; l++) {
        for (int i = 0; i < c[l].count; i++) {
            double p[EIS_WITH_RS] = { 0 };
            for (int k = 0; k < EIS_COUNT; k++)
                if (!t->labelling[l].known.is[k]) p[k] = eis_grid_value(k, c[l].candidate[i].bin[k], CELL_POINTS);
            put_draw(t, &t->labelling[l], p, c[l].candidate[i].log_probability, out);
        }
        if (l == 0) t->split = out->draw_count;
    }
    return status;
}

/* ---- draws of the lab recipe ---- */

/* What the draws of a quantity need: its bins' probabilities, and their sums from the first on. */
typedef struct histogram { const float *p; double up_to[BINS_MOST]; } histogram;

static void histogram_of(const network_task *t, const float *p, histogram *h) {
    double sum = 0;
    h->p = p;
    for (int64_t i = 0; i < t->bins; i++) h->up_to[i] = sum += (double)p[i];
}

/* The first bin whose sum is beyond the share of all. */
static int pick_bin(int64_t bins, const histogram *h, double share) {
    double  wanted = share * h->up_to[bins - 1];
    int64_t low = 0, high = bins - 1;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (h->up_to[middle] > wanted) high = middle;
        else low = middle + 1;
    }
    return (int)low;
}

/* A coordinate within the bins; *log_density grows by that of having drawn it. */
static double draw_coordinate(const network_task *t, const histogram *h, rng *r, double *log_density) {
    double where = rng_unit(r);
    int    bin   = pick_bin(t->bins, h, where);
    *log_density += log(fmax((double)h->p[bin] * (double)t->bins, LEAST_PROBABILITY));
    return ((double)bin + rng_unit(r)) / (double)t->bins;
}

/* The same at a share of all that is given. */
static double spread_coordinate(const network_task *t, const histogram *h, double share, double *log_density) {
    int    bin   = pick_bin(t->bins, h, share);
    double own   = (double)h->p[bin], below = h->up_to[bin] - own;
    double place = fmin(fmax((share * h->up_to[t->bins - 1] - below) / fmax(own, LEAST_PROBABILITY), 0), 1);
    *log_density += log(fmax(own * (double)t->bins, LEAST_PROBABILITY));
    return ((double)bin + place) / (double)t->bins;
}

/* The solution resistance, whose coordinate is not even in ohms: the density is turned into one an ohm. */
static double draw_rs(const network_task *t, const histogram *h, const fit_view *view, rng *r, double *log_density) {
    const double step = 1e-6;
    double at = fmin(fmax(draw_coordinate(t, h, r, log_density), step), 1 - step);
    double above = quantity_value(t->recipe, QUANTITY_RS, at + step / 2, view),
           below = quantity_value(t->recipe, QUANTITY_RS, at - step / 2, view);
    *log_density -= log((above - below) / step);
    return quantity_value(t->recipe, QUANTITY_RS, at, view);
}

/* Of a labelling. Where one number is missing its draws are spread evenly over its distribution: 500 of them are off
 * by at most a share of 1/500 anywhere, where of 2,000 at random the ends of an interval have a share of 0.025 +-
 * 0.0035. */
static bool is_single(const network_task *t) {
    int missing = isnan(t->q->rs_ohm);
    for (int k = 0; k < EIS_COUNT; k++) missing += !t->q->known.is[k];
    return missing == 1;
}
static int how_many(const network_task *t) { return is_single(t) ? EVEN_DRAWS : DRAWS; }

typedef struct draft {
    float (*given)[EIS_COUNT];
    double (*p)[EIS_WITH_RS], *log_density;
    float *answer;
    int32_t *spectrum;
} draft;

/* One missing parameter after the other, each given those drawn before it. */
static tide_status draw_chain(const network_task *t, const labelling *l, const float *first, rng *r, draft *d,
                              tide_failure *failure) {
    const float *rows   = first;   /* at first one for all */
    int64_t      stride = 0;
    tide_status  status = TIDE_OK;
    int          last   = -1, draws = how_many(t);
    double       from   = is_single(t) ? rng_unit(r) : 0;
    fit_view     view   = fit_view_of(t->raw);
    histogram    own, of_rs;
    for (int i = 0; i < EIS_COUNT; i++) last = l->known.is[completion_chain[i]] ? last : i;
    for (int i = 0; i <= last && status == TIDE_OK; i++) {
        int k = completion_chain[i];
        if (l->known.is[k]) continue;
        bool rs = i == last && isnan(t->q->rs_ohm);
        for (int n = 0; n < draws; n++) {
            const float *p = rows + n * stride;
            if (n == 0 || stride) histogram_of(t, p + k * t->bins, &own);
            if (rs && (n == 0 || stride)) histogram_of(t, p + QUANTITY_RS * t->bins, &of_rs);
            double *density = &d->log_density[n], coordinate;
            if (is_single(t)) coordinate = spread_coordinate(t, &own, (n + from) / draws, density);
            else coordinate = draw_coordinate(t, &own, r, density);
            d->p[n][k]     = quantity_value(t->recipe, k, coordinate, NULL);
            d->given[n][k] = (float)(coordinate * (CELL_VALUES - 1));
            if (rs) d->p[n][EIS_RS] = draw_rs(t, &of_rs, &view, r, &d->log_density[n]);
        }
        if (i < last)
            status = predictor_ask(t->q->predictor, draws, d->spectrum, (const float (*)[EIS_COUNT])d->given, d->answer,
                                   failure);
        rows = d->answer, stride = t->each;
    }
    return status;
}

static tide_status draw_labelling(const network_task *t, int l, rng *r, draft *d, completion *out,
                                  tide_failure *failure) {
    const labelling *own = &t->labelling[l];
    int draws = how_many(t);
    for (int n = 0; n < draws; n++) {
        memcpy(d->given[n], own->known_u, sizeof d->given[n]);
        d->log_density[n] = 0;
    }
    tide_status status = draw_chain(t, own, t->first + l * t->each, r, d, failure);
    for (int n = 0; status == TIDE_OK && n < draws; n++) put_draw(t, own, d->p[n], d->log_density[n], out);
    return status;
}

tide_status completion_draw_lab(network_task *t, completion *out, tide_failure *failure) {
    draft d = { malloc(DRAWS * sizeof *d.given), calloc(DRAWS, sizeof *d.p), malloc(DRAWS * sizeof *d.log_density),
                malloc((size_t)(DRAWS * t->each) * sizeof *d.answer), calloc(DRAWS, sizeof *d.spectrum) };
    rng   r = { .seed = (uint64_t)t->q->seed, .stream = STREAM };
    out->draws         = malloc(LABELLINGS * DRAWS * sizeof *out->draws);
    bool        fine   = d.given && d.p && d.log_density && d.answer && d.spectrum && out->draws;
    tide_status status = fine ? TIDE_OK : completion_no_memory(failure);
    t->split = how_many(t);
    for (int l = 0; status == TIDE_OK && l < t->labellings; l++) status = draw_labelling(t, l, &r, &d, out, failure);
    for (int64_t i = 0; status == TIDE_OK && i < out->draw_count; i++)
        out->draws[i].weight = t->labelling[i >= t->split].weight / (double)t->split;
    free(d.given), free(d.p), free(d.log_density), free(d.answer), free(d.spectrum);
    return status;
}
