/* Who multiplies, for people: the libraries of gemm.c in their order, and our own kernels. */
#include <pthread.h>

#include "backends/cpu/cpu.h"
#include "onednn.h"

static tide_product_library all[4];

static void list(void) {
    tide_product_library *next = all;
#ifdef TIDE_HAVE_ONEDNN
    const onednn *library = onednn_here();
    *next++ = (tide_product_library){ "oneDNN", library ? library->number : NULL, library ? library->path : NULL,
                                      onednn_missing(NULL) };
#else
    *next++ = (tide_product_library){ "oneDNN", .lacks = "this build leaves it out" };
#endif
#ifdef TIDE_HAVE_CBLAS
    *next++ = (tide_product_library){ CBLAS_NAME };
#endif
    *next = (tide_product_library){ "own kernels" };
}

const tide_product_library *gemm_libraries(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, list);
    return all;
}
