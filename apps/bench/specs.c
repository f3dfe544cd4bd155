#include "bench.h"

#include <string.h>

#include "base/base.h"

#define SIZES .seq_len = 96, .pred_len = 96, .marks = 4, .n_heads = 8, .dropout = 0.1
#define FORECAST .kind = BENCH_FORECAST, SIZES
#define ETTH1 .columns = 7, .d_model = 256, .d_ff = 256, .e_layers = 2
#define PREDICT .kind = BENCH_PREDICT, SIZES, ETTH1

static const bench_spec specs[] = {
    { .name = "etth1", FORECAST, ETTH1, .batch = 32 },
    { .name = "m1", FORECAST, .columns = 7, .batch = 256, .d_model = 192, .d_ff = 768, .e_layers = 2 },
    { .name = "ecl", FORECAST, .columns = 321, .batch = 16, .d_model = 512, .d_ff = 512, .e_layers = 3 },
    { .name = "traffic", FORECAST, .columns = 862, .batch = 16, .d_model = 512, .d_ff = 512, .e_layers = 4 },
    { .name = "eis512", .kind = BENCH_EIS, .batch = 512, .hidden = 512 },
    { .name = "eis8192", .kind = BENCH_EIS, .batch = 8192, .hidden = 512 },
    { .name = "predict1", PREDICT, .batch = 1 },
    { .name = "predict64", PREDICT, .batch = 64 },
    { .name = "predict1024", PREDICT, .batch = 1024 },
    { .name = "matmul4096", .kind = BENCH_PRODUCT, .size = 4096 },
    { .name = "eis-train-50k", .kind = BENCH_EIS_TRAIN, .batch = 512, .hidden = 512, .samples = 50000, .epochs = 10 },
    { .name = "eis-train-500k", .kind = BENCH_EIS_TRAIN, .batch = 512, .hidden = 512, .samples = 500000, .epochs = 50 },
    { .name = "eis-train-5m", .kind = BENCH_EIS_TRAIN, .batch = 512, .hidden = 512, .samples = 5000000, .epochs = 100 },
    { .name = "eis-spectra", .kind = BENCH_EIS_SPECTRA, .batch = 4096, .hidden = 256, .samples = 1 << 18 },
    { .name = "eis-exact", .kind = BENCH_EIS_EXACT, .batch = 1024 },
    { .name = "eis-memory", .kind = BENCH_EIS_MEMORY, .hidden = 512 },
};

const bench_spec *bench_spec_named(const char *name) {
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        if (strcmp(specs[i].name, name) == 0) return &specs[i];
    return NULL;
}

const char *bench_case_names(void) {
    return "etth1|m1|ecl|traffic|eis512|eis8192|predict1|predict64|predict1024|matmul4096|eis-train-50k|eis-train-500k|"
           "eis-train-5m|eis-spectra|eis-exact|eis-memory";
}
