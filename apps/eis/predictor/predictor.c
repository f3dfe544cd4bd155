/* Encoder once per spectrum, decoder once per question, in programs of fixed batch sizes that share the parameters. */
#include "predictor.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base.h"
#include "base/parallel.h"
#include "train/device.h"
#include "train/parameters.h"
#include "train/run.h"
#include "train/step.h"

/* Rows a program takes. What is asked goes into the smallest that holds it, the largest as often as it is filled; what
 * is left of a program is filled up with its first row. */
enum { SIZES = 6 };
static const int64_t sizes[SIZES] = { 1, 8, 16, 32, 128, 512 };

typedef struct sized_program {
    tide_program *program;
    tide_val      in[2], out;  /* encoder: features; decoder: encoded, known */
} sized_program;

struct predictor {
    spectrum_model model;
    parameters    *held;              /* what it learned; clones hold it too */
    predictor_settings with;
    char           device[16];        /* that `with` names */
    tide_graph    *graph;             /* its programs' */
    sized_program  encoder[SIZES], decoder[SIZES];
    int            threads;
    const char    *note;
    int64_t        spectra;
    float         *raw, *encoded;     /* of the spectra: features as they came, and after the encoder */
    float         *left, *right;      /* room for the inputs of the largest program */
};

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the predictor");
}

/* ---- opening ---- */

static const char *model_file(const char *path, char buffer[FOLDER_PATH]) {
    struct stat info;
    if (stat(path, &info) || !S_ISDIR(info.st_mode)) return path;
    return folder_file(path, "model.safetensors", buffer);
}

static sized_program compile_encoder(const network *n, tide_graph *g, int64_t rows) {
    sized_program p = { .in = {
                            tide_input(g, "features", TIDE_F32, TIDE_SHAPE(rows, features_width(n->config.recipe))) } };
    p.out           = network_encode(n, p.in[0]);
    p.program       = tide_compile(TIDE_LIST(p.out), NULL);
    return p;
}

static sized_program compile_decoder(const network *n, tide_graph *g, int64_t rows) {
    sized_program p = { .in = { tide_input(g, "encoded", TIDE_F32, TIDE_SHAPE(rows, n->config.width)),
                                tide_input(g, "known", TIDE_F32,
                                           TIDE_SHAPE(rows, 1, recipe_known(n->config.recipe))) } };
    p.out           = tide_softmax(network_decode(n, p.in[0], p.in[1]), -1);
    p.program       = tide_compile(TIDE_LIST(p.out), NULL);
    return p;
}

static tide_status compile_all(predictor *p, const network *n, tide_failure *failure) {
    for (int i = 0; i < SIZES; i++) {
        char scope[32];
        snprintf(scope, sizeof scope, "rows.%d", (int)sizes[i]);
        tide_scope_push(p->graph, scope);
        p->encoder[i] = compile_encoder(n, p->graph, sizes[i]);
        p->decoder[i] = compile_decoder(n, p->graph, sizes[i]);
        tide_scope_pop(p->graph);
        tide_status status = train_compiled(p->graph, p->encoder[i].program, failure);
        if (status == TIDE_OK) status = train_compiled(p->graph, p->decoder[i].program, failure);
        if (status != TIDE_OK) return status;
    }
    return TIDE_OK;
}

static tide_status choose_precision(predictor *p, tide_failure *failure) {
    const predictor_settings *s = &p->with;
    tide_autocast(p->graph, s->precision ? tide_precision_here(p->graph, s->precision, &p->note) : TIDE_PRECISION_F32);
    if (!s->strict || !*p->note) return TIDE_OK;
    return fail_at(failure, TIDE_EDEVICE, NULL, 0, "precision", "`precision` %s: %s; f32 is what the device has",
                   tide_precision_name(s->precision), p->note);
}

static tide_graph *graph_new(const predictor *p, int threads) {
    return tide_graph_new_with(&(tide_graph_options){ .device = p->device, .threads = threads,
                                                      .memory_limit = train_device_memory(p->device) });
}

static tide_status load(predictor *p, const tide_archive *a, tide_failure *failure) {
    tide_graph *g = graph_new(p, 1);
    if (!g) return no_memory(failure);
    network_new(g, &p->model.config);
    tide_status status = tide_error(g)->status;
    if (status == TIDE_OK) status = tide_load_archive(tide_params(g, ""), a, failure);
    if (status != TIDE_OK) {
        if (failure && !failure->status) *failure = *tide_error(g);
        return tide_graph_free(g), status;
    }
    p->held = parameters_new(g, tide_params(g, ""));
    return p->held ? TIDE_OK : no_memory(failure);
}

