/* Times training steps on ranks, as src/train takes them, and what a cost model is made of.
 *   bench_ranks CASE [SECONDS [THREADS [PARTS [DEVICES]]]]     alone, or under mpirun: one line of JSON from rank 0
 *   bench_ranks constants [SECONDS]                       under mpirun: what a meeting, sums and copies take
 * CASE is etth1, m1, ecl, traffic, eis512 or eis8192 with the batch of `tidemill bench`, or with one behind a colon,
 * "m1:512". PARTS: of a batch; without it one process takes the whole batch at once. DEVICES: "cpu"; "cuda:0-1" are
 * ranks in threads, one each. A step's figures are medians, of steps that are queued of QUEUED at a time; what waits
 * and what is summed are means of rank 0's. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "bench/bench.h"
#include "eis/known/network.h"
#include "forecast/models/model.h"
#include "train/ranks.h"
#include "train/team.h"

enum { MOST_STEPS = 4096, WARMUPS = 2, LEAST_STEPS = 5, CLASSES = 12, MOST_DATA = 4, FIRST_SUM = 1 << 8,
       LAST_SUM = 1 << 24, QUEUED = 32 };

typedef struct bench_how { const char *name; double seconds; int threads; int64_t parts; } bench_how;

typedef struct task {
    bench_spec   spec;
    tide_graph  *graph;
    itransformer forecaster;
    known_network network;
    train_step   step;
    train_feed   feeds[MOST_DATA];
    int          count;
} task;

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* ---- the step ---- */

/* An input of a run's samples, and numbers for the whole batch. */
static tide_val add_data(task *t, const char *name, int64_t each, bool classes, tide_shape shape) {
    int64_t  count = t->spec.batch * each;
    uint32_t state = 1;
    tide_val v     = tide_input(t->graph, name, classes ? TIDE_I32 : TIDE_F32, shape);
    float   *data  = malloc((size_t)count * sizeof *data);
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        float   normal = ((float)(state >> 8) / 8388608.0f - 1) * 1.7320508f;
        int32_t class  = (int32_t)((state >> 16) % CLASSES);
        if (classes) memcpy(data + i, &class, sizeof class);
        else data[i] = normal;
    }
    t->feeds[t->count++] = (train_feed){ v, data, false };
    return v;
}

static void open_network(task *t) {
    const bench_spec  *p      = &t->spec;
    const model_config config = { .seq_len = p->seq_len, .pred_len = p->pred_len, .columns = p->columns,
                                  .marks = p->marks, .d_model = p->d_model, .n_heads = p->n_heads,
                                  .head_size = p->kind == BENCH_FORECAST ? p->d_model / p->n_heads : 0,
                                  .d_ff = p->d_ff, .e_layers = p->e_layers, .dropout = p->dropout, .use_norm = true };
    if (p->kind == BENCH_FORECAST) itransformer_new(t->graph, &config, &t->forecaster);
    else known_network_new(t->graph, known_sizes_of(p->hidden, CLASSES), &t->network);
}

/* A part's share of the whole batch's mean. */
static tide_val loss_of(task *t) {
    const bench_spec *p = &t->spec;
    int64_t           b = t->step.samples;
    if (p->kind == BENCH_FORECAST) {
        tide_val x = add_data(t, "x", p->seq_len * p->columns, false, TIDE_SHAPE(b, p->seq_len, p->columns));
        tide_val m = add_data(t, "marks", p->seq_len * p->marks, false, TIDE_SHAPE(b, p->seq_len, p->marks));
        tide_val y = add_data(t, "y", p->pred_len * p->columns, false, TIDE_SHAPE(b, p->pred_len, p->columns));
        const model_windows w = { .past = x, .marks = m };
        return tide_mul_scalar(tide_mse(itransformer_apply(&t->forecaster, &w, TIDE_TRAIN, NULL), y),
                               1.0 / (double)t->step.parts);
    }
    tide_val resnorm, x = add_data(t, "x", KNOWN_FEATURES, false, TIDE_SHAPE(b, KNOWN_FEATURES));
    tide_val label  = add_data(t, "label", EIS_COUNT, true, TIDE_SHAPE(b, EIS_COUNT));
    tide_val truth  = add_data(t, "resnorm", 1, false, TIDE_SHAPE(b));
    tide_val logits = known_network_apply(&t->network, x, TIDE_TRAIN, &resnorm);
    tide_val missing = tide_fill(t->graph, TIDE_F32, TIDE_SHAPE(b, EIS_COUNT), 1);
    tide_val half = tide_mul_scalar(tide_mse(resnorm, truth), 0.5);
    return tide_mul_scalar(tide_add(tide_cross_entropy(logits, label, missing), half), 1.0 / (double)t->step.parts);
}

