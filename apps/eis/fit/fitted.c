/* From options and a spectrum to a fit that is told. */
#include "telling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/circuit/parameters.h"
#include "eis/options/tell.h"

static const char *keep_text(const telling *t, const char *text) { return arena_printf(t->memory, "%s", text); }

/* ---- parameters ---- */

static eis_fit_state state_of(const telling *t, int spectrum, int k) {
    const circuit_parameter *q = &t->p->e->parameter[k];
    int v = t->p->variable[spectrum * PARAMETERS_MOST + k];
    if (q->fixed) return EIS_PARAMETER_FIXED;
    if (q->tie >= 0) return EIS_PARAMETER_TIED;
    const fit_minimum *m = &t->minima->of[0];
    if (m->at_bound[v])
        return (m->x[v] == t->p->low[v]) == (q->low >= 0) ? EIS_PARAMETER_AT_LOW : EIS_PARAMETER_AT_HIGH;
    return isnan(t->u->error[v]) ? EIS_PARAMETER_OPEN : EIS_PARAMETER_FREE;
}

/* A tied parameter's relative error is that of the one it follows. */
static int variable_of(const fit_problem *p, int spectrum, int k) {
    int tie = p->e->parameter[k].tie;
    return p->variable[spectrum * PARAMETERS_MOST + (tie >= 0 ? tie : k)];
}

static int entry_variable(const telling *t, int i) {
    return variable_of(t->p, t->entry[i].spectrum, t->entry[i].parameter);
}

static void find_entries(telling *t) {
    int most = t->p->spectra * t->p->e->parameters;
    t->entry = arena_new(t->memory, told_parameter, most);
    for (int k = 0; k < t->p->e->parameters; k++)
        for (int s = 0; s < (t->names.shared && t->names.shared[k] ? 1 : t->p->spectra); s++) {
            int v = t->p->variable[s * PARAMETERS_MOST + k];
            if (v >= 0) t->row[v] = t->entries;
            t->entry[t->entries++] = (told_parameter){ s, k };
        }
}

/* Values of all entries at x. */
static void entry_values(const telling *t, const double *x, double *out) {
    double values[PARAMETERS_MOST];
    for (int s = 0; s < t->p->spectra; s++) {
        fit_values_of(t->p, s, x, values);
        for (int i = 0; i < t->entries; i++)
            if (t->entry[i].spectrum == s) out[i] = values[t->entry[i].parameter];
    }
}

/* Ends of the profile's interval as values: of a negative parameter the other way round. */
static void put_ends(const telling *t, int v, eis_fit_parameter *p) {
    p->low95 = p->high95 = NAN;
    if (v < 0) return;
    double x = t->minima->of[0].x[v], low = p->value * exp(t->interval[v].low - x),
           high = p->value * exp(t->interval[v].high - x);
    p->low95 = fmin(low, high), p->high95 = fmax(low, high);
}

static void put_parameter(telling *t, int i, double value, eis_fit_parameter *out) {
    int k = t->entry[i].parameter, v = entry_variable(t, i);
    const circuit_parameter *q = &t->p->e->parameter[k];
    const element_slot *slot = &t->p->e->part[q->part].kind->slot[q->slot];
    char name[FIT_NAME];
    fit_name(&t->names, t->entry[i].spectrum, k, name);
    *out = (eis_fit_parameter){ .name = keep_text(t, name),
                                .symbol = slot->name,
                                .unit = slot->unit,
                                .value = value,
                                .low = q->low,
                                .high = q->high,
                                .state = state_of(t, t->entry[i].spectrum, k) };
    out->error = v < 0 ? NAN : fabs(value) * t->u->error[v];
    out->per_area = fit_per_area(slot->role, t->f->area_cm2, out->value, out->error);
    put_ends(t, v, out);
}

static void put_parameters(telling *t) {
    const equivalent *e = t->p->e;
    find_entries(t);
    eis_fit_parameter *out = arena_new(t->memory, eis_fit_parameter, t->entries);
    eis_fit_element *part = arena_new(t->memory, eis_fit_element, e->parts);
    double *values = arena_new(t->memory, double, t->entries);
    entry_values(t, t->minima->of[0].x, values);
    for (int i = 0; i < e->parts; i++)
        part[i] = (eis_fit_element){ keep_text(t, e->part[i].name), e->part[i].kind->what, e->part[i].kind->formula };
    for (int i = 0; i < t->entries; i++) put_parameter(t, i, values[i], &out[i]);
    t->f->parameter = out, t->f->parameters = t->entries;
    t->f->element = part, t->f->elements = e->parts;
    t->f->free_parameters = t->u->count;
}

static int column_of(const fit_uncertainty *u, int v) {
    for (int i = 0; i < u->count; i++)
        if (u->variable[i] == v) return isnan(u->error[v]) ? -1 : i;
    return -1;
}

