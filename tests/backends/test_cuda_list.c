#include "gpu/fibers.h"

const tide_backend *const backend_all[] = { &tide_backend_cpu,  &tide_backend_ref,         &tide_backend_check,
                                            &tide_backend_cuda, &tide_backend_fibers_cuda, NULL };
