/* Measures a predictor from known values alone on fresh rows of a uniform grid: no part of such a row tells another, so
 * what it gets right of the missing values is chance; its residual norm is another matter. */
#include "evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/philox.h"
#include "eis/dataset/ground_truth.h"
#include "eis/known/model.h"

enum { TRUTHS = 1000, FREQUENCIES_MOST = 100, SITE_ROW = 0x4b524f, TOP = 5 };

typedef struct known_tally {
    int64_t cases;
    /* sums over cases */
    double  label_1, label_5, joint_1, joint_5, chance_1, chance_5, joint_chance_1, joint_chance_5;
    /* of the residual norm */
    double  squares, target, target_squares;
} known_tally;

typedef struct known_test {
    const evaluation *e;
    known_model       model;
    int64_t           points, frequencies;
    double            freq_hz[FREQUENCIES_MOST];
    eis_circuit       circuit;
    eis_resnorm_kind  kind;
    ground_truth     *truth;
    known_tally       all, missing[EIS_COUNT];
} known_test;

static eis_resnorm_kind kind_of(const char *name) {
    for (int k = 0; k < EIS_RESNORMS; k++)
        if (!strcmp(eis_resnorm_name((eis_resnorm_kind)k), name)) return (eis_resnorm_kind)k;
    return EIS_MEAN_ABS;
}

/* The frequencies that tidemill eis generate uses for either circuit. */
static void set_frequencies(known_test *t) {
    bool   shunt = t->circuit == EIS_SHUNT;
    double low = shunt ? 0.1 : 1, high = shunt ? 1e5 : 1e6;
    t->frequencies = shunt ? FREQUENCIES_MOST : FREQUENCIES_MOST / 2;
    for (int64_t i = 0; i < t->frequencies; i++)
        t->freq_hz[i] = low * pow(high / low, (double)i / (double)(t->frequencies - 1));
}

static int64_t draw_below(const known_test *t, int64_t number, uint32_t element, int64_t count) {
    uint32_t word =
        philox_word((uint64_t)t->e->options->seed, (uint32_t)number, SITE_ROW, (uint32_t)(number >> 32), element);
    return (int64_t)((uint64_t)word * (uint64_t)count >> 32);
}

typedef struct known_row_drawn { int index[EIS_COUNT]; double p[EIS_COUNT], resnorm; } known_row_drawn;

static known_row_drawn draw_row(const known_test *t, int64_t number) {
    known_row_drawn r;
    eis_z data[FREQUENCIES_MOST], own[FREQUENCIES_MOST];
    for (int k = 0; k < EIS_COUNT; k++) {
        r.index[k] = (int)draw_below(t, number, (uint32_t)k, t->points);
        r.p[k]     = eis_grid_value(k, r.index[k], t->points);
    }
    eis_impedance(t->circuit, t->truth[draw_below(t, number, EIS_COUNT, TRUTHS)].p, 0, t->frequencies, t->freq_hz,
                  data);
    eis_impedance(t->circuit, r.p, 0, t->frequencies, t->freq_hz, own);
    r.resnorm = eis_resnorm(t->kind, t->frequencies, t->freq_hz, data, own, EIS_COUNT);
    return r;
}

/* Place of the true value in the falling order of probabilities; of equal ones the first in the grid leads. */
static int rank_of(const double *p, int64_t points, int truth) {
    int rank = 0;
    for (int64_t i = 0; i < points; i++) rank += p[i] > p[truth] || (p[i] == p[truth] && i < truth);
    return rank;
}

static bool same_cell(const known_candidate *c, const known_row_drawn *r, unsigned missing) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (missing >> k & 1 && c->index[k] != r->index[k]) return false;
    return true;
}

static void tally_answer(const known_test *t, const known_row_drawn *r, unsigned missing, const known_answer *a,
                         const eis_known *known,
                         known_tally *out) {
    known_candidate    top[TOP];
    const known_scale *scale = &t->model.card.scale;
    int     n     = __builtin_popcount(missing);
    int64_t count = known_model_top(&t->model, known, a, TOP, top);
    double  cells = pow((double)t->points, n);
    out->cases++;
    for (int k = 0; k < EIS_COUNT; k++) {
        if (!(missing >> k & 1)) continue;
        int rank = rank_of(a->p[k], t->points, r->index[k]);
        out->label_1 += (double)(rank == 0) / n;
        out->label_5 += (double)(rank < TOP) / n;
    }
    for (int64_t i = 0; i < count; i++) {
        bool hit = same_cell(&top[i], r, missing);
        out->joint_1 += i == 0 && hit;
        out->joint_5 += hit;
    }
    out->chance_1 += 1 / (double)t->points, out->chance_5 += fmin(TOP / (double)t->points, 1);
    out->joint_chance_1 += 1 / cells, out->joint_chance_5 += fmin(TOP / cells, 1);
    if (!(scale->sd > 0)) return;
    double target = known_scaled(scale, r->resnorm), apart = known_scaled(scale, a->resnorm) - target;
    out->squares += apart * apart, out->target += target, out->target_squares += target * target;
}

