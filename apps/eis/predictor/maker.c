/* Programs that share variables: errors are added and starts found; a step of all starts; the best of them; a step of
 * the best; features. */
#include "maker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/parallel.h"
#include "eis/circuit/stream.h"
#include "fits.h"
#include "quick_rule.h"
#include "train/step.h"

enum { POINTS = GRID_FREQUENCIES, WORDS = 2 * POINTS, N = QUICK_COUNT };

typedef enum stage { BEGIN, FIRST, CHOOSE, LAST, FINISH, STAGES } stage;
static const int runs_of[STAGES] = { 1, QUICK_FIRST_STEPS, 1, QUICK_LAST_STEPS, 1 };

struct maker {
    sampler_settings settings;
    int           threads;
    int64_t       spectra;
    double        freq_hz[POINTS], omega[POINTS];
    tide_graph   *graph;
    tide_val      p, noise, words;              /* inputs: (spectra, EIS_COUNT), (spectra), (spectra, WORDS) */
    fits_data      data;                         /* in variables */
    fits_state     first, last;                  /* variables: of all starts; of the best */
    tide_val      valid, still, features;
    tide_program *program[STAGES];
    /* room for the inputs */
    double       *room_p, *room_noise;
    int32_t      *room_words;
};

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for making spectra");
}

/* ---- variables ---- */

static tide_val variable(tide_graph *g, const char *name, int64_t spectra, int64_t starts, int64_t count) {
    return tide_variable(g, name, tide_fill(g, TIDE_F64, TIDE_SHAPE(spectra, starts, count), 0));
}

static fits_state state_variables(tide_graph *g, const char *scope, int64_t spectra, int64_t starts) {
    fits_state s;
    tide_scope_push(g, scope);
    for (int k = 0; k < FIT_STATE; k++) {
        char name[16];
        snprintf(name, sizeof name, "%d", k);
        s.of[k] = variable(g, name, spectra, starts, 1);
    }
    tide_scope_pop(g);
    return s;
}

static void make_variables(maker *m) {
    tide_graph *g = m->graph;
    m->data = (fits_data){ .spectra = m->spectra, .points = POINTS, .freq_hz = m->freq_hz,
                          .omega = tide_constant(g, TIDE_F64, TIDE_SHAPE(POINTS), m->omega),
                          .re = variable(g, "re", m->spectra, 1, POINTS),
                          .im = variable(g, "im", m->spectra, 1, POINTS),
                          .weight = variable(g, "weight", m->spectra, 1, POINTS),
                          .over_noise = variable(g, "over_noise", m->spectra, 1, 1) };
    m->first = state_variables(g, "first", m->spectra, QUICK_STARTS);
    m->last  = state_variables(g, "last", m->spectra, 1);
    m->valid = variable(g, "valid", m->spectra, 1, 1);
    m->still = variable(g, "still", m->spectra, 1, 1);
}

/* ---- measurements ---- */

/* recipe.c's impedance of the circuits, without Rs. */
static void impedance(const maker *m, tide_val *re, tide_val *im) {
    tide_val p[EIS_COUNT];
    for (int k = 0; k < EIS_COUNT; k++)
        p[k] = tide_reshape(tide_slice(m->p, 1, k, k + 1), TIDE_SHAPE(m->spectra, 1, 1));
    tide_val a = tide_mul(m->data.omega, tide_mul(p[EIS_RA], p[EIS_CA])),
             b = tide_mul(m->data.omega, tide_mul(p[EIS_RB], p[EIS_CB]));
    tide_val za = tide_mul(p[EIS_RA], fits_pole(a)), zb = tide_mul(p[EIS_RB], fits_pole(b));
    tide_val x = tide_add(za, zb), y = tide_neg(tide_add(tide_mul(za, a), tide_mul(zb, b))),
             u = tide_add(x, p[EIS_RSH]), y2 = tide_square(y);
    tide_val share = tide_div(p[EIS_RSH], tide_add(tide_square(u), y2));
    *re = tide_mul(share, tide_add(tide_mul(x, u), y2));
    *im = tide_mul(share, tide_mul(p[EIS_RSH], y));
}

