/* How long a refined answer goes on before it looks whether anybody still waits for it: processor time of this thread
 * between two calls of the listener, over questions of all kinds.
 *
 *     bench_looks            prints a table, a row for each question: milliseconds in all, looks, and how many of the
 *                            stretches took up to 5, 10, 15, 20, 30, 50 ms or longer, and the longest */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tidemill/eis.h>

enum { BUCKETS = 7, POINTS = 4000 };
static const double bound_ms[BUCKETS] = { 5, 10, 15, 20, 30, 50, INFINITY };

typedef struct looks { double began, last, longest; int64_t count, at_most[BUCKETS]; } looks;

static double used_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void look(looks *l) {
    double now = used_ms(), took = now - l->last;
    int    b = 0;
    while (took > bound_ms[b]) b++;
    l->at_most[b]++;
    l->count++;
    l->longest = fmax(l->longest, took);
    l->last    = now;
}

static int hear(void *user, const eis_event *event) {
    (void)event;
    look(user);
    return 0;
}

static const struct { const char *what, *known, *circuit; int64_t points; const char *set[3][2]; } questions[] = {
    { "nothing known", "", "shunt", 61, { { "rs", "free" } } },
    { "nothing known, Rs given", "", "shunt", 61, { { "rs", "20" }, { "noise", "1%" } } },
    { "Rsh known", "Rsh=460", "shunt", 61, { { "rs", "free" } } },
    { "Rsh, Ra known", "Rsh=460,Ra=4.8k", "shunt", 61, { { "rs", "free" } } },
    { "Rsh, Ra, Rb known", "Rsh=460,Ra=4.8k,Rb=2.2k", "shunt", 61, { { "rs", "free" } } },
    { "a chain, Ca known", "Ca=1.2u", "chain", 61, { { "rs", "20" } } },
    { "a chain", "", "chain", 61, { { "rs", "0" } } },
    { "outliers", "", "shunt", 61, { { "rs", "free" }, { "robust", "true" } } },
    { "Ra told within 10 %", "", "shunt", 61, { { "rs", "free" }, { "prior", "Ra=4800±480" } } },
    { "4,000 points", "", "shunt", POINTS, { { "rs", "free" } } },
    { "4,000 points, Rsh, Ra known", "Rsh=460,Ra=4.8k", "shunt", POINTS, { { "rs", "free" } } },
};

static tide_status set(eis_options *o, const char *name, const char *value, tide_failure *failure) {
    return name ? tide_option_set(eis_table(), o, name, value, failure) : TIDE_OK;
}

static tide_status make_up(int64_t points, double *freq, eis_z *z, tide_failure *failure) {
    eis_options *o = eis_options_new();
    if (!o) return TIDE_ENOMEM;
    for (int64_t i = 0; i < points; i++) freq[i] = pow(10, 5 - 6 * (double)i / (double)(points - 1));
    tide_status status = set(o, "known", "Rsh=460,Ra=4.8k,Rb=2.2k,Ca=1.2u,Cb=4.7u", failure);
    if (status == TIDE_OK) status = set(o, "rs", "20", failure);
    if (status == TIDE_OK) status = set(o, "noise", "1%", failure);
    if (status == TIDE_OK) status = eis_simulate_at(o, points, freq, z, failure);
    eis_options_free(o);
    return status;
}

static tide_status ask(size_t i, const eis_spectrum *s, looks *l, tide_failure *failure) {
    eis_options *o = eis_options_new();
    eis_answer   a = { 0 };
    if (!o) return TIDE_ENOMEM;
    o->threads = 1;
    tide_status status = set(o, "method", "refined", failure);
    if (status == TIDE_OK) status = set(o, "circuit", questions[i].circuit, failure);
    if (status == TIDE_OK) status = set(o, "known", questions[i].known, failure);
    for (int k = 0; status == TIDE_OK && k < 3; k++)
        status = set(o, questions[i].set[k][0], questions[i].set[k][1], failure);
    *l = (looks){ .began = used_ms(), .last = used_ms() };
    if (status == TIDE_OK) status = eis_solve(o, s, NULL, hear, l, &a, failure);
    look(l);
    eis_answer_free(&a);
    eis_options_free(o);
    return status;
}

int main(void) {
    static double freq[POINTS];
    static eis_z  z[POINTS];
    tide_failure  failure = { 0 };
    looks         l;
    printf("| question | ms | looks | to 5 ms | 10 | 15 | 20 | 30 | 50 | more | longest ms |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const eis_spectrum s = { .count = questions[i].points, .freq_hz = freq, .z = z };
        if (make_up(s.count, freq, z, &failure) != TIDE_OK || ask(i, &s, &l, &failure) != TIDE_OK) {
            fprintf(stderr, "%s: %s\n", questions[i].what, failure.message);
            return 1;
        }
        printf("| %s | %.0f | %lld |", questions[i].what, l.last - l.began, (long long)l.count);
        for (int b = 0; b < BUCKETS; b++) printf(" %lld |", (long long)l.at_most[b]);
        printf(" %.1f |\n", l.longest);
    }
    return 0;
}