static tide_status open_task(task *t, ranks *r, const bench_how *how, const char *device, tide_failure *failure) {
    train_rule  rule   = { .optimizer = TRAIN_ADAMW, .rate = 1e-4, .weight_decay = 0.01, .grad_clip = 1,
                           .parts = how->parts, .ranks = r };
    const train_graph graph = { .device = device, .threads = how->threads, .seed = 1 };
    tide_status status = train_parts_check(t->spec.batch, how->parts, r, failure);
    if (status == TIDE_OK) status = train_graph_new(&graph, &t->graph, failure);
    if (status != TIDE_OK) return status;
    open_network(t);
    train_step_begin(&t->step, t->graph, tide_params(t->graph, ""), t->spec.batch, &rule);
    return train_step_end(&t->step, (train_loss){ .numerator = loss_of(t) }, failure);
}

static void close_task(task *t) {
    for (int i = 0; i < t->count; i++) free((void *)t->feeds[i].data);
    itransformer_free(&t->forecaster);
    train_step_free(&t->step);
    tide_graph_free(t->graph);
}

/* ---- timing ---- */

/* Whether all go on: rank 0's clock decides. */
static tide_status go_on(ranks *r, bool *yes, tide_failure *failure) {
    return ranks_tell(r, yes, sizeof *yes, failure);
}

typedef struct timed { double ms[MOST_STEPS], loss; int count; ranks_account account; } timed;

/* Steps, and how many: where they are queued the device is waited for once. */
static tide_status take_steps(task *t, int *count, train_result *last, tide_failure *failure) {
    train_result each[QUEUED];
    *count = train_step_queues(&t->step) ? QUEUED : 1;
    if (*count == 1) return train_step_run(&t->step, t->feeds, t->count, last, failure);
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < QUEUED; i++)
        status = train_step_queue(&t->step, t->feeds, t->count, failure);
    if (status == TIDE_OK) status = train_step_read(&t->step, QUEUED, each, failure);
    *last = each[QUEUED - 1];
    return status;
}

static tide_status time_steps(task *t, ranks *r, double seconds, timed *out, tide_failure *failure) {
    tide_status  status = TIDE_OK;
    train_result result = { 0 };
    ranks_account before = { 0 };
    double        began  = os_seconds();
    bool          more   = true;
    for (int i = -WARMUPS; status == TIDE_OK && more && i < MOST_STEPS; i++) {
        if (i == 0) before = ranks_account_of(r), began = os_seconds();
        int    count;
        double start = os_seconds();
        status       = take_steps(t, &count, &result, failure);
        if (i >= 0) out->ms[out->count++] = 1e3 * (os_seconds() - start) / count;
        more = i < LEAST_STEPS || os_seconds() - began < seconds;
        if (status == TIDE_OK) status = go_on(r, &more, failure);
    }
    out->loss    = result.loss;
    out->account = ranks_account_of(r);
    out->account.waited_s -= before.waited_s, out->account.summed_s -= before.summed_s;
    out->account.bytes -= before.bytes;
    return status;
}

static int64_t numbers_of(tide_graph *g) {
    tide_list params = tide_params(g, "");
    int64_t   count  = 0;
    for (int64_t i = 0; i < params.count; i++) count += tide_shape_count(tide_shape_of(params.items[i]));
    return count;
}

