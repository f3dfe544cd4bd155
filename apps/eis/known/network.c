#include "network.h"

#include <stdio.h>

static const double ENCODER_DROPOUT[] = { 0.3, 0.2 }, HEAD_DROPOUT = 0.1, NORM_EPS = 1e-5;

known_sizes known_sizes_of(int64_t hidden, int64_t points) {
    return (known_sizes){ .width = { hidden, hidden / 2, 128 }, .head = 64, .resnorm_head = 64, .points = points };
}

/* Of the parts, `count` of them, one below the other (stack: one behind the other). */
static struct known_map map_of(tide_graph *g, const tide_linear *parts, int count, bool stack) {
    tide_val weight[EIS_COUNT + 1], bias[EIS_COUNT + 1];
    for (int i = 0; i < count; i++) weight[i] = parts[i].weight, bias[i] = parts[i].bias;
    tide_list weights = { weight, count }, biases = { bias, count };
    if (stack)
        return (struct known_map){ tide_transpose(tide_stack(g, weights, 0), 1, 2),
                                   tide_expand_dims(tide_stack(g, biases, 0), 1) };
    return (struct known_map){ tide_transpose(count > 1 ? tide_concat(g, weights, 0) : weight[0], 0, 1),
                               count > 1 ? tide_concat(g, biases, 0) : bias[0] };
}

/* The first maps of all heads are one product, the second of the five a batched one: (5, b, head) times (5, head,
 * points). */
static void make_maps(tide_graph *g, known_network *n) {
    tide_linear first[EIS_COUNT + 1], second[EIS_COUNT];
    for (int k = 0; k < EIS_COUNT; k++) first[k] = n->head[k][0], second[k] = n->head[k][1];
    first[EIS_COUNT] = n->resnorm[0];
    for (int i = 0; i < ENCODER_LAYERS; i++) n->map[i] = map_of(g, &n->encoder[i], 1, false);
    n->map[MAP_HEADS]   = map_of(g, first, EIS_COUNT + 1, false);
    n->map[MAP_LOGITS]  = map_of(g, second, EIS_COUNT, true);
    n->map[MAP_RESNORM] = map_of(g, &n->resnorm[1], 1, false);
}

/* Places in the MLX guide's sequences: activations and dropouts are counted. */
void known_network_new(tide_graph *g, known_sizes s, known_network *n) {
    static const char *const encoder[] = { "encoder.layers.0", "encoder.layers.3", "encoder.layers.6" };
    static const char *const norm[]    = { "encoder.norm.0", "encoder.norm.1" };
    char name[64];
    *n = (known_network){ .sizes = s };
    for (int i = 0; i < ENCODER_LAYERS; i++)
        n->encoder[i] = tide_linear_new(g, encoder[i], i ? s.width[i - 1] : KNOWN_FEATURES, s.width[i]);
    for (int i = 0; s.norm && i < ENCODER_LAYERS - 1; i++)
        n->norm[i] = tide_layer_norm_new(g, norm[i], s.width[i], NORM_EPS);
    for (int k = 0; k < EIS_COUNT; k++)
        for (int i = 0; i < HEAD_LAYERS; i++) {
            snprintf(name, sizeof name, "param_heads.%d.layers.%d", k, 3 * i);
            n->head[k][i] = tide_linear_new(g, name, i ? s.head : s.width[2], i ? s.points : s.head);
        }
    n->resnorm[0] = tide_linear_new(g, "resnorm_head.layers.0", s.width[2], s.resnorm_head);
    n->resnorm[1] = tide_linear_new(g, "resnorm_head.layers.2", s.resnorm_head, 1);
    n->params     = tide_params(g, "");
    make_maps(g, n);
}

static tide_val apply(const known_network *n, int map, tide_val x) {
    return tide_add(tide_matmul(x, n->map[map].right), n->map[map].bias);
}

static tide_val encode(const known_network *n, tide_val x, tide_mode mode) {
    for (int i = 0; i < ENCODER_LAYERS; i++) {
        x = apply(n, i, x);
        if (i == ENCODER_LAYERS - 1) break;
        if (n->sizes.norm) x = tide_layer_norm_apply(&n->norm[i], x);
        x = tide_dropout(tide_relu(x), ENCODER_DROPOUT[i], mode);
    }
    return x;
}

tide_val known_network_apply(const known_network *n, tide_val x, tide_mode mode, tide_val *resnorm) {
    int64_t  rows = tide_shape_of(x).dim[0], heads = EIS_COUNT * n->sizes.head;
    tide_val all  = tide_relu(apply(n, MAP_HEADS, encode(n, x, mode)));
    tide_val h    = tide_dropout(tide_slice(all, 1, 0, heads), HEAD_DROPOUT, mode);
    *resnorm      = tide_squeeze(apply(n, MAP_RESNORM, tide_slice(all, 1, heads, heads + n->sizes.resnorm_head)), 1);
    tide_val heads_first = tide_transpose(tide_reshape(h, TIDE_SHAPE(rows, EIS_COUNT, n->sizes.head)), 0, 1);
    tide_val products    = tide_matmul(heads_first, n->map[MAP_LOGITS].right);
    return tide_add(tide_transpose(products, 0, 1), tide_squeeze(n->map[MAP_LOGITS].bias, 1));
}

static void fix(tide_val *v, int map, const char *part) {
    char name[32];
    snprintf(name, sizeof name, "map.%d.%s", map, part);
    *v = tide_variable(v->graph, name, *v);
    tide_mark_param(*v);
}

void known_network_fix(known_network *n) {
    if (n->fixed) return;
    n->fixed = true;
    for (int i = 0; i < KNOWN_MAPS; i++) fix(&n->map[i].right, i, "right"), fix(&n->map[i].bias, i, "bias");
}

int64_t known_network_count(const known_network *n) {
    int64_t count = 0;
    for (int64_t i = 0; i < n->params.count; i++) count += tide_shape_count(tide_shape_of(n->params.items[i]));
    return count;
}
