/* Statistics of wells. What varies between wells and how well each is known are kept apart: the variance of what is
 * seen is the sum of both, so the fits' mean square is taken off it (the method of moments; Searle, Casella and
 * McCulloch, Variance Components, 1992). Intervals are Student's over wells or pairs (1908): their spread has the fits'
 * errors in it already, so these are not added a second time. What is measured several times on one well or donor is
 * one value: as several it would feign independence (Lazic, BMC Neuroscience 11:5, 2010). */
#include "groups.h"

#include <math.h>
#include <stdlib.h>

#include "student.h"

static const double determined = 0.5; /* an error below this share of the value, as on the page */

typedef struct member {
    const char *key, *donor; /* the well or donor that it is of */
    double sum, variance; /* of `count` spectra: their sum, and its error's square */
    int64_t count, misfits;
} member;

typedef struct members {
    member *of;
    int64_t count;
} members;

typedef struct grouping {
    const batch_rows *rows;
    arena *memory;
    batch_groups *out;
    const char **condition, **time; /* distinct ones in their order */
    int64_t conditions, times;
    int quantity;
    bool per_area, donors;
} grouping;

typedef enum pairing { BY_WELL, BY_DONOR } pairing;

/* ---- conditions and times ---- */

static void add_word(const char **list, int64_t *count, const char *word) {
    for (int64_t i = 0; i < *count; i++)
        if (strcmp(list[i], word) == 0) return;
    list[(*count)++] = word;
}

static int by_number(const void *a, const void *b) {
    double x = num_parse(*(const char *const *)a, NULL), y = num_parse(*(const char *const *)b, NULL);
    return (x > y) - (x < y);
}

/* Times are in the order of the numbers that they are, else of the plate. */
static void find_words(grouping *g) {
    bool numbers = true;
    for (int64_t i = 0; i < g->rows->count; i++) {
        const batch_row *r = &g->rows->row[i];
        if (!r->planned) continue;
        add_word(g->condition, &g->conditions, r->condition);
        add_word(g->time, &g->times, r->time);
        numbers &= isfinite(r->time_number);
        g->donors |= *r->donor != 0;
    }
    if (numbers) qsort(g->time, (size_t)g->times, sizeof *g->time, by_number);
}

/* ---- members ---- */

static bool value_of(const grouping *g, const batch_row *r, double *value, double *error) {
    const batch_value *v = &r->of[g->quantity];
    bool farads = g->quantity == BATCH_TEC;
    *value = g->per_area ? v->area_value : farads ? 1e6 * v->value : v->value;
    *error = g->per_area ? v->area_error : farads ? 1e6 * v->error : v->error;
    return r->planned && !*r->reason && v->name && isfinite(*value) && *error <= determined * fabs(*value);
}

/* A well without a name is one of its own. */
static const char *well_of(const grouping *g, const batch_row *r) {
    return *r->well ? r->well : arena_printf(g->memory, "%s\n%s", r->file, r->sweep);
}

static member *member_of(members *all, const char *key, const char *donor) {
    for (int64_t i = 0; i < all->count; i++)
        if (strcmp(all->of[i].key, key) == 0 && strcmp(all->of[i].donor, donor) == 0) return &all->of[i];
    all->of[all->count] = (member){ .key = key, .donor = donor };
    return &all->of[all->count++];
}

/* The spectra of this condition and time by well, or by donor. */
static members collect(const grouping *g, const char *condition, const char *time, pairing by) {
    members all = { arena_new(g->memory, member, g->rows->count), 0 };
    for (int64_t i = 0; i < g->rows->count; i++) {
        const batch_row *r = &g->rows->row[i];
        double value, error;
        if (!value_of(g, r, &value, &error)) continue;
        if (strcmp(r->condition, condition) != 0 || strcmp(r->time, time) != 0) continue;
        member *m = by == BY_DONOR ? member_of(&all, r->donor, "") : member_of(&all, well_of(g, r), r->donor);
        m->sum += value, m->variance += error * error, m->count++;
        m->misfits += r->verdict != EIS_FIT_OPEN && r->verdict != EIS_FIT_ADEQUATE;
    }
    return all;
}

