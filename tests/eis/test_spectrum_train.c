/* Training the spectrum predictor: small, but all of it. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <signal.h>
#include <sys/wait.h>

#include <tidemill/eis.h>
#include <tidemill/io.h>

#include "eis/predictor/spectra.h"
#include "eis/predictor/model.h"
#include "eis/predictor/step.h"
#include "../folder.h"

static eis_options small_run(const char *name, const char *recipe) {
    static const char *const words[][2] = { { "pool-spectra", "2048" }, { "batch-size", "128" },
                                            { "hidden-dim", "32" }, { "n-epochs", "2" },
                                            { "seed", "7" } };
    eis_options  o;
    tide_failure failure = { 0 };
    eis_options_default(&o);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_int_equal(eis_option_set(&o, words[i][0], words[i][1], &failure), TIDE_OK);
    assert_int_equal(eis_option_set(&o, "recipe", recipe, &failure), TIDE_OK);
    if (getenv("TIDEMILL_DEVICE"))
        assert_int_equal(eis_option_set(&o, "device", getenv("TIDEMILL_DEVICE"), &failure), TIDE_OK);
    snprintf(o.out, sizeof o.out, "%s/%s", folder, name);
    return o;
}

static void train(const eis_options *o, tide_status expected, eis_listener listener, void *user) {
    tide_failure failure = { 0 };
    eis_result   r       = { 0 };
    tide_status  status  = eis_train(o, listener, user, &r, &failure);
    if (status != expected)
        fail_msg("training ended with %s (%s), not %s", tide_status_name(status), failure.message,
                 tide_status_name(expected));
    eis_result_free(&r);
}

static void hash_of(const eis_options *o, const char *name, char hex[65]) {
    char path[EIS_TEXT_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", o->out, name);
    assert_int_equal(tide_file_sha256(path, hex, NULL), TIDE_OK);
}

static void assert_same_model(const eis_options *a, const eis_options *b) {
    char first[65], second[65];
    hash_of(a, "model.safetensors", first);
    hash_of(b, "model.safetensors", second);
    assert_string_equal(first, second);
}

static void same_bits_for_any_number_of_threads(void **state) {
    (void)state;
    for (int lab = 0; lab < 2; lab++) {
        eis_options one = small_run(lab ? "one-lab" : "one", lab ? "lab" : "grid"),
                    three = small_run(lab ? "three-lab" : "three", lab ? "lab" : "grid");
        one.threads = 1, three.threads = 3;
        train(&one, TIDE_OK, NULL, NULL);
        train(&three, TIDE_OK, NULL, NULL);
        assert_same_model(&one, &three);
    }
}

/* Stops at the first epoch's end. */
static int stop_after_epoch(void *user, const eis_event *event) {
    (void)user;
    return event->tone == EIS_NOTE && strncmp(event->message, "epoch 1:", 8) == 0;
}

static void goes_on_to_the_same_bits(void **state) {
    (void)state;
    eis_options whole = small_run("whole", "grid"), parts = small_run("parts", "grid");
    train(&whole, TIDE_OK, NULL, NULL);
    train(&parts, TIDE_ECANCELLED, stop_after_epoch, NULL);
    parts.resume = true;
    train(&parts, TIDE_OK, NULL, NULL);
    assert_same_model(&whole, &parts);
    train(&parts, TIDE_OK, NULL, NULL); /* finished: nothing more to do */
    assert_same_model(&whole, &parts);
    parts.seed = 8;
    train(&parts, TIDE_EINVAL, NULL, NULL);
    parts.resume = false;
    train(&parts, TIDE_EINVAL, NULL, NULL);
}

/* Killed again and again, a while after each start. One thread: a forked process has none of its parent's. */
static void survives_being_killed(void **state) {
    (void)state;
    eis_options whole = small_run("unhurt", "grid"), hurt = small_run("killed", "grid");
    char        path[EIS_TEXT_SIZE + 64];
    int         kills = 0;
    whole.threads = hurt.threads = 1;
    train(&whole, TIDE_OK, NULL, NULL);
    snprintf(path, sizeof path, "%s/run.json", hurt.out);
    for (int wait_ms = 40;; wait_ms += wait_ms / 2) {
        pid_t child = fork();
        int   how;
        assert_true(child >= 0);
        hurt.resume = access(path, F_OK) == 0;
        if (child == 0) {
            eis_result r;
            _exit(eis_train(&hurt, NULL, NULL, &r, NULL) == TIDE_OK ? 0 : 1);
        }
        usleep((useconds_t)wait_ms * 1000);
        kill(child, SIGKILL);
        waitpid(child, &how, 0);
        if (WIFEXITED(how)) {
            assert_int_equal(WEXITSTATUS(how), 0);
            break;
        }
        kills++;
    }
    assert_true(kills > 0);
    assert_same_model(&whole, &hurt);
}

