/* Products that a device's library takes: nothing is printed, but said where their operands are. */
#include "plan.h"

static void place_operands(gpu_print *g, const flat_kernel *k, gpu_product *p) {
    for (int i = 0; i < 3; i++) p->at[i] = gpu_place(g, &p->operand[i], i == 2, &p->block[i]);
    if (p->has_bias)
        p->at[GPU_PRODUCT_BIAS] = gpu_place(g, &k->operands[3], false, &p->block[GPU_PRODUCT_BIAS]);
}

/* It is asked before anything of the product's is noted: how operands are aligned follows from where they are. */
bool gpu_take_product(gpu_print *g, const flat_gemm *sizes, const flat_operand operand[3]) {
    const gpu_limits *limits = g->limits;
    if (!limits->asks) return false;
    gpu_print trial = *g;
    gpu_product *p = &trial.product;
    *p = (gpu_product){ .sizes = *sizes, .operand = { operand[0], operand[1], operand[2] },
                        .has_bias = g->kernel->n_operands > 3 };
    place_operands(&trial, g->kernel, p);
    p->work_bytes = limits->asks(limits->device, p);
    if (p->work_bytes < 0) return false;
    if (p->work_bytes) p->at[GPU_PRODUCT_WORK] = gpu_place_scratch(&trial, 0, &p->block[GPU_PRODUCT_WORK]);
    trial.scratch_bytes = p->work_bytes, trial.by_library = true, trial.groups = 1, trial.threads = 0;
    *g = trial;
    return true;
}