static void put_correlation(telling *t) {
    const fit_uncertainty *u = t->u;
    int n = t->entries;
    double *out = arena_new(t->memory, double, n *n);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++) {
            int i = column_of(u, entry_variable(t, a)), j = column_of(u, entry_variable(t, b));
            out[a * n + b] = i < 0 || j < 0 ? NAN
                                            : u->covariance[i * u->count + j] / sqrt(u->covariance[i * u->count + i] *
                                                                                     u->covariance[j * u->count + j]);
        }
    t->f->correlation = out;
}

static void put_minima(telling *t) {
    const fit_minima *all = t->minima;
    eis_fit_minimum *out = arena_new(t->memory, eis_fit_minimum, all->count);
    for (int i = 0; i < all->count; i++) {
        double *values = arena_new(t->memory, double, t->entries);
        entry_values(t, all->of[i].x, values);
        out[i] = (eis_fit_minimum){ all->of[i].sum, all->of[i].starts, values };
    }
    t->f->minimum = out, t->f->minima = all->count, t->f->starts = all->starts;
}

/* ---- numbers of the whole ---- */

/* What the norms are of: one spectrum after the other. */
typedef struct column {
    double *freq_hz;
    eis_z *z, *model;
    int64_t count;
} column;

static void add_to_column(telling *t, int spectrum, double complex *room, column *to) {
    const eis_spectrum *s = &t->spectrum[spectrum];
    const fit_data *d = &t->p->data[spectrum];
    double values[PARAMETERS_MOST];
    fit_values_of(t->p, spectrum, t->minima->of[0].x, values);
    equivalent_evaluate(t->p->e, values, s->count, d->omega, d->log_omega, room, NULL);
    for (int64_t i = 0; i < s->count; i++, to->count++) {
        to->freq_hz[to->count] = s->freq_hz[i], to->z[to->count] = s->z[i];
        to->model[to->count] = (eis_z){ creal(room[i]), cimag(room[i]) };
    }
}

static void put_norms(telling *t) {
    eis_fitted *f = t->f;
    double rows = (double)t->p->rows, k = (double)f->free_parameters, chosen = t->p->variables;
    column all = { arena_new(t->memory, double, f->points), arena_new(t->memory, eis_z, f->points),
                   arena_new(t->memory, eis_z, f->points), 0 };
    double complex *room = arena_new(t->memory, double complex, f->points);
    for (int s = 0; s < t->p->spectra; s++) add_to_column(t, s, room, &all);
    f->model = all.model;
    f->objective = t->minima->of[0].sum;
    f->reduced = f->objective / (rows - k);
    f->aic = rows * log(f->objective / rows) + 2 * chosen;
    f->bic = rows * log(f->objective / rows) + chosen * log(rows);
    for (int i = 0; i < EIS_RESNORMS; i++)
        f->resnorm[i] =
            eis_resnorm((eis_resnorm_kind)i, all.count, all.freq_hz, all.z, all.model, (int)f->free_parameters);
}

/* ---- all ---- */

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for a fit");
}

/* "a.csv", and of several "a.csv + b.csv". */
static void put_name(telling *t) {
    text all = { 0 };
    for (int s = 0; s < t->p->spectra; s++) {
        text_add(&all, "%s%s", s ? " + " : "", t->spectrum[s].name ? t->spectrum[s].name : "the spectrum");
        t->f->points += t->spectrum[s].count;
    }
    if (!all.failed) t->f->name = keep_text(t, all.data);
    text_free(&all);
}

static tide_status tell(telling *t, tide_failure *failure) {
    t->f->parts = calloc(1, sizeof *t->f->parts);
    if (!t->f->parts) return out_of_memory(failure);
    t->f->parts->system = mem_system();
    t->memory = &t->f->parts->memory;
    t->memory->allocator = &t->f->parts->system;
    t->memory->oom = &t->f->parts->out_of_memory;
    if (setjmp(t->f->parts->out_of_memory)) return out_of_memory(failure);
    put_name(t);
    text string = { 0 };
    equivalent_print(t->p->e, GRAMMAR_DASH, &string);
    if (!string.failed) t->f->circuit = keep_text(t, string.data);
    text_free(&string);
    t->f->note = t->note = arena_new(t->memory, const char *, NOTES_MOST);
    put_parameters(t);
    put_correlation(t);
    put_minima(t);
    put_norms(t);
    if (t->robust.share) {
        double *share = arena_new(t->memory, double, t->f->points);
        memcpy(share, t->robust.share, (size_t)t->f->points * sizeof *share);
        t->f->share = share;
    }
    fit_quantities(t);
    return tell_notes(t) && tell_priors(t) ? TIDE_OK : out_of_memory(failure);
}

