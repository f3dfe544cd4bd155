#include <inttypes.h>

#include "compile.h"

const char *const flat_kernel_names[] = {
    [FLAT_MAP] = "map", [FLAT_GEMM] = "gemm", [FLAT_FOLD] = "fold", [FLAT_GATHER] = "gather",
    [FLAT_SCATTER_ADD] = "scatter_add",
    [FLAT_TAKE_ALONG] = "take_along", [FLAT_PUT_ALONG_ADD] = "put_along_add", [FLAT_CUMSUM] = "cumsum",
    [FLAT_SORT] = "sort", [FLAT_ATTENTION] = "attention",
    [FLAT_ATTENTION_GRAD] = "attention_grad", [FLAT_CUSTOM] = "custom",
};

static const char *const spaces[] = {
    [FLAT_ARENA] = "a", [FLAT_VARIABLE] = "v", [FLAT_CONSTANT] = "c", [FLAT_TASK] = "t"
};

static void print_kernel(text *out, const flat_program *p, const flat_kernel *k) {
    text_add(out, "    %-8s %4" PRId64 " tasks  %s", flat_kernel_names[k->kind], k->tasks, k->name);
    if (k->kind == FLAT_MAP) text_add(out, "  [%" PRId64 " x %" PRId64 "]", k->map.rows, k->map.cols);
    text_add(out, "  (");
    for (int32_t i = 0; i < k->n_operands; i++) {
        const flat_operand *o = &k->operands[i];
        const flat_buffer *b = &p->buffers[o->buffer];
        text_add(out, "%s%s%d", i ? " " : "", spaces[b->space], o->buffer);
    }
    text_add(out, ")\n");
}

void flat_print(text *out, const flat_program *p) {
    text_add(out, "%d kernels in %d phases, %d buffers, arena %" PRId64 " bytes, %" PRId64 " a thread\n", p->n_kernels,
             p->n_phases, p->n_buffers,
             p->arena_bytes, p->task_bytes);
    for (int32_t i = 0; i < p->n_phases; i++) {
        text_add(out, "  phase %d\n", i);
        for (int32_t c = 0; c < p->phases[i].chains; c++) {
            const flat_chain *chain = &p->chains[p->phases[i].first_chain + c];
            for (int32_t k = 0; k < chain->kernels; k++) print_kernel(out, p, &p->kernels[chain->first_kernel + k]);
        }
    }
}
