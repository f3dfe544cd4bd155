/* Random graphs on every device: the values, gradients and updated variables of `ref`, within rounding; the same bits
 * for one thread and two. random_graphs [COUNT [FIRST_SEED]]: a failure prints the seed and the graph; that seed alone
 * and COUNT 1 repeat it. TIDEMILL_DEVICE names one that is looked at alone. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"

enum { STEPS = 2 };

/* One run's numbers: wanted values and variables after each step. */
typedef struct results {
    double  *data;
    int64_t  count, part_end[STEPS * (WANTED + VARIABLES)];
    int      parts;
    tide_dtype type;
    char     error[800];
} results;

typedef struct where { const char *device; int threads; const char *isa; bool plain; } where;

static void take(results *r, tide_val v) {
    int64_t n = tide_shape_count(tide_shape_of(v));
    r->data = realloc(r->data, sizeof *r->data * (size_t)(r->count + n + 1));
    tide_status status = tide_read(v, r->data + r->count, sizeof *r->data * (size_t)n);
    if (status && !r->error[0])
        snprintf(r->error, sizeof r->error, "read of value %d: %s", r->parts, tide_status_name(status));
    r->part_end[r->parts++] = r->count += n;
}

static void run_steps(results *r, maker *m, const tide_compile_options *options) {
    tide_program *p = tide_compile((tide_list){ m->wanted, m->n_wanted }, options);
    tide_val after[VARIABLES];
    for (int i = 0; i < m->n_variables; i++) after[i] = tide_cast(m->variables[i], TIDE_F64);
    for (int step = 0; step < STEPS; step++) {
        if (tide_run(p, m->feeds, m->n_feeds)) {
            snprintf(r->error, sizeof r->error, "%s", tide_program_error(p)->message);
            return;
        }
        for (int i = 0; i < m->n_values; i++) take(r, m->wanted[i]);
        for (int i = 0; i < m->n_variables; i++) take(r, after[i]);
    }
}

static results run_on(const where *w, uint64_t seed, int ops, const tide_compile_options *options) {
    results r = { 0 };
    maker m;
    if (w->isa) setenv("TIDEMILL_ISA", w->isa, 1);
    else unsetenv("TIDEMILL_ISA");
    tide_graph *g =
        tide_graph_new_with(&(tide_graph_options){ .device = w->device, .threads = w->threads, .seed = 11 });
    maker_build(&m, g, seed, ops);
    r.type = m.type;
    if (tide_error(g)->status) snprintf(r.error, sizeof r.error, "building: %s", tide_error(g)->message);
    else run_steps(&r, &m, options);
    tide_graph_free(g);
    maker_free(&m);
    return r;
}

/* Errors are measured against the largest number of a result: sums of terms of both signs lose digits. The operations
 * keep values near 1 and amplify errors by less than 100 along any path, so a few hundred roundings are allowed; 16-bit
 * values are stored rounded by `ref` and kept in float32 inside fused kernels. */
static double tolerance(tide_dtype type) {
    return type == TIDE_BF16 ? 0.25 : type == TIDE_F16 ? 0.04 : 3e-4;  /* F64 graphs pass through F32 leaves and
                                                                          casts */
}

static double worst_error(const results *got, const results *truth, int *part, int64_t *at) {
    double worst = 0;
    int64_t i = 0;
    for (int p = 0; p < truth->parts; p++) {
        double scale = 0.05;
        for (int64_t j = i; j < truth->part_end[p]; j++)
            if (isfinite(truth->data[j])) scale = fmax(scale, fabs(truth->data[j]));
        for (; i < truth->part_end[p]; i++) {
            double a = got->data[i], b = truth->data[i], error = fabs(a - b) / scale;
            if ((isnan(a) && isnan(b)) || a == b) continue;
            if (!(error <= worst)) worst = isfinite(error) ? error : INFINITY, *part = p, *at = i;
            if (isinf(worst)) return worst;
        }
    }
    return worst;
}

static void print_pass(void *user, const char *pass, const char *text) {
    if (!strcmp(pass, (const char *)user)) printf("%s\n", text);
}

static bool report(const where *w, uint64_t seed, const char *what) {
    printf("seed %llu on %s, %d threads, %s: %s\n", (unsigned long long)seed, w->device, w->threads,
           w->isa ? w->isa : "best isa", what);
    return false;
}

static bool compare(const where *w, uint64_t seed, const results *got, const results *truth) {
    char text[1800];
    int part = 0;
    int64_t at = 0;
    if (strcmp(got->error, truth->error)) {
        snprintf(text, sizeof text, "error '%s'; ref has '%s'", got->error, truth->error);
        return report(w, seed, text);
    }
    if (got->count != truth->count) return report(w, seed, "another number of results");
    double error = worst_error(got, truth, &part, &at), limit = tolerance(truth->type);
    if (error <= limit) return true;
    snprintf(text, sizeof text, "%s, result %d element %lld: got %.9g, expected %.9g, apart by %.3g of the largest; "
                                "%.3g allowed", tide_dtype_name(truth->type), part,
             (long long)(at - (part ? truth->part_end[part - 1] : 0)), got->data[at], truth->data[at], error, limit);
    return report(w, seed, text);
}

static bool one_seed(uint64_t seed, int ops, bool verbose) {
    static const where ref = { "ref", 1, NULL, true };
    const char *named = getenv("TIDEMILL_DEVICE");
    const where all[] = { { named ? named : "check", 1, NULL, false },
                          { named ? named : "cpu", 1, NULL, false },
                          { named ? named : "cpu", 2, NULL, false },
                          { "cpu", 1, "avx2", false },
                          { "cpu", 1, "baseline", false } };
    int n = named ? 3 : seed % 4 == 0 ? 4 : seed % 4 == 1 ? 5 : 3;
    results truth = run_on(&ref, seed, ops, NULL), one = { 0 };
    bool good = true;
    if (truth.error[0]) good = report(&ref, seed, truth.error);
    for (int i = 0; i < n; i++) {
        bool last_isa = i >= 3 && (i == 3) != (seed % 4 == 0);
        if (last_isa) continue;
        results got = run_on(&all[i], seed, ops, NULL);
        good &= compare(&all[i], seed, &got, &truth);
        if (i == 2 && got.count == one.count && got.count &&
            memcmp(got.data, one.data, sizeof *got.data * (size_t)got.count))
            good = report(&all[i], seed, "other bits than the run before");
        if (i != 1) free(got.data);
        else one = got;
    }
    if (!good && verbose)
        run_on(&ref, seed, ops, &(tide_compile_options){ .dump = print_pass, .dump_user = (void *)"build" });
    free(truth.data);
    free(one.data);
    return good;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 400, failed = 0;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    int ops_asked = argc > 3 ? atoi(argv[3]) : 0;
    for (uint64_t seed = first; seed < first + (uint64_t)count; seed++)
        failed += !one_seed(seed, ops_asked ? ops_asked : 4 + (int)(seed % 29), count == 1);
    if (failed) printf("%d of %d graphs failed\n", failed, count);
    return failed != 0;
}
