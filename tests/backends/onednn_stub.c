/* A library with all names that are called of oneDNN 3, of the version and for the run time that the environment says
 * (STUB_MAJOR, STUB_RUNTIME). Whatever is called fails. */
#include <stdlib.h>

#include "backends/cpu/gemm/onednn.h"

#define PUBLIC __attribute__((visibility("default")))
#define FAILING(returns, name, takes)                                                                                  \
    PUBLIC unsigned long dnnl_##name(void);                                                                            \
    unsigned long dnnl_##name(void) { return 1; }
#define dnnl_version dnnl_below  /* this one does not */
ONEDNN_BOTH(FAILING)
ONEDNN_3(FAILING)
#undef dnnl_version

PUBLIC const onednn_version *dnnl_version(void);
const onednn_version *dnnl_version(void) {
    static onednn_version v = { .minor = 1 };
    const char *major = getenv("STUB_MAJOR"), *runtime = getenv("STUB_RUNTIME");
    v.major = major ? atoi(major) : 3;
    v.cpu_runtime = runtime ? (unsigned)atoi(runtime) : 0;
    return &v;
}
