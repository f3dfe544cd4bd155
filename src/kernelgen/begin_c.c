/* What printed C begins with. */
#include "kernelgen.h"
#include "host_text.h"
#include "lanes_c_text.h"

void kernelgen_begin_c(text *out) {
#define X(NAME, text, arity) text_add(out, "HOST_" #NAME " = %d, ", S_##NAME);
    text_add(out, "enum { ");
    SCALAR_OPS(X)
#undef X
    text_add(out, "HOST_COUNT };\n%s%s", host_text, lanes_c_text);
}
