/* Several networks on the same windows, and for each column that is forecast the weights that their forecasts have in
 * the sum. Each network's parameters have its published names behind the network's own. */
#include "ensemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ensemble {
    forecaster member[ENSEMBLE_MEMBERS];
    int        count;
    tide_val   weights;  /* (count, out columns) */
} ensemble;

int ensemble_members(unsigned members, int out[ENSEMBLE_MEMBERS]) {
    int count = 0;
    for (int arch = 0; arch < ENSEMBLE_MEMBERS; arch++)
        if (members & 1U << arch) out[count++] = arch;
    return count;
}

model_config ensemble_config(const model_config *c, int arch) {
    model_config one = *c;
    one.arch = arch, one.members = 0;
    return one;
}

static void release(void *self) {
    ensemble *e = self;
    for (int i = 0; i < e->count; i++) forecaster_free(&e->member[i]);
    free(e);
}

static void *build(tide_graph *g, const model_config *c) {
    int       arch[ENSEMBLE_MEMBERS], count = ensemble_members(c->members, arch);
    ensemble *e = calloc(1, sizeof *e);
    if (!e) return tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers"), NULL;
    tide_val equal = tide_fill(g, TIDE_F32, TIDE_SHAPE(count, c->out_count), 1.0 / count);
    e->weights = tide_variable(g, "ensemble.weight", equal);
    tide_mark_param(e->weights);
    for (bool fine = true; fine && e->count < count; e->count++) {
        model_config one = ensemble_config(c, arch[e->count]);
        tide_scope_push(g, architecture_of(one.arch)->name);
        fine = forecaster_new(g, &one, &e->member[e->count]);
        tide_scope_pop(g);
        if (!fine) return release(e), NULL;
    }
    return e;
}

static head_values rows(const void *self, const model_windows *x, tide_mode mode) {
    const ensemble *e   = self;
    tide_val        sum = { 0 };
    for (int i = 0; i < e->count; i++) {
        int64_t  columns = e->member[i].config.out_count;
        tide_val weight  = tide_reshape(tide_slice(e->weights, 0, i, i + 1), TIDE_SHAPE(1, columns, 1));
        tide_val part    = tide_mul(forecaster_rows(&e->member[i], x, mode).point, weight);
        sum              = i ? tide_add(sum, part) : part;
    }
    return (head_values){ .point = sum };
}

tide_val ensemble_forecasts(const forecaster *n, const model_windows *x) {
    const ensemble *e = n->self;
    tide_val        all[ENSEMBLE_MEMBERS];
    for (int i = 0; i < e->count; i++) all[i] = forecaster_rows(&e->member[i], x, TIDE_EVAL).point;
    return tide_stack(x->past.graph, (tide_list){ all, e->count }, 1);
}

int ensemble_parts(const forecaster *n, const forecaster *out[ENSEMBLE_MEMBERS], tide_val *weights) {
    *weights = (tide_val){ 0 };
    if (n->of != &arch_ensemble) return out[0] = n, 1;
    const ensemble *e = n->self;
    *weights          = e->weights;
    for (int i = 0; i < e->count; i++) out[i] = &e->member[i];
    return e->count;
}

static int64_t sum_of_members(const model_config *c, int64_t (*of)(const model_config *c)) {
    int     arch[ENSEMBLE_MEMBERS], count = ensemble_members(c->members, arch);
    int64_t sum = 0;
    for (int i = 0; i < count; i++) {
        model_config one = ensemble_config(c, arch[i]);
        sum += of(&one);
    }
    return sum;
}

static int64_t parameters(const model_config *c) {
    int arch[ENSEMBLE_MEMBERS];
    return ensemble_members(c->members, arch) * c->out_count + sum_of_members(c, forecaster_parameters);
}

/* Of the member's own parameter. */
static bool member_weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    const architecture *of = architecture_of(c->arch);
    char                own[WEIGHT_NAME];
    if (!of->weight(c, index, own, shape)) return false;
    snprintf(name, WEIGHT_NAME, "%s.%.*s", of->name, WEIGHT_NAME - 20, own);
    return true;
}

static int64_t weights_of(const model_config *c) {
    char       name[WEIGHT_NAME];
    tide_shape shape;
    int64_t    count = 0;
    while (member_weight(c, count, name, &shape)) count++;
    return count;
}

static bool weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    int arch[ENSEMBLE_MEMBERS], count = ensemble_members(c->members, arch);
    if (!index) {
        memcpy(name, "ensemble.weight", sizeof "ensemble.weight");
        *shape = TIDE_SHAPE(count, c->out_count);
        return true;
    }
    index--;
    for (int i = 0; i < count; i++) {
        model_config one = ensemble_config(c, arch[i]);
        if (member_weight(&one, index, name, shape)) return true;
        index -= weights_of(&one);
    }
    return false;
}

static int64_t activations_of(const model_config *c) { return architecture_of(c->arch)->activations(c); }
static int64_t activations(const model_config *c) { return sum_of_members(c, activations_of); }

const architecture arch_ensemble = { "auto",  true, true,       true,   build,
                                     release, rows, parameters, weight, activations, .takes_statics = true };
