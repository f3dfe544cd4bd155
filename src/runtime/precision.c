/* Which precision a device gives to a program that asks for one. */
#include "runtime.h"

const char *tide_precision_name(tide_precision precision) {
    static const char *const names[] = { "graph", "f32", "bf16", "f16", "auto" };
    return (unsigned)precision < sizeof names / sizeof *names ? names[precision] : "?";
}

void tide_autocast(tide_graph *g, tide_precision precision) {
    if (!g || (unsigned)precision > TIDE_PRECISION_AUTO)
        graph_fail(g, TIDE_EINVAL, "autocast: %d is not a precision", (int)precision);
    else g->runtime->precision = precision;
}

tide_precision runtime_precision(const runtime *rt, tide_precision wanted, const char **note) {
    *note = "";
    if (wanted == TIDE_PRECISION_GRAPH) wanted = rt->precision;
    bool half_asked = wanted >= TIDE_PRECISION_BF16 && wanted <= TIDE_PRECISION_AUTO;
    if (!rt->backend || !half_asked) return TIDE_PRECISION_F32;
    tide_precision half = wanted == TIDE_PRECISION_AUTO ? TIDE_PRECISION_BF16 : wanted;
    const char *lacks = rt->backend->lacks_products(half == TIDE_PRECISION_BF16 ? TIDE_BF16 : TIDE_F16);
    if (!lacks) return half;
    if (wanted != TIDE_PRECISION_AUTO) *note = lacks;
    return TIDE_PRECISION_F32;
}

tide_precision tide_precision_here(const tide_graph *g, tide_precision wanted, const char **note) {
    const char *ignored;
    if (!note) note = &ignored;
    *note = "";
    return g ? runtime_precision(g->runtime, wanted, note) : TIDE_PRECISION_F32;
}

tide_precision tide_program_precision(const tide_program *p, const char **note) {
    if (note) *note = p && p->precision_note ? p->precision_note : "";
    return p && p->precision ? p->precision : TIDE_PRECISION_F32;
}