/* In (0, 1), word `which` of each point. */
static tide_val unit_of(const maker *m, int which) {
    tide_val pairs = tide_reshape(m->words, TIDE_SHAPE(m->spectra, POINTS, 2));
    tide_val word  = tide_cast(tide_reshape(tide_slice(pairs, 2, which, which + 1), TIDE_SHAPE(m->spectra, 1, POINTS)),
                               TIDE_F64);
    tide_val whole = tide_where(tide_lt_scalar(word, 0), tide_add_scalar(word, 0x1p32), word);  /* it has no sign */
    return tide_mul_scalar(tide_add_scalar(whole, 0.5), 0x1p-32);
}

/* By Box and Muller. */
static fits_data measure(const maker *m) {
    fits_data d = m->data;
    tide_val re, im;
    impedance(m, &re, &im);
    tide_val radius = tide_sqrt(tide_mul_scalar(tide_log(unit_of(m, 0)), -2)),
             angle  = tide_mul_scalar(unit_of(m, 1), TWO_PI);
    tide_val size   = tide_sqrt(tide_add(tide_square(re), tide_square(im)));
    tide_val noise  = tide_reshape(m->noise, TIDE_SHAPE(m->spectra, 1, 1));
    tide_val error  = tide_mul(tide_mul(noise, size), radius);
    d.re     = tide_add(re, tide_mul(error, tide_cos(angle)));
    d.im     = tide_add(im, tide_mul(error, tide_sin(angle)));
    d.weight = tide_reciprocal(tide_add(tide_square(d.re), tide_square(d.im)));
    d.over_noise = tide_reciprocal(tide_square(noise));
    return d;
}

/* ---- programs ---- */

enum { EFFECTS = FIT_STATE + 8 };
typedef struct effects { tide_val of[EFFECTS]; int count; } effects;

static void set(effects *e, tide_val variable, tide_val value) { e->of[e->count++] = tide_assign(variable, value); }

static void set_state(effects *e, const fits_state *to, const fits_state *from) {
    for (int k = 0; k < FIT_STATE; k++) set(e, to->of[k], from->of[k]);
}

static void begin(const maker *m, effects *e) {
    fits_data  d = measure(m);
    tide_val  start[QUICK_STARTS][N], value[N], valid;
    fits_starts(&d, start, &valid);
    for (int k = 0; k < N; k++) value[k] = tide_concat(m->graph, TIDE_LIST(start[0][k], start[1][k], start[2][k]), 1);
    fits_state s = fits_begin(&d, value);
    set(e, m->data.re, d.re), set(e, m->data.im, d.im), set(e, m->data.weight, d.weight);
    set(e, m->data.over_noise, d.over_noise);
    set(e, m->valid, tide_cast(valid, TIDE_F64));
    set_state(e, &m->first, &s);
}

static void step_all(const maker *m, effects *e) {
    fits_state s = fits_step(&m->data, &m->first, NULL);
    set_state(e, &m->first, &s);
}

static fits_state start_of(const fits_state *all, int i) {
    fits_state s;
    for (int k = 0; k < FIT_STATE; k++) s.of[k] = tide_slice(all->of[k], 1, i, i + 1);
    return s;
}

/* The lowest objective, the first of equals; the first start may be missing. */
static void choose(const maker *m, effects *e) {
    fits_state best = start_of(&m->first, 0);
    tide_val  held = tide_gt_scalar(m->valid, 0);
    for (int i = 1; i < QUICK_STARTS; i++) {
        fits_state other = start_of(&m->first, i);
        tide_val  keep  = tide_and(held, tide_ge(other.of[FIT_OBJECTIVE], best.of[FIT_OBJECTIVE]));
        for (int k = 0; k < FIT_STATE; k++) best.of[k] = tide_where(keep, best.of[k], other.of[k]);
        held = tide_ge_scalar(m->valid, 0);  /* from now on there is one */
    }
    set_state(e, &m->last, &best);
    set(e, m->still, tide_mul_scalar(m->valid, 0));
}

