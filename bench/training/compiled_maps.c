/* What compiled map kernels gain in the forecaster's training step: each map kernel as max-autotune chose it and on
 * strips, with all its other choices.
 *   bench_compiled_maps [batch] [d_model] [d_ff] [layers] [threads] [columns] [rounds]
 * Defaults: the published ETTh1 sizes. Times are a kernel's own, over all threads, the least of the rounds. A line for
 * all kernels that do the same; GB/s counts each operand once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/tuning.h"
#include "forecast/models/model.h"

typedef struct sizes { int64_t batch, d_model, d_ff, layers, threads, columns, rounds; } sizes;
typedef struct step {
    tide_graph *g;
    tide_program *program;
    tide_explanation *told;
    itransformer model;
    tide_val x, marks, y;
    double *seconds, run_s, compile_s;
} step;

static bool make(const sizes *s, const char *choices, tide_program_mode mode, step *t) {
    t->g = tide_graph_new_with(&(tide_graph_options){ .threads = (int)s->threads, .seed = 1 });
    if (choices && tide_choices_set(t->g, choices, NULL)) return false;
    model_config config = { .seq_len = 96, .pred_len = 96, .columns = s->columns, .marks = 4, .d_model = s->d_model,
                            .n_heads = 8,
                            .head_size = s->d_model / 8, .d_ff = s->d_ff, .e_layers = s->layers, .dropout = 0.1,
                            .use_norm = true };
    if (!itransformer_new(t->g, &config, &t->model)) return false;
    t->x = tide_input(t->g, "x", TIDE_F32, TIDE_SHAPE(s->batch, 96, s->columns));
    t->marks = tide_input(t->g, "m", TIDE_F32, TIDE_SHAPE(s->batch, 96, 4));
    t->y = tide_input(t->g, "y", TIDE_F32, TIDE_SHAPE(s->batch, 96, s->columns));
    const model_windows window = { .past = t->x, .marks = t->marks };
    tide_val loss = tide_mse(itransformer_apply(&t->model, &window, TIDE_TRAIN, NULL), t->y);
    tide_list params = tide_params(t->g, ""), grads = tide_clip_norm(tide_grad(loss, params), 1.0);
    tide_val update =
        tide_adamw(params, grads, &(tide_adamw_opts){ .lr = tide_scalar(t->g, 1e-4), .weight_decay = 0.01 });
    double began = os_seconds();
    t->program = tide_compile(TIDE_LIST(loss, update), &(tide_compile_options){ .mode = mode });
    t->compile_s = os_seconds() - began;
    return tide_program_error(t->program)->status == TIDE_OK;
}

static void drop(step *t) {
    tide_explanation_free(t->told);
    itransformer_free(&t->model);
    tide_graph_free(t->g);
    free(t->seconds);
}

/* The same choices, but every kernel on strips. */
static char *without_compiled(const char *json) {
    choices all = { 0 };
    text out = { 0 };
    choices_parse(&all, json);
    for (int32_t i = 0; i < all.count; i++)
        if (!strncmp(all.items[i].name, "compiled map", 12)) all.items[i].value = 0;
    choices_print(&out, &all);
    choices_free(&all);
    return out.data;
}

static char *tuned_choices(const sizes *s) {
    step t = { 0 };
    char *json = make(s, NULL, TIDE_MODE_MAX_AUTOTUNE, &t) ? tide_choices(t.g) : NULL;
    drop(&t);
    return json;
}

static bool measure(step *t, const float *data) {
    tide_explanation *e = tide_program_explain(t->program, &(tide_explain_options){
        .feeds = (tide_feed[]){ { t->x, data }, { t->marks, data }, { t->y, data } }, .count = 3, .measure_s = 0.5 });
    if (!e) return false;
    if (!t->seconds) t->seconds = calloc((size_t)e->n_kernels, sizeof *t->seconds);
    for (int64_t k = 0; t->seconds && k < e->n_kernels; k++)
        if (t->seconds[k] == 0 || e->kernels[k].seconds < t->seconds[k]) t->seconds[k] = e->kernels[k].seconds;
    if (t->run_s == 0 || e->run_s < t->run_s) t->run_s = e->run_s;
    tide_explanation_free(t->told);
    t->told = e;
    return t->seconds != NULL;
}

