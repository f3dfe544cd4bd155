/* The predictor from known values: its data, its samples, the best possible on them, its network, whole runs. */
#include <dirent.h>
#include <sys/stat.h>

#include <jansson.h>
#include <tidemill/io.h>

#include "eis/known/model.h"
#include "eis/known/step.h"
#include "eis/known/task.h"
#include "eis/known/trainer.h"
#include "support.h"
#include "../folder.h"

static void set(eis_options *o, const char *name, const char *value) {
    tide_failure failure = { 0 };
    if (eis_option_set(o, name, value, &failure) != TIDE_OK) fail_msg("--%s %s: %s", name, value, failure.message);
}

/* A small network on a small data set in `folder`/data. */
static void small_options(eis_options *o) {
    char data[128];
    snprintf(data, sizeof data, "%s/data", folder);
    eis_options_default(o);
    set(o, "inputs", "known"), set(o, "data-dir", data), set(o, "n-ground-truths", "8"), set(o, "points", "5");
    set(o, "samples-per-pattern", "60"), set(o, "hidden-dim", "24"), set(o, "batch-size", "64"),
    set(o, "n-epochs", "4"), set(o, "n-workers", "1");
}

static void generate(const eis_options *o) {
    eis_result   r       = { 0 };
    tide_failure failure = { 0 };
    if (eis_generate(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    eis_result_free(&r);
}

/* ---- the best possible ---- */

/* Rows in memory as a data set of `truths` ground truths that share them. */
static known_data data_of(uint8_t *const index[EIS_COUNT], const double *resnorm, int64_t rows, int64_t truths,
                          int64_t points,
                          truth_rows *room) {
    for (int64_t t = 0; t < truths; t++) {
        room[t] = (truth_rows){ .count = rows, .resnorm = resnorm + t * rows };
        for (int k = 0; k < EIS_COUNT; k++) room[t].index[k] = index[k];
    }
    return (known_data){ .points = points, .truths = truths, .rows = truths * rows, .truth = room };
}

static known_accuracy ceiling_of(const known_data *d, int64_t best, eis_masks masks) {
    known_pool     p;
    known_accuracy c;
    uint32_t      *kept = best ? known_best_rows(d, best) : NULL;
    assert_true(known_pool_new(d, NULL, true, best, kept, &p));
    assert_true(known_ceiling(&p, masks, &c));
    known_pool_free(&p);
    free(kept);
    return c;
}

typedef struct grid { uint8_t *index[EIS_COUNT]; double *resnorm; int64_t count; } grid;

static double tau(int r, int c) { return eis_grid_value(EIS_RA, r, 12) * eis_grid_value(EIS_CA, c, 12); }

/* All 12^5 circuits, or of each swapped pair the one whose b is the slower membrane (of equal ones that of lower Ra):
 * the app's rule. */
static grid make_grid(bool slower_b) {
    enum { ALL = 248832 };
    grid g = { .resnorm = calloc(ALL, sizeof(double)) };
    for (int k = 0; k < EIS_COUNT; k++) g.index[k] = malloc(ALL);
    for (int i = 0; i < ALL; i++) {
        const int at[EIS_COUNT] = { i / 20736, i / 1728 % 12, i / 144 % 12, i / 12 % 12, i % 12 };
        double a = tau(at[EIS_RA], at[EIS_CA]), b = tau(at[EIS_RB], at[EIS_CB]);
        bool equal = fabs(a - b) < 1e-9 * b;
        if (slower_b && ((a > b && !equal) || (equal && at[EIS_RA] > at[EIS_RB]))) continue;
        for (int k = 0; k < EIS_COUNT; k++) g.index[k][g.count] = (uint8_t)at[k];
        g.count++;
    }
    return g;
}

static void free_grid(grid *g) {
    for (int k = 0; k < EIS_COUNT; k++) free(g->index[k]);
    free(g->resnorm);
}

/* All circuits drawn alike: chance, exactly. One of each swapped pair: what was computed for that elsewhere, to its
 * three digits. */
static void test_ceiling_uniform(void **state) {
    truth_rows room[1];
    (void)state;
    grid           g = make_grid(false);
    known_data     d = data_of(g.index, g.resnorm, g.count, 1, 12, room);
    known_accuracy c = ceiling_of(&d, 0, EIS_MASKS_MLX);
    expect_near("full grid, top 1", c.top1, 1.0 / 12, 1e-15);
    expect_near("full grid, top 5", c.top5, 5.0 / 12, 1e-15);
    expect_near("full grid, pairs, top 1", c.joint_top1, 1.0 / 144, 1e-15);
    expect_near("full grid, pairs, top 5", c.joint_top5, 5.0 / 144, 1e-15);
    c = ceiling_of(&d, 0, EIS_MASKS_ALL);
    expect_near("full grid, any masks", c.top1, 1.0 / 12, 1e-15);
    free_grid(&g);
    g = make_grid(true);
    d = data_of(g.index, g.resnorm, g.count, 1, 12, room);
    c = ceiling_of(&d, 0, EIS_MASKS_MLX);
    assert_int_equal(g.count, 125280);
    assert_true(fabs(c.top1 - 0.125) < 5e-4 && fabs(c.top5 - 0.553) < 5e-4 && fabs(c.joint_top1 - 0.013) < 5e-4 &&
                fabs(c.joint_top5 - 0.063) < 5e-4);
    free_grid(&g);
}

/* A random pool against counting by comparing every row with every other. */
static void test_ceiling_random(void **state) {
    enum { ROWS = 150, POINTS = 4 };
    uint8_t    column[EIS_COUNT][ROWS], pattern[KNOWN_PATTERNS_MOST], *index[EIS_COUNT];
    double     resnorm[ROWS] = { 0 }, right = 0, entries = 0;
    truth_rows room[1];
    rng        r = { .seed = 3 };
    (void)state;
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < EIS_COUNT; k++)
            index[k] = column[k], column[k][i] = (uint8_t)(rng_unit(&r) * POINTS * (k == 3 ? 0.6 : 1));
    known_data     d = data_of(index, resnorm, ROWS, 1, POINTS, room);
    known_accuracy c = ceiling_of(&d, 0, EIS_MASKS_ALL);
    int            patterns = known_patterns(EIS_MASKS_ALL, pattern);
    assert_int_equal(patterns, 31);
    for (int p = 0; p < patterns; p++)
        for (int k = 0; k < EIS_COUNT; k++) {
            if (pattern[p] >> k & 1) continue;
            for (int i = 0; i < ROWS; i++, entries++) {
                int count[POINTS] = { 0 }, most = 0, all = 0;
                for (int j = 0; j < ROWS; j++) {
                    bool same = true;
                    for (int q = 0; q < EIS_COUNT; q++)
                        same = same && (!(pattern[p] >> q & 1) || column[q][i] == column[q][j]);
                    count[column[k][j]] += same, all += same;
                }
                for (int v = 0; v < POINTS; v++) most = count[v] > most ? count[v] : most;
                right += (double)most / all;
            }
        }
    expect_near("random pool", c.top1, right / entries, 1e-12);
}

static void test_best_rows(void **state) {
    enum { ROWS = 500, TRUTHS = 3, BEST = 20 };
    double     resnorm[TRUTHS * ROWS];
    uint8_t    zeros[ROWS] = { 0 }, *index[EIS_COUNT] = { zeros, zeros, zeros, zeros, zeros };
    truth_rows room[TRUTHS];
    rng        r = { .seed = 5 };
    (void)state;
    for (int i = 0; i < TRUTHS * ROWS; i++) resnorm[i] = floor(100 * rng_unit(&r)); /* many equal */
    known_data d    = data_of(index, resnorm, ROWS, TRUTHS, 4, room);
    uint32_t  *kept = known_best_rows(&d, BEST);
    for (int t = 0; t < TRUTHS; t++)
        for (int i = 0; i < BEST; i++) {
            const double *v = resnorm + t * ROWS;
            uint32_t      row = kept[t * BEST + i];
            int           before = 0;
            for (uint32_t j = 0; j < ROWS; j++) before += v[j] < v[row] || (v[j] == v[row] && j < row);
            if (before != i) fail_msg("row %u of ground truth %d stands at place %d, expected %d", row, t, i, before);
        }
    free(kept);
}

/* ---- samples ---- */

static void test_samples(void **state) {
    eis_options o;
    known_task  a, b;
    (void)state;
    small_options(&o);
    generate(&o);
    set(&o, "pool", "best:7");
    assert_int_equal(known_task_open(&o, NULL, &a, NULL), TIDE_OK);
    assert_int_equal(known_task_open(&o, NULL, &b, NULL), TIDE_OK);
    assert_int_equal(a.held_count, 1);
    assert_int_equal(a.pool.count, 8 * 7);
    assert_int_equal(a.learned.count + a.unseen.count, a.pool.count);
    assert_int_equal(a.train.count, 10 * 51);
    assert_int_equal(a.by_truth.count, 10 * 9);
    assert_memory_equal(a.train.row, b.train.row, (size_t)a.train.count * SAMPLE_WIDTH * sizeof(float));
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < a.train.count; i++) {
        const float *row = a.train.row + i * SAMPLE_WIDTH;
        int known = 0;
        sum += (double)row[SAMPLE_TARGET], squares += (double)row[SAMPLE_TARGET] * (double)row[SAMPLE_TARGET];
        for (int k = 0; k < EIS_COUNT; k++) {
            double value = log10(eis_grid_value(k, (int64_t)row[SAMPLE_LABEL + k], 5));
            known += row[SAMPLE_MASK + k] == 1;
            expect_near("feature", (double)row[k], row[SAMPLE_MASK + k] == 1 ? (double)(float)value : 0, 1e-6);
        }
        assert_int_equal(known, 3);
    }
    double n = (double)a.train.count;
    assert_true(fabs(sum / n) < 1e-5 && fabs(squares / n - 1) < 1e-4); /* standardised, f32 */
    known_task_close(&a);
    known_task_close(&b);
}