static tide_status build(predictor *p, tide_failure *failure) {
    int64_t most = sizes[SIZES - 1], width = p->model.config.width, features = p->model.scale.width;
    p->left  = malloc((size_t)(most * MAX2(width, features)) * sizeof *p->left);
    p->right = malloc((size_t)(most * recipe_known(p->model.config.recipe)) * sizeof *p->right);
    p->graph = p->left && p->right ? graph_new(p, p->threads) : NULL;
    if (!p->graph) return no_memory(failure);
    if (choose_precision(p, failure) != TIDE_OK) return TIDE_EDEVICE;
    tide_compile_mode(p->graph, p->with.mode);
    network n = network_new(p->graph, &p->model.config);
    if (tide_error(p->graph)->status != TIDE_OK) return train_compiled(p->graph, NULL, failure);
    tide_status status = parameters_lend(p->held, tide_params(p->graph, ""), failure);
    return status == TIDE_OK ? compile_all(p, &n, failure) : status;
}

static predictor *predictor_new(const predictor_settings *s) {
    predictor *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->with    = *s;
    p->threads = s->threads > 0 ? s->threads : os_cores();
    p->note    = "";
    snprintf(p->device, sizeof p->device, "%s", train_device_now(s->device));
    p->with.device = p->device;
    return p;
}

tide_status predictor_take(const char *path, const tide_archive *a, const predictor_settings *s, predictor **out,
                           tide_failure *failure) {
    predictor *p = predictor_new(s);
    *out = NULL;
    if (!p) return no_memory(failure);
    tide_status status = spectrum_model_take(path, a, &p->model, failure);
    if (status == TIDE_OK) status = load(p, a, failure);
    if (status == TIDE_OK) status = build(p, failure);
    if (status == TIDE_OK) *out = p;
    else predictor_free(p);
    return status;
}

tide_status predictor_open(const char *path, const predictor_settings *s, predictor **out, tide_failure *failure) {
    char         buffer[FOLDER_PATH];
    tide_archive a    = { 0 };
    const char  *file = model_file(path, buffer);
    *out = NULL;
    tide_status status = tide_safetensors_read(file, &a, failure);
    if (status == TIDE_OK) status = predictor_take(file, &a, s, out, failure);
    tide_archive_free(&a);
    return status;
}

tide_status predictor_clone(const predictor *of, predictor **out, tide_failure *failure) {
    predictor *p = predictor_new(&of->with);
    *out = NULL;
    if (!p) return no_memory(failure);
    p->model = of->model;
    p->held  = parameters_hold(of->held);
    tide_status status = build(p, failure);
    if (status == TIDE_OK) *out = p;
    else predictor_free(p);
    return status;
}

tide_status predictor_write_memory(const predictor *p, void **bytes, size_t *size, tide_failure *failure) {
    tide_archive a      = { 0 };
    tide_status  status = spectrum_model_archive(&p->model, parameters_begin(p->held), NULL, &a);
    parameters_end(p->held);
    if (status == TIDE_OK) status = tide_safetensors_write_memory(&a, bytes, size, failure);
    else no_memory(failure);
    tide_archive_free(&a);
    return status;
}

const char *predictor_note(const predictor *p) { return p->note; }

tide_graph *predictor_graph(const predictor *p) { return p->graph; }

void predictor_free(predictor *p) {
    if (!p) return;
    tide_graph_free(p->graph);
    parameters_release(p->held);
    free(p->raw), free(p->encoded), free(p->left), free(p->right);
    free(p);
}

const spectrum_model *predictor_model(const predictor *p) { return &p->model; }

/* ---- running ---- */

static const sized_program *program_for(const sized_program *of, int64_t rows, int64_t *taken, int64_t *size) {
    int i = 0;
    while (i < SIZES - 1 && sizes[i] < rows) i++;
    *size  = sizes[i];
    *taken = MIN2(rows, sizes[i]);
    return &of[i];
}

static void fill_up(float *rows, int64_t width, int64_t taken, int64_t size) {
    for (int64_t i = taken; i < size; i++) memcpy(rows + i * width, rows, (size_t)width * sizeof *rows);
}

