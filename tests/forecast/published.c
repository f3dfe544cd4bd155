/* Checkpoints that are not what they say: refused with the tensor's name. */
#include "forecast/export/published.h"

#include <tidemill/io.h>

#include "forecast/models/forecaster.h"
#include "train_support.h"

static const model_config sizes = { .seq_len = 5, .pred_len = 3, .d_model = 4, .n_heads = 1, .head_size = 4, .d_ff = 6,
                                    .e_layers = 2 };

/* What is wrong with one tensor of an otherwise sound checkpoint. */
typedef enum fault { NOTHING, ABSENT, DOUBLE, NOT_FINITE, NARROW, LONG } fault;

static tide_status add(tide_archive *a, const char *name, tide_shape shape, fault what) {
    double numbers[200];
    float  floats[200];
    if (what == NARROW) shape.dim[0]--;
    if (what == LONG) shape.dim[shape.ndim++] = 1;
    int64_t count = tide_shape_count(shape);
    for (int64_t i = 0; i < count; i++) floats[i] = (float)(numbers[i] = 0.25 * (double)(i % 7) - 0.5);
    if (what == NOT_FINITE) floats[count - 1] = (float)NAN;
    if (what == ABSENT) return TIDE_OK;
    return what == DOUBLE ? tide_archive_add(a, name, TIDE_F64, shape, numbers)
                          : tide_archive_add(a, name, TIDE_F32, shape, floats);
}

static tide_status read_with(const char *tensor, fault what, const char *more, model_config *got,
                             tide_failure *failure) {
    char         path[128], name[WEIGHT_NAME];
    tide_archive a = { 0 }, out = { 0 };
    tide_shape   shape;
    for (int64_t i = 0; arch_itransformer.weight(&sizes, i, name, &shape); i++)
        assert_int_equal(add(&a, name, shape, strcmp(name, tensor) ? NOTHING : what), TIDE_OK);
    if (more) assert_int_equal(add(&a, more, TIDE_SHAPE(2), NOTHING), TIDE_OK);
    snprintf(path, sizeof path, "%s/a.pth", folder);
    assert_int_equal(tide_pth_write(path, &a, NULL), TIDE_OK);
    *failure           = (tide_failure){ 0 };
    tide_status status = published_read(path, &out, got, failure);
    if (status != TIDE_OK) assert_true(!out.tensors && !got->d_model);
    tide_archive_free(&a);
    tide_archive_free(&out);
    return status;
}

static void test_sizes(void **state) {
    (void)state;
    model_config got;
    tide_failure failure;
    if (read_with("", NOTHING, NULL, &got, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_true(got.seq_len == 5 && got.pred_len == 3 && got.d_model == 4 && got.d_ff == 6 && got.e_layers == 2);
    /* a linear layer saved as a convolution of width 1 is the same */
    if (read_with("encoder.attn_layers.1.attention.out_projection.weight", LONG, NULL, &got, &failure) != TIDE_OK)
        fail_msg("%s", failure.message);
}

static void test_faults(void **state) {
    (void)state;
    static const struct { const char *tensor; fault what; const char *more, *part; } cases[] = {
        { "enc_embedding.value_embedding.weight", ABSENT, NULL, "no checkpoint of an iTransformer" },
        { "projector.weight", ABSENT, NULL, "no checkpoint of an iTransformer" },
        { "encoder.attn_layers.0.conv1.weight", ABSENT, NULL, "no checkpoint of an iTransformer" },
        { "projector.bias", ABSENT, NULL, "is not in the checkpoint" },
        { "encoder.attn_layers.1.conv1.weight", ABSENT, NULL, "an iTransformer as published has not" },
        { "encoder.attn_layers.1.norm2.weight", ABSENT, NULL, "is not in the checkpoint" },
        { "encoder.attn_layers.0.conv2.weight", DOUBLE, NULL, "model.float()" },
        { "encoder.norm.bias", NOT_FINITE, NULL, "not finite" },
        { "enc_embedding.value_embedding.weight", NARROW, NULL, "need" },
        { "projector.weight", NARROW, NULL, "need" },
        { "encoder.attn_layers.1.attention.key_projection.weight", NARROW, NULL, "has the shape (3, 4)" },
        { "", NOTHING, "enc_embedding.mask_embedding.weight", "enc_embedding.mask_embedding.weight" },
        { "", NOTHING, "encoder.attn_layers.2.conv1.bias", "encoder.attn_layers.2.conv1.bias" },
        { "", NOTHING, "module.projector.bias", "twice" },
        { "", NOTHING, "projection.bias", "twice" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        model_config got;
        tide_failure failure;
        tide_status  status = read_with(cases[i].tensor, cases[i].what, cases[i].more, &got, &failure);
        if (status != TIDE_EDATA) fail_msg("case %d was not refused", (int)i);
        expect_has(failure.message, cases[i].part);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sizes), cmocka_unit_test(test_faults) };
    return cmocka_run_group_tests_name("published checkpoints", tests, make_folder, remove_folder);
}