/* The same rows from shards and from CSV. */
static void test_csv(void **state) {
    eis_options o, c;
    known_data  shards, csv;
    bool        from_csv;
    char        other[128];
    (void)state;
    small_options(&o);
    set(&o, "dtype", "f64");
    generate(&o);
    c = o;
    snprintf(other, sizeof other, "%s/csv", folder);
    set(&c, "data-dir", other), set(&c, "format", "csv");
    generate(&c);
    assert_int_equal(known_data_open(&o, &shards, &from_csv, NULL), TIDE_OK);
    assert_false(from_csv);
    assert_int_equal(known_data_open(&c, &csv, &from_csv, NULL), TIDE_OK);
    assert_true(from_csv);
    assert_int_equal(csv.truths, shards.truths);
    assert_int_equal(csv.rows, shards.rows);
    assert_int_equal(csv.points, 5);
    assert_int_equal(csv.circuit, shards.circuit);
    for (int64_t t = 0; t < csv.truths; t++)
        for (int64_t i = 0; i < csv.truth[t].count; i++) {
            for (int k = 0; k < EIS_COUNT; k++) assert_int_equal(csv.truth[t].index[k][i], shards.truth[t].index[k][i]);
            expect_near("resnorm", truth_resnorm(&csv.truth[t], i), truth_resnorm(&shards.truth[t], i), 1e-14);
        }
    known_data_free(&shards);
    known_data_free(&csv);
}

