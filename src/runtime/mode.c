/* Compile modes, and the choices that one of them makes: read, set, told. */
#include <stdlib.h>

#include "runtime.h"

const char *tide_compile_mode_name(tide_program_mode mode) {
    static const char *const names[] = { "graph", "default", "reduce-overhead", "max-autotune" };
    return (unsigned)mode < sizeof names / sizeof *names ? names[mode] : "?";
}

void tide_compile_mode(tide_graph *g, tide_program_mode mode) {
    if (!g || (unsigned)mode > TIDE_MODE_MAX_AUTOTUNE)
        graph_fail(g, TIDE_EINVAL, "compile mode: %d is not a mode", (int)mode);
    else g->runtime->mode = mode;
}

tuning *runtime_tuning(runtime *rt, tide_program_mode mode) {
    if (mode == TIDE_MODE_GRAPH) mode = rt->mode;
    if (rt->choices_set) return rt->tuning.used.count ? &rt->tuning : NULL;
    if (mode != TIDE_MODE_MAX_AUTOTUNE) return NULL;
    if (!rt->tuning.clock) choice_file_read(rt);
    rt->tuning.clock = true;
    return &rt->tuning;
}

char *tide_choices(const tide_graph *g) {
    text out = { 0 };
    if (!g) return NULL;
    choices_print(&out, &g->runtime->tuning.used);
    if (out.failed) text_free(&out);
    return out.data;
}

tide_status tide_choices_set(tide_graph *g, const char *json, tide_failure *failure) {
    failure_clear(failure);
    choices given = { 0 };
    if (!g) return fail(failure, TIDE_EINVAL, "choices: there is no graph");
    runtime *rt = g->runtime;
    if (!json || !choices_parse(&given, json)) {
        choices_free(&given);
        return fail(failure, TIDE_EDATA, "choices: expected a JSON object of whole numbers, as tide_choices gives it");
    }
    runtime_free_choices(rt);
    rt->tuning.used = given;
    rt->tuning.clock = false;
    rt->choices_set = true;
    return TIDE_OK;
}

tide_tuning tide_graph_tuning(const tide_graph *g) {
    if (!g) return (tide_tuning){ .note = "there is no graph" };
    const runtime *rt = g->runtime;
    return (tide_tuning){ rt->tuning.timed, rt->tuning.from_file, rt->tuning.seconds,
                          *rt->choice_note ? rt->choice_note : rt->tuning.note };
}

int tide_numerics(const tide_graph *g) { return g ? g->numerics : 0; }

void tide_numerics_set(tide_graph *g, int version) {
    if (!g) return;
    if (version == 1 || version == 2) g->numerics = version;
    else graph_fail(g, TIDE_EINVAL, "numerics: there are versions 1 and 2, not %d", version);
}

compile_request runtime_request(const tide_graph *g, tide_list wanted) {
    static const backend_cut none;
    const runtime *rt = g->runtime;
    const tide_backend *b = rt->backend;
    compile_request r = { .wanted = wanted, .numbers = b ? b->cut : &none };
    if (b) r.passes = b->fuse, r.task_memory = b->task_memory, r.guard_bytes = b->guard_bytes, r.keeps = b->keeps;
    r.device = rt->place.device;
    bool any = !b || !b->rows_alone || b->rows_alone();
    r.cut = (work_cut){ .tasks = rt->cut ? rt->cut : any ? rt->threads : 0, .sums_by_task = g->numerics == 1 };
    return r;
}

void runtime_free_choices(runtime *rt) {
    choices_free(&rt->tuning.used);
    choices_free(&rt->tuning.kept);
}
