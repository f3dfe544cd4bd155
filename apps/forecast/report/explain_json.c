/* An explanation as JSON: every row that the engine gives. */
#include <jansson.h>

#include "explain.h"
#include "train/run.h"
#include "base/json.h"

static json_t *kernel_json(const tide_kernel_row *k, int64_t index) {
    json_t *o = json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:f}", "kernel", (json_int_t)index, "kind", k->kind,
                          "phase",
                          (json_int_t)k->phase + 1, "chain", (json_int_t)k->chain + 1, "tasks", (json_int_t)k->tasks,
                          "bytes_read",
                          (json_int_t)k->bytes_read, "bytes_written", (json_int_t)k->bytes_written, "flops", k->flops);
    o = json_with(o, "members", json_text(k->members));
    o = json_with(o, "variables", json_text(k->variables));
    if (k->m || k->n || k->k)
        o = json_with(o, "product",
                      json_pack("{s:I, s:I, s:I, s:I}", "batches", (json_int_t)k->batches, "m", (json_int_t)k->m, "n",
                                (json_int_t)k->n,
                                "k", (json_int_t)k->k));
    if (k->rows)
        o = json_with(o, "map",
                      json_pack("{s:I, s:I, s:I, s:I}", "rows", (json_int_t)k->rows, "columns", (json_int_t)k->cols,
                                "operations",
                                (json_int_t)k->ops, "results", (json_int_t)k->results));
    return json_with(o, "ms", k->seconds > 0 ? json_real(k->seconds * 1e3) : json_null());
}

static json_t *kernels_json(const tide_explanation *e) {
    json_t *list = json_array();
    for (int64_t i = 0; i < e->n_kernels; i++) list = json_with_item(list, kernel_json(&e->kernels[i], i));
    return list;
}

static json_t *apart_json(const tide_explanation *e) {
    json_t *list = json_array();
    for (int64_t i = 0; i < e->n_apart; i++) {
        const tide_apart_row *a = &e->apart[i];
        list = json_with_item(list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "value", a->value, "why", a->why, "from",
                                              (json_int_t)a->from,
                                              "to", (json_int_t)a->to, "bytes", (json_int_t)a->bytes));
    }
    return list;
}

static json_t *buffers_json(const tide_explanation *e) {
    json_t *list = json_array();
    for (int64_t i = 0; i < e->n_buffers; i++) {
        const tide_buffer_row *b = &e->buffers[i];
        list = json_with_item(list, json_pack("{s:I, s:I, s:I, s:I}", "offset", (json_int_t)b->offset, "bytes",
                                              (json_int_t)b->bytes,
                                              "first_phase", (json_int_t)b->first_phase + 1, "last_phase",
                                              (json_int_t)b->last_phase + 1));
    }
    return list;
}

static json_t *memory_json(const tide_explanation *e) {
    const tide_memory *m = &e->memory;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "arena", (json_int_t)m->arena, "arena_apart",
                     (json_int_t)e->arena_apart,
                     "variables", (json_int_t)m->variables, "constants", (json_int_t)m->constants, "scratch",
                     (json_int_t)m->scratch,
                     "total", (json_int_t)m->total);
}

char *explanation_json(const tide_explanation *e, const train_step *step) {
    json_t *o = json_pack("{s:s, s:i, s:s, s:b, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:i, s:f}", "device", e->device,
                          "threads", e->threads,
                          "precision", tide_precision_name(e->precision), "fused", e->fused, "batch_size",
                          (json_int_t)step->samples,
                          "phases", (json_int_t)e->phases, "chains", (json_int_t)e->chains, "flops", e->flops,
                          "product_flops",
                          tide_program_flops(step->program), "bytes_read", (json_int_t)e->bytes_read, "bytes_written",
                          (json_int_t)e->bytes_written, "runs", e->runs, "compile_ms", step->compile_s * 1e3);
    o = json_with(o, "step_ms", e->runs ? json_real(e->run_s * 1e3) : json_null());
    o = json_with(o, "memory", memory_json(e));
    o = json_with(o, "kernels", kernels_json(e));
    o = json_with(o, "not_fused", apart_json(e));
    o = json_with(o, "buffers", buffers_json(e));
    char *text = json_whole(o, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    json_decref(o);
    return text;
}