static void refused(const eis_options *o, tide_status expected, const char *words) {
    eis_result   r       = { 0 };
    tide_failure failure = { 0 };
    assert_int_equal(eis_train(o, NULL, NULL, &r, &failure), expected);
    expect_has(failure.message, words);
    eis_result_free(&r);
}

static void test_refusals(void **state) {
    eis_options o;
    char        path[EIS_TEXT_SIZE + 32];
    (void)state;
    small_options(&o);
    snprintf(path, sizeof path, "%s/run", folder);
    set(&o, "out", path);
    refused(&o, TIDE_EINVAL, "tidemill eis generate, `data-dir`");
    generate(&o);
    eis_options other = o;
    set(&other, "circuit", "chain");
    refused(&other, TIDE_EINVAL, "`circuit` chain, but the data");
    other = o;
    set(&other, "pool", "best:0");
    refused(&other, TIDE_EINVAL, "`pool` is uniform, or best:K");
    other = o;
    set(&other, "device", "abacus");
    refused(&other, TIDE_EDEVICE, "unknown device 'abacus'");
    snprintf(path, sizeof path, "%s/shard-00000.tmshard", o.data_dir);
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    FILE *f = fopen(path, "r+");
    fseek(f, -3, SEEK_END);
    fputc('x', f);
    fclose(f);
    refused(&o, TIDE_EDATA, "shard-00000.tmshard: column");
    assert_int_equal(truncate(path, s.st_size - 100), 0);
    refused(&o, TIDE_EDATA, "shard-00000.tmshard: the file is truncated");
}

/* ---- the network ---- */

