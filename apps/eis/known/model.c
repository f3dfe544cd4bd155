/* The trained network of known values at work: our model file, or the weights of other programs of the same shape. */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "file.h"
#include "train/device.h"
#include "train/parameters.h"

/* ---- the arrays' names ---- */

/* "encoder.layers.3.weight" is that in the .npz, "encoder.3.weight" in the .pth; where there are layer norms, they are
 * counted: "encoder.4.weight". */
typedef struct naming { bool layers, norm; } naming;

static const int encoder_place[2][ENCODER_LAYERS] = { { 0, 3, 6 }, { 0, 4, 8 } },
                 norm_place[ENCODER_LAYERS - 1] = { 1, 5 };

static const tide_tensor *find(const tide_archive *a, naming n, const char *sequence, int place, const char *part,
                               char name[96]) {
    snprintf(name, 96, "%s%s.%d.%s", sequence, n.layers ? ".layers" : "", place, part);
    return tide_archive_find(a, name);
}

static const tide_tensor *find_head(const tide_archive *a, naming n, int head, int place, const char *part,
                                    char name[96]) {
    char sequence[32];
    snprintf(sequence, sizeof sequence, "param_heads.%d", head);
    return find(a, n, sequence, place, part, name);
}

static naming naming_of(const tide_archive *a) {
    char   name[96];
    naming n = { .layers = tide_archive_find(a, "encoder.layers.0.weight") != NULL };
    const tide_tensor *second = find(a, n, "encoder", 1, "weight", name);
    n.norm = second && second->shape.ndim == 1;
    return n;
}

enum { WIDTH_MOST = 1 << 16 };  /* that of --hidden-dim */

/* Of a matrix with so many columns: what a file says of sizes counts where it holds the numbers. */
static int64_t rows_of(const tide_tensor *t, int64_t columns) {
    bool fine = t && t->shape.ndim == 2 && t->shape.dim[1] == columns && t->shape.dim[0] <= WIDTH_MOST;
    return fine ? t->shape.dim[0] : 0;
}

static known_sizes sizes_from(const tide_archive *a, naming n) {
    char        name[96];
    known_sizes s = { .norm = n.norm };
    for (int i = 0; i < ENCODER_LAYERS; i++)
        s.width[i] = rows_of(find(a, n, "encoder", encoder_place[n.norm][i], "weight", name),
                             i ? s.width[i - 1] : KNOWN_FEATURES);
    s.head         = rows_of(find_head(a, n, 0, 0, "weight", name), s.width[ENCODER_LAYERS - 1]);
    s.points       = rows_of(find_head(a, n, 0, 3, "weight", name), s.head);
    s.resnorm_head = rows_of(find(a, n, "resnorm_head", 0, "weight", name), s.width[ENCODER_LAYERS - 1]);
    return s;
}

/* ---- loading ---- */

typedef struct loading {
    const char *path;
    const tide_archive *archive;
    naming naming;
    tide_status status;
    tide_failure *failure;
} loading;

static void put(loading *l, tide_val variable, const tide_tensor *t, const char *name) {
    tide_shape shape = tide_shape_of(variable);
    if (l->status != TIDE_OK) return;
    if (!t || t->type != TIDE_F32 || !tide_shape_equal(t->shape, shape)) {
        char text[128];
        l->status = fail_at(l->failure, TIDE_EDATA, l->path, 0, name, "%s: '%s' is missing, or not f32 of shape %s",
                            l->path, name,
                            shape_text(text, shape));
    } else l->status = tide_write(variable, t->data, (size_t)tide_shape_count(shape) * sizeof(float));
}

static void put_map(loading *l, tide_val weight, tide_val bias, const char *sequence, int place) {
    char name[96];
    const tide_tensor *w = find(l->archive, l->naming, sequence, place, "weight", name);
    put(l, weight, w, name);
    const tide_tensor *b = find(l->archive, l->naming, sequence, place, "bias", name);
    put(l, bias, b, name);
}

