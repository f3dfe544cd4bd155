#include "step.h"

#include "base/base.h"
#include "run.h"

tide_status train_graph_new(const train_graph *how, tide_graph **out, tide_failure *failure) {
    tide_device        device;
    tide_status        status  = tide_device_info(how->device, &device, failure);
    tide_graph_options options = { .device = how->device, .threads = how->threads, .seed = how->seed, .cut = how->cut,
                                   .memory_limit = how->memory_limit ? how->memory_limit : device.memory_bytes };
    if (status != TIDE_OK) return status;
    *out = tide_graph_new_with(&options);
    if (!*out) return fail(failure, TIDE_ENOMEM, "out of memory for the graph");
    tide_compile_mode(*out, how->mode);
    return how->choices_of ? run_choices_take(how->choices_of, *out, failure) : TIDE_OK;
}

int64_t train_device_memory(const char *device) {
    tide_device d;
    return tide_device_info(device, &d, NULL) == TIDE_OK && d.memory_bytes ? d.memory_bytes : INT64_MAX;
}

tide_status train_unread(const tide_graph *g, const char *what, tide_failure *failure) {
    const tide_failure *why = tide_error(g);
    return why->status ? fail(failure, why->status, "%s", why->message)
                       : fail(failure, TIDE_ENOMEM, "out of memory for %s", what);
}

tide_status train_compiled(const tide_graph *g, const tide_program *p, tide_failure *failure) {
    const tide_failure *why = tide_error(g);
    if (why->status == TIDE_OK && !p) return fail(failure, TIDE_ENOMEM, "out of memory for a program");
    if (why->status == TIDE_OK) why = tide_program_error(p);
    if (why->status && failure && !failure->status) *failure = *why;
    return why->status;
}
