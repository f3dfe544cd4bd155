#include "kept.h"

const tide_backend *const backend_all[] = { &tide_backend_cpu, &tide_backend_ref, &tide_backend_check, &kept_ref,
                                            &kept_fused, NULL };