static void put_all(loading *l, const known_network *n) {
    char head[32];
    for (int i = 0; i < ENCODER_LAYERS; i++)
        put_map(l, n->encoder[i].weight, n->encoder[i].bias, "encoder", encoder_place[n->sizes.norm][i]);
    for (int i = 0; n->sizes.norm && i < ENCODER_LAYERS - 1; i++)
        put_map(l, n->norm[i].weight, n->norm[i].bias, "encoder", norm_place[i]);
    for (int k = 0; k < EIS_COUNT; k++) {
        snprintf(head, sizeof head, "param_heads.%d", k);
        for (int i = 0; i < HEAD_LAYERS; i++) put_map(l, n->head[k][i].weight, n->head[k][i].bias, head, 3 * i);
    }
    for (int i = 0; i < HEAD_LAYERS; i++) put_map(l, n->resnorm[i].weight, n->resnorm[i].bias, "resnorm_head", 2 * i);
}

static bool usable(const known_sizes *s) {
    return s->width[0] > 0 && s->width[1] > 0 && s->width[2] > 0 && s->head > 0 && s->resnorm_head > 0 &&
           s->points >= 2 && s->points <= KNOWN_POINTS_MOST;
}

static tide_status failed(const tide_graph *g, const tide_program *p, tide_failure *failure) {
    const tide_failure *why = tide_error(g)->status ? tide_error(g) : tide_program_error(p);
    if (why->status && failure && !failure->status) *failure = *why;
    return why->status;
}

static tide_graph *graph_new(const known_model *m) {
    return tide_graph_new_with(&(tide_graph_options){ .device = m->device, .threads = 1 });
}

/* The parameters, on a graph of their own. */
static tide_status load(const char *path, const tide_archive *a, known_model *m, tide_failure *failure) {
    loading       l = { path, a, naming_of(a), TIDE_OK, failure };
    known_sizes   s = sizes_from(a, l.naming);
    known_network n;
    if (!usable(&s))
        return fail_at(
            failure, TIDE_EDATA, path, 0, NULL,
            "%s lacks the network's arrays: encoder.layers.0.weight ... resnorm_head.layers.2.bias, heads over "
            "2 to 40 values",
            path);
    tide_graph *g = graph_new(m);
    if (!g) return fail(failure, TIDE_ENOMEM, "out of memory for the network");
    known_network_new(g, s, &n);
    if (tide_error(g)->status) {
        l.status = failed(g, NULL, failure);
        return tide_graph_free(g), l.status;
    }
    put_all(&l, &n);
    if (l.status != TIDE_OK) return tide_graph_free(g), fail(failure, l.status, "the network could not be set up");
    known_network_fix(&n);
    m->network.sizes = s;
    m->held = parameters_new(g, tide_params(g, ""));
    return m->held ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the network");
}

static tide_status build(known_model *m, tide_failure *failure) {
    m->graph = graph_new(m);
    if (!m->graph) return fail(failure, TIDE_ENOMEM, "out of memory for the network");
    known_network_new(m->graph, m->network.sizes, &m->network);
    known_network_fix(&m->network);
    tide_status status = parameters_lend(m->held, tide_params(m->graph, ""), failure);
    if (status != TIDE_OK) return status;
    m->x       = tide_input(m->graph, "x", TIDE_F32, TIDE_SHAPE(1, KNOWN_FEATURES));
    m->p       = tide_softmax(known_network_apply(&m->network, m->x, TIDE_EVAL, &m->resnorm), -1);
    m->program = tide_compile(TIDE_LIST(m->p, m->resnorm), NULL);
    return failed(m->graph, m->program, failure);
}

static tide_status take(const char *path, const tide_archive *a, known_model *m, tide_failure *failure) {
    tide_status status = load(path, a, m, failure);
    if (status == TIDE_OK) status = build(m, failure);
    if (status != TIDE_OK) known_model_free(m);
    return status;
}

static void begin(const char *device, known_model *m) {
    *m = (known_model){ 0 };
    snprintf(m->device, sizeof m->device, "%s", device ? train_device_now(device) : "cpu");
}

tide_status known_model_take(const char *path, const tide_archive *a, const char *device, known_model *m,
                             tide_failure *failure) {
    begin(device, m);
    tide_status status = known_card_take(path, a, &m->card, failure);
    return status == TIDE_OK ? take(path, a, m, failure) : status;
}