static void test_count(void **state) {
    known_network n;
    (void)state;
    tide_graph   *g = tide_graph_new("ref");
    known_network_new(g, known_sizes_of(512, 12), &n);
    assert_int_equal(known_network_count(&n), 223357);
    assert_int_equal(n.params.count, 6 + 20 + 4);
    assert_string_equal(tide_name_of(n.params.items[0]), "encoder.layers.0.weight");
    assert_string_equal(tide_name_of(n.params.items[5]), "encoder.layers.6.bias");
    assert_string_equal(tide_name_of(n.params.items[8]), "param_heads.0.layers.3.weight");
    assert_string_equal(tide_name_of(n.params.items[29]), "resnorm_head.layers.2.bias");
    tide_graph_free(g);
}

/* y = W x + b of an array by name, in double. */
static void affine(const tide_archive *a, const char *name, const double *x, double *y, bool relu) {
    char key[96];
    snprintf(key, sizeof key, "%s.weight", name);
    const tide_tensor *w = tide_archive_find(a, key);
    snprintf(key, sizeof key, "%s.bias", name);
    const tide_tensor *b = tide_archive_find(a, key);
    assert_true(w && b);
    for (int64_t i = 0; i < w->shape.dim[0]; i++) {
        y[i] = (double)((const float *)b->data)[i];
        for (int64_t j = 0; j < w->shape.dim[1]; j++)
            y[i] += (double)((const float *)w->data)[i * w->shape.dim[1] + j] * x[j];
        if (relu && y[i] < 0) y[i] = 0;
    }
}

static void plain_answer(const tide_archive *a, const eis_known *known, double p[EIS_COUNT][12]) {
    double x[2 * EIS_COUNT], h1[512], h2[256], e[128], h[64];
    char   name[64];
    for (int k = 0; k < EIS_COUNT; k++)
        x[k] = known->is[k] ? log10(known->value[k]) : 0, x[EIS_COUNT + k] = known->is[k];
    affine(a, "encoder.layers.0", x, h1, true);
    affine(a, "encoder.layers.3", h1, h2, true);
    affine(a, "encoder.layers.6", h2, e, false);
    for (int k = 0; k < EIS_COUNT; k++) {
        double sum = 0;
        snprintf(name, sizeof name, "param_heads.%d.layers.0", k);
        affine(a, name, e, h, true);
        snprintf(name, sizeof name, "param_heads.%d.layers.3", k);
        affine(a, name, h, p[k], false);
        for (int i = 0; i < 12; i++) sum += p[k][i] = exp(p[k][i]);
        for (int i = 0; i < 12; i++) p[k][i] /= sum;
    }
}

/* A file in the MLX guide's keys, answered by the model and by plain loops. */
static void test_answer(void **state) {
    char          path[128];
    known_network n;
    known_model   m;
    known_answer  answer;
    tide_archive  a = { 0 };
    eis_known     known;
    double        plain[EIS_COUNT][12];
    (void)state;
    snprintf(path, sizeof path, "%s/w.npz", folder);
    tide_graph *g = tide_graph_new("ref");
    known_network_new(g, known_sizes_of(512, 12), &n);
    assert_int_equal(known_npz_write(path, &n, NULL, NULL), TIDE_OK);
    tide_graph_free(g);
    assert_int_equal(tide_npz_read(path, &a, NULL), TIDE_OK);
    assert_true(known_model_is(path));
    assert_int_equal(known_model_load(path, NULL, &m, NULL), TIDE_OK);
    assert_int_equal(eis_known_parse("Rsh=460,Rb=2.2k,Ca=3.7uF", &known, NULL), TIDE_OK);
    assert_int_equal(known_model_predict(&m, &known, &answer, NULL), TIDE_OK);
    plain_answer(&a, &known, plain);
    for (int k = 0; k < EIS_COUNT; k++)
        for (int i = 0; i < 12; i++)
            expect_near("probability", answer.p[k][i], known.is[k] ? 0 : plain[k][i], 1e-5); /* sums of 512 in f32 */
    assert_true(isnan(answer.resnorm)); /* the file does not say its scale */
    known_model_free(&m);
    tide_archive_free(&a);
}