static bool alike(const tide_kernel_row *a, const tide_kernel_row *b) {
    return !strcmp(a->kind, b->kind) && !strcmp(a->members, b->members) && a->rows == b->rows && a->cols == b->cols &&
           a->bytes_read == b->bytes_read && a->bytes_written == b->bytes_written;
}

/* Kernels like number `first`, together; false: an earlier line has it. */
static bool print_line(const step t[2], int64_t first) {
    const tide_explanation *e = t[0].told;
    const tide_kernel_row *k = &e->kernels[first];
    double took[2] = { 0 }, bytes = 0, elements = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < e->n_kernels; i++) {
        if (!alike(&e->kernels[i], k)) continue;
        if (i < first) return false;
        count++;
        bytes += (double)(k->bytes_read + k->bytes_written);
        elements += (double)(k->rows * k->cols);
        for (int j = 0; j < 2; j++) took[j] += t[j].seconds[i];
    }
    printf("| %" PRId64 " | %s | %" PRId64 " x %" PRId64, count, k->members, k->rows, k->cols);
    printf(" | %.1f | %.1f | %.2f | %.2f | %.1f | %.1f | %.2f |\n", took[0] * 1e6, took[1] * 1e6,
           took[0] / elements * 1e9, took[1] / elements * 1e9, bytes / took[0] * 1e-9,
           bytes / took[1] * 1e-9, took[0] / took[1]);
    return true;
}

static void report(const step t[2]) {
    const tide_explanation *e = t[0].told;
    double maps[2] = { 0 }, all[2] = { 0 };
    printf("| kernels | computes | rows x columns | strips us | chosen us | strips ns/element | chosen | strips GB/s | "
           "chosen | ratio |\n");
    printf("|---|---|---|---|---|---|---|---|---|---|\n");
    for (int64_t i = 0; i < e->n_kernels; i++) {
        bool map = !strcmp(e->kernels[i].kind, "map");
        for (int j = 0; j < 2; j++) all[j] += t[j].seconds[i], maps[j] += map ? t[j].seconds[i] : 0;
        if (map) print_line(t, i);
    }
    printf("\nmaps: %.3f ms of %.3f (%.1f %%), chosen: %.3f of %.3f (%.1f %%); a step: %.3f ms, %.3f ms; "
           "made in %.1f ms, %.1f ms\n", maps[0] * 1e3, all[0] * 1e3,
           maps[0] / all[0] * 100, maps[1] * 1e3, all[1] * 1e3, maps[1] / all[1] * 100, t[0].run_s * 1e3,
           t[1].run_s * 1e3,
           t[0].compile_s * 1e3, t[1].compile_s * 1e3);
}

int main(int argc, char **argv) {
    sizes s = { 32, 256, 256, 2, 2, 7, 5 };
    int64_t *size[] = { &s.batch, &s.d_model, &s.d_ff, &s.layers, &s.threads, &s.columns, &s.rounds };
    step t[2] = { { 0 }, { 0 } };
    for (int i = 1; i < argc && i < 8; i++) *size[i - 1] = atoll(argv[i]);
    float *data = calloc((size_t)(s.batch * 96 * (s.columns + 4)), sizeof *data);
    for (int64_t i = 0; data && i < s.batch * 96 * (s.columns + 4); i++) data[i] = (float)(i % 17) * 0.1f - 0.8f;
    double began = os_seconds();
    char *json = tuned_choices(&s), *strips = json ? without_compiled(json) : NULL;
    printf("choosing: %.1f s\n", os_seconds() - began);
    bool good =
        strips && data && make(&s, strips, TIDE_MODE_DEFAULT, &t[0]) && make(&s, json, TIDE_MODE_DEFAULT, &t[1]);
    for (int64_t r = 0; good && r < s.rounds; r++) good = measure(&t[0], data) && measure(&t[1], data);
    if (good) report(t);
    else fprintf(stderr, "a step could not be made\n");
    for (int j = 0; j < 2; j++) drop(&t[j]);
    free(json), free(strips), free(data);
    return good ? 0 : 1;
}
