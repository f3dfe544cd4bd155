/* What printed C begins with. */
#include "begin.h"

#include "backends/backend.h"
#include "host_text.h"
#include "lanes_c_text.h"

void native_begin(text *out) {
#define X(NAME, text, arity) text_add(out, "HOST_" #NAME " = %d, ", S_##NAME);
    text_add(out, "enum { ");
    SCALAR_OPS(X)
#undef X
    text_add(out, "HOST_COUNT };\n%s%s", host_text, lanes_c_text);
}
