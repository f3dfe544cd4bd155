/* Spectra go through one program, as many at a time as there is memory for. */
#include "exact_batch.h"

#include <math.h>
#include <stdlib.h>

#include <tidemill/ops.h>

#include "base/base.h"
#include "exact_tables.h"
#include "train/step.h"

struct exact_batch {
    exact_tables *tables;
    tide_graph   *graph;
    tide_program *program;
    tide_val      re, im, noise;                    /* inputs: (spectra, points) twice, (spectra) */
    tide_val      marginal, peak, score, best;
    int64_t       spectra, points;
    bool          scores;
    const char   *note;
    double       *room_re, *room_im, *room_noise;   /* of a run's inputs */
};

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for exact posteriors");
}

/* ---- the program ---- */

static tide_val constant(tide_graph *g, int64_t rows, const double *data) {
    return tide_constant(g, TIDE_F64, TIDE_SHAPE(rows, EXACT_PAIRS), data);
}

/* Over the Rsh of the grid, as (1, CELL_POINTS, 1). */
static tide_val over_rsh(const exact_batch *b, int power) {
    double x[CELL_POINTS];
    for (int r = 0; r < CELL_POINTS; r++) x[r] = pow(b->tables->over_rsh[r], power);
    return tide_constant(b->graph, TIDE_F64, TIDE_SHAPE(1, CELL_POINTS, 1), x);
}

/* ln of prior times likelihood, up to a constant of the spectrum: (spectra, CELL_POINTS, EXACT_PAIRS). */
static tide_val log_posterior(const exact_batch *b) {
    tide_graph *g = b->graph;
    const exact_tables *t = b->tables;
    tide_val size  = tide_add(tide_square(b->re), tide_square(b->im));
    tide_val told  = tide_concat(g, TIDE_LIST(size, b->re, b->im), 1);
    tide_val fixed = tide_add_scalar(tide_matmul(told, constant(g, 3 * t->points, t->both)), (double)t->points);
    tide_val slope = tide_sub(tide_matmul(size, constant(g, t->points, t->slope)), tide_sum(b->re, TIDE_AXES_KEEP(1)));
    tide_val curve = tide_expand_dims(tide_sum(size, TIDE_AXES_KEEP(1)), 2);
    tide_val bend  = tide_add(tide_mul(tide_expand_dims(slope, 1), tide_mul_scalar(over_rsh(b, 1), 2)),
                              tide_mul(curve, over_rsh(b, 2)));
    tide_val scale = tide_reshape(tide_mul_scalar(tide_reciprocal(tide_square(b->noise)), -0.5),
                                  TIDE_SHAPE(b->spectra, 1, 1));
    tide_val bias  = tide_constant(g, TIDE_F64, TIDE_SHAPE(1, CELL_POINTS, EXACT_PAIRS), t->bias);
    return tide_add(tide_mul(scale, tide_add(tide_expand_dims(fixed, 1), bend)), bias);
}

/* What each pair has over all Rsh: twelve rows added side by side, where a sum over that axis would stride. */
static tide_val over_all_rsh(tide_val own) {
    tide_val sum = tide_slice(own, 1, 0, 1);
    for (int r = 1; r < CELL_POINTS; r++) sum = tide_add(sum, tide_slice(own, 1, r, r + 1));
    return tide_squeeze(sum, 1);
}

/* Rsh's sums are over the pairs; the others' are of the pairs, by a product with their members. */
static void marginals(exact_batch *b, tide_val score) {
    tide_graph *g = b->graph;
    tide_val    own = tide_exp(score), shunt = tide_sum(own, TIDE_AXES(2)), pair = over_all_rsh(own);
    tide_val    member = tide_constant(g, TIDE_F32, TIDE_SHAPE(EXACT_PAIRS, (EIS_COUNT - 1) * CELL_POINTS),
                                       b->tables->member);
    tide_val all = tide_concat(g, TIDE_LIST(shunt, tide_matmul(pair, member)), 1);
    b->peak     = tide_reciprocal(tide_sum(shunt, TIDE_AXES(1)));
    b->marginal = tide_mul(all, tide_expand_dims(b->peak, 1));
}