/* ---- statistics ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double mean_of(const double *v, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i];
    return sum / (double)n;
}

static void put_spread(const double *value, const double *variance, batch_group *out) {
    double squares = 0, n = (double)out->count;
    out->within = sqrt(mean_of(variance, out->count));
    out->sd = out->between = out->low95 = out->high95 = NAN;
    if (out->count < 2) return;
    for (int64_t i = 0; i < out->count; i++) squares += (value[i] - out->mean) * (value[i] - out->mean);
    out->sd = sqrt(squares / (n - 1));
    out->between = sqrt(fmax(out->sd * out->sd - out->within * out->within, 0));
    if (!*out->paired_by) return;
    double half = student_quantile(out->count - 1) * out->sd / sqrt(n);
    out->low95 = out->mean - half, out->high95 = out->mean + half;
}

/* `value` is sorted on the way. */
static void put_group(grouping *g, batch_group group, double *value, const double *variance) {
    int64_t n = group.count, middle = n / 2;
    if (n == 0) return;
    group.quantity = g->quantity == BATCH_TER ? "TER" : "TEC";
    group.unit = g->quantity == BATCH_TER ? (g->per_area ? "ohm cm2" : "ohm") : g->per_area ? "uF/cm2" : "uF";
    group.mean = mean_of(value, n);
    put_spread(value, variance, &group);
    qsort(value, (size_t)n, sizeof *value, by_value);
    group.median = n % 2 ? value[middle] : (value[middle - 1] + value[middle]) / 2;
    g->out->of[g->out->count++] = group;
}

static void put_wells(grouping *g, const char *condition, const char *time) {
    members all = collect(g, condition, time, BY_WELL);
    double *value = arena_new(g->memory, double, all.count), *variance = arena_new(g->memory, double, all.count);
    batch_group group = { .what = "wells",
                          .condition = condition,
                          .time = time,
                          .less_condition = "",
                          .less_time = "",
                          .paired_by = "",
                          .count = all.count };
    for (int64_t i = 0; i < all.count; i++) {
        const member *m = &all.of[i];
        value[i] = m->sum / (double)m->count, variance[i] = m->variance / (double)(m->count * m->count);
        group.misfits += m->misfits;
    }
    put_group(g, group, value, variance);
}

/* ---- pairs ---- */

static const member *partner_of(const members *all, const member *of) {
    for (int64_t i = 0; *of->key && i < all->count; i++)
        if (strcmp(all->of[i].key, of->key) == 0 && strcmp(all->of[i].donor, of->donor) == 0) return &all->of[i];
    return NULL;
}

static void put_pairs(grouping *g, batch_group group, pairing by) {
    members now = collect(g, group.condition, group.time, by),
            then = collect(g, group.less_condition, group.less_time, by);
    double *value = arena_new(g->memory, double, now.count), *variance = arena_new(g->memory, double, now.count);
    group.what = "difference", group.paired_by = by == BY_WELL ? "well" : "donor";
    for (int64_t i = 0; i < now.count; i++) {
        const member *a = &now.of[i], *b = partner_of(&then, a);
        if (!b) continue;
        double m = (double)a->count, n = (double)b->count;
        value[group.count] = a->sum / m - b->sum / n;
        variance[group.count++] = a->variance / (m * m) + b->variance / (n * n);
        group.misfits += a->misfits + b->misfits;
    }
    put_group(g, group, value, variance);
}

/* ---- all ---- */

static void put_later(grouping *g, const char *condition, const char *time) {
    batch_group group = { .condition = condition, .time = time, .less_condition = condition, .less_time = g->time[0] };
    put_pairs(g, group, BY_WELL);
    if (g->donors) put_pairs(g, group, BY_DONOR);
}

static void put_other(grouping *g, const char *condition, const char *time) {
    batch_group group = { .condition = condition, .time = time, .less_condition = g->condition[0], .less_time = time };
    put_pairs(g, group, g->donors ? BY_DONOR : BY_WELL);
}

static void put_quantity(grouping *g) {
    for (int64_t c = 0; c < g->conditions; c++)
        for (int64_t t = 0; t < g->times; t++) put_wells(g, g->condition[c], g->time[t]);
    for (int64_t c = 0; c < g->conditions; c++)
        for (int64_t t = 1; t < g->times; t++) put_later(g, g->condition[c], g->time[t]);
    for (int64_t c = 1; c < g->conditions; c++)
        for (int64_t t = 0; t < g->times; t++) put_other(g, g->condition[c], g->time[t]);
}

static bool has_area(const batch_rows *rows) {
    for (int64_t i = 0; i < rows->count; i++)
        if (rows->row[i].planned && isfinite(rows->row[i].area_cm2)) return true;
    return false;
}

void groups_of(const batch_rows *rows, arena *memory, batch_groups *out) {
    grouping g = { .rows = rows, .memory = memory, .out = out, .per_area = has_area(rows) };
    g.condition = arena_new(memory, const char *, rows->count), g.time = arena_new(memory, const char *, rows->count);
    find_words(&g);
    *out = (batch_groups){ arena_new(memory, batch_group, 8 * (g.conditions + 1) * (g.times + 1)), 0 };
    for (g.quantity = BATCH_TER; g.quantity <= BATCH_TEC; g.quantity++) put_quantity(&g);
}