static void print_steps(const task *t, const bench_how *how, const char *device, ranks *r, timed *m) {
    double n = m->count, middle = median(m->ms, m->count);
    char   who[400] = "";
    train_ranks_told(&t->step, who, sizeof who);
    if (*who) fprintf(stderr, "%s\n", who);
    printf("{\"case\": \"%s\", \"device\": \"%s\", \"batch\": %" PRId64 ", \"ranks\": %d, \"threads\": %d, "
           "\"parts\": %" PRId64 ", \"median_ms\": %.4f, \"min_ms\": %.4f, \"steps\": %d, \"waited_ms\": %.4f, "
           "\"summed_ms\": %.4f, "
           "\"sent_bytes\": %.0f, \"parameters\": %" PRId64 ", \"part_gflop\": %.4f, \"loss\": %.8g}\n",
           how->name, device, t->spec.batch, ranks_count(r), how->threads, t->step.parts, middle, m->ms[0], m->count,
           1e3 * m->account.waited_s / n, 1e3 * m->account.summed_s / n, (double)m->account.bytes / n,
           numbers_of(t->graph), 1e-9 * (double)tide_program_flops(t->step.program), m->loss);
}

static tide_status steps(const bench_how *how, const char *device, ranks *r, tide_failure *failure) {
    timed       *m        = calloc(1, sizeof *m);
    const char  *name     = how->name;
    task         t        = { 0 };
    char         word[32] = "";
    const char  *colon    = strchr(name, ':');
    snprintf(word, sizeof word, "%.*s", colon ? (int)(colon - name) : 31, name);
    const bench_spec *spec = bench_spec_named(word);
    if (!spec || (spec->kind != BENCH_FORECAST && spec->kind != BENCH_EIS))
        return fail(failure, TIDE_EINVAL, "there is no case %s with training steps", word);
    t.spec = *spec;
    if (colon) t.spec.batch = atoll(colon + 1);
    tide_status status = m ? open_task(&t, r, how, device, failure) : TIDE_ENOMEM;
    status             = ranks_meet(r, status, NULL, failure);
    if (status == TIDE_OK) status = train_step_meet(&t.step, failure);
    if (status == TIDE_OK) status = time_steps(&t, r, how->seconds, m, failure);
    if (status == TIDE_OK && ranks_lead(r)) print_steps(&t, how, device, r, m);
    close_task(&t);
    free(m);
    return status;
}

/* ---- devices of this process ---- */

typedef struct member {
    rank_group      *group;
    const bench_how *how;
    const char      *device;
    int              rank;
    tide_failure     failure;
} member;

static void *be_rank(void *of) {
    member *m = of;
    ranks  *r = NULL;
    rank_group_enter(m->group, m->rank);
    if (ranks_join(&r, &m->failure) == TIDE_OK) steps(m->how, m->device, r, &m->failure);
    ranks_leave(r);
    return NULL;
}

static tide_status on_devices(const train_devices *d, const bench_how *how, tide_failure *failure) {
    static member    members[TRAIN_DEVICES];
    static pthread_t threads[TRAIN_DEVICES];
    rank_group      *group = rank_group_new((const char (*)[RANK_HOST])d->of, d->count);
    for (int i = 0; i < d->count; i++) {
        members[i] = (member){ group, how, d->of[i], i, { 0 } };
        pthread_create(&threads[i], NULL, be_rank, &members[i]);
    }
    for (int i = 0; i < d->count; i++) {
        pthread_join(threads[i], NULL);
        if (members[i].failure.status && !failure->status) *failure = members[i].failure;
    }
    rank_group_free(group);
    return failure->status;
}

/* ---- constants ---- */