static tide_status run(const sized_program *p, const float *const in[2], int64_t inputs, int64_t bytes, float *out,
                       tide_failure *failure) {
    tide_feed   feeds[] = { { p->in[0], in[0] }, { p->in[1], in[1] } };
    tide_status status  = tide_run(p->program, feeds, inputs);
    const void *data    = status == TIDE_OK ? tide_data(p->out) : NULL;
    if (data) {
        bool fine = true;
        memcpy(out, data, (size_t)bytes);
        for (int64_t i = 0; i < bytes / (int64_t)sizeof *out; i++) fine &= isfinite(out[i]) != 0;
        return fine ? TIDE_OK
                    : fail(failure, TIDE_EDATA,
                           "the predictor's answer is no number: its parameters are damaged, or it was trained until "
                           "it diverged");
    }
    status = train_compiled(p->out.graph, p->program, failure);
    return status != TIDE_OK ? status : no_memory(failure);
}

tide_status predictor_spectra(predictor *p, int64_t count, const float *raw, tide_failure *failure) {
    const feature_scale *scale = &p->model.scale;
    int64_t width = p->model.config.width, size, taken;
    float  *new_raw = realloc(p->raw, (size_t)(count * scale->width) * sizeof *p->raw);
    if (new_raw) p->raw = new_raw;
    float *new_encoded = realloc(p->encoded, (size_t)(count * width) * sizeof *p->encoded);
    if (new_encoded) p->encoded = new_encoded;
    p->spectra = 0;
    if (!new_raw || !new_encoded) return no_memory(failure);
    memcpy(p->raw, raw, (size_t)(count * scale->width) * sizeof *raw);
    for (int64_t first = 0; first < count; first += taken) {
        const sized_program *program = program_for(p->encoder, count - first, &taken, &size);
        for (int64_t i = 0; i < taken; i++)
            features_scale(scale, raw + (first + i) * scale->width, p->left + i * scale->width);
        fill_up(p->left, scale->width, taken, size);
        tide_status status = run(program, (const float *[]){ p->left, NULL }, 1, taken * width * (int64_t)sizeof(float),
                                 p->encoded + first * width, failure);
        if (status != TIDE_OK) return status;
    }
    p->spectra = count;
    return TIDE_OK;
}

typedef struct questions { predictor *of; const int32_t *spectrum; const float (*known_u)[EIS_COUNT]; } questions;

static void fill_question(void *asked, int64_t i, int thread) {
    const questions *q = asked;
    const predictor *p = q->of;
    const feature_scale *scale = &p->model.scale;
    int64_t width = p->model.config.width;
    (void)thread;
    memcpy(p->left + i * width, p->encoded + q->spectrum[i] * width, (size_t)width * sizeof *p->left);
    features_known(p->model.config.recipe, scale, p->raw + q->spectrum[i] * scale->width, q->known_u[i],
                   p->right + i * recipe_known(p->model.config.recipe));
}

tide_status predictor_ask(predictor *p, int64_t rows, const int32_t *spectrum, const float (*known_u)[EIS_COUNT],
                          float *probability,
                          tide_failure *failure) {
    eis_recipe recipe = p->model.config.recipe;
    int64_t    each = recipe_quantities(recipe) * recipe_bins(recipe), size, taken;
    for (int64_t first = 0; first < rows; first += taken) {
        const sized_program *program = program_for(p->decoder, rows - first, &taken, &size);
        questions q = { p, spectrum + first, known_u + first };
        parallel_for(p->threads, taken, 64, fill_question, &q);
        fill_up(p->left, p->model.config.width, taken, size);
        fill_up(p->right, recipe_known(recipe), taken, size);
        tide_status status = run(program, (const float *[]){ p->left, p->right }, 2,
                                 taken * each * (int64_t)sizeof(float),
                                 probability + first * each, failure);
        if (status != TIDE_OK) return status;
    }
    return TIDE_OK;
}

tide_status predictor_screen(predictor *p, int64_t count, const float *raw, float *probability,
                             tide_failure *failure) {
    int32_t *spectrum = malloc((size_t)MAX2(count, 1) * sizeof *spectrum);
    float (*known_u)[EIS_COUNT] = malloc((size_t)MAX2(count, 1) * sizeof *known_u);
    tide_status status = spectrum && known_u ? predictor_spectra(p, count, raw, failure) : no_memory(failure);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        spectrum[i] = (int32_t)i;
        for (int k = 0; k < EIS_COUNT; k++) known_u[i][k] = NAN;
    }
    if (status == TIDE_OK)
        status = predictor_ask(p, count, spectrum, (const float (*)[EIS_COUNT])known_u, probability, failure);
    free(spectrum), free(known_u);
    return status;
}