/* The most probable combinations against all of them. */
static void test_top(void **state) {
    enum { TOP = 30 };
    known_model     m = { .network.sizes.points = 12 };
    known_answer    answer = { 0 };
    known_candidate c[TOP];
    rng             r = { .seed = 9 };
    eis_known       known = { .is = { true, false, true, false, false } };
    (void)state;
    for (int k = 0; k < EIS_COUNT; k++)
        for (int i = 0; i < 12; i++) answer.p[k][i] = floor(8 * rng_unit(&r)) / 8;
    int64_t got = known_model_top(&m, &known, &answer, TOP, c);
    assert_int_equal(got, TOP);
    for (int i = 0; i < TOP; i++) {
        int before = 0;
        for (int j = 0; j < 1728; j++) {
            const int at[EIS_COUNT] = { -1, j / 144, -1, j / 12 % 12, j % 12 };
            double    p = answer.p[1][at[1]] * answer.p[3][at[3]] * answer.p[4][at[4]];
            before += p > c[i].probability ||
                      /* small numbers: byte order is order */
                      (p == c[i].probability && memcmp(at, c[i].index, sizeof at) < 0);
        }
        if (before != i) fail_msg("candidate %d of probability %g has %d before it", i, c[i].probability, before);
    }
    known.is[1] = known.is[3] = known.is[4] = true;
    assert_int_equal(known_model_top(&m, &known, &answer, TOP, c), 0);
}

/* With all weights zero dropout changes nothing, and the loss of a step is that of constant logits: a batch in part
 * counts only its own samples, a parameter that is missing nowhere counts nothing. */