/* Until two bold steps gain next to nothing, or no timid one gains anything. */
static void step_best(const maker *m, effects *e) {
    tide_val  gained, going = tide_lt_scalar(m->still, 2);
    fits_state s = fits_step(&m->data, &m->last, &gained);
    tide_val  damping = s.of[FIT_DAMPING],
              settled = tide_or(tide_le_scalar(damping, QUICK_BOLD), tide_ge_scalar(damping, QUICK_TIMID));
    tide_val still = tide_where(tide_ge_scalar(gained, QUICK_GAIN_LEAST), tide_mul_scalar(m->still, 0),
                                tide_add(m->still, tide_cast(settled, TIDE_F64)));
    for (int k = 0; k < FIT_STATE; k++) s.of[k] = tide_where(going, s.of[k], m->last.of[k]);
    set_state(e, &m->last, &s);
    set(e, m->still, tide_where(going, still, m->still));
}

static void (*const build[STAGES])(const maker *m, effects *e) = {
    [BEGIN] = begin, [FIRST] = step_all, [CHOOSE] = choose, [LAST] = step_best
};

static tide_status compile_stage(maker *m, stage at, tide_failure *failure) {
    effects  e = { .count = 0 };
    tide_val wanted = { 0 };
    if (build[at]) build[at](m, &e), wanted = tide_group(m->graph, (tide_list){ e.of, e.count });
    else wanted = m->features = fits_features(&m->data, &m->last);
    m->program[at] = tide_compile(TIDE_LIST(wanted), NULL);
    return train_compiled(m->graph, m->program[at], failure);
}

static tide_status compile_all(maker *m, tide_failure *failure) {
    tide_graph *g = m->graph;
    m->p     = tide_input(g, "p", TIDE_F64, TIDE_SHAPE(m->spectra, EIS_COUNT));
    m->noise = tide_input(g, "noise", TIDE_F64, TIDE_SHAPE(m->spectra));
    m->words = tide_input(g, "words", TIDE_I32, TIDE_SHAPE(m->spectra, WORDS));
    make_variables(m);
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < STAGES; i++) status = compile_stage(m, (stage)i, failure);
    return status;
}

/* ---- opening ---- */

static void close_graph(maker *m) {
    tide_graph_free(m->graph);
    free(m->room_p), free(m->room_noise), free(m->room_words);
    m->graph = NULL, m->room_p = m->room_noise = NULL, m->room_words = NULL;
}

/* The engine's limit is a program's; these are held together, and share their variables. */
int64_t maker_bytes(const maker *m) {
    int64_t held = tide_program_bytes(m->program[0]).variables;
    for (int i = 0; i < STAGES; i++) {
        tide_memory own = tide_program_bytes(m->program[i]);
        held += own.total - own.variables;
    }
    return held;
}

static tide_status check_limit(const maker *m, int64_t limit, tide_failure *failure) {
    int64_t held = limit ? maker_bytes(m) : 0;
    if (held <= limit) return TIDE_OK;
    return fail(failure, TIDE_ENOMEM,
                "making %" PRId64 " spectra at a time needs %" PRId64 " bytes; the limit is %" PRId64, m->spectra, held,
                limit);
}

static tide_status open_graph(maker *m, const maker_settings *how, tide_failure *failure) {
    train_graph with   = { .device = how->device, .threads = how->threads, .memory_limit = how->memory_limit };
    tide_status status = train_graph_new(&with, &m->graph, failure);
    if (status != TIDE_OK) return status;
    m->room_p     = malloc((size_t)(m->spectra * EIS_COUNT) * sizeof *m->room_p);
    m->room_noise = malloc((size_t)m->spectra * sizeof *m->room_noise);
    m->room_words = malloc((size_t)(m->spectra * WORDS) * sizeof *m->room_words);
    if (!m->room_p || !m->room_noise || !m->room_words) return no_memory(failure);
    status = compile_all(m, failure);
    return status == TIDE_OK ? check_limit(m, how->memory_limit, failure) : status;
}

