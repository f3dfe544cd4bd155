/* An instrument's core: a small predictor is trained in memory, in steps, its model travels through memory, and eight
 * threads complete a spectrum with clones of it at once. Nothing is written. Prints "served" when all answers are the
 * same to the bit. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <tidemill/eis.h>

enum { THREADS = 8, POINTS = 61 };

typedef struct worker {
    eis_model          *model;
    const eis_options  *options;
    const eis_spectrum *spectrum;
    eis_answer          answer;
    tide_status         status;
} worker;

static void *serve(void *data) {
    worker *w = data;
    w->status = eis_model_solve(w->model, w->options, 1, w->spectrum, NULL, NULL, NULL, &w->answer, NULL);
    eis_model_free(w->model);
    return NULL;
}

static int refuse(const char *what, const tide_failure *why) {
    fprintf(stderr, "%s: %s\n", what, why->message);
    return 1;
}

/* The predictor's bytes. */
static int train(const eis_options *options, void **bytes, size_t *size) {
    tide_failure why = { 0 };
    eis_trainer *trainer;
    eis_model   *model;
    if (eis_trainer_new(options, NULL, NULL, &trainer, &why)) return refuse("new", &why);
    while (!eis_trainer_at(trainer).finished)
        if (eis_trainer_run(trainer, 10, &why)) return refuse("run", &why);
    if (eis_trainer_model(trainer, &model, &why)) return refuse("model", &why);
    eis_trainer_free(trainer);
    if (eis_model_save_memory(model, bytes, size, &why)) return refuse("save", &why);
    eis_model_free(model);
    return 0;
}

int main(void) {
    static const double p[EIS_COUNT] = { 460, 4820, 2210, 1.2e-6, 4.7e-6 };
    static const char *const set[][2] = { { "pool-spectra", "2048" }, { "batch-size", "128" }, { "hidden-dim", "32" },
                                          { "epochs", "2" }, { "known", "Rsh=460" } };
    tide_failure why = { 0 };
    eis_model   *model;
    pthread_t    threads[THREADS];
    worker       workers[THREADS];
    double       freq_hz[POINTS];
    eis_z        z[POINTS];
    eis_spectrum spectrum = { .count = POINTS, .freq_hz = freq_hz, .z = z };
    void        *bytes;
    size_t       size;
    int          differ = 0;
    eis_options *options = eis_options_new();
    if (!options || eis_options_size() != sizeof *options) return 2;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        if (eis_option_set(options, set[i][0], set[i][1], &why)) return refuse(set[i][0], &why);
    for (int i = 0; i < POINTS; i++) freq_hz[i] = pow(10, 5 - i / 10.0);
    eis_impedance(EIS_SHUNT, p, 30, POINTS, freq_hz, z);
    if (train(options, &bytes, &size)) return 1;
    if (eis_model_load_memory(bytes, size, options, &model, &why)) return refuse("load", &why);
    tide_free(bytes);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){ .options = options, .spectrum = &spectrum };
        if (eis_model_clone(model, &workers[i].model, &why)) return refuse("clone", &why);
    }
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, serve, &workers[i]);
    eis_model_free(model);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        const eis_answer *a = &workers[i].answer, *first = &workers[0].answer;
        differ += workers[i].status != TIDE_OK || !(a->of[EIS_TER].median > 0) ||
                  memcmp(a->of, first->of, sizeof a->of) != 0 ||
                  memcmp(a->marginal, first->marginal, sizeof a->marginal) != 0;
    }
    for (int i = 0; i < THREADS; i++) eis_answer_free(&workers[i].answer);
    eis_options_free(options);
    if (differ) return fprintf(stderr, "%d answers differ\n", differ), 1;
    puts("served");
    return 0;
}