tide_status fit_circuit(const eis_fit_options *o, const blank *b, equivalent *out, tide_failure *failure) {
    priors known;
    bool shared[PARAMETERS_MOST];
    if (o->robust && o->profile)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "profile",
                       "`profile` is of least squares, not of `robust`: one of them");
    if (o->posterior && (*o->prior || *o->blank || *o->same))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "posterior",
                       "`posterior` is drawn without `prior`, `blank` and `same`: leave it or them out");
    tide_status status = equivalent_parse(o->circuit, out, failure);
    if (status == TIDE_OK && b) status = blank_attach(b, out, failure);
    if (status == TIDE_OK) status = equivalent_start(out, o->start, failure);
    if (status == TIDE_OK) status = equivalent_range(out, o->range, failure);
    if (status == TIDE_OK) status = equivalent_fix(out, o->fix, failure);
    if (status == TIDE_OK && *o->same) return equivalent_same(out, o->same, shared, failure);
    return status == TIDE_OK ? fit_priors_read(&(fit_names){ out, 1, NULL }, o->prior, &known, failure) : status;
}

bool fit_stopped(void *user) {
    const listening *l = user;
    return eis_tell(l->listener, l->user, EIS_WORKING, "");
}

/* What starts ended at, with one and the same sum, further apart than the errors allow is not determined. */
static void note_spread(telling *t) {
    const fit_minimum *m = &t->minima->of[0];
    for (int v = 0; v < t->p->variables; v++) {
        double width = m->high[v] - m->low[v];
        t->wandering[v] = width > 1e-3 && !(width < 10 * t->u->error[v]) && !t->p->held[v];
        if (t->wandering[v]) t->u->error[v] = NAN;
    }
}

static int count_as_good(const fit_problem *p, const fit_minima *all) {
    const double as_good = 9; /* of chi2: three standard deviations */
    double most = all->of[0].sum * (1 + as_good / (double)MAX2(p->rows - p->variables, 1));
    int count = 1;
    while (count < all->count && all->of[count].sum <= most) count++;
    return count;
}

/* Also of the minima that are as good, to be compared; only the best one is told. */
static tide_status refine_robustly(telling *t, fit_data *data, tide_failure *failure) {
    fit_minimum *best = &t->minima->of[0];
    tide_status status = TIDE_OK;
    for (int i = t->as_good; status == TIDE_OK && i-- > 0;) {
        free(t->robust.share), t->robust.share = NULL;
        status = robust_fit(t->p, data, t->minima->of[i].x, &t->robust, failure);
    }
    best->sum = fit_sum(t->p, best->x), t->minima->count = 1;
    return status;
}

/* What follows the search: the robust values, the errors, the profile. */
static tide_status refine(telling *t, fit_data *data, const eis_fit_options *o, tide_failure *failure) {
    const fit_minimum *best = &t->minima->of[0];
    t->as_good = count_as_good(t->p, t->minima);
    for (int v = 0; v < VARIABLES_MOST; v++) t->interval[v] = (fit_interval){ NAN, NAN };
    double variance = o->weights == EIS_WEIGHTS_STATISTICAL ? 1 : NAN;
    tide_status status = TIDE_OK;
    if (o->robust) status = refine_robustly(t, data, failure), variance = t->robust.variance;
    if (status == TIDE_OK && !fit_uncertainty_of(t->p, best->x, variance, t->u)) status = out_of_memory(failure);
    if (status == TIDE_OK) note_spread(t), fit_open_fibre(t->p, t->u);
    for (int v = 0; o->profile && status == TIDE_OK && v < t->p->variables; v++)
        if (!t->p->held[v]) status = fit_profile(t->p, best->x, best->sum, v, &t->interval[v], failure);
    return status;
}

tide_status telling_conclude(telling *t, fit_data *data, const eis_fit_options *o, tide_failure *failure) {
    t->u = malloc(sizeof *t->u);
    if (!t->u) return out_of_memory(failure);
    tide_status status = refine(t, data, o, failure);
    if (status == TIDE_OK) status = tell(t, failure);
    free(t->robust.share);
    free(t->u);
    return status;
}

tide_status fit_enough_points(const equivalent *e, const eis_spectrum *s, tide_failure *failure) {
    int free_count = 0;
    for (int k = 0; k < e->parameters; k++) free_count += !e->parameter[k].fixed && e->parameter[k].tie < 0;
    if (2 * s->count > free_count) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, NULL, 0, "circuit", "%lld points do not determine %d parameters",
                   (long long)s->count, free_count);
}

