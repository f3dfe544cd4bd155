/* For layers and optimizers outside the engine's own: lists and failures of their own. */
#include "ir.h"

tide_val tide_poison(tide_graph *g, tide_status status, const char *message) {
    bool failure = status > TIDE_OK && status <= TIDE_ECANCELLED;
    return graph_fail(g, failure ? status : TIDE_EINVAL, "%s", message ? message : "no reason was given");
}

tide_list tide_list_new(tide_graph *g, const tide_val *items, int64_t count) {
    if (!list_good(g, "list", (tide_list){ items, count })) return (tide_list){ 0 };
    tide_val *copy = arena_new(&g->memory, tide_val, MAX2(count, 1));
    if (!copy) {
        graph_fail(g, TIDE_ENOMEM, "out of memory for a list of %d values", (int)count);
        return (tide_list){ 0 };
    }
    if (count) memcpy(copy, items, (size_t)count * sizeof *items);
    return (tide_list){ copy, count };
}