static tide_status measure(known_test *t, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < t->e->options->test_spectra; i++) {
        known_row_drawn r = draw_row(t, i);
        for (int which = 0; status == TIDE_OK && which < EIS_COUNT; which++) {
            unsigned     missing = test_mask(t->e, i, which);
            eis_known    known   = { .is = { false } };
            known_answer a;
            for (int k = 0; k < EIS_COUNT; k++) known.is[k] = !(missing >> k & 1), known.value[k] = r.p[k];
            status = known_model_predict(&t->model, &known, &a, failure);
            if (status != TIDE_OK) break;
            tally_answer(t, &r, missing, &a, &known, &t->all);
            tally_answer(t, &r, missing, &a, &known, &t->missing[which]);
        }
    }
    return status;
}

/* ---- the report ---- */

static double r2_of(const known_tally *t) {
    double n = (double)t->cases, spread = t->target_squares - t->target * t->target / n;
    return spread > 0 ? 1 - t->squares / spread : NAN;
}

static json_t *tally_json(const known_test *t, const known_tally *s, int missing) {
    double  n = (double)s->cases;
    json_t *o = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "cases", (json_int_t)s->cases, "label_top1",
                          s->label_1 / n,
                          "label_top5", s->label_5 / n, "chance_label_top1", s->chance_1 / n, "chance_label_top5",
                          s->chance_5 / n,
                          "joint_top1", s->joint_1 / n, "joint_top5", s->joint_5 / n, "chance_joint_top1",
                          s->joint_chance_1 / n,
                          "chance_joint_top5", s->joint_chance_5 / n);
    bool scored = t->model.card.scale.sd > 0;
    json_object_set_new(o, "missing", missing ? json_integer(missing) : json_string("1 to 5"));
    json_object_set_new(o, "resnorm_mse", scored ? json_real(s->squares / n) : json_null());
    json_object_set_new(o, "resnorm_r2", scored && isfinite(r2_of(s)) ? json_real(r2_of(s)) : json_null());
    return o;
}

static json_t *quantities_json(const known_test *t) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "label_top1",
                     "share of the missing parameters whose true value is the most probable, mean over missing "
                     "parameters, then cases",
                     "joint_top1",
                     "share of cases in which the most probable combination of all missing parameters "
                     "is the true one",
                     "chance_label_top1",
                     "1 / grid values; a row of a uniform grid tells nothing of its missing values", "resnorm_mse",
                     t->model.card.scale.log
                         ? "mean squared error of (log10 residual norm - mean) / sd, mean and sd those of training"
                         : "mean squared error of the residual norm as it is",
                     "resnorm_r2", "1 - that error over the variance of the same over these cases");
}

static void put_row(const known_test *t, const char *name, const known_tally *s, text *out) {
    double n = (double)s->cases;
    text_add(out, "%7s   %.4f %.4f   %.4f %.4f   %.4f %.4f   %.6f %.6f", name, s->label_1 / n, s->label_5 / n,
             s->chance_1 / n,
             s->chance_5 / n, s->joint_1 / n, s->joint_5 / n, s->joint_chance_1 / n, s->joint_chance_5 / n);
    if (t->model.card.scale.sd > 0) text_add(out, "   %8.4f %8.4f", s->squares / n, r2_of(s));
    text_add(out, "\n");
}

static void put_report(const known_test *t, json_t *report, text *talk) {
    json_t *rows = json_array();
    char    name[8];
    json_object_set_new(report, "inputs", json_string("known"));
    json_object_set_new(report, "quantities", quantities_json(t));
    text_add(talk,
             "%s: known values alone, %" PRId64 " fresh rows of a uniform grid, each with one random set of 1 to 5 "
                                                "missing parameters\n"
             "labels: each missing parameter for itself; joint: all of them together; hits are counted\n"
             "          labels          chance          joint           chance              residual norm\n"
             "missing   top-1  top-5    top-1  top-5    top-1  top-5    top-1    top-5          MSE       R2\n",
             t->e->options->model, t->e->options->test_spectra);
    for (int n = 0; n < EIS_COUNT; n++) {
        snprintf(name, sizeof name, "%d", n + 1);
        put_row(t, name, &t->missing[n], talk);
        json_array_append_new(rows, tally_json(t, &t->missing[n], n + 1));
    }
    put_row(t, "mean", &t->all, talk);
    json_object_set_new(report, "by_missing", rows);
    json_object_set_new(report, "mean", tally_json(t, &t->all, 0));
}

tide_status evaluate_known(const evaluation *e, json_t *report, text *talk, tide_failure *failure) {
    known_test  t      = { .e = e };
    tide_status status = known_model_load(e->options->model, e->options->device, &t.model, failure);
    if (status == TIDE_OK) {
        const known_card *card = &t.model.card;
        t.points  = t.model.network.sizes.points;
        t.circuit = card->circuit_given ? card->circuit : EIS_SHUNT;
        t.kind    = kind_of(card->resnorm_kind);
        t.truth   = ground_truths_draw(TRUTHS, e->options->seed + 1);
        set_frequencies(&t);
        status = t.truth ? measure(&t, failure) : fail(failure, TIDE_ENOMEM, "out of memory for ground truths");
    }
    if (status == TIDE_OK) put_report(&t, report, talk);
    known_model_free(&t.model);
    free(t.truth);
    return status;
}