static tide_status build(exact_batch *b, tide_failure *failure) {
    tide_graph *g = b->graph;
    b->re       = tide_input(g, "re", TIDE_F64, TIDE_SHAPE(b->spectra, b->points));
    b->im       = tide_input(g, "im", TIDE_F64, TIDE_SHAPE(b->spectra, b->points));
    b->noise    = tide_input(g, "noise", TIDE_F64, TIDE_SHAPE(b->spectra));
    tide_val own = log_posterior(b);
    b->best     = tide_argmax(tide_reshape(own, TIDE_SHAPE(b->spectra, EXACT_CELLS)), 1);
    b->score    = tide_cast(tide_sub(own, tide_max(own, TIDE_AXES_KEEP(1, 2))), TIDE_F32);
    if (!b->scores) marginals(b, b->score);
    tide_list wanted = b->scores ? TIDE_LIST(b->score, b->best) : TIDE_LIST(b->marginal, b->peak, b->best);
    b->program = tide_compile(wanted, NULL);
    tide_status status = train_compiled(g, b->program, failure);
    if (status == TIDE_OK) tide_program_device(b->program, &b->note);
    return status;
}

/* ---- opening ---- */

static void close_program(exact_batch *b) {
    tide_graph_free(b->graph);
    free(b->room_re);
    b->graph = NULL, b->room_re = NULL;
}

/* The engine's limit is without constants, which the tables are, but for a device's copies of them. */
static int64_t limit_beside(const exact_batch *b, const char *device, int64_t limit) {
    tide_device d;
    bool        own = tide_device_info(device, &d, NULL) == TIDE_OK && d.own_memory;
    return limit > 0 && !own ? MAX2(limit - exact_tables_bytes(b->tables), 1) : limit;
}

static tide_status open_program(exact_batch *b, const exact_batch_settings *s, tide_failure *failure) {
    train_graph how    = { .device = s->device, .threads = s->threads,
                           .memory_limit = limit_beside(b, s->device, s->memory_limit) };
    int64_t     count  = b->spectra * b->points;
    tide_status status = train_graph_new(&how, &b->graph, failure);
    if (status != TIDE_OK) return status;
    b->room_re = malloc((size_t)(2 * count + b->spectra) * sizeof *b->room_re);
    if (!b->room_re) return no_memory(failure);
    b->room_im = b->room_re + count, b->room_noise = b->room_im + count;
    return build(b, failure);
}

/* Half as many, until there is memory for them. */
static tide_status open_largest(exact_batch *b, const exact_batch_settings *s, tide_failure *failure) {
    for (;; b->spectra = (b->spectra + 1) / 2) {
        tide_failure why    = { 0 };
        tide_status  status = open_program(b, s, &why);
        if (status == TIDE_ENOMEM && b->spectra == 1)
            return fail(failure, status, "not enough memory for the exact posterior of one spectrum: %s", why.message);
        if (status != TIDE_ENOMEM) {
            if (status != TIDE_OK && failure) *failure = why;
            return status;
        }
        close_program(b);
    }
}

tide_status exact_batch_open(const exact_batch_settings *s, int64_t points, const double *freq_hz, exact_batch **out,
                             tide_failure *failure) {
    exact_batch *b = *out = calloc(1, sizeof *b);
    if (!b) return no_memory(failure);
    *b = (exact_batch){ .points = points, .spectra = s->spectra > 1 ? s->spectra : 1, .scores = s->scores, .note = "",
                        .tables = exact_tables_new(points, freq_hz) };
    tide_status status = b->tables ? open_largest(b, s, failure) : no_memory(failure);
    if (status != TIDE_OK) exact_batch_free(b), *out = NULL;
    return status;
}

void exact_batch_free(exact_batch *b) {
    if (!b) return;
    close_program(b);
    exact_tables_free(b->tables);
    free(b);
}

int64_t exact_batch_spectra(const exact_batch *b) { return b->spectra; }

int64_t exact_batch_bytes(const exact_batch *b) { return tide_program_bytes(b->program).total; }

const char *exact_batch_note(const exact_batch *b) { return b->note; }

/* ---- running ---- */

/* What is left of the program is filled up with the first spectrum. */
static void fill_inputs(exact_batch *b, int64_t count, const eis_z *z, const double *noise) {
    for (int64_t i = 0; i < b->spectra; i++) {
        int64_t from = i < count ? i : 0;
        b->room_noise[i] = noise[from];
        for (int64_t f = 0; f < b->points; f++) {
            b->room_re[i * b->points + f] = z[from * b->points + f].re;
            b->room_im[i * b->points + f] = z[from * b->points + f].im;
        }
    }
}