typedef struct outcome { double loss, accuracy, possible; } outcome;

static outcome outcome_of(const eis_options *o) {
    tide_failure failure = { 0 };
    eis_result   r;
    if (eis_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    json_t *json = json_loads(r.json, 0, NULL);
    outcome out  = { json_number_value(json_object_get(json, "best_val_loss")),
                     json_number_value(json_object_get(json, "val_acc")),
                     json_number_value(json_object_get(json, "best_possible_acc")) };
    json_decref(json);
    eis_result_free(&r);
    return out;
}

/* bf16 falls back to f32 where the processor lacks it: then both are the same run. */
static void learns_in_either_precision(void **state) {
    (void)state;
    outcome of[2];
    for (int i = 0; i < 2; i++) {
        eis_options o = small_run(i ? "learns-auto" : "learns", "grid");
        o.pool_spectra = 8192, o.hidden_dim = 64, o.epochs = 5, o.precision = i ? EIS_PRECISION_AUTO : EIS_F32;
        of[i] = outcome_of(&o);
        if (!(of[i].accuracy > 0.25 && of[i].accuracy < of[i].possible))
            fail_msg("accuracy %g: not between three times chance and the best possible, %g", of[i].accuracy,
                     of[i].possible);
    }
    if (!(fabs(of[1].loss - of[0].loss) < 0.02 * of[0].loss))
        fail_msg("validation loss %g in f32, %g in auto", of[0].loss, of[1].loss);
}

/* In f16 a step whose gradients leave the range changes nothing but the scaler. */
static void f16_is_scaled(void **state) {
    (void)state;
    enum { SPECTRA = 16 };  /* times MASKS rows: products are multiplied in f16 */
    spectrum_settings o = { .network = { EIS_RECIPE_GRID, 64 }, .batch = SPECTRA,
                            .rule = { .optimizer = TRAIN_ADAMW, .rate = 1e-3,
                                      .compile = { .precision = TIDE_PRECISION_F16, .strict = true } },
                            .graph = { .device = "check", .threads = 1, .seed = 5 } };
    spectrum_session s;
    tide_failure     failure = { 0 };
    train_result     r;
    train_feed       feeds[SPECTRUM_FEEDS];
    double           scale;
    int64_t          skipped;
    batch            b;
    float            huge = 1 << 24;
    assert_true(batch_new(EIS_RECIPE_GRID, SPECTRA, &b));
    for (int64_t i = 0; i < SPECTRA * features_width(EIS_RECIPE_GRID); i++) b.features[i] = sinf((float)i);
    for (int64_t i = 0; i < SPECTRA * MASKS * KNOWN_WIDTH; i++) b.known[i] = (float)(i % 3 == 0);
    for (int64_t i = 0; i < SPECTRA * MASKS * recipe_quantities(EIS_RECIPE_GRID); i++)
        b.weight[i] = i < 64, b.label[i] = (int32_t)(i % 12); /* gradients of 1/64: times 2^16 in range, times 2^24
                                                                 not */
    if (spectrum_session_open(&o, &s, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    spectrum_feeds(&s, &b, feeds);
    if (train_step_run(&s.step, feeds, SPECTRUM_FEEDS, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_int_equal(train_step_scale(&s.step, &scale, &skipped, &failure), TIDE_OK);
    if (!isfinite(r.loss) || !(r.norm > 0) || scale != 65536 || skipped != 0)
        fail_msg("a step in range: loss %g, norm %g, scale %g, %d skipped", r.loss, r.norm, scale,
                 (int)skipped);
    tide_snapshot_t *before = tide_snapshot(s.params);
    assert_int_equal(tide_write(s.step.scaler.scale, &huge, sizeof huge), TIDE_OK);
    assert_int_equal(train_step_run(&s.step, feeds, SPECTRUM_FEEDS, &r, &failure), TIDE_OK);
    assert_int_equal(train_step_scale(&s.step, &scale, &skipped, &failure), TIDE_OK);
    assert_true(r.norm == 0 && skipped == 1 && scale == (double)(huge / 2));
    for (int64_t i = 0; i < s.params.count; i++)
        assert_memory_equal(tide_snapshot_data(before, i), tide_data(s.params.items[i]),
                            (size_t)tide_shape_count(tide_shape_of(s.params.items[i])) * sizeof(float));
    tide_snapshot_free(before);
    batch_free(&b);
    spectrum_session_free(&s);
}

static void fill(batch *b, eis_recipe recipe) {
    int64_t quantities = recipe_quantities(recipe);
    for (int64_t i = 0; i < b->spectra * features_width(recipe); i++) b->features[i] = sinf((float)i);
    for (int64_t i = 0; i < b->spectra * MASKS * KNOWN_WIDTH; i++) b->known[i] = (float)(i % 3 == 0);
    for (int64_t i = 0; i < b->spectra * MASKS * quantities; i++) {
        int64_t q = i % quantities, missing = 1 + i / quantities % EIS_COUNT;
        b->weight[i] = q >= EIS_COUNT ? 0.2F : q < missing ? 1 / (float)missing : 0;
        b->label[i]  = (int32_t)(i % 12);
    }
}

static tide_snapshot_t *after_steps(int64_t parts, bool recompute, spectrum_session *s, train_result *out) {
    enum { SPECTRA = 16 };
    spectrum_settings o = { .network = { EIS_RECIPE_GRID, 32 }, .batch = SPECTRA, .recompute = recompute,
                            .rule = { .optimizer = TRAIN_ADAMW, .rate = 1e-3, .grad_clip = 1, .parts = parts },
                            .graph = { .device = "cpu", .threads = 1, .seed = 5 } };
    tide_failure failure = { 0 };
    train_feed   feeds[SPECTRUM_FEEDS];
    batch        b;
    assert_true(batch_new(EIS_RECIPE_GRID, SPECTRA, &b));
    fill(&b, EIS_RECIPE_GRID);
    if (spectrum_session_open(&o, s, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    spectrum_feeds(s, &b, feeds);
    for (int i = 0; i < 3; i++)
        assert_int_equal(train_step_run(&s->step, feeds, SPECTRUM_FEEDS, out, &failure), TIDE_OK);
    batch_free(&b);
    return tide_snapshot(s->params);
}

/* Parts differ by the rounding of f32 sums, made again is the same: bit for bit. */
static void parts_and_recompute(void **state) {
    spectrum_session s[3];
    train_result     r[3];
    tide_snapshot_t *p[3];
    (void)state;
    for (int i = 0; i < 3; i++) p[i] = after_steps(i == 1 ? 4 : 1, i == 2, &s[i], &r[i]);
    assert_true(tide_program_bytes(s[1].step.program).arena < tide_program_bytes(s[0].step.program).arena);
    if (!(fabs(r[1].loss / r[0].loss - 1) < 1e-5 && fabs(r[1].metric - r[0].metric) < 1e-5 &&
          fabs(r[1].norm / r[0].norm - 1) < 1e-4))
        fail_msg("in parts: loss %g, norm %g, hits %g; whole: %g, %g, %g", r[1].loss, r[1].norm, r[1].metric, r[0].loss,
                 r[0].norm, r[0].metric);
    for (int64_t i = 0; i < s[0].params.count; i++)
        assert_memory_equal(tide_snapshot_data(p[0], i), tide_snapshot_data(p[2], i),
                            (size_t)tide_shape_count(tide_shape_of(s[0].params.items[i])) * sizeof(float));
    for (int i = 0; i < 3; i++) tide_snapshot_free(p[i]), spectrum_session_free(&s[i]);
}

/* The round visits spectra of blocks `oldest` to before `made` alone, each as its number makes it. */
static void assert_visits(const pool *p, int64_t oldest, int64_t made) {
    float *row = malloc((size_t)p->stride * sizeof *row);
    assert_true(row && p->oldest == oldest && p->made == made);
    for (int64_t i = 0; i < p->round; i++) {
        int64_t block = oldest, at = p->order[i] % p->block;
        while (block < made && block % POOL_BLOCKS != p->order[i] / p->block) block++;
        if (block == made) fail_msg("visit %d is of row %d, which was not made", (int)i, (int)p->order[i]);
        pool_row(&p->settings, SPLIT_TRAIN, (uint64_t)(block * p->block + at), p->width, row);
        assert_memory_equal(row, p->row + p->order[i] * p->stride, (size_t)p->stride * sizeof *row);
    }
    free(row);
}

/* Out of time no block is begun but the first; later ones come one a round. So it is with a run that goes on. */
static void the_pool_looks_at_the_clock(void **state) {
    const sampler_settings s = { .recipe = EIS_RECIPE_GRID, .seed = 7 };
    pool p;
    (void)state;
    assert_true(pool_new(&s, 16 * 32, 2, &p) && pool_round(&p, 0, 0, NULL) == TIDE_OK);
    assert_visits(&p, 0, 1);
    assert_true(pool_round(&p, 1, 0, NULL) == TIDE_OK);
    assert_visits(&p, 0, 1);
    assert_true(pool_round(&p, 2, INFINITY, NULL) == TIDE_OK);
    assert_visits(&p, 0, 2);
    pool_free(&p);
    assert_true(pool_new(&s, 16 * 32, 2, &p) && pool_round(&p, 20, 0, NULL) == TIDE_OK);
    assert_visits(&p, 20 + POOL_VISITS - POOL_BLOCKS, 21 + POOL_VISITS - POOL_BLOCKS);
    pool_free(&p);
    assert_true(pool_new(&s, 16 * 32, 2, &p) && pool_round(&p, 0, INFINITY, NULL) == TIDE_OK);
    assert_visits(&p, 0, POOL_VISITS);
    pool_free(&p);
}

static void masks_are_uniform(void **state) {
    (void)state;
    enum { DRAWS = 40000 };
    int by_count[EIS_COUNT + 1] = { 0 }, by_mask[32] = { 0 };
    for (uint64_t i = 0; i < DRAWS; i++) {
        unsigned mask = mask_draw(3, SPLIT_TRAIN, i, (int)(i % MASKS));
        assert_in_range(mask, 1, 31);
        by_mask[mask]++;
        by_count[__builtin_popcount(mask)]++;
    }
    for (int n = 1; n <= EIS_COUNT; n++) /* 5 standard deviations of 8000 +- 80 */
        if (abs(by_count[n] - DRAWS / 5) > 400) fail_msg("%d missing was drawn %d times of %d", n, by_count[n], DRAWS);
    for (unsigned mask = 1; mask < 32; mask++) {
        static const int ways[] = { 0, 5, 10, 10, 5, 1 };
        int expected = DRAWS / 5 / ways[__builtin_popcount(mask)];
        if (abs(by_mask[mask] - expected) > expected / 4)
            fail_msg("mask %u was drawn %d times, not about %d", mask, by_mask[mask], expected);
    }
}

static void bad_options_are_named(void **state) {
    (void)state;
    eis_options o = small_run("bad", "grid");
    o.batch_size = 1024;
    train(&o, TIDE_EINVAL, NULL, NULL);
    o = small_run("bad", "grid");
    o.circuit = EIS_CHAIN;
    train(&o, TIDE_EINVAL, NULL, NULL);
}

static void foreign_models_are_refused(void **state) {
    (void)state;
    char           path[128];
    spectrum_model m;
    tide_archive   a = { 0 };
    float          one = 1;
    snprintf(path, sizeof path, "%s/foreign.safetensors", folder);
    tide_archive_add(&a, "x", TIDE_F32, TIDE_SHAPE(1), &one);
    assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
    assert_int_equal(spectrum_model_take(path, &a, &m, NULL), TIDE_EDATA);
    tide_archive_free(&a);
}

/* With an argument those tests alone whose names it fits. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_being_killed), /* first: before this process has threads */
        cmocka_unit_test(masks_are_uniform),
        cmocka_unit_test(the_pool_looks_at_the_clock),
        cmocka_unit_test(f16_is_scaled), cmocka_unit_test(parts_and_recompute),
        cmocka_unit_test(bad_options_are_named),
        cmocka_unit_test(foreign_models_are_refused),
        cmocka_unit_test(goes_on_to_the_same_bits),
        cmocka_unit_test(learns_in_either_precision),
        cmocka_unit_test(same_bits_for_any_number_of_threads),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