/* n 0: meetings alone. */
static tide_status time_sum(ranks *r, int64_t n, double seconds, tide_failure *failure) {
    static double ms[MOST_STEPS];
    int           count  = 0;
    bool          more   = true;
    double        began  = os_seconds();
    const float  *sum;
    tide_status   status = ranks_reserve(r, 1, MAX2(n, 1), failure);
    for (int64_t i = 0; status == TIDE_OK && i < n; i++) ranks_part(r, 0)[i] = 1;
    while (status == TIDE_OK && more && count < MOST_STEPS) {
        double start = os_seconds();
        status       = ranks_meet(r, TIDE_OK, NULL, failure);
        if (status == TIDE_OK && n) status = ranks_sum(r, &sum, failure);
        ms[count++] = 1e3 * (os_seconds() - start);
        more        = count < 2 * LEAST_STEPS || os_seconds() - began < seconds;
        if (status == TIDE_OK) status = go_on(r, &more, failure);
    }
    double middle = count ? median(ms, count) : 0;
    if (status == TIDE_OK && ranks_lead(r))
        printf("{\"case\": \"sum\", \"ranks\": %d, \"floats\": %" PRId64 ", \"median_ms\": %.5f, \"min_ms\": %.5f}\n",
               ranks_count(r), n, middle, ms[0]);
    return status;
}

/* What a step does with its sums besides: out of the accumulator and back, by all ranks at once. */
static tide_status time_copies(ranks *r, int64_t n, double seconds, tide_failure *failure) {
    static double ms[MOST_STEPS];
    int           count  = 0;
    bool          more   = true;
    double        began  = os_seconds();
    float        *own    = calloc((size_t)n, sizeof *own);
    tide_status   status = ranks_meet(r, own ? TIDE_OK : TIDE_ENOMEM, NULL, failure);
    if (status == TIDE_OK) status = ranks_reserve(r, 1, n, failure);
    while (status == TIDE_OK && more && count < MOST_STEPS) {
        double start = os_seconds();
        memcpy(ranks_part(r, 0), own, sizeof *own * (size_t)n);
        memcpy(own, ranks_part(r, 0), sizeof *own * (size_t)n);
        ms[count++] = 1e3 * (os_seconds() - start);
        more        = count < 2 * LEAST_STEPS || os_seconds() - began < seconds;
        status      = go_on(r, &more, failure);
    }
    free(own);
    double middle = count ? median(ms, count) : 0;
    if (status == TIDE_OK && ranks_lead(r))
        printf("{\"case\": \"copies\", \"ranks\": %d, \"floats\": %" PRId64 ", \"median_ms\": %.5f}\n",
               ranks_count(r), n, middle);
    return status;
}

static tide_status constants(ranks *r, double seconds, tide_failure *failure) {
    tide_status status = time_sum(r, 0, seconds, failure);
    for (int64_t n = FIRST_SUM; status == TIDE_OK && n <= LAST_SUM; n *= 4) status = time_sum(r, n, seconds, failure);
    for (int64_t n = FIRST_SUM; status == TIDE_OK && n <= LAST_SUM; n *= 4)
        status = time_copies(r, n, seconds, failure);
    return status;
}

int main(int argc, char **argv) {
    static train_devices devices;
    tide_failure failure = { 0 };
    ranks       *r       = NULL;
    if (argc < 2) return fprintf(stderr, "%s CASE [SECONDS [THREADS [PARTS [DEVICES]]]]\n", argv[0]), 2;
    const bench_how how = { argv[1], argc > 2 ? atof(argv[2]) : 3, argc > 3 ? atoi(argv[3]) : 1,
                            argc > 4 ? atoll(argv[4]) : 0 };
    bool        sums   = strcmp(argv[1], "constants") == 0;
    tide_status status = train_devices_read(argc > 5 ? argv[5] : "cpu", &devices, &failure);
    bool        apart  = devices.count > 1;
    if (status == TIDE_OK && !apart) status = ranks_join(&r, &failure);
    if (status == TIDE_OK && sums && !r) status = fail(&failure, TIDE_EINVAL, "constants are of ranks: mpirun -n 2");
    else if (status == TIDE_OK && sums) status = constants(r, how.seconds, &failure);
    else if (status == TIDE_OK)
        status = apart ? on_devices(&devices, &how, &failure) : steps(&how, devices.of[0], r, &failure);
    if (status != TIDE_OK && ranks_lead(r)) fprintf(stderr, "%s\n", failure.message);
    fflush(stdout);
    ranks_leave(r);
    return status != TIDE_OK;
}