/* Half as many, until there is memory for them. */
static tide_status open_largest(maker *m, const maker_settings *how, tide_failure *failure) {
    for (;; m->spectra /= 2) {
        tide_failure why    = { 0 };
        tide_status  status = open_graph(m, how, &why);
        if (status == TIDE_OK) return TIDE_OK;
        if (status != TIDE_ENOMEM || m->spectra == 1) {
            if (failure) *failure = why;
            return status;
        }
        close_graph(m);
    }
}

static bool is_elsewhere(const maker *m) {
    const char *note = "";
    for (int i = 0; !*note && i < STAGES; i++) tide_program_device(m->program[i], &note);
    return *note != 0;
}

tide_status maker_open(const sampler_settings *s, const maker_settings *how, maker **out, tide_failure *failure) {
    maker *m = *out = calloc(1, sizeof *m);
    sample one;
    if (!m) return no_memory(failure);
    *m = (maker){ .settings = *s, .threads = how->threads, .spectra = MAX2(how->spectra, 1) };
    sample_draw(s, SPLIT_TEST, 0, &one); /* for its frequencies */
    for (int i = 0; i < POINTS; i++) m->freq_hz[i] = one.freq_hz[i], m->omega[i] = TWO_PI * one.freq_hz[i];
    tide_status status = open_largest(m, how, failure);
    if (status != TIDE_OK || is_elsewhere(m)) maker_free(m), *out = NULL;
    return status;
}

void maker_free(maker *m) {
    if (!m) return;
    close_graph(m);
    free(m);
}

/* ---- running ---- */

typedef struct drawing { maker *of; sample_split split; uint64_t first; int64_t count, stride; float *rows; } drawing;

/* What is left of the program is filled up with the spectra that follow. */
static void draw(void *of, int64_t i, int thread) {
    const drawing *d = of;
    maker   *m = d->of;
    sample   s;
    (void)thread;
    sample_draw_words(&m->settings, d->split, d->first + (uint64_t)i, &s, (uint32_t *)m->room_words + i * WORDS);
    memcpy(m->room_p + i * EIS_COUNT, s.p, EIS_COUNT * sizeof *s.p);
    m->room_noise[i] = s.noise;
    if (i < d->count) row_answers(EIS_RECIPE_GRID, s.p, NULL, d->rows + i * d->stride + GRID_WIDTH);
}

typedef struct copying { const float *features; const drawing *to; } copying;

static void copy_row(void *of, int64_t i, int thread) {
    const copying *c = of;
    (void)thread;
    memcpy(c->to->rows + i * c->to->stride, c->features + i * GRID_WIDTH, GRID_WIDTH * sizeof *c->features);
}

static tide_status failed(const maker *m, tide_status status, const tide_program *last, tide_failure *failure) {
    if (status != TIDE_OK && train_compiled(m->graph, last, failure) != TIDE_OK) return status;
    return train_unread(m->graph, "making spectra", failure);
}

static tide_status make_some(maker *m, const drawing *d, tide_failure *failure) {
    const tide_feed feeds[] = { { m->p, m->room_p }, { m->noise, m->room_noise }, { m->words, m->room_words } };
    parallel_for(m->threads, m->spectra, 64, draw, (void *)d);
    for (int i = 0; i < STAGES; i++)
        for (int run = 0; run < runs_of[i]; run++) {
            tide_status status = tide_run(m->program[i], feeds, i == BEGIN ? 3 : 0);
            if (status != TIDE_OK) return failed(m, status, m->program[i], failure);
        }
    copying c = { tide_data(m->features), d };
    if (!c.features) return failed(m, TIDE_OK, NULL, failure);
    parallel_for(m->threads, d->count, 256, copy_row, &c);
    return TIDE_OK;
}

tide_status maker_rows(maker *m, sample_split split, uint64_t first, int64_t count, int64_t stride, float *rows,
                       tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t done = 0; status == TIDE_OK && done < count; done += m->spectra) {
        drawing d = { m, split, first + (uint64_t)done, MIN2(count - done, m->spectra), stride, rows + done * stride };
        status = make_some(m, &d, failure);
    }
    return status;
}