tide_status known_model_load(const char *path, const char *device, known_model *m, tide_failure *failure) {
    tide_archive a = { 0 };
    begin(device, m);
    tide_status status = known_archive_read(path, &a, &m->card, failure);
    if (status == TIDE_OK) status = take(path, &a, m, failure);
    tide_archive_free(&a);
    return status;
}

tide_status known_model_clone(const known_model *of, known_model *m, tide_failure *failure) {
    begin(of->device, m);
    m->card = of->card, m->held = parameters_hold(of->held), m->network.sizes = of->network.sizes;
    tide_status status = build(m, failure);
    if (status != TIDE_OK) known_model_free(m);
    return status;
}

void known_model_free(known_model *m) {
    tide_graph_free(m->graph);
    parameters_release(m->held);
    *m = (known_model){ 0 };
}

/* ---- answering ---- */

tide_status known_model_predict(known_model *m, const eis_known *known, known_answer *out, tide_failure *failure) {
    float       x[KNOWN_FEATURES], p[EIS_COUNT * KNOWN_POINTS_MOST], resnorm = 0;
    int64_t     points = m->network.sizes.points;
    known_features(known->is, known->value, x);
    tide_status status = tide_run(m->program, (tide_feed[]){ { m->x, x } }, 1);
    if (status == TIDE_OK) status = tide_read(m->p, p, (size_t)(EIS_COUNT * points) * sizeof *p);
    if (status == TIDE_OK) status = tide_read(m->resnorm, &resnorm, sizeof resnorm);
    if (status != TIDE_OK && failed(m->p.graph, m->program, failure)) return status;
    if (status != TIDE_OK) return fail(failure, status, "the prediction failed");
    bool fine = isfinite(resnorm) != 0;
    memset(out->p, 0, sizeof out->p);
    for (int k = 0; k < EIS_COUNT; k++)
        for (int64_t i = 0; !known->is[k] && i < points; i++) {
            out->p[k][i] = (double)p[k * points + i];
            fine &= isfinite(out->p[k][i]) != 0;
        }
    out->resnorm = m->card.scale.sd > 0 ? known_unscaled(&m->card.scale, (double)resnorm) : (double)NAN;
    fine = fine && (isfinite(out->resnorm) || !(m->card.scale.sd > 0));
    return fine ? TIDE_OK
                : fail(failure, TIDE_EDATA,
                       "the predictor's answer is no number: its parameters are damaged, or it was trained until it "
                       "diverged");
}

static int by_probability(const void *a, const void *b) {
    const known_candidate *x = a, *y = b;
    if (x->probability != y->probability) return x->probability < y->probability ? 1 : -1;
    for (int k = 0; k < EIS_COUNT; k++)
        if (x->index[k] != y->index[k]) return x->index[k] < y->index[k] ? -1 : 1;
    return 0;
}

/* The most probable of products are made of the most probable of their factors, so each parameter is joined to the best
 * so far. */
int64_t known_model_top(const known_model *m, const eis_known *known, const known_answer *answer, int64_t top,
                        known_candidate *out) {
    int64_t          points = m->network.sizes.points, used = 1;
    known_candidate *joined = malloc((size_t)(top * points) * sizeof *joined);
    bool             any    = false;
    if (!joined) return 0;
    out[0] = (known_candidate){ { -1, -1, -1, -1, -1 }, 1 };
    for (int k = 0; k < EIS_COUNT; k++) {
        if (known->is[k]) continue;
        any = true;
        for (int64_t i = 0; i < used; i++)
            for (int64_t v = 0; v < points; v++) {
                known_candidate *c = &joined[i * points + v];
                *c          = out[i];
                c->index[k] = (int)v;
                c->probability *= answer->p[k][v];
            }
        qsort(joined, (size_t)(used * points), sizeof *joined, by_probability);
        used = MIN2(used * points, top);
        memcpy(out, joined, (size_t)used * sizeof *out);
    }
    free(joined);
    return any ? used : 0;
}