static tide_status unread(const exact_batch *b, tide_status status, tide_failure *failure) {
    if (status != TIDE_OK && train_compiled(b->graph, b->program, failure) != TIDE_OK) return status;
    return train_unread(b->graph, "exact posteriors", failure);
}

tide_program *exact_batch_program(const exact_batch *b, tide_feed feeds[EXACT_FEEDS]) {
    feeds[0] = (tide_feed){ b->re, b->room_re };
    feeds[1] = (tide_feed){ b->im, b->room_im };
    feeds[2] = (tide_feed){ b->noise, b->room_noise };
    return b->program;
}

tide_status exact_batch_run(exact_batch *b, int64_t count, const eis_z *z, const double *noise, exact_answers *out,
                            tide_failure *failure) {
    tide_feed feeds[EXACT_FEEDS];
    *out = (exact_answers){ 0 };
    fill_inputs(b, count, z, noise);
    tide_status status = tide_run(exact_batch_program(b, feeds), feeds, EXACT_FEEDS);
    if (status != TIDE_OK) return unread(b, status, failure);
    out->best = tide_data(b->best);
    if (b->scores) out->score = tide_data(b->score);
    else out->marginal = tide_data(b->marginal), out->peak = tide_data(b->peak);
    bool fine = out->best && (b->scores ? out->score != NULL : out->marginal && out->peak);
    return fine ? TIDE_OK : unread(b, TIDE_OK, failure);
}

/* ---- one spectrum's answer ---- */

static void cell_index(const exact_tables *t, int64_t r, int64_t pair, int index[EIS_COUNT]) {
    const exact_pair *own = &t->pair[pair];
    index[EIS_RSH] = (int)r;
    index[EIS_RA] = own->ra, index[EIS_CA] = own->ca, index[EIS_RB] = own->rb, index[EIS_CB] = own->cb;
}

void exact_batch_index(const exact_batch *b, int64_t cell, int index[EIS_COUNT]) {
    cell_index(b->tables, cell / EXACT_PAIRS, cell % EXACT_PAIRS, index);
}

/* Whether a pair's membranes are those that are known. */
static bool agrees(const int *index, const int *known, unsigned missing) {
    for (int k = EIS_RA; k < EIS_COUNT; k++)
        if (!(missing >> k & 1) && index[k] != known[k]) return false;
    return true;
}

typedef struct slice {
    const exact_tables *tables;
    const float        *score;
    exact_posterior    *to;
    double              most, sum;
    int64_t             once, twice;
} slice;

typedef void visiting(slice *s, float score, bool twice, int *index);

/* Calls `visit` with the cells that agree with what is known. */
static void visit_cells(slice *s, const sample *of, unsigned missing, visiting *visit) {
    bool    any_rsh = missing >> EIS_RSH & 1;
    int64_t from = any_rsh ? 0 : of->index[EIS_RSH], to = any_rsh ? CELL_POINTS : from + 1;
    for (int64_t p = 0; p < EXACT_PAIRS; p++) {
        int index[EIS_COUNT];
        cell_index(s->tables, 0, p, index);
        if (!agrees(index, of->index, missing)) continue;
        for (int64_t r = from; r < to; r++) {
            index[EIS_RSH] = (int)r;
            visit(s, s->score[r * EXACT_PAIRS + p], s->tables->pair[p].twice, index);
        }
    }
}

static void find_most(slice *s, float score, bool twice, int *index) {
    (void)index;
    s->most = fmax(s->most, (double)score);
    s->twice += twice, s->once += !twice;
}

static void put_cell(slice *s, float score, bool twice, int *index) {
    const double negligible = -60;  /* as in cells_weigh */
    double below = (double)score - s->most;
    (void)twice;
    if (!(below > negligible)) return;
    s->sum += s->to->probability[exact_place(s->to, index)] = exp(below);
}

bool exact_posterior_of(const exact_batch *b, const float *score, const sample *s, unsigned missing,
                        exact_posterior *out) {
    slice of = { .tables = b->tables, .score = score, .to = out, .most = (double)-INFINITY };
    if (!exact_posterior_begin(missing, out)) return false;
    visit_cells(&of, s, missing, find_most);
    exact_chance(of.once, of.twice, out->chance);
    visit_cells(&of, s, missing, put_cell);
    for (int64_t i = 0; i < out->count; i++) out->probability[i] /= of.sum;
    return true;
}