/* The mean square of a weighted residual, if the noise is all that is left. */
double fit_noise_variance(const fit_data *d, const eis_spectrum *s, double noise) {
    double sum = 0;
    for (int64_t i = 0; i < d->n; i++) {
        double even = noise * cabs(d->z[i]);
        double re = d->weight[i] * (s->sigma ? s->sigma[i].re : even),
               im = d->weight[d->n + i] * (s->sigma ? s->sigma[i].im : even);
        sum += re * re + im * im;
    }
    return sum / (double)(2 * d->n);
}

tide_status fit_one(const equivalent *e, const eis_fit_options *o, const eis_spectrum *s, const fit_beside *beside,
                    eis_listener listener, void *user, eis_fitted *out, tide_failure *failure) {
    listening l = { listener, user };
    fit_names names = { e, 1, NULL };
    priors known;
    fit_data data = { 0 };
    fit_problem problem = { 0 };
    fit_minima minima;
    fit_guesses guesses;
    *out = (eis_fitted){ .weights = (eis_weights)o->weights, .area_cm2 = s->area_cm2 };
    tide_status status = fit_enough_points(e, s, failure);
    if (status == TIDE_OK) status = fit_priors_read(&names, o->prior, &known, failure);
    if (status == TIDE_OK) status = fit_data_new(s, o->weights, &data, failure);
    if (status == TIDE_OK && !fit_problem_new(e, &data, &problem)) status = out_of_memory(failure);
    if (status == TIDE_OK) problem.variance = fit_noise_variance(&data, s, beside->noise);
    if (status == TIDE_OK) status = fit_priors_add(&problem, &names, &known, failure);
    if (status == TIDE_OK && beside->blank) status = blank_add(beside->blank, &problem, failure);
    telling t = { .f = out, .p = &problem, .names = names, .priors = &known, .blank = beside->blank, .spectrum = s };
    t.minima = &minima;
    if (status == TIDE_OK) fit_guesses_of(&problem, beside->guessed, &guesses);
    if (status == TIDE_OK) status = fit_search(&problem, &guesses, fit_stopped, &l, &minima, failure);
    if (status == TIDE_OK) status = telling_conclude(&t, &data, o, failure);
    fit_problem_free(&problem);
    fit_data_free(&data);
    if (status != TIDE_OK) eis_fitted_free(out);
    return status;
}

/* What is asked, of these spectra, and the circuit and blank of it. */
static tide_status begin(const eis_fit_options *fit, int64_t count, const eis_spectrum *spectrum, equivalent *e,
                         blank *without, eis_fitted *out, tide_failure *failure) {
    eis_options reading;
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the fit");
    *out = (eis_fitted){ 0 };
    tide_status status = tide_options_check(eis_fit_table(), fit, failure);
    if (status == TIDE_OK && (!spectrum || count < 1))
        status = fail(failure, TIDE_EINVAL, "there is no spectrum to fit");
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) status = spectrum_check(&spectrum[i], failure);
    if (status != TIDE_OK) return status;
    eis_options_default(&reading);
    status = blank_read(fit->blank, &reading, without, failure);
    return status == TIDE_OK && !fit_is_auto(fit) ? fit_circuit(fit, without, e, failure) : status;
}

tide_status eis_fit_solve(const eis_fit_options *fit, const eis_spectrum *spectrum, eis_listener listener, void *user,
                          eis_fitted *out, tide_failure *failure) {
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    equivalent e;
    blank b;
    failure_clear(failure);
    tide_status status = begin(fit, 1, spectrum, &e, &b, out, f);
    if (status != TIDE_OK) return status;
    return fit_measured(fit_is_auto(fit) ? NULL : &e, fit, &b, spectrum, NULL, listener, user, out, f);
}

tide_status eis_fit_solve_joint(const eis_fit_options *fit, int64_t count, const eis_spectrum *spectrum,
                                eis_listener listener, void *user, eis_fitted *out, tide_failure *failure) {
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    equivalent e;
    blank b;
    failure_clear(failure);
    tide_status status = begin(fit, count, spectrum, &e, &b, out, f);
    if (status != TIDE_OK) return status;
    return fit_measured_joint(fit_is_auto(fit) ? NULL : &e, fit, &b, count, spectrum, listener, user, out, f);
}

tide_status fitted_keep_candidates(eis_fitted *f, const eis_fit_candidate *tried, int count, tide_failure *failure) {
    if (setjmp(f->parts->out_of_memory)) return eis_fitted_free(f), out_of_memory(failure);
    eis_fit_candidate *kept = arena_new(&f->parts->memory, eis_fit_candidate, count);
    memcpy(kept, tried, (size_t)count * sizeof *kept);
    f->candidate = kept, f->candidates = count;
    return TIDE_OK;
}

void eis_fitted_free(eis_fitted *f) {
    if (!f) return;
    if (f->parts) arena_free(&f->parts->memory);
    free(f->parts);
    *f = (eis_fitted){ 0 };
}