static void test_loss(void **state) {
    enum { POINTS = 4, COUNT = 5, BATCH = 8 };
    float         row[(COUNT + 1) * SAMPLE_WIDTH] = { 0 }, logits[POINTS] = { 0.5f, -1, 2, 0 }, resnorm = 0.25f;
    const int32_t all[COUNT] = { 0, 1, 2, 3, 4 };
    double entropy[EIS_COUNT] = { 0 }, entries[EIS_COUNT] = { 0 }, lse = 0, mse = 0, expected = 0, seen = 0, right = 0,
           asked = 0;
    known_samples samples = { .count = COUNT, .held = COUNT, .row = row };
    known_session s;
    train_result      got;
    tide_failure  failure = { 0 };
    (void)state;
    for (int i = 0; i < POINTS; i++) lse += exp((double)logits[i]);
    lse = log(lse);
    for (int i = 0; i <= COUNT; i++)
        for (int k = 0; k < EIS_COUNT; k++) {
            bool missing = i < COUNT && k != 1 && (i + k) % 3 == 0;
            int  label   = (i * 3 + k) % POINTS;
            row[i * SAMPLE_WIDTH + SAMPLE_MASK + k]  = !missing;
            row[i * SAMPLE_WIDTH + SAMPLE_LABEL + k] = (float)(i < COUNT ? label : 0);
            if (missing) entropy[k] += lse - (double)logits[label], entries[k]++, asked++, right += label == 2;
        }
    for (int i = 0; i < COUNT; i++) {
        row[i * SAMPLE_WIDTH + SAMPLE_TARGET] = (float)i / 4, row[i * SAMPLE_WIDTH + SAMPLE_REAL] = 1;
        mse += pow((double)resnorm - i / 4.0, 2) / COUNT;
    }
    for (int k = 0; k < EIS_COUNT; k++)
        if (entries[k] > 0) expected += entropy[k] / entries[k], seen++;
    assert_int_equal((int)seen, 4);
    const known_settings o = {
        .graph = { .device = "ref", .threads = 1 }, .rule = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01 },
        .batch = BATCH, .hidden = 6, .points = POINTS
    };
    if (known_session_open(&o, &samples, &s, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    for (int64_t i = 0; i < s.network.params.count; i++) {
        tide_val    v     = s.network.params.items[i];
        const char *name  = tide_name_of(v);
        float       zeros[128 * 64] = { 0 };
        bool        logit = strstr(name, "layers.3.bias") && strstr(name, "param_heads");
        size_t      bytes = (size_t)tide_shape_count(tide_shape_of(v)) * sizeof(float);
        assert_int_equal(tide_write(v,
                                    logit                                ? logits
                                    : strstr(name, "head.layers.2.bias") ? &resnorm
                                                                         : zeros,
                                    bytes),
                         TIDE_OK);
    }
    assert_int_equal(known_session_step(&s, all, COUNT, 0, &got, &failure), TIDE_OK);
    expect_near("loss", got.loss, expected / seen + 0.5 * mse, 1e-6);
    expect_near("hits", got.metric, right / asked, 1e-6);
    known_score score;
    assert_int_equal(known_session_score(&s, &samples, &score, &failure), TIDE_OK);
    expect_near("score", score.loss, expected / seen + 0.5 * mse, 1e-6);
    expect_near("accuracy", score.accuracy.top1, right / asked, 1e-12);
    known_session_close(&s);
}

/* A step in f16: the same as in f32 but for rounding; where a gradient leaves the range nothing changes but the
 * scaler. */
static void test_f16_step(void **state) {
    enum { POINTS = 4, COUNT = 64, ROWS = COUNT + 1 };  /* products of 64 rows are multiplied in f16 */
    float         row[ROWS * SAMPLE_WIDTH] = { 0 }, norm[2], bias[2], after;
    int32_t       all[COUNT];
    known_samples samples = { .count = COUNT, .held = COUNT, .row = row };
    tide_failure  failure = { 0 };
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        all[i] = i;
        for (int k = 0; k < EIS_COUNT; k++) row[i * SAMPLE_WIDTH + k] = k < 3 ? (float)(i * (k + 1) % 7) / 7 : 0;
        for (int k = 0; k < 3; k++) row[i * SAMPLE_WIDTH + SAMPLE_MASK + k] = 1;
        for (int k = 0; k < EIS_COUNT; k++) row[i * SAMPLE_WIDTH + SAMPLE_LABEL + k] = (float)((i + k) % POINTS);
        /* times 2^16 in range, times 2^24 not */
        row[i * SAMPLE_WIDTH + SAMPLE_REAL] = 1, row[i * SAMPLE_WIDTH + SAMPLE_TARGET] = 30;
    }
    for (int half = 0; half < 2; half++) {
        known_settings o = { .graph = { .device = "check", .threads = 1, .seed = 3 },
                             .rule = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01,
                                       .compile = { .precision = half ? TIDE_PRECISION_F16 : TIDE_PRECISION_F32,
                                                    .strict = true } },
                             .batch = COUNT, .hidden = 128, .points = POINTS };
        known_session     s;
        train_result      got;
        double            scale;
        int64_t           skipped;
        if (known_session_open(&o, &samples, &s, &failure) != TIDE_OK) fail_msg("%s", failure.message);
        tide_val first = s.network.encoder[0].bias;
        assert_int_equal(known_session_step(&s, all, COUNT, 1e-3, &got, &failure), TIDE_OK);
        norm[half] = (float)got.norm, bias[half] = ((const float *)tide_data(first))[0];
        assert_int_equal(train_step_scale(&s.step, &scale, &skipped, &failure), TIDE_OK);
        assert_true(half ? scale == 65536 && skipped == 0 : scale == 0);
        float huge = 1 << 24;
        if (half) {
            assert_int_equal(tide_write(s.step.scaler.scale, &huge, sizeof huge), TIDE_OK);
            assert_int_equal(known_session_step(&s, all, COUNT, 1e-3, &got, &failure), TIDE_OK);
            after = ((const float *)tide_data(first))[0];
            assert_int_equal(train_step_scale(&s.step, &scale, &skipped, &failure), TIDE_OK);
            if (got.norm != 0 || after != bias[1] || skipped != 1 || scale != (double)(huge / 2))
                fail_msg("a step beyond the range: norm %g, parameter %g from %g, %d skipped, scale %g",
                         got.norm, (double)after,
                         (double)bias[1], (int)skipped, scale);
        }
        known_session_close(&s);
    }
    /* operands have 11 bits, products many terms */
    expect_near("norm in f16", (double)norm[1], (double)norm[0], 0.02 * (double)norm[0]);
    /* Adam's first step is the rate, either way */
    expect_near("parameter in f16", (double)bias[1], (double)bias[0], 2.1e-3);
}

/* Parts draw the masks of the whole and divide by what is missing in the whole, in a filled-up batch too: they differ
 * by the rounding of f32 sums. */
