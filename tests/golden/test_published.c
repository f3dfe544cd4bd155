/* Outputs, loss, attention of the first block, every gradient: our four files, and the published program's. */
#include "golden_support.h"

static const char *device;

static const tide_tensor *need(const tide_archive *a, const char *name) {
    const tide_tensor *t = tide_archive_find(a, name);
    if (!t) fail_msg("the golden file has no '%s'", name);
    return t;
}

static model_config config_of(const tide_archive *a, int64_t *batch) {
    const int64_t *c = need(a, "config")->data;
    *batch           = c[0];
    return (model_config){ .columns = c[1], .marks = c[2], .seq_len = c[3], .pred_len = c[4], .d_model = c[5],
                           .n_heads = c[6],
                           .head_size = c[5] / c[6], .d_ff = c[7], .e_layers = c[8], .use_norm = c[9] != 0,
                           .relu = c[10] == 0 };
}

static void load_params(const tide_archive *a, tide_list params) {
    for (int64_t i = 0; i < params.count; i++) {
        char name[256];
        snprintf(name, sizeof name, "param/%s", tide_name_of(params.items[i]));
        const tide_tensor *t = need(a, name);
        size_t bytes = (size_t)tide_shape_count(tide_shape_of(params.items[i])) * sizeof(float);
        assert_int_equal(tide_shape_count(t->shape) * (int64_t)sizeof(float), bytes);
        assert_int_equal(tide_write(params.items[i], t->data, bytes), TIDE_OK);
    }
}

/* `maps`: with the attention maps the whole last block is computed; without, only the rows that are forecast. */
static void check_file(const char *file, bool own, bool maps) {
    char         path[512], where[128];
    tide_failure failure = { 0 };
    tide_archive a       = { 0 };
    int64_t      batch;
    const char *whose = own ? "" : "published ", *how = maps ? " with attention maps" : "";
    snprintf(where, sizeof where, "%s%s on %s%s", whose, file, device, how);
    char name[128];
    snprintf(name, sizeof name, "%s%s.npz", own ? "" : "golden/", file);
    own ? own_path(path, name) : shared_path(path, name);
    if (tide_npz_read(path, &a, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    model_config   c = config_of(&a, &batch);
    itransformer model;
    tide_graph    *g = tide_graph_new(device);
    assert_true(itransformer_new(g, &c, &model));
    tide_list params = tide_params(g, "");
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(batch, c.seq_len, c.columns)),
             y = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(batch, c.pred_len, c.columns));
    tide_val marks = c.marks ? tide_input(g, "marks", TIDE_F32, TIDE_SHAPE(batch, c.seq_len, c.marks)) : x,
             attention[8];
    const model_windows window = { .past = x, .marks = marks };
    tide_val out  = itransformer_apply(&model, &window, TIDE_EVAL, maps ? attention : NULL), loss = tide_mse(out, y);
    tide_list gradients = tide_grad(loss, params);
    tide_val  wanted[128] = { out, loss, maps ? attention[0] : loss };
    for (int64_t i = 0; i < gradients.count; i++) wanted[3 + i] = gradients.items[i];
    tide_program *p = tide_compile((tide_list){ wanted, 3 + gradients.count }, NULL);
    load_params(&a, params);
    tide_feed feeds[3] = { { x, need(&a, "x")->data },
                           { y, need(&a, "y")->data },
                           { marks, c.marks ? need(&a, "x_mark")->data : NULL } };
    tide_status status   = tide_run(p, feeds, c.marks ? 3 : 2);
    if (status != TIDE_OK) fail_msg("%s: %s", where, tide_program_error(p)->message);
    expect_array(where, "output", out, need(&a, "out")->data, 1e-5);
    expect_array(where, "loss", loss, need(&a, "loss")->data, 1e-5);
    if (maps) expect_array(where, "attention of block 0", attention[0], need(&a, "attn0")->data, 1e-5);
    for (int64_t i = 0; i < params.count; i++) {
        if (is_key_bias(tide_name_of(params.items[i]))) continue;
        snprintf(name, sizeof name, "grad/%s", tide_name_of(params.items[i]));
        expect_array(where, name, gradients.items[i], need(&a, name)->data, 1e-5);
    }
    itransformer_free(&model);
    tide_graph_free(g);
    tide_archive_free(&a);
}

/* Ours, then the published program's, whose names say so: a case that is skipped is told of by its name. */
static const char *const names[] = {
    "itransformer_base", "itransformer_nomark", "itransformer_nonorm_relu", "itransformer_many",
    "published_itransformer_base", "published_itransformer_nomark", "published_itransformer_nonorm_relu",
    "published_itransformer_many",
};

static void check_index(void **state) {
    int64_t i = (int64_t)(intptr_t)*state;
    check_file(names[i / 2 % 4], i < 8, i % 2);
}

int main(int argc, char **argv) {
    device = argc > 1 ? argv[1] : "cpu";
    struct CMUnitTest tests[16];
    for (intptr_t i = 0; i < 16; i++)
        tests[i] = (struct CMUnitTest){ .name = names[i / 2], .test_func = check_index, .initial_state = (void *)i };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
