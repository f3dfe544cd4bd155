/* Whether a device computes what cpu does: a fixed program with something of what training needs. */
#include <math.h>
#include <stdio.h>

#include "base/base.h"
#include "device.h"

enum { ROWS = 12, IN = 16, OUT = 8, PICKED = 4, SEED = 7 };
static const double NEAR = 1e-4, RATE = 0.1;

/* What is compared: (ROWS, OUT), but for the gathered rows and the updated matrix. */
typedef enum part { PRODUCT, SOFTMAX, LAYER_NORM, GELU, DROPOUT, SORT, GATHER, STEP, PARTS } part;
static const char *const part_names[] = { "a product", "softmax", "a layer norm", "gelu", "a dropout mask", "sorting",
                                          "gathering", "a gradient step" };

typedef struct figures { float of[PARTS][IN * OUT]; } figures;

static tide_val loss_of(tide_val hidden) {
    return tide_mean(tide_square(tide_sub(tide_gelu(hidden), tide_softmax(hidden, -1))), TIDE_ALL);
}

/* The parts as values; that of STEP is the variable, which `update` moves. */
static void build(tide_graph *g, tide_val values[PARTS], tide_val *update) {
    static const int32_t picked[PICKED] = { 7, 0, 11, 7 };
    tide_val x = tide_random_normal(g, TIDE_SHAPE(ROWS, IN), 0, 1),
             w = tide_variable(g, "w", tide_random_normal(g, TIDE_SHAPE(IN, OUT), 0, 0.5)), h = tide_matmul(x, w);
    tide_val gain = tide_slice(h, 0, 0, 1), offset = tide_slice(h, 0, 1, 2);
    values[PRODUCT]    = h;
    values[SOFTMAX]    = tide_softmax(h, -1);
    values[LAYER_NORM] = tide_layer_norm(h, tide_squeeze(gain, 0), tide_squeeze(offset, 0), 1e-5);
    values[GELU]       = tide_gelu(h);
    values[DROPOUT]    = tide_dropout(h, 0.3, TIDE_TRAIN);
    values[GATHER]     = tide_gather(h, 0, tide_constant(g, TIDE_I32, TIDE_SHAPE(PICKED), picked));
    values[STEP]       = w;
    tide_sort(h, true, &values[SORT], NULL);
    tide_list params = TIDE_LIST(w);
    *update = tide_sgd(params, tide_grad(loss_of(values[DROPOUT]), params),
                       &(tide_sgd_opts){ .lr = tide_scalar(g, RATE) });
}

static int64_t numbers(part p) { return (p == GATHER ? PICKED : p == STEP ? IN : ROWS) * (int64_t)OUT; }

static tide_status compute(const char *device, figures *out, tide_failure *failure) {
    tide_val    values[PARTS], update;
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1, .seed = SEED });
    if (!g) return fail(failure, TIDE_ENOMEM, "out of memory for the graph");
    build(g, values, &update);
    tide_program *p = tide_compile(TIDE_LIST(values[PRODUCT], values[SOFTMAX], values[LAYER_NORM], values[GELU],
                                             values[DROPOUT], values[SORT], values[GATHER], update),
                                   &(tide_compile_options){ .strict = true });
    tide_status status = train_compiled(g, p, failure);
    if (status == TIDE_OK) status = tide_run(p, NULL, 0);
    for (int i = 0; i < PARTS && status == TIDE_OK; i++)
        status = tide_read(values[i], out->of[i], (size_t)numbers((part)i) * sizeof(float));
    if (status != TIDE_OK && p && failure && !failure->status) *failure = *tide_program_error(p);
    tide_graph_free(g);
    return status == TIDE_OK ? status : fail(failure, status, "it does not run");
}

static bool alike(const float *a, const float *b, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= NEAR * fmax(1, fabs((double)b[i])))) return false;
    return true;
}

bool train_device_works(const char *device, char why[TRAIN_DEVICE_WHY]) {
    figures      here, there;
    tide_failure failure = { 0 };
    *why = 0;
    if (compute("cpu", &here, &failure) != TIDE_OK || compute(device, &there, &failure) != TIDE_OK)
        snprintf(why, TRAIN_DEVICE_WHY, "its self-test does not run (%.120s)", failure.message);
    for (int i = 0; i < PARTS && !*why; i++)
        if (!alike(there.of[i], here.of[i], numbers((part)i)))
            snprintf(why, TRAIN_DEVICE_WHY, "its self-test fails: %s has other numbers than cpu's", part_names[i]);
    return !*why;
}