static void test_parts(void **state) {
    enum { POINTS = 4, COUNT = 22, BATCH = 24 };
    float         row[(COUNT + 1) * SAMPLE_WIDTH] = { 0 };
    int32_t       all[COUNT];
    known_samples samples = { .count = COUNT, .held = COUNT, .row = row };
    train_result  got[2][2];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        float *r = row + i * SAMPLE_WIDTH;
        all[i] = i;
        for (int k = 0; k < EIS_COUNT; k++) {
            r[SAMPLE_MASK + k]  = (float)((i + k * k) % 3 == 0);
            r[k]                = r[SAMPLE_MASK + k] * (float)((i * (k + 2)) % 7) / 7;
            r[SAMPLE_LABEL + k] = (float)((i + k) % POINTS);
        }
        r[SAMPLE_TARGET] = (float)(i % 5) / 3, r[SAMPLE_REAL] = 1;
    }
    for (int k = 0; k < EIS_COUNT; k++) row[COUNT * SAMPLE_WIDTH + SAMPLE_MASK + k] = 1;
    for (int parts = 0; parts < 2; parts++) {
        known_session  s;
        tide_failure   failure = { 0 };
        known_settings o = { .graph = { .device = "cpu", .threads = 1, .seed = 3 },
                             .rule = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01, .parts = parts ? 12 : 0 },
                             .batch = BATCH, .hidden = 32, .points = POINTS };
        if (known_session_open(&o, &samples, &s, &failure) != TIDE_OK) fail_msg("%s", failure.message);
        for (int i = 0; i < 2; i++)
            assert_int_equal(known_session_step(&s, all, COUNT, 1e-2, &got[parts][i], &failure), TIDE_OK);
        known_session_close(&s);
    }
    for (int i = 0; i < 2; i++) {
        expect_near("loss in parts", got[1][i].loss, got[0][i].loss, 1e-5);
        expect_near("norm in parts", got[1][i].norm, got[0][i].norm, 1e-5);
        expect_near("hits in parts", got[1][i].metric, got[0][i].metric, 1e-5);
    }
}

/* ---- runs ---- */

typedef struct stop { int64_t lines, at; } stop;
static int stop_at(void *user, const eis_event *event) {
    stop *s = user;
    return event->tone == EIS_PROGRESS && ++s->lines >= s->at;
}

static json_t *trained(const eis_options *o) {
    eis_result   r       = { 0 };
    tide_failure failure = { 0 };
    if (eis_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    expect_has(r.text, "the best possible here is");
    json_t *j = json_loads(r.json, 0, NULL);
    assert_non_null(j);
    eis_result_free(&r);
    return j;
}

static void expect_same_file(const char *a, const char *b, const char *name) {
    char path[2][256], hash[2][65];
    snprintf(path[0], 256, "%s/%s", a, name), snprintf(path[1], 256, "%s/%s", b, name);
    for (int i = 0; i < 2; i++) assert_int_equal(tide_file_sha256(path[i], hash[i], NULL), TIDE_OK);
    if (strcmp(hash[0], hash[1])) fail_msg("%s differs from %s", path[0], path[1]);
}

/* Stopped and resumed, on another number of threads: the same bits. */
static void test_run(void **state) {
    eis_options  o;
    eis_result   r       = { 0 };
    tide_failure failure = { 0 };
    char         whole[128], parts[128];
    (void)state;
    small_options(&o);
    generate(&o);
    snprintf(whole, sizeof whole, "%s/whole", folder), snprintf(parts, sizeof parts, "%s/parts", folder);
    set(&o, "out", whole);
    json_t *j = trained(&o);
    /* 510 samples in batches of 64, the last in part */
    assert_int_equal(json_integer_value(json_object_get(j, "steps")), 4 * 8);
    assert_int_equal(json_integer_value(json_object_get(j, "epochs")), 4);
    json_t *validation = json_object_get(j, "validation");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(validation, "by_truth"), "samples")), 90);
    assert_true(json_is_object(json_object_get(validation, "by_row")));
    json_decref(j);
    set(&o, "out", parts), set(&o, "n-workers", "2");
    stop first = { 0, 2 };
    assert_int_equal(eis_train(&o, stop_at, &first, &r, &failure), TIDE_ECANCELLED);
    expect_has(failure.message, "`resume`");
    refused(&o, TIDE_EINVAL, "already contains a run");
    set(&o, "resume", "yes");
    eis_options other = o;
    set(&other, "learning-rate", "0.01");
    refused(&other, TIDE_EINVAL, "`learning-rate`");
    j = trained(&o);
    assert_true(json_integer_value(json_object_get(j, "resumed_from_step")) > 0);
    json_decref(j);
    expect_same_file(whole, parts, "model.safetensors");
    expect_same_file(whole, parts, "best_eis_predictor_mlx.npz");
    known_model  m;
    known_answer answer;
    eis_known    known = { 0 };
    assert_true(known_model_is(parts));
    assert_int_equal(known_model_load(parts, NULL, &m, NULL), TIDE_OK);
    assert_int_equal(known_model_predict(&m, &known, &answer, NULL), TIDE_OK);
    assert_true(m.card.circuit_given && m.card.circuit == EIS_SHUNT && answer.resnorm > 0);
    known_model_free(&m);
}

