/* Training steps of the application beside those of a golden file. */
#ifndef GOLDEN_STEPS_H
#define GOLDEN_STEPS_H

#include "forecast/fit/scoring.h"
#include "golden_support.h"

/* PyTorch's float32 is 6e-7 from its float64 after all sixty steps, losses, norms and parameters alike: rounding
 * does not grow. Sums in another order are as far, so this leaves a factor of more than ten. */
static const double STEPS_ALLOWED = 1e-5;

static inline const void *golden_array(const tide_archive *a, const char *prefix, const char *name, tide_dtype type,
                                       int64_t count) {
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const tide_tensor *t = tide_archive_find(a, full);
    if (!t) fail_msg("the golden file has no '%s'", full);
    assert_int_equal(t->type, type);
    assert_int_equal(tide_shape_count(t->shape), count);
    return t->data;
}

/* prefix: "param0/" or "param60/". */
static inline void put_params(const tide_archive *a, const char *prefix, tide_list params) {
    for (int64_t i = 0; i < params.count; i++) {
        int64_t     count = tide_shape_count(tide_shape_of(params.items[i]));
        const void *data  = golden_array(a, prefix, tide_name_of(params.items[i]), TIDE_F32, count);
        assert_int_equal(tide_write(params.items[i], data, (size_t)count * sizeof(float)), TIDE_OK);
    }
}

static inline void expect_step(const char *what, int step, const char *device, double got, double expected) {
    if (!(fabs(got - expected) <= STEPS_ALLOWED * fabs(expected)))
        fail_msg("%s of step %d on %s: expected %.8g, got %.8g, %.3g relative apart, %.1g allowed", what, step, device,
                 expected, got, fabs(got / expected - 1), STEPS_ALLOWED);
}

/* Windows in order: 0 to batch - 1, batch to 2 batch - 1, and so on. After all sixty steps the parameters too. */
static inline void check_steps(const tide_archive *a, const forecast_options *o, const dataset *d, int steps) {
    tide_failure   failure = { 0 };
    session        s       = { 0 };
    train_step     p;
    model_config   c;
    model_config_from(o, d, &c);
    tide_status status = session_open(o, &c, d, &s, &failure);
    if (status == TIDE_OK) status = session_training(&s, o, NULL, &p, &failure);
    if (status != TIDE_OK) fail_msg("%s", failure.message);
    put_params(a, "param0/", s.params);
    const double *losses = golden_array(a, "losses", "", TIDE_F64, 60);
    const double *norms  = golden_array(a, "grad_norms", "", TIDE_F64, 60);
    for (int step = 0; step < steps; step++) {
        int32_t starts[32];
        float   loss, norm;
        for (int i = 0; i < o->batch_size; i++) starts[i] = step * (int32_t)o->batch_size + i;
        tide_feed feeds[2] = { { s.start, starts } };
        if (tide_run(p.program, feeds, 1 + train_step_own_feeds(&p, &feeds[1])) != TIDE_OK)
            fail_msg("%s", tide_program_error(p.program)->message);
        assert_int_equal(tide_read(p.loss, &loss, sizeof loss), TIDE_OK);
        assert_int_equal(tide_read(p.norm, &norm, sizeof norm), TIDE_OK);
        expect_step("loss", step, o->device, (double)loss, losses[step]);
        expect_step("gradient norm", step, o->device, (double)norm, norms[step]);
    }
    for (int64_t i = 0; steps == 60 && i < s.params.count; i++) {
        const char *name  = tide_name_of(s.params.items[i]);
        int64_t     count = tide_shape_count(tide_shape_of(s.params.items[i]));
        const void *trained = golden_array(a, "param60/", name, TIDE_F32, count);
        if (!is_key_bias(name)) expect_array("after sixty steps", name, s.params.items[i], trained, STEPS_ALLOWED);
    }
    session_free(&s);
}

#endif