/* By row nothing of the data is held out, and says so; the MLX guide's own way has a constant rate. */
static void test_row_split(void **state) {
    eis_options o;
    char        out[128];
    tide_table  t = { 0 };
    (void)state;
    small_options(&o);
    generate(&o);
    snprintf(out, sizeof out, "%s/run", folder);
    set(&o, "out", out), set(&o, "split", "row"), set(&o, "compat-guide", "yes"), set(&o, "masks", "all");
    json_t *j = trained(&o);
    assert_true(json_is_null(json_object_get(json_object_get(j, "validation"), "by_truth")));
    assert_string_equal(json_string_value(json_object_get(j, "resnorm_target")), "raw");
    json_decref(j);
    snprintf(out, sizeof out, "%s/run/metrics.csv", folder);
    assert_int_equal(tide_csv_read(out, NULL, &t, NULL), TIDE_OK);
    assert_int_equal(t.rows, 4);
    assert_int_equal(t.columns, 11);
    assert_string_equal(t.cells[2], t.cells[3 * 11 + 2]);
    tide_table_free(&t);
}

/* What every trainer can: another rule and schedule, parts, patience, and resumed to the same bits. */
static void test_options(void **state) {
    eis_options  o;
    char         whole[128], parts[128];
    eis_result   r       = { 0 };
    tide_failure failure = { 0 };
    (void)state;
    small_options(&o);
    generate(&o);
    static const char *const given[][2] = { { "optimizer", "lion" }, { "lradj", "constant" }, { "grad-clip", "0.5" },
                                            { "patience", "1" },     { "accumulate", "4" }, { "memory-limit", "1G" },
                                            { "n-epochs", "60" },    { "learning-rate", "0.02" } };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) set(&o, given[i][0], given[i][1]);
    snprintf(whole, sizeof whole, "%s/whole", folder), snprintf(parts, sizeof parts, "%s/parts", folder);
    set(&o, "out", whole);
    json_t *j = trained(&o);
    int64_t epochs = json_integer_value(json_object_get(j, "epochs"));
    assert_true(epochs < 60);
    assert_int_equal(json_integer_value(json_object_get(j, "best_epoch")), epochs - 1);
    json_decref(j);
    set(&o, "out", parts);
    stop first = { 0, 2 };
    assert_int_equal(eis_train(&o, stop_at, &first, &r, &failure), TIDE_ECANCELLED);
    set(&o, "resume", "yes");
    json_decref(trained(&o));
    expect_same_file(whole, parts, "model.safetensors");
    set(&o, "accumulate", "5");
    refused(&o, TIDE_EINVAL, "a batch of 64 is not 5 equal parts: `accumulate` 4 or `accumulate` 8");
    set(&o, "recompute", "yes"), set(&o, "accumulate", "4");
    refused(&o, TIDE_EINVAL, "no blocks to compute again");
}

static void test_verdict(void **state) {
    char text[512];
    (void)state;
    known_verdict(0.0834, 0.0833, true, text, sizeof text);
    assert_string_equal(
        text, "Validation accuracy 8.3 %; the best possible here is 8.3 %. Nothing is wrong with your training: in "
              "these data the missing values are drawn independently of the known ones, so the known values alone do "
              "not determine them. The measured spectrum does: complete it with `spectrum` FILE");
    known_verdict(0.07, 0.0833, true, text, sizeof text);
    assert_string_equal(text, "Validation accuracy 7.0 %; the best possible here is 8.3 %.");
    known_verdict(0.76, 0.76, false, text, sizeof text);
    assert_string_equal(text, "Validation accuracy 76.0 %; the best possible here is 76.0 %.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceiling_uniform),
        cmocka_unit_test(test_ceiling_random),
        cmocka_unit_test(test_best_rows),
        cmocka_unit_test_setup_teardown(test_samples, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_csv, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_refusals, make_folder, remove_folder),
        cmocka_unit_test(test_count),
        cmocka_unit_test_setup_teardown(test_answer, make_folder, remove_folder),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_loss),
        cmocka_unit_test_setup_teardown(test_run, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_row_split, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_options, make_folder, remove_folder),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_f16_step),
        cmocka_unit_test(test_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
